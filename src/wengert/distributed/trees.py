"""The tree along which the results of shards are joined: fixed by their number alone.

Floating-point sums depend on their order. Here the left subtree of n leaves has the largest power
of two below n of them, whichever worker is done first; so every run gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def joined(count: int, leaf: Callable[[int], T], join: Callable[[T, T], T]) -> T:
    """The leaves 0 … count − 1 joined along the tree, those on the left first.

    >>> joined(5, str, lambda a, b: f"({a}{b})")
    '(((01)(23))4)'
    """

    def between(first: int, last: int) -> T:
        if last - first == 1:
            return leaf(first)
        middle = first + (1 << ((last - first - 1).bit_length() - 1))
        return join(between(first, middle), between(middle, last))

    return between(0, count)
