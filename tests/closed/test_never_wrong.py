"""Never a wrong formula: random NumPy functions, with the check before printing left out.

Formulas as terms, and the source that is printed, are compared with automatic differentiation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from programs import assumed_program, function_of, program

import wengert as wg
from wengert.explaining.closed.evaluating import Evaluator
from wengert.explaining.closed.form import derived

TOLERANCE = 1e-7
MOST = 1e6


def _case(seed: int, depth: int) -> tuple[Any, list[Any], str] | None:
    """A function, its arguments (the variable first) and its source; None where it is no case."""
    return _usable(*program(seed, depth))


def _usable(
    expression: str, variable: str, arguments: dict[str, Any]
) -> tuple[Any, list[Any], str] | None:
    if variable not in arguments:
        return None
    names = [variable, *(name for name in arguments if name != variable)]
    f, args = function_of(expression, names), [arguments[name] for name in names]
    with np.errstate(all="ignore"):
        value = f(*args)
        usable = np.isfinite(value) and abs(value) < MOST
    return (f, args, f"lambda {', '.join(names)}: {expression}") if usable else None


def _differs(found: Any, expected: Any) -> bool:
    found, expected = np.ravel(found), np.ravel(expected)
    scale = 1 + np.max(np.abs(expected), initial=0)
    return not np.max(np.abs(found - expected), initial=0) <= TOLERANCE * scale


def _wrong(seed: int, depth: int) -> str:
    """What is wrong with the closed form of a random function, "" if nothing is."""
    return _wrong_of(_case(seed, depth), None, seed)


def _wrong_assumed(seed: int, depth: int) -> str:
    """The same, where something is assumed of arrays."""
    *rest, assumed = assumed_program(seed, depth)
    return _wrong_of(_usable(*rest), assumed, seed)


def _wrong_of(
    case: tuple[Any, list[Any], str] | None, assumed: dict[str, str] | None, seed: int
) -> str:
    if case is None:
        return ""
    f, args, source = case
    form = derived(f, args, None, assumed, verify=False)
    derivation = form.derivation
    problem = derivation.problem
    values = {named.symbol: named.value for named in (*problem.arguments, *problem.constants)}
    with np.errstate(all="ignore"):
        gradient = wg.grad(f)(*args)
        V = np.random.default_rng(seed).normal(size=np.shape(args[0]))
        second = wg.jvp(lambda x: wg.grad(f)(x, *args[1:]), (args[0],), (V,))[1]
        if not (np.all(np.isfinite(gradient)) and np.all(np.isfinite(second))):
            return ""
        if derivation.direction is not None:
            values[derivation.direction] = V
        evaluate = Evaluator(values, problem.intermediates)
        checks = [("function", evaluate(derivation.function), f(*args))]
        checks.append(("gradient", evaluate(derivation.gradient), gradient))
        checks.append(("gradient's source", form.gradient_function(*args), gradient))
        if derivation.hessian is not None:
            checks.append(("Hessian", evaluate(derivation.hessian) @ np.ravel(V), second))
            matrix = np.atleast_2d(form.hessian_function(*args))
            checks.append(("Hessian's source", matrix @ np.ravel(V), second))
        if derivation.hessian_map is not None:
            checks.append(("Hessian", evaluate(derivation.hessian_map), second))
            checks.append(("Hessian's source", form.hessian_function(*args, V), second))
        if derivation.second is not None:
            checks.append(("d²f", evaluate(derivation.second), np.sum(second * V)))
    wrong = [name for name, found, expected in checks if _differs(found, expected)]
    return f"seed {seed}: {', '.join(wrong)} of {source}" if wrong else ""


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_random_functions(first: int) -> None:
    wrong = [_wrong(seed, depth=2) for seed in range(first, first + 50)]
    assert not [message for message in wrong if message]


def test_random_functions_of_arrays_with_properties() -> None:
    wrong = [_wrong_assumed(seed, depth=1) for seed in range(60)]
    assert not [message for message in wrong if message]


@pytest.mark.long
@pytest.mark.parametrize("first", range(10_000, 11_000, 250))
def test_many_random_functions_of_arrays_with_properties(first: int) -> None:
    wrong = [_wrong_assumed(seed, depth=1 + seed % 2) for seed in range(first, first + 250)]
    assert not [message for message in wrong if message]


@pytest.mark.long
@pytest.mark.parametrize("first", range(10_000, 13_000, 250))
def test_many_random_functions(first: int) -> None:
    wrong = [_wrong(seed, depth=2 + seed % 2) for seed in range(first, first + 250)]
    assert not [message for message in wrong if message]
