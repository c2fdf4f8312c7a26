"""The oracles of the catalogue are right: they agree with automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
from catalogue import MATRICES, VECTORS, Identity

import wengert as wg


@pytest.mark.parametrize("identity", VECTORS, ids=lambda one: one.name)
def test_oracles_of_vectors(identity: Identity) -> None:
    f, args = identity.f, identity.examples
    np.testing.assert_allclose(wg.grad(f)(*args), identity.gradient_value(*args), rtol=1e-10)
    np.testing.assert_allclose(
        wg.hessian(f)(*args), identity.hessian_value(*args), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("identity", MATRICES, ids=lambda one: one.name)
def test_oracles_of_matrices(identity: Identity) -> None:
    f, args = identity.f, identity.examples
    V = np.random.default_rng(1).normal(size=args[0].shape)
    np.testing.assert_allclose(wg.grad(f)(*args), identity.gradient_value(*args), rtol=1e-10)
    found = wg.jvp(lambda X: wg.grad(f)(X, *args[1:]), (args[0],), (V,))[1]
    np.testing.assert_allclose(found, identity.hessian_value(V, *args), rtol=1e-10, atol=1e-12)
