"""`check_grads` names the operation whose derivative is wrong: wrong rules are planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.checking.culprits import Culprit
from wengert.checking.gradients import WrongDerivative
from wengert.execution.programs import clear_caches
from wengert.graph.node import Node
from wengert.graph.op import ZERO
from wengert.graph.registry import find
from wengert.ops import linear

X = np.array([0.5, -1.0, 2.0])


def blamed(f: Callable[..., Any], *args: Any, **options: Any) -> Culprit:
    """What a check that fails names."""
    with pytest.raises(WrongDerivative) as found:
        wg.check_grads(f, args, **options)
    culprit = found.value.culprit
    assert culprit is not None
    assert str(culprit).splitlines()[0] in str(found.value)
    assert culprit.place.file == __file__
    return culprit


@pytest.fixture
def plant(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Put another rule into the record of an op, until the test ends."""

    def put(name: str, **slots: Any) -> None:
        op = find(name)
        for slot, rule in slots.items():
            before = getattr(op, slot)
            request.addfinalizer(lambda op=op, s=slot, b=before: object.__setattr__(op, s, b))
            object.__setattr__(op, slot, rule)
        clear_caches()
        request.addfinalizer(clear_caches)

    return put


def off(node: Node, tangents: Any) -> Any:
    """The derivative of sin, a millionth too large."""
    one = find("full")(1 + 1e-5, node.dtype, node.shape)
    return linear.scale(tangents[0], find("multiply")(find("cos")(node.args[0]), one))


def program(x):
    a = np.exp(-x * x)
    b = np.sin(a)
    c = b * x
    return np.sum(c * c)


def test_a_wrong_pushforward(plant: Callable[..., None]) -> None:
    plant("sin", pushforward=off)
    for modes in ("fwd", "rev", ("fwd", "rev")):
        found = blamed(program, X, modes=modes)
        assert (found.op, found.kind) == ("sin", "pushforward")
        assert found.place.text == "b = np.sin(a)"
        assert found.inputs == ("float64[3]",)
        assert np.allclose(found.got, (1 + 1e-5) * found.want, rtol=1e-7)
    plant("sin", pushforward=ZERO)
    assert blamed(program, X).got.tolist() == [0, 0, 0]


def test_a_wrong_transpose(plant: Callable[..., None]) -> None:
    def f(x):
        y = np.cumsum(x**2)
        return np.sum(np.sin(y))

    right = find("cumsum").transpose
    plant("cumsum", transpose=lambda node, ct, wanted: (find("cumsum")(ct, *node.params),))
    found = blamed(f, X)
    assert (found.op, found.kind, found.mode) == ("cumsum", "transpose", "rev")
    assert found.place.text == "y = np.cumsum(x**2)"
    assert found.got != found.want
    wg.check_grads(f, (X,), modes="fwd")
    plant("cumsum", transpose=right)
    wg.check_grads(f, (X,))


def test_a_wrong_transpose_of_what_a_derivative_is_made_of(plant: Callable[..., None]) -> None:
    plant(
        "multiply",
        transpose=lambda node, ct, wanted: tuple(
            linear.scale(ct, find("negative")(other)) if flag else None
            for other, flag in zip(node.args[::-1], wanted, strict=True)
        ),
    )
    found = blamed(lambda x: np.sum(np.sin(x)), X, modes="rev", order=1)
    assert (found.op, found.of, found.kind) == ("multiply", "sin", "transpose")


def test_what_is_wrong_in_second_order_only(plant: Callable[..., None]) -> None:
    def push(node: Node, tangents: Any) -> Any:
        return linear.scale(tangents[0], find("stop_gradient")(find("cos")(node.args[0])))

    plant("sin", pushforward=push)
    wg.check_grads(program, (X,), order=1)
    for modes in ("fwd", "rev"):
        found = blamed(program, X, order=2, modes=modes)
        assert (found.op, found.of, found.place.text) == ("stop_gradient", "sin", "b = np.sin(a)")


def test_the_first_of_two(plant: Callable[..., None]) -> None:
    plant("sin", pushforward=off)
    plant("exp", pushforward=ZERO)
    assert blamed(program, X).op == "exp"


# -------------------------------------------------------------------------- rules of the user's


@wg.custom_jvp
def pushed(x):
    return np.sin(x)


@pushed.defjvp
def pushed_rule(primals, tangents):
    return pushed(primals[0]), 2 * tangents[0] * np.cos(primals[0])


@wg.custom_vjp
def pulled(x):
    return np.sin(x)


def pulled_forward(x):
    return pulled(x), x


def pulled_backward(x, ct):
    return (1.1 * ct * np.cos(x),)


pulled.defvjp(pulled_forward, pulled_backward)


def test_rules_of_ones_own() -> None:
    def f(x):
        y = x * x
        return np.sum(pushed(y))

    found = blamed(f, X)
    assert (found.op, found.kind, found.place.text) == (
        "pushed",
        "pushforward",
        "return np.sum(pushed(y))",
    )
    (rule,) = found.rules
    assert rule.startswith("pushed_rule (")
    assert found.inputs == ("float64[3]",)

    def g(x):
        y = x * x
        return np.sum(pulled(y))

    found = blamed(g, X, modes="rev")
    assert (found.op, found.kind) == ("pulled", "transpose")
    assert [rule.split()[0] for rule in found.rules] == ["pulled_forward", "pulled_backward"]
    assert found.got == pytest.approx(1.1 * found.want)


def test_a_primitive() -> None:
    cube = wg.primitive(lambda x: np.asarray(x) ** 3)
    wg.defjvp(cube, lambda t, y, x: 2 * x**2 * t)
    found = blamed(lambda x: cube(np.sin(x)), X, modes="fwd")
    assert found.kind == "pushforward"
    assert found.got == pytest.approx(2 / 3 * found.want)


def test_under_vmap_and_jit() -> None:
    found = blamed(wg.vmap(lambda x: pushed(x * x)), X)
    assert found.op == "pushed"
    assert blamed(wg.jit(lambda x: np.sum(pushed(x * x))), X).op == "pushed"


def test_in_loops_and_branches() -> None:
    def looped(x):
        def step(c, t):
            d = pushed(c) * t
            return d, d

        return wg.scan(step, x, np.arange(1.0, 4.0))

    found = blamed(looped, X)
    assert (found.op, found.within) == ("pushed", ("step 0 of scan",))
    assert found.place.text == "d = pushed(c) * t"
    found = blamed(lambda x: wg.cond(x[0] > 0, lambda x: pushed(x), lambda x: x, x), X)
    assert (found.op, found.within) == ("pushed", ("branch 1 of cond",))
    found = blamed(wg.checkpoint(lambda x: np.sum(pushed(x))), X)
    assert (found.op, found.within) == ("pushed", ("checkpoint",))
    found = blamed(
        lambda x: wg.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, pushed(c[1])), (0, x)),
        X,
        modes="fwd",
    )
    assert (found.op, found.within) == ("pushed", ("step 0 of while_loop",))


def test_stop_gradient_is_told() -> None:
    found = blamed(lambda x: x * wg.stop_gradient(x), X)
    assert (found.op, found.got.tolist()) == ("stop_gradient", [0, 0, 0])


def test_single_precision_and_complex_numbers() -> None:
    found = blamed(lambda x: np.sum(pushed(x) * 3), X.astype(np.float32))
    assert found.op == "pushed"
    found = blamed(lambda z: pushed(z * 1j), X + 0.5j)
    assert found.op == "pushed"


# ------------------------------------------------------------------------- where no rule is wrong


def test_kinks() -> None:
    def f(x):
        distance = np.abs(x - 0.5)
        return np.sum(distance * x)

    found = blamed(f, X)
    assert (found.op, found.kind) == ("absolute", "kink")
    assert found.place.text == "distance = np.abs(x - 0.5)"
    found = blamed(lambda x: np.maximum(x, 0.4996) ** 2, X)
    assert (found.op, found.kind) == ("maximum", "kink")


def test_kinks_have_a_slope_on_each_side() -> None:
    found = blamed(lambda x: np.sum(np.abs(x - X)), X + 1e-9, order=2)
    assert found.kind == "kink"
    np.testing.assert_allclose(found.got, -np.abs(found.got))
    np.testing.assert_allclose(found.want, -found.got, rtol=1e-4)
    assert "slope before" in str(found)


def test_kinks_in_operations_of_several_results() -> None:
    at = np.array([1.0, 0.5])

    def f(x):
        return wg.scan(lambda c, t: (np.abs(c - t), (c, t)), x, at)[0]

    found = blamed(f, 1.0)
    assert found.kind == "kink"
    assert "slope" in str(found)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_edges_of_where_a_function_is_defined() -> None:
    def f(x):
        root = np.sqrt(x)
        return root * 2

    found = blamed(f, 1e-4)
    assert (found.op, found.kind) == ("sqrt", "edge")
    assert found.place.text == "root = np.sqrt(x)"
    assert "take a smaller eps" in str(found)
    wg.check_grads(f, (1e-4,), eps=1e-7, order=1)


def test_a_step_that_is_too_large() -> None:
    found = blamed(lambda x: np.sin(300 * x), X, order=1)
    assert (found.op, found.kind) == ("sin", "kink")


def test_other_branches_of_python_nearby() -> None:
    def f(x):
        return x if x < 1.00005 else 3 * x - 2.0001

    with pytest.raises(WrongDerivative, match="takes another way nearby") as found:
        wg.check_grads(f, (1.0,), order=1)
    assert found.value.culprit is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_function_that_is_not_finite_is_not_told_to_try_another_step() -> None:
    found = blamed(lambda x: np.sum(2 * np.log(x)), np.array([1.0, -1.0]))
    assert (found.op, found.kind) == ("log", "value")
    assert "log is not finite here" in str(found)
    assert "debug_nans" in str(found)
    with pytest.raises(WrongDerivative, match="differences are not finite") as error:
        wg.check_grads(np.log, (-1.0,))
    assert "another eps" not in str(error.value)
    with pytest.raises(WrongDerivative, match="an argument is not finite here"):
        wg.check_grads(np.sum, (np.array([np.nan, 1.0]),))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_value_in_a_loop_is_followed_into_it() -> None:
    def f(x):
        return wg.scan(lambda c, _: (np.log(c), None), x, None, length=4)[0]

    found = blamed(f, 1.5)
    assert (found.op, found.kind) == ("log", "value")
    assert found.within == ("step 2 of scan",)  # log log 1.5 < 0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_infinite_slope_is_no_kink() -> None:
    for f, x in ((lambda x: np.sqrt(np.sum(x**2)), np.zeros(2)), (lambda x: np.sqrt(x), 0.0)):
        found = blamed(f, x)
        assert (found.op, found.kind) == ("sqrt", "steep")
        assert "a slope here that is not finite" in str(found)
        assert "debug_nans" in str(found)
    assert blamed(lambda x: np.sum(np.abs(x)), np.zeros(2)).kind == "kink"
