"""Rounding, remainders, tests of floating values, and integer and bit operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op
from wengert.graph.types import array_type
from wengert.ops.arithmetic import convert, divide, negative, one
from wengert.ops.domain import Box, Cases, normal
from wengert.ops.families import (
    batch_elementwise,
    elementwise,
    opaque,
)
from wengert.ops.logic import equal
from wengert.ops.native import Pointwise


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
    native=Pointwise(lambda ins, out, x: ins[0].frexp_exponent(x, out)),
    label="exponent {0}",
    domain=Cases(_draw_exponent, kinds="f"),
)
