"""Decompositions under NumPy's names: what NumPy gives, traced, compiled and over batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.errors import Unsupported, WengertValueError

SHAPES = [(3, 3), (4, 2), (2, 4), (1, 1), (2, 3, 3), (0, 0), (0, 3), (3, 0), (0, 2, 2)]
SQUARE = [shape for shape in SHAPES if shape[-1] == shape[-2]]


def drawn(shape: tuple[int, ...], dtype: Any = float) -> Any:
    rng = np.random.default_rng(sum(shape) + 7)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def check(f: Callable[[Any], Any], x: Any, exact: bool = True) -> None:
    """The traced function has NumPy's results, their types, and their tuple."""
    with np.errstate(all="ignore"):
        expected = f(x)
        actual = wg.jit(f)(x)
    assert type(actual) is type(expected) or not isinstance(expected, tuple)
    for a, b in zip(leaves(actual), leaves(expected), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        if exact:
            np.testing.assert_array_equal(a, b)
        else:
            eps = np.finfo(np.asarray(b).dtype).eps
            np.testing.assert_allclose(a, b, rtol=64 * eps, atol=64 * eps)


DTYPES = [np.float32, np.float64, np.complex64, np.complex128]
FACTORS: dict[str, Callable[[Any], Any]] = {
    "qr": np.linalg.qr,
    "qr complete": lambda x: np.linalg.qr(x, "complete"),
    "qr r": lambda x: np.linalg.qr(x, mode="r"),
    "svd": np.linalg.svd,
    "svd thin": lambda x: np.linalg.svd(x, full_matrices=False),
    "svd values": lambda x: np.linalg.svd(x, compute_uv=False),
    "svdvals": np.linalg.svdvals,
}
OF_SQUARE: dict[str, Callable[[Any], Any]] = {
    "eigh": np.linalg.eigh,
    "eigh U": lambda x: np.linalg.eigh(x, UPLO="U"),
    "eigvalsh": np.linalg.eigvalsh,
    "eigvalsh u": lambda x: np.linalg.eigvalsh(x, "u"),
}


@pytest.mark.parametrize("name", FACTORS)
def test_factors(name: str) -> None:
    for shape in SHAPES:
        for dtype in DTYPES if shape == (3, 3) else [np.float64]:
            check(FACTORS[name], drawn(shape, dtype))
    check(FACTORS[name], np.arange(6).reshape(3, 2))


@pytest.mark.parametrize("name", OF_SQUARE)
def test_factors_of_square_matrices(name: str) -> None:
    for shape in SQUARE:
        for dtype in DTYPES if shape == (3, 3) else [np.float64]:
            check(OF_SQUARE[name], drawn(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigenvalues_are_complex_always(dtype: Any) -> None:
    wide = np.result_type(dtype, np.complex64)
    for x in (drawn((3, 3), dtype), np.diag([1, 2, 3]).astype(dtype), drawn((2, 2, 2), dtype)):
        values, vectors = np.linalg.eig(x)
        result = wg.jit(np.linalg.eig)(x)
        assert type(result).__name__ == "EigResult"
        found = (*result, wg.jit(np.linalg.eigvals)(x))
        for a, b in zip(found, (values, vectors, values), strict=True):
            assert a.dtype == wide
            np.testing.assert_allclose(a, b, rtol=1e-5 if wide == np.complex64 else 1e-13)
    assert wg.jit(np.linalg.eig)(np.zeros((0, 0))).eigenvalues.shape == (0,)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_svd_of_hermitian_matrices(dtype: Any) -> None:
    x = drawn((2, 3, 3), dtype)
    x = x + np.conj(np.swapaxes(x, -1, -2))
    check(lambda x: np.linalg.svd(x, hermitian=True), x)
    check(lambda x: np.linalg.svd(x, compute_uv=False, hermitian=True), x)


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norms(order: Any) -> None:
    x = drawn((2, 3, 4))
    check(lambda x: np.linalg.norm(x, order, axis=(0, 2)), x, exact=False)
    check(lambda x: np.linalg.norm(x, order, axis=(2, 1), keepdims=True), x, exact=False)
    check(lambda x: np.linalg.norm(x, order), x[0], exact=False)
    if order is not None:
        check(lambda x: np.linalg.matrix_norm(x, ord=order), x, exact=False)
    if order in ("nuc", 2, 1, np.inf):
        check(lambda x: np.linalg.norm(x, order), np.zeros((0, 0)))
        check(lambda x: np.linalg.norm(x, order), np.zeros((0, 3)))


@pytest.mark.parametrize("p", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_cond(p: Any) -> None:
    def f(x: Any) -> Any:
        return np.linalg.cond(x, p)

    check(f, drawn((2, 3, 3)), exact=False)
    check(f, drawn((3, 3), np.complex128), exact=False)
    if p != "nuc":  # at which NumPy raises, as the inverse is not finite
        check(f, np.diag([1.0, 0.0]), exact=False)
    if p in (1, np.inf):
        check(f, np.array([[1.0, np.nan], [0.0, 1.0]]))


def test_cond_of_a_singular_matrix_does_not_warn(recwarn: Any) -> None:
    assert wg.jit(np.linalg.cond)(np.diag([1.0, 0.0])) == np.inf
    assert wg.jit(lambda x: np.linalg.cond(x, 1))(np.diag([1.0, 0.0])) == np.inf
    assert not recwarn.list


def test_pinv() -> None:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 2), (0, 0)):
        check(np.linalg.pinv, drawn(shape))
    x = drawn((3, 3), np.complex128)
    check(lambda x: np.linalg.pinv(x, rcond=0.3), x)
    check(lambda x: np.linalg.pinv(x, rtol=None), x)
    check(lambda x: np.linalg.pinv(x + x.conj().T, hermitian=True), x, exact=False)
    check(lambda x: np.linalg.pinv(x, np.array([1e-3, 0.4])), drawn((2, 3, 3)))
    with pytest.raises(WengertValueError, match="can't be both set"):
        wg.jit(lambda x: np.linalg.pinv(x, 0.1, rtol=0.1))(x)


def test_matrix_rank() -> None:
    for x in (drawn((3, 3)), np.diag([1.0, 0, 2]), drawn((2, 3, 2)), np.ones(3), np.zeros((0, 2))):
        f = wg.jit(np.linalg.matrix_rank)
        np.testing.assert_array_equal(f(x), np.linalg.matrix_rank(x))
    x = np.diag([1.0, 1e-3, 2.0])
    for options in ({"tol": 0.1}, {"rtol": 0.1}, {"hermitian": True}, {"tol": np.array(1.5)}):
        f = wg.jit(lambda x, o=options: np.linalg.matrix_rank(x, **o))
        assert f(x) == np.linalg.matrix_rank(x, **options)
    scaled = wg.grad(lambda x: np.linalg.matrix_rank(x) * np.sum(x))
    np.testing.assert_array_equal(scaled(x), np.full((3, 3), 3.0))


@pytest.mark.parametrize("shape", [(4, 2), (3, 3), (2, 4)])
def test_lstsq(shape: tuple[int, int]) -> None:
    a = drawn(shape)
    for b in (drawn((shape[0],)), drawn((shape[0], 2)), drawn((shape[0], 2), np.complex128)):
        expected = np.linalg.lstsq(a, b)
        actual = wg.jit(lambda a, b: np.linalg.lstsq(a, b))(a, b)
        for found, known in zip(actual, expected, strict=True):
            assert np.shape(found) == np.shape(known)
            np.testing.assert_allclose(found, known, rtol=1e-12, atol=1e-13)
    assert wg.jit(lambda a: np.linalg.lstsq(a, a[:, 0], 0.99)[2])(a) == 1


def test_errors_are_those_of_numpy() -> None:
    x = drawn((3, 2))
    for f in (np.linalg.eigh, np.linalg.eigvalsh, np.linalg.eig, np.linalg.eigvals):
        with pytest.raises(np.linalg.LinAlgError, match="must be square"):
            wg.jit(f)(x)
    for f in (np.linalg.qr, np.linalg.svd, np.linalg.svdvals, np.linalg.pinv):
        with pytest.raises(np.linalg.LinAlgError, match="at least two-dimensional"):
            wg.jit(f)(x[0])
    with pytest.raises(WengertValueError, match="UPLO"):
        wg.jit(lambda x: np.linalg.eigh(x, "X"))(x[:2])
    with pytest.raises(WengertValueError, match="Unrecognized mode"):
        wg.jit(lambda x: np.linalg.qr(x, "some"))(x)
    with pytest.raises(Unsupported, match="raw"):
        wg.jit(lambda x: np.linalg.qr(x, "raw"))(x)
    with pytest.raises(np.linalg.LinAlgError, match="empty arrays"):
        wg.jit(np.linalg.cond)(np.zeros((0, 0)))
    with pytest.raises(np.linalg.LinAlgError, match="Incompatible"):
        wg.jit(lambda x: np.linalg.lstsq(x, x.T))(x)


def test_a_try_sees_what_does_not_converge() -> None:
    def f(x: Any) -> Any:
        try:
            return np.sum(np.linalg.eigvalsh(x))
        except np.linalg.LinAlgError:
            return np.sum(x[0])

    x = np.full((2, 2), np.nan)
    try:
        np.linalg.eigvalsh(x)
    except np.linalg.LinAlgError:
        np.testing.assert_array_equal(wg.grad(f)(x), [[1, 1], [0, 0]])
    else:
        assert np.isnan(wg.jit(f)(x))


PLAIN = {name: getattr(np.linalg, name) for name in ("svdvals", "eigvalsh", "eigvals")}


@pytest.mark.parametrize(
    ("alone", "whole"), [("svdvals", "svd"), ("eigvalsh", "eigh"), ("eigvals", "eig")]
)
def test_one_factorisation_for_values_and_their_derivative(
    alone: str, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tiers call LAPACK once for a value and its gradient."""
    called: list[str] = []
    for name in ("svd", "eigh", "eigvalsh", "eig", "eigvals"):
        bare = getattr(np.linalg, name)

        def counted(*args: Any, name: str = name, bare: Any = bare, **given: Any) -> Any:
            if type(args[0]) is np.ndarray:
                called.append(name)
            return bare(*args, **given)

        monkeypatch.setattr(np.linalg, name, counted)
    f = wg.value_and_grad(lambda x: np.sum(np.abs(PLAIN[alone](x))))
    for _ in range(3):
        called.clear()
        f(drawn((3, 3)))
        assert called == [whole]
