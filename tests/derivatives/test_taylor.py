"""Taylor mode gives known series, and what nested forward mode gives, at a polynomial price."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special as sp

import wengert as wg
from wengert.derivatives.series import expanded
from wengert.errors import NotDifferentiable, WengertTypeError, WengertValueError
from wengert.graph.types import FLOAT, array_type
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

A = np.array([[3.0, 1.0, 0.2], [0.5, 4.0, 1.0], [0.1, 0.3, 5.0]])
B = A @ A.T
V = np.array([1.0, -2.0, 0.5])


def nested(f, order):
    """The derivative of that order by one jvp over the other."""
    for _ in range(order):
        f = (lambda g: lambda x: wg.jvp(g, (x,), (1.0,))[1])(f)
    return f


def derivatives(f, x, order):
    return wg.taylor(f, (x,), ([1.0],), order=order)[1]


# ------------------------------------------------------------------------------ known series

FACTORIALS = [math.factorial(k) for k in range(1, 11)]
KNOWN = {
    "sin": (np.sin, [1, 0, -1, 0] * 2 + [1, 0]),
    "exp": (np.exp, [1] * 10),
    "log1p": (np.log1p, [(-1) ** k * math.factorial(k) for k in range(10)]),
    "1/(1-x)": (lambda x: 1 / (1 - x), FACTORIALS),
    "(1-x)^-1": (lambda x: (1 - x) ** -1.0, FACTORIALS),
    "tan": (np.tan, [1, 0, 2, 0, 16, 0, 272, 0, 7936, 0]),
    "sec": (lambda x: 1 / np.cos(x), [0, 1, 0, 5, 0, 61, 0, 1385, 0, 50521]),
    "tanh": (np.tanh, [1, 0, -2, 0, 16, 0, -272, 0, 7936, 0]),
    "arctan": (np.arctan, [1, 0, -2, 0, 24, 0, -720, 0, 40320, 0]),
    "arcsin": (np.arcsin, [1, 0, 1, 0, 9, 0, 225, 0, 11025, 0]),
    "exp(exp - 1)": (
        lambda x: np.exp(np.expm1(x)),
        [1, 2, 5, 15, 52, 203, 877, 4140, 21147, 115975],
    ),
    "sinh": (np.sinh, [1, 0] * 5),
    "x^7": (lambda x: x**7, [0, 0, 0, 0, 0, 0, 5040, 0, 0, 0]),
    "sqrt(1+x)": (
        lambda x: np.sqrt(1 + x),
        [(-1) ** (k + 1) * math.prod(range(1, 2 * k - 2, 2)) / 2**k for k in range(1, 11)],
    ),
    "bessel": (  # J0 = Σ (−1)^m (x/2)^{2m} / m!², DLMF 10.2.2
        sp.j0,
        [0, -1 / 2, 0, 3 / 8, 0, -5 / 16, 0, 35 / 128, 0, -63 / 256],
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_series(name):
    f, expected = KNOWN[name]
    np.testing.assert_allclose(derivatives(f, 0.0, 10), expected, rtol=2e-14, atol=1e-13)


def test_the_solution_of_bessels_equation():
    """x² y'' + x y' + (x² − n²) y = 0 holds at a point, and so do its derivatives."""
    f = lambda x: sp.jv(2.0, x)
    equation = lambda x: (
        x**2 * wg.directional_derivative(f, x, 1.0, order=2)
        + x * wg.directional_derivative(f, x, 1.0)
        + (x**2 - 4) * f(x)
    )
    np.testing.assert_allclose(equation(1.3), 0, atol=1e-15)
    np.testing.assert_allclose(derivatives(equation, 1.3, 4), np.zeros(4), atol=1e-13)


def test_a_derivative_at_zero_where_powers_end():
    """Derivatives of x^2.5 at 0 exist up to the second; of |x|³ the third jumps."""
    assert derivatives(lambda x: x**2.5, 0.0, 2) == [0.0, 0.0]
    assert derivatives(lambda x: x**3, 0.0, 6) == [0, 0, 6, 0, 0, 0]


# ------------------------------------------------------------------------ nested forward mode

FUNCTIONS = {
    "power": lambda x: (x + 1) ** 2.5,
    "self-power": lambda x: (1 + x) ** x,
    "quotient": lambda x: np.sin(x) / (1 + x * x),
    "gamma": lambda x: sp.gamma(1.5 + x),
    "erf": sp.erf,
    "ive": lambda x: sp.ive(1.0, x),
    "airy": lambda x: sp.airy(x)[0],
    "where": lambda x: np.where(x > 0, np.exp(x), np.log(x)),
    "maximum": lambda x: np.maximum(np.sin(x), x * x),
    "abs": lambda x: np.abs(np.sin(x) - 1) * x,
    "max": lambda x: np.max(x * A) ** 2,
    "norm": lambda x: np.linalg.norm(np.stack([x, x * x, 1 + x])),
    "logsumexp": lambda x: np.log(np.sum(np.exp(x * A))),
    "cumprod": lambda x: np.cumprod(x * A[0] + 1)[-1],
    "convolve": lambda x: np.convolve(np.sin(x * A[0]), np.cos(x * A[1]))[2],
    "fft": lambda x: np.abs(np.fft.fft(np.sin(x * A[0])))[1],
    "complex": lambda x: np.abs(np.exp(1j * x) * (1 + 2j * x)),
    "matmul": lambda x: ((A * np.sin(x)) @ (A.T * x) @ V).sum(),
    "solve": lambda x: np.linalg.solve(A + x * A.T, V * np.exp(x)).sum(),
    "inv": lambda x: np.linalg.inv(A + x * A.T)[0, 1],
    "slogdet": lambda x: np.linalg.slogdet(A + x * B)[1],
    "cholesky": lambda x: np.linalg.cholesky(B + x * x * np.eye(3))[2, 1],
    "eigvalsh": lambda x: np.linalg.eigvalsh(B + x * np.diag(V) + x * x)[1],
    "eigenvector": lambda x: np.linalg.eigh(B + x * np.diag(V) + x * x)[1][0, 0] ** 2,
    "indexing": lambda x: np.stack([x, x**2, np.exp(x)])[::-1][:2].prod(),
    "custom": lambda x: _ruled(x) * x,
}


@wg.custom_jvp
def _ruled(x):
    return np.sin(x)


_ruled.defjvp(lambda p, t: (np.sin(p[0]), np.cos(p[0]) * t[0]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nested_forward_mode(name):
    f, x = FUNCTIONS[name], 0.37
    ours = derivatives(f, x, 5)
    theirs = [nested(f, k)(x) for k in range(1, 6)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("x", [0.37, -0.37])
def test_loops_and_branches(x):
    def scanned(x):
        return wg.scan(lambda c, a: (np.sin(c * x + a), c * a), x, np.arange(4.0) * x)[1].sum()

    def awhile(x):
        return wg.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, np.sin(c[1] * x)), (0, x))[1]

    def branched(x):
        def step(c, _):
            return wg.cond(c > 0.2, np.sin, np.exp, c), None

        return wg.cond(x > 0, lambda y: wg.scan(step, y, length=3)[0] * x, lambda y: y * y, x)

    for f in (scanned, awhile, branched, wg.grad(scanned), wg.grad(awhile)):
        theirs = [nested(f, k)(x) for k in range(1, 4)]
        np.testing.assert_allclose(derivatives(f, x, 3), theirs, rtol=1e-12, atol=1e-12)


def test_branches_that_instances_choose():
    def solved(y):
        return np.linalg.solve(np.eye(3) * (2 + y) + 0.1, np.ones(3) * y).sum()

    def f(x):
        each = wg.vmap(lambda a: wg.cond(a > 0, solved, lambda y: y**3, a))
        return each(x * np.array([1.0, -1.0, 2.0])).sum()

    theirs = [nested(f, k)(0.4) for k in range(1, 4)]
    np.testing.assert_allclose(derivatives(f, 0.4, 3), theirs, rtol=1e-12)


def test_a_loop_stays_one_loop():
    def f(x):
        return wg.scan(lambda c, _: (np.sin(c * x), None), x, length=50)[0]

    graph = _graph(f, 6)
    assert sum(node.op.name == "scan" for node in graph) == 1


def test_an_implicit_function():
    def root(a):
        return wg.custom_root(
            lambda y: y**3 + a * y - 1,
            0.5,
            lambda f, y: wg.while_loop(
                lambda y: np.abs(f(y)) > 1e-14, lambda y: y - f(y) / (3 * y * y + a), y
            ),
            lambda g, y: y / g(1.0),
        )

    theirs = [nested(root, k)(0.3) for k in range(1, 4)]
    np.testing.assert_allclose(derivatives(root, 0.3, 3), theirs, rtol=1e-11)


# -------------------------------------------------------------------------------------- price


def _graph(f, order, at=0.37):
    with outermost() as session:
        x = session.input(np.float64(at), array_type((), FLOAT))
        v = session.input(np.float64(1.0), array_type((), FLOAT))
        (y,) = [f(Tracer(x, session)).node]
        found = expanded([y], {x: [v]}, order)
        return topological([node for node in found if node is not None])


QUADRATIC = ["quotient", "erf", "logsumexp", "solve", "inv", "cholesky", "matmul"]


@pytest.mark.parametrize("name", [*QUADRATIC, "eigvalsh", "ive", "self-power", "power"])
def test_the_price_is_a_polynomial_of_the_order(name):
    """From order 6 to 12 order² grows four times, order³ eight times, 2^order 64 times."""
    small, large = (len(_graph(FUNCTIONS[name], order)) for order in (6, 12))
    assert large < (4 if name in QUADRATIC else 8) * small


def test_long_programs_do_not_recurse():
    def f(x):
        for _ in range(1500):
            x = np.sin(x) * 0.999
        return x

    assert np.isfinite(derivatives(f, 0.3, 2)).all()


# ----------------------------------------------------------------- curves, structures, dtypes


def test_curves_with_several_derivatives():
    """f along x(t) = x + 2t + 3t²/2 − t³/6 is f∘x as a function of t."""
    f = FUNCTIONS["quotient"]
    x = 0.4
    composed = lambda t: f(x + 2 * t + 1.5 * t**2 - t**3 / 6)
    value, ours = wg.taylor(f, (x,), ([2.0, 3.0, -1.0],), order=5)
    assert value == f(x)
    np.testing.assert_allclose(ours, derivatives(composed, 0.0, 5), rtol=1e-13)


def test_several_arguments_and_structures():
    def f(p, w):
        return {"a": p["u"] @ w + np.sin(p["v"][0]), "b": (np.sum(w**3), 2.0)}

    p = {"u": A, "v": (0.3,)}
    d = {"u": B, "v": (1.0,)}
    value, (first, second, third) = wg.taylor(f, (p, V), ([d], [V, 2 * V]), order=3)
    t = lambda s: f({"u": A + s * B, "v": (0.3 + s,)}, V + s * V + s * s * V)
    for k, ours in enumerate((first, second, third), 1):
        theirs = nested(t, k)(0.0)
        np.testing.assert_allclose(ours["a"], theirs["a"], rtol=1e-13)
        np.testing.assert_allclose(ours["b"][0], theirs["b"][0], rtol=1e-13)
        assert ours["b"][1] == 0
    np.testing.assert_allclose(value["a"], A @ V + np.sin(0.3))


def test_arrays_and_single_precision():
    x = np.linspace(0.1, 1, 5, dtype=np.float32)
    value, terms = wg.taylor(np.exp, (x,), ([np.ones(5, np.float32)],), order=4)
    for term in (value, *terms):
        assert term.dtype == np.float32
        np.testing.assert_allclose(term, np.exp(x), rtol=1e-6)


def test_integers_have_no_derivatives():
    f = lambda x, n: (x**n, n + 1)
    zero = np.zeros((), wg.float0)
    value, (first, second) = wg.taylor(f, (2.0, np.int64(3)), ([1.0, 0.0], [zero, zero]))
    assert value == (8.0, 4)
    assert (first[0], second[0]) == (12.0, 12.0)
    assert first[1].dtype == second[1].dtype == wg.float0


def test_directional_derivatives():
    f = lambda x: np.sum(x**3) * x[0]
    along = lambda t: f(V + t * A[0])
    for k in range(5):
        ours = wg.directional_derivative(f, V, A[0], order=k)
        np.testing.assert_allclose(ours, nested(along, k)(0.0), rtol=1e-13)
    assert wg.directional_derivative(lambda x, y: x * x * y, 2.0, 1.0, 5.0, order=2) == 10.0


# -------------------------------------------------------------------- other transformations


def test_derivatives_of_coefficients():
    f = FUNCTIONS["quotient"]
    third = lambda x: wg.directional_derivative(f, x, 1.0, order=3)
    expected = nested(f, 4)(0.4)
    for made in (wg.grad(third), wg.jit(wg.grad(third)), wg.jacfwd(third)):
        np.testing.assert_allclose(made(0.4), expected, rtol=1e-12)
    by_direction = wg.grad(lambda v: wg.directional_derivative(f, 0.4, v, order=3))
    np.testing.assert_allclose(by_direction(2.0), 3 * 2.0**2 * third(0.4), rtol=1e-13)


def test_nesting_does_not_confuse_directions():
    d = wg.directional_derivative
    assert wg.grad(lambda a: d(lambda x: x**3 * a, a, 1.0, order=2))(2.0) == 24.0
    assert d(lambda a: d(lambda x: x**3 * a**2, a, 1.0, order=2), 2.0, 1.0, order=2) == 72.0
    assert d(lambda a: a * d(lambda x: x + a, a, 1.0), 3.0, 1.0) == 1.0
    step = lambda c, a: (d(np.sin, c * a, a, order=3), None)
    looped = lambda a: wg.scan(step, a, np.array([1.0, 0.5]))[0]
    once = -np.cos(0.7)
    np.testing.assert_allclose(looped(0.7), -np.cos(0.5 * once) / 8, rtol=1e-14)
    theirs = [nested(looped, k)(0.7) for k in (1, 2, 3)]
    np.testing.assert_allclose(derivatives(looped, 0.7, 3), theirs, rtol=1e-12)


def test_compiled_and_mapped():
    f = FUNCTIONS["logsumexp"]
    made = lambda x: wg.taylor(f, (x,), ([1.0],), order=4)[1]
    xs = np.array([0.1, 0.5])
    for ours in (wg.vmap(made)(xs), [wg.jit(made)(x) for x in xs]):
        rows = np.transpose(ours) if isinstance(ours, tuple | list) and len(ours) == 4 else ours
        np.testing.assert_allclose(rows, [made(x) for x in xs], rtol=1e-12)


def test_nothing_comes_from_a_branch_not_taken():
    f = lambda x: np.where(x > 0, np.log(x), x) * np.where(x > 0, 1 / x, x)
    x = np.array([0.0, -1.0, 2.0])
    with np.errstate(all="ignore"):  # of the function itself
        terms = wg.taylor(f, (x,), ([np.ones(3)],), order=4)[1]
    np.testing.assert_array_equal(np.array(terms)[:, :2], [[0, -2], [2, 2], [0, 0], [0, 0]])
    second = lambda x: wg.taylor(f, (x,), ([np.ones(3)],), order=3)[1][1][:2].sum()
    with np.errstate(all="ignore"):
        slopes = wg.grad(second)(x)
    np.testing.assert_array_equal(slopes, [0, 0, 0])


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: wg.taylor(np.sin, 1.0, ([1.0],)), WengertTypeError, "as a tuple"),
        (lambda: wg.taylor(np.sin, (1.0,), (1.0,)), WengertTypeError, "a list of its derivatives"),
        (lambda: wg.taylor(np.sin, (1.0,), ()), WengertTypeError, "one series"),
        (lambda: wg.taylor(np.sin, (1.0,), ([1.0],), order=-1), WengertValueError, "at least 0"),
        (lambda: wg.taylor(np.sin, (1.0,), ([1.0],), order=1.5), WengertTypeError, "an int"),
        (lambda: wg.taylor(np.sin, (V,), ([V[:2]],)), WengertValueError, "derivative 1"),
        (lambda: wg.taylor(1.0, (V,), ([V],)), WengertTypeError, "needs a function"),
        (
            lambda: wg.directional_derivative(np.sin, V, V[:2], order=2),
            WengertValueError,
            "the direction",
        ),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_rule_of_reverse_mode_alone_is_named():
    @wg.custom_vjp
    def f(x):
        return np.sin(x)

    f.defvjp(lambda x: (np.sin(x), x), lambda x, ct: (np.cos(x) * ct,))
    with pytest.raises(NotDifferentiable, match="reverse-mode rule alone"):
        wg.taylor(f, (1.0,), ([1.0],))
