"""Vectors whose lanes go to memory in turn: woven in registers, and stored one after another.

Of P vectors the lanes a₀ b₀ c₀ a₁ b₁ c₁ … lie side by side, as the columns of a matrix of P columns
or the parts of complex numbers do. Storing each vector by itself, its lanes P apart, takes an
access to memory for each lane.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.compiler.code import Code
from wengert.compiler.lanes import vector_type


def woven(code: Code, element: str, vectors: Sequence[str], width: int) -> list[str]:
    """The lanes of P vectors in turn, as P vectors.

    An even number is halved: those at even places, woven, alternate with those at odd places,
    woven, by two shuffles for two vectors. An odd number P takes P − 1 of them for each vector.
    """
    count = len(vectors)
    if count == 1:
        return list(vectors)
    found = []
    if count % 2 == 0:
        even = woven(code, element, vectors[::2], width)
        odd = woven(code, element, vectors[1::2], width)
        for a, b in zip(even, odd, strict=True):
            for first in (0, width // 2):
                picks = [lane // 2 + first + lane % 2 * width for lane in range(width)]
                found.append(shuffled(code, element, a, b, width, picks))
        return found
    for first in range(0, count * width, width):
        places = [
            divmod(first + lane, count) for lane in range(width)
        ]  # (lane of its vector, which)
        value = vectors[0]
        for k in range(1, count):
            picks = [
                width + at if which == k else at if k == 1 else lane
                for lane, (at, which) in enumerate(places)
            ]
            value = shuffled(code, element, value, vectors[k], width, picks)
        found.append(value)
    return found


def shuffled(code: Code, element: str, a: str, b: str, width: int, picks: Sequence[int]) -> str:
    """Lanes of two vectors, those of the second counted from `width`."""
    type = vector_type(element, width)
    lanes = ", ".join(f"i32 {q}" for q in picks)
    return code.let(f"shufflevector {type} {a}, {type} {b}, <{len(picks)} x i32> <{lanes}>")
