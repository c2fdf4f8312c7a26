"""Which arguments are traced, and which are passed as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.errors import WengertTypeError
from wengert.explaining.report import explained


def repeated(x: Any, n: int = 20) -> Any:
    for _ in range(n):
        x = np.sin(x)
    return np.sum(x)


def chosen(x: Any, kind: str = "sin", twice: bool = False) -> Any:
    y = np.cos(x) if kind == "cos" else np.sin(x)
    return np.sum(2 * y if twice else y)


X = np.array([0.5, 1.0, 2.0])


@pytest.mark.parametrize("give", [lambda f: f(repeated, X, 3), lambda f: f(repeated, X, n=3)])
def test_a_whole_number_that_is_declared_is_one(give: Any) -> None:
    report = give(wg.explain)
    assert report.steps.inputs == ("x",)
    assert sum(step.op == "sin" for step in report.steps) == 3
    np.testing.assert_allclose(report.steps["x"].adjoint, wg.grad(repeated)(X, 3), rtol=1e-14)
    assert "n = 3" in repr(report)
    assert give(wg.cost).gradient is not None


def test_a_whole_number_that_must_be_one_is_held() -> None:
    for f, k in ((lambda x, k: np.sum(x[:k]), 2), (lambda x, k: np.sum(np.sum(x, axis=k)), 0)):
        report = wg.explain(f, X, k)
        assert report.steps.inputs == ("x",)
        assert report.cost.ratio is not None


def test_whole_numbers_stand_for_floats_where_they_can() -> None:
    for report in (
        wg.explain(lambda a, b: b * np.log(a), 2, 3),
        wg.explain(lambda a, b: b * np.log(a), b=3, a=2),
    ):
        assert set(report.steps.inputs) == {"a", "b"}
        assert report.steps["a"].adjoint == 1.5
        assert report.cost.ratio is not None


def test_options_are_passed_as_they_are() -> None:
    expected = -2 * np.sin(X)
    for report in (
        wg.explain(chosen, X, "cos", True),
        wg.explain(chosen, X, twice=True, kind="cos"),
    ):
        assert report.steps.inputs == ("x",)
        np.testing.assert_allclose(report.steps["x"].adjoint, expected, rtol=1e-14)
        assert "kind = 'cos'" in repr(report)
        assert report.steps.source[0].startswith("def chosen")


def test_an_error_of_the_function_is_the_one_that_is_told() -> None:
    def f(x: Any, n: Any) -> Any:
        return np.sum(x[:n]) + undefined  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(NameError, match="undefined"):
        wg.explain(f, X, 2)
    with pytest.raises(WengertTypeError, match="the argument x of explain is a str"):
        wg.explain(chosen, "cos")


def test_what_is_not_chosen_is_held_and_keeps_its_name() -> None:
    report = explained(lambda x, a: np.sum(a * x), (X, X + 1), {}, wrt=(0,))
    assert report.steps.inputs == ("x",)
    assert report.steps["a"].kind == "constant"
    np.testing.assert_array_equal(report.steps["x"].adjoint, X + 1)
