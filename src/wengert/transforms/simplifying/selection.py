"""Patterns of masks: `select` and the logic of booleans. All are exact."""

from __future__ import annotations

from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.types import BOOL
from wengert.ops.logic import logical_and, logical_not, logical_or
from wengert.ops.selection import select
from wengert.transforms.simplifying.arithmetic import in_order
from wengert.transforms.simplifying.forms import Rules


def _constant_mask(node: Node) -> Node | None:
    """where(true, a, b) = a, where(false, a, b) = b."""
    mask, a, b = node.args
    return (a if literal(mask) else b) if mask.op is full else None


def _same_branches(node: Node) -> Node | None:
    """where(m, a, a) = a."""
    _, a, b = node.args
    return a if a is b else None


def _negated_mask(node: Node) -> Node | None:
    """where(¬m, a, b) = where(m, b, a)."""
    mask, a, b = node.args
    return select(mask.args[0], b, a) if _is_not(mask) else None


def _same_mask_within(node: Node) -> Node | None:
    """where(m, where(m, a, b), c) = where(m, a, c), and so in the other branch."""
    mask, a, b = node.args
    if a.op is select and a.args[0] is mask:
        return select(mask, a.args[1], b)
    if b.op is select and b.args[0] is mask:
        return select(mask, a, b.args[2])
    return None


def _boolean_branches(node: Node) -> Node | None:
    """where(m, true, false) = m."""
    mask, a, b = node.args
    if node.dtype == BOOL and a.op is full and b.op is full:
        return mask if literal(a) else logical_not(mask)
    return None


def _is_not(node: Node) -> bool:
    return node.op is logical_not and node.args[0].dtype == BOOL


def _complement(node: Node) -> Node | None:
    """m ∧ ¬m is false, m ∨ ¬m is true."""
    a, b = node.args
    if (_is_not(a) and a.args[0] is b) or (_is_not(b) and b.args[0] is a):
        return full(node.op is logical_or, BOOL, node.shape)
    return None


def _absorbed(node: Node) -> Node | None:
    """m ∧ (m ∨ n) = m and m ∨ (m ∧ n) = m; m ∧ (m ∧ n) = m ∧ n and m ∨ (m ∨ n) = m ∨ n."""
    for a, b in (node.args, node.args[::-1]):
        if a.dtype == BOOL and b.op in (logical_and, logical_or) and a in b.args:
            return b if b.op is node.op else a
    return None


RULES: Rules = {
    "select": [
        _constant_mask,
        _same_branches,
        _negated_mask,
        _same_mask_within,
        _boolean_branches,
    ],
    "logical_and": [_complement, _absorbed, in_order],
    "logical_or": [_complement, _absorbed, in_order],
    "logical_xor": [in_order],
}
