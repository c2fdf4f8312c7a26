"""Small programs under the calling convention, and objects that are entered by either kind of
entry: what the tests of call entries share."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from wengert.compiler.machine import Loaded, object_code
from wengert.compiler.native import Native
from wengert.execution.calling.callable import Entered, vectorcalled
from wengert.execution.calling.entries import Entry, Items, Result, signature
from wengert.execution.calling.layout import machine_entries
from wengert.execution.interpreter import Program
from wengert.graph.types import array_type
from wengert.tracing.trees import flatten, unflatten


class Portable(Entered):
    """Remembers the calls that no entry answers; its entries are those in Python."""

    def __init__(self, function=lambda *args, **kwargs: "slow"):
        super().__init__(function)
        self.calls = []

    def slow(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return self.__wrapped__(*args, **kwargs)


@vectorcalled
class Machine(Portable):
    """The same with entries in machine code."""


KINDS = [
    pytest.param(
        Machine, marks=pytest.mark.skipif(not machine_entries(), reason="no machine code here")
    ),
    Portable,
]


def types_of(*values):
    arrays = [np.asarray(value) for value in values]
    return tuple(array_type(array.shape, array.dtype) for array in arrays)


_PARAMETERS = "ptr %inputs, ptr %outputs, ptr %arena, ptr %table"


def native(body, inputs, outputs, *, arena_bytes=0, long=False, more=""):
    text = f"define i64 @program({_PARAMETERS}) {{\n{body}\n}}\n{more}"
    return Native(tuple(inputs), tuple(outputs), arena_bytes, None, long, Loaded(object_code(text)))


def element(base, k, name):
    return (
        f"%at.{name} = getelementptr ptr, ptr %{base}, i64 {k}\n%{name} = load ptr, ptr %at.{name}"
    )


MEMCPY = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"


def copying(types, pairs=None, *, status="0", **options):
    """Output k is the input that `pairs` gives for it: by default, the same one."""
    pairs = list(range(len(types))) if pairs is None else pairs
    lines = []
    for k, source in enumerate(pairs):
        lines += [element("inputs", source, f"in{k}"), element("outputs", k, f"out{k}")]
        count = types[source].nbytes
        lines.append(
            f"call void @llvm.memcpy.p0.p0.i64(ptr %out{k}, ptr %in{k}, i64 {count}, i1 0)"
        )
    body = "\n".join([*lines, f"ret i64 {status}"])
    return native(body, types, [types[source] for source in pairs], more=MEMCPY, **options)


def squaring(n, **options):
    """(the sum of x², x²) for n doubles x; through the arena where there is one."""
    middle = "%arena" if options.get("arena_bytes") else "%square"
    body = f"""
entry:
  {element("inputs", 0, "x")}
  {element("outputs", 0, "total")}
  {element("outputs", 1, "square")}
  br label %first
first:
  %k = phi i64 [ 0, %entry ], [ %k1, %first ]
  %p = getelementptr double, ptr %x, i64 %k
  %v = load double, ptr %p
  %w = fmul double %v, %v
  %q = getelementptr double, ptr {middle}, i64 %k
  store double %w, ptr %q
  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, {n}
  br i1 %more, label %first, label %between
between:
  br label %second
second:
  %j = phi i64 [ 0, %between ], [ %j1, %second ]
  %s = phi double [ -0.0, %between ], [ %s1, %second ]
  %r = getelementptr double, ptr {middle}, i64 %j
  %y = load double, ptr %r
  %t = getelementptr double, ptr %square, i64 %j
  store double %y, ptr %t
  %s1 = fadd double %s, %y
  %j1 = add i64 %j, 1
  %again = icmp slt i64 %j1, {n}
  br i1 %again, label %second, label %done
done:
  store double %s1, ptr %total
  %low = ptrtoint ptr %arena to i64
  %status = and i64 %low, 63
  ret i64 %status
"""
    x = np.zeros(n)
    return native(body, types_of(x), types_of(x[0], x), **options)


def numbered(args, kwargs=None):
    """The inputs' numbers in the place of the leaves."""
    leaves, spec = flatten((tuple(args), dict(kwargs or {})))
    return unflatten(spec, list(range(len(leaves))))


def leaves_of(args, kwargs=None):
    return flatten((tuple(args), dict(kwargs or {})))[0]


def identity_entry(args, kwargs=None, form=None, **options):
    """An entry that returns the leaves of the arguments in a tuple, or in a form of their own."""
    types = types_of(*leaves_of(args, kwargs))
    if form is None:
        form = Items(tuple, tuple(Result(k) for k in range(len(types))))
    return Entry(
        signature(args, kwargs or {}, numbered(args, kwargs)),
        copying(types, **options),
        (),
        (),
        form,
    )


def squaring_entry(n=3, **options):
    x = np.zeros(n)
    form = Items(tuple, (Result(0), Result(1)))
    return Entry(signature((x,), {}, ([0], {})), squaring(n, **options), (), (), form)


class Hosted:
    """In the place of loaded code: a program that is the interpreter, under the convention."""

    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 4)

    def __init__(self, outputs, inputs):
        self.outputs, self.inputs = outputs, inputs
        self.program = Program(outputs)
        self.callback = self.prototype(self.run)
        self.runs = 0

    def address(self, name):
        return ctypes.cast(self.callback, ctypes.c_void_p).value

    def run(self, inputs, outputs, arena, table):
        self.runs += 1
        try:
            given = {n: _at(inputs, k, n.type).copy() for k, n in enumerate(self.inputs)}
            found = self.program.run({n: v if n.shape else v[()] for n, v in given.items()})
            for k, (node, value) in enumerate(zip(self.outputs, found, strict=True)):
                _at(outputs, k, node.type)[...] = value
        except Exception:
            return 1
        return 0


def _at(addresses, k, type):
    """The array that lies at the k-th address."""
    address = ctypes.c_void_p.from_address(addresses + 8 * k).value
    memory = (ctypes.c_char * type.nbytes).from_address(address)
    return np.frombuffer(memory, type.dtype, type.size).reshape(type.shape)


def hosted(outputs, inputs):
    """What the compiler would make of a graph."""
    types = [tuple(node.type for node in nodes) for nodes in (inputs, outputs)]
    return Native(*types, 0, None, False, Hosted(outputs, inputs))
