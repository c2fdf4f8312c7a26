"""Orthogonal polynomials: the derivative of one is a multiple of another, one degree lower.

DLMF 18.9.15-28 (18.9(iii)). The degree and the parameters are constants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops.complex import part_dtype
from wengert.ops.domain import Cases
from wengert.ops.logic import equal
from wengert.ops.selection import select
from wengert.ops.special.algebra import minus, plus, times
from wengert.ops.special.ufunc import special

DEGREE = absent("the degree of an orthogonal polynomial must be constant, an integer or its array")
PARAMETER = absent("the parameters of an orthogonal polynomial must be constant")


def _draw(parameters: int, kinds: str = "fc") -> Cases:
    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        x = rng.uniform(0.1, 0.9, 4)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * rng.uniform(-0.5, 0.5, 4)
        constants = [np.array([2, 3, 2, 4], np.int8) for _ in range(parameters)]
        yield [np.array([0, 1, 2, 5], np.int8), *constants, x.astype(dtype)], ()

    return Cases(draw, kinds)


def _number(value: float, x: Node) -> Node:
    return full(value, part_dtype(x.dtype), x.shape)


def _polynomial(
    name: str, slope: Callable[..., Node], label: str, parameters: int = 0, kinds: str = "fc"
) -> Op:
    """slope: (degree, one less, *parameters, x) -> the derivative, for degrees above 0."""

    def partial(y: Node, n: Node, *others: Node) -> Node:
        found = slope(n, minus(n, 1), *others)
        return select(equal(n, constant(0, n)), constant(0, found), found)

    return special(
        name,
        DEGREE,
        *[PARAMETER] * parameters,
        partial,
        label=label,
        domain=_draw(parameters, kinds),
    )


gegenbauer: Op = _polynomial(
    "eval_gegenbauer",
    lambda n, m, a, x: times(2, a, gegenbauer(m, plus(a, 1), x)),
    "C_{0}^{1}({2})",
    1,
)
jacobi: Op = _polynomial(
    "eval_jacobi",
    lambda n, m, a, b, x: times(0.5, plus(a, b, n, 1), jacobi(m, plus(a, 1), plus(b, 1), x)),
    "P_{0}^({1},{2})({3})",
    2,
)
sh_jacobi: Op = _polynomial(
    "eval_sh_jacobi",
    lambda n, m, p, q, x: times(n, sh_jacobi(m, plus(p, 2), plus(q, 1), x)),
    "G_{0}^({1},{2})({3})",
    2,
)
genlaguerre: Op = _polynomial(
    "eval_genlaguerre",
    lambda n, m, a, x: times(-1.0, genlaguerre(m, plus(a, 1), x)),
    "L_{0}^{1}({2})",
    1,
)
laguerre: Op = _polynomial(
    "eval_laguerre",
    lambda n, m, x: times(-1.0, genlaguerre(m, _number(1, x), x)),
    "L_{0}({1})",
)
legendre: Op = _polynomial(
    "eval_legendre", lambda n, m, x: gegenbauer(m, _number(1.5, x), x), "P_{0}({1})"
)
chebyu: Op = _polynomial(
    "eval_chebyu", lambda n, m, x: times(2.0, gegenbauer(m, _number(2, x), x)), "U_{0}({1})"
)
chebyt: Op = _polynomial("eval_chebyt", lambda n, m, x: times(n, chebyu(m, x)), "T_{0}({1})")
chebys: Op = _polynomial(
    "eval_chebys", lambda n, m, x: gegenbauer(m, _number(2, x), times(0.5, x)), "S_{0}({1})"
)
chebyc: Op = _polynomial("eval_chebyc", lambda n, m, x: times(n, chebys(m, x)), "C_{0}({1})")
sh_legendre: Op = _polynomial(
    "eval_sh_legendre",
    lambda n, m, x: times(2.0, gegenbauer(m, _number(1.5, x), minus(times(2, x), 1))),
    "P*_{0}({1})",
)
sh_chebyu: Op = _polynomial(
    "eval_sh_chebyu",
    lambda n, m, x: times(4.0, gegenbauer(m, _number(2, x), minus(times(2, x), 1))),
    "U*_{0}({1})",
)
sh_chebyt: Op = _polynomial(
    "eval_sh_chebyt", lambda n, m, x: times(2.0, n, sh_chebyu(m, x)), "T*_{0}({1})"
)
hermite: Op = _polynomial(
    "eval_hermite", lambda n, m, x: times(2, n, hermite(m, x)), "H_{0}({1})", kinds="f"
)
hermitenorm: Op = _polynomial(
    "eval_hermitenorm", lambda n, m, x: times(n, hermitenorm(m, x)), "He_{0}({1})", kinds="f"
)
