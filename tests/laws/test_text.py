"""Graphs print, and read back to the same nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from law_samples import Function, claims, samples

import wengert  # noqa: F401  (registers every op)
from wengert.errors import WengertValueError
from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import OPS, Op
from wengert.graph.registry import find
from wengert.graph.text import parse, show
from wengert.graph.types import FLOAT, OpaqueType, TupleType, array_type
from wengert.graph.verify import verify
from wengert.ops.leaves import seed
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

X = array_type((3,), FLOAT)


def x() -> Node:
    node: Node = find("input")(0, X)
    return node


def same(nodes: list[Node]) -> str:
    """Assert that a graph reads back to itself."""
    text = show(nodes)
    read = parse(text)
    assert len(read) == len(nodes)
    assert all(a is b for a, b in zip(read, nodes, strict=True))
    return text


def test_listing() -> None:
    kind = array_type((1789,), FLOAT)  # of nodes that nothing else makes
    a, b = (find("input")(i, kind) for i in range(2))
    total = find("sum")(find("multiply")(b, find("sin")(a)), (0,))
    assert show([total], [a, b]) == (
        "%0 = input[0, float64[1789]]() : float64[1789]\n"
        "%1 = input[1, float64[1789]]() : float64[1789]\n"
        "%2 = sin(%0) : float64[1789]\n"
        "%3 = multiply(%1, %2) : float64[1789]\n"
        "%4 = sum[(0,)](%3) : float64[]\n"
        "return %4\n"
    )


@pytest.mark.parametrize(
    "value", [0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 5e-324, 2 - 3j, True, 7, 2**63]
)
def test_constants(value: Any) -> None:
    same([full(value, np.asarray(value).dtype), full(value, np.asarray(value).dtype, (2, 0))])


@pytest.mark.parametrize(
    "param",
    [
        3,
        -3,
        1.5,
        -1e-300,
        1e22,
        float("inf"),
        -float("inf"),
        1 + 2j,
        complex(-0.0, float("inf")),
        True,
        None,
        "text",
        'quoted " and \\ and \n and ü # no comment',
        b"\x00\xff",
        (),
        (1,),
        ((1, (2, "a")), (None, False)),
        np.dtype(np.float32),
        np.dtype(bool),
        X,
        array_type((), FLOAT, weak=True),
        TupleType((X, TupleType((array_type((2, 0), FLOAT),)))),
        OpaqueType((3, 4), FLOAT),
    ],
    ids=repr,
)
def test_parameters(param: Any) -> None:
    node = make(find("input"), (), (param, X), X)
    text = same([node])
    (again,) = parse(text)
    assert repr(again.params) == repr(node.params)


def test_nodes_among_parameters() -> None:
    y = find("sin")(x())
    text = same([find("cos")(seed(y)), seed(x())])
    assert text.index("sin(") < text.index("seed[")


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.domain], ids=lambda op: op.name)
def test_every_op_and_its_derivatives(op: Op) -> None:
    for dtype in (np.dtype(float), np.dtype(complex), np.dtype(int), np.dtype(bool)):
        if claims(op, dtype):
            for sample in samples(op, dtype):
                function = Function(sample)
                same(function.outputs)
                wrt = [function.inputs[k] for k in function.differentiable]
                if wrt and callable(op.pushforward):
                    seeds = [seed(node) for node in wrt]
                    moved = pushforward(function.smooth_outputs, dict(zip(wrt, seeds, strict=True)))
                    pulled = transpose(
                        moved, seeds, [seed(node) for node in function.smooth_outputs]
                    )
                    present = [node for node in (*moved, *pulled) if node is not None]
                    verify(present)
                    same(present)


def test_quietness_is_written() -> None:
    (tangent,) = pushforward([find("arctan")(x())], {x(): seed(x())})
    assert tangent is not None
    text = show([tangent])
    quiet = tangent.quiet
    key = tangent.args
    del tangent
    (again,) = parse(text)
    assert again.quiet is quiet is True
    assert again.args == key


def test_a_long_graph() -> None:
    node = x()
    for _ in range(20_000):
        node = find("sin")(node)
    same([node])


def test_objects_are_shown_and_refused() -> None:
    node = make(find("input"), (), (len, X), X)
    text = show([node])
    assert "<builtin_function_or_method>" in text
    with pytest.raises(WengertValueError, match=r"line 1 .*builtin_function_or_method"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("%0 = nothing() : float64[]\nreturn %0", "line 1 .*no op called 'nothing'"),
        ("%0 = input[0, float64[3]]() : float64[4]\nreturn %0", "line 1 .*infers the type"),
        ("%0 = sin(%1) : float64[3]\nreturn %0", "line 1 .*%1 is used before"),
        (
            "%0 = input[0, float64[3]]() : float64[3]\n%0 = sin(%0) : float64[3]",
            "line 2 .*new name",
        ),
        ("%0 = input[0, float64[3]() : float64[3]\nreturn %0", "line 1 .*expected"),
        ("%0 = input[0, float64[3]]() : float64[3] §\nreturn %0", "line 1 .*cannot read"),
        ("%0 = input[0, float64[3]]() : float64[3]", "ends with a line"),
        ("return 3", "line 1 .*expected a node"),
    ],
)
def test_what_is_no_listing_is_refused(text: str, says: str) -> None:
    with pytest.raises(WengertValueError, match=says):
        parse(text)
