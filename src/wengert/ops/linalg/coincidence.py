"""What is done where eigenvalues or singular values coincide, and there are no gaps to divide by.

The tangent of eigenvectors is V Ω with Ωᵢⱼ = Pᵢⱼ / (λⱼ − λᵢ). Where values coincide (to rounding)
the vectors are any orthonormal basis, and they have no derivative of their own. What may be said of
a function of them is this, with N the numerator of such a quotient, a block for the coinciding
values.

*Reverse mode* sees how the function depends on the vectors. If it is invariant to the choice of the
basis, N vanishes (to rounding), and the quotient is 0/0. If N does not vanish, the function depends
on the choice, has no derivative, and an error says so. If it vanishes, its limit is 0 for functions
of the vectors that never read the values: projections V Vᴴ, orthogonal factors U Vᴴ. Functions that
read both, as V f(Λ) Vᴴ, have the limit f′(λ) Cᵢⱼ, which is not 0 and cannot be known from
cotangents, since f' stands nowhere in them. So where the cotangent of the vectors rests on the
values, coinciding values are an error. Such columns are called *mixed* here.

*Forward mode* sees the direction alone. If N vanishes, the direction does not split the values, and
0 is right. If it does not, the vectors turn at once by finite angles along this direction. That an
invariant function comes later cannot be seen: an error.

So nothing is ever divided by rounding, and no zero stands where the limit is something else. Values
that are near, though told apart, make two further cases. A numerator that is rounding is 0 there,
as it would be divided by little more than rounding. Mixed columns are an error there too, since the
quotient, of two small differences, would have lost most of its digits.

Source for the rules: Magnus 1985, *On differentiating eigenvalues and eigenvectors*; for coinciding
values Andrew, Chu and Lancaster 1993, *Derivatives of eigenvalues and eigenvectors of matrix
functions*; Lewis 1996, *Derivatives of spectral functions*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from wengert.errors import NotDifferentiable
from wengert.graph.literals import full, is_zero
from wengert.graph.node import Node
from wengert.graph.types import BOOL
from wengert.graph.walk import topological
from wengert.ops import linear
from wengert.ops.contraction import free
from wengert.ops.leaves import item
from wengert.ops.logic import logical_and, logical_or
from wengert.ops.movement import broadcast_to, embed, reshape, transpose
from wengert.ops.reductions import any as any_over

ROUNDING = 4
"""Values this many times n ε ‖A‖ apart are equal to rounding: LAPACK's errors are of that size."""
NEAR = 64
"""Values this many times as far apart are near."""
NOISE = 64
"""A numerator this many times n ε of what it is the difference of has vanished."""
LEAST = 4
"""A numerator of so many is not told from 0, and taken as that where values are near."""

CURE = (
    "A function of the values alone (eigvalsh, svdvals, norms), a projection V Vᴴ on the whole "
    "group or an orthogonal factor U Vᴴ has a gradient there (use wengert.grad, which sees that "
    "the choice of vectors does not matter; forward mode and second derivatives cannot); for "
    "functions of a matrix use those of scipy.linalg (sqrtm, logm, expm, funm); otherwise perturb "
    "the matrix so that the values differ"
)


def rounding(values: Any, extent: int, size: Any = None) -> Any:
    """How far apart values may be that are equal to rounding, one number a matrix.

    size: of what their errors are a part; their largest for Hermitian matrices and for singular
        values.
    """
    if size is None:
        size = np.max(np.abs(values), axis=-1, initial=0)
    return ROUNDING * max(extent, 1) * np.finfo(values.dtype).eps * size


def gaps(values: Any) -> Any:
    """wⱼ − wᵢ."""
    return values[..., None, :] - values[..., :, None]


def sums(values: Any) -> Any:
    """wᵢ + wⱼ."""
    return values[..., None, :] + values[..., :, None]


def quotient(
    numerator: Any,
    denominator: Any,
    least: Any,
    of: Any,
    mixed: Any,
    what: str,
    values: Any,
    among: Any = True,
    paired: bool = True,
) -> Any:
    """numerator / denominator, 0 where the denominator is rounding, which is at most `least`. There
    the numerator must have vanished beside `of`, what it was computed from.

    mixed: columns where it must not come to that.
    among: where there is something to divide; 0 elsewhere.
    what, values: for the message. paired: whether rows belong to values too, as columns do.
    """
    size = np.abs(denominator)
    near = (size <= NEAR * least) & among
    if near.any():
        equal = near & (size <= least)
        noise = max(numerator.shape[-2:]) * np.finfo(numerator.dtype).eps
        noise = noise * np.max(np.abs(of), axis=(-2, -1), keepdims=True, initial=0)
        left = equal & (np.abs(numerator) > NOISE * noise)
        if left.any():
            _refuse(
                what,
                values,
                left,
                "the derivative (of this function in reverse mode, along this direction in forward "
                "mode) depends on individual vectors among theirs, which are arbitrary",
                paired,
            )
        if np.any(near & mixed):
            _refuse(
                what,
                values,
                near & mixed,
                "the function reads both these values and their vectors, so that its derivative "
                "cannot be found from the derivatives of either",
                paired,
            )
        among = among & ~(equal | (near & (np.abs(numerator) <= LEAST * noise)))
    if among is True:
        return numerator / denominator
    result = np.where(among, numerator / np.where(among, denominator, 1), 0)
    return result.astype(numerator.dtype, copy=False)


def _refuse(what: str, values: Any, bad: Any, why: str, paired: bool) -> NoReturn:
    *lead, i, j = np.argwhere(bad)[0]
    w = values[tuple(lead)]
    columns = sorted({int(i), int(j)}) if paired else [int(j)]
    named = " and ".join(f"number {k} ({w[k]:.6g})" for k in columns)
    says = "coincide to rounding" if len(columns) > 1 else "is zero to rounding"
    raise NotDifferentiable(f"{what} {named} {says}, and {why}. {CURE}")


# ------------------------------------------------------------------- which columns are mixed


def mixed_columns(ct: Node, values: Node) -> Node:
    """(…, n) booleans: for which columns of `ct` (…, m, n) it may rest on the values.

    Columns that are zero by structure, since the function never reads those vectors, do not.
    """
    shape = (*ct.shape[:-2], ct.shape[-1])
    if not _rests_on(ct, values):
        return full(False, BOOL, shape)
    support = _support(ct, {})
    if support.op is full:
        return full(not is_zero(support), BOOL, shape)
    return any_over(support, (ct.ndim - 2,))


def _rests_on(ct: Node, values: Node) -> bool:
    """Whether a value of the same matrix is read below ct.

    Values that have lost their origin, as residuals that a loop hands on have, might be.
    """
    if values.op is not item:
        return True
    holder = values.args[0]
    matrix = holder.args[0]
    for node in topological([ct], after=matrix.serial):
        if node is values or (node.op.name in VALUES and node.args[0] is matrix):
            return True
        if (
            node.op is values.op
            and node.params == values.params
            and node.args[0].args[:1] == (matrix,)
            and node.args[0].op is holder.op
        ):
            return True
    return False


VALUES = frozenset({"eigvalsh", "svdvals", "eigvals"})


DEEPEST = 24
"""How many operations below a cotangent zeros by structure are looked for."""


def _support(x: Node, known: dict[Node, Node], depth: int = DEEPEST) -> Node:
    """Booleans of the shape of a cotangent: False where it is zero by structure, as where it stems
    from a slice of the vectors, or was multiplied by np.where(…, …, 0).

    known: those found already.
    """
    if x not in known:
        known[x] = _find_support(x, known, depth)
    return known[x]


def _find_support(x: Node, known: dict[Node, Node], depth: int) -> Node:
    if is_zero(x):
        return full(False, BOOL, x.shape)
    if linear.is_masked(x):
        return x.args[0]
    name = x.op.name
    if depth:
        below = [_support(arg, known, depth - 1) for arg in x.args] if name in _PASSED else []
        if name in ("conjugate", "negative", "convert"):
            return below[0]
        if name == "add":
            return logical_or(*below)
        if name == "multiply":
            return logical_and(*below)
        if name == "embed":
            return embed(below[0], *x.params)
        if name == "transpose":
            return transpose(below[0], x.params[0])
        if name == "broadcast_to":
            return broadcast_to(below[0], x.shape)
        if name == "reshape":
            return reshape(below[0], x.shape)
        if name == "contract":
            return logical_and(
                _support_of_product(x, below[0], 0), _support_of_product(x, below[1], 1)
            )
    return full(True, BOOL, x.shape)


_MOVED = frozenset({"embed", "transpose", "broadcast_to", "reshape"})
_PASSED = _MOVED | {"conjugate", "negative", "convert", "add", "multiply", "contract"}


def _support_of_product(x: Node, support: Node, side: int) -> Node:
    """Where a contraction is not zero for what one of its factors is."""
    if support.op is full:
        return full(not is_zero(support), BOOL, x.shape)
    over, along = (pair[side] for pair in x.params)
    rest = free(support.shape, over, along)
    seen = any_over(support, over)
    left = [axis for axis in range(support.ndim) if axis not in over]
    seen = transpose(seen, [left.index(axis) for axis in (*along, *rest)])
    others = (1,) * (x.ndim - seen.ndim)
    at = len(along) if side else seen.ndim
    shape = (*seen.shape[:at], *others, *seen.shape[at:])
    return broadcast_to(reshape(seen, shape), x.shape)


def no_columns(shape: Sequence[int]) -> Node:
    """No column of matrices (…, m, n) is mixed."""
    return full(False, BOOL, (*shape[:-2], shape[-1]))
