"""Special functions with several results: Airy's, Jacobi's, and pairs of integrals.

DLMF 9.2 (Airy), 10.61 (Kelvin), 6.2 and 7.2 (sine, cosine and Fresnel integrals), 22.13 (Jacobi).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import NotDifferentiable
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find
from wengert.graph.types import TupleType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import negative
from wengert.ops.domain import Cases
from wengert.ops.elementary import cos, cosh, sin
from wengert.ops.families import NOT_LINEAR, broadcast_shapes, define, fit
from wengert.ops.powers import sqrt, square
from wengert.ops.special.algebra import minus, over, plus, real_constant, times
from wengert.ops.special.bessel import i0, j0, k0, spherical_in, spherical_jn, y0
from wengert.ops.special.elliptic import ellipkinc_by_m
from wengert.ops.special.ufunc import RECORDS, SCIPY, Named

Slopes = Callable[..., Sequence[Sequence[Node | None]]]
"""(results, *inputs) -> for each input the derivatives of the results by it."""


def item(node: Node, k: int) -> Node:
    """One of the results."""
    return find("item")(node, k)


def _several(
    name: str, results: int, slopes: Slopes, *, low: float, high: float, kinds: str, arity: int = 1
) -> Op:
    """The record of a ufunc of several results."""
    ufunc = Named(name, results)

    def build(*args: Node) -> Node:
        asked = [arg.dtype for arg in args]
        dtypes = ufunc.resolve_dtypes((*asked, *[None] * results))[: len(args)]
        shape = broadcast_shapes(*[arg.shape for arg in args])
        fitted = tuple(fit(arg, d, shape) for arg, d in zip(args, dtypes, strict=True))
        return make(op, fitted, None, infer(tuple(arg.type for arg in fitted), None))

    def infer(types: tuple[Any, ...], params: Any) -> TupleType:
        asked = [kind.dtype for kind in types]
        dtypes = ufunc.resolve_dtypes((*asked, *[None] * results))[len(types) :]
        return TupleType(tuple(array_type(types[0].shape, dtype) for dtype in dtypes))

    def pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
        rows = slopes([item(node, k) for k in range(results)], *node.args)
        total: list[Tangent] = [None] * results
        for tangent, row in zip(tangents, rows, strict=True):
            for k, slope in enumerate(row):
                if tangent is not None and slope is not None:
                    own = linear.convert(tangent, slope.dtype)
                    total[k] = linear.add(total[k], linear.scale(own, slope))
        return tuple(total)

    def batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
        shape = (size, *node.args[0].shape)
        return build(*[find("broadcast_to")(arg, shape) for arg in args])

    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        arrays = [rng.uniform(low, high, 3) for _ in range(arity)]
        if np.dtype(dtype).kind == "c":
            arrays = [a + 1j * rng.uniform(-0.5, 0.5, 3) for a in arrays]
        yield [a.astype(dtype) for a in arrays], ()

    op = define(
        name,
        family="several",
        build=build,
        infer=infer,
        evaluate=lambda node: ufunc,
        pushforward=pushforward,
        transpose=NOT_LINEAR,
        batch=batch,
        native=SCIPY,
        sparsity=sparsity.several,
        label=f"{name}({{0}})",
        domain=Cases(draw, kinds),
    )
    RECORDS[name] = op
    return op


def _zero(x: Node) -> Node:
    return real_constant(0, x)


# --------------------------------------------------------------------------------------- Airy

# Ai″ = z Ai, Bi″ = z Bi
airy = _several(
    "airy",
    4,
    lambda y, z: [(y[1], times(z, y[0]), y[3], times(z, y[2]))],
    low=-2,
    high=2,
    kinds="fc",
)


def _scaled_airy(y: Sequence[Node], z: Node) -> Any:
    """Ai e^ζ and Bi e^(−|Re ζ|) with ζ = ⅔ z^(3/2), for real z > 0: ζ′ = √z."""
    if z.dtype.kind == "c":
        raise NotDifferentiable(
            "airye of a complex argument is not holomorphic, as Bi is scaled by |Re ζ|; use airy"
        )
    root = sqrt(z)
    return [
        (
            plus(y[1], times(root, y[0])),
            plus(times(z, y[0]), times(root, y[1])),
            minus(y[3], times(root, y[2])),
            minus(times(z, y[2]), times(root, y[3])),
        )
    ]


airye = _several("airye", 4, _scaled_airy, low=0.3, high=2, kinds="f")
# ------------------------------------------------------------------------------ Bessel, Kelvin

# w = ber + i bei solves x w″ + w′ = i x w
kelvin = _several(
    "kelvin",
    4,
    lambda y, x: [
        (
            y[2],
            y[3],
            minus(times(1j, y[0]), over(y[2], x)),
            minus(times(1j, y[1]), over(y[3], x)),
        )
    ],
    low=0.5,
    high=2,
    kinds="f",
)
itj0y0 = _several("itj0y0", 2, lambda y, x: [(j0(x), y0(x))], low=0.5, high=3, kinds="f")
iti0k0 = _several("iti0k0", 2, lambda y, x: [(i0(x), k0(x))], low=0.5, high=3, kinds="f")
it2j0y0 = _several(
    "it2j0y0",
    2,
    lambda y, x: [(over(minus(1, j0(x)), x), negative(over(y0(x), x)))],
    low=0.5,
    high=3,
    kinds="f",
)
it2i0k0 = _several(
    "it2i0k0",
    2,
    lambda y, x: [(over(minus(i0(x), 1), x), negative(over(k0(x), x)))],
    low=0.5,
    high=3,
    kinds="f",
)

# ----------------------------------------------------------------- sine and cosine integrals

# sin x/x = j₀(x) and sinh x/x = i₀(x), which have no 0/0
sici = _several(
    "sici",
    2,
    lambda y, x: [(spherical_jn(_zero(x), x), over(cos(x), x))],
    low=0.5,
    high=3,
    kinds="fc",
)
shichi = _several(
    "shichi",
    2,
    lambda y, x: [(spherical_in(_zero(x), x), over(cosh(x), x))],
    low=0.5,
    high=3,
    kinds="fc",
)


def _fresnel_angle(x: Node) -> Node:
    return times(0.5 * math.pi, square(x))


fresnel = _several(
    "fresnel",
    2,
    lambda y, x: [(sin(_fresnel_angle(x)), cos(_fresnel_angle(x)))],
    low=-1.5,
    high=1.5,
    kinds="fc",
)


# ------------------------------------------------------------------------------------- Jacobi


def _jacobi(y: Sequence[Node], u: Node, m: Node) -> Any:
    """By u: DLMF 22.13.1-3. By m: F(φ, m) = u makes φ′ = −dn ∂F/∂m; sn = sin φ, cn = cos φ, and
    2 dn dn′ = −(m sn²)′."""
    sn, cn, dn, angle = y
    by_u = (times(cn, dn), negative(times(sn, dn)), negative(times(m, sn, cn)), dn)
    turn = negative(times(dn, ellipkinc_by_m(angle, m)))
    of_dn = plus(times(0.5, square(sn)), times(m, sn, cn, turn))
    by_m = (times(cn, turn), negative(times(sn, turn)), negative(over(of_dn, dn)), turn)
    return [by_u, by_m]


ellipj = _several("ellipj", 4, _jacobi, low=0.2, high=0.8, kinds="f", arity=2)
