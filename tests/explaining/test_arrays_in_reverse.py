"""The chain rule of operations on whole arrays, written out in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.explaining.chain_rule import of_adjoint, of_tangent
from wengert.explaining.report import explain


def _adjoints(f: Any, *args: Any) -> dict[str, str]:
    steps = explain(f, *args).steps
    return {step.name: of_adjoint(steps, step)[1].text for step in steps}


class TestReverseOfArrays:
    """The transpose of each map, written out as the map is in forward mode."""

    def test_products_of_matrices(self) -> None:
        found = _adjoints(lambda A, B: np.sum(A @ B), np.ones((2, 3)), np.ones((3, 4)))
        assert found == {"A": "v̄₁ Bᵀ", "B": "Aᵀ v̄₁", "v₁": "v̄₂·1", "v₂": "1"}
        found = _adjoints(lambda A, x: np.sum(A @ x), np.ones((2, 3)), np.ones(3))
        assert (found["A"], found["x"]) == ("v̄₁ xᵀ", "Aᵀ v̄₁")
        found = _adjoints(lambda x, A: np.sum(x @ A), np.ones(2), np.ones((2, 3)))
        assert (found["A"], found["x"]) == ("x v̄₁ᵀ", "v̄₁ᵀ Aᵀ")
        found = _adjoints(lambda x, y: x @ y, np.ones(2), np.ones(2))
        assert found["x"] in ("v̄₁·y", "y·v̄₁", "v̄₁ · y", "y · v̄₁")

    def test_sums_and_shapes(self) -> None:
        def f(b: Any, x: Any) -> Any:
            return np.sum(np.sum(x + b, axis=0) * x.reshape(-1)[:2])

        found = _adjoints(f, np.ones(2), np.ones((3, 2)))
        values = list(found.values())
        assert "Σ(v̄₁, axis 0)" in values  # of b, which is spread over the rows
        assert any("reshape(v̄" in text and "3×2)" in text for text in values)
        assert any("embed(v̄" in text and "[:2])" in text for text in values)
        assert any(text.startswith("broadcast_to(v̄") for text in values)

    def test_where_no_formula_is_short_the_transpose_is_a_sign(self) -> None:
        found = _adjoints(lambda x: np.linalg.det(x) * np.max(x), np.eye(3))
        assert "(∂v₂/∂x)ᵀ v̄₂" in found["x"] or "(∂v₁/∂x)ᵀ v̄₁" in found["x"]

    def test_the_maps_are_those_that_the_numbers_come_from(self) -> None:
        A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
        steps = explain(lambda A, B: np.sum(np.sin(A @ B)), A, B).steps
        product = steps["v1"]
        for partial, expected in zip(
            product.partials, (product.adjoint @ B.T, A.T @ product.adjoint), strict=True
        ):
            np.testing.assert_allclose(steps[partial.arg].adjoint, expected, rtol=1e-14)
        assert [partial.pullback for partial in product.partials] == ["h ↦ h Bᵀ", "h ↦ Aᵀ h"]


def test_the_derivative_of_a_column_has_its_formula() -> None:
    """A step of one column is reshaped by the simplifier: that is no part of the derivative."""
    steps = explain(lambda x: np.sum(np.log(x.reshape(-1, 1))), np.array([1.0, 2.0])).steps
    (partial,) = steps["v2"].partials
    assert partial.formula == "1/v₁"
    assert of_tangent(steps, steps["v2"])[1].text == "v̇₁/v₁"


def test_operations_tell_their_axes_and_shapes() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.max(x, axis=1)) + np.sum(np.broadcast_to(np.sum(x, axis=0), (4, 3)))

    formulas = {step.formula for step in explain(f, np.ones((2, 3))).steps}
    assert {"max(x, axis 1)", "Σ(x, axis 0)"} <= formulas
    assert any(text and text.startswith("broadcast_to(") and "4×3)" in text for text in formulas)
