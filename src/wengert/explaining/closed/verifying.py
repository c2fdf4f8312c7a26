"""Before a formula is shown it is compared with automatic differentiation, at random points.

Both what is printed, as terms, and the NumPy source are evaluated. Arrays that the function reads
from outside are moved with its arguments: 2Sx is wrong for xᵀSx though S should happen to be
symmetric. Agreement means that the largest
difference is below 1e-8 of the largest element (1e-4 where the function computes in single
precision), beside a rounding of the function's own value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from wengert.derivatives.gradients import value_and_grad
from wengert.derivatives.jacobians import hessian
from wengert.errors import WengertError
from wengert.explaining.closed.calling import Call
from wengert.explaining.closed.evaluating import Evaluator
from wengert.explaining.closed.lines import line_values
from wengert.explaining.closed.points import NEAR, SPREAD, drawn
from wengert.explaining.closed.problem import Derivation, Named
from wengert.explaining.closed.terms import Symbol, Term

POINTS = 3
_DRAWS = 15
_TOLERANCES = {"f": 1e-4, "d": 1e-8}
_ROUNDING = 1e-13
_LAST_DIGITS, _ROUGH = 1e-10, 100.0
_FLAT = 1e-4
"""Derivatives below this part of the function are compared with it: differences are no better."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How formulas compare with automatic differentiation.

    points: at how many points they agree; error: the largest difference, relative.
    reason: why formulas are not shown, "" where all agree; steps: why the derivation is not.
    """

    points: int
    error: float
    reason: str = ""
    steps: str = ""

    @property
    def passed(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Point:
    """Where formulas are compared, and what automatic differentiation gives there.

    call: the function; outside: the values of what it reads from outside.
    """

    call: Call
    leaves: list[Any]
    outside: dict[Symbol, Any]
    value: Any
    gradient: Any
    direction: Any
    second: Any


@dataclass(frozen=True, slots=True)
class _Difference:
    """A difference that is not allowed. size: as a part of the largest element."""

    size: float
    says: str


def verified(
    call: Call,
    derivation: Derivation,
    functions: dict[str, Callable[..., Any]],
    arrays: Mapping[str, Named],
) -> Verification:
    """Compare formulas and source with automatic differentiation.

    functions: "function", "gradient" and "hessian" of the source, bound to what is outside of f;
        it has the names in `arrays`.
    """
    error, count, steps = 0.0, 0, ""
    for point in _points(call):
        try:
            given = {name: point.outside[named.symbol] for name, named in arrays.items()}
            there = {name: partial(function, **given) for name, function in functions.items()}
            found = _at_point(point, call, derivation, there)
        except (ArithmeticError, LookupError, TypeError, ValueError) as raised:
            return Verification(
                count, np.inf, f"it cannot be evaluated at a random point: {raised}"
            )
        if isinstance(found, _Difference):
            if _is_rough(point, found.size):
                continue
            return Verification(count, error, found.says)
        error = max(error, found)
        steps = steps or _line_that_differs(point, call, derivation)
        count += 1
        if count == POINTS:
            return Verification(count, error, steps=steps)
    return Verification(
        count,
        error,
        f"it could be compared with automatic differentiation at {count} random points near the "
        f"examples, not at {POINTS}: the function or a derivative is not finite at the others, or "
        "the function loses its digits there",
    )


def _at_point(
    point: Point, call: Call, derivation: Derivation, functions: dict[str, Callable[..., Any]]
) -> float | _Difference:
    """The largest difference at a point, or one that is too large."""
    largest = 0.0
    for name, found, expected in _compared(point, call, derivation, functions):
        difference, allowed = _difference(found, expected, point.value)
        if not difference <= allowed:
            return _Difference(
                float(difference),
                f"the {name} that was derived differs from automatic differentiation by "
                f"{difference:.1e} of its largest element at a random point",
            )
        largest = max(largest, difference)
    return largest


def _is_rough(point: Point, difference: float) -> bool:
    """Whether automatic differentiation is not exact enough at a point to tell: where the last
    digits of the arguments move its results by about as much as formulas differ from them.

    log(1 − σ(u)) has 7 digits left at u = 20; what is derived from log(1 + e^u) has all.
    """
    if not np.isfinite(difference):
        return False
    rng = np.random.default_rng(0)
    return any(_roughness(point, rng) * _ROUGH >= difference for _ in range(POINTS))


def _roughness(point: Point, rng: np.random.Generator) -> float:
    """How far results move, as parts of their largest elements, with digits that hardly count."""
    call, leaves = point.call, list(point.leaves)
    for at in call.places:
        if at not in call.held and np.asarray(leaves[at]).dtype.kind == "f":
            leaves[at] = leaves[at] * (1 + _LAST_DIGITS * rng.normal(size=np.shape(leaves[at])))
    with np.errstate(all="ignore"):
        try:
            beside = _differentiated(rng, call, leaves, point.outside, point.direction)
        except (WengertError, ArithmeticError, np.linalg.LinAlgError):
            return 0.0
    pairs = (
        (point.value, beside.value),
        (point.gradient, beside.gradient),
        (point.second, beside.second),
    )
    return max(_difference(*pair, point.value)[0] for pair in pairs)


def _points(call: Call) -> Iterator[Point]:
    """Points at which the function and its derivatives are finite.

    Functions that branch on values are compared near the examples, where they branch alike.
    """
    rng = np.random.default_rng(len(call.leaves))
    near = call.problem.branched
    for k in range(_DRAWS):
        moved = list(call.leaves)
        for at, named in zip(call.places, call.problem.arguments, strict=True):
            if at not in call.held:
                freely = k % POINTS == POINTS - 1 and not near
                spread = NEAR if near else SPREAD
                moved[at] = drawn(rng, moved[at], named.symbol.facts, freely=freely, spread=spread)
        outside = {named.symbol: named.value for named in call.problem.constants}
        there = call
        if k < _DRAWS - 2 * POINTS:
            there = call.with_outside(outside := _moved_outside(rng, call))
        with np.errstate(all="ignore"):
            try:
                point = _differentiated(rng, there, moved, outside)
            except (WengertError, ArithmeticError, np.linalg.LinAlgError):
                continue  # outside of the domain
        if all(np.all(np.isfinite(part)) for part in (point.value, point.gradient, point.second)):
            yield point


def _moved_outside(rng: np.random.Generator, call: Call) -> dict[Symbol, Any]:
    """Values near those of what the function reads from outside by name."""
    spread = NEAR if call.problem.branched else SPREAD
    return {
        named.symbol: drawn(rng, named.value, named.symbol.facts, freely=False, spread=spread)
        if named.is_outside and np.ndim(named.value)
        else named.value
        for named in call.problem.constants
    }


def _differentiated(
    rng: np.random.Generator,
    call: Call,
    leaves: list[Any],
    outside: dict[Symbol, Any],
    direction: Any = None,
) -> Point:
    value, gradient = value_and_grad(call, argnums=call.place)(*leaves)
    if not call.of_matrix:
        second = hessian(call, argnums=call.place)(*leaves)
        return Point(call, leaves, outside, value, gradient, None, second)
    if direction is None:
        direction = rng.normal(size=np.shape(leaves[call.place]))
    return Point(call, leaves, outside, value, gradient, direction, call.along(*leaves, direction))


def _compared(
    point: Point,
    call: Call,
    derivation: Derivation,
    functions: dict[str, Callable[..., Any]],
) -> Iterator[tuple[str, Any, Any]]:
    """(what, the formula's value, the value by automatic differentiation)."""
    problem = derivation.problem
    values = _values(point, call, derivation)
    directed = [] if derivation.direction is None else [point.direction]
    evaluate = Evaluator(values, problem.intermediates)
    second = derivation.hessian if derivation.direction is None else derivation.hessian_map
    with np.errstate(all="ignore"):
        yield "function", evaluate(derivation.function), point.value
        yield "function's source", functions["function"](*point.leaves), point.value
        pairs: list[tuple[str, str, Term | None, Any, list[Any]]] = [
            ("gradient", "gradient", derivation.gradient, point.gradient, []),
            ("Hessian", "hessian", second, point.second, directed),
        ]
        for name, key, term, expected, extra in pairs:
            if term is not None:
                yield name, evaluate(term), expected
                yield f"{name}'s source", functions[key](*point.leaves, *extra), expected
        if derivation.second is not None:
            expected = np.sum(point.second * point.direction)
            yield "second differential", evaluate(derivation.second), expected


def _line_that_differs(point: Point, call: Call, derivation: Derivation) -> str:
    """Which line of the derivation does not agree, "" where all do."""
    if not derivation.lines:
        return ""

    def second(direction: Any) -> Any:
        if derivation.direction is not None:
            return point.second
        size = np.size(point.gradient)
        matrix = np.reshape(point.second, (size, size))
        return np.reshape(matrix @ np.ravel(direction), np.shape(point.gradient))

    values = _values(point, call, derivation)
    largest = max(np.max(np.abs(point.gradient)), np.max(np.abs(point.second)))
    floor = _FLAT * (1 + np.abs(point.value))
    with np.errstate(all="ignore"):
        lines = line_values(derivation, values, point.gradient, second, point.value)
        for k, (left, found, expected, tolerance) in enumerate(lines):
            allowed = tolerance * (floor + largest + abs(expected))
            if not abs(np.ravel(found)[0] - expected) <= allowed:
                return f"line {k + 1} of the derivation, {left} = …, does not agree"
    return ""


def _values(point: Point, call: Call, derivation: Derivation) -> dict[Symbol, Any]:
    """What the symbols are at a point."""
    problem = derivation.problem
    values: dict[Symbol, Any] = {
        named.symbol: point.leaves[at]
        for named, at in zip(problem.arguments, call.places, strict=True)
    }
    values |= point.outside
    if derivation.direction is not None:
        values[derivation.direction] = point.direction
    return values


def _difference(found: Any, expected: Any, value: Any) -> tuple[float, float]:
    """The largest difference as a part of the largest element, and what is allowed."""
    found, expected = np.ravel(found), np.ravel(expected)
    if found.size != expected.size:
        return np.inf, 0.0
    if not found.size:
        return 0.0, 0.0
    tolerance = _TOLERANCES.get(np.asarray(expected).dtype.char, 1e-8)
    largest = max(np.max(np.abs(found)), np.max(np.abs(expected)))
    difference = np.max(np.abs(found - expected))
    rounding = _ROUNDING * (1 + np.abs(value))
    scale = largest + rounding / tolerance
    return float(difference / scale), tolerance
