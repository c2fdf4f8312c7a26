"""`scipy.linalg` on tracers: second derivatives, batches, compiled calls, dtypes and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg as sl

import wengert as wg
import wengert.scipy.linalg as wsl
from support import check_gradient, same, weighed
from wengert.errors import Unsupported, WengertValueError

rng = np.random.default_rng(3)


def real(*shape: int) -> Any:
    return rng.standard_normal(shape)


def near(x: Any) -> Any:
    return np.eye(x.shape[-1]) + 0.2 * x


def whole(x: Any) -> Any:
    """Twice the Hermitian part."""
    return x + np.conj(np.swapaxes(x, -1, -2))


M, N = real(3, 3), near(real(3, 3))
D = M @ M.T / 4 + np.eye(3)
BAND = real(3, 4) + np.array([[0.0], [5], [0]])

SMOOTH: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "expm": (wsl.expm, (0.5 * M,)),
    "cosm": (wsl.cosm, (0.5 * M,)),
    "tanhm": (wsl.tanhm, (0.3 * M,)),
    "expm_frechet": (wsl.expm_frechet, (0.5 * M, real(3, 3))),
    "logm": (wsl.logm, (N,)),
    "sqrtm": (wsl.sqrtm, (N,)),
    "signm": (wsl.signm, (np.diag([-2.0, 2, 3]) + 0.2 * M,)),
    "fractional_matrix_power": (lambda a: wsl.fractional_matrix_power(a, 0.3), (N,)),
    "solve_sylvester": (wsl.solve_sylvester, (N, near(real(2, 2)), real(3, 2))),
    "solve_lyapunov": (wsl.solve_lyapunov, (N, real(3, 3))),
    "solve_discrete_lyapunov": (wsl.solve_discrete_lyapunov, (0.3 * M, real(3, 3))),
    "solve_continuous_are": (
        lambda a, b, q, r: wsl.solve_continuous_are(a, b, whole(q), whole(r)),
        (0.3 * M, real(3, 2), D, D[:2, :2]),
    ),
    "solve_discrete_are": (
        lambda a, b, q, r: wsl.solve_discrete_are(a, b, whole(q), whole(r)),
        (0.3 * M, real(3, 2), D, D[:2, :2]),
    ),
    "solve_banded": (lambda ab, b: wsl.solve_banded((1, 1), ab, b), (BAND, real(4))),
    "solve_pos": (lambda a, b: wsl.solve(whole(a), b, assume_a="pos"), (D, real(3))),
    "lu": (wsl.lu, (real(4, 3),)),
    "lu_solve": (lambda a, b: wsl.lu_solve(wsl.lu_factor(a), b), (N, real(3))),
    "cho_solve": (lambda a, b: wsl.cho_solve(wsl.cho_factor(whole(a)), b), (D, real(3))),
    "polar": (wsl.polar, (N,)),
    "eigvalsh": (lambda a, b: wsl.eigvalsh(whole(a), whole(b)), (M, D)),
    "pinv": (wsl.pinv, (real(4, 2),)),
    "toeplitz": (lambda c, b: wsl.solve_toeplitz(c, b), (np.array([4.0, 1, 2]), real(3))),
}

by_name = pytest.mark.parametrize("name", SMOOTH)


@by_name
def test_second_order(name: str) -> None:
    """The gradient of a weighed sum of the gradient, by each argument."""
    f, args = SMOOTH[name]
    scalar = weighed(f, args)
    for k in range(len(args)):
        gradient = wg.grad(scalar, argnums=k)
        check_gradient(weighed(gradient, args), args, k, 1e-6)


@by_name
def test_modes_agree(name: str) -> None:
    """Forward over reverse, reverse over forward, and twice forward give one Hessian's product."""
    f, args = SMOOTH[name]
    scalar = weighed(f, args)

    def of_first(x: Any) -> Any:
        return scalar(x, *args[1:])

    t, u = real(*args[0].shape), real(*args[0].shape)
    over_reverse = np.sum(u * wg.jvp(wg.grad(of_first), (args[0],), (t,))[1])
    along = lambda x: wg.jvp(of_first, (x,), (t,))[1]
    over_forward = np.sum(u * wg.grad(along)(args[0]))
    twice = wg.jvp(along, (args[0],), (u,))[1]
    same(over_forward, over_reverse, 1e-9)
    same(twice, over_reverse, 1e-9)


@by_name
def test_vmap_is_a_loop(name: str) -> None:
    f, args = SMOOTH[name]
    scalar = weighed(f, args)
    moves = [1 + 0.05 * k for k in range(3)]
    stacked = np.stack([args[0] * move for move in moves])
    in_axes = (0, *(None for _ in args[1:]))
    both = wg.vmap(wg.value_and_grad(scalar), in_axes=in_axes)(stacked, *args[1:])
    each = [wg.value_and_grad(scalar)(x, *args[1:]) for x in stacked]
    same(both[0], np.stack([value for value, _ in each]), 1e-11)
    same(both[1], np.stack([slope for _, slope in each]), 1e-10)


@by_name
def test_compiled_calls(name: str) -> None:
    f, args = SMOOTH[name]
    scalar = weighed(f, args)
    compiled = wg.jit(wg.grad(scalar))
    for x in (args[0], args[0] * 1.01):
        same(compiled(x, *args[1:]), wg.grad(scalar)(x, *args[1:]), 1e-11)


def test_third_order_of_the_exponential() -> None:
    """d³/dt³ exp(tA) = A³ exp(tA)."""
    third = wg.jacfwd(wg.jacfwd(wg.jacfwd(lambda t: wsl.expm(t * M))))(0.4)
    same(third, M @ M @ M @ sl.expm(0.4 * M), 1e-11)


@pytest.mark.parametrize("n", [31, 32])
@pytest.mark.parametrize("code", "fdD")
def test_the_derivative_of_the_exponential_at_both_sizes(n: int, code: str) -> None:
    """Along a commuting direction it is a product: L(A, A²) = A² exp(A)."""
    a = (real(n, n) / n + (0.1j * np.eye(n) if code == "D" else 0)).astype(code)
    value, tangent = wg.jvp(wsl.expm, (a,), (a @ a * 1000,))
    same(tangent / 1000, a @ a @ sl.expm(a), 1e-12)
    assert value.dtype == tangent.dtype == np.dtype(code)


@pytest.mark.parametrize("name", ["sqrtm", "logm"])
def test_compiled_functions_find_out_anew_whether_a_result_is_complex(name: str) -> None:
    ours, theirs = getattr(wsl, name), getattr(sl, name)
    compiled = wg.jit(lambda a: np.abs(ours(a)).sum())
    for a in (N, np.diag([-1.0, 2, 3]), N @ N):
        same(compiled(a), np.abs(theirs(a)).sum(), 1e-11)


@pytest.mark.parametrize(
    "f",
    [
        wsl.expm,
        wsl.logm,
        wsl.sqrtm,
        wsl.cosm,
        wsl.tanm,
        wsl.signm,
        wsl.inv,
        wsl.polar,
        lambda a: wsl.solve_sylvester(a, a, a),
        lambda a: wsl.solve_discrete_lyapunov(0.3 * a, a),
        lambda a: wsl.solve_banded((1, 1), a, a),
        lambda a: wsl.solve_continuous_are(a, a, whole(a), np.eye(3, dtype=a.dtype)),
        lambda a: wsl.toeplitz(a[0]),
    ],
)
@pytest.mark.parametrize("code", "fF")
def test_single_precision_stays(f: Callable[..., Any], code: str) -> None:
    a = 2 * np.eye(3) + 0.1 * M + (0.1j * N if code == "F" else 0)
    narrow = a.astype(code)
    value, tangent = wg.jvp(lambda x: _first(f(x)), (narrow,), (narrow,))
    assert value.dtype == tangent.dtype == np.dtype(code)
    wide = wg.jvp(lambda x: _first(f(x)), (a,), (a,))[1]
    np.testing.assert_allclose(tangent, wide, rtol=1e-4, atol=1e-4)


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def test_a_stack_of_none() -> None:
    for f in (wsl.expm, wsl.sqrtm, wsl.logm, wsl.inv):
        value, tangent = wg.jvp(f, (np.zeros((0, 2, 2)),), (np.zeros((0, 2, 2)),))
        assert value.shape == tangent.shape == (0, 2, 2)
        assert wg.jvp(f, (np.zeros((0, 0)),), (np.zeros((0, 0)),))[0].shape == (0, 0)


def test_equations_without_one_solution_give_nan() -> None:
    """a and −b have a common eigenvalue; λ μ = 1 for an eigenvalue of each."""
    one = np.eye(2)
    for f in (
        lambda q: wsl.solve_sylvester(one, -one, q),
        lambda q: wsl.solve_discrete_lyapunov(one, q),
    ):
        assert np.isnan(wg.jvp(f, (M[:2, :2],), (one,))[1]).all()


def test_mixed_factors_solve_the_equation() -> None:
    """SciPy reads the real Schur form of a real factor as if it were triangular."""
    a, b, q = N + 0.3j * M, np.array([[1.0, 2], [-2, 1]]), real(3, 2)
    x, _ = wg.jvp(lambda a: wsl.solve_sylvester(a, b, q), (a,), (a,))
    same(a @ x + x @ b, q + 0j, 1e-12)


def test_riccati_equations_hold() -> None:
    a, b, s = 0.3 * M, real(3, 2), 0.1 * real(3, 2)
    r = np.array([[2.0, 0.3], [0.3, 1.0]])
    x = wg.jvp(lambda a: wsl.solve_continuous_are(a, b, D, r, s=s), (a,), (a,))[0]
    gain = np.linalg.solve(r, b.T @ x + s.T)
    same(a.T @ x + x @ a - (x @ b + s) @ gain + D, np.zeros((3, 3)), 1e-12)
    x = wg.jvp(lambda a: wsl.solve_discrete_are(a, b, D, r, s=s), (a,), (a,))[0]
    gain = np.linalg.solve(r + b.T @ x @ b, b.T @ x @ a + s.T)
    same(a.T @ x @ a - x - (a.T @ x @ b + s) @ gain + D, np.zeros((3, 3)), 1e-12)


@pytest.mark.parametrize("name", wsl.REFUSED)
def test_refused_by_name(name: str) -> None:
    with pytest.raises(Unsupported, match=rf"scipy\.linalg\.{name} cannot be traced"):
        wg.grad(lambda a: getattr(wsl, name)(a))(N)


@pytest.mark.parametrize(
    "call",
    [
        lambda a: wsl.sqrtm(a[:2]),
        lambda a: wsl.expm(a[:2]),
        lambda a: wsl.solve_sylvester(a, a, a[:2]),
        lambda a: wsl.solve_banded((1, 0), a, a),
        lambda a: wsl.solve_continuous_are(a, a[:2], a, a),
        lambda a: wsl.solve(a, a, assume_a="peculiar"),
        lambda a: wsl.solve_triangular(a, a, trans=7),
        lambda a: wsl.companion(a[0, :1]),
        lambda a: wsl.eigh(a, subset_by_index=[2, 5]),
        lambda a: wsl.polar(a, side="up"),
    ],
)
def test_wrong_arguments(call: Callable[..., Any]) -> None:
    with pytest.raises(WengertValueError):
        wg.grad(lambda a: np.sum(np.real(_first(call(a)))))(N)


def test_scipy_itself_where_nothing_is_traced() -> None:
    assert type(wsl.expm(M)) is np.ndarray
    same(wsl.expm(M), sl.expm(M), 0)
    assert wsl.hilbert is sl.hilbert


def test_a_traced_exponent() -> None:
    g = wg.grad(lambda t: np.sum(wsl.fractional_matrix_power(N, t)))(0.3)
    same(g, np.sum(np.real(sl.logm(N) @ sl.fractional_matrix_power(N, 0.3))), 1e-10)
