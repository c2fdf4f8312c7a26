"""The phases of complex eigenvectors and singular vectors, as LAPACK chooses them.

A unit vector is known up to a phase, which the equations for its tangent leave open. LAPACK fixes
it: its reductions to tridiagonal and bidiagonal form are made of reflections that keep the first
(or last) unit vector, and what is computed from there on is real. So a row of the vectors is real:

    heevd    the first row of V where the lower triangle is read, the last where the upper one is
    gesdd    the first row of V for matrices m × n with m ≥ n, otherwise the first row of U
    geev     in each eigenvector the element of largest magnitude

which its tangent must keep: v̇ⱼ + i θⱼ vⱼ with θⱼ = −Im v̇ⱼ[0] / vⱼ[0]. Where vⱼ[0] is zero to
rounding the phase jumps, and θⱼ is taken as 0; functions that do not depend on phases do not see
it.
"""

from __future__ import annotations

import numpy as np

from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.ops import linear
from wengert.ops.arithmetic import convert, divide, multiply
from wengert.ops.complex import absolute, imag, real
from wengert.ops.families import whole
from wengert.ops.linalg.gaps import as_row
from wengert.ops.logic import greater
from wengert.ops.movement import index
from wengert.ops.selection import select


def phase_rates(vectors: Node, tangent: Node, row: int) -> Node | None:
    """i θ, (…, n), which keeps a row of the vectors real; None for real vectors."""
    if vectors.dtype.kind != "c" or not vectors.shape[-1]:
        return None
    entries = (*whole(vectors.shape[:-2]), row % vectors.shape[-2], (0, vectors.shape[-1], 1))
    return rates_of(
        real(index(vectors, entries)), linear.move(lambda v: index(v, entries), tangent)
    )


def rates_of(kept: Node, moved: Node) -> Node:
    """−i Im(ẋ) / x of real x and complex ẋ."""
    eps = np.finfo(kept.dtype).eps
    one, zero = constant(1, kept), constant(0, kept)
    safe = greater(absolute(kept), constant(float(eps), kept))
    inverse = select(safe, divide(one, select(safe, kept, one)), zero)
    weight = multiply(convert(inverse, moved.dtype), full(-1j, moved.dtype, kept.shape))
    turned = linear.pointwise(imag, moved)
    rates: Node = linear.scale(
        linear.convert(turned, moved.dtype), select(safe, weight, constant(0, weight))
    )
    return rates


def with_phase(tangent: Node, vectors: Node, rates: Node | None) -> Node:
    """The tangent of the vectors with these rates of their phases added."""
    if rates is None:
        return tangent
    spread = linear.broadcast(as_row(rates), vectors.shape)
    result: Node = linear.add(tangent, linear.scale(spread, vectors))
    return result
