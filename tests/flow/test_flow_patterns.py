"""No derivative of a program with loops and branches is nonzero outside its sparsity pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree
import pytest
from flow_programs import MATRIX, PROGRAMS, ROWS, VECTOR
from hypothesis import given
from test_random_bodies import XS, B, Step, bodies, body, some

import wengert as wg
from support import interpreted
from wengert.derivatives.derive import gradient
from wengert.derivatives.marking import mark, output_nodes, scalar_output
from wengert.execution.border import entered
from wengert.graph.types import is_inexact
from wengert.sparse.detecting import detect, detect_hessian


def flat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with its results of floating point in one vector."""

    def run(*args: Any) -> Any:
        parts = [x for x in optree.tree_leaves(f(*args)) if is_inexact(np.result_type(x))]
        return np.concatenate([np.reshape(x, (-1,)) for x in parts])

    return run


def check(f: Callable[..., Any], args: Sequence[Any], chosen: tuple[int, ...]) -> None:
    """The patterns of the Jacobian and of the Hessian of the sum of squares, by some arguments."""

    def total(*inner: Any) -> Any:
        return np.sum(f(*inner) ** 2)

    for function, symmetric in ((f, False), (total, True)):
        with entered([]) as session:
            marked = mark(session, args, chosen, "sparsity")
            value = function(*marked.args)
            known = {n: v for n, v in session.values.items() if n not in marked.nodes}
            if symmetric:
                slopes = gradient(scalar_output(value, session, "sparsity"), marked.nodes)
                found = detect_hessian(slopes, marked.nodes, known)
            else:
                nodes = output_nodes(value, session, "sparsity")[0]
                found = detect(nodes, marked.nodes, known)
        pattern = found.pattern.matrix().toarray()
        dense = (wg.hessian if symmetric else wg.jacfwd)(function, argnums=chosen)(*args)
        sizes = [args[k].size for k in chosen]
        rows = dense if symmetric else [dense]
        matrix = np.concatenate(
            [
                np.concatenate([np.reshape(b, (-1, m)) for b, m in zip(row, sizes, strict=True)], 1)
                for row in rows
            ]
        )
        rounding = 1e-12 * np.max(np.abs(matrix), initial=1.0)
        outside = (np.abs(matrix) > rounding) & ~pattern
        assert not outside.any(), f"nonzero outside at {np.argwhere(outside)[:5]}"


@pytest.mark.parametrize("chosen", [(1,), pytest.param((0, 1, 2), marks=pytest.mark.long)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str, chosen: tuple[int, ...]) -> None:
    def f(*args: Any) -> Any:
        return flat(lambda *inner: PROGRAMS[name](wg, *inner))(*args)

    with interpreted(), np.errstate(all="ignore"):
        check(f, (MATRIX, VECTOR, ROWS), chosen)


@some(30)
@given(steps=bodies)
def test_random_bodies(steps: list[Step]) -> None:
    def f(x: Any, xs: Any) -> Any:
        return body(wg, steps, [x, xs[0], xs[1]], 2)

    with interpreted(), np.errstate(all="ignore"):
        check(f, (B, XS[:3]), (0, 1))
