"""What is the same for all entries, as LLVM's text: where a call begins, the last resort, and the
way out. This code is never unloaded."""

from __future__ import annotations

DISPATCH = """
define ptr @dispatch(ptr %self, ptr %args, i64 %count, ptr %names) {{
  %chain = getelementptr i8, ptr %self, i64 {chain}
  %first = load ptr, ptr %chain
  %none = icmp eq ptr %first, null
  %near = getelementptr i8, ptr %self, i64 {first}
  %far = getelementptr i8, ptr %self, i64 {last}
  %where = select i1 %none, ptr %far, ptr %near
  %state = load ptr, ptr %where
  %function = load ptr, ptr %state
  %result = tail call ptr %function(
      ptr %self, ptr %args, i64 %count, ptr %names, ptr %state)
  ret ptr %result
}}
"""
"""The vectorcall of an object: its first entry, or the last resort where it holds none."""

LAST_RESORT = """
define ptr @enter(ptr %self, ptr %args, i64 %flagged, ptr %names, ptr %state) {
  %words = getelementptr i64, ptr %state, i64 FIRST
  %1 = getelementptr i64, ptr %words, i64 0
  %callable = load ptr, ptr %1
  %2 = getelementptr i64, ptr %words, i64 1
  %vectorcall = load ptr, ptr %2
  %count = and i64 %flagged, 9223372036854775807
  %more = add i64 %count, 1
  %lent = icmp slt i64 %flagged, 0
  br i1 %lent, label %in_place, label %apart
in_place:
  %front = getelementptr ptr, ptr %args, i64 -1
  %saved = load ptr, ptr %front
  store ptr %self, ptr %front
  %found = call ptr %vectorcall(ptr %callable, ptr %front, i64 %more, ptr %names)
  store ptr %saved, ptr %front
  ret ptr %found
apart:
  %bare = icmp eq ptr %names, null
  br i1 %bare, label %copy, label %named
named:
  %3 = getelementptr i8, ptr %names, i64 16
  %4 = load i64, ptr %3
  br label %copy
copy:
  %extra = phi i64 [ 0, %apart ], [ %4, %named ]
  %total = add i64 %count, %extra
  %bytes = shl i64 %total, 3
  %room = add i64 %bytes, 8
  %5 = getelementptr i64, ptr %words, i64 2
  %allocate = load ptr, ptr %5
  %all = call ptr %allocate(i64 %room)
  %failed = icmp eq ptr %all, null
  br i1 %failed, label %no_memory, label %go
no_memory:
  %6 = getelementptr i64, ptr %words, i64 3
  %raise = load ptr, ptr %6
  %7 = call ptr %raise()
  ret ptr null
go:
  store ptr %self, ptr %all
  %rest = getelementptr ptr, ptr %all, i64 1
  call void @llvm.memcpy.p0.p0.i64(ptr %rest, ptr %args, i64 %bytes, i1 false)
  %result = call ptr %vectorcall(ptr %callable, ptr %all, i64 %more, ptr %names)
  %8 = getelementptr i64, ptr %words, i64 4
  %free = load ptr, ptr %8
  call void %free(ptr %all)
  ret ptr %result
}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""
"""The end of each chain: a call of the Python function that the state names, with the object itself
as its first argument. Callers lend the place in front of the arguments where they set the flag."""

LAST_RESORT_FUNCTIONS = (
    "PyObject_Vectorcall",
    "PyMem_RawMalloc",
    "PyErr_NoMemory",
    "PyMem_RawFree",
)

WAY_OUT = """
define ptr @finish(ptr %result, ptr %owner, i64 %0, ptr %release, ptr %1) {
  call void %release(ptr %owner)
  ret ptr %result
}
"""
"""The way out of an entry that was at work: lets go of it, which may unload its code. Its signature
is that of entries, so that LLVM leaves nothing to return to."""
