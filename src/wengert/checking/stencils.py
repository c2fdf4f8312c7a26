"""The values of a graph at the points of a difference quotient, and what they say of each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wengert.graph.node import Node

STENCIL = (0.0, 1.0, -1.0, 2.0, -2.0, 4.0, -4.0)
"""Where everything is evaluated, in halves of a step: the last four of them make the quotient of
the step, those of half as much the finer one."""


@dataclass(frozen=True)
class Values:
    """A graph at all points of the stencil."""

    at: Sequence[Mapping[Node, Any]]
    step: float

    @cached_property
    def here(self) -> Mapping[Node, Any]:
        """The values at the point itself."""
        return self.at[0]

    def quotients(self, node: Node) -> tuple[list[Any], list[Any]]:
        """The derivatives of a node's parts along the direction, by half the step and by it."""
        return self._quotient(node, 1, self.step / 2), self._quotient(node, 3, self.step)

    def bends(self, node: Node, bound: float) -> bool:
        """Whether the slope of a node jumps at the point: there v(h) − 2 v(0) + v(−h) shrinks as h
        does, and elsewhere as h²."""
        at = [parts_of(self.at[k][node]) for k in range(5)]
        with np.errstate(all="ignore"):
            for here, a, b, c, d in zip(*at, strict=True):
                fine, coarse = np.abs(a - 2 * here + b), np.abs(c - 2 * here + d)
                if np.any((fine > bound) & (2.5 * fine > coarse) & (coarse > 1.5 * fine)):
                    return True
        return False

    def sides(self, node: Node) -> tuple[list[Any], list[Any]]:
        """The slopes of a node's parts before the point and behind it."""
        at = [parts_of(self.at[k][node]) for k in range(3)]
        with np.errstate(all="ignore"):
            pairs = [
                (2 * (v - below) / self.step, 2 * (above - v) / self.step)
                for v, above, below in zip(*at, strict=True)
            ]
        return [before for before, _ in pairs], [behind for _, behind in pairs]

    def ends(self, node: Node) -> bool:
        """Whether a node is finite at the point, and not at all points around it."""
        here, *around = (
            all(bool(np.all(np.isfinite(part))) for part in parts_of(at[node])) for at in self.at
        )
        return here and not all(around)

    def _quotient(self, node: Node, first: int, h: float) -> list[Any]:
        points = [parts_of(self.at[k][node]) for k in range(first, first + 4)]
        return [(8 * (a - b) - (c - d)) / (12 * h) for a, b, c, d in zip(*points, strict=True)]


def parts_of(value: Any) -> list[Any]:
    """The results of an op, as numbers that can be subtracted."""
    found = []
    for part in value if isinstance(value, tuple) else (value,):
        array = np.asarray(part)
        wide = {"f": np.float64, "c": np.complex128}.get(array.dtype.kind)
        found.append(np.zeros(array.shape) if wide is None else array.astype(wide))
    return found
