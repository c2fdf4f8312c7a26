"""What colourings need to know of a pattern beside its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import WengertRuntimeError
from wengert.sparse.colouring import kernels
from wengert.sparse.pattern import Pattern


def transposed(pattern: Pattern) -> Pattern:
    """The pattern of the transposed matrix."""
    rows, columns = pattern.shape
    starts = np.zeros(columns + 1, pattern.indptr.dtype)
    others = np.empty(pattern.nnz, pattern.indices.dtype)
    place = np.zeros_like(starts)
    indptr, indices = contiguous(pattern)
    kernels.transpose(indptr, indices, rows, columns, place, starts, others)
    return Pattern(starts, others, (columns, rows), pattern.inputs, pattern.outputs)


def contiguous(pattern: Pattern) -> tuple[Any, Any]:
    """indptr and indices as kernels take them."""
    return np.ascontiguousarray(pattern.indptr), np.ascontiguousarray(pattern.indices)


def fullest(pattern: Pattern) -> int:
    """The most places of a row: no colouring of the columns has fewer colours."""
    return int(np.diff(pattern.indptr).max(initial=0))


def descending(keys: Any) -> Any:
    """The order of numbers from 0 on, greatest first, the first of equals first. Those that are
    greater by more than 65535 than the least are taken as equal, which NumPy sorts at once."""
    low = np.minimum(keys - keys.min(initial=0), 65535)
    return np.argsort((65535 - low).astype(np.uint16), kind="stable").astype(np.int32)


def renumbered(colours: Any) -> tuple[Any, int]:
    """Colours without gaps, and their number."""
    used = np.unique(colours[colours >= 0])
    if not len(used) or used[-1] == len(used) - 1:
        return colours, len(used)
    names = np.full(used[-1] + 2, -1, colours.dtype)  # its last one is that of −1
    names[used] = np.arange(len(used))
    return names[colours], len(used)


def insist(holds: bool) -> None:
    """A colouring is checked whenever it is made: a wrong one would give wrong derivatives."""
    if not holds:
        raise WengertRuntimeError("the colouring of a sparsity pattern is not valid: please report")
