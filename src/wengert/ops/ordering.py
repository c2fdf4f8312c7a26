"""Maps of a `Dependence` as rows of names, one for each element: put in order, without repeats."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.integer[Any]]]"

MOST_IN_NETWORK = 16
"""More maps than these are sorted by NumPy, which is faster then."""
BLOCK = 8192
"""How many elements are sorted at once."""


def same(a: Integers, b: Integers) -> bool:
    """Whether two maps are equal: those that are not mostly differ at the ends or in the middle."""
    if a is b:
        return True
    if a.size and (
        a.item(0) != b.item(0)
        or a.item(a.size - 1) != b.item(a.size - 1)
        or a.item(a.size // 2) != b.item(a.size // 2)
    ):
        return False
    return bool((a == b).all())


def somewhere(size: int) -> range:
    """Some places in the middle of an array."""
    return range(size // 2, min(size, size // 2 + 8))


def ascend(maps: Sequence[Integers]) -> bool:
    """Whether names ascend from map to map, zeros aside."""
    largest = maps[0]
    for one in maps[1:]:
        if not ((one > largest) | (one == 0)).all():
            return False
        largest = np.maximum(one, largest)
    return True


def ordered(maps: Sequence[Integers]) -> list[Integers]:
    """The maps with the names of each element in ascending order: of few maps by Batcher's network,
    a block of elements at a time, which stays in the cache.

    Source: Knuth, *The Art of Computer Programming*, volume 3, algorithm 5.2.2M.
    """
    count, size = len(maps), maps[0].size
    found = np.stack([one.ravel() for one in maps])
    if count > MOST_IN_NETWORK:
        found.sort(axis=0)
        return list(found)
    pairs = _comparators(count)
    spare = np.empty(min(size, BLOCK), found.dtype)
    for first in range(0, size, BLOCK):
        block = found[:, first : first + BLOCK]
        for i, j in pairs:
            low, high = block[i], block[j]
            smaller = np.minimum(low, high, out=spare[: len(low)])
            np.maximum(low, high, out=high)
            low[:] = smaller
    return list(found)


@cache
def _comparators(count: int) -> list[tuple[int, int]]:
    """The exchanges that sort `count` numbers."""
    found = []
    top = 1 << (count - 1).bit_length() - 1 if count > 1 else 0
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            found += [(i, i + d) for i in range(count - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return found


def tight(maps: Sequence[Integers]) -> list[Integers]:
    """The names of each element without repeats, in as few maps as there can be."""
    found = ordered(maps)
    for low, high in pairwise(found):
        low[low == high] = 0  # the last of several equal ones stays
    found = ordered(found)
    width = next((k for k, one in enumerate(found) if one.any()), len(found) - 1)
    return found[width:]
