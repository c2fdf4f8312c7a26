"""Functions of square matrices: expm, logm, powers, sqrtm, signm, and their Fréchet derivatives.

The derivative of f at A in the direction E is the upper right block of f of a block matrix
(Mathias 1996, SIAM J. Matrix Anal. Appl. 17; Higham 2008, *Functions of Matrices*, section 3.1):

    f([A  E]) = [f(A)  L_f(A, E)]
     ([0  A])   [ 0      f(A)   ]

`frechet(A, E, f)` is that L_f. It is linear in E, and from
L_f(A, E) = 1/(2πi) ∮ f(z) (z − A)⁻¹ E (z − A)⁻¹ dz follows that its transpose is L_f(Aᵀ, ·).
The second derivative is symmetric in its two directions, so that the derivative of L_f(A, E) in the
direction Ȧ is, linear in Ȧ, the upper right block of

    L_f([A  E], [Ȧ  0])
       ([0  A]  [0  Ȧ])

and so on for all orders. The matrix square root and the sign have equations of Sylvester instead:
X² = A gives X Ẋ + Ẋ X = Ȧ, and S² = 1 with S A = A S gives N Ṡ + Ṡ N = Ȧ − S Ȧ S where N = S A
(Kenney, Laub 1991, SIAM J. Matrix Anal. Appl. 12).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertValueError
from wengert.graph.literals import zeros
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import BOOL, ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, define, opaque, whole
from wengert.ops.linalg.matrices import (
    after,
    batched_matrix,
    matmul,
    mix_matrices,
    times,
    transposed,
    with_stack,
)
from wengert.ops.linalg.sylvester import inexact_dtype, sylvester
from wengert.ops.movement import concatenate, embed, index

Which = tuple[Any, ...]
"""The name of a function of matrices, and its parameters."""


# ------------------------------------------------------------------------------- one matrix


def _double(a: Any) -> Any:
    """SciPy's logarithm and powers know the tolerances of double precision alone."""
    return a.astype(np.result_type(a.dtype, np.float64))


def _power(a: Any, exponent: float) -> Any:
    return lazy.module("scipy.linalg").fractional_matrix_power(_double(a), exponent)


def _logm(a: Any) -> Any:
    return lazy.module("scipy.linalg").logm(_double(a))


def _expm(a: Any) -> Any:
    return lazy.module("scipy.linalg").expm(a)


VALUES: dict[str, Callable[..., Any]] = {"expm": _expm, "logm": _logm, "matrix_power": _power}
"""What the functions of one matrix of LAPACK's dtypes are. SciPy may return another dtype."""


def in_dtype(value: Any, dtype: Any) -> Any:
    """A result of SciPy's in the dtype that the node states; its rounding errors may be complex."""
    if value.dtype.kind == "c" and dtype.kind != "c":
        value = value.real
    return value.astype(dtype, copy=False)


def _over_stack(function: Callable[[Any], Any], x: Any) -> Any:
    if x.ndim == 2:
        return in_dtype(function(x), x.dtype) if x.size else x.copy()
    result = np.empty(x.shape, x.dtype)
    for at in np.ndindex(x.shape[:-2]):
        result[at] = _over_stack(function, x[at])
    return result


LARGE = 32
"""From which size on the exponential's derivative is found by scaling and squaring of its own
(Al-Mohy and Higham 2009, SIAM J. Matrix Anal. Appl. 30), which saves the work on the lower blocks,
but has a fixed cost in Python."""


def _upper_right(name: str, parameters: Which, a: Any, e: Any) -> Any:
    """L_f(a, e). The direction is scaled to the size of the matrix: a large one would spoil the
    accuracy of f, or its cost."""
    size = np.abs(e).max(initial=0)
    if not (np.isfinite(a).all() and np.isfinite(size)):
        return np.full(e.shape, np.nan, e.dtype)
    if not size:
        return np.zeros(e.shape, e.dtype)
    n = len(a)
    scale = size / (np.abs(a).max() or 1)
    if name == "expm" and n >= LARGE:
        frechet_of = lazy.module("scipy.linalg").expm_frechet
        found = frechet_of(_double(a), e / scale, compute_expm=False, check_finite=False)
        return in_dtype(found * scale, e.dtype)
    block = np.zeros((2 * n, 2 * n), a.dtype)
    block[:n, :n] = block[n:, n:] = a
    block[:n, n:] = e / scale
    return in_dtype(VALUES[name](block, *parameters)[:n, n:] * scale, e.dtype)


# ------------------------------------------------------------------------------ derivative


def _build_frechet(a: Node, e: Node, which: Which) -> Node:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2] or e.shape[-2:] != a.shape[-2:]:
        raise WengertValueError(
            f"the derivative of {which[0]} needs square matrices of one shape, not arrays of "
            f"shapes {a.shape} and {e.shape}"
        )
    dtype = inexact_dtype(a.type, e.type)
    a, e = convert(a, dtype), convert(e, dtype)
    lead = np.broadcast_shapes(a.shape[:-2], e.shape[:-2])
    if a.ndim > 2:
        a = with_stack(a, lead)
    e = with_stack(e, lead)
    return make(frechet, (a, e), which, array_type(e.shape, dtype))


def _evaluate_frechet(node: Node) -> Callable[..., Any]:
    name, *parameters = node.params
    further = tuple(parameters)

    def run(a: Any, e: Any) -> Any:
        result = np.empty(e.shape, e.dtype)
        for at in np.ndindex(e.shape[:-2]):
            result[at] = _upper_right(name, further, a[at] if a.ndim > 2 else a, e[at])
        return result

    return run


def block_upper(a: Node, e: Node) -> Node:
    """[[a, e], [0, a]]."""
    a = with_stack(a, e.shape[:-2])
    upper = concatenate(a, e, axis=a.ndim - 1)
    lower = concatenate(zeros(a.type), a, axis=a.ndim - 1)
    return concatenate(upper, lower, axis=a.ndim - 2)


def _twice(v: Node) -> Node:
    """[[v, 0], [0, v]], linear in v."""
    n = v.shape[-1]
    shape = (*v.shape[:-2], 2 * n, 2 * n)
    lead = whole(v.shape[:-2])

    def at(k: int) -> Node:
        span = (k * n, n, 1)
        return linear.move(lambda x: embed(x, (*lead, span, span), shape), v)

    both: Node = linear.add(at(0), at(1))
    return both


def _corner(v: Node) -> Node:
    """The upper right block."""
    n = v.shape[-1] // 2
    return linear.move(lambda x: index(x, (*whole(x.shape[:-2]), (0, n, 1), (n, n, 1))), v)


def derivative(a: Node, tangent: Node, which: Which) -> Node:
    """L_f(a, ·) of a linear value."""
    return mix_matrices(lambda v: frechet(a, v, which), tangent)


def _push_frechet(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    a, e = node.args
    a_dot, e_dot = tangents
    by_a = None
    if a_dot is not None:
        by_a = _corner(derivative(block_upper(a, e), _twice(a_dot), node.params))
    return linear.add(by_a, None if e_dot is None else derivative(a, e_dot, node.params))


def _transpose_frechet(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    return None, derivative(transposed(node.args[0]), ct, node.params)


def _batch_frechet(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    lead = node.shape[:-2]
    a = batched_matrix(args[0], batched[0], node.args[0].ndim - 2, size, lead)
    e = args[1] if batched[1] else with_stack(args[1], (size, *lead))
    return frechet(a, e, node.params)


def near_identity(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """Matrices whose eigenvalues are away from the negative axis."""
    return (np.eye(shape[-1]) + 0.25 * normal(rng, dtype, *shape)).astype(dtype)


def _draw_frechet(rng: np.random.Generator, dtype: Any) -> Any:
    for which in (("expm",), ("logm",), ("matrix_power", 0.3)):
        yield [near_identity(rng, dtype, 3, 3), normal(rng, dtype, 3, 3)], (which,)
    yield [normal(rng, dtype, 2, 2), normal(rng, dtype, 2, 2, 2)], (("expm",),)
    yield [normal(rng, dtype, 2, 1, 1), normal(rng, dtype, 2, 1, 1)], (("expm",),)
    yield [normal(rng, dtype, 0, 0), normal(rng, dtype, 0, 0)], (("expm",),)


frechet: Op = define(
    "frechet",
    family="matrix function",
    build=_build_frechet,
    infer=lambda types, params: array_type(types[1].shape, types[1].dtype),
    evaluate=_evaluate_frechet,
    pushforward=_push_frechet,
    transpose=_transpose_frechet,
    batch=_batch_frechet,
    sparsity=sparsity.stacked(2, 2),
    label="L({0}, {1})",
    domain=Cases(_draw_frechet),
)

# -------------------------------------------------------------------------------- functions


def square_matrices(name: str, a: Node) -> Node:
    """a in a dtype of LAPACK; an error where it does not hold square matrices."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise WengertValueError(
            f"{name} needs square matrices in the last two axes, not an array of shape {a.shape}"
        )
    return convert(a, inexact_dtype(a.type))


def _function(
    name: str,
    evaluate: Callable[..., Any],
    pushforward: Callable[[Node, Node], Node],
    draw: Any,
    label: str,
) -> Op:
    """A record of one matrix and perhaps parameters. pushforward: (node, tangent) -> tangent."""

    def build(a: Node, *parameters: Any, **named: Any) -> Node:
        parameters = (*parameters, *named.values())
        a = square_matrices(name, a)
        return make(op, (a,), parameters, array_type(a.shape, a.dtype))

    def infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
        return array_type(types[0].shape, types[0].dtype)

    op: Op = define(
        name,
        family="matrix function",
        build=build,
        infer=infer,
        evaluate=lambda node: lambda a: _over_stack(lambda x: evaluate(x, *node.params), a),
        pushforward=lambda node, tangents: pushforward(node, tangents[0]),
        transpose=NOT_LINEAR,
        batch=lambda node, args, batched, size: op(args[0], *node.params),
        sparsity=sparsity.stacked(2),
        label=label,
        domain=Cases(draw),
    )
    return op


def _by_frechet(node: Node, tangent: Node) -> Node:
    return derivative(node.args[0], tangent, (node.op.name, *node.params))


def _draw_any(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3, 3)], ()
    yield [normal(rng, dtype, 2, 2, 2)], ()
    yield [normal(rng, dtype, 1, 1)], ()
    yield [normal(rng, dtype, 0, 0)], ()


def _draw_near(rng: np.random.Generator, dtype: Any) -> Any:
    yield [near_identity(rng, dtype, 3, 3)], ()
    yield [near_identity(rng, dtype, 2, 2, 2)], ()
    yield [near_identity(rng, dtype, 1, 1)], ()
    yield [normal(rng, dtype, 0, 0)], ()


def _draw_power(rng: np.random.Generator, dtype: Any) -> Any:
    for exponent in (0.3, -0.7):
        yield [near_identity(rng, dtype, 3, 3)], (exponent,)
    yield [near_identity(rng, dtype, 2, 2, 2)], (0.5,)
    yield [near_identity(rng, dtype, 1, 1)], (0.5,)


expm: Op = _function("expm", _expm, _by_frechet, _draw_any, "exp({0})")
logm: Op = _function("logm", _logm, _by_frechet, _draw_near, "log({0})")
matrix_power: Op = _function("matrix_power", _power, _by_frechet, _draw_power, "{0}^t")
"""A^t for a number t that is not an integer."""


def _sqrtm(a: Any) -> Any:
    return lazy.module("scipy.linalg").sqrtm(a)


def _push_sqrtm(node: Node, tangent: Node) -> Node:
    return mix_matrices(lambda v: sylvester(node, node, v), tangent)


sqrtm: Op = _function("sqrtm", _sqrtm, _push_sqrtm, _draw_near, "√{0}")


def _signm(a: Any) -> Any:
    return lazy.module("scipy.linalg").signm(a)


def _push_signm(node: Node, tangent: Node) -> Node:
    size = matmul(node, node.args[0])
    right = linear.add(tangent, linear.negative(times(after(node, tangent), node)))
    return mix_matrices(lambda v: sylvester(size, size, v), right)


def _draw_signm(rng: np.random.Generator, dtype: Any) -> Any:
    """Eigenvalues on both sides of the imaginary axis, away from it."""
    for shape in ((3, 3), (2, 2, 2), (1, 1)):
        basis = near_identity(rng, dtype, *shape)
        values = rng.choice([-1.0, 1.0], shape[:-1]) * rng.uniform(1, 2, shape[:-1])
        yield [(basis @ (values[..., None] * np.linalg.inv(basis))).astype(dtype)], ()


signm: Op = _function("signm", _signm, _push_signm, _draw_signm, "sign({0})")

# ------------------------------------------------------------------------------ real or not


def _has_negative(a: Any) -> Any:
    """Whether real matrices have eigenvalues on the negative axis: blocks of one row in their real
    Schur forms."""
    result = np.zeros(a.shape[:-2], bool)
    for at in np.ndindex(result.shape):
        if a.shape[-1] and np.isfinite(a[at]).all():
            t = lazy.module("scipy.linalg").schur(a[at], output="real")[0]
            coupled = t.diagonal(-1) != 0
            alone = ~(np.append(coupled, False) | np.append(False, coupled))
            result[at] = (t.diagonal()[alone] < 0).any()
    return result[()]


def _draw_negative(rng: np.random.Generator, dtype: Any) -> Any:
    yield [near_identity(rng, dtype, 3, 3)], ()
    yield [-near_identity(rng, dtype, 2, 3, 3)], ()


def _build_negative(a: Node) -> Node:
    a = square_matrices("has_negative_eigenvalue", a)
    return make(has_negative_eigenvalue, (a,), None, array_type(a.shape[:-2], BOOL))


has_negative_eigenvalue: Op = opaque(
    "has_negative_eigenvalue",
    build=_build_negative,
    infer=lambda types, params: array_type(types[0].shape[:-2], BOOL),
    evaluate=lambda node: _has_negative,
    batch=lambda node, args, batched, size: has_negative_eigenvalue(args[0]),
    label="spectrum({0}) meets (−∞, 0)",
    domain=Cases(_draw_negative, kinds="f"),
)
"""Whether logarithm and square root of a real matrix are complex."""
