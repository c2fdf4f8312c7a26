"""The derivative of one step by one of its operands, as a formula and as a graph for its value.

Nothing here knows any op. The pushforward of a step, given 1 for one operand and nothing for the
others, *is* the partial derivative where the step maps numbers to numbers or works element by
element; elsewhere the pushforward of a variable h is the linear map h ↦ …. What it yields is a
graph, which the simplifier makes small and the labels of the records write. Products and quotients
are told by their labels, and gathered under one fraction line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from wengert.errors import NotDifferentiable
from wengert.explaining.formulas import (
    APPLY,
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Formula,
    compose,
    label_of,
)
from wengert.explaining.notation import number
from wengert.graph.literals import constant, full, literal
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.types import ArrayType
from wengert.graph.walk import substitute
from wengert.ops.leaves import parameter, seed
from wengert.transforms.pushforward import pushforward
from wengert.transforms.simplify import simplify
from wengert.transforms.transpose import transpose

MOST_NODES, MOST_CHARACTERS = 24, 60
"""How long a formula of a derivative may be."""


def by_one(user: Node, operand: Node) -> Tangent:
    """The graph of ∂user/∂operand, if that is a number or a diagonal; None where it is zero."""
    ones = constant(1, operand)
    return pushforward([user], {arg: ones if arg is operand else None for arg in user.args})[0]


def has_diagonal(user: Node, operand: Node) -> bool:
    """Whether the derivative is a number for each element: of real numbers, or element by
    element. (Of a complex operand it need not be one: the conjugate has none.)"""
    types = user.type, operand.type
    if not all(isinstance(type, ArrayType) and type.dtype.kind == "f" for type in types):
        return False
    return user.shape == operand.shape and (not user.shape or user.op.family == "elementwise")


def written(
    user: Node,
    operand: Node,
    slope: Tangent,
    names: Mapping[Node, Formula],
    variable: str = "h",
) -> Formula:
    """The formula of ∂user/∂operand, or an empty one where none is short.

    slope: what `by_one` made of them, None where the derivative is a map.
    variable: of that map.
    """
    arrow = not has_diagonal(user, operand)
    variables = {}
    try:
        if arrow:
            if not isinstance(operand.type, ArrayType):
                return EMPTY
            moved = seed(operand)
            variables[moved] = Formula(variable, variable)
            tangents = {arg: moved if arg is operand else None for arg in user.args}
            (slope,) = pushforward([user], tangents)
        if isinstance(slope, tuple):
            return EMPTY
        formula = ZERO
        if slope is not None:
            formula = _formula(slope, user, names, variables, is_diagonal=not arrow)
    except (_TooLong, NotDifferentiable):
        return EMPTY
    return _short(_map(variable, formula) if arrow and slope is not None else formula)


def pulled_back(
    user: Node, operand: Node, names: Mapping[Node, Formula], variable: str = "h"
) -> Formula:
    """The map h ↦ … that takes the adjoint of a step to what the operand has of it: the transpose
    of ∂user/∂operand. Empty where the derivative is a number or a diagonal, and where no formula is
    short."""
    types = user.type, operand.type
    if has_diagonal(user, operand) or not all(isinstance(type, ArrayType) for type in types):
        return EMPTY
    moved, cotangent = seed(operand), seed(user)
    try:
        (slope,) = pushforward(
            [user], {arg: moved if arg is operand else None for arg in user.args}
        )
        (back,) = (None,) if slope is None else transpose([slope], [moved], [cotangent])
        if isinstance(back, tuple):
            return EMPTY
        known = {cotangent: Formula(variable, variable)}
        formula = ZERO if back is None else _formula(back, user, names, known, spreads=True)
    except (_TooLong, NotDifferentiable):
        return EMPTY
    return _short(_map(variable, formula))


def _map(variable: str, formula: Formula) -> Formula:
    return Formula(f"{variable} ↦ {formula.text}", rf"{variable} \mapsto {formula.latex}")


def _short(formula: Formula) -> Formula:
    return formula if len(formula.text) <= MOST_CHARACTERS else EMPTY


def _formula(
    derivative: Node,
    user: Node,
    names: Mapping[Node, Formula],
    variables: Mapping[Node, Formula],
    spreads: bool = False,
    is_diagonal: bool = False,
) -> Formula:
    """A graph of a derivative, in terms of the step and its operands and of variables.

    The steps are leaves while it is simplified, so that the simplifier does not look below them.
    """
    known = dict(variables)
    leaves: dict[Node, Node] = {}
    for k, node in enumerate(dict.fromkeys((*user.args, user))):
        if node.op is not full:
            leaf = parameter(k, node.type) if isinstance(node.type, ArrayType) else node
            leaves[node], known[leaf] = leaf, names[node]
    (graph,) = substitute([derivative], leaves)
    return _Writer(known, spreads, is_diagonal).write(simplify([graph], known)[0])


EMPTY, ZERO = Formula("", ""), Formula("0", "0")


class _TooLong(Exception):
    """The formula would have too many signs to be read."""


@dataclass(frozen=True, slots=True)
class _Product:
    """coefficient · above / below."""

    coefficient: Fraction
    above: tuple[Formula, ...] = ()
    below: tuple[Formula, ...] = ()

    def __mul__(self, other: _Product) -> _Product:
        return _Product(
            self.coefficient * other.coefficient,
            self.above + other.above,
            self.below + other.below,
        )

    def inverse(self) -> _Product:
        return _Product(1 / self.coefficient, self.below, self.above)


class _Writer:
    """Formulas of graphs whose leaves have names.

    spreads: whether a number in every element of an array is written as a product with 1.
    is_diagonal: whether the graph goes element by element, so that shapes say nothing.
    """

    def __init__(
        self, names: Mapping[Node, Formula], spreads: bool = False, is_diagonal: bool = False
    ) -> None:
        self.names = names
        self.spreads = spreads
        self.is_diagonal = is_diagonal
        self.left = MOST_NODES

    def write(self, node: Node) -> Formula:
        """The formula of a node."""
        if node.op is full:
            return literal_formula(literal(node).item())
        return _as_formula(self.product(node))

    def product(self, node: Node) -> _Product:
        """A node as a product of what are no products themselves."""
        self.left -= 1
        if self.left < 0:
            raise _TooLong
        name = self.names.get(node)
        if name is not None:
            return _Product(Fraction(1), (name,))
        if node.op is full:
            return _number(literal(node).item())
        label = node.op.label
        is_shape = label == "{0}" and node.op.family == "movement"
        if is_shape and (self.is_diagonal or node.size == 1):
            return self.product(node.args[0])
        if self.spreads and is_shape and node.args[0].size == 1:
            return _Product(Fraction(1), (compose("{0}·1", [self.write(node.args[0])]),))
        if label == "−{0}":
            return _Product(Fraction(-1)) * self.product(node.args[0])
        if label == "{0} · {1}":
            return self._factor(node.args[0]) * self._factor(node.args[1])
        if label in ("{0} / {1}", "1/{0}"):
            *over, by = map(self.product, node.args)
            if by.coefficient:
                return _times(over) * by.inverse()
        return _Product(Fraction(1), (self._other(node),))

    def _factor(self, node: Node) -> _Product:
        """A factor, beside which a number in every element is that number."""
        is_shape = node.op.label == "{0}" and node.op.family == "movement"
        return self.product(node.args[0] if is_shape and node.args[0].size == 1 else node)

    def _other(self, node: Node) -> Formula:
        if not node.args:
            raise _TooLong  # a leaf without a name
        label, parts = _ordered(label_of(node), [self.write(arg) for arg in node.args])
        if label in ("{0} + {1}", "{0} − {1}") and parts[1].strength == SIGN:
            label = "{0} − {1}" if label == "{0} + {1}" else "{0} + {1}"
            last = parts[1]
            parts[1] = Formula(last.text[1:], last.latex[1:], PRODUCT)
        if node.op.label == "{0}" and node.args[0].dtype.kind == "b":
            return Formula(f"[{parts[0].text}]", f"[{parts[0].latex}]")  # 1 where it holds
        return compose(label, parts)


_MIRRORED = {
    f"{{0}} {sign} {{1}}": f"{{0}} {mirrored} {{1}}"
    for sign, mirrored in zip("=≠<>≤≥", "=≠><≥≤", strict=True)
}
_COMMUTING = ("{0} + {1}", "{0} ∧ {1}", "{0} ∨ {1}")
_NUMBER = re.compile(r"−?[\d.]+(e[+−]?\d+)?")


def _ordered(label: str, parts: list[Formula]) -> tuple[str, list[Formula]]:
    """The operands in an order that does not hang on which of them was made first, as that of the
    simplifier does: a sum begins with its number, a comparison ends with it."""
    if label in _COMMUTING:
        parts.sort(key=lambda part: (part.strength == SIGN, not _is_number(part), part.text))
    elif label in _MIRRORED:
        keys = [(_is_number(part), part.text) for part in parts]
        if keys[0] > keys[1]:
            return _MIRRORED[label], parts[::-1]
    return label, parts


def _is_number(formula: Formula) -> bool:
    return _NUMBER.fullmatch(formula.text) is not None


def _times(products: Iterable[_Product]) -> _Product:
    return math.prod(products, start=_Product(Fraction(1)))


def _number(value: complex) -> _Product:
    """A constant as a fraction, if it is a short one, or as a factor."""
    if isinstance(value, complex) or not math.isfinite(value):
        return _Product(Fraction(1), (literal_formula(value),))
    short = Fraction(value).limit_denominator(99)
    if float(short) == value and abs(short.numerator) < 10_000:
        return _Product(short)
    sign = Fraction(-1 if value < 0 else 1)
    return _Product(sign, (literal_formula(abs(value)),))


def literal_formula(value: complex) -> Formula:
    """A number as an operand: negative and complex ones are in brackets where they need them."""
    text = number(value)
    latex = re.sub(r"e([+−]?)0*(\d+)", lambda m: _power_of_ten(*m.groups()), text)
    latex = latex.replace("−", "-").replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    if text.endswith("j"):
        return Formula(text, latex.replace("j", "i"), SUM)
    return Formula(text, latex, SIGN if text.startswith("−") else ATOM)


def _power_of_ten(sign: str, digits: str) -> str:
    return rf"\cdot 10^{{{'-' if sign == '−' else ''}{digits}}}"


def _as_formula(product: _Product) -> Formula:
    """The product on one line, and as a fraction in LaTeX."""
    coefficient = product.coefficient
    if not coefficient:
        return ZERO
    count = abs(coefficient.numerator)
    result = _row(count, product.above)
    if product.below or coefficient.denominator > 1:
        under = _row(coefficient.denominator, product.below)
        latex = rf"\frac{{{result.latex}}}{{{under.latex}}}"
        # (cos x)/y: what is under the line is no part of the angle
        over = _row(count, [factor.within(POWER) for factor in product.above])
        text = f"{over.text}/{under.within(POWER).text}"
        result = Formula(text, latex, PRODUCT)
    if coefficient > 0:
        return result
    result = result.within(PRODUCT)
    return Formula("−" + result.text, "-" + result.latex, SIGN)


def _row(count: int, factors: Sequence[Formula]) -> Formula:
    """count · factor · factor …, equal factors as powers."""
    powers: dict[str, list[Formula]] = {}
    for factor in factors:
        powers.setdefault(factor.text, []).append(factor)
    parts = [
        found[0]
        if len(found) == 1
        else compose("{0}²", found)
        if len(found) == 2
        else compose("{0}^{1}", [found[0], Formula(str(len(found)), str(len(found)))])
        for found in powers.values()
    ]
    parts.sort(key=lambda part: (part.strength < POWER, part.text))
    if not parts:
        return Formula(str(count), str(count))
    if count == 1 and len(parts) == 1:
        return parts[0]
    parts = [part.within(APPLY) for part in parts]
    text = " · ".join(part.text for part in parts)
    latex = r" \cdot ".join(part.latex for part in parts)
    if count != 1:
        first = parts[0]
        close = first.strength >= POWER and first.text[0].isalpha() and first.text[1:2] != "("
        digit = first.text[0].isdigit()
        text = f"{count}{' · ' if digit else '' if close else ' '}{text}"
        latex = f"{count} " + (r"\cdot " if digit else "") + latex
    return Formula(text, latex, PRODUCT)
