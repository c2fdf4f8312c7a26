"""custom_linear_solve, custom_root, fixed_point: derivatives are those of the equation, of every
order, however the solution was found; the solver is never differentiated."""

from __future__ import annotations

import numpy as np
import pytest
from law_flow import alike, check_vmap, derivatives
from scipy import optimize, sparse
from scipy.sparse.linalg import LinearOperator, cg, gmres, spsolve

import wengert as wg
from wengert.errors import NotDifferentiable
from wengert.flow import implicit

N = 4
_rng = np.random.default_rng(0)
B = _rng.uniform(-1, 1, (N, N))
SYMMETRIC = B @ B.T + 3 * np.eye(N)
REGULAR = B + 4 * np.eye(N)
RIGHT = _rng.uniform(-1, 1, N)
WEIGHTS = np.cos(np.arange(N))


def own_cg(matvec, b):
    """Conjugate gradients, as a loop of the graph."""

    def body(state):
        x, r, p, rr, k = state
        q = matvec(p)
        step = rr / np.sum(p * q)
        x, r = x + step * p, r - step * q
        new = np.sum(r * r)
        return x, r, r + new / rr * p, new, k + 1

    def goes_on(state):
        return np.logical_and(state[3] > 1e-28, state[4] < 50)

    return wg.while_loop(goes_on, body, (b * 0, b, b, np.sum(b * b), 0))[0]


def scipy_cg(matvec, b):
    return cg(LinearOperator((N, N), matvec, dtype=float), b, rtol=1e-14, atol=0)[0]


def scipy_gmres(matvec, b):
    return gmres(LinearOperator((N, N), matvec, dtype=float), b, rtol=1e-14, atol=0, restart=9)[0]


def python_loop(matvec, b):
    """Steps with Python's own control flow on values."""
    x = b * 0
    for _ in range(500):
        r = b - matvec(x)
        if np.max(abs(r)) < 1e-15:
            break
        x = x + 0.2 * r
    return x


def dense(matvec, b):
    return np.linalg.solve(np.stack([matvec(e) for e in np.eye(N)], 1), b)


def symmetric(a, b, solve):
    return wg.custom_linear_solve(lambda x: (a + a.T) @ x / 2, b, solve, symmetric=True)


def by_spsolve(a, b):
    def solve(matvec, b):
        return spsolve(sparse.csc_matrix(a), b)

    def back(vecmat, c):
        return spsolve(sparse.csc_matrix(a.T), c)

    return wg.custom_linear_solve(lambda x: a @ x, b, solve, back)


def symmetric_part(a, b):
    return np.linalg.solve((a + a.T) / 2, b)


def newton(f, x):
    """The root by unrolled Newton steps, differentiated through all of them."""
    for _ in range(9):
        x = x - np.linalg.solve(wg.jacfwd(f)(x), f(x))
    return x


def cubic(a, b):
    return lambda x: a @ x + 0.1 * x**3 - b


def squashed(a, b):
    return lambda x: np.tanh(a @ x * 0.1 + b)


def scipy_root(f, x0):
    return optimize.root(f, x0, tol=1e-14).x


def damped(f, x0):
    return wg.fori_loop(0, 70, lambda i, x: x - 0.15 * f(x), x0)


SYSTEMS = {
    "conjugate gradients of wengert's loops": (
        lambda a, b: symmetric(a, b, own_cg),
        symmetric_part,
        SYMMETRIC,
    ),
    "conjugate gradients of SciPy": (
        lambda a, b: symmetric(a, b, scipy_cg),
        symmetric_part,
        SYMMETRIC,
    ),
    "a loop of Python": (
        lambda a, b: symmetric(a, b, python_loop),
        symmetric_part,
        SYMMETRIC / 2,
    ),
    "gmres": (
        lambda a, b: wg.custom_linear_solve(lambda x: a @ x, b, scipy_gmres, scipy_gmres),
        np.linalg.solve,
        REGULAR,
    ),
    "spsolve": (by_spsolve, np.linalg.solve, REGULAR),
    "a factorisation": (
        lambda a, b: wg.custom_linear_solve(lambda x: a @ x, b, dense, dense),
        np.linalg.solve,
        REGULAR,
    ),
    "scipy.optimize.root": (
        lambda a, b: wg.custom_root(cubic(a, b), b * 0, scipy_root),
        lambda a, b: newton(cubic(a, b), b * 0),
        REGULAR,
    ),
    "a root by a loop, its tangent by gmres": (
        lambda a, b: wg.custom_root(cubic(a, b), b * 0, damped, scipy_gmres),
        lambda a, b: newton(cubic(a, b), b * 0),
        REGULAR,
    ),
    "a fixed point": (
        lambda a, b: wg.fixed_point(lambda x: squashed(a, b)(x), b * 0),
        lambda a, b: newton(lambda x: squashed(a, b)(x) - x, b * 0),
        REGULAR,
    ),
    "a fixed point of its arguments": (
        lambda a, b: wg.fixed_point(lambda x, p, q: squashed(p, q)(x), b * 0, a, b),
        lambda a, b: newton(lambda x: squashed(a, b)(x) - x, b * 0),
        REGULAR,
    ),
}


def check(name, order):
    f, reference, matrix = SYSTEMS[name]
    args = (matrix, RIGHT)
    alike(f(*args), reference(*args), 1e-11, "the solution")

    def scalar(g):
        return lambda a, b: np.sum(WEIGHTS * np.sin(g(a, b)))

    ours, theirs = scalar(f), scalar(reference)
    for (what, a), (_, b) in zip(
        derivatives(ours, args, order), derivatives(theirs, args, order), strict=True
    ):
        alike(a, b, 1e-8, what)
    compiled = wg.jit(wg.grad(ours, (0, 1)))
    for b in (RIGHT, RIGHT[::-1].copy()):
        alike(compiled(matrix, b), wg.grad(theirs, (0, 1))(matrix, b), 1e-8, "under jit")


QUICK = [name for name in SYSTEMS if name.startswith(("conjugate", "gmres", "spsolve", "scipy"))]


@pytest.mark.parametrize("name", QUICK)
def test_a_solution_is_differentiated_as_the_equation_says(name):
    check(name, 2)


@pytest.mark.long
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_solution_is_differentiated_to_third_order_and_under_vmap(name):
    check(name, 3)
    f, _, matrix = SYSTEMS[name]
    matrices = np.stack([matrix, matrix * 1.1, matrix + np.eye(N)])
    sides = np.stack([RIGHT, RIGHT * 0.5, -RIGHT])
    check_vmap(lambda _, a, b: f(a, b), matrices, sides, rtol=1e-8, order=2)


@pytest.mark.parametrize("name", ["a fixed point", "conjugate gradients of SciPy"])
def test_some_solutions_under_vmap(name):
    f, _, matrix = SYSTEMS[name]
    matrices = np.stack([matrix, matrix * 1.1])
    check_vmap(lambda _, a, b: f(a, b), matrices, np.stack([RIGHT, -RIGHT]), rtol=1e-9, both=False)


def test_the_tangent_of_a_large_fixed_point_is_iterated(monkeypatch):
    f, reference, matrix = SYSTEMS["a fixed point"]
    monkeypatch.setattr(implicit, "MOST_FACTORISED", 0)
    for order in (wg.grad, lambda g: wg.grad(lambda a: np.sum(WEIGHTS * wg.grad(g)(a)[0]))):
        ours = order(lambda a: np.sum(f(a, RIGHT)))(matrix)
        alike(ours, order(lambda a: np.sum(reference(a, RIGHT)))(matrix), 1e-9, "by iteration")
    x = np.linspace(0, 1, 3)
    inverse = wg.grad(lambda b: np.sum(wg.fixed_point(lambda v: b + 0.5 * v, x)))(x)
    np.testing.assert_allclose(inverse, 2.0, rtol=1e-10)


def test_scalar_roots():
    def root(a):
        return wg.custom_root(
            lambda x: x**3 + a * x - 2, 1.0, lambda f, _: optimize.brentq(f, 0, 9, xtol=1e-15)
        )

    x = root(1.0)
    assert x == pytest.approx(1.0, abs=1e-14)
    slope = -1 / 4  # x' = -x / (3x² + a)
    assert wg.grad(root)(1.0) == pytest.approx(slope, rel=1e-13)
    second = -2 * slope / 4 - 6 * slope**2 / 4
    for f in (wg.grad(wg.grad(root)), wg.hessian(root), wg.jacfwd(wg.jacfwd(root))):
        assert f(1.0) == pytest.approx(second, rel=1e-12)
    values = np.array([0.5, 1.0, 3.0])
    np.testing.assert_allclose(wg.vmap(root)(values), [root(a) for a in values], rtol=1e-14)
    np.testing.assert_allclose(
        wg.vmap(wg.grad(root))(values), [wg.grad(root)(a) for a in values], rtol=1e-13
    )


def test_structures_and_further_results():
    def solve(f, start):
        x = start
        steps, r = 0, f(x)
        while max(abs(r["u"]), np.max(abs(r["v"]))) > 1e-14:
            x = {"u": x["u"] - 0.3 * r["u"], "v": x["v"] - 0.3 * r["v"]}
            steps, r = steps + 1, f(x)
        return x, {"steps": np.asarray(steps)}

    def f(a, b):
        def residual(x):
            return {"u": x["u"] * 2 - a + np.sum(x["v"]) * 0.1, "v": x["v"] * b - x["u"]}

        return wg.custom_root(residual, {"u": 0.0, "v": np.zeros(2)}, solve, has_aux=True)

    b = np.array([1.5, 2.0])
    _, aux = f(1.0, b)
    assert int(aux["steps"]) > 5

    def exact(a, b):
        u = a / (2 + 0.1 * np.sum(1 / b))
        return u + np.sum(u / b * np.array([1.0, 3.0]))

    def ours(a, b):
        x, aux = f(a, b)
        assert aux["steps"].dtype == np.int64
        return x["u"] + np.sum(x["v"] * np.array([1.0, 3.0]))

    assert ours(1.0, b) == pytest.approx(exact(1.0, b), rel=1e-12)
    for order in (wg.grad, wg.hessian):
        alike(order(ours, argnums=1)(1.0, b), order(exact, argnums=1)(1.0, b), 1e-11, "structures")
    alike(wg.jacfwd(ours)(1.0, b), wg.grad(exact)(1.0, b), 1e-11, "forward")


def test_other_dtypes():
    single = wg.custom_linear_solve(
        lambda x: np.float32(2.0) * x, np.ones(2, np.float32), lambda mv, b: b / 2, symmetric=True
    )
    assert single.dtype == np.float32
    turn = np.array([[2.0, 1j], [0.5, 3.0]])

    def solve(matvec, b):
        return np.linalg.solve(np.stack([matvec(e) for e in np.eye(2, dtype=complex)], 1), b)

    def f(b):
        x = wg.custom_linear_solve(lambda x: turn @ x, b, solve, solve)
        return np.sum(abs(x) ** 2)

    b = np.array([1.0 + 2j, -0.5])
    expected = wg.grad(lambda b: np.sum(abs(np.linalg.inv(turn) @ b) ** 2))(b)
    np.testing.assert_allclose(wg.grad(f)(b), expected, rtol=1e-13)
    real = wg.custom_linear_solve(lambda x: turn @ x, np.ones(2), solve, solve)
    np.testing.assert_allclose(real, np.linalg.solve(turn, np.ones(2)), rtol=1e-14)
    x = wg.fixed_point(lambda x: np.cos(x), np.float32(1.0))
    assert x.dtype == np.float32
    assert x == pytest.approx(0.739085, rel=1e-6)


def test_the_solver_runs_and_is_not_differentiated():
    seen = []

    def solve(matvec, b):
        seen.append(type(b))
        return scipy_cg(matvec, b)

    def f(a):
        return np.sum(symmetric(a, RIGHT, solve))

    wg.value_and_grad(f)(SYMMETRIC)
    plain = [kind for kind in seen if kind is np.ndarray]
    assert len(plain) == 2  # the solution, and the adjoint


def test_repeated_calls_meet_the_same_program(caplog):
    def f(a, b):
        def solve(matvec, c):
            return cg(LinearOperator((N, N), matvec, dtype=float), c, rtol=1e-14, atol=0)[0]

        return np.sum(wg.custom_linear_solve(lambda x: a @ x, b, solve, symmetric=True))

    from wengert.execution.programs import _PROGRAMS

    for _ in range(3):
        wg.grad(f)(SYMMETRIC, RIGHT)
    before = len(_PROGRAMS)
    for k in range(10):
        wg.grad(f)(SYMMETRIC * (k + 1.0), RIGHT)
    assert len(_PROGRAMS) == before


def test_a_solver_on_plain_values_may_hold_traced_arrays():
    def f(a, b):
        scale = np.sum(a)

        def precondition(v, by=scale):
            return v * by / scale

        parts = (a, [b])

        def solve(matvec, c):
            bound = float(scale)  # which a traced array refuses
            assert type(parts[0]) is type(parts[1][0]) is np.ndarray
            return np.linalg.solve(parts[0] + 0 * bound, precondition(c))

        return np.sum(wg.custom_linear_solve(lambda x: a @ x, b, solve, symmetric=True))

    for g in (f, wg.jit(f)):
        expected = wg.grad(lambda a, b: np.sum(np.linalg.solve(a, b)), (0, 1))(SYMMETRIC, RIGHT)
        alike(wg.grad(g, (0, 1))(SYMMETRIC, RIGHT), expected, 1e-12, "closures")

    class Model:
        def __init__(self, a):
            self.a = a

        def solve(self, matvec, c):
            return np.linalg.solve(self.a + 0 * float(np.sum(c)), c)

    def by_object(a):
        model = Model(a)
        return np.sum(wg.custom_linear_solve(lambda x: a @ x, RIGHT, model.solve, symmetric=True))

    with pytest.raises(TypeError, match=r"in a method.*tuples and lists"):
        wg.grad(by_object)(SYMMETRIC)


def test_loops_and_solutions_inside_one_another():
    def f(a):
        def step(x, r):
            return wg.fixed_point(lambda v: np.cos(a * v) * 0.5 + r, x), x

        return np.sum(wg.scan(step, 0.3, np.array([0.1, 0.2, 0.5]))[0])

    def unrolled(a):
        x = 0.3
        for r in (0.1, 0.2, 0.5):
            for _ in range(60):
                x = np.cos(a * x) * 0.5 + r
        return x

    for order in (lambda g: g, wg.grad, wg.hessian, lambda g: wg.jacfwd(wg.jacfwd(g))):
        assert order(f)(0.7) == pytest.approx(order(unrolled)(0.7), rel=1e-10)


def test_errors():
    with pytest.raises(NotDifferentiable, match="transpose_solve"):
        wg.grad(lambda b: np.sum(wg.custom_linear_solve(lambda x: 2 * x, b, lambda _, c: c / 2)))(
            RIGHT
        )
    with pytest.raises(TypeError, match="must be linear"):
        wg.custom_linear_solve(lambda x: x**2, RIGHT, scipy_cg)
    with pytest.raises(TypeError, match="shapes"):
        wg.custom_root(lambda x: np.sum(x), RIGHT, scipy_root)
    with pytest.raises(TypeError, match="structure"):
        wg.custom_root(lambda x: (x, x), RIGHT, scipy_root)
    with pytest.raises(TypeError, match="where the unknown"):
        wg.grad(lambda b: np.sum(wg.custom_root(lambda x: x - b, b, lambda f, x: x[:2])))(RIGHT)
    with pytest.raises(TypeError, match=r"pair \(solution, aux\)"):
        wg.custom_root(lambda x: x - 1, RIGHT, lambda f, x: x, has_aux=True)
    with pytest.raises(ValueError, match="maxiter"):
        wg.fixed_point(np.cos, 1.0, maxiter=0)
    with pytest.raises(ZeroDivisionError):
        wg.custom_root(lambda x: x - 1, RIGHT, lambda f, x: 1 / 0)


def test_an_iteration_that_does_not_converge_gives_nan():
    assert np.isnan(wg.fixed_point(lambda x: 2.5 * x * (1 - x), 0.3, maxiter=3))
    ends = wg.vmap(lambda r: wg.fixed_point(lambda x: r * x * (1 - x), 0.3, maxiter=300))(
        np.array([2.5, 3.9])
    )
    assert ends[0] == pytest.approx(0.6)
    assert np.isnan(ends[1])
