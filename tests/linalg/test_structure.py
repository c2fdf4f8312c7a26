"""What is claimed of a matrix holds for its values: for random programs of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as wg
from support import interpreted
from wengert.ops.linalg.structure import Kind, factors, kind, triangle_mask
from wengert.tracing.tracer import Tracer

N = 3


def definite(a: Any) -> Any:
    return a @ a.conj().T + np.eye(N)


ONE: tuple[Callable[[Any], Any], ...] = (
    lambda a: a.T,
    lambda a: a.conj(),
    lambda a: -a,
    lambda a: 2.5 * a,
    lambda a: a / -4.0,
    np.tril,
    np.triu,
    lambda a: np.tril(a, -1),
    lambda a: np.triu(a, 1),
    lambda a: np.tril(a, 1),
    lambda a: np.diag(np.diag(a)),
    lambda a: np.diag(np.diag(a, 1), 1),
    lambda a: a + a.conj().T,
    lambda a: a + a.T,
    lambda a: a - a.conj().T,
    lambda a: a @ a.conj().T,
    lambda a: a.T @ a.conj(),
    lambda a: a @ a.T,
    lambda a: np.einsum("ij,kj->ik", a, a.conj()),
    lambda a: np.linalg.cholesky(definite(a)),
    lambda a: np.linalg.cholesky(definite(a), upper=True),
    lambda a: np.linalg.inv(definite(np.tril(a))),
    lambda a: np.linalg.inv(np.tril(a, -1) + np.diag(1.0 + abs(np.diag(a)))),
    np.sin,
)
TWO: tuple[Callable[[Any, Any], Any], ...] = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a @ b,
    lambda a, b: a * b,
    lambda a, b: np.where(a.real > 0, a, b),
    lambda a, b: np.linalg.solve(np.tril(a, -1) + np.diag(2 + abs(np.diag(a))), b),
)
Step = tuple[int, int, int]


def run(program: list[Step], x: Any) -> list[Any]:
    """All matrices that a program makes."""
    made = [x, x[::-1]]
    for which, i, j in program:
        a, b = made[i % len(made)], made[j % len(made)]
        choice = which % (len(ONE) + len(TWO))
        made.append(ONE[choice](a) if choice < len(ONE) else TWO[choice - len(ONE)](a, b))
        made[-1] = made[-1] / (1.0 + abs(made[-1]).max()) if choice % 5 == 4 else made[-1]
    return made


def check_claims(node: Any, value: Any) -> Kind:
    """Every claim holds for the value."""
    known = kind(node)
    size = 1e-12 * (1 + np.abs(value).max())
    if Kind.LOWER in known:
        assert not np.triu(value, 1).any()
    if Kind.UPPER in known:
        assert not np.tril(value, -1).any()
    if Kind.UNIT in known:
        np.testing.assert_array_equal(np.diag(value), 1)
    if Kind.HERMITIAN in known:
        np.testing.assert_allclose(value, value.conj().T, atol=size)
    if Kind.DEFINITE in known:
        assert Kind.HERMITIAN in known
        assert np.linalg.eigvalsh(value).min() >= -size
    return known


steps = st.tuples(st.integers(0, 100), st.integers(0, 9), st.integers(0, 9))


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(program=st.lists(steps, min_size=1, max_size=6), seed=st.integers(0, 9), real=st.booleans())
def test_claims_hold(program: list[Step], seed: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, N)) + (0 if real else 1j * rng.standard_normal((N, N)))
    tracers: list[Any] = []

    def f(x: Any) -> Any:
        tracers[:] = [m for m in run(program, x) if type(m) is Tracer]
        return tuple(tracers)

    try:
        with interpreted():
            values, _ = wg.vjp(f, x)
    except np.linalg.LinAlgError:
        return
    nodes = [t.node for t in tracers]
    for node, value in zip(nodes, values, strict=True):
        if np.isfinite(value).all():
            check_claims(node, value)
            pair = factors(node)
            assert pair is None or all(p.shape == node.shape for p in pair)


EXPECTED: dict[str, tuple[Callable[[Any], Any], Kind]] = {
    "an argument": (lambda a: a, Kind.ANY),
    "cholesky": (lambda a: np.linalg.cholesky(definite(a)), Kind.LOWER),
    "its adjoint": (lambda a: np.linalg.cholesky(definite(a)).conj().T, Kind.UPPER),
    "upper": (lambda a: np.linalg.cholesky(definite(a), upper=True), Kind.UPPER),
    "tril": (np.tril, Kind.LOWER),
    "a scaled triangle": (lambda a: -np.triu(a) / 2.0, Kind.UPPER),
    "a product of triangles": (lambda a: np.tril(a) @ np.tril(a + 1), Kind.LOWER),
    "diag": (lambda a: np.diag(np.diag(a)), Kind.LOWER | Kind.UPPER),
    "inverse of a triangle": (lambda a: np.linalg.inv(np.tril(a)), Kind.LOWER),
    "A + Aᵀ": (lambda a: a + a.T, Kind.HERMITIAN),
    "A Aᵀ": (lambda a: a @ a.T, Kind.HERMITIAN | Kind.DEFINITE),
    "both triangles": (lambda a: np.tril(np.triu(a)), Kind.LOWER | Kind.UPPER),
    "above the diagonal": (lambda a: np.tril(a, 1), Kind.ANY),
    "elementwise": (lambda a: np.cos(np.tril(a)), Kind.ANY),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_known(name: str) -> None:
    f, expected = EXPECTED[name]
    found: list[Kind] = []

    def traced(a: Any) -> Any:
        found.append(kind(f(a).node))
        return np.sum(f(a))

    wg.grad(traced)(np.arange(9.0).reshape(3, 3) + 5 * np.eye(3))
    assert found[0] == expected


def test_claims_end_at_arguments() -> None:
    """The derivative by a triangle as an argument is that of any matrix."""
    lower = np.array([[2.0, 0.0], [1.0, 3.0]])

    def outer(a: Any) -> Any:
        return np.sum(wg.grad(lambda t: np.sum(np.linalg.inv(t)))(np.tril(a)))

    gradient = wg.grad(lambda t: np.sum(np.linalg.inv(t)))(lower)
    assert gradient[0, 1] != 0
    assert outer(lower) == pytest.approx(gradient.sum())
    assert wg.jit(outer)(lower) == pytest.approx(gradient.sum())
    assert wg.grad(outer)(lower).shape == (2, 2)


def test_masks_are_triangles() -> None:
    for k in (-2, -1, 0, 1):
        mask = triangle_mask(2, 3, k)
        value = wg.jit(lambda x, k=k: np.tril(x, k))(np.ones((2, 3)))
        np.testing.assert_array_equal(value, np.tri(2, 3, k))
        assert mask.shape == (2, 3)
