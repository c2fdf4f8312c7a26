"""The cheapest way to the product of the Jacobians of a chain of segments.

    J = J_q ⋯ J₂ J₁,   J_i of d_i rows and d_{i−1} columns,
    T_i, A_i the work of one column by forward mode, of one row by reverse mode.

F[j,i] is the least work for the product of the segments j to i:

    F[i,i] = min(d_{i−1} T_i, d_i A_i)
    F[j,i] = min over j ≤ k < i of
        F[j,k] + F[k+1,i] + d_i d_k d_{j−1}         both, and their product
        F[j,k] + d_{j−1} Σ_{l>k} T_l                the columns of the first, pushed on
        F[k+1,i] + d_i Σ_{l≤k} A_l                  the rows of the last, pulled back

Source: Naumann 2020, *Optimization of generalized Jacobian chain products without memory
constraints*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["forward", "reverse", "product", "push", "pull"]


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a function between two interfaces.

    columns, rows: elements of the interface before it and of that after it.
    tangent, adjoint: the work of one column of forward mode, of one row of reverse mode.
    forward, reverse: the work of its own Jacobian by either mode: that of all its columns or rows,
        or of as many as it has colours where it is sparse.
    """

    columns: int
    rows: int
    tangent: float
    adjoint: float
    forward: float
    reverse: float


@dataclass(frozen=True, slots=True)
class Bracket:
    """How the Jacobian of the segments first to last (inclusive, from 0) is made.

    kind: by "forward" or "reverse" mode, where it is one segment; as the "product" of what two
        brackets give; by a "push" of the columns of `early` through the rest; or by a "pull" of
        the rows of `late`.
    cost: the work of all of it. multiplications: those of the products in it.
    """

    kind: Kind
    first: int
    last: int
    cost: float
    multiplications: int = 0
    early: Bracket | None = None
    late: Bracket | None = None

    def __str__(self) -> str:
        if self.kind in ("forward", "reverse"):
            return f"{self.kind} {self.first + 1}"
        if self.kind == "product":
            return f"({self.late}) · ({self.early})"
        if self.kind == "push":
            assert self.early is not None
            return f"push {_span(self.early.last + 1, self.last)} of ({self.early})"
        assert self.late is not None
        return f"pull {_span(self.first, self.late.first - 1)} of ({self.late})"


def _span(first: int, last: int) -> str:
    return f"{first + 1}" if first == last else f"{first + 1}–{last + 1}"


def cheapest(segments: Sequence[Segment], overhead: float = 0.0, written: float = 0.0) -> Bracket:
    """The cheapest bracket of all segments.

    overhead: the fixed work of a product, a push or a pull. written: the work for each element of
        a product, beside its multiplications.

    O(q³) for q segments. Of equally cheap ways, the one met first: single modes before products.
    """
    best: dict[tuple[int, int], Bracket] = {}
    for i, one in enumerate(segments):
        forward = Bracket("forward", i, i, one.forward)
        reverse = Bracket("reverse", i, i, one.reverse)
        best[i, i] = forward if forward.cost <= reverse.cost else reverse
    for length in range(2, len(segments) + 1):
        for j in range(len(segments) - length + 1):
            i = j + length - 1
            ways = [
                way
                for k in range(j, i)
                for way in _ways(segments, best[j, k], best[k + 1, i], overhead, written)
            ]
            best[j, i] = min(ways, key=lambda way: way.cost)
    return best[0, len(segments) - 1]


def _ways(
    segments: Sequence[Segment], early: Bracket, late: Bracket, overhead: float, written: float
) -> tuple[Bracket, Bracket, Bracket]:
    """The three ways to join two neighbouring parts."""
    first, last = early.first, late.last
    columns, rows = segments[first].columns, segments[last].rows
    pushed = columns * sum(part.tangent for part in segments[late.first : last + 1])
    pulled = rows * sum(part.adjoint for part in segments[first : early.last + 1])
    products = rows * segments[early.last].rows * columns
    return (
        Bracket(
            "push",
            first,
            last,
            early.cost + pushed + overhead,
            early.multiplications,
            early=early,
        ),
        Bracket(
            "pull",
            first,
            last,
            late.cost + pulled + overhead,
            late.multiplications,
            late=late,
        ),
        Bracket(
            "product",
            first,
            last,
            early.cost + late.cost + products + written * rows * columns + overhead,
            early.multiplications + late.multiplications + products,
            early=early,
            late=late,
        ),
    )
