"""The parts of complex numbers, absolute values and signs.

Complex derivatives follow JAX: tangents are complex, products are not conjugated, and cotangents
pair with tangents by Re sum(ct * t). So the transpose of Re is c -> c + 0i, of Im c -> -i c, of
conj conj itself, and `grad` of a real function of z = x + iy is df/dx - i df/dy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full
from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op, Tangent
from wengert.graph.types import ArrayType, DType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, multiply, negative, one
from wengert.ops.domain import Box, Cases, normal
from wengert.ops.families import (
    batch_elementwise,
    batch_unary,
    define,
    elementwise,
)
from wengert.ops.logic import not_equal
from wengert.ops.native import Pointwise, by_method


def _build_real(x: Node) -> Node:
    if x.dtype.kind != "c":
        return x
    return make(real, (x,), None, _real_type((x.type,), None))


def _real_type(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape, part_dtype(types[0].dtype))


def part_dtype(dtype: DType) -> DType:
    """The dtype of the real and imaginary parts."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _draw_complex(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3)], ()


real: Op = define(
    "real",
    family="elementwise",
    build=_build_real,
    infer=_real_type,
    evaluate=lambda node: np.real,
    pushforward=lambda node, ts: linear.pointwise(real, ts[0]),
    transpose=lambda node, ct, wanted: (linear.convert(ct, node.args[0].dtype),),
    batch=batch_unary(lambda node, x: real(x)),
    native=by_method("real"),
    sparsity=sparsity.pointwise,
    label="Re {0}",
    domain=Cases(_draw_complex, kinds="c"),
)


def _build_imag(x: Node) -> Node:
    if x.dtype.kind != "c":
        return full(0, x.dtype, x.shape)
    return make(imag, (x,), None, _real_type((x.type,), None))


def _transpose_imag(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    return (linear.pointwise(lambda v: join(constant(0, v), negative(v)), ct),)


imag: Op = define(
    "imag",
    family="elementwise",
    build=_build_imag,
    infer=_real_type,
    evaluate=lambda node: np.imag,
    pushforward=lambda node, ts: linear.pointwise(imag, ts[0]),
    transpose=_transpose_imag,
    batch=batch_unary(lambda node, x: imag(x)),
    native=by_method("imag"),
    sparsity=sparsity.pointwise,
    label="Im {0}",
    domain=Cases(_draw_complex, kinds="c"),
)


def _infer_join(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape, np.dtype(f"c{types[0].dtype.itemsize * 2}"))


def _evaluate_join(node: Node) -> Callable[..., Any]:
    dtype, shape = node.dtype, node.shape

    def run(re: Any, im: Any) -> Any:
        result = np.empty(shape, dtype)
        result.real, result.imag = re, im
        return result[()]

    return run


def _push_join(node: Node, ts: Sequence[Tangent]) -> Tangent:
    re, im = (None if t is None else linear.convert(t, node.dtype) for t in ts)
    if im is not None:
        im = linear.pointwise(lambda v: join(constant(0, imag(v)), real(v)), im)
    return linear.add(re, im)


def _draw_join(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3), normal(rng, dtype, 3)], ()


join: Op = define(
    "join",
    family="elementwise",
    build=lambda re, im: make(join, (re, im), None, _infer_join((re.type,), None)),
    infer=_infer_join,
    evaluate=_evaluate_join,
    pushforward=_push_join,
    transpose=lambda node, ct, wanted: (
        linear.pointwise(real, ct) if wanted[0] else None,
        linear.negative(linear.pointwise(imag, ct)) if wanted[1] else None,
    ),
    batch=batch_elementwise,
    native=Pointwise(lambda ins, out, re, im: out.join(re, im)),
    sparsity=sparsity.pointwise,
    label="{0} + i{1}",
    domain=Cases(_draw_join, kinds="f"),
)


def _push_conjugate(node: Node, ts: Sequence[Tangent]) -> Tangent:
    return linear.pointwise(conjugate, ts[0])


conjugate: Op = elementwise(
    np.conjugate,
    label="conj {0}",
    domain=Box(((-3, 3),), kinds="fc", holomorphic=False),
    pushforward=_push_conjugate,
    transpose=lambda node, ct, wanted: (linear.pointwise(conjugate, ct),),
    simplify=lambda x: x if x.dtype.kind != "c" else None,
)


# -------------------------------------------------------------- absolute value and signs


def _push_absolute(node: Node, ts: Sequence[Tangent]) -> Tangent:
    """d|x| = sign(x) dx; for complex z, d|z| = Re(conj(z/|z|) dz). Zero at zero."""
    (x,) = node.args
    if x.dtype.kind != "c":
        return linear.scale(ts[0], sign(x))
    turned = linear.scale(ts[0], conjugate(sign(x)))
    return None if turned is None else linear.pointwise(real, turned)


absolute: Op = elementwise(
    np.absolute,
    label="|{0}|",
    domain=Box(((-3, 3),), kinds="ifc", holomorphic=False, smooth=False),
    weak=True,
    pushforward=_push_absolute,
)


def _push_sign(node: Node, ts: Sequence[Tangent]) -> Tangent:
    """Zero for real x. For complex s = z/|z|: ds = (dz − s Re(conj(s) dz))/|z|, zero at zero."""
    (x,) = node.args
    if x.dtype.kind != "c":
        return None
    inward = linear.pointwise(real, linear.scale(ts[0], conjugate(node)))
    across = linear.add(ts[0], linear.negative(linear.scale(linear.convert(inward, x.dtype), node)))
    nonzero = not_equal(x, constant(0, x))
    return linear.select(nonzero, linear.divide(across, convert(absolute(x), x.dtype)), None)


sign: Op = elementwise(
    np.sign,
    label="sign {0}",
    domain=Box(((-3, 3),), kinds="ifc", holomorphic=False, smooth=False),
    pushforward=_push_sign,
)
fabs: Op = elementwise(
    np.fabs,
    lambda y, x: sign(x),
    label="|{0}|",
    domain=Box(((-3, 3),), kinds="f", smooth=False),
)
copysign: Op = elementwise(
    np.copysign,
    lambda y, x, s: copysign(one(x), multiply(copysign(one(x), x), copysign(one(x), s))),
    ZERO,
    label="copysign({0}, {1})",
    domain=Box(((0.5, 3), (-3, 3)), kinds="f", smooth=False),
)
