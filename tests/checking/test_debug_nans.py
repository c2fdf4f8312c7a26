"""`debug_nans` names the operation that first made a NaN or an infinity, its line and inputs."""

from __future__ import annotations

import linecache
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.checking.telling import NotFinite
from wengert.execution import jit as jit_module

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def blamed(call: Callable[..., Any], *args: Any, **options: Any) -> NotFinite:
    """The error that a call raises inside the context."""
    with wg.debug_nans(**options), pytest.raises(NotFinite) as found:
        call(*args)
    error = found.value
    assert isinstance(error, FloatingPointError | wg.WengertError)
    assert error.place is None or error.place.file == __file__
    return error


def logs(x):
    y = np.log(x)
    return np.sum(2 * y)


def roots(x):
    s = np.sqrt(x)
    return np.sum(s * x)


def test_forward() -> None:
    for call in (wg.grad(logs), wg.value_and_grad(logs), wg.jit(logs), wg.jit(wg.grad(logs))):
        error = blamed(call, np.array([1.0, -1.0, 2.0]))
        assert (error.op, error.sweep, error.place.text) == ("log", "forward", "y = np.log(x)")
        assert error.place.function == "logs"
        assert [operand.name for operand in error.first.inputs] == ["x"]
        assert "log makes nan at [1] in the forward sweep" in str(error)
        assert "x: float64[3], -1 at [1]" in str(error)


def test_backward() -> None:
    error = blamed(wg.grad(roots), np.array([1.0, 0.0]))
    assert (error.op, error.first.of, error.sweep) == ("divide", "sqrt", "backward")
    assert error.place.text == "s = np.sqrt(x)"
    assert "makes inf at [1] in the backward sweep" in str(error)
    assert "sqrt was given x: float64[2], 0 at [1]" in str(error)
    assert (error.later.op, error.later.place.text) == ("multiply", "s = np.sqrt(x)")


def test_forward_mode_and_second_order() -> None:
    error = blamed(wg.jvp, roots, (np.array([0.0]),), (np.ones(1),))
    assert (error.first.of, error.sweep) == ("sqrt", "forward")
    assert "tangents of forward mode" in str(error)
    for hessian in (wg.hessian(roots), lambda x: wg.hvp(roots, x, x)):
        error = blamed(hessian, np.array([1.0, 0.0]))
        assert (error.first.of, error.place.text) == ("sqrt", "s = np.sqrt(x)")


def test_what_only_the_second_derivative_makes() -> None:
    def f(x):
        return np.sum(np.abs(x) ** 1.5)

    x = np.array([1.0, 0.0])
    with wg.debug_nans():
        wg.grad(f)(x)
    error = blamed(wg.hessian(f), x)
    assert (error.first.of, error.place.text) == ("power", "return np.sum(np.abs(x) ** 1.5)")


def test_a_pullback_long_after() -> None:
    with wg.debug_nans():
        _, pullback = wg.vjp(roots, np.array([0.0, 1.0]))
        for _ in range(3):
            wg.grad(logs)(np.ones(2))
    error = blamed(pullback, np.float64(1.0))
    assert (error.op, error.sweep, error.place) == ("divide", "derivative", None)
    with wg.debug_nans():
        _, pullback = wg.vjp(roots, np.array([0.0, 1.0]))
        for _ in range(3):
            wg.grad(logs)(np.ones(2))
        with pytest.raises(NotFinite, match="derivative of sqrt, makes inf at") as found:
            pullback(np.float64(1.0))
    assert found.value.place.text == "s = np.sqrt(x)"


def test_branches_that_are_not_taken() -> None:
    x = np.array([1.0, 0.0, -2.0])

    def f(x):
        return np.sum(np.where(x > 0, np.log(x), 0.0))

    with wg.debug_nans():
        assert wg.grad(f)(x).tolist() == [1, 0, 0]
        assert wg.jit(f)(x) == 0
        _, pullback = wg.vjp(lambda x: np.where(x > 0, np.log(x), 0.0), x)
        assert pullback(np.ones(3))[0].tolist() == [1, 0, 0]
        assert np.isfinite(wg.hessian(f)(x)).all()
        assert wg.jit(lambda x: np.exp(np.log(x)))(0.0) == 0  # -inf vanishes
        waist = np.arange(18.0).reshape(3, 6) - 8
        for mode in ("mixed", "auto", "forward", "reverse"):

            def through(v):
                y = waist @ v
                return waist.T @ np.where(y > 0, np.log(y), 0.0)

            assert np.isfinite(wg.jacobian(through, mode=mode)(np.ones(6))).all()


def test_the_branch_that_is_taken_is_blamed_not_the_dead_one() -> None:
    def f(x):
        dead = np.log(-x)
        alive = 1 / (x - 1)
        return np.where(x > 0, alive, dead)

    error = blamed(wg.jit(f), np.array([2.0, 1.0, -1.0]))
    assert (error.op, error.place.text) == ("divide", "alive = 1 / (x - 1)")
    assert np.flatnonzero(error.first.where).tolist() == [1]


def test_the_first_of_several_operations() -> None:
    def f(x):
        a = np.log(x[:1] - 1)
        b = np.log(x[1:] - 2)
        return np.sum(a) + np.sum(b)

    error = blamed(wg.jit(f), np.array([0.0, 0.0]))
    assert error.place.text == "a = np.log(x[:1] - 1)"


def test_nans_or_infinities_alone() -> None:
    with wg.debug_nans(infs=False):
        assert wg.jit(np.log)(0.0) == -np.inf
    error = blamed(wg.jit(lambda x: np.log(x) * 0), 0.0, infs=False)
    assert error.op == "multiply"
    with wg.debug_nans(nans=False):
        assert np.isnan(wg.jit(np.log)(-1.0))
    assert blamed(wg.jit(np.log), 0.0, nans=False).op == "log"
    with wg.debug_nans(), wg.debug_nans(False):
        assert np.isnan(wg.jit(np.log)(-1.0))


def test_arguments_that_are_bad_from_the_start() -> None:
    error = blamed(wg.grad(roots), np.array([1.0, np.nan]))
    assert "the argument x holds nan at [1] from the start" in str(error)
    assert (error.op, error.place) == ("input", None)
    outside = np.array([np.inf, 1.0])
    error = blamed(wg.jit(lambda x: x + outside), np.ones(2))
    assert "outside" in str(error)
    assert "holds inf at [0] from the start" in str(error)
    # an operation that is at fault goes before them
    error = blamed(wg.jit(lambda x: np.stack([x[0], np.log(x[1])])), np.array([np.nan, -1.0]))
    assert error.op == "log"


# ------------------------------------------------------------------------------ what holds bodies


def looped(x):
    def step(c, t):
        r = c - t
        return np.sqrt(r), r

    return wg.scan(step, x, np.arange(5.0))[0]


def test_the_step_of_a_scan() -> None:
    for call in (looped, wg.jit(looped), wg.grad(looped)):
        error = blamed(call, 3.0)
        assert (error.op, error.first.within) == ("sqrt", ("step 2 of scan",))
        assert error.place.text == "return np.sqrt(r), r"
        assert "from  r = -1.1444" in str(error)


def test_the_backward_sweep_of_a_scan() -> None:
    def f(x):
        def step(c, t):
            return c * np.sqrt(t * x), None

        return wg.scan(step, 1.0, np.array([2.0, 0.0, 1.0]))[0]

    error = blamed(wg.grad(f), 2.0)
    assert (error.first.of, error.sweep) == ("sqrt", "backward")
    assert error.first.within == ("step 1 of scan",)
    assert error.place.text == "return c * np.sqrt(t * x), None"


def test_a_reversed_scan_and_its_outputs() -> None:
    def f(xs):
        return wg.scan(lambda c, x: (c, np.log(x)), 0.0, xs, reverse=True)[1]

    error = blamed(wg.jit(f), np.array([1.0, 2.0, -1.0, 3.0]))
    assert error.first.within == ("step 2 of scan",)


def test_what_goes_into_a_loop_is_followed_out_of_it() -> None:
    def f(x):
        rate = np.log(x)
        return wg.scan(lambda c, _: (c * rate, None), 1.0, length=3)[0]

    error = blamed(wg.jit(f), -1.0)
    assert (error.op, error.place.text, error.first.within) == ("log", "rate = np.log(x)", ())


def test_a_while_loop_and_a_branch() -> None:
    def f(x):
        return wg.while_loop(lambda c: c[0] < 10, lambda c: (c[0] + 1, np.log(c[1])), (0, x))[1]

    error = blamed(wg.jit(f), 2.0)
    assert (error.op, error.first.within) == ("log", ("step 2 of while_loop",))

    def g(x):
        return wg.cond(x > 0, lambda x: x, lambda x: np.sqrt(x), x)

    error = blamed(wg.jit(g), -2.0)
    assert (error.op, error.first.within) == ("sqrt", ("branch 0 of cond",))
    with wg.debug_nans():
        assert wg.jit(g)(2.0) == 2


def test_loops_in_loops_and_checkpoints() -> None:
    def f(x):
        def outer(c, t):
            def inner(d, s):
                return d + np.log(t - s), None

            return wg.scan(inner, c, np.arange(3.0))[0], None

        return wg.checkpoint(lambda x: wg.scan(outer, x, np.array([3.0, 4.0, 2.0]))[0])(x)

    error = blamed(wg.grad(f), 1.0)
    assert error.op == "log"
    assert error.first.within == ("checkpoint", "step 2 of scan", "step 2 of scan")


def test_the_instance_of_vmap() -> None:
    def f(x):
        return np.sum(np.log(x) ** 2)

    x = np.array([[1.0, 2.0], [3.0, 0.0], [1.0, 2.0]])
    for call in (wg.vmap(f), wg.vmap(wg.grad(f)), wg.jit(wg.vmap(f))):
        error = blamed(call, x)
        assert error.first.instances == (1,)
        assert error.place.text == "return np.sum(np.log(x) ** 2)"
        assert "instance 1 of vmap" in str(error)


def test_a_host_call_is_named() -> None:
    @wg.primitive
    def measured(x):
        return np.asarray(x) / 0.0

    wg.defvjp(measured, lambda y, x: lambda g: g)
    assert blamed(wg.grad(lambda x: measured(x * 2)), 1.0).op == "measured"


def test_linear_algebra() -> None:
    def f(A):
        B = A - np.eye(2)
        return np.linalg.det(np.exp(B * 1e3))

    error = blamed(wg.grad(f), np.array([[3.0, 1.0], [1.0, 3.0]]))
    assert error.op == "exp"


# ----------------------------------------------------------------------------------- the context


def test_functions_under_jit_are_fast_again_afterwards() -> None:
    traced = []

    @wg.jit
    def f(x):
        traced.append(None)
        return np.log(x)

    for _ in range(3):
        assert f(1.0) == 0
    before = len(traced)
    with wg.debug_nans():
        for _ in range(2):
            assert f(1.0) == 0
        with pytest.raises(NotFinite):
            f(-1.0)
    assert len(traced) == before + 3
    for _ in range(3):
        assert np.isnan(f(-1.0))
    assert len(traced) == before + 3
    assert sys.gettrace() is None or sys.gettrace().__module__ != "wengert.tracing.observing"


def test_the_context_ends_where_an_error_is_raised() -> None:
    blamed(wg.grad(logs), np.array([-1.0]))
    assert wg.grad(logs)(np.array([-1.0])).tolist() == [-2]


def test_right_values_inside() -> None:
    x = np.array([1.0, 2.0])
    with wg.debug_nans():
        assert np.array_equal(wg.grad(roots)(x), 1.5 * np.sqrt(x))
        assert wg.jacobian(lambda x: x**2)(x).tolist() == [[2, 0], [0, 4]]
        assert wg.jit(lambda x: x.sum() if x[0] > 0 else x)(x) == 3
    operator = wg.jacobian_operator(np.sqrt, x)
    assert np.isfinite(operator @ x).all()


def test_the_error_pickles() -> None:
    error = blamed(wg.grad(logs), np.array([-1.0]))
    again = pickle.loads(pickle.dumps(error))
    assert again.op == "log"
    assert str(again).splitlines()[0] == str(error).splitlines()[0]


# -------------------------------------------------------------------------------- random programs

STATEMENTS = (
    "np.log({a})",
    "np.sqrt({a})",
    "{a} / {b}",
    "{a} - {b}",
    "np.exp(300 * {a})",
    "np.sin({a}) * {b}",
    "np.where({a} > 0, {b}, {a})",
    "np.cumsum({a})",
    "{a}[::-1]",
    "np.outer({a}, {b}).sum(axis=0)",
    "np.maximum({a}, {b})",
)


@pytest.mark.parametrize("number", range(40))
def test_random_programs(number: int) -> None:
    """The first statement whose result is bad, of good inputs, in NumPy is the one that is named.
    All results go into that of the function."""
    rng = np.random.default_rng(number)
    lines = ["def f(v0, v1):"]
    for k in range(2, 10):
        a, b = (f"v{i}" for i in rng.integers(0, k, size=2))
        lines.append(f"    v{k} = " + str(rng.choice(STATEMENTS)).format(a=a, b=b))
    source = "\n".join([*lines, f"    return np.sum({' + '.join(f'v{k}' for k in range(2, 10))})"])
    name = f"<random program {number}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names: dict[str, Any] = {"np": np}
    exec(compile(source, name, "exec"), names)
    given = [np.round(rng.normal(size=3), 1) for _ in range(2)]
    values = {"np": np, "v0": given[0], "v1": given[1]}
    culprit = None
    with np.errstate(all="ignore"):
        for line in lines[1:]:
            exec(line.strip(), values)
            made = values[line.split("=")[0].strip()]
            if culprit is None and not np.isfinite(made).all():
                culprit = line.strip()
    f = names["f"]
    for call in (wg.jit(f), wg.value_and_grad(f, argnums=(0, 1))):
        if culprit is not None:
            with wg.debug_nans(), pytest.raises(NotFinite) as found:
                call(*given)
            assert found.value.place.text == culprit
            assert found.value.sweep == "forward"
    if culprit is None:
        with wg.debug_nans():
            assert np.isfinite(wg.jit(f)(*given))


def test_values_of_several_results_are_named() -> None:
    """The factors of a matrix that overflow when it is inverted go in as one value."""
    with pytest.raises(NotFinite) as caught, wg.debug_nans():
        wg.grad(lambda a: np.sum(np.linalg.inv(a)))(np.eye(2) * 1e-320)
    assert caught.value.op == "inverse"
    assert "lu: tuple" in str(caught.value)


def test_the_sweep_is_that_of_what_was_called() -> None:
    def f(x):
        return np.sum(np.sqrt(x))

    x = np.array([0.0, 1.0, 2.0])
    for call in (wg.grad(f), wg.jit(wg.grad(f)), lambda x: wg.vjp(f, x)[1](1.0)):
        error = blamed(call, x)
        assert (error.first.of, error.sweep) == ("sqrt", "backward")
        assert "in the backward sweep" in str(error)
    for call in (wg.jacobian(np.sqrt, mode="forward"), lambda x: wg.jvp(f, (x,), (x,))):
        assert "tangents of forward mode" in str(blamed(call, x))


def test_functions_with_rules_of_their_own_have_their_names() -> None:
    @wg.custom_jvp
    def root(x):
        return np.sqrt(x)

    @root.defjvp
    def root_jvp(primals, tangents):
        return root(primals[0]), tangents[0] / np.sqrt(primals[0])

    for call in (wg.grad(lambda x: np.sum(root(x))), wg.grad(lambda x: np.sum(np.log(root(x))))):
        text = str(blamed(call, np.array([0.0, 1.0])))
        assert "custom" not in text
        assert "item" not in text
        assert "in the derivative of root," in text or "root: float64[2], 0 at [0]" in text


def test_a_part_of_an_array_is_told_as_such() -> None:
    def f(x):
        return np.cos(np.exp(1 / x)[0])

    assert "from  a part of exp" in str(blamed(wg.jit(f), np.array([0.0, 1.0])))

    text = str(blamed(wg.jit(lambda x: np.log(x[0])), np.array([-1.0, 1.0])))
    assert "from  a part of x = -1" in text


def test_arrays_from_outside_have_the_line_that_reads_them() -> None:
    weights = np.array([1.0, np.nan])

    def f(x):
        return np.sum(x * weights)

    error = blamed(wg.grad(f), np.ones(2))
    assert "holds nan at [1] from the start" in str(error)
    assert error.place.text == "return np.sum(x * weights)"


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_nothing_is_warned_of_before_the_error() -> None:
    blamed(wg.jit(lambda x: 1 / x), np.zeros(2))
    blamed(wg.jit(np.log), np.array([-1.0]))


def test_singular_matrices_have_a_line() -> None:
    def f(x):
        return np.sum(np.linalg.solve(x, np.ones(2)))

    for call in (wg.jit(f), wg.grad(f)):
        with wg.debug_nans(), pytest.raises(np.linalg.LinAlgError, match="Singular") as found:
            call(np.ones((2, 2)))
        (note,) = found.value.__notes__
        assert note.startswith("  in    return np.sum(np.linalg.solve(x, np.ones(2)))    (")

    def steps(x):
        return wg.scan(lambda c, _: (np.linalg.solve(x * 1.0, c), None), np.ones(2), None, 3)[0]

    with wg.debug_nans(), pytest.raises(np.linalg.LinAlgError, match="Singular") as found:
        wg.jit(steps)(np.ones((2, 2)))
    (note,) = found.value.__notes__
    assert note.startswith("  in    return wg.scan(")


def test_switched_on_by_a_call() -> None:
    bad = np.array([-1.0])
    wg.debug_nans(True)
    try:
        for _ in range(2):
            with pytest.raises(NotFinite):
                wg.jit(np.log)(bad)
        with wg.debug_nans(False):
            assert np.isnan(wg.jit(np.log)(bad)).all()
        with pytest.raises(NotFinite):
            wg.jit(np.log)(bad)
    finally:
        wg.debug_nans(False)
    assert np.isnan(wg.jit(np.log)(bad)).all()
    with wg.debug_nans(True), pytest.raises(NotFinite):
        wg.jit(np.log)(bad)
    assert np.isnan(wg.jit(np.log)(bad)).all()


def test_a_context_that_is_not_entered_does_nothing() -> None:
    context = wg.debug_nans()
    assert np.isnan(wg.jit(np.log)(np.array([-1.0]))).all()
    for _ in range(2):
        with context, pytest.raises(NotFinite):
            wg.jit(np.log)(np.array([-1.0]))
    assert np.isnan(wg.jit(np.log)(np.array([-1.0]))).all()


def test_fast_calls_come_back_when_it_is_switched_off() -> None:
    before = len(jit_module._idle)
    wg.debug_nans(True)
    wg.debug_nans(True)
    assert len(jit_module._idle) == before + 1
    with wg.debug_nans():
        assert len(jit_module._idle) == before + 2
    wg.debug_nans(False)
    assert len(jit_module._idle) == before
