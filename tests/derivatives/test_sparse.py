"""Sparse Jacobians and Hessians are the dense ones, of few products; wrong patterns are caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError

RNG = np.random.default_rng(0)


def check(fun, *args, products=None, argnums=0, of="jacobian", dense=None):
    """The sparse matrix is the dense one; its pattern misses nothing; it takes so many products."""
    x = args[argnums]
    if dense is None:
        dense = (wg.jacfwd(fun, argnums) if of == "jacobian" else by_columns(fun, argnums))(*args)
    dense = np.reshape(dense, (-1, np.size(x)))
    sparse = (wg.jacobian if of == "jacobian" else wg.hessian)(
        fun, argnums, sparse=True, probe=True
    )(*args)
    assert isinstance(sparse, sp.csr_array)
    assert sparse.shape == dense.shape
    assert sparse.dtype == dense.dtype
    scale = max(1.0, np.abs(dense).max(initial=0))
    eps = np.finfo(dense.dtype).eps
    np.testing.assert_allclose(sparse.toarray(), dense, rtol=0, atol=100 * eps * scale)
    plan = wg.sparsity(fun, argnums, of=of)(*args)
    assert plan.pattern.toarray()[dense != 0].all()
    np.testing.assert_array_equal(plan.pattern.indices, sparse.indices)
    if products is not None:
        assert plan.products == products
    return plan


def by_columns(fun, argnums):
    """A Hessian without colours: the Jacobian of the gradient, by forward mode."""
    return wg.jacfwd(wg.grad(fun, argnums), argnums)


def burgers(u):
    """Viscous Burgers' equation on a line, ends fixed."""
    right, left, middle = u[2:], u[:-2], u[1:-1]
    inner = 0.1 * (right - 2 * middle + left) - middle * (right - left) / 2
    return np.concatenate([u[:1] - 1, inner, u[-1:]])


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def laplacian(u):
    padded = np.pad(u, 1)
    return padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2] - 4 * u**3


def test_a_line_takes_three_products():
    check(burgers, RNG.normal(size=40), products=3)


def test_a_grid_takes_five():
    check(laplacian, RNG.normal(size=(12, 9)), products=5)


def test_the_chained_rosenbrock_hessian_takes_three():
    check(rosenbrock, RNG.normal(size=30), products=3, of="hessian")


def arrow(x):
    """The first output reads all inputs, the first input is read by all outputs."""
    head = np.sum(x**2)
    return np.concatenate([head[None], x[0] * np.sin(x[1:])])


def test_an_arrow_takes_three_products_and_its_hessian_two():
    check(arrow, RNG.normal(size=50), products=3)
    check(lambda x: x[0] * np.sum(np.sin(x[1:])), RNG.normal(size=50), products=2, of="hessian")


@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional"])
def test_every_method_gives_the_same_matrix(mode):
    x = RNG.normal(size=20)
    for fun in (burgers, arrow, lambda x: x[:5] ** 2, lambda x: np.outer(x[:3], x).ravel()):
        found = wg.jacobian(fun, sparse=True, mode=mode, probe=True)(x)
        np.testing.assert_allclose(found.toarray(), wg.jacfwd(fun)(x), rtol=0, atol=1e-13)


def test_constant_matrices_enter_with_their_nonzeros():
    dense = np.diag(np.arange(1.0, 7.0)) + np.diag(np.ones(5), 1)
    for matrix in (dense, sp.csr_array(dense), sp.coo_matrix(dense)):
        plan = check(lambda x, A=matrix: np.tanh(A @ x), RNG.normal(size=6), products=2)
        assert plan.pattern.nnz == 11


def test_a_pattern_is_found_again_where_a_constant_has_other_nonzeros():
    A = np.eye(6)

    def fun(x):
        return np.sin(A @ x)

    x = RNG.normal(size=6)
    assert wg.jacobian(fun, sparse=True)(x).nnz == 6
    A[0, 5] = 2.0
    found = wg.jacobian(fun, sparse=True)(x)
    assert found.nnz == 7
    np.testing.assert_allclose(found.toarray(), wg.jacfwd(fun)(x), rtol=1e-14)
    A[0, 5] = 0.0
    np.testing.assert_allclose(
        wg.jacobian(fun, sparse=True)(x).toarray(), wg.jacfwd(fun)(x), rtol=1e-14
    )


def test_index_arrays_count_with_their_values():
    which = np.array([3, 0, 3, 1])
    weights = RNG.normal(size=4)

    def fun(x):
        return weights * x[which] ** 2

    x = RNG.normal(size=5)
    check(fun, x, products=1)
    which[1] = 4
    check(fun, x, products=1)


def test_other_arguments_are_constants():
    def fun(x, A, k):
        return np.exp(A @ x)[k:]

    check(fun, RNG.normal(size=4), np.eye(4), 1, products=1)


def test_dead_branches_leave_no_nan():
    def fun(x):
        return np.where(x > 0, np.log(np.where(x > 0, x, 1)) + np.log(x), 0) * np.roll(x, 1)

    with np.errstate(all="ignore"):
        found = wg.jacobian(fun, sparse=True)(np.array([1.0, -1.0, 2.0, 0.0]))
    assert np.isfinite(found.data).all()


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse", "bidirectional"])
def test_an_array_may_be_returned_twice(mode):
    x = RNG.normal(size=9)

    def fun(x):
        y = x * x[0]
        return y, np.sum(x), x, y[::-1], y, x

    found = wg.jacobian(fun, sparse=True, mode=mode)(x)
    exact = wg.jacfwd(lambda x: np.hstack(fun(x)))(x)
    np.testing.assert_allclose(found.toarray(), exact, rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional"])
def test_as_many_places_may_take_more_colours_another_time(mode):
    """Patterns of one graph that differ in the number of colours alone."""
    n = 6
    weights = np.zeros((n, n))
    fun = wg.jacobian(lambda x: weights @ np.sin(x), sparse=True, mode=mode)
    x = RNG.normal(size=n)
    for column in (np.arange(n), np.zeros(n, int)):
        for row in (np.arange(n), np.zeros(n, int)):
            weights[:] = 0
            weights[row, np.roll(column, 1)] = RNG.normal(size=n)
            weights[(row + 1) % n, column] = RNG.normal(size=n)
            for _ in range(2):
                np.testing.assert_allclose(fun(x).toarray(), weights * np.cos(x), atol=1e-14)
    rng = np.random.default_rng(2)
    for n in (5, 7):
        for _ in range(12):
            c = (rng.uniform(size=n) < 0.5).astype(float)

            def bent(x, c=c):
                return np.sum((c * x**2 * np.roll(x, 1)) ** 2)

            x = rng.uniform(0.3, 1.0, n)
            found = wg.hessian(bent, sparse=True)(x)
            np.testing.assert_allclose(found.toarray(), wg.hessian(bent)(x), atol=1e-13)


def test_structures_and_several_arguments():
    def fun(p, q):
        return {"a": p["w"] * q, "b": (np.sum(p["v"]), q[:2])}

    p, q = {"w": np.arange(3.0), "v": np.arange(2.0)}, np.array([4.0, 5.0, 6.0])
    found = wg.jacobian(fun, argnums=(0, 1), sparse=True)(p, q)
    assert found.shape == (6, 8)
    blocks = wg.jacobian(fun, argnums=(0, 1))(p, q)
    rows = [blocks["a"], blocks["b"][0], blocks["b"][1]]
    parts = [(row[0]["v"], row[0]["w"], row[1]) for row in rows]
    dense = np.vstack(
        [
            np.hstack([np.reshape(part, (-1, n)) for part, n in zip(row, (2, 3, 3), strict=True)])
            for row in parts
        ]
    )
    np.testing.assert_allclose(found.toarray(), dense, rtol=1e-14)


def test_aux_single_precision_complex():
    matrix, aux = wg.jacobian(lambda x: (x**2, x.sum()), has_aux=True, sparse=True)(np.arange(3.0))
    assert aux == 3.0
    np.testing.assert_array_equal(matrix.toarray(), np.diag([0.0, 2.0, 4.0]))
    check(burgers, RNG.normal(size=9).astype(np.float32))
    z = np.array([1 + 2j, 3 - 1j])
    found = wg.jacobian(lambda z: z**2 + z[::-1], sparse=True, holomorphic=True)(z)
    np.testing.assert_allclose(found.toarray(), np.diag(2 * z) + np.eye(2)[::-1], rtol=1e-14)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: np.ones(3),
        lambda x: x[:0],
        lambda x: np.sum(x),
        lambda x: np.floor(x),
        lambda x: x[0] * x,
        lambda x: np.cumsum(x),
        lambda x: np.sort(x),
        lambda x: np.linalg.solve(9 * np.eye(4) + np.outer(x, x), x),
    ],
)
def test_degenerate_and_dense(fun):
    check(fun, RNG.normal(size=4))
    check(lambda x: np.sum(fun(x) ** 2), RNG.normal(size=4), of="hessian")


def test_patterns_of_ones_own():
    x = RNG.normal(size=8)
    exact = wg.jacfwd(burgers)(x)
    mask = exact != 0
    i, j = np.nonzero(mask)
    plan = wg.sparsity(burgers)(x)
    for pattern in (mask, sp.csr_array(mask), sp.coo_matrix(mask), (i, j), plan, plan.structure):
        found = wg.jacobian(burgers, sparse=True, pattern=pattern)(x)
        np.testing.assert_allclose(found.toarray(), exact, rtol=0, atol=1e-14)
    full = wg.jacobian(burgers, sparse=True, pattern=np.ones((8, 8), bool))(x)
    np.testing.assert_allclose(full.toarray(), exact, rtol=0, atol=1e-14)
    missing = mask.copy()
    missing[4, 5] = False
    with pytest.raises(WengertValueError, match="outside of the sparsity pattern, in row 4"):
        wg.jacobian(burgers, sparse=True, pattern=missing)(x)
    with pytest.raises(WengertValueError, match="for 8 × 7 values and the matrix has 8 × 8"):
        wg.jacobian(burgers, sparse=True, pattern=mask[:, 1:])(x)
    with pytest.raises(WengertValueError, match="for 8 × 8 values and the matrix has 7 × 7"):
        wg.jacobian(burgers, sparse=True, pattern=plan)(x[1:])


def test_a_pattern_that_lacks_a_place_is_refused_each_time():
    x = RNG.normal(size=8)
    missing = wg.jacfwd(burgers)(x) != 0
    missing[4, 5] = False
    fun = wg.jacobian(burgers, sparse=True, pattern=missing)
    for _ in range(2):
        with pytest.raises(WengertValueError, match="outside of the sparsity pattern, in row 4"):
            fun(x)


def test_patterns_that_are_changed_count_as_they_are():
    x = RNG.normal(size=8)
    exact = wg.jacfwd(burgers)(x)
    mask = np.ones((8, 8), bool)
    stored = sp.csr_array(mask)
    rows, columns = map(np.copy, np.nonzero(exact))
    funs = [
        wg.jacobian(burgers, sparse=True, pattern=pattern)
        for pattern in (mask, stored, (rows, columns))
    ]
    assert [fun(x).nnz for fun in funs] == [64, 64, 20]
    mask[:] = exact != 0
    stored.data[:] = mask.ravel()
    stored.eliminate_zeros()
    columns[0] = 7
    for fun in funs[:2]:
        found = fun(x)
        assert found.nnz == 20
        np.testing.assert_allclose(found.toarray(), exact, rtol=0, atol=1e-14)
    with pytest.raises(
        WengertValueError, match=f"outside of the sparsity pattern, in row {rows[0]}"
    ):
        funs[2](x)


def test_the_structure_of_a_plan_is_its_callers():
    x = RNG.normal(size=8)
    rows, columns = wg.sparsity(burgers)(x).structure
    rows += 1
    columns += 1
    found = wg.jacobian(burgers, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), wg.jacfwd(burgers)(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse", "bidirectional"])
def test_colours_that_rest_on_symmetry_serve_no_jacobian(mode):
    x = np.arange(1.0, 7.0)
    plan = wg.sparsity(lambda x: np.sum(x[1:] ** 2) * x[0] ** 3, of="hessian")(x)

    def arrow(x):
        return np.concatenate([np.sum(x * np.arange(6.0)).reshape(1), x[1:] * x[0]])

    values = wg.jacobian(arrow, sparse="values", pattern=plan, mode=mode)
    exact = wg.jacfwd(arrow)(x)
    for found in (wg.jit(values)(x), values(x)):
        np.testing.assert_allclose(found, exact[plan.structure], rtol=0, atol=1e-14)


def test_a_probe_knows_the_precisions_on_the_way():
    x = RNG.normal(size=60)

    def body(total, a):
        total = total + np.float32(1.5) * a
        return total, np.sin(total)

    def coarse(x):
        return x.astype(np.float32).astype(np.float64) ** 2 * np.tanh(x)

    def loop(x):
        return wg.scan(body, np.float32(0.3), x.astype(np.float32))[1].astype(np.float64) * x

    for fun in (coarse, loop, lambda x: np.sin(x) ** 3 * np.cumsum(np.arange(60.0))):
        for at in (x, x.astype(np.float32)):
            found = wg.jacobian(fun, sparse=True, probe=True)(at)
            np.testing.assert_allclose(found.toarray(), wg.jacfwd(fun)(at), rtol=1e-4, atol=1e-5)


def test_numbers_among_vectors():
    def fun(a, x, b):
        return x[0] * a, x[1:] * x[:-1] * b, np.sum(x)

    args = (2.0, RNG.normal(size=9), 3.0)
    exact = wg.jacfwd(lambda v: np.hstack(fun(v[0], v[1:10], v[10])))(np.hstack(args))
    for mode in ("auto", "forward", "reverse", "bidirectional"):
        found = wg.jacobian(fun, argnums=(0, 1, 2), sparse=True, mode=mode)(*args)
        np.testing.assert_allclose(found.toarray(), exact, rtol=0, atol=1e-14)


def test_values_alone_can_be_compiled_and_differentiated():
    x = RNG.normal(size=12)
    plan = wg.sparsity(burgers)(x)
    values = wg.jacobian(burgers, sparse="values", pattern=plan)
    fast = wg.jit(values)
    for point in (x, 2 * x, -x):
        exact = wg.jacfwd(burgers)(point)
        rows, columns = plan.structure
        np.testing.assert_allclose(values(point), exact[rows, columns], rtol=0, atol=1e-13)
        np.testing.assert_allclose(fast(point), exact[rows, columns], rtol=0, atol=1e-13)
    slope = wg.grad(lambda x: np.sum(values(x) ** 2))(x)
    by_dense = wg.grad(lambda x: np.sum(wg.jacfwd(burgers)(x) ** 2))(x)
    np.testing.assert_allclose(slope, by_dense, rtol=1e-12)
    with pytest.raises(WengertValueError, match="pattern"):
        wg.jacobian(burgers, sparse="values")(x)
    with pytest.raises(WengertTypeError, match="inside another transformation"):
        wg.jit(wg.jacobian(burgers, sparse=True))(x)


def test_products_that_hold_sums_are_taken_apart():
    x = RNG.normal(size=40)
    plan = wg.sparsity(rosenbrock, of="hessian", substitution=True)(x)
    assert (plan.method, plan.products) == ("substitution", 2)
    found = wg.hessian(rosenbrock, sparse=True, pattern=plan)(x)
    np.testing.assert_allclose(found.toarray(), by_columns(rosenbrock, 0)(x), rtol=0, atol=1e-9)
    values = wg.jit(wg.hessian(rosenbrock, sparse="values", pattern=plan))(x)
    np.testing.assert_allclose(values, found.data, rtol=0, atol=1e-9)


def test_hessian_values_of_the_lower_triangle_serve_ipopt():
    x = RNG.normal(size=10)
    plan = wg.sparsity(rosenbrock, of="hessian")(x)
    found = wg.jit(wg.hessian(rosenbrock, sparse="values", pattern=plan))(x)
    rows, columns = plan.structure
    exact = by_columns(rosenbrock, 0)(x)
    np.testing.assert_allclose(found, exact[rows, columns], rtol=1e-12)
    assert found.shape == (28,)


@pytest.mark.parametrize("jitted", [False, True])
def test_dense_results_are_computed_by_colours_too(jitted):
    x = RNG.normal(size=60)
    assert wg.plan(burgers)(x).chosen.name == "coloured"
    compiled = wg.jit if jitted else lambda fun: fun
    np.testing.assert_allclose(
        compiled(wg.jacobian(burgers))(x), wg.jacfwd(burgers)(x), rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(
        compiled(wg.hessian(rosenbrock))(x), by_columns(rosenbrock, 0)(x), rtol=1e-13
    )
    u = RNG.normal(size=(5, 6))
    found = compiled(wg.jacobian(laplacian, mode="coloured"))(u)
    assert found.shape == (5, 6, 5, 6)
    np.testing.assert_allclose(found, wg.jacfwd(laplacian)(u), rtol=0, atol=1e-14)


def test_dense_results_have_the_precision_of_the_outputs():
    x = RNG.normal(size=30).astype(np.float32)

    def fun(x):
        return x[1:] * x[:-1], x * np.arange(30.0)

    for mode in ("auto", "coloured", "forward"):
        narrow, wide = wg.jacobian(fun, mode=mode)(x)
        assert (narrow.dtype, wide.dtype) == (np.float32, np.float64)


def test_only_sparse_jacobians_have_colours():
    with pytest.raises(WengertValueError, match="few zeros"):
        wg.jacobian(np.cumprod, mode="coloured")(np.ones(1))
    assert wg.plan(lambda x: np.sin(np.sum(x) * x))(np.ones(40)).chosen.name != "coloured"


def test_rules_that_do_not_commute_have_the_hessian_that_they_say():
    @wg.custom_jvp
    def q(x, y):
        return 0.5 * x**2

    @q.defjvp
    def _(primals, tangents):
        return q(*primals), (primals[0] + primals[1]) * tangents[0]

    def loss(z):
        return np.sum(q(z[:20], z[20:]))

    z = RNG.normal(size=40)
    exact = by_columns(loss, 0)(z)
    assert np.abs(exact - exact.T).max() == 1
    np.testing.assert_array_equal(wg.hessian(loss)(z), exact)
    np.testing.assert_array_equal(wg.hessian(loss, sparse=True)(z).toarray(), exact)


def test_a_function_that_returns_nothing_has_no_sparse_jacobian():
    with pytest.raises(WengertTypeError, match="is a return missing"):
        wg.jacobian(lambda x: None, sparse=True)(np.ones(3))


def test_what_is_done_to_a_result_changes_no_pattern():
    x = RNG.normal(size=6)
    fun = wg.jacobian(lambda x: x * np.roll(x, 1), sparse=True)
    first = fun(np.zeros(6))
    first.eliminate_zeros()
    assert first.nnz == 0
    np.testing.assert_allclose(
        fun(x).toarray(), np.diag(np.roll(x, 1)) + np.roll(np.diag(x), -1, 1)
    )


def test_plans_are_saved_and_loaded(tmp_path: Path):
    x = RNG.normal(size=15)
    plan = wg.sparsity(burgers)(x)
    plan.save(tmp_path / "burgers.npz")
    loaded = type(plan).load(tmp_path / "burgers.npz")
    found = wg.jacobian(burgers, sparse=True, pattern=loaded)(x)
    np.testing.assert_allclose(found.toarray(), wg.jacfwd(burgers)(x), rtol=0, atol=1e-14)
    assert loaded.products == plan.products == 3


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(WengertValueError, match="mode must be one of"):
        wg.jacobian(burgers, mode="sideways")
    with pytest.raises(WengertValueError, match="mode must be one of"):
        wg.jacobian(burgers, mode="symmetric", sparse=True)
    with pytest.raises(WengertValueError, match="sparse must be"):
        wg.jacobian(burgers, sparse="yes")
    with pytest.raises(WengertValueError, match="sparse=True"):
        wg.jacobian(burgers, pattern=np.eye(3))
    with pytest.raises(WengertValueError, match="method must be one of"):
        wg.sparsity(burgers, method="mixed")
    with pytest.raises(WengertValueError, match="of must be"):
        wg.sparsity(burgers, of="gradient")
    with pytest.raises(WengertTypeError, match="scalar"):
        wg.hessian(burgers, sparse=True)(np.ones(4))


def test_a_limit_of_places_holds_for_patterns_that_are_known():
    x = RNG.normal(size=6)
    assert wg.sparsity(burgers)(x).nnz == 14
    with pytest.raises(WengertValueError, match="more than 10 places"):
        wg.sparsity(burgers, limit=10)(x)


def test_a_pattern_is_found_once_for_a_graph(monkeypatch):
    import wengert.derivatives.sparse as module

    calls = []
    detect = module.detect
    monkeypatch.setattr(module, "detect", lambda *args: calls.append(1) or detect(*args))
    fun = wg.jacobian(lambda x: np.sin(x) * np.roll(x, 2), sparse=True)
    for k in range(3):
        fun(np.full(7, float(k)))
    assert len(calls) == 1


def test_that_a_pattern_is_dense_is_found_once_and_holds_as_long_as_its_constants(monkeypatch):
    import wengert.derivatives.sparse as module
    from wengert.sparse.detecting import DensePattern

    calls = []
    detect = module.detect
    monkeypatch.setattr(module, "detect", lambda *args: calls.append(1) or detect(*args))
    A = np.ones((9, 9))
    found = wg.sparsity(lambda x: np.tanh(A @ x), limit=20)
    for _ in range(2):
        with pytest.raises(DensePattern, match="more than 20 places"):
            found(np.zeros(9))
    assert len(calls) == 1
    A[:] = np.eye(9)
    assert found(np.zeros(9)).nnz == 9


def test_a_pattern_of_another_branch_is_refused_while_tracing():
    def fun(x):
        return x**2 if x[0] > 0 else np.cumsum(x**2)

    x = np.array([1.0, 2.0, 3.0])
    plan = wg.sparsity(fun)(x)
    values = wg.jit(wg.jacobian(fun, sparse="values", pattern=plan))
    np.testing.assert_array_equal(values(x), 2 * x)
    with pytest.raises(WengertValueError, match="lacks places"):
        values(-x)
    both = plan.pattern + wg.sparsity(fun)(-x).pattern
    values = wg.jit(wg.jacobian(fun, sparse="values", pattern=both))
    np.testing.assert_array_equal(values(-x), wg.jacfwd(fun)(-x)[np.tril_indices(3)])


def test_index_arrays_that_are_arguments_of_a_compiled_function_need_all_their_places():
    def fun(x, i):
        return x[i] ** 2

    x, i = np.array([1.0, 2.0, 3.0]), np.array([0, 1, 2])
    plan = wg.sparsity(fun)(x, i)
    np.testing.assert_array_equal(
        wg.jacobian(fun, sparse="values", pattern=plan)(x, i), np.array([2.0, 4.0, 6.0])
    )
    with pytest.raises(WengertValueError, match="index arrays that are arguments"):
        wg.jit(wg.jacobian(fun, sparse="values", pattern=plan))(x, i)
    fixed = wg.jit(wg.jacobian(lambda x: fun(x, i), sparse="values", pattern=plan))
    np.testing.assert_array_equal(fixed(x), 2 * x)


def test_constants_of_a_compiled_function_count_with_the_zeros_that_they_have():
    A = np.diag(np.ones(5), 1)[:5]
    x = RNG.normal(size=6)
    for fun, args in ((lambda x: np.sin(A @ x), (x,)), (lambda x, A: np.sin(A @ x), (x, A))):
        plan = wg.sparsity(fun)(*args)
        found = wg.jit(wg.jacobian(fun, sparse="values", pattern=plan))(*args)
        np.testing.assert_allclose(found, np.cos(x[1:]), rtol=1e-15)
