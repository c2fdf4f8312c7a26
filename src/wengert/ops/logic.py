"""Comparisons and logic: boolean results, with derivative zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.graph.literals import full, is_zero, literal
from wengert.graph.node import Node
from wengert.graph.op import ZERO, Op
from wengert.ops.domain import Box
from wengert.ops.families import (
    elementwise,
)
from wengert.ops.native import Pointwise


def _compared(name: str) -> Pointwise:
    """NumPy has loops that compare signed with unsigned integers."""

    def rule(ins: Any, out: Any, a: Any, b: Any) -> Any:
        x, y = ins
        if x.dtype != y.dtype:
            return x.compare_mixed(name, y, a, b)
        return getattr(x, name)(a, b)

    return Pointwise(rule)


def _comparison(ufunc: np.ufunc, label: str) -> Op:
    return elementwise(
        ufunc,
        ZERO,
        ZERO,
        label=label,
        domain=Box(((-3, 3), (-3, 3)), kinds="biufc"),
        native=_compared(ufunc.__name__),
    )


greater: Op = _comparison(np.greater, "{0} > {1}")
greater_equal: Op = _comparison(np.greater_equal, "{0} ≥ {1}")
less: Op = _comparison(np.less, "{0} < {1}")
less_equal: Op = _comparison(np.less_equal, "{0} ≤ {1}")
equal: Op = _comparison(np.equal, "{0} = {1}")
not_equal: Op = _comparison(np.not_equal, "{0} ≠ {1}")


def _is_true(node: Node) -> bool:
    return node.op is full and bool(literal(node))


def _simplify_and(a: Node, b: Node) -> Node | None:
    if a.dtype.kind != "b" or b.dtype.kind != "b":
        return None
    if a is b or _is_true(b) or is_zero(a):
        return a
    return b if _is_true(a) or is_zero(b) else None


def _simplify_or(a: Node, b: Node) -> Node | None:
    if a.dtype.kind != "b" or b.dtype.kind != "b":
        return None
    if a is b or _is_true(a) or is_zero(b):
        return a
    return b if _is_true(b) or is_zero(a) else None


LOGIC = Box(((-3, 3), (-3, 3)), kinds="biufc")
logical_and: Op = elementwise(
    np.logical_and, ZERO, ZERO, label="{0} ∧ {1}", domain=LOGIC, simplify=_simplify_and
)
logical_or: Op = elementwise(
    np.logical_or, ZERO, ZERO, label="{0} ∨ {1}", domain=LOGIC, simplify=_simplify_or
)
logical_xor: Op = elementwise(np.logical_xor, ZERO, ZERO, label="{0} ⊻ {1}", domain=LOGIC)
logical_not: Op = elementwise(
    np.logical_not,
    ZERO,
    label="¬{0}",
    domain=Box(((-3, 3),), kinds="biufc"),
    simplify=lambda x: x.args[0] if x.op is logical_not and x.args[0].dtype.kind == "b" else None,
)
