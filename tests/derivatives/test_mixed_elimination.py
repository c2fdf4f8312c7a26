"""Vertex elimination: the published counts, and Jacobians that are those of the other modes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standard_problems import PROBLEMS, Problem

import wengert as wg
from support import interpreted
from wengert.derivatives.mixed.elimination import Numbers, eliminations, multiplications

RULES = ("forward", "reverse", "markowitz")


class Vertex:
    """An elementary result, counted and not computed: what the counts are made on.

    Every operation written down is a vertex, repeated ones too, as in the list of operations of a
    program that nothing has been done to; numbers are none.
    """

    def __init__(self, *arguments: Any) -> None:
        self.before = [a for a in arguments if isinstance(a, Vertex)]

    def _of(self, *others: Any) -> Vertex:
        return Vertex(self, *others)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _of
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = _of

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Vertex:
        return Vertex(*inputs)


def graph_of(problem: Problem) -> Numbers:
    inputs = [Vertex() for _ in problem.point]
    outputs = problem.program(*inputs)
    order: dict[Vertex, int] = {vertex: k for k, vertex in enumerate(inputs)}

    def visit(vertex: Vertex) -> None:
        if vertex not in order:
            for near in vertex.before:
                visit(near)
            order[vertex] = len(order)

    for output in outputs:
        visit(output)
    before = tuple(tuple(dict.fromkeys(order[u] for u in vertex.before)) for vertex in order)
    return Numbers(before, tuple(order[output] for output in outputs))


@pytest.mark.parametrize("name", PROBLEMS)
def test_multiplications_of_the_standard_problems(name: str) -> None:
    """Forward and reverse order as Lohoff & Neftci 2024 count them; Markowitz's degree with ties
    broken towards the outputs."""
    problem = PROBLEMS[name]
    graph = graph_of(problem)
    counts = [multiplications(graph, rule) for rule in RULES]
    assert counts == [problem.forward, problem.reverse, problem.markowitz]


@pytest.mark.parametrize("name", PROBLEMS)
def test_common_operations_are_one(name: str) -> None:
    """Traced, repeated operations are one vertex: no more multiplications than counted above."""
    problem = PROBLEMS[name]
    plan = wg.plan(stacked(problem.program), mode="elimination")(np.array(problem.point))
    eliminated = next(one for one in plan.candidates if one.name == "elimination")
    assert 0 < eliminated.products <= problem.markowitz


def by_definition(graph: Numbers, order: tuple[int, ...]) -> int:
    """The multiplications of an order, on a plain set of edges."""
    edges = {(u, v) for v, near in enumerate(graph.before) for u in near}
    count = 0
    for vertex in order:
        come = [u for u, v in edges if v == vertex]
        go = [w for v, w in edges if v == vertex]
        count += len(come) * len(go)
        edges = {edge for edge in edges if vertex not in edge} | set(itertools.product(come, go))
    return count


def random_graph(rng: np.random.Generator, inner: int) -> Numbers:
    before: list[tuple[int, ...]] = [(), (), ()]
    for v in range(3, 3 + inner):
        before.append(tuple(int(u) for u in rng.choice(v, size=rng.integers(1, 3), replace=False)))
    used = {u for near in before for u in near}
    ends = [v for v in range(3, 3 + inner) if v not in used]
    return Numbers(tuple(before), tuple(ends))


@pytest.mark.parametrize("seed", range(20))
def test_orders(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 9)
    inner = tuple(v for v in range(3, 12) if v not in graph.outputs)
    assert multiplications(graph, "forward") == by_definition(graph, inner)
    assert multiplications(graph, "reverse") == by_definition(graph, inner[::-1])
    steps = eliminations(graph)
    order = tuple(step.vertex for step in steps)
    assert sorted(order) == list(inner)
    assert sum(step.multiplications for step in steps) == by_definition(graph, order)
    if len(inner) <= 6:
        best = min(by_definition(graph, other) for other in itertools.permutations(inner))
        assert best <= by_definition(graph, order) <= max(1.5 * best, best + 2)


@pytest.mark.parametrize("seed", range(10))
def test_the_least_degree_goes_first_and_ties_to_the_outputs(seed: int) -> None:
    """Each choice of the heap against looking at all vertices."""
    graph = random_graph(np.random.default_rng(100 + seed), 25)
    edges = {(u, v) for v, near in enumerate(graph.before) for u in near}
    left = {v for v in range(3, 28) if v not in graph.outputs}
    for step in eliminations(graph):
        degree = {v: sum(b == v for _, b in edges) * sum(a == v for a, _ in edges) for v in left}
        assert step.vertex == max(v for v in left if degree[v] == min(degree.values()))
        come = [u for u, v in edges if v == step.vertex]
        go = [w for v, w in edges if v == step.vertex]
        edges = {e for e in edges if step.vertex not in e} | set(itertools.product(come, go))
        left.discard(step.vertex)


# ------------------------------------------------------------------------------- Jacobians


def stacked(program: Callable[..., tuple[Any, ...]]) -> Callable[[Any], Any]:
    """The program on an array of its arguments."""
    return lambda x: np.stack([1.0 * value for value in program(*x)])


def check(f: Callable[..., Any], *args: Any, rtol: float = 1e-10, **options: Any) -> None:
    found = wg.jacobian(f, mode="elimination", **options)(*args)
    expected = wg.jacobian(f, mode="forward", **options)(*args)
    flat = lambda tree: np.concatenate([np.ravel(leaf) for leaf in _leaves(tree)])
    assert [np.shape(a) for a in _leaves(found)] == [np.shape(a) for a in _leaves(expected)]
    assert np.all(np.isfinite(flat(expected)))
    scale = rtol * np.max(np.abs(flat(expected)), initial=0)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=rtol, atol=scale)


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, tuple | list):
        for part in tree:
            yield from _leaves(part)
    else:
        yield tree


@pytest.mark.parametrize("name", PROBLEMS)
def test_jacobians_of_the_standard_problems(name: str) -> None:
    problem = PROBLEMS[name]
    check(stacked(problem.program), np.array(problem.point), rtol=1e-9)
    assert wg.plan(stacked(problem.program))(np.array(problem.point)).chosen.name == "elimination"


def test_small_arrays() -> None:
    M = np.arange(6.0).reshape(2, 3) / 3

    def f(x: Any, y: Any) -> Any:
        m = np.outer(x, y) + M
        return m @ m.T, np.sum(np.sin(m), axis=0) * y, np.stack([x[0] * y[1], y[2]])[::-1], x

    check(f, np.array([0.3, 0.7]), np.array([1.0, -2.0, 0.5]), argnums=(0, 1))
    check(f, np.array([0.3, 0.7]), np.array([1.0, -2.0, 0.5]), argnums=1)


def test_batched_products() -> None:
    a = np.random.default_rng(0).normal(size=(2, 3, 2))
    b = a.swapaxes(1, 2)
    check(lambda x: np.einsum("bij,bjk->bik", a * x[0], np.sin(b * x[1])), np.array([1.5, 0.5]))


def test_outputs_that_are_used_and_repeated() -> None:
    def f(x: Any) -> Any:
        y = x[0] * x[1]
        z = np.sin(y)
        return y, z, y, x[0], z * y, np.stack([y, 2.0 * y])

    check(f, np.array([0.4, 1.2]))


def test_an_element_that_stands_in_two_places() -> None:
    def f(x: Any) -> Any:
        y = 2.0 * x[0]
        return np.stack([x[2], y, y]), y * x[1], y

    check(f, np.array([0.4, 1.2, 3.0]))
    check(lambda x: np.stack([np.sin(x[0])] * 3), np.array([0.4, 1.2]))


def test_one_argument_twice() -> None:
    check(
        lambda x: np.stack([x[0] * x[0], x[1] * np.reshape(x, (2, 1))[1, 0]]), np.array([2.0, 3.0])
    )


def test_nothing_between() -> None:
    check(lambda x: x[::-1], np.ones(3))
    check(lambda x: np.ones(2) * 3.0 + 0.0 * x, np.ones(2))
    check(lambda x: np.ones(2), np.ones(3))


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_no_nan_from_branches_not_taken() -> None:
    def f(x: Any) -> Any:
        return np.where(x > 0, np.log(x) * x[::-1], np.exp(x) * 2), np.where(x > 0, np.sqrt(x), x)

    check(f, np.array([-1.0, 0.0, 2.0]))
    by_numbers = lambda x: np.stack([np.where(v > 0, np.log(v), v) * x[0] for v in x])
    check(by_numbers, np.array([-1.0, 0.0, 2.0]))


def test_holomorphic() -> None:
    check(
        lambda z: np.stack([z[0] * np.exp(z[1]), z[1] ** 2]),
        np.array([1 + 2j, 0.3j]),
        holomorphic=True,
    )


def test_complex_numbers_within_a_real_program_are_refused() -> None:
    def f(x: Any) -> Any:
        z = np.exp(1j * x[0]) * x[1]
        return np.stack([np.real(z * z), np.abs(z)])

    with pytest.raises(wg.WengertError, match="programs of numbers"):
        wg.jacobian(f, mode="elimination")(np.array([0.3, 2.0]))
    expected = wg.jacfwd(f)(np.array([0.3, 2.0]))
    np.testing.assert_allclose(
        wg.jacobian(f)(np.array([0.3, 2.0])), expected, rtol=1e-13, atol=1e-15
    )


def test_compiled_mapped_and_twice() -> None:
    problem = PROBLEMS["heart"]
    f, x = stacked(problem.program), np.array(problem.point)
    jacobian = wg.jacobian(f, mode="elimination")
    expected = wg.jacfwd(f)
    np.testing.assert_allclose(wg.jit(jacobian)(x), expected(x), rtol=1e-12, atol=1e-12)
    points = np.stack([x, 2 * x, x[::-1]])
    mapped = wg.vmap(jacobian)(points)
    np.testing.assert_allclose(mapped, [expected(p) for p in points], rtol=1e-12, atol=1e-11)
    second = wg.jacobian(jacobian, mode="forward")(x)
    np.testing.assert_allclose(second, wg.jacfwd(expected)(x), rtol=1e-12, atol=1e-12)
    slope = wg.grad(lambda x: np.sum(jacobian(x) ** 2))(x)
    np.testing.assert_allclose(slope, wg.grad(lambda x: np.sum(expected(x) ** 2))(x), rtol=1e-11)


@pytest.mark.parametrize("f", [np.linalg.inv, np.sort])
def test_what_is_no_program_of_numbers_is_refused(f: Any) -> None:
    with pytest.raises(wg.WengertError, match="programs of numbers"):
        wg.jacobian(f, mode="elimination")(
            np.diag([1.0, 2.0]) if f is np.linalg.inv else np.ones(2)
        )


def test_large_programs_are_refused() -> None:
    with pytest.raises(wg.WengertError, match="2000 elementary results"):
        wg.jacobian(np.sin, mode="elimination")(np.ones(3000))


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (2 + b**2),
    "sin": lambda a, b: np.sin(a) - b,
    "branch": lambda a, b: np.where(a > b, np.sqrt(np.maximum(a - b, 0.0)), a),
    "constant": lambda a, b: 0.5 * a,
}


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 30), st.integers(0, 30)),
        min_size=1,
        max_size=14,
    ),
    x=st.lists(st.floats(0.1, 2.0), min_size=3, max_size=3, unique=True),
)
def test_random_programs(steps: list[tuple[str, int, int]], x: list[float]) -> None:
    def f(x: Any) -> Any:
        values = list(x)
        for name, i, j in steps:
            values.append(OPERATIONS[name](values[i % len(values)], values[j % len(values)]))
        return np.stack(values[-3:])

    with interpreted(), np.errstate(all="ignore"):
        expected = wg.jacobian(f, mode="reverse")(np.array(x))
        if np.all(np.isfinite(expected)):
            found = wg.jacobian(f, mode="elimination")(np.array(x))
            scale = 1e-10 * np.max(np.abs(expected), initial=1)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=scale)
