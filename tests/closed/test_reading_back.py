"""The text of a formula means what was derived: it is read back, and has the same value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from catalogue import CATALOGUE
from reading_back import Fitting, Reader, Unreadable
from test_never_wrong import _case

from wengert.explaining.closed.evaluating import Evaluator
from wengert.explaining.closed.form import derived
from wengert.explaining.closed.markup import Name
from wengert.explaining.closed.naming import named
from wengert.explaining.closed.unicode import text


def _read(formula: Any, values: dict[str, Any], shape: tuple[int, int]) -> Any:
    """The value of what is printed, the short names read first."""
    known = dict(values)
    for name, meaning in reversed(formula.where):
        assert isinstance(name, Name)
        if text(name) in known:  # a constant
            continue
        known[text(name)] = Reader(text(meaning), known).formula()
    value = Reader(formula.text, known).formula()
    if isinstance(value, Fitting):
        value = value.factor * (np.eye(*shape) if value.kind == "identity" else np.ones(shape))
    return np.broadcast_to(value, shape)


def _compared(f: Any, args: Any, assume: Any, label: str) -> int:
    """How many formulas of a function could be read; each has the value of its term."""
    form = derived(f, args, None, assume, verify=False)
    derivation = form.derivation
    problem = derivation.problem
    if problem.intermediates:
        return 0
    arrays = {one.symbol: one.value for one in (*problem.arguments, *problem.constants)}
    if derivation.direction is not None:
        rng = np.random.default_rng(0)
        arrays[derivation.direction] = rng.normal(size=derivation.direction.shape)
    values = {text(named(s)): np.reshape(value, s.shape) for s, value in arrays.items()}
    for symbol, value in arrays.items():
        if symbol.shape[1] == 1 and not symbol.is_scalar:
            elements = np.reshape(value, (-1, 1, 1))
            values |= {
                text(replace(named(symbol), subscript=str(k))): e for k, e in enumerate(elements)
            }
    evaluate = Evaluator(arrays, ())
    count = 0
    for formula in (form.function, form.gradient, form.hessian, form.second):
        if formula is None:
            continue
        with np.errstate(all="ignore"):
            expected = evaluate(formula.term)
            try:
                found = _read(formula, values, formula.term.shape)
            except Unreadable:
                continue
        if np.all(np.isfinite(expected)):
            np.testing.assert_allclose(
                found, expected, rtol=1e-9, atol=1e-9, err_msg=f"{label}: {formula}"
            )
            count += 1
    return count


def test_identities_read_back() -> None:
    counts = [_compared(one.f, one.examples, one.assume, one.name) for one in CATALOGUE]
    assert sum(counts) >= 3 * len(CATALOGUE)


@pytest.mark.parametrize("depth", [2, 3])
def test_random_formulas_read_back(depth: int) -> None:
    cases = [case for seed in range(600, 640) if (case := _case(seed, depth)) is not None]
    counts = [_compared(f, args, None, source) for f, args, source in cases]
    assert sum(counts) > 1.5 * len(cases)
