"""Which vertices of a star coloured graph need their colours: those that something is read by.

A place can be read by the colour of its column, or by that of its row, or by either. Where there is
a choice, as few colours as possible are kept: a colour that nothing is read by, since it is never
that of a hub, takes no product.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def kept(indptr: Any, indices: Any, mate: Any, readable: Any, colours: Any, costs: Any) -> Any:
    """Whether each vertex must keep its colour.

    readable: of each place, whether the colour of its column reads it. costs: of each colour.
    """
    vertices = len(indptr) - 1
    row = np.repeat(np.arange(vertices, dtype=indices.dtype), np.diff(indptr))
    by_column, by_row = readable != 0, readable[mate] != 0
    needed = np.zeros(vertices, np.bool_)
    needed[indices[by_column & ~by_row]] = True
    loops = row == indices
    needed[row[loops]] = True
    # what is left can be read by either; each edge once
    open_ = by_column & by_row & (row < indices) & ~needed[row] & ~needed[indices]
    first, second = row[open_], indices[open_]
    paid = np.zeros(len(costs), np.bool_)
    paid[colours[needed]] = True
    while len(first):
        in_first, in_second = paid[colours[first]], paid[colours[second]]
        needed[first[in_first]] = True
        needed[second[in_second & ~in_first]] = True
        rest = ~(in_first | in_second)
        first, second = first[rest], second[rest]
        if len(first):
            found = np.bincount(colours[first], minlength=len(costs))
            found += np.bincount(colours[second], minlength=len(costs))
            paid[np.argmax(found / costs)] = True
    return needed
