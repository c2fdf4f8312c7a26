"""The law of sparsity: no derivative is nonzero outside the pattern that is read off the graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from law_samples import Function, Sample

from wengert.errors import NotDifferentiable
from wengert.execution.interpreter import Program
from wengert.graph.node import Node
from wengert.sparse.detecting import detect
from wengert.transforms.pushforward import pushforward


def dense(function: Function, outputs: Sequence[Node], wrt: Sequence[Node]) -> Any:
    """All derivatives at the function's point, a column for each element of `wrt`; of complex
    elements the larger of those along both axes of the plane."""
    seeds = [function.bind(np.zeros(node.shape, node.dtype)) for node in wrt]
    tangents = pushforward(outputs, dict(zip(wrt, seeds, strict=True)))
    present = [tangent for tangent in tangents if tangent is not None]
    program = Program(present)
    values = dict(function.session.values)
    columns = []
    for node, seed in zip(wrt, seeds, strict=True):
        for k in range(node.size):
            parts = []
            for unit in (1, 1j) if node.dtype.kind == "c" else (1,):
                direction = np.zeros(node.shape, node.dtype)
                direction.flat[k] = unit
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)  # zeros make matrices defective
                    found = iter(program.run({**values, seed: direction}))
                rows = [
                    np.zeros(output.size) if tangent is None else np.abs(next(found)).ravel()
                    for tangent, output in zip(tangents, outputs, strict=True)
                ]
                parts.append(np.concatenate([np.zeros(0), *rows]))
            columns.append(np.max(parts, axis=0))
    height = sum(output.size for output in outputs)
    return np.stack(columns, axis=-1) if columns else np.zeros((height, 0))


def check_pattern(
    function: Function, outputs: Sequence[Node], wrt: Sequence[Node], known: Any, what: object
) -> None:
    """The pattern has every nonzero of the dense matrix at the function's point."""
    matrix = dense(function, outputs, wrt)
    pattern = detect(outputs, wrt, known).pattern
    assert pattern.shape == matrix.shape, f"{what}: {pattern.shape}, not {matrix.shape}"
    lengths = np.diff(pattern.indptr)
    assert (lengths >= 0).all()
    assert pattern.indptr[-1] == len(pattern.indices)
    inside = np.zeros(matrix.shape, np.int64)
    np.add.at(inside, (pattern.rows, pattern.indices), 1)
    assert (inside <= 1).all(), f"{what}: a place occurs twice"
    steps = np.diff(pattern.indices)[np.diff(pattern.rows) == 0]
    assert (steps > 0).all(), f"{what}: the columns of a row do not ascend"
    with np.errstate(invalid="ignore"):
        least = 1e-11 * np.max(matrix, where=np.isfinite(matrix), initial=0)  # what is rounding
        missing = (matrix > least) & np.isfinite(matrix) & (inside == 0)
    assert not missing.any(), f"{what}: nonzero outside the pattern at {np.argwhere(missing)[:5]}"


def check_sparsity(sample: Sample, with_zeros: bool = True) -> None:
    """By all inputs, and by each one, the others being known and having zeros."""
    positions = Function(sample).differentiable
    for chosen in {*((k,) for k in positions), tuple(positions)} - {()}:
        plain = (sample.arrays,)
        for others in (*plain, _with_zeros(sample, chosen)) if with_zeros else plain:
            function = Function(Sample(sample.op, others, sample.params, sample.keywords))
            outputs = function.smooth_outputs
            wrt = [function.inputs[k] for k in chosen]
            values = function.session.values
            known = {node: values[node] for node in function.inputs if node not in wrt}
            try:
                check_pattern(function, outputs, wrt, known, f"{sample} by inputs {chosen}")
            except (np.linalg.LinAlgError, NotDifferentiable, ValueError):
                continue  # the zeros, or a direction along one element, have left its domain
            check_pattern(function, outputs, wrt, None, f"{sample} by {chosen}, nothing known")


def _with_zeros(sample: Sample, chosen: Sequence[int]) -> list[Any]:
    """The arrays, those of numbers that are not chosen with every other element zero."""
    return [
        np.where(np.arange(array.size).reshape(array.shape) % 2, array, array.dtype.type(0))
        if k not in chosen and isinstance(array, np.ndarray) and array.dtype.kind in "fc"
        else array
        for k, array in enumerate(sample.arrays)
    ]
