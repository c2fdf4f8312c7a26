"""custom_jvp and custom_vjp: the rule is used, in every mode it has, and differentiates itself."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from wengert import (
    WengertError,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jit,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

X = np.array([0.3, -1.2, 2.0])


def tripled():
    """sin with derivative 3 cos (forward and, by transposition, reverse)."""

    @custom_jvp
    def f(x):
        return np.sin(x)

    f.defjvp(lambda primals, tangents: (f(primals[0]), 3 * np.cos(primals[0]) * tangents[0]))
    return f


def tenfold():
    """sin with derivative 10 cos, in reverse mode alone."""

    @custom_vjp
    def f(x):
        return np.sin(x)

    f.defvjp(lambda x: (np.sin(x), x), lambda x, c: (10 * c * np.cos(x),))
    return f


def test_the_value_is_the_functions():
    for f in (tripled(), tenfold()):
        np.testing.assert_array_equal(f(X), np.sin(X))
        np.testing.assert_array_equal(jit(f)(X), np.sin(X))
        assert value_and_grad(f)(0.3)[0] == np.sin(0.3)


def test_a_jvp_rule_serves_both_modes():
    f = tripled()
    assert grad(f)(0.3) == pytest.approx(3 * np.cos(0.3), rel=1e-15)
    assert jvp(f, (0.3,), (2.0,))[1] == pytest.approx(6 * np.cos(0.3), rel=1e-15)
    assert linearize(f, 0.3)[1](2.0) == pytest.approx(6 * np.cos(0.3), rel=1e-15)
    for jacobian in (jacfwd, jacrev):
        np.testing.assert_allclose(jacobian(f)(X), np.diag(3 * np.cos(X)), rtol=1e-15)


def test_rules_are_differentiated():
    f, g = tripled(), tenfold()
    for second in (grad(grad(f)), hessian(f), lambda x: jvp(grad(f), (x,), (1.0,))[1]):
        assert second(0.3) == pytest.approx(-3 * np.sin(0.3), rel=1e-14)
    assert hvp(f, 0.3, 2.0) == pytest.approx(-6 * np.sin(0.3), rel=1e-14)
    for second in (grad(grad(g)), hessian(g)):
        assert second(0.3) == pytest.approx(-10 * np.sin(0.3), rel=1e-14)
    assert grad(grad(grad(g)))(0.3) == pytest.approx(-10 * np.cos(0.3), rel=1e-14)


def test_a_vjp_rule_serves_reverse_mode():
    f = tenfold()
    assert grad(f)(0.3) == pytest.approx(10 * np.cos(0.3), rel=1e-15)
    (pulled,) = vjp(f, X)[1](np.ones(3))
    np.testing.assert_allclose(pulled, 10 * np.cos(X), rtol=1e-15)
    np.testing.assert_allclose(jacrev(f)(X), np.diag(10 * np.cos(X)), rtol=1e-15)
    np.testing.assert_allclose(
        jacrev(lambda x: f(x) * x)(X), np.diag(10 * np.cos(X) * X + np.sin(X)), rtol=1e-15
    )


@pytest.mark.parametrize(
    "forward", [lambda f: jvp(f, (0.3,), (1.0,)), lambda f: jacfwd(f)(0.3)], ids=["jvp", "jacfwd"]
)
def test_forward_mode_refuses_a_vjp_rule_alone_by_name(forward):
    with pytest.raises(TypeError, match=r"f has a reverse-mode rule alone.*give it.*defjvp") as e:
        forward(tenfold())
    assert isinstance(e.value, WengertError)


def test_both_rules_on_one_function():
    f = tenfold()
    f.defjvp(lambda primals, tangents: (f(primals[0]), 7 * np.cos(primals[0]) * tangents[0]))
    assert jvp(f, (0.3,), (1.0,))[1] == pytest.approx(7 * np.cos(0.3), rel=1e-15)
    assert grad(f)(0.3) == pytest.approx(10 * np.cos(0.3), rel=1e-15)
    np.testing.assert_allclose(jacfwd(f)(X), np.diag(7 * np.cos(X)), rtol=1e-15)
    np.testing.assert_allclose(jacrev(f)(X), np.diag(10 * np.cos(X)), rtol=1e-15)
    assert hessian(f)(0.3) == pytest.approx(-10 * np.sin(0.3), rel=1e-14)  # forward over reverse
    # reverse over forward: the tangent 7 cos(x) t is what was recorded
    assert grad(lambda x: jvp(f, (x,), (1.0,))[1])(0.3) == pytest.approx(
        -7 * np.sin(0.3), rel=1e-14
    )


def test_rules_are_those_of_today():
    f = tripled()
    derivative = grad(f)
    assert derivative(0.3) == pytest.approx(3 * np.cos(0.3), rel=1e-15)
    f.defjvp(lambda primals, tangents: (f(primals[0]), 5 * tangents[0]))
    assert derivative(0.3) == 5.0


def test_a_rule_reads_todays_globals():
    factor = {"now": 2.0}

    @custom_vjp
    def f(x):
        return x * 1.5

    f.defvjp(lambda x: (f(x), None), lambda _, c: (c * factor["now"],))
    assert grad(f)(1.0) == 2.0
    factor["now"] = 4.0
    assert grad(f)(1.0) == 4.0


def test_the_rule_replaces_the_derivative_of_the_body():
    """No derivative runs through the body, whatever it does."""

    @custom_vjp
    def f(x):
        return np.where(x > 0, np.sqrt(x), 0.0) / 0.5

    f.defvjp(lambda x: (f(x), None), lambda _, c: (c,))
    assert grad(f)(-1.0) == 1.0
    assert grad(lambda x: 5 * f(x) ** 2)(0.25) == 10 * 1.0


def test_control_flow_in_functions_and_rules():
    @custom_vjp
    def f(x):
        return x * 2 if np.sum(x) > 0 else x * 3

    f.defvjp(lambda x: (f(x), x), lambda x, c: (c * 20 if np.sum(x) > 0 else c * 30,))
    for x, slope in ((X, 20.0), (-X, 30.0)):
        assert grad(lambda x: np.sum(f(x)))(x).tolist() == [slope] * 3
        np.testing.assert_array_equal(jacrev(f)(x), slope * np.eye(3))
    compiled = jit(grad(lambda x: np.sum(f(x))))
    assert [compiled(x)[0] for x in (X, -X, X)] == [20.0, 30.0, 20.0]


# -------------------------------------------------------------------- arguments and results


def test_several_arguments_and_results():
    @custom_vjp
    def f(x, y):
        return x * y, {"sum": x + y}

    f.defvjp(
        lambda x, y: (f(x, y), (x, y)),
        lambda xy, c: (2 * c[0] * xy[1] + c[1]["sum"], 2 * c[0] * xy[0] + c[1]["sum"]),
    )

    def g(x, y):
        p, rest = f(x, y)
        return p + 5 * rest["sum"]

    assert grad(g, argnums=(0, 1))(2.0, 3.0) == (11.0, 9.0)
    assert grad(lambda x: f(x, 3.0)[0])(2.0) == 6.0


def test_structures_of_arguments():
    @dataclasses.dataclass
    class Point:
        x: object
        y: object

    @custom_jvp
    def f(p, scale):
        return Point(p.x * scale["a"], p.y)

    @f.defjvp
    def _(primals, tangents):
        (p, scale), (dp, dscale) = primals, tangents
        return f(p, scale), Point(10 * (dp.x * scale["a"] + p.x * dscale["a"]), 10 * dp.y)

    def g(p, scale):
        q = f(p, scale)
        return q.x + q.y

    by_point, by_scale = grad(g, argnums=(0, 1))(Point(2.0, 1.0), {"a": 3.0})
    assert by_point == Point(30.0, 10.0)
    assert by_scale == {"a": 20.0}


def test_arguments_that_are_not_differentiated():
    @functools.partial(custom_vjp, nondiff_argnums=(1,))
    def f(x, mode):
        return x if mode == "a" else x**2

    f.defvjp(
        lambda x, mode: (f(x, mode), x),
        lambda mode, x, c: (5 * c if mode == "a" else 5 * c * 2 * x,),
    )
    assert grad(f)(3.0, "a") == 5.0
    assert grad(f)(3.0, "b") == 30.0
    assert grad(f)(3.0, mode="b") == 30.0


def test_methods_with_rules():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @functools.partial(custom_jvp, nondiff_argnums=(0,))
        def f(self, x):
            return self.scale * x

        f.defjvp(lambda self, p, t: (self.f(*p), 2 * self.scale * t[0]))

    assert grad(Model(3.0).f)(2.0) == 6.0
    assert grad(Model(4.0).f)(2.0) == 8.0


def test_integer_arguments_need_no_cotangent():
    @custom_vjp
    def power(x, n):
        return x**n

    power.defvjp(
        lambda x, n: (power(x, n), (x, n)), lambda r, c: (10 * c * r[1] * r[0] ** (r[1] - 1), None)
    )
    assert grad(power)(3.0, 2) == 60.0
    assert grad(lambda x: np.sum(power(x, np.array([1, 2]))))(np.ones(2)).tolist() == [10.0, 20.0]


def test_a_cotangent_of_none_is_zero():
    @custom_vjp
    def f(x, y):
        return x * y

    f.defvjp(lambda x, y: (f(x, y), y), lambda y, c: (c * y, None))
    assert grad(f, argnums=(0, 1))(2.0, 3.0) == (3.0, 0.0)


# ----------------------------------------------------------------------------------- errors


def vjp_rule(forward, backward):
    @custom_vjp
    def f(x):
        return x * 1.0

    f.defvjp(forward, backward)
    return f


def jvp_rule(rule):
    @custom_jvp
    def f(x):
        return x * 1.0

    f.defjvp(rule)
    return f


@pytest.mark.parametrize(
    "f, error, says",
    [
        (
            vjp_rule(lambda x: x, lambda r, c: (c,)),
            TypeError,
            "forward rule of f must return a pair",
        ),
        (vjp_rule(lambda x: (x, 0), lambda r, c: c), TypeError, r"tuple with one cotangent.*\(1\)"),
        (vjp_rule(lambda x: (x, 0), lambda r, c: (c, c)), TypeError, "one cotangent an argument"),
        (vjp_rule(lambda x: (x, 0), lambda r, c: (np.ones(3),)), ValueError, r"shape \(3,\)"),
        (vjp_rule(lambda x: (x, 0), lambda r, c: ({"a": c},)), TypeError, "have the structure"),
        (jvp_rule(lambda p, t: t[0]), TypeError, "jvp rule of f must return a pair"),
        (jvp_rule(lambda p, t: (p[0], np.ones(3))), ValueError, r"shape \(3,\)"),
        (jvp_rule(lambda p, t: (p[0], (t[0],))), TypeError, "have the structure"),
        (custom_vjp(lambda x: x * 1.0), TypeError, r"has no derivative rule: give it one"),
        (custom_jvp(lambda x: x * 1.0), TypeError, r"has no derivative rule: give it one"),
    ],
)
def test_rules_that_return_something_else(f, error, says):
    with pytest.raises(error, match=says) as caught:
        grad(f)(1.0)
    assert isinstance(caught.value, WengertError)


def test_a_function_without_a_rule_has_values():
    f = custom_vjp(lambda x: x * 2)
    assert f(3.0) == 6.0
    assert jit(f)(3.0) == 6.0


def test_a_traced_value_from_outside_is_refused():
    def f(x):
        g = custom_vjp(lambda y: x * y)
        g.defvjp(lambda y: (y, None), lambda _, c: (c,))
        return g(x)

    with pytest.raises(TypeError, match=r"reads a traced value from outside.*as an argument"):
        grad(f)(2.0)


def test_keyword_only_arguments_are_refused():
    @custom_jvp
    def f(x, *, y):
        return x * y

    with pytest.raises(TypeError, match=r"keyword-only arguments \(y\).*make them positional"):
        grad(lambda x: f(x, y=2.0))(1.0)
