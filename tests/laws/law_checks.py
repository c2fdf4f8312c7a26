"""The laws of an op, each a function of a sample that raises AssertionError where it is broken.

They know nothing of any op: a sample is turned into a graph, transformed, verified, evaluated, and
compared with what the law says. `test_planted.py` shows that each of them catches wrong rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np
from law_oracles import oracle
from law_samples import Function, Sample, direction, generator, samples

from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import Absent, Op, Zero
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, array_type
from wengert.graph.verify import verify
from wengert.ops import linear
from wengert.ops.domain import Cases
from wengert.ops.leaves import seed
from wengert.transforms.batch import batch
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

FLOAT64, COMPLEX128 = np.dtype(np.float64), np.dtype(np.complex128)


class Rough(AssertionError):
    """Differences do not converge here: a kink is near. Another point must be drawn."""


def at_smooth_points(op: Op, dtype: np.dtype[Any], check: Callable[[Sample], None]) -> int:
    """Run a check on every sample of an op, at points where differences converge."""
    count = len(list(samples(op, dtype)))
    for k in range(count):
        for seed_number in range(25):
            try:
                check(list(samples(op, dtype, seed_number))[k])
                break
            except Rough:
                continue
        else:
            raise AssertionError(f"{op.name}: differences converge nowhere in its domain")
    return count


def subsets(positions: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every nonempty subset."""
    return chain.from_iterable(combinations(positions, n) for n in range(1, len(positions) + 1))


def close(actual: Any, expected: Any, tolerance: float, what: str, scale: float = 1.0) -> None:
    """Arrays agree in shape and to `tolerance`, relative to the largest of them."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape} != {expected.shape}"
    if actual.dtype == bool:
        actual, expected = actual.astype(int), expected.astype(int)
    size = max([scale, *np.abs(expected[np.isfinite(expected)]).ravel()])
    with np.errstate(invalid="ignore"):
        same = (np.abs(actual - expected) <= tolerance * size) | (actual == expected)
    same |= np.isnan(actual) & np.isnan(expected)
    assert same.all(), f"{what}:\n{actual}\nshould be\n{expected}"


# ----------------------------------------------------------------------------------- value


def check_value(sample: Sample) -> None:
    """The type rule gives NumPy's shape and dtype, and the graph NumPy's value."""
    function = Function(sample)
    verify(function.outputs)
    values = function.at(sample.arrays)
    for node, value in zip(function.outputs, values, strict=True):
        assert value.shape == node.shape, f"{sample}: {value.shape}, the type says {node.type}"
        assert value.dtype == node.dtype, f"{sample}: {value.dtype}, the type says {node.type}"
    with np.errstate(all="ignore"):
        expected = oracle(sample)
    if expected is not None:
        for value, other in zip(values, map(np.asarray, expected), strict=True):
            assert value.dtype == other.dtype, f"{sample}: {value.dtype}, NumPy's is {other.dtype}"
            eps = np.finfo(value.dtype).eps if value.dtype.kind in "fc" else 0
            close(value, other, 8 * eps, f"the value of {sample}")


# ------------------------------------------------------------------------------ derivatives

_STENCIL = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))  # order 8; Fornberg 1988


def _difference(f: Callable[[float], list[Any]], h: float) -> list[Any]:
    total: list[Any] = []
    for k, weight in _STENCIL:
        terms = [weight / h * (a - b) for a, b in zip(f(k * h), f(-k * h), strict=True)]
        total = [a + b for a, b in zip(total, terms, strict=True)] if total else terms
    return total


def derivative(f: Callable[[float], list[Any]], tolerance: float = 1e-9) -> list[Any]:
    """d f(s) / ds at 0, by central differences of order 8 that agree at two steps."""
    with np.errstate(all="ignore"):
        coarse, fine, value = _difference(f, 4e-3), _difference(f, 2e-3), f(0.0)
    for a, b, v in zip(coarse, fine, value, strict=True):
        scale = max([1.0, *np.abs(v).ravel(), *np.abs(b).ravel()])
        if not np.all(np.abs(a - b) <= tolerance * scale):
            raise Rough
    return fine


def moved(arrays: Sequence[Any], by: dict[int, Any]) -> Callable[[float], list[Any]]:
    """s -> the arrays, those at the positions in `by` moved by s times a direction."""
    return lambda s: [a + s * by[k] if k in by else a for k, a in enumerate(arrays)]


def has_derivative(op: Op) -> bool:
    return not isinstance(op.pushforward, Absent)


def _directions(sample: Sample, positions: Sequence[int], *key: object) -> dict[int, Any]:
    """A tangent for each position, such as the op can be differenced along."""
    rng, domain = generator(sample.op.name, *key), sample.op.domain
    drawn = {k: direction(rng, sample.arrays[k]) for k in positions}
    if not isinstance(domain, Cases):
        return drawn
    return {k: domain.tangent(k, t) for k, t in drawn.items()}


def _tangents(
    function: Function, by: dict[int, Any], outputs: Sequence[Node] | None = None
) -> tuple[list[Node | None], dict[int, Node]]:
    """Tangents of the outputs, and the nodes of the directions."""
    outputs = function.smooth_outputs if outputs is None else outputs
    nodes = {k: function.bind(t) for k, t in by.items()}
    found = pushforward(outputs, {function.inputs[k]: t for k, t in nodes.items()})
    verify(found)
    for tangent, output in zip(found, outputs, strict=True):
        expected = array_type(output.shape, output.dtype)
        assert tangent is None or strong(tangent.type) == expected, (
            f"{function.sample}: a tangent of type {tangent and tangent.type} for {output.type}"
        )
    return found, nodes


def strong(kind: ArrayType) -> ArrayType:
    return array_type(kind.shape, kind.dtype)


def check_pushforward(sample: Sample) -> None:
    """The tangent is what differences along the direction give; for each input, and for all."""
    positions = Function(sample).differentiable
    for chosen in {*((k,) for k in positions), tuple(positions)} - {()}:
        function = Function(sample)
        by = _directions(sample, chosen, "t")
        path = moved(sample.arrays, by)
        at = [k for k, node in enumerate(function.outputs) if node in function.smooth_outputs]

        def along(s: float, f: Any = function, path: Any = path, at: Any = at) -> list[Any]:
            values = f.at(path(s))
            return [values[k] for k in at]

        expected = derivative(along)
        tangents, _ = _tangents(function, by)
        actual = function.values(tangents, function.smooth_outputs)
        for a, b in zip(actual, expected, strict=True):
            close(a, b, 1e-8, f"the tangent of {sample} by inputs {chosen}")


def check_precision(sample: Sample) -> None:
    """In single precision, tangents have the output's dtype and the value of double precision."""
    function, wide = Function(sample), Function(_widened(sample))
    positions = function.differentiable
    by = _directions(sample, positions, "t")
    tangents, _ = _tangents(function, by)
    narrow = function.values(tangents, function.smooth_outputs)
    tangents, _ = _tangents(wide, {k: t.astype(wide.inputs[k].dtype) for k, t in by.items()})
    exact = wide.values(tangents, wide.smooth_outputs)
    for a, b in zip(narrow, exact, strict=True):
        close(a, b, 1e-4, f"the tangent of {sample} in single precision")


def _widened(sample: Sample) -> Sample:
    wider = {"f4": FLOAT64, "c8": COMPLEX128}
    arrays = [a.astype(wider.get(a.dtype.str[1:], a.dtype)) for a in sample.arrays]
    params = [wider.get(p.str[1:], p) if isinstance(p, np.dtype) else p for p in sample.params]
    return Sample(sample.op, arrays, tuple(params), sample.keywords)


def pairing(a: Sequence[Any], b: Sequence[Any]) -> tuple[float, float]:
    """Re Σ a b, not conjugated, and the size of its terms."""
    terms = [x * y for x, y in zip(a, b, strict=True)]
    total = sum(float(np.sum(term.real)) for term in terms)
    return total, sum(float(np.sum(np.abs(term))) for term in terms)


def check_transpose(sample: Sample) -> None:
    """⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩ by every subset of the inputs."""
    for chosen in subsets(Function(sample).differentiable):
        function = Function(sample)
        outputs = function.smooth_outputs
        by = _directions(sample, chosen, "t")
        ct = _cotangents(function)
        tangents, _ = _tangents(function, by)
        left, size = pairing(
            [function.session.values[c] for c in ct], function.values(tangents, outputs)
        )
        wrt = [function.inputs[k] for k in chosen]
        pulled = pulled_back(outputs, wrt, ct)
        right, other = pairing(list(by.values()), function.values(pulled, wrt))
        assert abs(left - right) <= 1e-12 * max(size, other, 1e-3), (
            f"{sample} by inputs {chosen}: ⟨ct, J t⟩ = {left}, ⟨Jᵀ ct, t⟩ = {right}"
        )


def _cotangents(function: Function) -> list[Node]:
    rng = generator(function.sample.op.name, "ct")
    return [
        function.bind(direction(rng, np.empty(node.shape, node.dtype)))
        for node in function.smooth_outputs
    ]


def pulled_back(
    outputs: Sequence[Node], inputs: Sequence[Node], cotangents: Sequence[Node]
) -> list[Node | None]:
    """Reverse mode: the transpose of the pushforward."""
    seeds = [seed(node) for node in inputs]
    tangents = pushforward(outputs, dict(zip(inputs, seeds, strict=True)))
    verify(tangents)
    found = transpose(tangents, seeds, cotangents)
    verify(found)
    for result, node in zip(found, inputs, strict=True):
        assert result is None or strong(result.type) == strong(node.type), (
            f"a cotangent of type {result and result.type} for {node.type}"
        )
    return found


def pair_nodes(a: Sequence[Node | None], b: Sequence[Node]) -> Node:
    """Re Σ a b as a node."""
    total = full(0.0, FLOAT64)
    for x, y in zip(a, b, strict=True):
        if x is not None:
            term = find("real")(find("multiply")(x, y))
            total = find("add")(total, find("sum")(term, range(term.ndim)))
    return total


def check_second_order(sample: Sample) -> None:
    """All four combinations of modes give the second difference ⟨ct, D²f[t, u]⟩."""
    function = Function(sample)
    positions = function.differentiable
    if not positions or not function.smooth_outputs:
        return
    wrt = [function.inputs[k] for k in positions]
    ct = _cotangents(function)
    t, u = (_directions(sample, positions, name) for name in "tu")
    tangents, t_nodes = _tangents(function, t)
    along = pair_nodes(tangents, ct)
    pulled = pulled_back(function.smooth_outputs, wrt, ct)
    back = pair_nodes(pulled, [t_nodes[k] for k in positions])
    one = full(1.0, FLOAT64)
    results = {}
    for name, first in (("forward", along), ("reverse", back)):
        (second,), u_nodes = _tangents(function, u, [first])
        results[f"forward over {name}"] = function.values([second], [first])[0]
        gradient = pulled_back([first], wrt, [one])
        paired = pair_nodes(gradient, [u_nodes[k] for k in positions])
        verify([paired])
        results[f"reverse over {name}"] = function.values([paired], [paired])[0]

    path = moved(sample.arrays, u)
    (expected,) = derivative(lambda s: [_first(function, along, path(s))], 1e-8)
    scale = max(1.0, abs(float(_first(function, along, sample.arrays))))
    for name, value in results.items():
        close(value, expected, 1e-7, f"{name} of {sample}", scale)


def _first(function: Function, node: Node, arrays: Sequence[Any]) -> Any:
    values = dict(zip(function.inputs, arrays, strict=True))
    session = function.session
    saved = {node: session.values[node] for node in function.inputs}
    try:
        session.values.update(values)
        return np.asarray(function.values([node], [node])[0])
    finally:
        session.values.update(saved)


# ------------------------------------------------------------------------------------ masks


def check_masks(sample: Sample) -> None:
    """A linear value may hold NaN where it is a structural zero: both modes read zeros there."""
    function = Function(sample)
    positions = function.differentiable
    if not positions or not function.smooth_outputs:
        return
    rng = generator(sample.op.name, "mask")
    clean, dirty = {}, {}
    for k, t in _directions(sample, positions, "t").items():
        clean[k], dirty[k] = _with_holes(function, rng, t)
    wrt = [function.inputs[k] for k in positions]
    outputs = function.smooth_outputs
    results = []
    for given in (clean, dirty):
        tangents = pushforward(outputs, {function.inputs[k]: t for k, t in given.items()})
        verify(tangents)
        results.append(function.values(tangents, outputs))
    for a, b in zip(*results, strict=True):
        close(b, a, 1e-13, f"the tangent of {sample} with masked inputs")
    pairs = [
        _with_holes(function, rng, function.session.values[node]) for node in _cotangents(function)
    ]
    zeros, masks = (pulled_back(outputs, wrt, list(ct)) for ct in zip(*pairs, strict=True))
    for a, b in zip(function.values(zeros, wrt), function.values(masks, wrt), strict=True):
        close(b, a, 1e-13, f"the cotangent of {sample} with masked outputs")


def _with_holes(function: Function, rng: Any, value: Any) -> tuple[Node, Node]:
    """A value with zeros at random places, and the same as select(mask, value with NaN, 0)."""
    mask = rng.random(value.shape) < 0.5
    holes = np.where(mask, value, np.array(np.nan, value.dtype))
    plain = function.bind(np.where(mask, value, np.array(0, value.dtype)))
    return plain, linear.masked(function.bind(np.asarray(mask)), function.bind(holes))


# ------------------------------------------------------------------------------------ batch


def check_batch(op: Op, dtype: np.dtype[Any], k: int, size: int = 3) -> None:
    """The op on a batch is the op on each of its members, by every subset of the inputs."""
    members = [list(samples(op, dtype, member))[k] for member in range(size)]
    positions = [
        i for i, a in enumerate(members[0].arrays) if isinstance(a, np.ndarray | np.generic)
    ]
    for chosen in subsets(positions):
        function = Function(members[0])
        if isinstance(op.batch, Absent):
            continue
        stacked = {i: np.stack([m.arrays[i] for m in members]) for i in chosen}
        nodes = {function.inputs[i]: function.bind(a) for i, a in stacked.items()}
        found = batch(function.outputs, nodes, size)
        verify(found)
        with np.errstate(all="ignore"):
            actual = function.values(found, function.outputs)
            rows = [
                function.at(
                    [
                        members[row].arrays[i] if i in chosen else a
                        for i, a in enumerate(members[0].arrays)
                    ]
                )
                for row in range(size)
            ]
        for value, node, each in zip(actual, found, zip(*rows, strict=True), strict=True):
            what = f"{members[0]} batched over inputs {chosen}"
            expected = np.stack(each)
            assert node is not None
            assert value.shape == node.shape, f"{what}: {value.shape}, its type is {node.type}"
            assert value.dtype == expected.dtype, f"{what}: {value.dtype}, not {expected.dtype}"
            eps = np.finfo(value.dtype).eps if value.dtype.kind in "fc" else 0
            close(value, expected, 16 * eps, what)


def check_empty_batch(op: Op, dtype: np.dtype[Any]) -> None:
    """A batch of none has the right type and runs."""
    for sample in samples(op, dtype):
        function = Function(sample)
        nodes = {
            node: function.bind(np.zeros((0, *a.shape), a.dtype))
            for node, a in zip(function.inputs, sample.arrays, strict=True)
            if isinstance(a, np.ndarray | np.generic)
        }
        if not nodes or isinstance(op.batch, Absent):
            continue
        found = batch(function.outputs, nodes, 0)
        verify(found)
        for value, output in zip(
            function.values(found, function.outputs), function.outputs, strict=True
        ):
            assert value.shape == (0, *output.shape), f"an empty batch of {sample}: {value.shape}"
            assert value.dtype == output.dtype, f"an empty batch of {sample}: {value.dtype}"


# ------------------------------------------------------------------------------------ slots


OPTIONAL = ("pushforward", "transpose", "batch", "sparsity")
"""Slots that may say why they have no rule."""


def check_slots(op: Op) -> None:
    """Every slot holds a rule or says why not."""
    for slot in ("build", "infer", "evaluate", "pushforward", "transpose", "batch", "sparsity"):
        rule = getattr(op, slot)
        if isinstance(rule, Absent):
            assert slot in OPTIONAL, f"{op.name} has no {slot}"
            assert len(rule.reason) > 10, f"{op.name} gives no reason for having no {slot}"
        elif isinstance(rule, Zero):
            assert slot in ("pushforward", "sparsity"), f"{op.name}: a {slot} cannot be ZERO"
            assert isinstance(op.pushforward, Zero), f"{op.name} has a derivative, and no sparsity"
        else:
            assert callable(rule), f"the {slot} of {op.name} is {rule!r}"
    assert isinstance(op.label, str), f"{op.name} has no label"
    assert op.label, f"{op.name} has no label"
    assert isinstance(op.family, str), f"{op.name} has no family"
    assert op.family, f"{op.name} has no family"
