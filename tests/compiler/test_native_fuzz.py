"""Random graphs with their gradients: machine code gives what the interpreter gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from law_native import check, compare
from law_native_graphs import points, run

import wengert  # noqa: F401  (registers every op)
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.text import show
from wengert.graph.types import array_type
from wengert.ops.leaves import seed as seed_of
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

CHUNKS, CHUNK = 20, 500


def check_graph(seed: int) -> None:
    """Value, gradients and a value on the way of the program of a seed."""
    arrays = points(seed)
    with outermost() as session, np.errstate(all="ignore"):
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        total, middle = run(seed, *(Tracer(node, session) for node in inputs))
        outputs = [total.node, middle.node, *_gradients(total.node, inputs)]
        wrong = compare(outputs, session.values)
        assert wrong is None, f"seed {seed}: {wrong}\n{show(outputs, inputs)}"


def _gradients(output: Node, inputs: list[Node]) -> list[Node]:
    seeds = [seed_of(node) for node in inputs]
    tangents = pushforward([output], dict(zip(inputs, seeds, strict=True)))
    found = transpose(tangents, seeds, [full(1.0, output.dtype, output.shape)])
    return [node for node in found if node is not None]


@pytest.mark.parametrize("seed", range(100))
def test_some_graphs(seed: int) -> None:
    check_graph(seed)


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_many_graphs(chunk: int) -> None:
    wrong = []
    for seed in range(1_000 + chunk * CHUNK, 1_000 + (chunk + 1) * CHUNK):
        try:
            check_graph(seed)
        except Exception as error:  # all of them, each with its seed
            wrong.append(f"seed {seed}: {type(error).__name__}: {str(error)[:400]}")
    assert not wrong, f"{len(wrong)} of {CHUNK}\n" + "\n".join(wrong[:5])


# ---------------------------------------------------------------------- what has been wrong once


@pytest.mark.parametrize("seed", [4764])  # an inner loop that had the number of an outer one
def test_a_graph_that_was_wrong(seed: int) -> None:
    check_graph(seed)


def check_function(function: Callable[..., Any], *arrays: Any) -> None:
    """The machine code of a function of arrays."""
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        result = function(*(Tracer(node, session) for node in inputs))
        check([value.node for value in result], session.values, "machine code")


def test_a_loop_reads_a_product_by_blas() -> None:
    def f(a: Any, b: Any) -> Any:
        return (np.sin(a @ b) @ b,)

    rng = np.random.default_rng(0)
    check_function(f, rng.standard_normal((64, 64)), rng.standard_normal((64, 64)))


def test_a_value_with_axes_of_extent_one_is_gathered_from() -> None:
    def f(x: Any) -> Any:
        return (np.sin(x)[None, :, None, :][:, [2, 0, 1]],)

    check_function(f, np.linspace(0, 1, 15).reshape(3, 5))


def test_a_value_and_its_transpose_are_two_tables() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        return y[[2, 0, 0]], y.T[[1, 2, 2]], np.broadcast_to(y[0], (3, 3))[[0, 2]]

    check_function(f, np.linspace(0, 1, 9).reshape(3, 3))
