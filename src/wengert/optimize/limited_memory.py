"""`lbfgs`: steps of the limited-memory quasi-Newton method for structures of parameters.

The direction −H g is made of the last m steps s and changes of the gradient y by two loops
(Nocedal 1980; Nocedal & Wright 2006, algorithm 7.4), with H₀ = sᵀy / yᵀy of the last pair. The
step length is found by halving an interval until the two conditions of Wolfe hold (Lewis & Overton
2013, *Nonsmooth optimization via quasi-Newton methods*, algorithm 2.6):

    f(w + t d) ≤ f(w) + c₁ t gᵀd        ∇f(w + t d)ᵀd ≥ c₂ gᵀd
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from wengert.optimize.variables import Vector, structured, vector_of


class Memory(NamedTuple):
    """Where the method stands: the value and the gradient at the parameters, as a vector, and the
    last pairs (s, y), oldest first. evaluations: how often the function has been computed."""

    value: Any
    gradient: Any
    pairs: tuple[tuple[Any, Any], ...]
    evaluations: int


@dataclass(frozen=True, slots=True)
class lbfgs:
    """Steps of L-BFGS with a line search.

    It is for functions without noise, and runs in Python: `step` calls the function as often as its
    line search needs. `minimize(method="l-bfgs-b")` is SciPy's whole solver.

    Parameters
    ----------
    memory
        How many pairs of steps and changes of the gradient are kept.
    most
        How many points a line search tries at most.
    decrease, curvature
        c₁ and c₂ of the conditions of Wolfe.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert.optimize import lbfgs
    >>> both = wg.jit(wg.value_and_grad(lambda w: np.sum((w["a"] ** 2 - 2) ** 2)))
    >>> method, w = lbfgs(), {"a": np.array([1.0, 3.0])}
    >>> state = method.init(both, w)
    >>> for _ in range(20):
    ...     w, state = method.step(both, w, state)
    >>> np.round(w["a"], 8)
    array([1.41421356, 1.41421356])
    """

    memory: int = 10
    most: int = 30
    decrease: float = 1e-4
    curvature: float = 0.9

    def init(self, value_and_grad: Callable[..., Any], parameters: Any) -> Memory:
        """The state before the first step: one evaluation of the function, w ↦ (f(w), ∇f(w))."""
        value, gradient = value_and_grad(parameters)
        return Memory(value, vector_of(gradient), (), 1)

    def step(
        self, value_and_grad: Callable[..., Any], parameters: Any, state: Memory
    ) -> tuple[Any, Memory]:
        """(the parameters after a step, the state). Where no step goes down, they stay as they are:
        at a minimum, to rounding."""
        described, start = structured(parameters, "lbfgs")
        direction = -inverse_hessian_times(state.gradient, state.pairs)
        if not state.gradient @ direction < 0:
            direction = -state.gradient

        def along(t: float) -> tuple[Vector, Any, Any]:
            point = start + t * direction
            value, gradient = value_and_grad(described.restored(point))
            return point, value, vector_of(gradient)

        first = 1.0 if state.pairs else 1 / max(1.0, float(np.linalg.norm(state.gradient)))
        point, value, gradient, tried = self._searched(along, direction, state, first)
        count = state.evaluations + tried
        if not value < state.value:
            return parameters, state._replace(pairs=(), evaluations=count)
        s, y = point - start, gradient - state.gradient
        pairs = state.pairs
        if s @ y > np.finfo(float).eps * (y @ y):  # so that H stays positive definite
            pairs = (*pairs, (s, y))[-self.memory :]
        return described.restored(point), Memory(value, gradient, pairs, count)

    def _searched(
        self, along: Callable[[float], Any], direction: Vector, state: Memory, t: float
    ) -> tuple[Vector, Any, Any, int]:
        """The point where both conditions hold, or the best one that was tried."""
        slope = state.gradient @ direction
        low, high = 0.0, np.inf
        best: Any = None
        for tried in range(1, self.most + 1):
            point, value, gradient = along(t)
            if np.isfinite(value) and (best is None or value < best[1]):
                best = point, value, gradient
            if not value <= state.value + self.decrease * t * slope:
                high = t
            elif gradient @ direction < self.curvature * slope:
                low = t
            else:
                return point, value, gradient, tried
            t = 2 * low if high == np.inf else (low + high) / 2
        return (*(best or (point, value, gradient)), tried)


def inverse_hessian_times(v: Vector, pairs: tuple[tuple[Any, Any], ...]) -> Any:
    """H v by the two loops; v where there are no pairs."""
    weights = []
    for s, y in reversed(pairs):
        weights.append((s @ v) / (s @ y))
        v = v - weights[-1] * y
    if pairs:
        s, y = pairs[-1]
        v = v * ((s @ y) / (y @ y))
    for (s, y), weight in zip(pairs, reversed(weights), strict=True):
        v = v + (weight - (y @ v) / (s @ y)) * s
    return v
