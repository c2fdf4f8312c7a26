"""The identities of matrix calculus come out, as text and as numbers."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from catalogue import CATALOGUE, Identity

import wengert as wg
from wengert.explaining.closed.form import derived


@pytest.mark.parametrize("identity", CATALOGUE, ids=lambda one: one.name)
def test_identity(identity: Identity) -> None:
    form = wg.closed_form(identity.f, *identity.examples, assume=identity.assume)
    assert form.verification.passed
    assert not form.verification.steps
    assert form.steps
    assert _pieces(form.gradient.text) == _pieces(identity.gradient)
    assert _pieces(form.hessian.text) == _pieces(identity.hessian)
    if identity.second:
        assert _pieces(form.second.text) == _pieces(identity.second)
    _source_runs(form, identity)


def _pieces(text: str) -> Counter[str]:
    """The characters of a formula: what is left when the order of terms does not count."""
    return Counter(text.replace(" ", ""))


def _source_runs(form: Any, identity: Identity) -> None:
    args = identity.examples
    V = [np.random.default_rng(3).normal(size=args[0].shape)] if identity.matrix else []
    np.testing.assert_allclose(
        form.gradient_function(*args), identity.gradient_value(*args), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        form.hessian_function(*args, *V),
        identity.hessian_value(*V, *args),
        rtol=1e-11,
        atol=1e-13,
    )


@pytest.mark.long
def test_derivations_take_milliseconds() -> None:
    """Under 5 ms in the median, the check by automatic differentiation apart."""

    def seconds(identity: Identity) -> float:
        start = time.process_time()
        derived(identity.f, identity.examples, None, identity.assume, verify=False)
        return time.process_time() - start

    shortest = [min(seconds(identity) for _ in range(5)) for identity in CATALOGUE]
    assert np.median(shortest) < 5e-3
