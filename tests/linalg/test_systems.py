"""Systems, inverses, determinants, Cholesky factors: NumPy's values, derivatives by differences and
by hand, and one factorisation for all that is computed of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import check, check_value, interpreted
from wengert.execution.programs import clear_caches
from wengert.ops.linalg import cholesky, lapack, lu
from wengert.ops.linalg import solve as solve_op
from wengert.ops.linalg.lapack import MOST_ORDER

RNG = np.random.default_rng(11)
A = RNG.standard_normal((3, 3)) + 3 * np.eye(3)
Z = A + 1j * RNG.standard_normal((3, 3))
STACK = RNG.standard_normal((2, 1, 3, 3)) + 4 * np.eye(3)
VECTOR, MATRIX = RNG.standard_normal(3), RNG.standard_normal((3, 2))
RIGHTS = RNG.standard_normal((4, 3, 2))
EMPTY = np.zeros((0, 0))

solve, inv, det, chol = np.linalg.solve, np.linalg.inv, np.linalg.det, np.linalg.cholesky


def definite(a: Any) -> Any:
    return a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(a.shape[-1])


def vector_of(a: Any) -> Any:
    return np.cos(np.arange(1.0, 1 + a.shape[-1]))


def sign_and_log(a: Any) -> Any:
    return tuple(np.linalg.slogdet(a))


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "vector": (solve, (A, VECTOR)),
    "matrix": (solve, (A, MATRIX)),
    "stack and vector": (solve, (STACK, VECTOR)),
    "stacks that broadcast": (solve, (STACK, RIGHTS)),
    "one matrix for a stack": (solve, (A, RIGHTS)),
    "complex": (solve, (Z, MATRIX)),
    "transposed": (lambda a, b: solve(a.T, b), (Z, MATRIX)),
    "adjoint": (lambda a, b: solve(a.conj().T, b), (Z, MATRIX)),
    "conjugated": (lambda a, b: solve(a.conj(), b), (Z, MATRIX)),
    "lower triangle": (lambda a, b: solve(np.tril(a), b), (A, VECTOR)),
    "upper triangle": (lambda a, b: solve(2 * np.triu(a).conj(), b), (Z, VECTOR)),
    "factored": (lambda a, b: solve(np.tril(a) @ np.tril(a).conj().T, b), (Z, MATRIX)),
    "factor, transposed": (lambda a, b: solve(chol(definite(a)).T, b), (A, VECTOR)),
    "inv": (inv, (A,)),
    "inv, complex stack": (inv, (STACK + 1j,)),
    "inv of a triangle": (lambda a: inv(np.triu(a).T), (A,)),
    "det": (det, (A,)),
    "det, complex": (det, (Z,)),
    "det of a triangle": (lambda a: det(np.tril(a)), (A,)),
    "det of a stack": (det, (STACK,)),
    "slogdet": (sign_and_log, (-A[::-1],)),
    "slogdet, complex": (sign_and_log, (Z,)),
    "slogdet, factored": (lambda a: sign_and_log(np.tril(a) @ np.triu(a)), (Z,)),
    "slogdet of a stack": (sign_and_log, (STACK,)),
    "cholesky": (lambda a: chol(definite(a)), (A,)),
    "cholesky, complex": (lambda a: chol(definite(a)), (Z,)),
    "cholesky, upper": (lambda a: chol(definite(a), upper=True), (Z,)),
    "cholesky of a stack": (lambda a: chol(definite(a)), (STACK,)),
    "diagonal of a factor": (lambda a: np.diag(chol(definite(a))), (A,)),
    "diagonal of a complex factor": (lambda a: np.diag(chol(definite(a)).conj().T), (Z,)),
    "power 0": (lambda a: np.linalg.matrix_power(a, 0) + 0 * a, (STACK,)),
    "power 5": (lambda a: np.linalg.matrix_power(a, 5), (A / 3,)),
    "power -3": (lambda a: np.linalg.matrix_power(a, -3), (STACK,)),
    "tensorsolve": (
        lambda a, b: np.linalg.tensorsolve(a.reshape(3, 3, 3, 3), b),
        (np.kron(A, A), MATRIX @ MATRIX.T),
    ),
    "tensorsolve, axes": (
        lambda a, b: np.linalg.tensorsolve(a.reshape(6, 2, 3), b, axes=(0,)),
        (RNG.standard_normal((6, 6)), RNG.standard_normal((2, 3))),
    ),
    "tensorinv": (lambda a: np.linalg.tensorinv(a.reshape(3, 3, 9)), (np.kron(A, A),)),
    "tensorinv, ind": (lambda a: np.linalg.tensorinv(a.reshape(9, 3, 3), 1), (np.kron(A, A),)),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str) -> None:
    f, args = CASES[name]
    with interpreted():
        check(f, *args, rtol=1e-12, tolerance=3e-7)


@pytest.mark.parametrize("f", [inv, det, sign_and_log, chol, lambda a: solve(a, a)])
@pytest.mark.parametrize("dtype", ["f", "d", "F", "D"])
def test_dtypes_and_empty_matrices(f: Callable[..., Any], dtype: str) -> None:
    matrix = definite(A).astype(dtype)
    check_value(f, matrix, rtol=1e-12)
    check_value(f, np.zeros((0, 0), dtype))
    check_value(f, np.zeros((2, 0, 3, 3), dtype))
    check_value(lambda b: solve(matrix, b), VECTOR)
    check_value(lambda b: solve(np.eye(3, dtype=int) * 2, b), VECTOR.astype(dtype))


def test_integers_become_floats() -> None:
    value = wg.jit(lambda k: solve(k, k[0]))(np.array([[2, 1], [1, 2]]))
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, [1.0, 0.0], atol=1e-15)


def test_the_gradients_of_the_textbook() -> None:
    to_a, to_b = wg.grad(lambda a, b: np.sum(solve(a, b) ** 2), (0, 1))(A, VECTOR)
    x = solve(A, VECTOR)
    adjoint = solve(A.T, 2 * x)
    np.testing.assert_allclose(to_b, adjoint, rtol=1e-12)
    np.testing.assert_allclose(to_a, -np.outer(adjoint, x), rtol=1e-12)
    np.testing.assert_allclose(wg.grad(lambda a: sign_and_log(a)[1])(A), inv(A).T, rtol=1e-12)
    np.testing.assert_allclose(wg.grad(det)(A), det(A) * inv(A).T, rtol=1e-12)


def test_gradients_of_cholesky_are_symmetric() -> None:
    matrix = definite(A)
    gradient = wg.grad(lambda a: np.sum(chol(a) ** 3))(matrix)
    np.testing.assert_allclose(gradient, gradient.T, rtol=1e-13)
    inverse = wg.grad(lambda a: 2 * np.sum(np.log(np.diag(chol(a)))))(matrix)
    np.testing.assert_allclose(inverse, inv(matrix), rtol=1e-12)
    broken = matrix + np.triu(np.ones((3, 3)), 1)  # what stands above is not read
    again = wg.grad(lambda a: np.sum(chol(a) ** 3))(broken)
    np.testing.assert_allclose(again, gradient, rtol=1e-13)


SECOND: dict[str, Callable[..., Any]] = {
    "solve": lambda a: np.sum(solve(a, vector_of(a)) ** 3),
    "inv": lambda a: np.sum(inv(a) ** 3),
    "det": lambda a: det(a / 3) ** 2,
    "slogdet": lambda a: sign_and_log(a)[1] ** 2,
    "cholesky": lambda a: np.sum(chol(definite(a)) ** 3),
    "log det": lambda a: np.sum(np.log(np.diag(chol(definite(a))))),
    "triangle": lambda a: np.sum(solve(np.triu(a).T, vector_of(a)) ** 2),
}


@pytest.mark.parametrize("name", SECOND)
def test_second_order(name: str) -> None:
    f, v = SECOND[name], np.cos(np.arange(9.0)).reshape(3, 3)
    stencil = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
    with interpreted():
        expected = sum(w / 1e-3 * wg.grad(f)(A + k * 1e-3 * v) for k, w in stencil)
        results = (
            wg.jvp(wg.grad(f), (A,), (v,))[1],
            wg.grad(lambda a: wg.jvp(f, (a,), (v,))[1])(A),
            wg.grad(lambda a: np.sum(wg.grad(f)(a) * v))(A),
            np.tensordot(wg.hessian(f)(A), v, 2),
        )
    for found in results:
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_maps_and_compiled_programs() -> None:
    many = np.stack([A, A.T, 2 * A])
    for f in (*SECOND.values(), lambda a: np.sum(solve(a[0] * np.eye(3) + A, a))):
        gradients = np.stack([wg.grad(f)(a) for a in many])
        np.testing.assert_allclose(wg.vmap(wg.grad(f))(many), gradients, rtol=1e-9, atol=1e-11)
        compiled = wg.jit(wg.grad(f))
        for a, gradient in zip(many, gradients, strict=True):
            np.testing.assert_allclose(compiled(a), gradient, rtol=1e-9, atol=1e-11)


# ---------------------------------------------------------------------- singular matrices


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_right_sides_of_one_matrix_are_columns_of_one_system(
    lead: tuple[int, ...], columns: int
) -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=(*lead, 4, 4)) + 4 * np.eye(4)
    many = rng.normal(size=(5, *lead, 4, columns))

    def f(b: Any) -> Any:
        return np.linalg.solve(a, b)

    expected = np.stack([f(b) for b in many])
    for mapped in (wg.vmap(f), wg.jit(wg.vmap(f))):
        np.testing.assert_allclose(mapped(many), expected, rtol=1e-12, atol=1e-13)


def test_one_call_solves_for_many_right_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def routine(name: str, dtype: Any) -> Any:
        calls.append(name)
        return lapack.routine(name, dtype)

    monkeypatch.setattr(solve_op, "routine", routine)
    clear_caches()
    wg.jacfwd(lambda x: solve(A, np.sin(x)))(VECTOR)
    assert calls.count("getrs") == 1


def test_determinants_of_singular_matrices() -> None:
    for rank in (0, 1, 2):
        left, right = RNG.integers(-3, 4, (2, 3, rank))
        point = (left @ right.T).astype(float)
        minors = [
            [(-1) ** (i + j) * det(np.delete(np.delete(point, i, 0), j, 1)) for j in range(3)]
            for i in range(3)
        ]
        np.testing.assert_allclose(wg.grad(det)(point), minors, atol=1e-12)
        second = wg.hessian(det)(point)
        expected = np.einsum("ikm,jln,mn->ijkl", *[levi_civita()] * 2, point)
        np.testing.assert_allclose(second, expected, atol=1e-12)


def levi_civita() -> Any:
    result = np.zeros((3, 3, 3))
    for k in range(3):
        result[k, (k + 1) % 3, (k + 2) % 3] = 1
        result[k, (k + 2) % 3, (k + 1) % 3] = -1
    return result


def test_singular_matrices_are_errors() -> None:
    singular = np.ones((2, 2))
    for f in (inv, lambda a: solve(a, np.ones(2)), lambda a: solve(np.tril(a - 1), np.ones(2))):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            wg.grad(lambda a, f=f: np.sum(f(a)))(singular)
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        wg.grad(lambda a: np.sum(chol(a)))(-singular)
    sign, logarithm = wg.jit(np.linalg.slogdet)(singular)
    assert (sign, logarithm) == (0.0, -np.inf)


def test_a_dead_branch_is_no_error() -> None:
    """log |det| of a singular matrix is −∞, its gradient NaN: not where another branch is taken."""

    def f(a: Any) -> Any:
        sign, logarithm = np.linalg.slogdet(a)
        return np.where(sign != 0, logarithm, 0.0) + np.sum(a)

    np.testing.assert_array_equal(wg.grad(f)(np.ones((2, 2))), np.ones((2, 2)))


@pytest.mark.parametrize(
    "call",
    [
        lambda a: inv(a[0]),
        lambda a: inv(a),
        lambda a: det(a),
        lambda a: chol(a),
        lambda a: solve(a, a),
        lambda a: solve(a[0], a[0]),
        lambda a: np.linalg.slogdet(a[0]),
        lambda a: np.linalg.matrix_power(a, 2),
        lambda a: solve(a[:, :2], np.ones(3)),
        lambda a: solve(a[:, :2], np.ones((3, 3))),
        lambda a: np.linalg.tensorsolve(a, a[0]),
        lambda a: np.linalg.tensorinv(a, 0),
    ],
)
def test_errors_are_numpys(call: Callable[..., Any]) -> None:
    plain = np.ones((2, 3))
    with pytest.raises(Exception) as expected:  # noqa: PT011 (NumPy says which)
        call(plain)
    with pytest.raises(type(expected.value)):
        wg.grad(lambda a: np.sum(np.asarray(call(a))))(plain)


# ------------------------------------------------------------------------- factorisations


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often each factorisation has run."""
    found = {"getrf": 0, "potrf": 0}

    def routine(name: str, dtype: Any) -> Any:
        if name in found:
            found[name] += 1
        return lapack.routine(name, dtype)

    monkeypatch.setattr(lu, "routine", routine)
    monkeypatch.setattr(cholesky, "routine", routine)
    clear_caches()
    return found


@pytest.mark.parametrize("name", [n for n in SECOND if n != "triangle"])
def test_one_factorisation(name: str, counts: dict[str, int]) -> None:
    """Counted where LAPACK is called, as it is for all but small matrices."""
    f, n = SECOND[name], MOST_ORDER + 1
    v, large = np.ones((n, n)), np.outer(np.arange(n), np.ones(n)) / n**2 + np.eye(n)
    which = "potrf" if name in ("cholesky", "log det") else "getrf"
    for call in (
        lambda a: wg.value_and_grad(f)(a),
        lambda a: wg.hvp(f, a, v),
        lambda a: wg.grad(lambda a: np.sum(wg.grad(f)(a) * v))(a),
    ):
        run = wg.jit(call)
        run(large)
        counts.update(getrf=0, potrf=0)
        run(large)
        assert counts[which] == 1
        assert sum(counts.values()) == 1


def test_what_is_computed_of_one_matrix_shares_its_factors(counts: dict[str, int]) -> None:
    def f(a: Any) -> Any:
        x = solve(a, VECTOR) + solve(a.T, VECTOR)
        return np.sum(x**2) + sign_and_log(a)[1] + det(a) + np.sum(inv(a))

    wg.grad(f)(A)
    assert counts["getrf"] == 1


def test_triangles_are_not_factored(counts: dict[str, int]) -> None:
    def f(a: Any) -> Any:
        factor = chol(definite(a))
        x = solve(factor @ factor.T, VECTOR) + solve(np.tril(a), VECTOR)
        return np.sum(x**2) + sign_and_log(factor @ factor.T)[1] + det(np.triu(a))

    wg.value_and_grad(f)(A)
    assert counts == {"getrf": 0, "potrf": 1}
