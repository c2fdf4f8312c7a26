"""Every record, found by itself, obeys the laws."""

from __future__ import annotations

import numpy as np
import pytest
from law_checks import (
    at_smooth_points,
    check_batch,
    check_empty_batch,
    check_masks,
    check_precision,
    check_pushforward,
    check_second_order,
    check_slots,
    check_transpose,
    check_value,
    has_derivative,
)
from law_samples import DTYPES, Function, Sample, claims, samples
from law_sparsity import check_sparsity

import wengert  # noqa: F401  (registers every op)
from wengert.errors import NotDifferentiable
from wengert.graph.op import OPS, Op
from wengert.graph.registry import find
from wengert.graph.verify import verify
from wengert.ops.sparsity import pointwise
from wengert.transforms.pushforward import pushforward

RECORDS = list(OPS.values())
DRAWN = [op for op in RECORDS if op.domain is not None]

WITHOUT_DOMAIN = {
    "alias": "a name for its input, tested below",
    "stop_gradient": "a name for its input, tested below",
    "custom": "carries graphs of a function and its derivatives, tested with custom rules",
    "pulled": "the transpose that a custom rule states, drawn with it",
    "host_call": "calls back into Python, drawn in the tests of primitive",
    "pack": "gives several values as one, in the batches of ops that have several results",
    "scan": "carries the step of a loop, tested in tests/flow",
    "repeat": "carries the step and the condition of a loop, tested in tests/flow",
    "branch": "carries the branches, tested in tests/flow",
    "checkpoint": "carries the body of a function, tested in tests/control",
    "partition": "carries the branches of instances that choose, tested in tests/flow",
    "root": "carries an equation and its solver, tested in tests/flow",
    "linear_solve": "carries a linear map and its solver, tested in tests/flow",
    "add_tapes": "adds the tapes of loops, tested in tests/flow",
    "failed": "runs another op, tested with exceptions of values",
    "ran": "says that another op ran, tested with exceptions of values",
    "item": "takes apart the results of ops that have several, in whose samples it stands",
}

by_name = pytest.mark.parametrize("op", DRAWN, ids=lambda op: op.name)


def inexact(op: Op, codes: str) -> list[np.dtype]:
    return [np.dtype(c) for c in codes if claims(op, np.dtype(c))]


@pytest.mark.parametrize("op", RECORDS, ids=lambda op: op.name)
def test_slots(op: Op) -> None:
    check_slots(op)


def test_every_record_has_a_domain() -> None:
    bare = {op.name for op in RECORDS if op.domain is None and op.family != "leaf"}
    assert bare == set(WITHOUT_DOMAIN)


@by_name
def test_domain_is_not_empty(op: Op) -> None:
    dtypes = [dtype for dtype in DTYPES if claims(op, dtype)]
    assert dtypes
    for dtype in dtypes:
        assert list(samples(op, dtype)), f"{op.name} draws nothing for {dtype}"


@by_name
def test_value(op: Op) -> None:
    for dtype in DTYPES:
        if claims(op, dtype):
            for sample in samples(op, dtype):
                check_value(sample)


@by_name
def test_pushforward(op: Op) -> None:
    for dtype in inexact(op, "dD"):
        if has_derivative(op):
            at_smooth_points(op, dtype, check_pushforward)
        else:
            with pytest.raises(NotDifferentiable):
                check_pushforward(next(samples(op, dtype)))


@by_name
def test_precision(op: Op) -> None:
    for dtype in inexact(op, "fF"):
        if has_derivative(op):
            for sample in samples(op, dtype):
                check_precision(sample)


@by_name
def test_transpose(op: Op) -> None:
    for dtype in inexact(op, "dD"):
        if has_derivative(op):
            for sample in samples(op, dtype):
                check_transpose(sample)


@by_name
def test_second_order(op: Op) -> None:
    for dtype in inexact(op, "dD"):
        if has_derivative(op):
            at_smooth_points(op, dtype, check_second_order)


@by_name
def test_masks(op: Op) -> None:
    for dtype in inexact(op, "dD"):
        if has_derivative(op):
            for sample in samples(op, dtype):
                check_masks(sample)


@by_name
def test_batch(op: Op) -> None:
    for dtype in inexact(op, "dD") or [d for d in DTYPES if claims(op, d)][-1:]:
        for k, _ in enumerate(samples(op, dtype)):
            check_batch(op, dtype, k)


@by_name
def test_empty_batch(op: Op) -> None:
    for dtype in inexact(op, "d") or [d for d in DTYPES if claims(op, d)][-1:]:
        check_empty_batch(op, dtype)


@by_name
def test_sparsity(op: Op) -> None:
    """Ops that share the rule of elementwise ones are tried at one point."""
    shared = op.sparsity is pointwise
    for dtype in inexact(op, "d" if shared else "dD"):
        if has_derivative(op):
            for point in range(1 if shared or dtype.kind == "c" else 2):
                for sample in samples(op, dtype, point):
                    check_sparsity(sample, with_zeros=not shared and point == 0)


# ---------------------------------------------------------------------- the names of values


def test_alias_is_transparent() -> None:
    function = Function(Sample(find("sin"), [np.array([0.3, 0.4])]))
    (x,) = function.inputs
    named = find("alias")(x, 0)
    assert named is not x
    t = function.bind(np.array([1.0, 2.0]))
    (tangent,) = pushforward([find("sin")(named)], {x: t})
    verify([tangent])
    assert tangent is find("multiply")(t, find("cos")(named))
    assert pushforward([x], {named: t}) == [None]


def test_stop_gradient_stops() -> None:
    function = Function(Sample(find("sin"), [np.array([0.3, 0.4])]))
    (x,) = function.inputs
    stopped = find("stop_gradient")(x)
    t = function.bind(np.array([1.0, 2.0]))
    assert pushforward([find("sin")(stopped)], {x: t}) == [None]
    assert function.values([stopped], [x])[0].tolist() == [0.3, 0.4]
