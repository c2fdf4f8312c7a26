"""What holds of loops and branches beside derivatives: masks, what is read and run, errors."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from law_flow import alike

import wengert as wg
from support import interpreted
from wengert.errors import NoValue
from wengert.execution.programs import _DERIVED, _PROGRAMS

ROWS = np.array([1.0, -2.0, 0.5])


def orders(f):
    """First and second derivatives, in all combinations of modes."""
    yield from (wg.grad(f), wg.jacfwd(f))
    for outer in (wg.grad, wg.jacfwd):
        for inner in (wg.grad, wg.jacfwd):
            yield outer(inner(f))


# ---------------------------------------------------------------------------------- masks


def guarded(x):
    return np.where(x > 0, np.log(x), 0.0) + np.where(x > 0, np.sqrt(x), 0.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: wg.scan(lambda c, r: (c + guarded(x * r), None), 0.0, ROWS)[0],
        lambda x: wg.scan(lambda c, r: (c + guarded(c * r), None), x, ROWS)[0],
        lambda x: wg.fori_loop(0, 2, lambda i, c: guarded(-c) + c, x),
        lambda x: wg.while_loop(lambda c: c < 1, lambda c: guarded(-c) + c + 0.3, x),
        lambda x: wg.cond(x > -1, lambda y: guarded(-y) + guarded(y), lambda y: y, x),
        lambda x: np.sum(wg.map(lambda r: guarded(r * x), ROWS)),
        lambda x: np.sum(wg.vmap(lambda r: wg.cond(r > 0, np.log, lambda y: y, r * x))(ROWS)),
    ],
)
@pytest.mark.parametrize("at", [0.7, 1.3])
def test_no_nan_from_a_branch_not_taken(f, at):
    with np.errstate(all="ignore"):
        for derivative in orders(f):
            assert np.isfinite(derivative(at))


def test_no_nan_from_outside_of_a_branch_not_taken():
    def chosen(x):
        steep = np.sqrt(0 * x)
        return wg.cond(x > 0, lambda: x, lambda: steep)

    def each(x):
        steep = np.sqrt(0 * x) ** 3
        return np.sum(wg.vmap(lambda r: wg.cond(r * x > 0, lambda: x * r, lambda: steep))(ROWS))

    with np.errstate(all="ignore"):
        for f, slope in ((chosen, 1.0), (each, 1.5)):
            first, *rest = orders(f)
            assert first(0.7) == slope
            assert rest[0](0.7) == slope
            assert [second(0.7) for second in rest[1:]] == [0.0] * 4


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: wg.cond(x < 5, lambda: np.where(x > 0, y * 2, x), lambda: y),
        lambda x, y: wg.scan(lambda c, r: (np.where(r > 9, y * c, c), None), x, ROWS)[0],
        lambda x, y: wg.fori_loop(0, 3, lambda i, c: np.where(x > 0, y * c, c), x),
        lambda x, y: wg.map(
            lambda r: wg.fori_loop(0, 1, lambda i, c: np.where(x > 0, y, c * r), x), ROWS
        )[0],
        lambda x, y: wg.while_loop(lambda c: c < 9, lambda c: np.where(x > 0, y, c + 10), x),
        lambda x, y: wg.scan(lambda c, v: (c + np.where(x > 0, v, 0), None), x, y * ROWS)[0],
    ],
)
def test_no_nan_from_what_is_computed_outside_and_masked_inside(f):
    with np.errstate(all="ignore"):
        first, second = [], []
        for derivative in orders(lambda x: f(x, np.sqrt(x))):
            (first if len(first) < 2 else second).append(derivative(-0.7))
        assert first == [1.0, 1.0]
        assert second == [0.0] * 4


def test_masks_inside_give_what_python_gives():
    def unrolled(x):
        total = 0.0
        for r in ROWS:
            total = total + (np.log(x * r) + np.sqrt(x * r) if r > 0 else 0.0)
        return total

    def looped(x):
        return wg.scan(lambda c, r: (c + guarded(x * r), None), 0.0, ROWS)[0]

    with np.errstate(all="ignore"):
        for ours, theirs in zip(orders(looped), orders(unrolled), strict=True):
            assert ours(0.7) == pytest.approx(theirs(0.7), rel=1e-13)


# --------------------------------------------------------------------- what is read and run


def counting(log):
    def run(x):
        log.append(float(x))
        return np.sin(x)

    f = wg.primitive(run)
    g = wg.primitive(np.cos)
    wg.defjvp(f, lambda t, y, x: t * g(x))
    wg.defjvp(g, lambda t, y, x: -t * f(x))
    return f


def test_the_primal_loop_runs_once_for_value_and_gradient():
    log = []
    f = counting(log)

    def loss(x):
        return wg.scan(lambda c, r: (f(c * r), c), x, ROWS)[0]

    with interpreted():
        expected = wg.grad(lambda x: np.sin(-2 * np.sin(x)))  # warm up, unrelated
        expected(0.3)
        wg.value_and_grad(loss)(0.3)
        log.clear()
        wg.value_and_grad(loss)(0.3)
    traced = log.count(1.0)  # the samples of the trace
    assert len(log) - traced == 3


def test_the_primal_while_runs_once_for_value_and_gradient():
    log = []
    f = counting(log)

    def loss(x):
        return wg.while_loop(lambda s: s[1] < 4, lambda s: (f(s[0]), s[1] + 1), (x, 0))[0]

    with interpreted():
        wg.value_and_grad(loss)(0.3)
        log.clear()
        wg.value_and_grad(loss)(0.3)
    assert len(log) - log.count(1.0) == 4


def test_only_the_chosen_branch_runs():
    log = []
    f = counting(log)

    def loss(x, y):
        return wg.cond(x > 0, lambda: f(y) * x, lambda: y * x)

    with interpreted():
        loss_value = wg.value_and_grad(loss, (0, 1))
        loss_value(-1.0, 0.3)
        log.clear()
        assert loss_value(-1.0, 0.3)[1] == (0.3, -1.0)
        assert log.count(0.3) == 1  # the trace learns the type of the result
        log.clear()
        jitted = wg.jit(loss_value)
        jitted(-1.0, 0.4)
        log.clear()
        jitted(-1.0, 0.5)
        assert log == []
        jitted(1.0, 0.5)
        assert log == [0.5]


def test_a_branch_reads_what_was_computed_before_it():
    log = []
    f = counting(log)

    def loss(x):
        big = f(x)

        def step(c, r):
            return wg.cond(r > 0, lambda: big * c, lambda: c - big), None

        return wg.scan(step, x, ROWS)[0]

    with interpreted():
        jitted = wg.jit(wg.grad(loss))
        jitted(0.3)
        log.clear()
        jitted(0.4)
    assert log.count(0.4) == 1


def test_an_equal_node_of_another_trace_does_not_hide_a_derivative():
    """What a branch computes may be there already, from a trace that differentiated once less."""

    def f(x):
        def step(c, r):
            return wg.cond(r > 0, lambda d: np.sin(d) ** 2, lambda d: d * x, np.tanh(c)), None

        return wg.scan(step, x, np.array([-1.0]))[0]

    first = wg.jacfwd(f)
    assert first(0.7) == pytest.approx(np.tanh(0.7) + 0.7 / np.cosh(0.7) ** 2, rel=1e-14)
    sech = 1 / np.cosh(0.7) ** 2
    expected = 2 * sech - 2 * 0.7 * sech * np.tanh(0.7)
    for second in (wg.jacfwd(first), wg.grad(first), wg.grad(wg.grad(f))):
        assert second(0.7) == pytest.approx(expected, rel=1e-14)


def test_branches_may_differentiate_what_they_read():
    def f(x):
        y = np.exp(x)

        def slope():
            return wg.grad(lambda z: z**3 * x)(y * 1.0)

        return wg.cond(x > 0, slope, lambda: y)

    def python(x):
        return 3 * np.exp(x) ** 2 * x

    for ours, theirs in zip(orders(f), orders(python), strict=True):
        assert ours(0.4) == pytest.approx(theirs(0.4), rel=1e-13)


def test_captured_arrays_and_numbers_may_change_between_calls():
    data, rate = np.array([1.0, 2.0, 3.0]), 0.1  # the array is read at each call of jit, too

    def f(x):
        def step(c, r):
            return wg.cond(r > 1.5, lambda: c * rate + r, lambda: c + rate * np.sum(data * c)), c

        last, seen = wg.scan(step, x, data)
        return last + np.sum(seen) + wg.while_loop(lambda v: v < 9, lambda v: v + rate + x, x)

    def python(x):
        c, total = x, 0.0
        for r in data:
            total, c = total + c, (c * rate + r if r > 1.5 else c + rate * np.sum(data * c))
        v = x
        while v < 9:
            v = v + rate + x
        return c + total + v

    for k in range(5):
        data, rate = data * 1.1 + k, rate + 0.07
        for ours, theirs in ((f, python), (wg.grad(f), wg.grad(python))):
            assert ours(0.8) == pytest.approx(theirs(0.8), rel=1e-13)
    jitted = wg.jit(f)
    jitted(0.8)
    data[:] = [2.0, 1.0, 5.0]
    assert jitted(0.8) == pytest.approx(python(0.8), rel=1e-13)


def test_rules_of_the_users_inside():
    @wg.custom_jvp
    def tripled(x):
        return np.sin(x)

    tripled.defjvp(lambda p, t: (tripled(p[0]), 3 * np.cos(p[0]) * t[0]))

    @wg.custom_vjp
    def tenfold(x):
        return np.sin(x)

    tenfold.defvjp(lambda x: (np.sin(x), x), lambda x, c: (10 * c * np.cos(x),))
    opaque = wg.primitive(lambda x: np.sin(x))
    wg.defvjp(opaque, lambda y, x: lambda g: 5 * g * np.cos(x))

    def programs(rule):
        def scanned(x):
            return wg.scan(lambda c, y: (rule(c * y) + x, None), x, ROWS)[0]

        def scanned_in_python(x):
            c = x
            for y in ROWS:
                c = rule(c * y) + x
            return c

        def branched(x):
            return wg.cond(x > 0, lambda: rule(x) * x, lambda: x)

        def repeated(x):
            return wg.while_loop(lambda s: s[1] < 2, lambda s: (rule(s[0]) * x, s[1] + 1), (x, 0))

        yield scanned, scanned_in_python
        yield branched, lambda x: rule(x) * x
        yield lambda x: repeated(x)[0], lambda x: rule(rule(x) * x) * x

    both, one = (wg.grad, wg.jacfwd), (wg.grad,)
    for rule, modes in ((tripled, both), (tenfold, one), (opaque, one)):
        for mode in modes:
            for ours, theirs in programs(rule):
                assert mode(ours)(0.4) == pytest.approx(mode(theirs)(0.4), rel=1e-12)
                second = wg.grad(mode(theirs))(0.4)
                assert wg.grad(mode(ours))(0.4) == pytest.approx(second, rel=1e-12)


def test_stop_gradient_inside():
    def f(x):
        return wg.scan(lambda c, r: (wg.stop_gradient(c) * x * r, None), x, ROWS)[0]

    c = 0.4 * ROWS[0] * 0.4
    c = c * 0.4 * ROWS[1]
    assert wg.grad(f)(0.4) == pytest.approx(c * ROWS[2], rel=1e-14)


# ------------------------------------------------------------------------------- no growth


def test_repeated_calls_meet_the_same_programs():
    def f(x, y):
        def step(c, r):
            return wg.cond(r * y > 0, lambda: np.sin(c) * x, lambda: c - x * r), c

        last, seen = wg.scan(step, x, ROWS)
        return last + np.sum(seen) + wg.while_loop(lambda v: v < 9, lambda v: v + x**2, x)

    derivative = wg.value_and_grad(f, (0, 1))
    for k in range(3):
        derivative(0.5 + k, 1.0)
    before = len(_PROGRAMS), len(_DERIVED)
    for k in range(100):
        derivative(0.7 + k, 1.0 - k)
    assert (len(_PROGRAMS), len(_DERIVED)) == before


@pytest.mark.long
def test_many_traces_do_not_leak():
    def once(k):
        scale = np.full(2, k + 0.5)

        def f(x):
            def step(c, r):
                return wg.cond(np.sum(r) > 0, lambda: np.sin(c * scale), lambda: c - x), c

            return np.sum(wg.scan(step, x, np.ones((3, 2)))[0])

        return wg.grad(f)(np.array([0.5, k]))

    for k in range(50):
        once(k)
    gc.collect()
    before = len(gc.get_objects())
    for k in range(2_000):
        once(k)
    gc.collect()
    assert len(gc.get_objects()) - before < 2_000


# ---------------------------------------------------------------------------------- errors


def outer_write(x):
    buffer = wg.numpy.zeros(3) * x

    def step(c, r):
        buffer[0] = 5.0
        return c * r, None

    return wg.scan(step, x, ROWS)[0] + buffer[0]


def outer_write_through_a_view(x):
    buffer = wg.numpy.zeros(3) * x
    view = buffer[1:]

    def step(c):
        view[0] = c
        return c * 2

    return wg.while_loop(lambda c: c < 3, step, x) + buffer[1]


def outer_write_in_a_branch(x):
    buffer = [wg.numpy.zeros(3) * x]

    def yes():
        buffer[0][0] += 1.0
        return x

    return wg.cond(x > 0, yes, lambda: x) + buffer[0][0]


@pytest.mark.parametrize("f", [outer_write, outer_write_through_a_view, outer_write_in_a_branch])
def test_writing_to_what_is_outside_is_an_error(f):
    for g, x in ((wg.grad(f), 2.0), (wg.jit(f), 2.0), (wg.vmap(f), np.ones(2))):
        with pytest.raises(TypeError, match="writes into a traced array"):
            g(x)


def leaked_into_a_list(x):
    kept = []

    def step(c, r):
        kept.append(c)
        return c * r, None

    return wg.scan(step, x, ROWS)[0] + kept[0]


def leaked_into_another_loop(x):
    kept = []
    wg.while_loop(lambda c: c < 3, lambda c: (kept.append(c), c * 2)[1], x)
    return wg.scan(lambda c, r: (c * kept[0], None), x, ROWS)[0]


def leaked_by_a_branch(x):
    kept = {}

    def yes(y):
        kept["y"] = y * 2
        return y

    return wg.cond(x > 0, yes, lambda y: y, x) + kept["y"]


@pytest.mark.parametrize("f", [leaked_into_a_list, leaked_into_another_loop, leaked_by_a_branch])
def test_what_a_loop_leaks_is_an_error(f):
    for g in (wg.grad(f), wg.jacfwd(f), wg.jit(f)):
        with pytest.raises(RuntimeError, match="outside of it"):
            g(2.0)
    with pytest.raises(RuntimeError, match="outside of it"):
        wg.vmap(f)(np.ones(2))


ASKING = {
    "if": lambda c, r: (c if r > 0 else -c, None),
    "while": lambda c, r: ([c := c - 1 for _ in iter(lambda: bool(c > 0), False)][-1], None),
    "int": lambda c, r: (c * int(r), None),
    "range": lambda c, r: (sum(c for _ in range(int(r))), None),
    "print": lambda c, r: (c * len(str(r)), None),
    "an index into a plain array": lambda c, r: (c * ROWS[r.astype(int)], None),
}


@pytest.mark.parametrize("name", ASKING)
def test_python_cannot_see_the_variables_of_a_loop(name):
    with pytest.raises(NoValue, match=r"variable of a loop .*wengert.cond") as error:
        wg.scan(ASKING[name], 1.0, ROWS)
    assert "test_flow_rules.py" in str(error.value)


WRONG = {
    "a shape that changes": (
        lambda: wg.scan(lambda c, x: (np.append(c, x), None), np.ones(2), ROWS),
        "leaf 0 goes in as float64.2. and comes out as float64.3.",
    ),
    "a structure that changes": (
        lambda: wg.scan(lambda c, x: ((c, c), None), 1.0, ROWS),
        "structure",
    ),
    "no pair": (lambda: wg.scan(lambda c, x: c, 1.0, ROWS), "must return a pair"),
    "lengths": (
        lambda: wg.scan(lambda c, x: (c, None), 1.0, (ROWS, np.ones(4))),
        r"lengths \[3, 4\]",
    ),
    "a length that differs": (
        lambda: wg.scan(lambda c, x: (c, None), 1.0, ROWS, 4),
        r"lengths \[3, 4\]",
    ),
    "no length": (lambda: wg.scan(lambda c, x: (c, None), 1.0), "no length"),
    "a negative length": (lambda: wg.scan(lambda c, x: (c, None), 1.0, None, -1), "negative"),
    "no axes": (lambda: wg.scan(lambda c, x: (c, None), 1.0, 3.0), "no axes"),
    "a number as condition": (
        lambda: wg.while_loop(lambda c: c, lambda c: c - 1, 3.0),
        "one boolean",
    ),
    "an array as condition": (
        lambda: wg.while_loop(lambda c: c > 0, lambda c: c, np.ones(2)),
        "one boolean",
    ),
    "a while that changes": (
        lambda: wg.while_loop(lambda c: True, lambda c: np.ones(3), np.ones(2)),
        "carry",
    ),
    "an array to choose by": (
        lambda: wg.cond(np.ones(2) > 0, np.sin, np.cos, 1.0),
        "one truth value",
    ),
    "branches of two shapes": (
        lambda: wg.cond(True, lambda x: x, lambda x: np.ones(2), 1.0),
        "same shapes",
    ),
    "branches of two structures": (
        lambda: wg.cond(True, lambda x: x, lambda x: (x, x), 1.0),
        "structure",
    ),
    "a float to switch by": (lambda: wg.switch(1.0, [np.sin], 1.0), "integer index"),
    "nothing to switch": (lambda: wg.switch(1, [], 1.0), "at least one"),
    "extents": (lambda: wg.associative_scan(np.add, (np.ones(3), np.ones(4))), r"\[3, 4\]"),
    "a batch of none": (lambda: wg.map(np.sin, ROWS, batch_size=0), "positive"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_is_wrong(name):
    run, message = WRONG[name]
    with pytest.raises(wg.WengertError, match=message) as error:
        run()
    assert "test_flow_rules.py" in str(error.value)


# ---------------------------------------------------------------------------------- dtypes


def test_numbers_take_the_dtype_of_what_they_meet():
    single = ROWS.astype(np.float32)
    cases = [
        (wg.scan(lambda c, x: (c + x * 2.0, c), np.float32(0), single), np.float32),
        (wg.scan(lambda c, x: (c * 2.0, c), np.float32(1), None, 3), np.float32),
        (wg.while_loop(lambda c: c < 10, lambda c: c * 2.0, np.float32(1)), np.float32),
        (wg.fori_loop(0, 3, lambda i, c: c * i + 1.5, np.float32(1)), np.float32),
        (wg.cond(True, lambda x: x, lambda x: 0.0, np.float32(2)), np.float32),
        (wg.scan(lambda c, x: (c + x, None), 0.0, single), np.float32),
        (wg.scan(lambda c, x: (0.5, None), np.float32(0), ROWS), np.float32),
        (wg.scan(lambda c, x: (c * 2, None), 1, ROWS), np.int64),
        (wg.scan(lambda c, x: (c * 0.5, None), 1, ROWS), np.float64),
        (wg.scan(lambda c, x: (c + x, None), 0, ROWS), np.float64),
        (wg.scan(lambda c, x: (c + x, None), np.float32(0), ROWS), np.float64),
        (wg.scan(lambda c, x: (c * 1j, None), 1.0, ROWS), np.complex128),
        (wg.scan(lambda c, x: (c + 1, None), True, ROWS), np.int64),
        (wg.scan(lambda c, x: (c & (x > 0), None), True, ROWS), np.bool_),
    ]
    for found, dtype in cases:
        first = found[0] if isinstance(found, tuple) else found
        assert first.dtype == dtype


def test_empty_loops():
    f = wg.grad(lambda x: np.sum(wg.scan(lambda c, r: (c * r, c), x, ROWS[:0])[1]) + x)
    assert f(2.0) == 1.0
    last, ys = wg.scan(lambda c, r: (c * r, {"c": c}), 2.0, ROWS[:0])
    assert last == 2.0
    assert ys["c"].shape == (0,)
    assert wg.map(np.sin, ROWS[:0]).shape == (0,)
    assert wg.fori_loop(3, 0, lambda i, c: c * 2, 1.0) == 1.0
    assert wg.scan(lambda c, x: (None, None), None, ROWS) == (None, None)
    assert wg.cond(True, lambda x: None, lambda x: None, 1.0) is None


def test_map_in_batches():
    x = np.arange(7.0)
    for size in (1, 2, 3, 7, 10):
        alike(wg.map(np.sin, x, batch_size=size), np.sin(x), 1e-15, f"batches of {size}")
        slope = wg.grad(lambda x, n=size: np.sum(wg.map(np.sin, x, batch_size=n)))(x)
        alike(slope, np.cos(x), 1e-15, "its gradient")
