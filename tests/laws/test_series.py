"""Taylor coefficients and second derivatives of every record are those of nested forward mode."""

from __future__ import annotations

import math

import numpy as np
import pytest
from law_samples import Function, Sample, claims, direction, generator, samples

from wengert.derivatives.second_order import second_order
from wengert.derivatives.series import BILINEAR, INVERSE, expanded
from wengert.errors import NotDifferentiable
from wengert.graph.node import Node
from wengert.graph.op import OPS, Op
from wengert.graph.registry import find
from wengert.graph.verify import verify
from wengert.graph.walk import topological
from wengert.ops.leaves import LEAVES
from wengert.transforms.pushforward import pushforward

DRAWN = [op for op in OPS.values() if op.domain is not None]
ORDER = 3
QUICK = {
    *BILINEAR,
    *INVERSE,
    "exp",
    "tanh",
    "power",
    "jv",
    "inverse",
    "slogdet",
    "eigh",
    "max",
    "lu",
}
by_name = pytest.mark.parametrize(
    "op",
    [
        pytest.param(
            op, marks=() if op.name in QUICK | BILINEAR | set(INVERSE) else pytest.mark.long
        )
        for op in DRAWN
    ],
    ids=lambda op: op.name,
)


def close(ours: list[np.ndarray], theirs: list[np.ndarray], what: str) -> None:
    for a, b in zip(ours, theirs, strict=True):
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * scale, err_msg=what)


def repeated(function: Function, directions: dict[Node, Node], order: int) -> list[list[Node]]:
    """The derivatives along a line, one pushforward over the other."""
    found = [function.smooth_outputs]
    for _ in range(order):
        present = [node for node in found[-1] if node is not None]
        moved = iter(pushforward(present, directions)) if present else iter(())
        found.append([None if node is None else next(moved) for node in found[-1]])
    return found[1:]


def of_each_kind(op: Op) -> list[Sample]:
    return [s for code in "dD" if claims(op, np.dtype(code)) for s in samples(op, np.dtype(code))]


@by_name
def test_series(op: Op) -> None:
    for sample in of_each_kind(op):
        function = Function(sample)
        outputs, rng = function.smooth_outputs, generator(op.name, "line")
        given = {
            function.inputs[k]: function.bind(direction(rng, sample.arrays[k]))
            for k in function.differentiable
        }
        if not given or not outputs:
            continue
        try:
            nested = repeated(function, given, ORDER)
        except NotDifferentiable:
            continue
        found = expanded(outputs, {x: [v] for x, v in given.items()}, ORDER)
        present = [node for node in found if node is not None]
        verify(present)
        leaves = {node for node in topological(present) if node.op in LEAVES}
        assert leaves <= function.session.values.keys(), f"a name is left in those of {sample}"
        for k in range(ORDER):
            ours = function.values(found[k::ORDER], outputs)
            theirs = function.values(nested[k], outputs)
            scaled = [value / math.factorial(k + 1) for value in theirs]
            close(ours, scaled, f"coefficient {k + 1} of {sample}")


@by_name
def test_second_order(op: Op) -> None:
    for sample in of_each_kind(op):
        function = Function(sample)
        outputs, rng = function.smooth_outputs, generator(op.name, "plane")
        wrt = [function.inputs[k] for k in function.differentiable]
        if not wrt or not outputs:
            continue
        lines = [
            {
                x: direction(rng, sample.arrays[k])
                for k, x in zip(function.differentiable, wrt, strict=True)
            }
            for _ in range(2)
        ]
        bends = {x: direction(rng, function.session.values[x]) for x in wrt}
        try:
            apart = []
            for line in lines:
                given = {x: function.bind(v) for x, v in line.items()}
                (_, bent) = repeated(function, given, 2)
                apart.append(function.values(bent, outputs))
            first = {x: function.bind(v) for x, v in bends.items()}
            straight = function.values(pushforward(outputs, first), outputs)
        except NotDifferentiable:
            continue
        both = {x: (function.bind(np.stack([line[x] for line in lines])), first[x]) for x in wrt}
        ours = function.values(second_order(outputs, both, 2, True), outputs)
        sums = [a + b + c for a, b, c in zip(*apart, straight, strict=True)]
        close(ours, sums, f"the Laplacian of {sample}")
        each = {x: (rows, None) for x, (rows, _) in both.items()}
        stacked = [find("broadcast_to")(node, (2, *node.shape)) for node in outputs]
        ours = function.values(second_order(outputs, each, 2, False), stacked)
        close(ours, [np.stack(pair) for pair in zip(*apart, strict=True)], f"each of {sample}")


def test_bilinear_ops_are_homogeneous_in_each_input() -> None:
    for name in sorted(BILINEAR):
        for sample in samples(find(name), np.dtype("d")):
            function = Function(sample)
            a, b = sample.arrays
            (plain,) = function.at([a, b])
            for place in range(2):
                scaled = [2 * x if k == place else x for k, x in enumerate((a, b))]
                close(function.at(scaled), [2 * plain], name)
