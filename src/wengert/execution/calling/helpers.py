"""Functions that an entry calls for each of its parts: they keep its code short, and the time in
which LLVM compiles it."""

from __future__ import annotations

from wengert.execution.calling import layout

SPECIFICATION = ("description", "number", "rank")
"""The words that `@array` compares an array with; the extents come after them."""

ARRAY = f"""
define internal i1 @array(ptr %value, ptr %expected, ptr %place) {{
  %rank.at = getelementptr i8, ptr %value, i64 {layout.RANK}
  %rank.32 = load i32, ptr %rank.at
  %rank = zext i32 %rank.32 to i64
  %expected.rank.at = getelementptr i64, ptr %expected, i64 2
  %expected.rank = load i64, ptr %expected.rank.at
  %same.rank = icmp eq i64 %rank, %expected.rank
  br i1 %same.rank, label %memory, label %no
memory:
  %flags.at = getelementptr i8, ptr %value, i64 {layout.FLAGS}
  %flags = load i32, ptr %flags.at
  %plain.flags = and i32 %flags, {layout.PLAIN}
  %plain = icmp eq i32 %plain.flags, {layout.PLAIN}
  br i1 %plain, label %dtype, label %no
dtype:
  %found.at = getelementptr i8, ptr %value, i64 {layout.DESCRIPTION}
  %found = load ptr, ptr %found.at
  %known = load ptr, ptr %expected
  %same.dtype = icmp eq ptr %found, %known
  br i1 %same.dtype, label %shape, label %alike
alike:
  %number.at = getelementptr i8, ptr %found, i64 {layout.NUMBER}
  %number = load i32, ptr %number.at
  %expected.number.at = getelementptr i64, ptr %expected, i64 1
  %expected.number = load i32, ptr %expected.number.at
  %same.number = icmp eq i32 %number, %expected.number
  %order.at = getelementptr i8, ptr %found, i64 {layout.BYTE_ORDER}
  %order = load i8, ptr %order.at
  %native = icmp eq i8 %order, {ord("=")}
  %one.byte = icmp eq i8 %order, {ord("|")}
  %in.order = or i1 %native, %one.byte
  %alike.dtype = and i1 %same.number, %in.order
  br i1 %alike.dtype, label %shape, label %no
shape:
  %extents.at = getelementptr i8, ptr %value, i64 {layout.EXTENTS}
  %extents = load ptr, ptr %extents.at
  %expected.extents = getelementptr i64, ptr %expected, i64 {len(SPECIFICATION)}
  br label %next
next:
  %k = phi i64 [ 0, %shape ], [ %k.1, %axis ]
  %done = icmp eq i64 %k, %rank
  br i1 %done, label %yes, label %axis
axis:
  %extent.at = getelementptr i64, ptr %extents, i64 %k
  %extent = load i64, ptr %extent.at
  %expected.at = getelementptr i64, ptr %expected.extents, i64 %k
  %expected.extent = load i64, ptr %expected.at
  %k.1 = add i64 %k, 1
  %same.extent = icmp eq i64 %extent, %expected.extent
  br i1 %same.extent, label %next, label %no
yes:
  %data.at = getelementptr i8, ptr %value, i64 {layout.DATA}
  %data = load ptr, ptr %data.at
  store ptr %data, ptr %place
  ret i1 true
no:
  ret i1 false
}}
"""
"""Whether an array is of a dtype and shape and plain in memory; its data's address goes to
`place`. NumPy keeps the flags in step with the strides. The dtype may be another object for the
same, as unpickled arrays have."""

SAME = f"""
define internal i1 @same(ptr %value, ptr %known, ptr %compare) {{
  %identical = icmp eq ptr %value, %known
  br i1 %identical, label %yes, label %other
other:
  %type.at = getelementptr i8, ptr %value, i64 {layout.TYPE}
  %type = load ptr, ptr %type.at
  %known.at = getelementptr i8, ptr %known, i64 {layout.TYPE}
  %known.type = load ptr, ptr %known.at
  %same.type = icmp eq ptr %type, %known.type
  br i1 %same.type, label %equal, label %no
equal:
  %answer = call i32 %compare(ptr %value, ptr %known, i32 2)
  %same = icmp eq i32 %answer, 1
  ret i1 %same
yes:
  ret i1 true
no:
  ret i1 false
}}
"""
"""Whether an object is a known string or int, or equal to it: PyObject_RichCompareBool, with Py_EQ,
runs no Python for these types."""

EACH = """
define internal void @each(ptr %first, i64 %count, ptr %function) noinline {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.1, %one ]
  %done = icmp eq i64 %k, %count
  br i1 %done, label %out, label %one
one:
  %at = getelementptr ptr, ptr %first, i64 %k
  %value = load ptr, ptr %at
  call void %function(ptr %value)
  %k.1 = add i64 %k, 1
  br label %next
out:
  ret void
}
"""
"""Py_IncRef or Py_DecRef of pointers in a row, null or not. Never inlined: that the rows have an
address keeps LLVM from following each pointer to each way out, which takes quadratic time."""
