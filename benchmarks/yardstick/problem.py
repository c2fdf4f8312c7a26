"""A row of the table: a NumPy function, its data, and the ways to write it otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from yardstick.floor import Floor, FloorLibrary

Arguments = tuple[Any, ...]
Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """`function(namespace)` is the function as a user of that namespace writes it.

    `derivative` is value_and_grad, hvp, hessian, or jacobians: then the function is one of one
    instance, and it and its Jacobian are mapped over the first axes of the arguments.

    Of `arguments`, hvp takes the point and the direction first; the function itself has no
    direction. `by_hand` gives what the derivative gives, written with NumPy.
    """

    name: str
    arguments: Callable[[], Arguments]
    small: Callable[[], Arguments]
    function: Callable[[Any], Function]
    argnums: int | tuple[int, ...] = 0
    derivative: str = "value_and_grad"
    by_hand: Function | None = None
    floor: Callable[[FloorLibrary, Arguments], Floor] | None = None
    # Peers whose best formulation is another one: their namespace to the function.
    otherwise: Mapping[str, Callable[[Any], Function]] = field(default_factory=dict)
    # Peers left out, with the reason.
    without: Mapping[str, str] = field(default_factory=dict)
    # Work to measure beside the contenders, of which no result is compared.
    beside: Callable[[Arguments], Mapping[str, Callable[[], Any]]] | None = None
    casadi: Callable[[Arguments], tuple[Callable[[], Any], Callable[[], Any]]] | None = None
    tolerance: float = 1e-12

    def of_function(self, arguments: Arguments) -> Arguments:
        """The arguments of the function itself."""
        return arguments[:1] + arguments[2:] if self.derivative == "hvp" else arguments


def leaves(result: Any) -> list[np.ndarray]:
    """The arrays of nested tuples and lists, whichever library they are of."""
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in leaves(part)]
    if hasattr(result, "detach"):
        result = result.detach().numpy()
    return [np.asarray(result)]


def disagreement(found: Any, expected: Any) -> float:
    """The largest error of an array, relative to the largest element of what is expected."""
    worst = 0.0
    pairs = zip(leaves(found), leaves(expected), strict=True)
    for a, b in pairs:
        if a.size != b.size:
            return float("inf")
        a, b = a.reshape(-1).astype(float), b.reshape(-1).astype(float)
        error = float(np.max(np.abs(a - b), initial=0.0)) / max(float(np.max(np.abs(b))), 1e-300)
        worst = max(worst, error) if error == error else float("inf")
    return worst
