"""Patterns of functions, and dense matrices to compare them with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.derivatives.derive import gradient
from wengert.derivatives.marking import mark, output_nodes, scalar_output
from wengert.execution.border import entered
from wengert.sparse.detecting import Detected, detect, detect_hessian


def detected(
    f: Callable[..., Any], *args: Any, argnums: Any = 0, hessian: bool = False, known: bool = True
) -> Detected:
    """What is detected for the Jacobian, or the Hessian, of a function."""
    with entered([]) as session:
        marked = mark(session, args, argnums, "sparsity")
        value = f(*marked.args)
        mine = set(marked.nodes)
        values = {n: v for n, v in session.values.items() if n not in mine} if known else None
        if hessian:
            slopes = gradient(scalar_output(value, session, "sparsity"), marked.nodes)
            return detect_hessian(slopes, marked.nodes, values)
        return detect(output_nodes(value, session, "sparsity")[0], marked.nodes, values)


def pattern(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """The pattern as a dense array of booleans."""
    return detected(f, *args, **options).pattern.matrix().toarray()


def numeric(f: Callable[..., Any], x: Any) -> Any:
    """Where complex steps see a derivative at x, of a function of one array."""
    rows = []
    for k in range(x.size):
        moved = x.astype(complex)
        moved.flat[k] += 1e-30j
        rows.append(np.asarray(f(moved)).imag.ravel() != 0)
    return np.stack(rows, axis=-1)
