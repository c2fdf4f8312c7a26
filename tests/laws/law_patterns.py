"""An example for each pattern of the simplifier: a graph that it matches.

EXACT graphs are evaluated at special values and must keep their bits. SUMS are evaluated at small
integers, whose sums and products are the same in any order.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node, deriving, make
from wengert.graph.registry import find
from wengert.graph.types import BOOL, COMPLEX, FLOAT, INT, array_type

SPECIAL = [0.0, -0.0, 1.0, -1.5, 3.0, 5e-324, -1e-308, 1.7e308, -9e307, np.inf, -np.inf, np.nan]
_GRID = np.array(list(product(SPECIAL, repeat=3))).T
SIZE = _GRID.shape[1]
_integers = np.random.default_rng(3)


def _whole(*shape: int) -> Any:
    return _integers.integers(-3, 4, shape).astype(float)


VALUES: dict[str, Any] = {
    "x": _GRID[0],
    "y": _GRID[1],
    "z": _GRID[2],
    "f": np.resize(np.array(SPECIAL[:6] + SPECIAL[-3:], np.float32), SIZE),
    "m": _GRID[0] > 0,
    "n": _GRID[1] < 1,
    "k": np.arange(SIZE) % 7 - 3,
    "w": np.ascontiguousarray(_GRID[:2].T).view(complex)[:, 0],
    "s": np.asarray(-0.0),
    "t": np.asarray(np.nan),
    "a": np.resize(SPECIAL, (3, 4)),
    "b": np.resize(SPECIAL[::-1], (3, 4)),
    "r": np.resize(SPECIAL[5:], 4),
    "A": _whole(3, 4),
    "B": _whole(4, 5),
    "C": _whole(2, 3, 4),
    "D": _whole(3, 4),
    "U": _whole(4),
    "V": _whole(3),
    "M": _whole(3) > 0,
    "S": np.array([[[2.0, -1.0], [4.0, 3.0]], [[1.0, 5.0], [0.5, -8.0]], [[0.0, 2.0], [0.0, 1.0]]]),
    "T": np.array([[2.0, -1.0, 3.0], [0.5, 4.0, 1.0], [-2.0, 5.0, 7.0]]),
    "P": np.array([[[4.0, 2.0], [2.0, 5.0]], [[9.0, -3.0], [-3.0, 2.0]]]),
    "L": np.array([[[2.0, 0.0], [1.0, 2.0]], [[3.0, 0.0], [-1.0, 1.0]]]),
    "W": np.array([[2.0, -1.0], [0.5, 4.0]]),
    "E": np.zeros((0, 4)),
    "q": np.asarray(2.5),
    "i": np.asarray(2),
    "j": np.array([2, 2]),
    "l": np.array([[0], [2]]),
}
NODES: dict[str, Node] = {
    name: find("input")(
        ("simplify", name), array_type(np.shape(value), np.asarray(value).dtype, name == "q")
    )
    for name, value in VALUES.items()
}


class Ops:
    """Ops and inputs as attributes: `o.add(o.x, 2.0)`; numbers are literals of that shape."""

    def __getattr__(self, name: str) -> Any:
        return NODES[name] if name in NODES else self(name)

    def __call__(self, name: str) -> Any:
        build = find(name).build

        def apply(*args: Any, **keywords: Any) -> Node:
            like = next((arg for arg in args if isinstance(arg, Node)), None)
            return build(  # type: ignore[no-any-return]
                *[full(a, FLOAT, like.shape) if type(a) is float else a for a in args], **keywords
            )

        return apply


o = Ops()
TRUE, FALSE = full(True, BOOL, (SIZE,)), full(False, BOOL, (SIZE,))
ROW, COLUMN = (1, 4), (3, 1)
COMPARISONS = ("equal", "not_equal", "greater", "less", "greater_equal", "less_equal")


def _bare_select(mask: Node, a: Node, b: Node) -> Node:
    return find("select").build(mask, a, b, fold=False)  # type: ignore[no-any-return]


def _rows(x: Node, *entries: Any) -> Node:
    return o.index(x, entries)  # type: ignore[no-any-return]


def _all(extent: int) -> tuple[int, int, int]:
    return (0, extent, 1)


def _bool(x: Node) -> Node:
    return o.greater(x, full(0.5, FLOAT, x.shape))  # type: ignore[no-any-return]


def _seeded() -> list[Node]:
    """Derivatives with the unit vectors as seeds, on either side."""
    with deriving():
        rows = o.broadcast_to(o.reshape(o.iota(4), (4, 1)), (4, 4))
        unit = o.equal(rows, o.broadcast_to(o.iota(4), (4, 4)))
        zero = full(0.0, FLOAT, (4, 4))
        weights = o.index(o.A, (0, (0, 4, 1)))
        column = o.reshape(weights, (4, 1))
        diagonals = [
            o.select(unit, value, zero)
            for value in (
                full(1.0, FLOAT, (4, 4)),
                full(2.0, FLOAT, (4, 4)),
                o.broadcast_to(weights, (4, 4)),
                o.broadcast_to(column, (4, 4)),
            )
        ]
        return [
            contracted
            for seeds in diagonals
            for contracted in (
                o.contract(o.A, seeds, ((1,), (1,))),
                o.contract(seeds, o.A, ((0,), (1,))),
                o.contract(seeds, weights, ((1,), (0,))),
            )
        ]


def _repeated_views() -> list[tuple[Node, tuple[int, ...]]]:
    """Values under movement ops, and axes to reduce."""
    return [
        (o.broadcast_to(o.r, (3, 4)), (0,)),
        (o.broadcast_to(o.r, (3, 4)), (0, 1)),
        (o.reshape(o.a, (3, 1, 4)), (1, 2)),
        (o.reshape(o.a, (3, 1, 4)), (0,)),
        (o.reshape(o.a, (12,)), (0,)),
        (o.transpose(o.a, (1, 0)), (0,)),
        (o.transpose(o.C, (2, 0, 1)), (1,)),
    ]


EXACT: list[Node] = [
    # literals, and what holds for every elementwise op
    make(find("sin"), (full(0.5, FLOAT, (3,)),), None, array_type((3,), FLOAT)),
    o.power(full(2, INT, (3,)), full(2, INT, (3,))),
    o.exp(o.broadcast_to(o.r, (3, 4))),
    o.square(o.absolute(o.w)),  # not z², where z is complex
    o.multiply(
        o.broadcast_to(o.r, (3, 4)),
        o.broadcast_to(o.reshape(_rows(o.a, _all(3), 1), COLUMN), (3, 4)),
    ),
    o.hypot(o.broadcast_to(o.s, (3, 4)), 2.0),
    o.add(o.transpose(o.a, (1, 0)), o.transpose(o.b, (1, 0))),
    o.divide(o.reshape(o.a, (12,)), 3.0),
    o.add(o.reshape(o.r, (4, 1)), o.reshape(_rows(o.a, 0, _all(4)), (4, 1))),
    o.add(o.reshape(o.r, ROW), _rows(o.a, (1, 1, 1), _all(4))),
    o.add(o.x, full(2.0, FLOAT, (), True)),
    o.iota(1),
    # conversions, parts, names
    o.convert(o.q, FLOAT),
    o.convert(o.convert(o.f, FLOAT), COMPLEX),
    o.convert(o.convert(o.m, INT), FLOAT),
    o.real(o.join(o.x, o.y)),
    o.imag(o.join(o.x, o.y)),
    o.real(o.convert(o.x, COMPLEX)),
    o.imag(o.convert(o.x, COMPLEX)),
    o.real(o.conjugate(o.w)),
    o.join(o.real(o.w), o.imag(o.w)),
    make(find("conjugate"), (o.conjugate(o.w),), None, o.w.type),
    o.stop_gradient(o.alias(o.x, 0)),
    o.item(o.custom(o.exp(o.x), o.y, o.x, o.y, rule=None, count=2), 1),
    o.item(o.pulled(o.exp(o.x), o.y, o.x, rule=None, types=(o.x.type,), forward=True), 0),
    # arithmetic
    o.add(o.x, o.negative(o.y)),
    o.add(o.negative(o.x), o.y),
    o.add(o.a, o.broadcast_to(o.negative(o.r), (3, 4))),
    o.add(o.x, o.multiply(o.y, -3.0)),
    o.add(o.x, o.x),
    o.add(o.k, full(0, INT, (SIZE,))),
    o.add(o.select(o.m, o.x, 0.0), o.select(o.m, full(0, FLOAT, (SIZE,)), o.y)),
    o.add(o.y, o.x),
    o.subtract(o.x, 0.0),
    o.subtract(o.x, o.negative(o.y)),
    o.subtract(o.x, o.multiply(o.y, -0.7)),
    o.multiply(o.x, -1.0),
    o.multiply(o.negative(o.x), o.y),
    o.multiply(o.x, o.negative(o.y)),
    o.multiply(o.a, o.reshape(o.negative(o.reshape(o.b, (12,))), (3, 4))),
    o.multiply(o.x, o.x),
    o.multiply(o.multiply(o.x, 4.0), -2.0),
    o.multiply(o.multiply(o.x, 2.0**600), 2.0**600),
    o.multiply(o.multiply(o.x, 0.5), 2.0),
    o.multiply(o.multiply(o.x, 2.0), 0.5),
    o.multiply(o.y, o.x),
    o.divide(o.x, 8.0),
    o.divide(o.x, 2.0**1023),
    o.divide(o.negative(o.x), o.y),
    o.divide(o.x, o.negative(o.y)),
    o.negative(o.multiply(o.x, 3.0)),
    o.negative(o.divide(o.x, 3.0)),
    o.negative(o.divide(full(3.0, FLOAT, (SIZE,)), o.x)),
    o.square(o.negative(o.x)),
    o.square(o.absolute(o.x)),
    o.absolute(o.negative(o.x)),
    o.absolute(o.square(o.x)),
    *[o(name)(o.x, o.x) for name in ("maximum", "minimum", "fmax", "fmin")],
    *[o(name)(a, b) for name in COMPARISONS for a, b in ((o.y, o.x), (o.k, o.k), (o.x, o.x))],
    # masks
    _bare_select(TRUE, o.x, o.y),
    _bare_select(o.m, o.x, o.x),
    o.select(o.logical_not(o.m), o.x, o.y),
    o.select(o.m, o.select(o.m, o.x, o.y), o.z),
    o.select(o.m, o.z, o.select(o.m, o.x, o.y)),
    o.select(o.m, TRUE, FALSE),
    o.select(o.m, FALSE, TRUE),
    o.logical_and(o.m, o.logical_not(o.m)),
    o.logical_or(o.logical_not(o.m), o.m),
    o.logical_and(o.m, o.logical_or(o.m, o.n)),
    o.logical_and(o.m, o.logical_and(o.m, o.n)),
    o.logical_or(o.m, o.logical_and(o.x, o.m)),
    o.logical_and(o.y, o.x),
    o.logical_or(o.n, o.m),
    o.logical_xor(o.n, o.m),
    # broadcast_to, reshape, transpose
    o.broadcast_to(o.reshape(o.r, (1, 1, 4)), (2, 3, 4)),
    o.broadcast_to(o.r, ROW),
    o.reshape(o.broadcast_to(o.reshape(o.s, (1,)), (12,)), (3, 4)),
    o.reshape(o.broadcast_to(o.r, (3, 4)), (3, 1, 4, 1)),
    o.reshape(o.broadcast_to(o.reshape(o.r, (4, 1)), (1, 4, 3)), (4, 3)),
    o.transpose(o.reshape(o.r, (4, 1)), (1, 0)),
    o.transpose(o.broadcast_to(o.r, (3, 4)), (1, 0)),
    o.transpose(o.broadcast_to(o.reshape(o.r, (4, 1)), (2, 4, 3)), (2, 0, 1)),
    o.transpose(o.reshape(o.a, (3, 1, 4)), (1, 2, 0)),
    # index
    _rows(_rows(o.a, (2, 3, -1), 1), (0, 2, 2)),
    _rows(_rows(o.a, 1, (1, 3, 1)), 2),
    _rows(_rows(o.a, (0, 2, 2), (3, 2, -3)), (1, 1, 1), (1, 2, -1)),
    _rows(o.reshape(o.r, (4, 1)), _all(4), 0),
    _rows(o.broadcast_to(o.r, (3, 4)), 1, (1, 2, 2)),
    _rows(o.broadcast_to(o.reshape(o.r, (4, 1)), (4, 3)), (3, 2, -1), (0, 2, 1)),
    _rows(o.broadcast_to(o.reshape(o.r, (4, 1)), (4, 3)), (3, 2, -1), (0, 0, 1)),
    _rows(o.transpose(o.a, (1, 0)), (1, 2, 2), (0, 2, 1)),
    _rows(o.transpose(o.a, (1, 0)), 2, (0, 2, 1)),
    _rows(o.reshape(o.a, (3, 1, 4)), (0, 2, 1), 0, 3),
    _rows(o.concatenate(o.a, o.b, axis=0), (3, 3, 1), 1),
    _rows(o.concatenate(o.a, o.b, axis=0), (5, 3, -1), 1),
    _rows(o.concatenate(o.a, o.b, axis=0), 2, _all(4)),
    _rows(o.concatenate(o.a, o.b, axis=0), (1, 3, 1), 2),
    _rows(o.embed(o.a, ((4, 3, -2), (1, 4, 1)), (6, 6)), (2, 2, 2), 3),
    _rows(o.embed(o.a, ((0, 3, 2), (1, 4, 1)), (6, 6)), (1, 2, 2), 3),
    _rows(o.embed(o.a, ((0, 3, 2), (1, 4, 1)), (6, 6)), (0, 3, 1), 3),
    _rows(o.embed(o.a, ((0, 3, 2), (1, 4, 1)), (6, 6)), (0, 2, 2), (0, 2, 1)),
    _rows(o.put(o.a, o.r, (1, _all(4))), 1, (0, 2, 1)),
    _rows(o.put(o.a, o.r, (1, _all(4))), 2, (0, 2, 1)),
    _rows(o.put(o.a, o.r, (1, _all(4))), (0, 2, 1), 1),
    _rows(o.put(full(1, INT, (3,)), o.q, (1,)), 1),
    # embed, put, concatenate
    o.embed(full(0.0, FLOAT, (2,)), ((1, 2, 1),), (5,)),
    o.embed(full(-0.0, FLOAT, (2,)), ((1, 2, 1),), (5,)),
    o.embed(o.embed(o.r, (1, _all(4)), (3, 4)), ((1, 3, 1), (0, 4, 2)), (5, 8)),
    o.put(o.put(o.a, o.r, (1, _all(4))), _rows(o.b, 0, _all(4)), (1, _all(4))),
    o.put(o.a, _rows(o.a, 1, _all(4)), (1, _all(4))),
    o.put(full(0.0, FLOAT, (3, 4)), o.r, (1, _all(4))),
    o.put(full(0, INT, (3,)), o.q, (1,)),
    o.concatenate(o.concatenate(o.a, o.b, axis=0), o.E, o.a, axis=0),
    o.concatenate(_rows(o.r, (0, 2, 1)), _rows(o.r, (2, 2, 1)), axis=0),
    o.concatenate(_rows(o.r, (0, 2, 1)), _rows(o.r, (0, 2, 1)), axis=0),
    o.concatenate(_rows(o.a, (2, 2, -1), 1), _rows(o.a, (0, 1, 1), 1), axis=0),
    o.concatenate(full(-0.0, FLOAT, (2,)), full(-0.0, FLOAT, (3,)), o.r, axis=0),
    o.concatenate(full(-0.0, FLOAT, (2,)), full(0.0, FLOAT, (3,)), axis=0),
    # extrema and logical reductions
    *[o(name)(x, axes) for name in ("max", "min") for x, axes in _repeated_views()],
    *[o(name)(_bool(x), axes) for name in ("any", "all") for x, axes in _repeated_views()],
    *[o(name)(x, axes) for name in ("any", "all") for x, axes in _repeated_views()],
    *[o(name)(o(name)(o.C, (0,)), (1,)) for name in ("max", "min", "any", "all")],
    # matrices
    *(find("triangle")(o.a, True, diagonal) for diagonal in (1.0, 0.5, 0.0)),
    *(find("triangle")(o.a, False, diagonal) for diagonal in (1.0, 0.5, 0.0)),
    o.det(o.S),
    o.item(o.slogdet(o.S), 0),
    o.item(o.slogdet(o.S), 1),
    # writes at computed places, the last of which counts
    o.scatter_put(o.a, o.i, o.r),
    o.scatter_put(o.a, o.j, _rows(o.b, (0, 2, 1), _all(4))),
    o.scatter_put(o.a, o.l, o.reshape(_rows(o.b, (0, 2, 1), _all(4)), (2, 1, 4))),
    o.scatter_put(o.V, o.j, _rows(o.r, (0, 2, 1))),
    o.winners(o.i, 3),
    o.winners(o.j, 3),
    o.winners(o.l, 3),
]

INVERSE: Node = o.power(o.x, -1.0)

MATRICES: list[Node] = [
    o.cofactors(o.reshape(o.q, (1, 1))),
    o.cofactors(o.S),
    o.cofactors(o.T),
    o.cofactors(o.reshape(o.T, (1, 3, 3))),
    o.cholesky_diagonal(o.P),
    o.congruent_diagonal(o.L, o.index(o.S, ((0, 2, 1), (0, 2, 1), (0, 2, 1)))),
    o.congruent_sum(o.L, o.W),
]
"""What is computed in another way from other intermediate results."""

TURNED = o.reshape(o.V, COLUMN)
WIDE_U, WIDE_V = o.broadcast_to(o.U, (3, 4)), o.broadcast_to(TURNED, (3, 4))
MASK = o.broadcast_to(o.reshape(o.M, COLUMN), (3, 4))
NONE = full(0.0, FLOAT, (3, 4))
MATRIX = (((1,), (0,)), ((), ()))

SUMS: list[Node] = [
    *_seeded(),
    o.sum(o.E, (0,)),
    o.sum(o.reshape(o.A, (3, 1, 4)), (1, 2)),
    o.sum(o.reshape(o.A, (3, 1, 4)), (0,)),
    o.sum(o.reshape(o.A, (2, 6)), (0, 1)),
    o.sum(o.sum(o.C, (1,)), (0,)),
    o.sum(o.transpose(o.C, (2, 0, 1)), (1,)),
    o.sum(o.negative(o.A), (1,)),
    o.sum(WIDE_U, (0,)),
    o.sum(WIDE_U, (0, 1)),
    o.sum(full(3, INT, (3, 4)), (1,)),
    o.sum(full(3, np.dtype(np.int8), (3, 200)), (1,)),
    o.sum(o.multiply(o.A, 3.0), (0, 1)),
    o.sum(o.divide(o.A, 2.0), (0, 1)),
    o.sum(o.multiply(o.multiply(o.A, 3.0), o.D), (0,)),
    o.sum(o.multiply(o.D, o.divide(o.A, 4.0)), (0,)),
    o.sum(o.multiply(o.A, WIDE_U), (0,)),
    o.sum(o.multiply(o.A, WIDE_U), (0, 1)),
    o.sum(o.multiply(WIDE_V, o.A), (0, 1)),
    o.sum(o.divide(o.A, o.exp2(WIDE_V)), (1,)),
    o.sum(o.select(MASK, o.A, NONE), (0, 1)),
    o.sum(o.select(MASK, NONE, o.A), (1,)),
    o.sum(o.select(o.less(o.A, o.D), o.negative(o.D), NONE), (1,)),
    o.sum(o.select(o.less(o.A, o.D), o.multiply(o.D, 3.0), NONE), (1,)),
    o.sum(o.embed(o.A, ((1, 3, 2), (0, 4, 1)), (6, 5)), (0,)),
    o.sum(o.embed(o.U, (1, (1, 4, 1)), (6, 6)), (0,)),
    o.sum(o.embed(o.U, (1, (1, 4, 1)), (6, 6)), (0, 1)),
    o.sum(o.add(o.multiply(o.A, WIDE_U), o.multiply(o.square(o.A), WIDE_U)), (0,)),
    o.sum(o.subtract(o.contract(o.A, o.B, ((1,), (0,))), o.contract(o.D, o.B, ((1,), (0,)))), (0,)),
    o.sum(o.contract(o.A, o.B, ((1,), (0,))), (0,)),
    o.sum(o.contract(o.A, o.B, ((1,), (0,))), (1,)),
    o.sum(o.contract(o.C, o.A, ((2,), (1,)), ((1,), (0,))), (0,)),
    o.sum(o.contract(o.C, o.A, ((), ()), ((1, 2), (0, 1))), (0, 2)),
    # contract
    o.contract(o.reshape(o.A, (3, 1, 4)), o.B, ((2,), (0,))),
    o.contract(o.reshape(o.U, ROW), o.reshape(o.V, (1, 3)), ((0,), (0,))),
    o.contract(o.transpose(o.A, (1, 0)), o.B, ((0,), (0,))),
    o.contract(o.transpose(o.C, (2, 1, 0)), o.B, ((0,), (0,))),
    o.contract(o.B, o.transpose(o.C, (1, 2, 0)), ((0,), (1,))),
    o.contract(o.transpose(o.C, (2, 1, 0)), o.transpose(o.A, (1, 0)), ((0,), (0,)), ((1,), (1,))),
    o.contract(o.negative(o.A), o.U, ((1,), (0,))),
    o.contract(o.U, o.negative(o.B), ((0,), (0,))),
    o.contract(o.multiply(o.A, 3.0), o.U, ((1,), (0,))),
    o.contract(o.U, o.divide(o.B, 2.0), ((0,), (0,))),
    o.contract(WIDE_U, o.B, ((1,), (0,))),
    o.contract(WIDE_V, o.B, ((1,), (0,))),
    o.contract(o.V, WIDE_U, ((0,), (0,))),
    o.contract(o.V, WIDE_V, ((0,), (0,))),
    o.contract(o.A, o.broadcast_to(o.U, (2, 5, 4)), ((1,), (2,))),
    o.contract(o.A, full(2.0, FLOAT, (4, 2)), ((1,), (0,))),
    o.contract(o.C, o.U, ((), ()), ((2,), (0,))),
    o.contract(o.U, o.C, ((), ()), ((0,), (2,))),
    o.contract(o.A, o.C, ((), ()), ((1, 0), (2, 1))),
]
