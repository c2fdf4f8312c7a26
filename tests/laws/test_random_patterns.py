"""Random programs: no derivative is nonzero outside the pattern that is read off the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from law_programs import Instruction, points, programs, run

import wengert as wg
from wengert.derivatives.derive import gradient
from wengert.derivatives.marking import mark, output_nodes, scalar_output
from wengert.execution.border import entered
from wengert.sparse.detecting import detect, detect_hessian


def detected(f: Callable[..., Any], args: Sequence[Any], hessian: bool = False) -> Any:
    """The pattern by all arguments, as an array of booleans."""
    with entered([]) as session:
        marked = mark(session, args, tuple(range(len(args))), "sparsity")
        value = f(*marked.args)
        known = {n: v for n, v in session.values.items() if n not in marked.nodes}
        if hessian:
            slopes = gradient(scalar_output(value, session, "sparsity"), marked.nodes)
            found = detect_hessian(slopes, marked.nodes, known)
        else:
            nodes = output_nodes(value, session, "sparsity")[0]
            found = detect(nodes, marked.nodes, known)
    return found.pattern.matrix().toarray()


@settings(max_examples=30, deadline=None)
@given(programs(), st.integers(0, 24))
def test_jacobians(program: list[Instruction], seed: int) -> None:
    arrays = points(seed)

    def f(*args: Any) -> Any:
        return run(program, *args)

    pattern = detected(f, arrays)
    parts = wg.jacfwd(f, argnums=(0, 1))(*arrays)
    flat = [np.reshape(part, (-1, a.size)) for part, a in zip(parts, arrays, strict=True)]
    assert not (np.concatenate(flat, axis=1)[~pattern] != 0).any()


@settings(max_examples=30, deadline=None)
@given(programs(5), st.integers(0, 24))
def test_hessians(program: list[Instruction], seed: int) -> None:
    arrays = points(seed)

    def f(*args: Any) -> Any:
        return np.sum(np.sin(run(program, *args)))

    pattern = detected(f, arrays, hessian=True)
    blocks = wg.hessian(f, argnums=(0, 1))(*arrays)
    sizes = [a.size for a in arrays]
    exact = np.block(
        [
            [np.reshape(block, (n, m)) for block, m in zip(row, sizes, strict=True)]
            for row, n in zip(blocks, sizes, strict=True)
        ]
    )
    rounding = 1e-12 * np.max(np.abs(exact), initial=1.0)
    assert not (np.abs(exact[~pattern]) > rounding).any()


@settings(max_examples=30, deadline=None)
@given(programs(), st.integers(0, 24))
def test_gradients_of_elements(program: list[Instruction], seed: int) -> None:
    """The sum at the end hides little: what is in the middle is looked at too."""
    arrays = points(seed)

    def f(*args: Any) -> Any:
        return wg.grad(lambda *xs: np.sum(run(program, *xs)))(*args)

    pattern = detected(f, arrays)
    parts = wg.jacfwd(f, argnums=(0, 1))(*arrays)
    flat = [np.reshape(part, (-1, a.size)) for part, a in zip(parts, arrays, strict=True)]
    matrix = np.concatenate(flat, axis=1)
    rounding = 1e-12 * np.max(np.abs(matrix), initial=1.0)
    assert not (np.abs(matrix[~pattern]) > rounding).any()
