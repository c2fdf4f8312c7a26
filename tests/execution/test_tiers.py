"""The two tiers: calls of NumPy at first, machine code when a graph is seen again, one answer."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, groupby
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.execution import paths, trying
from wengert.execution.compiled import Compiled
from wengert.execution.interpreter import Program
from wengert.execution.jit import Jitted
from wengert.execution.programs import clear_caches, program
from wengert.graph.node import Node
from wengert.graph.types import array_type
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

X = np.linspace(-1.0, 1.0, 100)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    clear_caches()
    yield
    clear_caches()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="wengert")
    return caplog


def traced(function: Callable[..., Any], *arrays: Any) -> tuple[list[Node], dict[Node, Any]]:
    """(what the function gives as nodes, the values of the inputs)."""
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        results = function(*(Tracer(node, session) for node in inputs))
        return [result.node for result in results], dict(session.values)


def equal(found: Sequence[Any], expected: Sequence[Any]) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-14)


# ------------------------------------------------------------------------------ when which runs


def test_a_graph_is_compiled_when_it_is_seen_again() -> None:
    outputs, values = traced(lambda x: (np.sum(np.sin(x) * x),), X)
    first, second, third = (program(outputs) for _ in range(3))
    assert isinstance(first, Program)
    assert isinstance(second, Compiled)
    assert third is second
    equal(second.run(values), first.run(values))


def test_a_large_graph_is_compiled_after_several_runs() -> None:
    def f(x: Any) -> Any:
        for _ in range(2_500):
            x = np.sin(x)
        return (x,)

    outputs, values = traced(f, np.array(1.0))
    found = [program(outputs) for _ in range(5)]
    assert [type(each) for each in found] == [Program] * 3 + [Compiled] * 2
    equal(found[-1].run(values), found[0].run(values))


def test_a_gradient_is_compiled_at_its_second_call(log: pytest.LogCaptureFixture) -> None:
    f = wg.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2))
    first = f(X)
    assert "compiled" not in log.text
    again = f(X)
    assert log.text.count("compiled") == 1
    third = f(X)
    assert log.text.count("compiled") == 1
    equal(again, first)
    equal(third, first)


def test_jit_compiles_at_once(log: pytest.LogCaptureFixture) -> None:
    f = wg.jit(wg.grad(lambda x: np.sum(np.tanh(x) ** 2)))
    found = f(X)
    assert "compiled" in log.text
    equal([found], [2 * np.tanh(X) * (1 - np.tanh(X) ** 2)])


def test_without_machine_code_all_runs_as_numpy(log: pytest.LogCaptureFixture) -> None:
    wg.set_native(False)
    try:
        f = wg.jit(lambda x: np.sin(x) + 1)
        np.testing.assert_array_equal(f(X), np.sin(X) + 1)
        outputs, _ = traced(lambda x: (np.sin(x),), X)
        assert all(isinstance(program(outputs), Program) for _ in range(3))
    finally:
        wg.set_native(True)
    assert "compiled" not in log.text


# ---------------------------------------------------------------------------------- host calls


def in_the_middle(x: Any) -> Any:
    """Native, host, native, host, native; a native value is read on both sides."""
    y = np.sin(x)
    z = np.cumsum(y) * y
    w = np.cos(np.sort(z) + y)
    return w, np.sum(w * x), np.argmax(z)


def test_host_calls_stand_between_compiled_programs(log: pytest.LogCaptureFixture) -> None:
    outputs, values = traced(in_the_middle, X)
    compiled = Compiled(outputs)
    equal(compiled.run(values), in_the_middle(X))
    kinds = ["host" if isinstance(step, Node) else "native" for step in compiled.steps]
    assert [kind for kind, _ in groupby(kinds)] == ["native", "host", "native", "host", "native"]
    told = [record.message for record in log.records if "host call" in record.message]
    assert any("cumsum" in message for message in told)


def test_gradients_through_host_calls() -> None:
    f = wg.value_and_grad(lambda x: in_the_middle(x)[1])
    first = f(X)
    for _ in range(3):
        equal(f(X), first)


# ------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("index", [[0, 100], [-101, 3], [2**40, 0]], ids=str)
def test_an_index_out_of_range_raises_what_the_interpreter_raises(index: list[int]) -> None:
    def f(x: Any, i: Any) -> Any:
        return np.sin(x)[i] * 2, np.sum(x)

    outputs, values = traced(f, X, np.array([5, -100]))
    compiled = Compiled(outputs)
    equal(compiled.run(values), f(X, np.array([5, -100])))
    wrong = {
        node: np.array(index) if value.dtype.kind == "i" else value
        for node, value in values.items()
    }
    with pytest.raises(IndexError) as expected:
        Program(outputs).run(wrong)
    with pytest.raises(IndexError) as found:
        compiled.run(wrong)
    assert str(found.value).splitlines()[0] == str(expected.value).splitlines()[0]
    equal(compiled.run(values), f(X, np.array([5, -100])))


def test_an_index_out_of_range_is_found_among_many() -> None:
    outputs, values = traced(lambda x, i: (x[i],), X, np.zeros(1000, int))
    compiled = Compiled(outputs)
    at = next(node for node, value in values.items() if value.dtype.kind == "i")
    for k in (0, 1, 31, 32, 500, 998, 999):
        index = np.zeros(1000, int)
        index[k] = 100
        with pytest.raises(IndexError):
            compiled.run({**values, at: index})
    index[k] = -100
    assert compiled.run({**values, at: index})[0].tolist() == [X[0]] * 1000


# -------------------------------------------------------------------------------------- aliasing


def test_results_are_the_callers_own() -> None:
    """Neither inputs, nor each other, nor what the next call writes."""

    def f(x: Any) -> Any:
        y = np.sin(x)
        return x, x.T, x[1:], x.reshape(-1), y, y.T, y, y.reshape(-1), np.cumsum(x), y @ y.T, 2 * y

    x = np.random.default_rng(0).standard_normal((20, 30))
    outputs, values = traced(f, x)
    compiled = Compiled(outputs)
    first = compiled.run(values)
    kept = [np.array(value) for value in first]
    second = compiled.run({node: -value for node, value in values.items()})
    for value, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(value, copy)
    equal(first, f(x))
    equal(second, f(-x))
    for a, b in combinations([x, *first, *second], 2):
        assert not np.shares_memory(a, b)
    assert all(value.flags.writeable for value in [*first, *second])


def test_numbers_are_numpy_scalars() -> None:
    outputs, values = traced(lambda x: (np.sum(x), np.max(x) > 0, x[0]), X)
    for each in (Program(outputs), Compiled(outputs)):
        assert [type(v) for v in each.run(values)] == [np.float64, np.bool_, np.float64]


# --------------------------------------------------------------------------------------- threads


@pytest.mark.parametrize("n", [20, 400], ids=["short", "long enough to release the lock"])
def test_threads_run_one_program_at_once(n: int) -> None:
    def f(x: Any) -> Any:
        y = np.exp(-np.square(x))
        scaled = y / np.sum(y, axis=1, keepdims=True)
        return np.sum(scaled * x, axis=0), np.cumsum(scaled, axis=0), scaled.T @ y

    rng = np.random.default_rng(0)
    points = [rng.standard_normal((n, n)) for _ in range(4)]
    outputs, values = traced(f, points[0])
    (x,) = values
    compiled = Compiled(outputs)
    expected = [[np.array(v) for v in compiled.run({x: point})] for point in points]
    equal(expected[0], Program(outputs).run(values))

    def work(k: int) -> bool:
        for _ in range(15):
            for a, b in zip(compiled.run({x: points[k]}), expected[k], strict=True):
                if not np.array_equal(a, b):
                    return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


# ----------------------------------------------------------------------------------- given nodes


def test_given_nodes_are_read_and_not_computed() -> None:
    outputs, values = traced(lambda x: (np.cos(np.sin(x)) + x, np.sum(np.sin(x))), X)
    sine = next(node for node in topological(outputs) if node.op.name == "sin")
    given = {**values, sine: np.full(100, 0.25)}
    expected = [np.cos(0.25) + X, 25.0]
    for each in (Program(outputs, [sine]), Compiled(outputs, [sine])):
        equal(each.run(given), expected)


def test_a_given_node_may_be_an_output() -> None:
    outputs, values = traced(lambda x: (np.sin(x), np.sin(x) * 2), X)
    given = {**values, outputs[0]: np.ones(100)}
    found = Compiled(outputs, [outputs[0]]).run(given)
    equal(found, [np.ones(100), np.full(100, 2.0)])
    assert not np.shares_memory(found[0], given[outputs[0]])


def test_pullbacks_run_on_residuals(log: pytest.LogCaptureFixture) -> None:
    """The linear part of a function runs on the values of its residuals, in both tiers."""
    value, pullback = wg.vjp(lambda x: np.tanh(x) * np.sum(x**2), X)
    ct = np.cos(X)
    first = pullback(ct)[0]
    assert "compiled" not in log.text
    for _ in range(3):
        equal(pullback(ct), [first])
    assert "compiled" in log.text
    equal([value], [np.tanh(X) * np.sum(X**2)])
    equal([first], [(1 - np.tanh(X) ** 2) * np.sum(X**2) * ct + 2 * X * (np.tanh(X) @ ct)])
    output, pushforward = wg.linearize(lambda x: np.sin(x) * x, X)
    for _ in range(3):
        equal([pushforward(ct), output], [(np.cos(X) * X + np.sin(X)) * ct, np.sin(X) * X])


def test_functions_made_anew_share_their_machine_code(log: pytest.LogCaptureFixture) -> None:
    """A function under jit that is made at each call of its caller is traced, and not compiled."""

    def halved(x: np.ndarray, by: float) -> np.ndarray:
        return wg.jit(lambda y: np.sin(y) / by)(x)

    equal([halved(X, 2.0), halved(X, 4.0)], [np.sin(X) / 2, np.sin(X) / 4])
    equal([halved(X, 8.0)], [np.sin(X) / 8])  # the number is an input from here on
    compiled = log.text.count("compiled")
    equal([halved(X, 16.0), halved(2 * X, 2.0)], [np.sin(X) / 16, np.sin(2 * X) / 2])
    assert log.text.count("compiled") == compiled > 0


def test_machine_code_that_is_kept_weighs_what_its_graph_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It keeps the graph alive, so that the cache must count it."""
    weights: list[int] = []
    monkeypatch.setattr(paths, "remember", lambda key, value, weight: weights.append(weight))

    def sines(x: Any) -> Any:
        for _ in range(300):
            x = np.sin(x)
        return x

    wg.jit(sines)(X)
    assert len(weights) == 1
    assert weights[0] >= 300


def test_a_patient_function_is_compiled_when_that_pays(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def branching(x: np.ndarray) -> np.ndarray:
        return np.sin(x) if x[0] < 0 else np.cos(x)

    f = Jitted(branching, patient=True)
    for _ in range(3):
        equal([f(X), f(-X)], [np.sin(X), np.cos(-X)])
    assert "compiled" not in log.text
    monkeypatch.setattr(trying, "NODE", 0.0)
    monkeypatch.setattr(trying, "BASE", 1e-6)
    again = Jitted(branching, patient=True)  # what the graph has taken is known
    equal([again(X), again(-X)], [np.sin(X), np.cos(-X)])
    for _ in range(3):
        equal([again(X), again(-X), again(2 * X)], [np.sin(X), np.cos(-X), np.sin(2 * X)])
    assert log.text.count("compiled") == 2


def test_trials_end_while_a_function_is_in_use(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "BASE", 1e-6)
    monkeypatch.setattr(trying, "NODE", 0.0)
    f = Jitted(np.exp, patient=True)
    equal([f(X)], [np.exp(X)])
    assert "compiled" not in log.text
    equal([f(X)], [np.exp(X)])
    assert log.text.count("compiled") == 1
    equal([pickle.loads(pickle.dumps(f))(X)], [np.exp(X)])
