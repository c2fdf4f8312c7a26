"""Lines of derivations, compared with derivatives at a point.

    "f" lines with f,  "df" lines with ⟨∇f, dx⟩,  "d²f" lines with ⟨dx₁, H dx⟩

for random dx and dx₁ (both V for matrices). A d(·) that is not worked out yet is a difference
quotient of fourth order, so that such lines are held to 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import numpy as np

from wengert.explaining.closed.evaluating import Evaluator
from wengert.explaining.closed.problem import Derivation
from wengert.explaining.closed.terms import Differential, Jacobian, Symbol, Term

_STEP = 1e-3
EXACT, BY_DIFFERENCES = 1e-8, 1e-6


def line_values(
    derivation: Derivation,
    values: Mapping[Symbol, Any],
    gradient: Any,
    second: Callable[[Any], Any],
    value: Any,
) -> Iterator[tuple[str, Any, Any, float]]:
    """(which line, its value, what it should be, the tolerance).

    values: of arguments, constants and the direction V. second: H[·] by automatic differentiation.
    """
    problem = derivation.problem
    variable = problem.variable
    rng = np.random.default_rng(0)
    shape = np.shape(values[variable])
    dx, dx1 = rng.normal(size=(2, *shape))
    if derivation.direction is not None:
        dx1 = dx_of_second = values[derivation.direction]
    else:
        dx_of_second = dx
    expected = {"f": value, "df": np.sum(gradient * dx)}
    if any(line.left == "d²f" for line in derivation.lines):
        expected["d²f"] = np.sum(second(dx1) * dx_of_second)
    moved = _with_differentials(derivation, values, dx, dx1)

    def along(term: Term) -> Any:
        def at(step: float) -> Any:
            there = {**values, variable: values[variable] + step * dx}
            return Evaluator(there, problem.intermediates)(term)

        h = _STEP
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)

    evaluate = Evaluator(moved, problem.intermediates, along)
    for line in derivation.lines:
        tolerance = BY_DIFFERENCES if _holds_differential(line.term) else EXACT
        yield line.left, evaluate(line.term), expected[line.left], tolerance


def _with_differentials(
    derivation: Derivation, values: Mapping[Symbol, Any], dx: Any, dx1: Any
) -> dict[Symbol, Any]:
    """The values with those of the differentials: of the variable, and of what is named."""
    problem = derivation.problem
    variable = problem.variable
    evaluate = Evaluator(values, problem.intermediates)
    moved = dict(values)
    named = {one.symbol.name: one.symbol for one in problem.intermediates}
    for line in derivation.lines:
        for symbol in line.term.free:
            if symbol.role != "differential" or symbol in moved:
                continue
            of = named.get(symbol.name.removeprefix("d"))
            if of is not None:
                jacobian = Jacobian((prod(of.shape), prod(variable.shape)), of, variable)
                moved[symbol] = evaluate(jacobian) @ np.ravel(dx)
            else:
                held = symbol.name.rstrip("_") != f"d{variable.name}".rstrip("_")
                moved[symbol] = dx1 if held else dx
    return moved


def _holds_differential(term: Term) -> bool:
    return isinstance(term, Differential) or any(map(_holds_differential, term.inside()))
