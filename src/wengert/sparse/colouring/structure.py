"""What colourings need to know of a pattern beside its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def renumbered(colours: Any) -> tuple[Any, int]:
    """Colours without gaps, and their number."""
    used = np.unique(colours[colours >= 0])
    if not len(used) or used[-1] == len(used) - 1:
        return colours, len(used)
    names = np.full(used[-1] + 2, -1, colours.dtype)  # its last one is that of −1
    names[used] = np.arange(len(used))
    return names[colours], len(used)
