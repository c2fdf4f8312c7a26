"""What each op of a traced graph is as a term.

A node is a term of its shape with the axes of length one left out: one axis is a column, two are
rows and columns; an array of more axes is the column of its elements, which only elementwise
functions and sums can read. A rule gives None where it has no term: the node gets a name then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

import numpy as np

from wengert.explaining.closed.algebra import (
    hadamard,
    multiply,
    power,
    times,
    total,
)
from wengert.explaining.closed.functions import apply, log_sum_exp, quotient, softmax
from wengert.explaining.closed.sums import (
    add,
    negative,
    ones,
    scale,
    split,
    subtract,
    transpose,
)
from wengert.explaining.closed.terms import (
    SCALAR,
    Apply,
    Identity,
    Product,
    Shape,
    Symbol,
    Term,
    Unit,
    is_zero,
    number,
)
from wengert.graph.node import Node

Reading: TypeAlias = "Callable[..., Term | None]"

_PI = Symbol(SCALAR, "π")
_IRRATIONAL = (
    (_PI, math.pi),
    (power(number(2), Fraction(1, 2)), math.sqrt(2)),
    (power(_PI, Fraction(1, 2)), math.sqrt(math.pi)),
    (power(scale(2, _PI), Fraction(1, 2)), math.sqrt(2 * math.pi)),
)
_LARGEST_FACTOR, _LARGEST_DENOMINATOR = 100, 10**6


def shape_of(shape: tuple[int, ...]) -> Shape:
    """The shape of the term of an array."""
    if len(shape) == 2:
        return shape
    if len(shape) < 2:
        return (shape[0] if shape else 1, 1)
    long = [extent for extent in shape if extent != 1]
    return (long[0], long[1]) if len(long) == 2 else (prod(long), 1)


def rational(value: float) -> Fraction:
    """A float as the fraction that people mean: 0.1 is 1/10, 0.333… (to the last bit) 1/3."""
    simple = Fraction(value).limit_denominator(100)
    return simple if float(simple) == value else Fraction(repr(float(value)))


def constant(value: float) -> Term:
    """A float as the number that people mean: also a multiple of π, √2, √π or √(2π), or of one
    over them, where it is one to the last bit."""
    known = rational(value)
    if known.denominator <= _LARGEST_DENOMINATOR:
        return number(known)
    for base, size in _IRRATIONAL:
        for sign in (1, -1):
            front = Fraction(value / size**sign).limit_denominator(_LARGEST_FACTOR)
            if front and abs(float(front) * size**sign - value) <= 2 * math.ulp(value):
                return scale(front, power(base, sign))
    return number(known)


def known_array(value: Any) -> Term | None:
    """The term of an array of one number, or of a multiple of the identity matrix."""
    shape = shape_of(value.shape)
    if not value.size or not np.all(np.isfinite(value)):
        return None
    if np.all(value == value.flat[0]):
        return times(constant(float(value.flat[0])), ones(shape))
    if value.ndim == 2 and shape[0] == shape[1]:
        front = value.flat[0]
        if np.array_equal(value, front * np.eye(shape[0])):
            return times(constant(float(front)), Identity(shape))
    return None


# --------------------------------------------------------------------------------------- shapes


def _broadcast(node: Node, u: Term) -> Term | None:
    shape = shape_of(node.shape)
    if u.shape == shape:
        return u
    if u.shape == SCALAR:
        return times(u, ones(shape))
    if len(node.shape) != 2:
        return None
    source = node.args[0].shape
    if len(source) == 1 or source[0] == 1:  # along the rows: 1 uᵀ
        row = transpose(u) if u.shape[1] == 1 else u
        return multiply(ones((shape[0], 1)), row)
    return multiply(u, ones((1, shape[1])))


def _reshape(node: Node, u: Term) -> Term | None:
    shape = shape_of(node.shape)
    if u.shape == shape and (u.shape[1] == 1 or _long(node.shape) == _long(node.args[0].shape)):
        return u
    if u.shape == shape[::-1] and 1 in shape:
        return transpose(u)
    return None


def _long(shape: tuple[int, ...]) -> list[int]:
    return [extent for extent in shape if extent != 1]


def _transpose(node: Node, u: Term) -> Term | None:
    (axes,) = node.params
    if len(axes) == 2:
        return transpose(u) if axes == (1, 0) else u
    return u if axes == tuple(range(len(axes))) else None


def _sum(node: Node, u: Term) -> Term | None:
    (axes,) = node.params
    source = node.args[0].shape
    if prod(source[axis] for axis in range(len(source)) if axis not in axes) == 1:
        return total(u)
    if all(source[axis] == 1 for axis in axes):
        return _reshape(node, u)
    if len(source) != 2:
        return None
    if axes == (0,):
        return multiply(transpose(u), ones((source[0], 1)))
    return multiply(u, ones((source[1], 1)))


def _index(node: Node, u: Term) -> Term | None:
    (entries,) = node.params
    source = node.args[0].shape
    if len(source) == 1 and isinstance(entries[0], int):
        return multiply(_unit_row(source[0], entries[0]), u)
    if len(source) != 2:
        return None
    row, column = entries
    whole = [(0, extent, 1) for extent in source]
    if row == whole[0] and isinstance(column, int):
        return multiply(u, _unit(source[1], column))
    if column == whole[1] and isinstance(row, int):
        return multiply(transpose(u), _unit(source[0], row))
    if isinstance(row, int) and isinstance(column, int):
        return multiply(_unit_row(source[0], row), u, _unit(source[1], column))
    return None


def _unit(extent: int, place: int) -> Term:
    return number(1) if extent == 1 else Unit((extent, 1), place)


def _unit_row(extent: int, place: int) -> Term:
    return transpose(_unit(extent, place))


# ------------------------------------------------------------------------------------- products


def _contract(node: Node, a: Term, b: Term) -> Term | None:
    over, along = node.params
    first, second = (arg.shape for arg in node.args)
    if len(first) > 2 or len(second) > 2:
        return None
    if along[0]:
        return _contract_along(node, a, b)
    axes = tuple(zip(*over, strict=True))
    if len(axes) == 2:
        left = a if axes in (((0, 0), (1, 1)), ((1, 1), (0, 0))) else transpose(a)
        return total(hadamard(left, b))
    if not axes:
        if not first or not second:
            return times(a, b)
        return multiply(a, transpose(b)) if len(first) == len(second) == 1 else None
    ((i, j),) = axes
    rows = transpose(a) if i == 0 else a  # the contracted axis last
    columns = transpose(b) if j == 1 else b  # the contracted axis first
    result = multiply(rows, columns)
    return transpose(result) if len(first) == 1 and len(second) == 2 else result


def _contract_along(node: Node, a: Term, b: Term) -> Term | None:
    """Products that keep an axis of both: einsum("ij,ij->i")."""
    over, along = node.params
    if len(along[0]) != 1 or len(node.args[0].shape) != len(node.args[1].shape):
        return None
    if len(node.args[0].shape) == 1:
        return hadamard(a, b)
    if len(over[0]) != 1:
        return None
    left = a if along[0][0] == 0 else transpose(a)
    right = b if along[1][0] == 0 else transpose(b)
    return multiply(hadamard(left, right), ones((left.shape[1], 1)))


# --------------------------------------------------------------------------------- elementwise


def _constant_number(term: Term) -> Fraction | None:
    """c where every element of the term is the rational number c."""
    if is_zero(term):
        return Fraction(0)
    coefficient, scalars, chain = split(term)
    if scalars or chain != split(ones(term.shape))[2]:
        return None
    return coefficient


def _divide(node: Node, a: Term, b: Term) -> Term | None:
    if is_zero(b):
        return None
    value = _constant_number(b)
    if value is not None:
        return scale(1 / value, a)
    coefficient, scalars, chain = split(b)
    if chain == split(ones(b.shape))[2] and scalars:  # a number, repeated
        front = Product(SCALAR, coefficient, scalars, ())
        single = scalars[0][0] if coefficient == 1 and scalars[0][1] == 1 else front
        return quotient(a, single if len(scalars) == 1 else front)
    return _softmax_of_rows(a, b) or quotient(a, b)


def reciprocal(u: Term) -> Term:
    return quotient(ones(u.shape), u)


def _softmax_of_rows(a: Term, b: Term) -> Term | None:
    """e^U ⊘ (e^U 1 1ᵀ): each row by its sum."""
    if not (isinstance(a, Apply) and a.function == "exp") or 1 in a.shape:
        return None
    rows, columns = a.shape
    if b == multiply(a, ones((columns, 1)), ones((1, columns))):
        return softmax(a.of)
    if b == multiply(ones((rows, 1)), ones((1, rows)), a):
        return transpose(softmax(transpose(a.of)))
    return None


def _log(node: Node, u: Term) -> Term:
    if isinstance(u, Product) and len(u.factors) == 2 and not u.scalars and u.coefficient == 1:
        e, one = u.factors
        if isinstance(e, Apply) and e.function == "exp" and one == ones((e.shape[1], 1)):
            return log_sum_exp(e.of)  # of each row
    return apply("log", u)


def _logaddexp(node: Node, a: Term, b: Term) -> Term:
    return add(a, apply("softplus", subtract(b, a)))


def _larger(node: Node, a: Term, b: Term) -> Term:
    """max(a, b) = b + max(a − b, 0)."""
    if is_zero(a):
        a, b = b, a
    return add(b, apply("relu", subtract(a, b)))


def _smaller(node: Node, a: Term, b: Term) -> Term:
    """min(a, b) = b − max(b − a, 0)."""
    if is_zero(a):
        a, b = b, a
    return subtract(b, apply("relu", subtract(b, a)))


def _negation(node: Node, u: Term) -> Term | None:
    """Of truth values, as numbers that are 0 or 1."""
    return subtract(ones(u.shape), u) if node.args[0].dtype.kind == "b" else None


def _conjunction(node: Node, a: Term, b: Term) -> Term | None:
    return hadamard(a, b) if _are_truth_values(node) else None


def _disjunction(node: Node, a: Term, b: Term) -> Term | None:
    return subtract(add(a, b), hadamard(a, b)) if _are_truth_values(node) else None


def _are_truth_values(node: Node) -> bool:
    return all(arg.dtype.kind == "b" for arg in node.args)


def _function(name: str, sign: int = 1, of: int = 1) -> Reading:
    return lambda node, u: scale(sign, apply(name, scale(of, u)))


def _in_base(base: int) -> Reading:
    """log to a base: log u / log base."""
    return lambda node, u: times(power(apply("log", number(base)), -1), apply("log", u))


def _to_base(base: int) -> Reading:
    return lambda node, u: apply("exp", times(apply("log", number(base)), u))


def _same(node: Node, u: Term) -> Term:
    return u


ELEMENTWISE = (
    *("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "erf"),
    *("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"),
)
"""Ops of which the function of terms has the name."""

READINGS: dict[str, Reading] = {
    # shapes
    "broadcast_to": _broadcast,
    "reshape": _reshape,
    "transpose": _transpose,
    "index": _index,
    "convert": _same,
    "alias": _same,
    "real": _same,
    "conjugate": _same,
    "positive": _same,
    # sums and products
    "sum": _sum,
    "contract": _contract,
    "add": lambda node, a, b: add(a, b),
    "subtract": lambda node, a, b: subtract(a, b),
    "negative": lambda node, u: negative(u),
    "multiply": lambda node, a, b: hadamard(a, b),
    "divide": _divide,
    # powers
    "square": lambda node, u: power(u, 2),
    "sqrt": lambda node, u: power(u, Fraction(1, 2)),
    "reciprocal": lambda node, u: reciprocal(u),
    "hypot": lambda node, a, b: power(add(power(a, 2), power(b, 2)), Fraction(1, 2)),
    # elementwise functions
    **{name: _function(name) for name in ELEMENTWISE},
    "log": _log,
    "log1p": lambda node, u: apply("log", add(ones(u.shape), u)),
    "expm1": lambda node, u: subtract(apply("exp", u), ones(u.shape)),
    "log2": _in_base(2),
    "log10": _in_base(10),
    "exp2": _to_base(2),
    "exp10": _to_base(10),
    "absolute": _function("abs"),
    "fabs": _function("abs"),
    "expit": _function("sigmoid"),
    "log_expit": _function("softplus", sign=-1, of=-1),
    "logaddexp": _logaddexp,
    "maximum": _larger,
    "minimum": _smaller,
    "greater": lambda node, a, b: apply("positive", subtract(a, b)),
    "greater_equal": lambda node, a, b: apply("nonnegative", subtract(a, b)),
    "less": lambda node, a, b: apply("positive", subtract(b, a)),
    "less_equal": lambda node, a, b: apply("nonnegative", subtract(b, a)),
    **dict.fromkeys(("logical_not", "bitwise_not"), _negation),
    **dict.fromkeys(("logical_and", "bitwise_and"), _conjunction),
    **dict.fromkeys(("logical_or", "bitwise_or"), _disjunction),
    "xlogy": lambda node, a, b: hadamard(a, apply("log", b)),
    "entr": lambda node, u: negative(hadamard(u, apply("log", u))),
    "rel_entr": lambda node, a, b: hadamard(a, subtract(apply("log", a), apply("log", b))),
    "kl_div": lambda node, a, b: add(
        hadamard(a, subtract(apply("log", a), apply("log", b))), subtract(b, a)
    ),
}
"""The term of a node from those of its inputs, by the name of its op."""
