"""Python's operators on tracers, and the fast paths of ufuncs.

The fast path is one look-up: the tables of nodes are keyed by the inputs as they come, so that
`x * y` of known nodes costs about 0.3 µs. Only a miss goes through promotion, broadcasting and
captures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node, make_new
from wengert.graph.registry import FUNCTIONS, interned
from wengert.tracing.forcing import check_open
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import FAST, Tracer
from wengert.tracing.views import write

_new_tracer = object.__new__


def _binary(name: str, swapped: bool = False) -> Callable[[Tracer, Any], Any]:
    """A binary operator: a look-up where the node is known, else it is made.

    Nodes are known under their inputs as they came where these determine it: two nodes, or a node
    and a literal Python number. A new node of two nodes that need no broadcast nor conversion
    (`ready`) is made at once.
    """
    memory = interned(name)
    get, ready = memory.table.get, memory.ready.get

    def operator(self: Tracer, other: Any) -> Any:
        session = self.session
        if not session.alive:
            check_open(session, self.node)
        if type(other) is Tracer and other.session is session:
            a, b = key = (self.node, other.node)
            ref = get(key)
            if ref is None or (node := ref()) is None:
                result_type = ready((a.type, b.type))
                if result_type is None or a.op is full or b.op is full:
                    node = of_nodes(a, b)
                else:
                    node = make_new(memory.op, key, None, result_type, key)
        elif type(other) is float or type(other) is int:
            number = (other, type(other), self.node) if swapped else (self.node, other, type(other))
            ref = get(number)
            if ref is None or (node := ref()) is None:
                node = with_number(self, other, number)
        elif _is_operand(other):
            node = with_anything(self, other)
        else:
            return NotImplemented
        result = _new_tracer(Tracer)
        result.node = node
        result.session = session
        result.link = None
        return result

    def of_nodes(a: Node, b: Node) -> Node:
        result = memory.op(a, b)
        if result.args != (a, b):
            memory.remember((a, b), result)
        return result

    def with_number(self: Tracer, other: float, key: Any) -> Node:
        literal = lift(other, self.session)
        a, b = (literal, self.node) if swapped else (self.node, literal)
        result = memory.op(a, b)
        if literal.op is full and other == other and (other or type(other) is int):
            memory.remember(key, result)  # not under -0.0, which equals 0.0, nor under NaN
        return result

    def with_anything(self: Tracer, other: Any) -> Node:
        lifted = lift(other, self.session)
        a, b = (lifted, self.node) if swapped else (self.node, lifted)
        ref = get((a, b))
        node = None if ref is None else ref()
        return of_nodes(a, b) if node is None else node

    operator.__name__ = name
    return operator


def _is_operand(x: Any) -> bool:
    return isinstance(x, Tracer | np.ndarray | np.generic | int | float | complex | list | tuple)


def _unary(name: str) -> Callable[[Any], Any]:
    """A unary op on a tracer."""
    memory = interned(name)
    get = memory.table.get

    def operator(self: Tracer) -> Any:
        x, session = self.node, self.session
        if not session.alive:
            check_open(session, x)
        ref = get((x,))
        if ref is None or (node := ref()) is None:
            node = memory.op(x)
        result = _new_tracer(Tracer)
        result.node = node
        result.session = session
        result.link = None
        return result

    operator.__name__ = name
    return operator


def _binary_ufunc(name: str) -> Callable[[Any, Any], Any]:
    forward, backward = _binary(name), _binary(name, swapped=True)

    def call(a: Any, b: Any) -> Any:
        if type(a) is Tracer:
            result = forward(a, b)
        else:
            result = backward(b, a)
        if result is NotImplemented:
            lift(b if type(a) is Tracer else a, Session())
        return result

    return call


def _in_place(name: str) -> Callable[[Tracer, Any], Any]:
    operator = _binary(name)

    def update(self: Tracer, other: Any) -> Any:
        if not self.node.type.shape and self.link is None:
            return NotImplemented  # a NumPy scalar is immutable: Python rebinds the name
        result = operator(self, other)
        if result is NotImplemented:
            return result
        write(self, result.node)
        return self

    return update


_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
}
for _dunder, _name in _OPERATORS.items():
    setattr(Tracer, f"__{_dunder}__", _binary(_name))
    setattr(Tracer, f"__r{_dunder}__", _binary(_name, swapped=True))
    setattr(Tracer, f"__i{_dunder}__", _in_place(_name))
for _dunder, _name in {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    setattr(Tracer, f"__{_dunder}__", _binary(_name))
for _dunder, _name in {
    "neg": "negative",
    "pos": "positive",
    "abs": "absolute",
    "invert": "invert",
}.items():
    setattr(Tracer, f"__{_dunder}__", _unary(_name))


def _matmul(self: Tracer, other: Any) -> Any:
    return FUNCTIONS["matmul"](self, other) if _is_matrix(other) else NotImplemented


def _rmatmul(self: Tracer, other: Any) -> Any:
    return FUNCTIONS["matmul"](other, self) if _is_matrix(other) else NotImplemented


def _imatmul(self: Tracer, other: Any) -> Any:
    write(self, _matmul(self, other).node)
    return self


def _is_matrix(x: Any) -> bool:
    return _is_operand(x) or hasattr(x, "matvec") or hasattr(x, "tocsr")


def _divmod(self: Tracer, other: Any) -> Any:
    return self // other, self % other


def _rdivmod(self: Tracer, other: Any) -> Any:
    return other // self, other % self


for _dunder, _function in {
    "matmul": _matmul,
    "rmatmul": _rmatmul,
    "imatmul": _imatmul,
    "divmod": _divmod,
    "rdivmod": _rdivmod,
}.items():
    setattr(Tracer, f"__{_dunder}__", _function)


def bind_fast_path(ufunc: np.ufunc, name: str) -> None:
    """Give a ufunc that is the op `name` its fast path."""
    FAST[ufunc] = _unary(name) if ufunc.nin == 1 else _binary_ufunc(name)
