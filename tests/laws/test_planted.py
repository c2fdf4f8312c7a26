"""The tester is tested: each planted wrong rule is caught by the law that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from law_checks import (
    Rough,
    at_smooth_points,
    check_batch,
    check_masks,
    check_precision,
    check_pushforward,
    check_second_order,
    check_slots,
    check_transpose,
    check_value,
    derivative,
)
from law_samples import samples
from law_sparsity import check_sparsity

import wengert  # noqa: F401  (registers every op)
from wengert.graph.literals import constant, full
from wengert.graph.node import Interned, Node, make
from wengert.graph.op import ZERO, Absent, Op
from wengert.graph.registry import find
from wengert.graph.types import array_type
from wengert.ops import linear, sparsity, sparsity_of_sums
from wengert.ops.dependence import Dependence

FLOAT32, FLOAT64, COMPLEX128 = map(np.dtype, ("f4", "f8", "c16"))


def planted(name: str, **wrong: Any) -> Op:
    """A copy of a record with wrong slots. It has nodes of its own, and is registered nowhere."""
    right = find(name)

    def build(*args: Any, **kwargs: Any) -> Node:
        node = right(*args, **kwargs)
        if node.op is not right:
            return node
        kind = op.infer(tuple(arg.type for arg in node.args), node.params)
        return make(op, node.args, node.params, kind)

    op = replace(right, build=build, interned=Interned(), **wrong)
    return op


def partial(*rules: Callable[..., Node] | None) -> Callable[..., Any]:
    """A pushforward from partial derivatives; None is no contribution."""

    def push(node: Node, tangents: Any) -> Any:
        total = None
        for rule, t in zip(rules, tangents, strict=True):
            if t is not None and rule is not None:
                total = linear.add(total, linear.scale(t, rule(node, *node.args)))
        return total

    return push


def times(node: Node, factor: float) -> Node:
    return find("multiply")(node, constant(factor, node))


def all_samples(op: Op, dtype: np.dtype[Any], check: Callable[..., None]) -> None:
    for sample in samples(op, dtype):
        check(sample)


def caught(op: Op, check: Callable[..., None], dtype: np.dtype[Any] = FLOAT64) -> None:
    run = at_smooth_points if check in (check_pushforward, check_second_order) else all_samples
    with pytest.raises(AssertionError) as found:
        run(op, dtype, check)
    assert "converge" not in str(found.value)


# ------------------------------------------------------------------------------ derivatives

cos, negative, multiply = find("cos"), find("negative"), find("multiply")

WRONG_DERIVATIVES = {
    "the sign": ("sin", partial(lambda y, x: negative(cos(x)))),
    "a factor that is off by 1e-6": ("exp", partial(lambda y, x: times(y, 1 + 1e-6))),
    "inputs swapped": ("multiply", partial(lambda y, a, b: a, lambda y, a, b: b)),
    "an input forgotten": ("power", partial(lambda y, a, b: multiply(b, y), None)),
    "zero though it is not": ("tanh", ZERO),
    "of another point": ("log", partial(lambda y, x: find("reciprocal")(find("add")(x, y)))),
    "not of the real part": ("absolute", partial(lambda y, x: constant(1, y))),
    "ties aside, the wrong one wins": (
        "maximum",
        partial(
            lambda y, a, b: find("convert")(find("less")(a, b), y.dtype),
            lambda y, a, b: find("convert")(find("greater")(a, b), y.dtype),
        ),
    ),
    "axes not reduced": (
        "max",
        lambda node, ts: find("sum")(ts[0], node.params[0]),
    ),
}


@pytest.mark.parametrize("what", WRONG_DERIVATIVES)
def test_wrong_derivatives(what: str) -> None:
    name, rule = WRONG_DERIVATIVES[what]
    caught(planted(name, pushforward=rule), check_pushforward)


def test_a_derivative_that_is_right_for_real_numbers_only() -> None:
    op = planted("square", pushforward=partial(lambda y, x: times(find("conjugate")(x), 2)))
    at_smooth_points(op, FLOAT64, check_pushforward)
    caught(op, check_pushforward, COMPLEX128)


def test_a_derivative_of_the_wrong_dtype() -> None:
    def push(node: Node, tangents: Any) -> Any:
        return multiply(multiply(tangents[0], cos(node.args[0])), full(1, FLOAT64))

    op = planted("sin", pushforward=push)
    at_smooth_points(op, FLOAT64, check_pushforward)
    caught(op, check_precision, FLOAT32)


def test_a_derivative_that_is_a_constant_of_the_point() -> None:
    op = planted("sin", pushforward=partial(lambda y, x: find("stop_gradient")(cos(x))))
    at_smooth_points(op, FLOAT64, check_pushforward)
    caught(op, check_second_order)


def test_a_second_derivative_that_one_mode_loses() -> None:
    """A transpose that is right to first order, through which nothing passes to second."""

    def transpose(node: Node, ct: Node, wanted: Any) -> Any:
        a, b = (find("stop_gradient")(arg) for arg in node.args)
        return (
            linear.scale(ct, b) if wanted[0] else None,
            linear.scale(ct, a) if wanted[1] else None,
        )

    blind = planted("multiply", transpose=transpose)

    def push(node: Node, tangents: Any) -> Any:
        a, b = node.args
        s, t = tangents
        return linear.add(None if s is None else blind(s, b), None if t is None else blind(t, a))

    op = planted("multiply", pushforward=push)
    at_smooth_points(op, FLOAT64, check_pushforward)
    all_samples(op, FLOAT64, check_transpose)
    caught(op, check_second_order)


# ------------------------------------------------------------------------------- transposes


def own(op_name: str, transpose: Callable[..., Any]) -> Op:
    """A linear op with a wrong transpose, whose tangent is the op itself."""

    def push(node: Node, tangents: Any) -> Any:
        args = [t if t is not None else a for a, t in zip(node.args, tangents, strict=True)]
        return make(op, tuple(args), node.params, node.type)

    op = planted(op_name, transpose=transpose, pushforward=push)
    return op


WRONG_TRANSPOSES = {
    "not reversed": (
        "cumsum",
        FLOAT64,
        lambda node, ct, wanted: (find("cumsum")(ct, *node.params),),
    ),
    "the permutation, not its inverse": (
        "transpose",
        FLOAT64,
        lambda node, ct, wanted: (find("transpose")(ct, node.params[0]),),
    ),
    "the last of equal indices wins": (
        "gather",
        FLOAT64,
        lambda node, ct, wanted: (
            find("scatter_put")(full(0, ct.dtype, node.args[0].shape), node.args[1], ct),
            None,
        ),
    ),
    "no sign": ("negative", FLOAT64, lambda node, ct, wanted: (ct,)),
    "conjugated": ("imag", COMPLEX128, lambda node, ct, wanted: (_times_i(ct),)),
    "not conjugated": ("conjugate", COMPLEX128, lambda node, ct, wanted: (ct,)),
}


def _times_i(ct: Node) -> Node:
    return find("join")(constant(0, ct), ct)


@pytest.mark.parametrize("what", WRONG_TRANSPOSES)
def test_wrong_transposes(what: str) -> None:
    name, dtype, rule = WRONG_TRANSPOSES[what]
    try:
        all_samples(own(name, rule), dtype, check_transpose)
    except (AssertionError, ValueError):  # a cotangent of another shape cannot even be added
        return
    pytest.fail(f"the transpose of {name} is wrong ({what}), and no law says so")


def test_a_masked_value_that_is_read_where_it_has_none() -> None:
    """The transpose of gather adds elements; it may not move a mask as if they stayed apart."""

    def transpose(node: Node, ct: Node, wanted: Any) -> Any:
        (axis,) = node.params
        extent = node.args[0].shape[axis]
        scatter = find("scatter_add")
        return linear.move(lambda v: scatter(v, node.args[1], axis, extent), ct), None

    def push(node: Node, tangents: Any) -> Any:
        return linear.move(lambda v: op(v, node.args[1], *node.params), tangents[0])

    op = planted("gather", transpose=transpose, pushforward=push)
    all_samples(op, FLOAT64, check_transpose)
    caught(op, check_masks)


# ------------------------------------------------------------------- values, types, batches


def test_wrong_values() -> None:
    caught(planted("sin", evaluate=lambda node: np.cos), check_value)
    caught(planted("sum", evaluate=lambda node: np.sum), check_value)
    tiny = planted("exp", evaluate=lambda node: lambda x: np.exp(x) * (1 + 1e-14))
    caught(tiny, check_value)


WRONG_TYPES = {
    "another dtype": ("sin", lambda types, params: array_type(types[0].shape, FLOAT32)),
    "another shape": ("sin", lambda types, params: array_type((*types[0].shape, 1), FLOAT64)),
    "axes kept": ("sum", lambda types, params: array_type(types[0].shape, types[0].dtype)),
    "extents summed twice": (
        "concatenate",
        lambda types, params: array_type((99,) + types[0].shape[1:], types[0].dtype),
    ),
}


@pytest.mark.parametrize("what", WRONG_TYPES)
def test_wrong_types(what: str) -> None:
    name, rule = WRONG_TYPES[what]
    caught(planted(name, infer=rule), check_value)


WRONG_BATCHES = {
    "axes not shifted": (
        "sum",
        lambda node, args, batched, size: find("broadcast_to")(
            find("sum")(find("sum")(args[0], range(args[0].ndim)), ()), (size, *node.shape)
        ),
    ),
    "members in reverse": (
        "sin",
        lambda node, args, batched, size: find("sin")(
            find("index")(args[0], ((size - 1, size, -1), *((0, n, 1) for n in args[0].shape[1:])))
        ),
    ),
    "the first member for all": (
        "exp",
        lambda node, args, batched, size: find("broadcast_to")(
            find("exp")(find("index")(args[0], (0, *((0, n, 1) for n in args[0].shape[1:])))),
            (size, *node.shape),
        ),
    ),
    "an axis of the op taken for that of the batch": (
        "cumsum",
        lambda node, args, batched, size: find("cumsum")(args[0], node.params[0]),
    ),
}


@pytest.mark.parametrize("what", WRONG_BATCHES)
def test_wrong_batches(what: str) -> None:
    name, rule = WRONG_BATCHES[what]
    op = planted(name, batch=rule)
    failures = 0
    for k, _ in enumerate(samples(op, FLOAT64)):
        try:
            check_batch(op, FLOAT64, k)
        except (AssertionError, ValueError, IndexError):
            failures += 1
    assert failures


@pytest.mark.parametrize(
    "slots",
    [
        {"pushforward": None},
        {"transpose": Absent("")},
        {"batch": ZERO},
        {"sparsity": None},
        {"sparsity": Absent("")},
        {"transpose": ZERO},
        {"infer": Absent("there is no rule for its type")},
        {"evaluate": None},
        {"label": ""},
        {"family": ""},
    ],
    ids=str,
)
def test_empty_slots(slots: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check_slots(planted("sin", **slots))


# ------------------------------------------------------------------------------- patterns

WRONG_PATTERNS: dict[str, tuple[str, Any]] = {
    "nothing though there is": ("exp", ZERO),
    "an input forgotten": ("power", sparsity.elementwise((True, False))),
    "of the place alone": ("cumsum", sparsity.pointwise),
    "a part of an axis": (
        "sum",
        lambda node, parts, scope: scope.columns.row(parts[0], 0) if node.ndim == 0 else None,
    ),
    "zeros of the wrong factor": (
        "multiply",
        lambda node, parts, scope: scope.columns.union(
            *(
                sparsity.masked(part, None if mask is None else ~mask)
                for part, mask in zip(
                    parts, map(scope.knowledge.nonzero, node.args[::-1]), strict=True
                )
            )
        ),
    ),
    "the branch that is not chosen": (
        "select",
        lambda node, parts, scope: sparsity.selected(node, (parts[0], parts[2], parts[1]), scope),
    ),
    "the matrix of a system forgotten": (
        "triangular_solve",
        lambda node, parts, scope: sparsity.stacked(2, 2)(node, (None, parts[1]), scope),
    ),
    "the coefficients forgotten": (
        "contract",
        lambda node, parts, scope: sparsity_of_sums.contracted(node, (parts[0], None), scope),
    ),
    "indices in reverse": (
        "gather",
        lambda node, parts, scope: sparsity.moved(
            node,
            (Dependence(tuple(np.flip(one) for one in parts[0].maps)), None),
            scope,
        ),
    ),
}


@pytest.mark.parametrize("what", WRONG_PATTERNS)
def test_wrong_patterns(what: str) -> None:
    name, rule = WRONG_PATTERNS[what]
    all_samples(find(name), FLOAT64, check_sparsity)
    caught(planted(name, sparsity=rule), check_sparsity)


# ---------------------------------------------------------------------- the differences


def test_differences_are_accurate_and_refuse_kinks() -> None:
    (slope,) = derivative(lambda s: [np.exp(np.array([1.0, 2.0]) + s)])
    assert np.abs(slope / np.exp([1.0, 2.0]) - 1).max() < 1e-12
    with pytest.raises(Rough):
        derivative(lambda s: [np.abs(np.array([1e-3 + s]))])


@pytest.mark.parametrize(
    "name", ["sin", "multiply", "gather", "sum", "cumsum", "conjugate", "concatenate", "max"]
)
def test_planting_a_right_rule_is_not_caught(name: str) -> None:
    op = planted(name)
    at_smooth_points(op, FLOAT64, check_pushforward)
    at_smooth_points(op, FLOAT64, check_second_order)
    for check in (check_value, check_transpose, check_masks):
        all_samples(op, FLOAT64, check)
    for k, _ in enumerate(samples(op, FLOAT64)):
        check_batch(op, FLOAT64, k)
