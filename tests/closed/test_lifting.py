"""What a function reads has the names that its author gave; what is assumed is checked."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from engine import agrees, derived

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError
from wengert.explaining.closed.deriving import lift

rng = np.random.default_rng(1)
A = rng.normal(size=(4, 3))
b = rng.normal(size=4)
S = rng.normal(size=(3, 3))
x = rng.normal(size=3)
z = rng.normal(size=3)
lam = 0.37
weights = {"w": rng.normal(size=3), "bias": 0.5}


def gradient(f: Any, *examples: Any, **options: Any) -> str:
    return str(derived(f, *examples, **options).gradient)


# --------------------------------------------------------------------------------------- names


def test_globals_and_numbers() -> None:
    assert gradient(lambda x: np.sum((A @ x - b) ** 2) + lam * x @ x, x) == (
        "2*A'*(A*x - b) + 2*lam*x"
    )


def test_constants_are_symbols_before_anything_traced_is_met() -> None:
    assert gradient(lambda x: (-b) @ A @ x, x) == "-A'*b"
    assert gradient(lambda x: (2 * lam) * x @ x, x) == "4*lam*x"
    assert gradient(lambda x: np.sum((A.T @ b - x) ** 2), x) == "2*(x - A'*b)"


def test_closures_and_functions_that_are_called() -> None:
    K, k = S, z

    def residual(x: Any) -> Any:
        return K @ x - k

    def loss(x: Any) -> Any:
        return residual(x) @ residual(x)

    assert gradient(loss, x) == "2*K'*(K*x - k)"


def test_a_float_of_equal_value_is_not_taken_for_a_variable() -> None:
    three = 3.0
    assert gradient(lambda x: np.mean(x**2) * three, x) == "2/3*three*x"


class _Model:
    def __init__(self) -> None:
        self.M = A
        self.shift = b

    def loss(self, x: Any) -> Any:
        return np.sum((self.M @ x - self.shift) ** 2)

    def __call__(self, x: Any) -> Any:
        return self.loss(x)


@pytest.mark.parametrize("f", [_Model().loss, _Model()], ids=["method", "object"])
def test_attributes(f: Any) -> None:
    assert gradient(f, x) == "2*M'*(M*x - shift)"


def test_partials_defaults_keywords_and_jit() -> None:
    assert gradient(functools.partial(lambda M, v: v @ M @ v, v=x), S) == "v*v'"
    assert gradient(lambda x, M=S: x @ M @ x, x) == "(M + M')*x"
    assert gradient(lambda x, *, M=S: x @ M @ x, x) == "(M + M')*x"
    assert gradient(wg.jit(lambda x: x @ S @ x), x) == "(S + S')*x"


def test_structures() -> None:
    def f(x: Any) -> Any:
        return np.tanh(weights["w"] @ x + weights["bias"])

    assert gradient(f, x) == "(1 - tanh(<w'*x> + bias)^2)*w"
    assert gradient(lambda p: p["u"] @ S @ p["v"], {"u": x, "v": z}, wrt="u") == "S*v"


def test_the_function_itself_is_left_as_it_is() -> None:
    inside = S.copy()

    def f(x: Any) -> Any:
        return np.sum(A @ x) + weights["w"] @ inside @ x

    expected = f(x)
    lift(f, [x])
    assert f(x) == expected
    assert f.__closure__[0].cell_contents is inside
    assert isinstance(weights["w"], np.ndarray)


def test_constants_in_order_of_reading_and_no_others() -> None:
    problem = lift(lambda x: np.sum((A @ x - b) ** 2), [x])
    assert [named.symbol.name for named in problem.constants] == ["A", "b"]
    assert problem.constants[0].value is A


# ---------------------------------------------------------------------------------- arguments


def test_the_variable() -> None:
    def f(x: Any, M: Any) -> Any:
        return x @ M @ x

    assert gradient(f, x, S) == "(M + M')*x"
    assert gradient(f, x, S, wrt="M") == gradient(f, x, S, wrt=1) == "x*x'"
    agrees(f, x, S, wrt=1)


def test_integers_are_floats_where_there_is_nothing_else() -> None:
    assert gradient(lambda x: x @ x, np.array([1, 2, 3])) == "2*x"
    assert gradient(lambda s: s**2, 3) == "2*s"


@pytest.mark.parametrize("wrt", ["y", 1, -2])
def test_a_variable_that_is_none(wrt: Any) -> None:
    with pytest.raises(WengertValueError, match=r"wrt="):
        lift(lambda x: x @ x, [x], wrt=wrt)


def test_no_example() -> None:
    with pytest.raises(WengertTypeError, match="an example of an argument"):
        lift(lambda: 1.0, [])


def test_complex_and_several_results() -> None:
    with pytest.raises(WengertTypeError, match="real numbers"):
        lift(lambda x: np.sum(np.fft.fft(x)), [x])
    with pytest.raises(WengertTypeError, match="one number or array"):
        lift(lambda x: (x, x), [x])


def test_branches_are_told() -> None:
    assert lift(lambda x: x @ x if x[0] > 0 else -x @ x, [np.abs(x)]).branched
    assert not lift(lambda x: x @ x if lam > 0 else -x @ x, [x]).branched


# -------------------------------------------------------------------------------- assumptions


def test_assumptions_shorten() -> None:
    P, W, signs = S + S.T, np.diag([1.0, 2.0, 3.0]), np.array([1.0, -1.0, 1.0, 1.0])
    Q = np.linalg.qr(S)[0]
    assert gradient(lambda x: x @ P @ x, x, assume={"P": "symmetric"}) == "2*P*x"
    assert gradient(lambda x: x @ W @ x, x, assume={"W": ["diagonal"]}) == "2*W*x"
    assert gradient(lambda x: np.sum((Q @ x) ** 2), x, assume={"Q": "orthogonal"}) == "2*x"
    logistic = derived(
        lambda x: np.sum(np.log(1 + np.exp(-signs * (A @ x)))), x, assume={"signs": "signs"}
    )
    assert str(logistic.hessian) == "A'*diag((sigmoid(A*x) o (1 - sigmoid(A*x))))*A"
    assert gradient(lambda x: np.sum(np.abs(x)), np.abs(x), assume={"x": "positive"}) == "1"


def test_roots_need_what_is_known_of_signs() -> None:
    P = S @ S.T
    P = P + P.T
    known = derived(lambda x: np.sqrt((x @ P @ x) ** 2), x, assume={"P": "positive definite"})
    assert str(known.function) == "<x'*P*x>"
    assert str(derived(lambda x: np.sqrt((x @ S @ x) ** 2), x).function) == "abs(<x'*S*x>)"


@pytest.mark.parametrize(
    ("assume", "message"),
    [
        ({"S": "symmetric"}, "not symmetric"),
        ({"S": "square"}, "cannot be 'square'"),
        ({"T": "symmetric"}, "no T"),
        ({"b": "signs"}, r"not an array of \+1 and -1"),
        ({"x": "symmetric"}, "differentiated by"),
    ],
)
def test_assumptions_that_do_not_hold(assume: dict[str, str], message: str) -> None:
    with pytest.raises(WengertValueError, match=message):
        lift(lambda x: x @ S @ x + b @ A @ x, [x], assume=assume)
