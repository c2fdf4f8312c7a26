"""Call entries: references, memory, garbage, threads."""

from __future__ import annotations

import collections
import gc
import sys
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from calling_programs import (
    KINDS,
    Machine,
    copying,
    native,
    numbered,
    squaring_entry,
    types_of,
)

from wengert.execution.calling import chain
from wengert.execution.calling.entries import (
    Constant,
    Entry,
    Items,
    Keyed,
    Made,
    Result,
    signature,
)
from wengert.graph.types import array_type

kinds = pytest.mark.parametrize("kind", KINDS)
X = np.array([1.0, -2.0, 3.0])
HELD = np.array([4.0, 5.0])
MARK = object()


# ------------------------------------------------------------------- references and memory


def rich_entry(**options):
    """Every kind of input and of result."""
    args, kwargs = ARGS
    values = (X, 1.5, 1, True, X[:1], 1j, HELD)
    form = Items(
        tuple,
        (
            Result(0),
            Items(list, (Result(1), Result(2), Keyed(("a", "b"), (Result(3), Result(5))))),
            Made(lambda *parts: parts, (Result(4), Constant(MARK))),
            Constant(MARK),
            Constant(HELD),
            Items(Pair, (Constant(1), Constant(2))),
            Result(6),
        ),
    )
    program = copying(types_of(*values), **options)
    return Entry(signature(args, kwargs, numbered(args, kwargs)), program, (HELD,), (), form)


Pair = collections.namedtuple("Pair", "first second")
ARGS = (X, Pair(1.5, [1, {"k": True}])), {"z": 1j, "w": [X[:1]]}


def guarded_entry():
    """One whose guard never holds."""
    args, kwargs = ARGS
    values = (X, 1.5, 1, True, X[:1], 1j)
    form = signature(args, kwargs, numbered(args, kwargs))
    program = copying(types_of(*values), [0, 0, 1, 2, 4])
    guards = ((X + 1).tobytes(),)
    return Entry(form, program, (), guards, Items(list, tuple(map(Result, range(4)))))


def too_large_entry():
    """One whose last result is too large, after others have been made."""
    args, kwargs = ARGS
    types = types_of(X, 1.5, 1, True, X[:1], 1j)
    outputs = (*types, array_type((2**44,), X.dtype))
    form = Items(tuple, tuple(map(Result, range(7))))
    program = native("ret i64 0", types, outputs)
    return Entry(signature(args, kwargs, numbered(args, kwargs)), program, (), (), form)


def complaining_entry():
    def complain(*parts):
        raise ValueError("cannot be made")

    entry = rich_entry()
    form = Items(tuple, (*entry.result.parts, Made(complain, (Constant(MARK), Constant(X)))))
    return Entry(entry.signature, entry.native, entry.held, (), form)


def call(f, args, kwargs):
    try:
        f(*args, **kwargs)
    except (MemoryError, ValueError):
        return


WAYS = {
    "answered": [rich_entry],
    "with the GIL released": [lambda: rich_entry(long=True)],
    "with an arena": [lambda: rich_entry(arena_bytes=10_000)],
    "without success": [lambda: rich_entry(status="1")],
    "behind a guard that fails": [rich_entry, guarded_entry],
    "with no memory": [too_large_entry],
    "with an error": [complaining_entry],
}
OTHER_CALLS = {
    "another type": ((1.0, Pair(1.5, [1, {"k": True}])), {"z": 1j, "w": [X[:1]]}),
    "another leaf deep inside": ((X, Pair(1.5, [1, {"k": True}])), {"z": 1j, "w": [X[:2]]}),
    "an int that is too large": ((X, Pair(1.5, [2**70, {"k": True}])), {"z": 1j, "w": [X[:1]]}),
    "another key": ((X, Pair(1.5, [1, {"j": True}])), {"z": 1j, "w": [X[:1]]}),
    "fewer arguments": ((X,), {}),
}


def watched():
    """Objects that calls might hold on to or let go of."""
    args, kwargs = ARGS
    dtypes = [np.dtype(char) for char in "d?lD"]
    types = [np.ndarray, tuple, list, np.float64, np.bool_, Pair, *dtypes]
    return [*args, *kwargs.values(), args[1][1], X, HELD, MARK, kwargs["w"][0], *types]


def grown(f, args, kwargs, count):
    """(references, bytes) that are more after many calls."""

    def references():
        return np.array([sys.getrefcount(value) for value in watched()])

    for _ in range(100):
        call(f, args, kwargs)
    gc.collect()
    before, memory = references(), tracemalloc.get_traced_memory()[0]
    for _ in range(count):
        call(f, args, kwargs)
    gc.collect()
    return np.abs(references() - before).max(), tracemalloc.get_traced_memory()[0] - memory


def check_growth(f, args, kwargs, count):
    """Memory of the interpreter's own, as its table of strings, may grow once; a leak grows each
    time."""
    least = np.inf
    for _ in range(3):
        tracemalloc.start()
        try:
            references, memory = grown(f, args, kwargs, count)
        finally:
            tracemalloc.stop()
        assert references <= 5  # what Python itself counts differently from line to line
        least = min(least, memory)
        if least < 2_000 + count:  # the smallest leak is 16 bytes a call
            return
    raise AssertionError(f"{count} calls left {least} bytes")


def entered(kind, entries):
    """An object with these entries; what goes the slow way is remembered once."""
    f = kind()
    f.calls = collections.deque(maxlen=1)
    for make in entries:
        f.push_entry(make())
    return f


COUNTS = {"Machine": 100_000, "Portable": 1_000}


@kinds
@pytest.mark.parametrize("way", WAYS)
def test_no_call_leaks(kind, way):
    check_growth(entered(kind, WAYS[way]), *ARGS, COUNTS[kind.__name__])


@kinds
@pytest.mark.parametrize("way", OTHER_CALLS)
def test_no_call_that_goes_the_slow_way_leaks(kind, way):
    check_growth(entered(kind, [rich_entry]), *OTHER_CALLS[way], COUNTS[kind.__name__])


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_no_call_leaks_in_the_long_run(way):
    check_growth(entered(Machine, WAYS[way]), *ARGS, 1_000_000)


@pytest.mark.long
@pytest.mark.parametrize("way", OTHER_CALLS)
def test_no_call_that_goes_the_slow_way_leaks_in_the_long_run(way):
    check_growth(entered(Machine, [rich_entry]), *OTHER_CALLS[way], 1_000_000)


@pytest.mark.parametrize("ways", [("answered", 10_000), ("another key", 10_000)], ids=str)
def test_the_test_of_leaks_finds_one(ways):
    """One reference too many for each call, or 16 bytes."""
    way, count = ways
    f = entered(Machine, [rich_entry])
    args, kwargs = ARGS if way == "answered" else OTHER_CALLS[way]
    kept = []

    def leaking(*args, **kwargs):
        kept.append(X if way == "answered" else bytes(1))
        return f(*args, **kwargs)

    with pytest.raises(AssertionError):
        check_growth(leaking, args, kwargs, count)


# ----------------------------------------------------------------------------------- garbage


@kinds
def test_what_an_entry_holds_goes_with_it(kind):
    class Owner:
        pass

    owner = Owner()
    gone = weakref.ref(owner)
    f = kind()
    program = copying(types_of(X), arena_bytes=100_000)
    f.push_entry(Entry(signature((X,), {}, ([0], {})), program, (), (), Constant(owner)))
    assert f(X) is owner
    del owner
    assert gone() is not None
    f.forget_entries()
    assert gone() is None
    assert f(X) == "slow"


@kinds
def test_objects_in_cycles_are_collected(kind):
    f = kind()
    gone = weakref.ref(f)
    form = Items(tuple, (Constant(f), Result(0)))
    f.push_entry(Entry(signature((X,), {}, ([0], {})), copying(types_of(X)), (), (), form))
    f.itself = f
    answered = f(X)[0] is f
    assert answered
    del f, form
    gc.collect()
    assert gone() is None


@kinds
def test_many_objects_leave_nothing_behind(kind):
    entry = squaring_entry()

    def make():
        f = kind()
        f.push_entry(entry)
        f(X)

    check_growth(make, (), {}, 1_000)


@kinds
def test_arenas_are_given_back(kind):
    entry = squaring_entry(20_000, arena_bytes=160_000)
    x = np.zeros(20_000)
    tracemalloc.start()
    for _ in range(30):
        f = kind()
        f.push_entry(entry)
        f(x)
        f(x)
    del f
    assert tracemalloc.get_traced_memory()[0] < 1_000_000
    tracemalloc.stop()


# ----------------------------------------------------------------------------------- threads


def in_threads(functions):
    """Runs functions at once; raises what they raise."""
    failed = []

    def guarded(function):
        try:
            function()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


@kinds
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("arena_bytes", [0, 8 * 500])
def test_threads_share_a_program(kind, long, arena_bytes):
    f = kind()
    f.push_entry(squaring_entry(500, long=long, arena_bytes=arena_bytes))

    def work(seed):
        def run():
            for k in range(500):
                x = np.full(500, float(seed * 1000 + k))
                total, squares = f(x)
                assert (squares == x * x).all()
                assert total == 500 * x[0] ** 2

        return run

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        in_threads(map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert f.calls == []


@kinds
def test_entries_come_and_go_while_threads_call(kind):
    """And nothing else keeps their code: a call that is under way must."""
    f = kind(lambda x: (float(x @ x), x * x))
    f.calls = collections.deque(maxlen=1)
    entry = squaring_entry(3, long=True, arena_bytes=4_000)
    done = threading.Event()

    def call_it():
        x = np.array([1.0, 2.0, 3.0])
        while not done.is_set():
            total, squares = f(x)
            assert total == 14.0
            assert squares.tolist() == [1.0, 4.0, 9.0]

    def change_it():
        try:
            for k in range(100):
                chain.loaded.cache_clear()
                f.push_entry(entry)
                if k % 3 == 2:
                    f.forget_entries()
        finally:
            done.set()

    in_threads([call_it, call_it, change_it])


WAITING = """
entry:
  %x = load ptr, ptr %inputs
  br label %wait
wait:
  %k = phi i64 [ 0, %entry ], [ %k1, %wait ]
  %flag = load volatile double, ptr %x
  %set = fcmp one double %flag, 0.0
  %k1 = add i64 %k, 1
  %late = icmp sgt i64 %k1, 30000000000
  %stop = or i1 %set, %late
  br i1 %stop, label %done, label %wait
done:
  %at.y = getelementptr ptr, ptr %inputs, i64 1
  %y = load ptr, ptr %at.y
  %v = load double, ptr %y
  %out = load ptr, ptr %outputs
  store double %v, ptr %out
  %failed = zext i1 %late to i64
  ret i64 %failed
"""
"""Waits until the first input is set (or some ten seconds), then returns the second."""


@kinds
def test_long_programs_let_other_threads_run(kind):
    """And inputs stay alive though the list that held them is emptied meanwhile."""
    flag, box = np.zeros(()), [np.array(5.0), {"k": np.array(6.0)}]
    gone = weakref.ref(box[0])
    types = types_of(flag, box[0], 6.0)
    program = native(WAITING, types, types[:1], long=True)
    args = (flag, box)
    f = kind()
    f.push_entry(Entry(signature(args, {}, numbered(args)), program, (), (), Result(0)))
    alive = []

    def other():
        box.clear()
        gc.collect()
        alive.append(gone() is not None)
        flag[()] = 1

    thread = threading.Timer(0.05, other)
    thread.start()
    assert f(flag, box) == 5.0
    thread.join()
    assert alive == [True]
    assert gone() is None
    assert f.calls == []
