"""Programs within a budget: what the allocator sees stays below it, and the values are the same."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest

import wengert as wg
from wengert.derivatives.derive import gradient
from wengert.errors import MemoryBudgetError, WengertTypeError, WengertValueError
from wengert.execution.budget.amounts import in_bytes, in_words
from wengert.execution.budget.graphs import graph_of
from wengert.execution.budget.native import NativeBudgeted
from wengert.execution.budget.program import Interpreted
from wengert.execution.budget.search import smallest, unbounded
from wengert.execution.interpreter import Program
from wengert.execution.programs import clear_caches
from wengert.graph.types import FLOAT, array_type
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

SIDE = 64


def random_function(rng):
    """A function of two square matrices that mixes most kinds of operations."""
    kinds = [
        lambda a, b: np.tanh(a),
        lambda a, b: np.sin(a) * b,
        lambda a, b: a @ b / SIDE,
        lambda a, b: a.T @ b / SIDE,
        lambda a, b: a + b.T,
        lambda a, b: np.exp(-(a**2)),
        lambda a, b: a - np.sum(b, axis=0, keepdims=True) / SIDE,
        lambda a, b: a * np.max(b, axis=1)[:, None],
        lambda a, b: np.concatenate([a[: SIDE // 2], b[SIDE // 2 :]]),
        lambda a, b: np.reshape(a.T, (-1,)).reshape(SIDE, SIDE) * b,
        lambda a, b: a[::-1] * 0.5 + b[:, ::-1],
        lambda a, b: np.where(a > 0, a, 0.1 * b),
        lambda a, b: np.linalg.solve(np.eye(SIDE) * 4 + 0.1 * a / (1 + np.sum(a * a)), b),
        lambda a, b: np.cumsum(a, axis=0) / SIDE + b,
    ]
    steps = [(rng.choice(kinds), rng.randint(1, 3)) for _ in range(rng.randint(4, 14))]

    def f(x, y):
        values = [x, y]
        for kind, back in steps:
            values.append(kind(values[-1], values[-min(back + 1, len(values))]))
        return np.sum(values[-1] * values[-1])

    return f


def recorded(f, *arrays):
    """(the nodes of the gradient by all arguments, the values of the leaves)."""
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, FLOAT)) for a in arrays]
        output = f(*[Tracer(node, session) for node in inputs]).node
        nodes = [g for g in gradient(output, inputs) if g is not None]
        return nodes, dict(session.values)


def peak_of_run(program, values):
    """(bytes that the allocator gave at one time, the results)."""
    tracemalloc.start()
    try:
        found = program.run(values)
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


def check_budgets(seed, shares, tiers):
    """No budget is broken, and the interpreter gives the same bits."""
    rng = random.Random(seed)
    numbers = np.random.default_rng(seed)
    x, y = numbers.normal(size=(2, SIDE, SIDE))
    if seed % 3 == 0:
        x = np.asfortranarray(x)
    nodes, values = recorded(random_function(rng), x, y)
    expected = Program(nodes).run(values)
    held = sum(np.asarray(value).nbytes for value in values.values())
    checked = 0
    for tier in tiers:
        most = tier(nodes, (), 1 << 40)
        low, high = smallest(most.problem, 0.05).peak, most.problem.base
        high = max(unbounded(most.problem).peak, low)
        for share in shares:
            budget = int(low + share * (high - low))
            try:
                program = tier(nodes, (), budget)
                program.run(values)  # imports, and what is made at the first run
            except MemoryBudgetError:
                continue
            used, found = peak_of_run(program, values)
            assert used + held <= budget
            checked += 1
            for a, b in zip(found, expected, strict=True):
                assert a.dtype == b.dtype
                if tier is Interpreted:
                    assert a.tobytes() == b.tobytes()
                else:
                    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(b).max())
    return checked


@pytest.mark.parametrize("seed", range(6))
def test_the_allocator_never_sees_more_than_the_budget(seed):
    assert check_budgets(seed, (0.3, 0.7), (Interpreted,)) > 0


@pytest.mark.parametrize("seed", range(2))
def test_machine_code_holds_to_the_budget(seed):
    assert check_budgets(50 + seed, (0.5,), (NativeBudgeted,)) > 0


@pytest.mark.long
def test_no_budget_of_five_hundred_is_broken():
    checked = sum(
        check_budgets(1_000 + seed, (0.02, 0.2, 0.4, 0.6, 0.8), (Interpreted,))
        for seed in range(110)
    )
    assert checked >= 500


@pytest.mark.long
@pytest.mark.parametrize("slots", [10, 20])
def test_a_hundred_wide_layers_take_what_was_planned(slots):
    side = 512
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(side, side))
    w = numbers.normal(size=(side, side)) / np.sqrt(side)
    x.flags.writeable = False

    def f(w):
        y = x
        for _ in range(100):
            y = np.tanh(y @ w)
        return np.sum(y)

    nodes, values = recorded(f, w)
    # the inputs, the states kept, and six arrays: the gradient, the adjoint, and a step with
    # the temporaries of its derivative
    budget = (2 + slots + 6) * (x.nbytes + 200) + 2**16
    program = NativeBudgeted(nodes, (), budget)
    program.run(values)
    used, (found,) = peak_of_run(program, values)
    planned = program.plan.peak - program.problem.base
    assert used <= budget - x.nbytes - w.nbytes
    assert planned / 1.05 <= used <= 1.05 * planned
    assert program.plan.overhead <= 0.45
    (expected,) = Program(nodes).run(values)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def layers(x, weights):
    for w in weights:
        x = np.tanh(x @ w)
    return np.sum(x * x)


@pytest.fixture
def network():
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(40, 50))
    return x, [numbers.normal(size=(50, 50)) / 7 for _ in range(12)]


@pytest.mark.parametrize("native", [False, True])
def test_grad_within_a_budget_is_the_gradient(network, native):
    x, weights = network
    before = wg.settings.native
    wg.set_native(native)
    try:
        expected = wg.grad(layers, argnums=(0, 1))(x, weights)
        plan = wg.memory_plan(layers, x, weights, argnums=(0, 1))
        budget = plan.smallest
        within = wg.grad(layers, argnums=(0, 1), memory=budget)
        for _ in range(3):
            found = within(x, weights)
            for a, b in zip([found[0], *found[1]], [expected[0], *expected[1]], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    finally:
        wg.set_native(before)


def test_value_and_grad_and_aux_within_a_budget(network):
    x, weights = network

    def f(x):
        return layers(x, weights), x[0]

    (value, aux), g = wg.value_and_grad(f, has_aux=True)(x)
    (value_in, aux_in), g_in = wg.value_and_grad(f, has_aux=True, memory="700kB")(x)
    assert value == pytest.approx(value_in, rel=1e-12)
    np.testing.assert_array_equal(aux, aux_in)
    np.testing.assert_allclose(g, g_in, rtol=1e-12, atol=1e-13)


def test_control_flow_on_values_within_a_budget(network):
    x, weights = network

    def f(x):
        y = np.tanh(x @ weights[0])
        return layers(y, weights[1:]) if np.sum(y) > 0 else np.sum(y)

    for point in (x, -x):
        np.testing.assert_allclose(
            wg.grad(f, memory="800kB")(point), wg.grad(f)(point), rtol=1e-12, atol=1e-14
        )


def test_jit_within_a_budget(network):
    x, weights = network
    g = wg.jit(wg.grad(layers), memory="700kB")
    expected = wg.grad(layers)(x, weights)
    for _ in range(3):
        np.testing.assert_allclose(g(x, weights), expected, rtol=1e-12, atol=1e-13)
    with pytest.raises(MemoryBudgetError):
        wg.jit(wg.grad(layers), memory="100kB")(x, weights)

    @wg.jit(memory="1MB")
    def branching(x):
        return np.sum(x) if x[0] > 0 else np.sum(x**2)

    assert branching(np.array([1.0, 2.0])) == 3.0
    assert branching(np.array([-1.0, 2.0])) == 5.0


@pytest.mark.parametrize("amount", ["5MB", "400kB", "150kB"])
def test_the_pullback_of_vjp_keeps_no_more_than_the_budget(amount):
    def f(x):
        for _ in range(20):
            x = np.sin(x) * 1.1
        return np.sum(x), x[:3]

    x = np.linspace(0.5, 1.5, 2_000)
    cotangent = (2.0, np.arange(3.0))
    value, pullback = wg.vjp(f, x)
    value_in, pullback_in = wg.vjp(f, x, memory=amount)
    np.testing.assert_allclose(value_in[0], value[0], rtol=1e-12)
    held = sum(np.asarray(v).nbytes for v in pullback_in._held)
    assert held <= in_bytes(amount)
    for _ in range(2):
        (found,) = pullback_in(cotangent)
        np.testing.assert_allclose(found, pullback(cotangent)[0], rtol=1e-12, atol=1e-14)


def test_the_pullback_within_a_budget_differentiates():
    def f(x):
        return np.sum(np.sin(x) * np.exp(x))

    x = np.linspace(0.0, 1.0, 2_000)
    _, pullback = wg.vjp(f, x, memory="200kB")
    found = wg.grad(lambda c: np.sum(pullback(c)[0] ** 2))(2.0)
    (row,) = pullback(1.0)
    assert found == pytest.approx(4 * np.sum(row**2), rel=1e-10)


def test_inside_another_transformation_the_gradient_is_inlined():
    def f(x):
        return np.sum(np.sin(x))

    x = np.linspace(0.0, 1.0, 5)
    outer = wg.grad(lambda x: np.sum(wg.grad(f, memory=1)(x)))
    np.testing.assert_allclose(outer(x), -np.sin(x))


def test_results_belong_to_the_caller():
    x = np.ones((30, 30))

    def f(x):
        return np.sum(x.T * 2.0)

    for _ in range(3):
        g = wg.grad(f, memory="1MB")(x)
        assert g.flags.writeable
        g[:] = 7.0
    np.testing.assert_array_equal(wg.grad(f, memory="1MB")(x), np.full((30, 30), 2.0))


def test_outputs_that_are_the_same_value_inputs_or_constants():
    x = np.ones((10, 10))
    y, pull = wg.vjp(lambda x: (x, x, x.T, np.sin(x)), x, memory="1MB")
    assert y[0] is not x
    assert not np.shares_memory(y[0], y[1])
    found = pull((x, x, x, x))[0]
    np.testing.assert_allclose(found, 3 + np.cos(1.0))
    g = wg.grad(lambda a, b: np.sum(a), argnums=(0, 1), memory="1MB")(x, x)
    np.testing.assert_array_equal(g[0], 1.0)
    np.testing.assert_array_equal(g[1], 0.0)


def test_empty_arrays_within_a_budget():
    x = np.zeros((0, 3))
    g = wg.grad(lambda x: np.sum(np.tanh(x)), memory="50kB")(x)
    assert g.shape == (0, 3)


def test_warnings_come_once():
    x = np.linspace(-1.0, 1.0, 2_000)

    def f(x):
        y = np.sqrt(x)
        for _ in range(10):
            y = np.sin(y)
        return np.nansum(y)

    wg.set_native(False)
    try:
        with pytest.warns(RuntimeWarning) as caught:
            wg.grad(f, memory="110kB")(x)
        invalid = [w for w in caught if "sqrt" in str(w.message)]
        assert len(invalid) == 1
    finally:
        wg.set_native(True)


def test_the_error_names_the_smallest_budget(network):
    x, weights = network
    with pytest.raises(MemoryBudgetError, match="smallest budget found") as caught:
        wg.grad(layers, memory=0)(x, weights)
    assert isinstance(caught.value, MemoryError)
    g = wg.grad(layers, memory=caught.value.smallest)
    np.testing.assert_allclose(g(x, weights), wg.grad(layers)(x, weights), rtol=1e-12, atol=1e-13)


def unrolled_by_scan(x, w):
    carry, _ = wg.scan(lambda c, _: (np.tanh(c @ w), None), x, None, length=40)
    return np.sum(carry * carry)


def test_a_scan_within_a_budget_is_segmented():
    numbers = np.random.default_rng(0)
    x, w = numbers.normal(size=(30, 40)), numbers.normal(size=(40, 40)) / 7
    expected = wg.grad(unrolled_by_scan, argnums=(0, 1))(x, w)
    free = wg.memory_plan(unrolled_by_scan, x, w, argnums=(0, 1))
    budget = free.unplanned // 2
    plan = wg.memory_plan(unrolled_by_scan, x, w, argnums=(0, 1), memory=budget)
    assert plan.peak <= budget < free.peak
    assert 0 < plan.overhead < 1
    within = wg.value_and_grad(unrolled_by_scan, argnums=(0, 1), memory=budget)
    for _ in range(3):
        value, found = within(x, w)
        assert value == pytest.approx(unrolled_by_scan(x, w), rel=1e-12)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    tracemalloc.start()
    within(x, w)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used <= budget


def test_captured_arrays_are_there_once():
    """The copies that a trace makes of them do not stay while its program runs."""
    a, x = np.eye(200) / 2, np.ones((200, 200))
    order = np.arange(20_000)[::-1]

    def products(x):
        for _ in range(4):
            x = np.tanh(a @ x)
        return np.sum(x)

    def gathered(x):
        for _ in range(4):
            x = np.sin(x[order])
        return np.sum(x)

    for f, at, there in ((products, x, a.nbytes), (gathered, np.ones(20_000), 0)):
        plan = wg.memory_plan(f, at)
        within = wg.grad(f, memory=plan.peak)
        expected = wg.grad(f)(at)
        for _ in range(2):
            np.testing.assert_allclose(within(at), expected, rtol=1e-12)
        tracemalloc.start()
        within(at)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert used + there + at.nbytes <= plan.peak


def test_captured_arrays_are_not_handed_out():
    a = np.arange(3.0)
    f = lambda x: (np.sum(x * a), wg.numpy.asarray(a) if x.ndim else a)
    _, aux = wg.grad(f, has_aux=True, memory="1MB")(np.ones(3))
    aux[:] = -1
    np.testing.assert_array_equal(a, np.arange(3.0))


def test_a_scan_that_cannot_fit_says_so():
    x, w = np.ones((30, 40)), np.eye(40)
    with pytest.raises(MemoryBudgetError, match="smallest budget found"):
        wg.grad(unrolled_by_scan, memory="10kB")(x, w)


def test_loops_of_unknown_length_have_no_budget():
    def f(x):
        y = wg.while_loop(lambda c: np.sum(c) < 100.0, lambda c: np.sin(c) + c * 1.5, x)
        return np.sum(y)

    with pytest.raises(wg.WengertError, match="nobody knows how many bytes"):
        wg.grad(f, memory="1MB")(np.ones(10))


@pytest.mark.parametrize(
    "text, bytes",
    [("200MB", 200_000_000), ("1.5 GiB", 3 * 2**29), ("64 kb", 64_000), ("1e3", 1000), (12.7, 12)],
)
def test_amounts(text, bytes):
    assert in_bytes(text) == bytes


@pytest.mark.parametrize("wrong", ["", "MB", "12 parsecs", "-5MB", "1.2.3"])
def test_wrong_amounts(wrong):
    with pytest.raises(WengertValueError, match="no amount of memory"):
        wg.grad(np.sum, memory=wrong)


def test_amounts_of_other_kinds():
    with pytest.raises(WengertTypeError, match="number of bytes"):
        wg.grad(np.sum, memory=[1])
    with pytest.raises(WengertValueError, match="at least 0"):
        wg.grad(np.sum, memory=-1)
    with pytest.raises(WengertValueError, match="at least 0"):
        wg.grad(np.sum, memory=float("nan"))
    with pytest.raises(WengertValueError, match="at least 0"):
        wg.grad(np.sum, memory="1e400MB")
    assert in_words(0) == "0 B"


def test_budgets_are_kept_apart_and_plans_found_again():
    clear_caches()
    x = np.linspace(0, 1, 1_000)

    def f(x):
        for _ in range(10):
            x = np.sin(x)
        return np.sum(x)

    nodes, _ = recorded(f, x)
    first = graph_of(nodes).problem
    low = smallest(first).peak
    a = Interpreted(nodes, (), low)
    b = Interpreted(nodes, (), unbounded(first).peak)
    assert a.plan.overhead > 0 == b.plan.overhead
