"""Addition, multiplication and their kin, `select`, `convert`, and the parts of complex numbers.

Complex derivatives follow JAX: tangents are complex, products are not conjugated, and cotangents
pair with tangents by Re sum(ct * t). So the transpose of Re is c -> c + 0i, of Im c -> -i c, of
conj conj itself, and `grad` of a real function of z = x + iy is df/dx - i df/dy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full, is_literal, is_zero, literal
from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op, Tangent
from wengert.graph.types import ArrayType, DType, array_type
from wengert.ops import linear
from wengert.ops.domain import Box, Cases, normal
from wengert.ops.families import (
    batch_elementwise,
    batch_unary,
    broadcast_shapes,
    define,
    elementwise,
    opaque,
)
from wengert.ops.movement import broadcast_to

REAL = Box(((-3, 3),), kinds="f")
PLANE = Box(((-3, 3), (-3, 3)), kinds="iufc")


def one(like: Node) -> Node:
    """The constant 1 of a node's dtype and shape."""
    return constant(1, like)


# ----------------------------------------------------------------------------- convert


def _build_convert(x: Node, dtype: Any, weak: bool = False) -> Node:
    """x in a dtype; `weak` where the result is a bare Python number still."""
    dtype = np.dtype(dtype)
    if x.type.dtype == dtype and x.type.weak == weak:
        return x
    if x.op is full:
        with np.errstate(all="ignore"):
            return full(literal(x).astype(dtype), dtype, x.shape, weak)
    if x.type.dtype.kind == "c" and dtype.kind != "c":
        return convert(real(x), dtype)
    params = (dtype, True) if weak else (dtype,)
    return make(convert, (x,), params, _infer_convert((x.type,), params))


def _infer_convert(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape, *params)


def _evaluate_convert(node: Node) -> Callable[..., Any]:
    dtype = node.dtype
    return lambda x: np.asarray(x).astype(dtype)[()]


def _push_convert(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    if node.dtype.kind not in "fc":
        return None
    return linear.convert(tangents[0], node.dtype)


def _draw_convert(rng: np.random.Generator, dtype: Any) -> Any:
    to = np.complex128 if np.dtype(dtype).kind == "c" else np.float64
    yield [normal(rng, dtype, 3)], (to,)


convert: Op = define(
    "convert",
    family="elementwise",
    build=_build_convert,
    infer=_infer_convert,
    evaluate=_evaluate_convert,
    pushforward=_push_convert,
    transpose=lambda node, ct, wanted: (linear.convert(ct, node.args[0].dtype),),
    batch=batch_unary(lambda node, x: convert(x, node.params[0])),
    label="{0}",
    domain=Cases(_draw_convert),
)

# ------------------------------------------------------------------------ linear arithmetic


def _simplify_add(a: Node, b: Node) -> Node | None:
    if is_literal(a, -0.0) and a.dtype.kind == "f":
        return b
    if is_literal(b, -0.0) and b.dtype.kind == "f":
        return a
    return None


add: Op = elementwise(
    np.add,
    label="{0} + {1}",
    domain=Box(((-3, 3), (-3, 3)), kinds="iufc"),
    weak=True,
    pushforward=lambda node, ts: linear.add(*ts),
    transpose=lambda node, ct, wanted: (ct, ct),
    simplify=_simplify_add,
)
subtract: Op = elementwise(
    np.subtract,
    label="{0} − {1}",
    domain=PLANE,
    weak=True,
    pushforward=lambda node, ts: linear.add(ts[0], linear.negative(ts[1])),
    transpose=lambda node, ct, wanted: (ct, linear.negative(ct) if wanted[1] else None),
)


def _simplify_negative(x: Node) -> Node | None:
    if x.op is negative:
        return x.args[0]
    if x.op is full and x.dtype.kind in "fc":
        return full(-literal(x), x.dtype, x.shape)
    return None


negative: Op = elementwise(
    np.negative,
    label="−{0}",
    domain=Box(((-3, 3),), kinds="ifc"),
    weak=True,
    pushforward=lambda node, ts: linear.negative(ts[0]),
    transpose=lambda node, ct, wanted: (linear.negative(ct),),
    simplify=_simplify_negative,
)


def _simplify_multiply(a: Node, b: Node) -> Node | None:
    if is_literal(b, 1):
        return a
    if is_literal(a, 1):
        return b
    return None


multiply: Op = elementwise(
    np.multiply,
    lambda y, a, b: b,
    lambda y, a, b: a,
    label="{0} · {1}",
    domain=PLANE,
    weak=True,
    transpose=lambda node, ct, wanted: (
        linear.scale(ct, node.args[1]) if wanted[0] else None,
        linear.scale(ct, node.args[0]) if wanted[1] else None,
    ),
    simplify=_simplify_multiply,
)


def _push_divide(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    a, b = tangents
    by = node.args[1]
    result = None if a is None else linear.divide(a, by)
    if b is not None:
        result = linear.add(result, linear.negative(linear.scale(b, divide(node, by))))
    return result


divide: Op = elementwise(
    np.divide,
    label="{0} / {1}",
    domain=Box(((-3, 3), (0.5, 3)), kinds="iufc"),
    weak=True,
    pushforward=_push_divide,
    transpose=lambda node, ct, wanted: (linear.divide(ct, node.args[1]), None),
    simplify=lambda a, b: a if is_literal(b, 1) else None,
)
positive: Op = elementwise(
    np.positive,
    lambda y, x: one(y),
    label="{0}",
    domain=Box(((-3, 3),), kinds="iufc"),
    weak=True,
    simplify=lambda x: x,
)

# ----------------------------------------------------------------------- powers and roots

square: Op = elementwise(
    np.square,
    lambda y, x: multiply(constant(2, x), x),
    label="{0}²",
    domain=Box(((-3, 3),), kinds="iufc"),
    weak=True,
)
reciprocal: Op = elementwise(
    np.reciprocal,
    lambda y, x: negative(square(y)),
    label="1/{0}",
    domain=Box(((0.5, 3),)),
)
sqrt: Op = elementwise(
    np.sqrt, lambda y, x: divide(constant(0.5, y), y), label="√{0}", domain=Box(((0.2, 4),))
)
cbrt: Op = elementwise(
    np.cbrt,
    lambda y, x: divide(constant(1 / 3, y), square(y)),
    label="∛{0}",
    domain=Box(((0.2, 4),), kinds="f"),
)


def _power_by_base(y: Node, x: Node, n: Node) -> Node:
    """n x^(n-1), and 0 where n = 0 (not 0·x^-1, which is NaN at x = 0)."""
    if n.op is full:
        if not literal(n):
            return full(0, n.dtype, n.shape)
        return multiply(n, power(x, subtract(n, one(n))))
    slope = multiply(n, power(x, subtract(n, one(n))))
    return linear.masked(not_equal(n, constant(0, n)), slope)


def _power_by_exponent(y: Node, x: Node, n: Node) -> Node:
    """x^n log x, and 0 at x = 0 where 0^n is 0 in a neighbourhood, or 1 (n >= 0)."""
    zero = constant(0, x)
    slope = multiply(y, log(x))
    if x.dtype.kind == "c":
        return linear.masked(not_equal(x, zero), slope)
    at_zero = logical_and(equal(x, zero), greater_equal(n, zero))
    return linear.masked(logical_not(at_zero), slope)


def _simplify_power(x: Node, n: Node) -> Node | None:
    if n.op is full and x.op is not full:
        if is_literal(n, 2):
            return square(x)
        if is_literal(n, 1):
            return x
    if n.op is full and is_zero(n):
        return full(1, x.dtype, x.shape, x.type.weak)
    return None


power: Op = elementwise(
    np.power,
    _power_by_base,
    _power_by_exponent,
    label="{0}^{1}",
    domain=Box(((0.2, 3), (-2, 2)), kinds="fc"),
    weak=True,
    simplify=_simplify_power,
)

# ------------------------------------------------------------------------ complex numbers


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

# -------------------------------------------------------------------- comparison and logic


def _comparison(ufunc: np.ufunc, label: str) -> Op:
    return elementwise(
        ufunc, ZERO, ZERO, label=label, domain=Box(((-3, 3), (-3, 3)), kinds="biufc")
    )


greater: Op = _comparison(np.greater, "{0} > {1}")
greater_equal: Op = _comparison(np.greater_equal, "{0} ≥ {1}")
less: Op = _comparison(np.less, "{0} < {1}")
less_equal: Op = _comparison(np.less_equal, "{0} ≤ {1}")
equal: Op = _comparison(np.equal, "{0} = {1}")
not_equal: Op = _comparison(np.not_equal, "{0} ≠ {1}")


def _is_true(node: Node) -> bool:
    return node.op is full and bool(literal(node))


def _simplify_and(a: Node, b: Node) -> Node | None:
    if a.dtype.kind != "b" or b.dtype.kind != "b":
        return None
    if a is b or _is_true(b) or is_zero(a):
        return a
    return b if _is_true(a) or is_zero(b) else None


def _simplify_or(a: Node, b: Node) -> Node | None:
    if a.dtype.kind != "b" or b.dtype.kind != "b":
        return None
    if a is b or _is_true(a) or is_zero(b):
        return a
    return b if _is_true(b) or is_zero(a) else None


LOGIC = Box(((-3, 3), (-3, 3)), kinds="biufc")
logical_and: Op = elementwise(
    np.logical_and, ZERO, ZERO, label="{0} ∧ {1}", domain=LOGIC, simplify=_simplify_and
)
logical_or: Op = elementwise(
    np.logical_or, ZERO, ZERO, label="{0} ∨ {1}", domain=LOGIC, simplify=_simplify_or
)
logical_xor: Op = elementwise(np.logical_xor, ZERO, ZERO, label="{0} ⊻ {1}", domain=LOGIC)
logical_not: Op = elementwise(
    np.logical_not,
    ZERO,
    label="¬{0}",
    domain=Box(((-3, 3),), kinds="biufc"),
    simplify=lambda x: x.args[0] if x.op is logical_not and x.args[0].dtype.kind == "b" else None,
)

# ------------------------------------------------------------------------------- select


def _build_select(mask: Node, a: Node, b: Node, fold: bool = True) -> Node:
    """where(mask, a, b). `fold=False` keeps a select whose mask is constant."""
    if mask.dtype.kind != "b":
        mask = not_equal(mask, constant(0, mask))
    shape = broadcast_shapes(mask.shape, a.shape, b.shape)
    if a.dtype != b.dtype:
        dtype = _common(a.type, b.type)
        a, b = convert(a, dtype), convert(b, dtype)
    mask, a, b = broadcast_to(mask, shape), broadcast_to(a, shape), broadcast_to(b, shape)
    if fold:
        if a is b:
            return a
        if mask.op is full:
            return a if literal(mask) else b
    return make(select, (mask, a, b), None, array_type(shape, a.dtype))


def _common(a: ArrayType, b: ArrayType) -> DType:
    """NumPy's promotion of two types, either of which may be that of a bare Python number."""
    python = {"i": 0, "f": 0.0, "c": 0j}
    if a.weak == b.weak:
        return np.promote_types(a.dtype, b.dtype)
    strong, weak = (b, a) if a.weak else (a, b)
    if weak.dtype.kind == "b":
        return strong.dtype
    return np.result_type(strong.dtype, python[weak.dtype.kind])


common_dtype = _common


def _draw_select(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, bool, 4), normal(rng, dtype, 4), normal(rng, dtype, 4)], ()
    yield [normal(rng, bool), normal(rng, dtype, 2, 1), normal(rng, dtype, 3)], ()


select: Op = define(
    "select",
    family="elementwise",
    build=_build_select,
    infer=lambda types, params: array_type(types[1].shape, types[1].dtype),
    evaluate=lambda node: np.where,
    pushforward=lambda node, ts: linear.select(node.args[0], ts[1], ts[2]),
    transpose=lambda node, ct, wanted: (
        None,
        linear.select(node.args[0], ct, None) if wanted[1] else None,
        linear.select(node.args[0], None, ct) if wanted[2] else None,
    ),
    batch=batch_elementwise,
    label="where({0}, {1}, {2})",
    domain=Cases(_draw_select, kinds="biufc"),
)

# -------------------------------------------------------------------------- extrema


def _share(ufunc_wins: Callable[[Node, Node], Node]) -> Callable[..., Node]:
    """The derivative of max(x, y) by x: 1 where x wins, ½ at a tie, 0 elsewhere."""

    def partial(y: Node, a: Node, b: Node) -> Node:
        wins = convert(ufunc_wins(a, b), y.dtype)
        return select(equal(a, b), constant(0.5, y), wins)

    return partial


EXTREMA = Box(((-3, 3), (-3, 3)), kinds="iuf", smooth=False)
maximum: Op = elementwise(
    np.maximum,
    _share(lambda a, b: greater(a, b)),
    _share(lambda a, b: less(a, b)),
    label="max({0}, {1})",
    domain=EXTREMA,
)
minimum: Op = elementwise(
    np.minimum,
    _share(lambda a, b: less(a, b)),
    _share(lambda a, b: greater(a, b)),
    label="min({0}, {1})",
    domain=EXTREMA,
)


def _is_nan(x: Node) -> Node:
    return not_equal(x, x)


fmax: Op = elementwise(
    np.fmax,
    _share(lambda a, b: logical_or(greater(a, b), _is_nan(b))),
    _share(lambda a, b: logical_or(less(a, b), _is_nan(a))),
    label="fmax({0}, {1})",
    domain=EXTREMA,
)
fmin: Op = elementwise(
    np.fmin,
    _share(lambda a, b: logical_or(less(a, b), _is_nan(b))),
    _share(lambda a, b: logical_or(greater(a, b), _is_nan(a))),
    label="fmin({0}, {1})",
    domain=EXTREMA,
)

# ------------------------------------------------------------------ rounding and remainder


def _step(ufunc: np.ufunc, label: str, kinds: str = "f") -> Op:
    return elementwise(ufunc, ZERO, label=label, domain=Box(((-3, 3),), kinds=kinds, smooth=False))


rint: Op = _step(np.rint, "round {0}")
floor: Op = _step(np.floor, "⌊{0}⌋", "if")
ceil: Op = _step(np.ceil, "⌈{0}⌉", "if")
trunc: Op = _step(np.trunc, "trunc {0}", "if")
isnan: Op = _step(np.isnan, "isnan {0}", "ifc")
isinf: Op = _step(np.isinf, "isinf {0}", "ifc")
isfinite: Op = _step(np.isfinite, "isfinite {0}", "ifc")
signbit: Op = _step(np.signbit, "signbit {0}")
spacing: Op = _step(np.spacing, "ulp {0}")

MODULO = Box(((-3, 3), (0.7, 2)), kinds="iuf", smooth=False)
floor_divide: Op = elementwise(
    np.floor_divide, ZERO, ZERO, label="⌊{0} / {1}⌋", domain=MODULO, weak=True
)
remainder: Op = elementwise(
    np.remainder,
    lambda y, a, b: one(y),
    lambda y, a, b: negative(floor_divide(a, b)),
    label="{0} mod {1}",
    domain=MODULO,
    weak=True,
)
fmod: Op = elementwise(
    np.fmod,
    lambda y, a, b: one(y),
    lambda y, a, b: negative(trunc(divide(a, b))),
    label="fmod({0}, {1})",
    domain=MODULO,
)
nextafter: Op = elementwise(
    np.nextafter,
    lambda y, a, b: one(y),
    ZERO,
    label="nextafter({0}, {1})",
    domain=Box(((-3, 3), (-3, 3)), kinds="f"),
)
heaviside: Op = elementwise(
    np.heaviside,
    ZERO,
    lambda y, x, h: convert(equal(x, constant(0, x)), y.dtype),
    label="H({0})",
    domain=Box(((-3, 3), (0, 1)), kinds="f", smooth=False),
)

# ------------------------------------------------------------------------- integers, bits


def _bits(ufunc: np.ufunc, label: str, arity: int = 2, kinds: str = "biu") -> Op:
    zero = (ZERO,) * arity
    return elementwise(
        ufunc, *zero, label=label, domain=Box(((0, 5),) * arity, kinds=kinds, smooth=False)
    )


bitwise_and: Op = _bits(np.bitwise_and, "{0} & {1}")
bitwise_or: Op = _bits(np.bitwise_or, "{0} | {1}")
bitwise_xor: Op = _bits(np.bitwise_xor, "{0} ^ {1}")
invert: Op = _bits(np.invert, "~{0}", 1)
left_shift: Op = _bits(np.left_shift, "{0} << {1}", kinds="iu")
right_shift: Op = _bits(np.right_shift, "{0} >> {1}", kinds="iu")
gcd: Op = _bits(np.gcd, "gcd({0}, {1})", kinds="iu")
lcm: Op = _bits(np.lcm, "lcm({0}, {1})", kinds="iu")


def _draw_exponent(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4)], ()


def _evaluate_exponent(node: Node) -> Callable[..., Any]:
    return lambda x: np.frexp(x)[1]


frexp_exponent: Op = opaque(
    "frexp_exponent",
    build=lambda x: make(frexp_exponent, (x,), None, array_type(x.shape, np.dtype(np.int32))),
    infer=lambda types, params: array_type(types[0].shape, np.dtype(np.int32)),
    evaluate=_evaluate_exponent,
    batch=batch_elementwise,
    label="exponent {0}",
    domain=Cases(_draw_exponent, kinds="f"),
)

# -------------------------------------------------------------------------------- log


log: Op = elementwise(
    np.log,
    lambda y, x: divide(one(x), x),
    label="log {0}",
    domain=Box(((0.2, 4),)),
)
