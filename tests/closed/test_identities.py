"""The identities of matrix calculus come out, as text and as numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from catalogue import CATALOGUE, MATRICES, VECTORS, Identity

import wengert as wg


def _form(identity: Identity) -> Any:
    return wg.closed_form(identity.f, *identity.examples, assume=identity.assume)


def _pieces(text: str) -> Counter[str]:
    """The characters of a formula: what is left when the order of terms does not count."""
    return Counter(text.replace(" ", ""))


@pytest.mark.parametrize("identity", CATALOGUE, ids=lambda one: one.name)
def test_formulas_read_as_in_textbooks(identity: Identity) -> None:
    form = _form(identity)
    assert form.verification.passed
    assert _pieces(form.gradient.text) == _pieces(identity.gradient)
    assert _pieces(form.hessian.text) == _pieces(identity.hessian)
    if identity.second:
        assert _pieces(form.second.text) == _pieces(identity.second)


@pytest.mark.parametrize("identity", VECTORS, ids=lambda one: one.name)
def test_source_of_vectors_runs(identity: Identity) -> None:
    form, args = _form(identity), identity.examples
    np.testing.assert_allclose(
        form.gradient_function(*args), identity.gradient_value(*args), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        form.hessian_function(*args), identity.hessian_value(*args), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("identity", MATRICES, ids=lambda one: one.name)
def test_source_of_matrices_runs(identity: Identity) -> None:
    form, args = _form(identity), identity.examples
    V = np.random.default_rng(3).normal(size=args[0].shape)
    np.testing.assert_allclose(
        form.gradient_function(*args), identity.gradient_value(*args), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        form.hessian_function(*args, V), identity.hessian_value(V, *args), rtol=1e-11, atol=1e-13
    )
