"""How names, formulas and values are written in step tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.node import Node

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MACRON = "\N{COMBINING MACRON}"
_OVERLINE = "\N{COMBINING OVERLINE}"
_SHOWN = 3
_PLACE = re.compile(r"\{\d\}")
"""Where a label mentions an input."""


def subscripted(name: str) -> str:
    """`w1` as w₁: the digits at the end of an identifier as subscripts."""
    base, digits = re.fullmatch(r"(.*?)_?(\d*)", name).groups()  # type: ignore[union-attr]
    return f"{base}{digits.translate(_SUBSCRIPTS)}" if base else name


def barred(name: str) -> str:
    """The name of the adjoint: v̄₁ for v₁, with the bar over the letters that begin the name."""
    letters = re.match(r"[^\W\d_₀-₉]+", name)
    if letters is None:
        return f"adjoint of {name}"
    over = _MACRON if letters.end() == 1 else _OVERLINE
    return "".join(letter + over for letter in letters[0]) + name[letters.end() :]


def formula(node: Node, operands: Sequence[str]) -> str:
    """The operation in terms of the names of its inputs, by the label of its record."""
    label = node.op.label
    if label == "{0}":  # moves or converts, and has no sign of its own in mathematics
        label = f"{node.op.name}({{0}})"
    elif operands and not _PLACE.search(label):
        label += "(" + ", ".join(f"{{{k}}}" for k in range(len(operands))) + ")"
    return label.format(*operands, k=node.params[0] if node.params else None)


def number(value: Any, digits: int = 6) -> str:
    """A scalar to some significant digits, with a true minus sign."""
    if isinstance(value, bool | np.bool_):
        return str(value)
    return format(value, f".{digits}g").replace("-", "−")


def shown(value: Any) -> str:
    """A value in a few characters: a number; the shape and first entries of an array."""
    if value is None:
        return "—"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ")"
    array = np.asarray(value)
    if not array.ndim:
        return number(array[()])
    entries = [number(entry, digits=4) for entry in array.flat[:_SHOWN]]
    if array.size > _SHOWN:
        entries.append("…")
    return f"{'×'.join(map(str, array.shape))} [{', '.join(entries)}]"
