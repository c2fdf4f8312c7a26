"""Values of matrices whose rows are alike: diagonals side by side, without an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.derivatives.runs import MOST_RUNS, Run, runs_of

PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "one diagonal": lambda x: np.sin(x),
    "two": lambda x: x[1:] * x[:-1],
    "three, ends fixed": lambda x: np.concatenate(
        [x[:1] - 1, x[2:] * x[1:-1] - x[:-2] ** 2, x[-1:]]
    ),
    "far apart": lambda x: x[6:] * x[:-6] + x[3:-3] ** 3,
    "eight": lambda x: sum(x[k : x.size - 8 + k] ** (k + 1) for k in range(8)),
    "nine": lambda x: sum(x[k : x.size - 9 + k] ** (k + 1) for k in range(9)),
    "round": lambda x: x * np.roll(x, 1) - np.roll(x, -1),
    "padded": lambda x: np.pad(x, 1)[2:] * 2 - np.pad(x, 2)[1:-3] + x**2,
    "written": lambda x: written(x),
    "several outputs": lambda x: (
        x[1:] - x[:-1],
        x[:0],
        x**2,
        x[3],
        x[2:] * x[:-2] * x[1:-1],
        x[:0],
    ),
    "constant rows": lambda x: np.concatenate([x[:3] ** 2, np.ones(4, x.dtype), x[2:] * x[:-2]]),
    "alternating": lambda x: np.where(np.arange(x.size) % 2 == 0, x**2, x * np.roll(x, 1)),
    "in blocks": lambda x: np.concatenate(
        [x[k : k + 3] * x[2 : 3 + k % 2].sum() for k in range(0, 20, 3)]
    ),
    "rows of a grid": lambda x: np.diff(x[: x.size // 4 * 4].reshape(4, -1), axis=1) ** 2,
    "dear operations": lambda x: np.exp(x[1:]) * np.tanh(x[:-1]) + np.sqrt(x[1:] ** 2 + 1),
    "steps": lambda x: step(step(x)),
    "only constants": lambda x: np.ones(5, x.dtype) + 0 * x[:5],
    "nothing": lambda x: x[:0],
}


def written(x: Any) -> Any:
    y = x**2
    y[1:-1] += 3 * x[2:] - x[:-2] * x[1:-1]
    y[0] = 5.0
    return y


def step(x: Any) -> Any:
    return np.concatenate([x[:1], x[1:-1] + 0.1 * (x[2:] - 2 * x[1:-1] + x[:-2]), x[-1:]])


def dense(program: Callable[[Any], Any], x: Any) -> Any:
    blocks = wg.jacfwd(program)(x)
    leaves = blocks if isinstance(blocks, tuple) else [blocks]
    return np.concatenate([np.reshape(leaf, (-1, x.size)) for leaf in leaves])


def check(program: Callable[[Any], Any], x: Any, plan: Any, of: str = "jacobian") -> None:
    transform, full = (wg.jacobian, dense) if of == "jacobian" else (wg.hessian, wg.hessian)
    values = transform(program, sparse="values", pattern=plan)
    compiled = wg.jit(values)
    for point in (x, (x * 1.5).astype(x.dtype)):
        want = full(program)(point) if of == "hessian" else full(program, point)
        want = want[plan.places.rows, plan.places.indices]
        scale = 100 * np.finfo(x.dtype).eps * max(1.0, np.abs(want).max(initial=0))
        for function in (values, compiled):
            found = function(point)
            assert found.dtype == x.dtype
            assert found.shape == (plan.nnz,)
            np.testing.assert_allclose(found, want, rtol=0, atol=scale)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("extent", [23, 131])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_are_those_of_the_dense_jacobian(
    name: str, extent: int, dtype: type[np.floating[Any]]
) -> None:
    x = np.random.default_rng(extent).uniform(0.5, 2.0, extent).astype(dtype)
    check(PROGRAMS[name], x, wg.sparsity(PROGRAMS[name])(x))


HESSIANS: dict[str, Callable[[Any], Any]] = {
    "rosenbrock": lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
    "three in a product": lambda x: np.sum(x[2:] * x[1:-1] * x[:-2]),
    "far apart": lambda x: np.sum(np.exp(x[4:] * x[:-4])) + np.sum(x**3),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_values_are_those_of_the_dense_hessian(name: str) -> None:
    x = np.random.default_rng(3).uniform(0.5, 1.2, 57)
    check(HESSIANS[name], x, wg.sparsity(HESSIANS[name], of="hessian")(x), "hessian")


def test_places_beyond_the_diagonals_are_zeros() -> None:
    x = np.random.default_rng(4).uniform(0.5, 2.0, 30)
    program = PROGRAMS["three, ends fixed"]
    wide = sum(np.eye(30, k=k) for k in range(-3, 4)) > 0
    values = wg.jit(wg.jacobian(program, sparse="values", pattern=wide))(x)
    rows, columns = np.nonzero(wide)
    np.testing.assert_allclose(values, dense(program, x)[rows, columns], rtol=1e-13)


def test_values_can_be_differentiated() -> None:
    x = np.random.default_rng(5).uniform(0.5, 2.0, 20)
    program = PROGRAMS["three, ends fixed"]
    plan = wg.sparsity(program)(x)
    values = wg.jacobian(program, sparse="values", pattern=plan)
    weights = np.random.default_rng(6).normal(size=plan.nnz)
    rows, columns = plan.places.rows, plan.places.indices
    found = wg.grad(lambda x: np.sum(weights * values(x)))(x)
    want = wg.grad(lambda x: np.sum(weights * wg.jacfwd(program)(x)[rows, columns]))(x)
    np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-12)


def test_a_band_matrix_is_three_runs_and_read_without_an_index() -> None:
    x = np.ones(1000)
    plan = wg.sparsity(HESSIANS["rosenbrock"], of="hessian")(x)
    values = wg.hessian(HESSIANS["rosenbrock"], sparse="values", pattern=plan)
    text = str(wg.trace(values, x).kernels)
    assert "gather" not in str(wg.trace(values, x).graph)
    assert text.count("for ") == 1
    assert "buffer" not in text


def test_runs_end_with_outputs_and_where_diagonals_change() -> None:
    source = np.array([0, 5, 1, 6, 2, 7, 8, 3, 10])  # 5 rows, 2 diagonals, 10 is a zero
    indptr = np.array([0, 2, 4, 6, 7, 9])
    assert runs_of(source, indptr, [2, 0, 3], 2) == [
        Run(0, 0, 2, (0, 1)),
        Run(2, 0, 1, (0, 1)),
        Run(2, 1, 2, (1,)),
        Run(2, 2, 3, (0, None)),
    ]


def test_rows_that_are_not_alike_make_no_runs() -> None:
    rows = 2 * MOST_RUNS
    lengths = np.arange(rows) % 2 + 1
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    source = np.concatenate([[row + k * rows for k in range(n)] for row, n in enumerate(lengths)])
    assert runs_of(source, indptr, [rows], 2) is None
    assert runs_of(np.arange(9), np.array([0, 9]), [1], 9) is None
    assert runs_of(np.arange(0), np.array([0]), [0], 0) is None
