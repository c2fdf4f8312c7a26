"""The simplifier keeps values, comes to an end, and makes less work; each of its patterns fires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_checks import close, pulled_back
from law_patterns import EXACT, INVERSE, MATRICES, NODES, SUMS, VALUES
from law_programs import Instruction, points, programs, run

import wengert as wg
from wengert.execution.interpreter import Program
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import FLOAT, array_type
from wengert.graph.verify import verify
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.simplify import OF_FAMILY, TABLE, simplify
from wengert.transforms.simplifying import contraction

BOUND = dict(zip(NODES.values(), VALUES.values(), strict=True))


def simplified(outputs: Sequence[Node]) -> list[Node]:
    """The outputs simplified, with all that must hold for any graph."""
    found = simplify(outputs)
    verify(found)
    for old, new in zip(outputs, found, strict=True):
        assert (new.shape, new.dtype) == (old.shape, old.dtype)
    again = simplify(found)
    assert all(a is b for a, b in zip(again, found, strict=True))
    return found


def contiguous(outputs: Sequence[Node], values: dict[Node, Any]) -> list[Any]:
    """Values of nodes on arrays in C order, so that NumPy sums equal arrays in one order."""
    known = dict(values)
    with np.errstate(all="ignore"):
        for node in topological(outputs, stop=known):
            result = node.op.evaluate(node)(*[known[arg] for arg in node.args])
            is_array = isinstance(result, np.ndarray) and result.ndim
            known[node] = np.ascontiguousarray(result) if is_array else result
    return [np.asarray(known[node]) for node in outputs]


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays are equal to the bit, but for the payloads of NaN."""
    if a.dtype.kind == "c":
        return same_bits(a.real, b.real) and same_bits(a.imag, b.imag)
    equal = a == b
    if a.dtype.kind == "f":
        equal = (equal & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))
    return a.dtype == b.dtype and a.shape == b.shape and bool(np.all(equal))


# -------------------------------------------------------------------------------- patterns


@pytest.mark.parametrize("node", EXACT, ids=repr)
def test_exact_patterns_keep_every_bit(node: Node) -> None:
    (old,), (new,) = contiguous([node], BOUND), contiguous(simplified([node]), BOUND)
    assert same_bits(old, new)


@pytest.mark.parametrize("node", SUMS, ids=repr)
def test_patterns_of_sums_keep_sums_of_integers(node: Node) -> None:
    (old,), (new,) = contiguous([node], BOUND), contiguous(simplified([node]), BOUND)
    assert old.dtype == new.dtype
    assert np.array_equal(old, new)


@pytest.mark.parametrize("node", MATRICES, ids=repr)
def test_patterns_of_matrices_keep_values_to_rounding(node: Node) -> None:
    (old,), (new,) = contiguous([node], BOUND), contiguous(simplified([node]), BOUND)
    assert old.dtype == new.dtype
    np.testing.assert_allclose(new, old, rtol=0, atol=1e-14 * np.abs(old).max())


def test_inverse_power_is_rounded_correctly() -> None:
    (power,), (new,) = contiguous([INVERSE], BOUND), contiguous(simplified([INVERSE]), BOUND)
    with np.errstate(all="ignore"):
        assert same_bits(new, 1 / VALUES["x"])
    np.testing.assert_array_max_ulp(new[~np.isnan(new)], power[~np.isnan(new)], 1)


def test_every_pattern_fires(monkeypatch: pytest.MonkeyPatch) -> None:
    fired: Counter[tuple[str, str]] = Counter()

    def watched(name: str, rule: Callable[[Node], Any]) -> Callable[[Node], Any]:
        fired[name, rule.__name__] = 0

        def run(node: Node) -> Any:
            found = rule(node)
            fired[name, rule.__name__] += found is not None
            return found

        return run

    for table in (TABLE, OF_FAMILY):
        for name, rules in table.items():
            monkeypatch.setitem(table, name, [watched(name, rule) for rule in rules])
    simplify([*EXACT, *SUMS, *MATRICES, INVERSE])
    assert [key for key, count in fired.items() if not count] == []


# ------------------------------------------------------------------------- random programs

some = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
drawn = given(program=programs(), seed=st.integers(0, 24))


def program_graph(program: list[Instruction], seed: int) -> tuple[list[Node], dict[Node, Any]]:
    """A random program and its pullback as a graph, and values of its inputs."""
    arrays = points(seed)
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        output = run(program, *(Tracer(node, session) for node in inputs)).node
        ct = full(1.0, output.dtype, output.shape)
        pulled = [node for node in pulled_back([output], inputs, [ct]) if node is not None]
        return [output, *pulled], dict(session.values)


@some
@drawn
def test_random_programs(program: list[Instruction], seed: int) -> None:
    """All patterns: values agree but for the order of sums."""
    outputs, values = program_graph(program, seed)
    new = Program(simplified(outputs)).run(values)
    for a, b in zip(new, Program(outputs).run(values), strict=True):
        close(a, b, 1e-13, "simplified")


@some
@drawn
def test_random_programs_without_reordering(program: list[Instruction], seed: int) -> None:
    """The exact patterns alone: values agree to the bit."""
    outputs, values = program_graph(program, seed)
    with pytest.MonkeyPatch.context() as patch:
        for name in {*contraction.RULES, "sum"}:
            patch.delitem(TABLE, name)
        new = simplified(outputs)
    for a, b in zip(contiguous(new, values), contiguous(outputs, values), strict=True):
        assert same_bits(a, b)


@pytest.mark.long
@settings(some, max_examples=2000)
@given(program=programs(20), seed=st.integers(0, 10_000))
def test_many_programs(program: list[Instruction], seed: int) -> None:
    test_random_programs.hypothesis.inner_test(program, seed)
    test_random_programs_without_reordering.hypothesis.inner_test(program, seed)


# -------------------------------------------------------------------- gradients, and the time

_rng = np.random.default_rng(0)
X, Y, W = _rng.normal(size=(40, 5)), _rng.normal(size=40), _rng.normal(size=5)
VIEWS = {"broadcast_to", "reshape", "transpose", "index"}
"""Compiled code does not run these: they say where elements are."""


def distances(p: Any, d: Any) -> Any:
    apart = p[:, None, :] - p[None, :, :]
    return np.sum((np.sqrt(np.sum(apart * apart, axis=2) + 1e-9) - d) ** 2)


def mixture(weights: Any, means: Any, scales: Any, x: Any) -> Any:
    z = (x[:, None, :] - means[None]) * np.exp(scales)[None]
    q = weights + np.sum(scales, axis=1) - 0.5 * np.sum(z * z, axis=2)
    top = wg.stop_gradient(np.max(q, axis=1, keepdims=True))
    return np.sum(np.log(np.sum(np.exp(q - top), axis=1)) + top[:, 0])


def logistic(w: Any, x: Any, y: Any) -> Any:
    return np.sum(np.log1p(np.exp(-y * (x @ w))))


GRADIENTS: dict[str, tuple[Any, list[Any]]] = {
    "regression": (
        wg.grad(lambda w, x, y: np.sum(np.log1p((x @ w - y) ** 2 / 3.0))),
        [W, X, Y],
    ),
    "stencil": (wg.grad(lambda u: np.sum((u[1:] - u[:-1]) ** 2)), [Y]),
    "distances": (wg.grad(distances), [X[:20, :3], np.ones((20, 20))]),
    "mixture": (wg.grad(mixture), [Y[:4], X[:4], X[4:8], X]),
    "means of a mixture": (wg.grad(mixture, 1), [Y[:4], X[:4], X[4:8], X]),
    "hessian": (wg.hessian(logistic), [W, X, Y]),
    "variance": (wg.grad(lambda x: np.var(x) + np.mean(x) * np.linalg.norm(x)), [Y]),
    "masks": (wg.grad(lambda x: np.sum(np.where(x > 0, np.log(x), np.maximum(x, 0.5) ** 3))), [Y]),
}


def work(outputs: Sequence[Node]) -> tuple[int, int]:
    """How many operations, and on how many elements."""
    run = [node for node in topological(outputs) if node.args and node.op.name not in VIEWS]
    return len(run), sum(node.size for node in run)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_less_work(name: str) -> None:
    function, arrays = GRADIENTS[name]
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        outputs = [function(*(Tracer(node, session) for node in inputs)).node]
        values = dict(session.values)
    new = simplified(outputs)
    for after, before in zip(work(new), work(outputs), strict=True):
        assert after < before
    for a, b in zip(Program(new).run(values), Program(outputs).run(values), strict=True):
        close(a, b, 1e-14, name, 100.0)


def chain(length: int) -> Node:
    """Operations some of which simplify, none of them alike."""
    x = find("input")("long", array_type((3,), FLOAT))
    node = x
    for _ in range(length // 4):
        node = find("sin")(find("alias")(find("add")(x, find("negative")(node)), 0))
    return node


def test_time_is_linear() -> None:
    times = []
    for length in (25_000, 100_000):
        node = chain(length)
        start = process_time()
        (new,) = simplify([node])
        times.append(process_time() - start)
        assert len(topological([new])) == length // 2 + 1
    assert times[1] < 7 * times[0], times


def test_what_is_given_stays() -> None:
    x, held = NODES["x"], find("alias")(NODES["x"], 7)
    (new,) = simplify([find("negative")(held)], given=[held])
    assert new.args == (held,)
    (new,) = simplify([find("negative")(held)])
    assert new.args == (x,)
