"""Jacobians by mixed mode are those of forward and of reverse mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import optree
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as wg
from support import interpreted
from wengert.derivatives.marking import mark, output_nodes
from wengert.derivatives.mixed.chain import Bracket
from wengert.derivatives.mixed.evaluating import by_bracket
from wengert.derivatives.mixed.linearised import Linearised, linearised
from wengert.execution.border import deliver, entered
from wengert.execution.programs import clear_caches
from wengert.graph.node import Node
from wengert.graph.types import ArrayType
from wengert.tracing.tracer import Tracer

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 300)), RNG.normal(size=(250, 4))
W, V = RNG.normal(size=(300, 300)) / 300, RNG.normal(size=(250, 250)) / 250
X = RNG.normal(size=300)


def narrow(x: Any) -> Any:
    """A waist of four between wide dense layers."""
    return np.tanh(V @ np.tanh(B @ np.sin(A @ np.tanh(W @ x))))


def same(ours: Any, expected: Any, rtol: float = 1e-9) -> None:
    assert optree.tree_structure(ours) == optree.tree_structure(expected)
    for a, b in zip(optree.tree_leaves(ours), optree.tree_leaves(expected), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.max(np.abs(b), initial=0))


def check(f: Callable[..., Any], *args: Any, **options: Any) -> None:
    """The plan goes through a waist, and the Jacobian is that of the single modes."""
    of_plan = {name: value for name, value in options.items() if name != "holomorphic"}
    assert wg.plan(f, mode="mixed", **of_plan)(*args).chosen.name == "mixed"
    mixed = wg.jacobian(f, mode="mixed", **options)(*args)
    same(mixed, wg.jacobian(f, mode="forward", **options)(*args))
    same(mixed, wg.jacobian(f, mode="reverse", **options)(*args))


# ---------------------------------------------------------------- all brackets, any interfaces


def brackets(first: int, last: int) -> Iterator[Bracket]:
    """Every way to make the Jacobian of some segments."""
    if first == last:
        yield Bracket("forward", first, last, 0.0)
        yield Bracket("reverse", first, last, 0.0)
    for k in range(first, last):
        for early in brackets(first, k):
            yield Bracket("push", first, last, 0.0, early=early)
            for late in brackets(k + 1, last):
                yield Bracket("product", first, last, 0.0, early=early, late=late)
        for late in brackets(k + 1, last):
            yield Bracket("pull", first, last, 0.0, late=late)


def frontier(graph: Linearised, position: int) -> list[Node]:
    """The nodes up to a position of the order that later ones, or the outputs, are made from."""
    done = set(graph.order[:position])
    used = set(graph.outputs) & done
    for node in graph.order[position:]:
        used.update(arg for arg in graph.before[node] if arg in done)
    return [node for node in graph.order if node in used]


def through(f: Any, args: Sequence[Any], positions: Sequence[float]) -> Iterator[list[Any]]:
    """The Jacobian by every bracket of the chain through the frontiers at these places of the
    order, as a list of matrices (output, input)."""
    with entered([]) as session:
        marked = mark(session, tuple(args), tuple(range(len(args))), "a test")
        outputs, _ = output_nodes(f(*marked.args), session, "a test")
        graph = linearised(outputs, marked.nodes)
        places = [round(len(graph.inputs) + p * (len(graph.order) - 3)) for p in sorted(positions)]
        cuts = [frontier(graph, place) for place in places]
        if not all(isinstance(node.type, ArrayType) for cut in cuts for node in cut):
            return
        chain = [graph.inputs, *cuts, graph.outputs]
        for bracket in brackets(0, len(chain) - 2):
            blocks = by_bracket(bracket, chain)
            found = [
                Tracer(blocks[end, start], session) if (end, start) in blocks else None
                for end in outputs
                for start in marked.nodes
            ]
            yield deliver(session, True, found)


def check_all(f: Any, args: Sequence[Any], positions: Sequence[float], rtol: float = 1e-9) -> int:
    argnums = tuple(range(len(args)))
    forward = optree.tree_leaves(wg.jacobian(f, argnums, mode="forward")(*args))
    reverse = optree.tree_leaves(wg.jacobian(f, argnums, mode="reverse")(*args))
    for a, b in zip(forward, reverse, strict=True):
        assert np.all(np.isfinite(a))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.max(np.abs(b), initial=1))
    count = 0
    for found in through(f, args, positions):
        count += 1
        for ours, expected in zip(found, forward, strict=True):
            value = np.zeros(expected.size) if ours is None else np.ravel(ours)
            scale = rtol * np.max(np.abs(expected), initial=1)
            np.testing.assert_allclose(value, np.ravel(expected), rtol=rtol, atol=scale)
    return count


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda x, r: np.sin(x),
    "tanh": lambda x, r: np.tanh(x),
    "square": lambda x, r: x**2 / 2,
    "narrow": lambda x, r: r.normal(size=(2, x.shape[0])) @ x,
    "wide": lambda x, r: r.normal(size=(6, x.shape[0])) @ x / 2,
    "slice": lambda x, r: x[: max(1, x.shape[0] - 1)],
    "sum": lambda x, r: x * np.sum(x) / 4,
    "roll": lambda x, r: x + np.roll(x, 1),
    "dead log": lambda x, r: np.where(x > 0.1, np.log(np.where(x > 0.1, x, 0.0)), x),
    "dead sqrt": lambda x, r: np.where(x > 0, np.sqrt(np.maximum(x, 0.0)), -x),
    "pair": lambda x, r: np.concatenate([x, np.cos(x[::-1])]),
    "outer": lambda x, r: np.sum(np.outer(x, np.sin(x)), axis=1),
    "norm": lambda x, r: x / (1 + np.linalg.norm(x)),
    "solve": lambda x, r: np.linalg.solve(np.eye(x.shape[0]) * 3 + np.outer(x, x) / 9, x),
}

numbers = st.floats(0.2, 2.0) | st.floats(-2.0, -0.2)


@settings(max_examples=20, deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=6),
    x=st.lists(numbers, min_size=3, max_size=5),
    y=st.lists(numbers, min_size=2, max_size=2),
    positions=st.lists(st.floats(0, 1), min_size=1, max_size=2),
    seed=st.integers(0, 1000),
)
def test_random_programs(
    steps: list[str], x: list[float], y: list[float], positions: list[float], seed: int
) -> None:
    def f(x: Any, y: Any) -> Any:
        rng = np.random.default_rng(seed)
        value = x
        for k, step in enumerate(steps):
            value = STEPS[step](value, rng)
            if k == 1:
                value = value * y[0] + np.sin(y[1])
        return value, value[0] * y

    with np.errstate(all="ignore"), interpreted():
        check_all(f, (np.array(x), np.array(y)), positions)


# ----------------------------------------------------------------------------- dead branches


def dead(x: Any) -> Any:
    """A branch not taken whose slope is infinite or NaN, in the middle of a chain."""
    y = C @ x
    z = np.where(y > 0, np.log(y), 0.0)
    return np.sin(D @ z)


def zero_slope(x: Any) -> Any:
    """Elements that no input moves, before an infinite slope."""
    y = np.where(np.array([True, False, True]), C @ x, 0.0)
    return D @ np.sqrt(np.abs(y))


C = np.array([[1.0, -1, 2, 0, 1, -1], [2, 1, 0, -1, 1, 0], [1, 1, 1, 1, -1, 0]])
D = RNG.normal(size=(5, 3))
POINT = np.array([1.0, 2, 0, 5, 1, 2])
assert list(C @ POINT) == [-2, 0, 7]


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("f", [dead, zero_slope])
@pytest.mark.parametrize("place", np.linspace(0, 1, 6))
def test_no_nan_from_branches_not_taken(f: Any, place: float) -> None:
    with interpreted():
        assert check_all(f, (POINT,), (place,)) == 8


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_the_masks_of_interfaces_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.derivatives.mixed import evaluating

    monkeypatch.setattr(evaluating, "_live", lambda *interfaces: {})
    clear_caches()
    caught = 0
    for f in (dead, zero_slope):
        for place in np.linspace(0, 1, 6):
            try:
                with interpreted():
                    check_all(f, (POINT,), (place,))
            except AssertionError:
                caught += 1
    clear_caches()
    assert caught


# ------------------------------------------------------------------------------------- modes


def test_a_waist() -> None:
    check(narrow, X)
    assert wg.plan(narrow)(X).chosen.name == "mixed"
    same(wg.jacobian(narrow)(X), wg.jacfwd(narrow)(X))


def test_structures_and_several_arguments() -> None:
    def f(data: Any, y: Any) -> Any:
        low = A @ np.tanh(W @ data["x"]) * data["s"] + y
        return {"wide": np.tanh(V @ np.tanh(B @ low)), "count": 3, "low": low[:2]}

    data = {"x": X, "s": 1.5}
    check(f, data, np.arange(4.0))
    check(f, data, np.arange(4.0), argnums=(0, 1))


def test_outputs_without_derivatives() -> None:
    check(lambda x: (narrow(x), np.argmax(x), 1.0, np.ones(2)), X)


def test_an_output_that_is_an_argument() -> None:
    check(lambda x, y: (narrow(x), y), X, np.ones(2), argnums=(0, 1))


def test_matrices() -> None:
    def f(x: Any) -> Any:
        return narrow(x.ravel()).reshape(25, 10)

    check(f, X.reshape(20, 15))


def test_has_aux() -> None:
    value, aux = wg.jacobian(lambda x: (narrow(x), x[0]), mode="mixed", has_aux=True)(X)
    same(value, wg.jacfwd(narrow)(X))
    assert aux == X[0]


def test_single_precision() -> None:
    a, b, w, v = (m.astype(np.float32) for m in (A, B, W, V))

    def f(x: Any) -> Any:
        return np.tanh(v @ np.tanh(b @ np.sin(a @ np.tanh(w @ x))))

    found = wg.jacobian(f, mode="mixed")(X.astype(np.float32))
    assert found.dtype == np.float32
    expected = wg.jacobian(narrow)(X)
    np.testing.assert_allclose(found, expected, atol=3e-5 * np.abs(expected).max())


def test_single_precision_from_double_arguments() -> None:
    def f(x: Any) -> Any:
        return narrow(x).astype(np.float32)

    found = wg.jacobian(f, mode="mixed")(X)
    assert found.dtype == wg.jacobian(f, mode="forward")(X).dtype == np.float32


def test_nothing_to_do() -> None:
    for f in (lambda x: np.ones(300), lambda x: np.sign(x), lambda x: x, lambda x: x[:0]):
        for mode in ("mixed", "auto"):
            same(wg.jacobian(f, mode=mode)(X), wg.jacobian(f, mode="forward")(X))
    empty = wg.jacobian(lambda x: np.sin(x), mode="mixed")(np.ones(0))
    assert empty.shape == (0, 0)


class TestComplexNumbers:
    Z = X + 1j * X[::-1]

    def test_holomorphic(self) -> None:
        check(narrow_complex, self.Z, holomorphic=True)

    def test_steps_that_are_not_holomorphic_make_no_product(self) -> None:
        """conj(g(conj(z))) is holomorphic, and its Jacobian is no product of complex ones."""

        def f(z: Any) -> Any:
            return np.conj(B @ np.sin(np.conj(1j * (A @ (W @ z)))))

        assert wg.plan(f, mode="mixed")(self.Z).chosen.name != "mixed"
        found = wg.jacobian(f, mode="mixed", holomorphic=True)(self.Z)
        same(found, wg.jacobian(f, mode="forward", holomorphic=True)(self.Z))

    def test_complex_values_within_a_real_function_are_no_waist(self) -> None:
        """Four complex numbers are eight real ones, and conjugation is no complex product."""
        phase = np.exp(1j * np.arange(4.0))

        def f(x: Any) -> Any:
            y = np.conj(phase * (A @ np.tanh(W @ x)))
            z = phase**3 * np.conj(np.sin(y))
            return np.tanh(V @ np.tanh(B @ (np.real(z) + np.imag(z) ** 2)))

        check(f, X)

        def only_complex(x: Any) -> Any:
            y = np.fft.rfft(np.tanh(W @ x))[:5]
            return np.real(np.fft.irfft(np.conj(1j * y), 250))

        found = wg.jacobian(only_complex, mode="mixed")(X)
        same(found, wg.jacobian(only_complex, mode="forward")(X))
        same(found, wg.jacobian(only_complex, mode="reverse")(X))


def narrow_complex(z: Any) -> Any:
    return V @ (B @ np.sin(A @ (W @ z) / 50))


# -------------------------------------------------------------------------- transformations


def test_compiled() -> None:
    compiled = wg.jit(wg.jacobian(narrow))
    expected = wg.jacfwd(narrow)(X)
    for _ in range(3):
        same(compiled(X), expected)
    same(compiled(2 * X), wg.jacfwd(narrow)(2 * X))


def test_mapped() -> None:
    points = np.stack([X, X[::-1], 2 * X])
    found = wg.vmap(wg.jacobian(narrow, mode="mixed"))(points)
    same(found, np.stack([wg.jacfwd(narrow)(x) for x in points]))


def test_second_order() -> None:
    def energy(mode: str) -> Callable[[Any], Any]:
        return lambda x: np.sum(wg.jacobian(narrow, mode=mode)(x) ** 2)

    expected = wg.grad(energy("forward"))(X)
    same(wg.grad(energy("mixed"))(X), expected)
    v = RNG.normal(size=300)
    slope = wg.jvp(energy("mixed"), (X,), (v,))[1]
    np.testing.assert_allclose(slope, expected @ v, rtol=1e-9)


def test_a_jacobian_of_a_jacobian() -> None:
    """The outer one goes through a waist of the inner one's graph."""
    a, b = A[:2, :12], B[:9, :2]

    def f(x: Any) -> Any:
        return b @ np.sin(a @ x)

    x = X[:12]
    expected = wg.jacfwd(wg.jacfwd(f))(x)
    for outer in ("mixed", "auto", "forward", "reverse"):
        for inner in ("mixed", "auto"):
            same(wg.jacobian(wg.jacobian(f, mode=inner), mode=outer)(x), expected)


def test_inside_a_loop_of_calls_it_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.derivatives.mixed import planning

    found = []
    choice = planning._choice
    monkeypatch.setattr(planning, "_choice", lambda *args: found.append(1) or choice(*args))

    def f(x: Any) -> Any:
        return np.cos(narrow(x) * 1.25)

    for k in range(4):
        wg.jacobian(f)(X + k)
    assert len(found) == 1


def test_rules_of_the_user() -> None:
    """A function with a rule of its own in a segment: the rule is used."""

    @wg.custom_jvp
    def tripled(x: Any) -> Any:
        return np.sin(x)

    tripled.defjvp(lambda primals, tangents: (np.sin(primals[0]), 3 * tangents[0]))

    def f(x: Any) -> Any:
        return np.tanh(V @ np.tanh(B @ tripled(A @ np.tanh(W @ x))))

    check(f, X)


def test_loops() -> None:
    def f(x: Any) -> Any:
        low = A @ np.tanh(W @ x)
        low, _ = wg.scan(lambda carry, _: (np.sin(carry) + 0.1 * carry, None), low, length=5)
        return np.tanh(V @ np.tanh(B @ low))

    check(f, X)


def test_unknown_modes_are_refused() -> None:
    with pytest.raises(wg.WengertError, match="mode must be one of"):
        wg.jacobian(narrow, mode="backward")
    with pytest.raises(wg.WengertError, match="mode must be one of"):
        wg.plan(narrow, mode="backward")


def test_neighbours_of_an_interface() -> None:
    """The frontiers of the tests are cuts: what comes after rests on them alone."""
    with entered([]) as session:
        marked = mark(session, (X,), (0,), "a test")
        outputs, _ = output_nodes(narrow(*marked.args), session, "a test")
        graph = linearised(outputs, marked.nodes)
    cuts = [frontier(graph, k) for k in range(1, len(graph.order))]
    assert all(len(cut) == 1 for cut in cuts)
    assert [a[0] for a, _ in pairwise(cuts)] == list(graph.order[:-2])
