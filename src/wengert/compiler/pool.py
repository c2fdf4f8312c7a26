"""The threads of big loops.

A loop that is worth it is compiled as a function of a part of it, and given to the pool:

    parts = run(body, job, most)        body(job, part, parts) has run for each part

There are as many parts as threads are allowed, and no more than the loop was compiled for. Which
thread does which part is not determined, and does not matter: a part is the same range of
positions always, and what parts add up is combined in their order. While another Python thread has
the pool, the caller does all parts itself; so it does what the workers do not come to.

The pool is itself a module of machine code. Its workers are threads of the operating system that
know nothing of Python, started when they are first needed. After a fork the child has none of them,
and its pool begins anew, in the same place, since compiled programs know the address of `run`.
"""

from __future__ import annotations

import ctypes
import operator
import os
from functools import cache
from threading import Lock

from wengert import settings
from wengert.compiler.machine import INLINING, Loaded, object_code
from wengert.errors import WengertValueError
from wengert.lazy import module

HAS_THREADS = os.name == "posix"
"""Elsewhere loops run in the thread that calls them."""

_OPAQUE = 256
"""Bytes for what is 64 or less on the platforms there are: a mutex, a condition."""
_YIELDS = 64
"""How often the others are let run before a thread waits for good, which takes longer."""


def most_parts() -> int:
    """The number of parts that a loop compiled now can have."""
    return settings.threads if HAS_THREADS else 1


def set_threads(n: int) -> None:
    """The number of threads of big loops and of BLAS from now on.

    At first it is OMP_NUM_THREADS, else the number of processors that the process may use. A
    program that was compiled for fewer threads keeps to that number; fewer than it was compiled for
    are obeyed at its next call. BLAS means every library that `threadpoolctl` knows how to tell,
    NumPy's own among them.

    The order in which a reduction adds up is fixed for a given number of threads: the same call
    gives the same bits. Another number may change the last of them.

    Examples
    --------
    >>> import wengert as wg
    >>> wg.set_threads(2)
    """
    try:
        number = operator.index(n)
    except TypeError:
        number = 0
    if number < 1 or isinstance(n, bool):
        raise WengertValueError(f"set_threads takes a whole number from 1 on, not {n!r}")
    settings.threads = number
    settings.threads_were_set = True
    if _made.cache_info().currsize:
        _TAKES_NUMBER(_made().address("limit"))(number)
    limit_blas()


def limit_blas() -> None:
    """Tell BLAS the number of threads, if somebody has set it: OMP_NUM_THREADS it reads itself."""
    if settings.threads_were_set:
        module("threadpoolctl").threadpool_limits(settings.threads, user_api="blas")


def address() -> int:
    """The address of `run`."""
    return _pool().address("run")


def _pool() -> Loaded:
    with _LOCK:
        return _made()


@cache
def _made() -> Loaded:
    """The pool of this process. It is never unloaded: its workers wait inside."""
    pool = Loaded(object_code(_TEXT, INLINING))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(pool))
    reset = _TAKES_NUMBER(pool.address("reset"))
    reset(settings.threads)
    os.register_at_fork(after_in_child=lambda: reset(settings.threads))
    return pool


_TAKES_NUMBER = ctypes.CFUNCTYPE(None, ctypes.c_int64)
_LOCK = Lock()

_TEXT = f"""
@mutex = internal global [{_OPAQUE} x i8] zeroinitializer, align 64
@wake = internal global [{_OPAQUE} x i8] zeroinitializer, align 64
@done = internal global [{_OPAQUE} x i8] zeroinitializer, align 64
@busy = internal global i64 0, align 64
@threads = internal global i64 1
@workers = internal global i64 0
@body = internal global ptr null
@job = internal global ptr null
@parts = internal global i64 0
@next = internal global i64 0
@left = internal global i64 0

declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare i32 @sched_yield()
declare i64 @llvm.smin.i64(i64, i64)

define void @limit(i64 %threads) {{
entry:
store atomic i64 %threads, ptr @threads monotonic, align 8
ret void
}}

define void @reset(i64 %threads) {{
entry:
call i32 @pthread_mutex_init(ptr @mutex, ptr null)
call i32 @pthread_cond_init(ptr @wake, ptr null)
call i32 @pthread_cond_init(ptr @done, ptr null)
store i64 0, ptr @workers
store i64 0, ptr @parts
store i64 0, ptr @next
store i64 0, ptr @left
store atomic i64 0, ptr @busy release, align 8
call void @limit(i64 %threads)
ret void
}}

define i64 @run(ptr %body, ptr %job, i64 %most) {{
entry:
%threads = load atomic i64, ptr @threads monotonic, align 8
%parts = call i64 @llvm.smin.i64(i64 %threads, i64 %most)
%single = icmp eq i64 %parts, 1
br i1 %single, label %alone, label %try
try:
%tried = cmpxchg ptr @busy, i64 0, i64 1 acquire monotonic, align 8
%mine = extractvalue {{i64, i1}} %tried, 1
br i1 %mine, label %share, label %alone
alone:
%part = phi i64 [0, %entry], [0, %try], [%following, %alone]
call void %body(ptr %job, i64 %part, i64 %parts)
%following = add nuw nsw i64 %part, 1
%again = icmp slt i64 %following, %parts
br i1 %again, label %alone, label %over
share:
call i32 @pthread_mutex_lock(ptr @mutex)
store ptr %body, ptr @body
store ptr %job, ptr @job
store i64 %parts, ptr @parts
store i64 0, ptr @next
store atomic i64 %parts, ptr @left monotonic, align 8
%others = sub i64 %parts, 1
call void @hire(i64 %others)
call i32 @pthread_cond_broadcast(ptr @wake)
br label %more
more:
%own = load i64, ptr @next
%there = icmp slt i64 %own, %parts
br i1 %there, label %take, label %rest
take:
call void @take(i64 %own)
br label %more
rest:
call i32 @pthread_mutex_unlock(ptr @mutex)
br label %patient
patient:
%turn = phi i64 [0, %rest], [%later, %yield]
%still = load atomic i64, ptr @left acquire, align 8
%finished = icmp eq i64 %still, 0
%enough = icmp eq i64 %turn, {_YIELDS}
%stop = or i1 %finished, %enough
br i1 %stop, label %relock, label %yield
yield:
call i32 @sched_yield()
%later = add i64 %turn, 1
br label %patient
relock:
call i32 @pthread_mutex_lock(ptr @mutex)
br label %check
check:
%left = load atomic i64, ptr @left monotonic, align 8
%ended = icmp eq i64 %left, 0
br i1 %ended, label %leave, label %wait
wait:
call i32 @pthread_cond_wait(ptr @done, ptr @mutex)
br label %check
leave:
call i32 @pthread_mutex_unlock(ptr @mutex)
store atomic i64 0, ptr @busy release, align 8
br label %over
over:
ret i64 %parts
}}

; Start workers up to a number; where the system has none to give, the caller does their share.
define internal void @hire(i64 %number) {{
entry:
%id = alloca ptr
br label %count
count:
%workers = load i64, ptr @workers
%enough = icmp sge i64 %workers, %number
br i1 %enough, label %end, label %start
start:
%status = call i32 @pthread_create(ptr %id, ptr null, ptr @work, ptr null)
%failed = icmp ne i32 %status, 0
br i1 %failed, label %end, label %started
started:
%thread = load ptr, ptr %id
call i32 @pthread_detach(ptr %thread)
%now = add i64 %workers, 1
store i64 %now, ptr @workers
br label %count
end:
ret void
}}

; Do a part. The mutex is held before and after, not meanwhile.
define internal void @take(i64 %part) {{
entry:
%following = add i64 %part, 1
store i64 %following, ptr @next
%body = load ptr, ptr @body
%job = load ptr, ptr @job
%parts = load i64, ptr @parts
call i32 @pthread_mutex_unlock(ptr @mutex)
call void %body(ptr %job, i64 %part, i64 %parts)
call i32 @pthread_mutex_lock(ptr @mutex)
%before = load atomic i64, ptr @left monotonic, align 8
%left = sub i64 %before, 1
store atomic i64 %left, ptr @left release, align 8
%last = icmp eq i64 %left, 0
br i1 %last, label %signal, label %end
signal:
call i32 @pthread_cond_signal(ptr @done)
br label %end
end:
ret void
}}

define internal ptr @work(ptr %nothing) {{
entry:
call i32 @pthread_mutex_lock(ptr @mutex)
br label %look
look:
%part = load i64, ptr @next
%parts = load i64, ptr @parts
%there = icmp slt i64 %part, %parts
br i1 %there, label %take, label %wait
take:
call void @take(i64 %part)
br label %look
wait:
call i32 @pthread_cond_wait(ptr @wake, ptr @mutex)
br label %look
}}
"""
