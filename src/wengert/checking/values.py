"""Values of nodes as trees: an array, or a tuple of them where an op has several results.

A *mask* of a value says something of each entry: an array of booleans, or a tuple of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from wengert.graph.node import Node
from wengert.graph.walk import topological

Mask: TypeAlias = Any
Rule: TypeAlias = Callable[[Any], Mask]
"""From a value to the mask of what is wrong with it."""


def mapped(function: Callable[..., Any], *trees: Any) -> Any:
    """The function of arrays, of trees of one structure."""
    if isinstance(trees[0], tuple):
        return tuple(mapped(function, *parts) for parts in zip(*trees, strict=True))
    return function(*trees)


def holds(mask: Mask | None) -> bool:
    """Whether a mask is true anywhere."""
    if isinstance(mask, tuple):
        return any(map(holds, mask))
    return mask is not None and bool(np.any(mask))


def both(a: Mask, b: Mask) -> Mask:
    """Where two masks hold."""
    return mapped(np.logical_and, a, b)


def either(a: Mask | None, b: Mask) -> Mask:
    """Where one of two masks holds; None holds nowhere."""
    return b if a is None else mapped(np.logical_or, a, b)


def nowhere(value: Any) -> Mask:
    """The mask of nothing."""
    return mapped(lambda part: np.zeros(np.shape(part), bool), value)


def not_finite(nans: bool, infs: bool) -> Rule:
    """The rule that finds NaN, infinities, or both."""

    def of_array(value: Any) -> Any:
        array = np.asarray(value) if np.ndim(value) else np.asarray([value])[0]
        found = np.zeros(np.shape(value), bool)
        if getattr(array, "dtype", found.dtype).kind in "fc":
            if nans:
                found = found | np.isnan(array)
            if infs:
                found = found | np.isinf(array)
        return found

    return lambda value: mapped(of_array, value)


def computed(outputs: Iterable[Node], known: Mapping[Node, Any]) -> dict[Node, Any]:
    """The values of all nodes below the outputs, from those that are known, one at a time."""
    values = dict(known)
    with np.errstate(all="ignore"):
        for node in topological(outputs, stop=values):
            values[node] = node.op.evaluate(node)(*[values[arg] for arg in node.args])
    return values
