"""A reader of the text of formulas, written against the notation and not against its printer.

From loose to tight: + and −; ∘ and ⊘; one / ; factors side by side or with ·; superscripts. A
factor 1 is a column of ones, and I the identity, of whatever length fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

VULGAR = {"½": 1 / 2, "⅓": 1 / 3, "⅔": 2 / 3, "¼": 1 / 4, "¾": 3 / 4, "⅙": 1 / 6, "⅛": 1 / 8}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ", "0123456789-T", strict=True))
FUNCTIONS: dict[str, Any] = {
    **{
        name: getattr(np, name)
        for name in [
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "arctan",
            "arcsinh",
            "log",
            "sign",
        ]
    },
    "σ": lambda u: 1 / (1 + np.exp(-u)),
    "relu": lambda u: np.maximum(u, 0),
    "step": lambda u: np.heaviside(u, 0.5),
    "det": np.linalg.det,
    "tr": np.trace,
    "diag": lambda u: np.diag(u[:, 0]),
    "diagonal": lambda u: np.diag(u)[:, None],
    "softmax": lambda u: np.exp(u) / np.exp(u).sum(axis=0 if u.shape[1] == 1 else 1, keepdims=True),
    "logsumexp": lambda u: np.log(np.exp(u).sum(axis=1, keepdims=True)),
}
RELATIONS = {">": np.greater, "<": np.less, "≥": np.greater_equal, "≤": np.less_equal}


class Unreadable(Exception):
    """A notation that this reader does not know."""


@dataclass(frozen=True)
class Fitting:
    """c·I or a column (or row) of ones, of a length that is not known yet."""

    kind: str
    factor: float = 1.0
    transposed: bool = False


class Reader:
    """Reads one formula. values: names as they are printed -> arrays of two axes."""

    def __init__(self, line: str, values: dict[str, Any]) -> None:
        self.rest = line
        self.values = dict(sorted(values.items(), key=lambda item: -len(item[0])))

    def formula(self) -> Any:
        value = self.sum()
        if self.rest:
            raise Unreadable(self.rest)
        return value

    def take(self, sign: str) -> bool:
        if self.rest.startswith(sign):
            self.rest = self.rest[len(sign) :]
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise Unreadable(f"{sign} before {self.rest!r}")

    def sum(self) -> Any:
        value = scaled(-1, self.elementwise()) if self.take("−") else self.elementwise()
        while True:
            if self.take(" + "):
                value = added(value, self.elementwise())
            elif self.take(" − "):
                value = added(value, scaled(-1, self.elementwise()))
            else:
                return value

    def elementwise(self) -> Any:
        value = self.quotient()
        while True:
            if self.take(" ∘ "):
                value = number(value) * number(self.quotient())
            elif self.take(" ⊘ "):
                value = number(value) / number(self.quotient())
            else:
                return value

    def quotient(self) -> Any:
        value = self.product()
        if self.take("/"):
            value = scaled(1 / number(self.power()), value)
        return value

    def product(self) -> Any:
        factors = [self.power()]
        while self.take("·") or (self.take(" ") if re.match(r" [^+−∘⊘]", self.rest) else True):
            before = self.rest
            if not before or before[0] in " )]}‖|/,⟩<>≤≥":
                break
            factors.append(self.power())
        return multiplied(factors)

    def power(self) -> Any:
        if self.rest.startswith("e^") and "e" not in self.values:
            self.rest = self.rest[2:]
            self_is_braced = self.take("{")
            self.take("∘")
            inside = self.sum() if self_is_braced else self.atom()
            if self_is_braced:
                self.expect("}")
            return np.exp(number(inside))
        value = self.atom()
        while True:
            raised = ""
            while self.rest and self.rest[0] in RAISED:
                raised += RAISED[self.rest[0]]
                self.rest = self.rest[1:]
            if raised:
                value = superscript(value, raised)
            elif self.take("^{∘") or self.take("^{"):
                value = number(value) ** float(self.number())
                self.expect("}")
            else:
                return value

    def number(self) -> float:
        if self.rest[0] in VULGAR:
            found, self.rest = VULGAR[self.rest[0]], self.rest[1:]
            return found
        match = re.match(r"\(?(\d+(?:\.\d+)?)(?:/(\d+))?\)?", self.rest)
        if match is None:
            raise Unreadable(self.rest)
        self.rest = self.rest[match.end() :]
        return float(match[1]) / float(match[2] or 1)

    def atom(self) -> Any:
        if self.take("√"):
            return np.sqrt(number(self.atom()))
        for name, value in self.values.items():
            if self.take(name):
                return value
        for name, function in FUNCTIONS.items():
            if re.match(rf"{name}[\s(⁰¹²³⁴⁵⁶⁷⁸⁹|]", self.rest):
                self.rest = self.rest[len(name) :]
                return self.call(name, function)
        return self.bracket()

    def call(self, name: str, function: Any) -> Any:
        raised = ""
        while self.rest[0] in RAISED:
            raised += RAISED[self.rest[0]]
            self.rest = self.rest[1:]
        if self.take("("):
            inside = self.log_of_sum() if name == "log" else None
            inside = self.sum() if inside is None else inside
            self.expect(")")
        else:
            self.expect(" ")
            inside = self.log_of_sum()
            inside = self.atom() if inside is None else inside
        result = np.reshape(function(number(inside)), (-1, np.shape(number(inside))[1]) if
                            np.size(function(number(inside))) == np.size(number(inside)) else
                            np.shape(np.atleast_2d(function(number(inside)))))  # fmt: skip
        return result ** int(raised) if raised else result

    def log_of_sum(self) -> Any:
        """Σe^u, of which the logarithm is taken."""
        if not self.take("Σ"):
            return None
        return np.reshape(np.sum(self.power()), (1, 1))

    def relation(self) -> Any:
        """[u > v]: 1 where it holds, else 0."""
        left = number(self.sum())
        holds = next((f for sign, f in RELATIONS.items() if self.take(f" {sign} ")), None)
        if holds is None:
            raise Unreadable(self.rest)
        right = number(self.sum())
        self.expect("]")
        return 1.0 * holds(left, right)

    def bracket(self) -> Any:
        if re.match(r"\(\d+/\d+\)", self.rest):
            return np.array([[self.number()]])
        if self.take("("):
            value = self.sum()
            self.expect(")")
            return value
        if self.take("‖"):
            value = number(self.sum())
            self.expect("‖")
            self.take("_F")
            return np.array([[np.sqrt(np.sum(value**2))]])
        if self.take("["):
            return self.relation()
        if self.take("|"):
            value = number(self.sum())
            self.expect("|")
            return np.abs(value)
        if re.match(r"1(?![\d./])", self.rest):
            self.rest = self.rest[1:]
            return Fitting("ones")
        if self.take("I"):
            return Fitting("identity")
        if self.rest[:1].isnumeric():
            return np.array([[self.number()]])
        raise Unreadable(self.rest)


def number(value: Any) -> Any:
    """An array; ones that fit anything are a 1 that is broadcast."""
    if isinstance(value, Fitting):
        if value.kind == "identity":
            raise Unreadable("an identity without a length")
        return np.array([[value.factor]])
    return value


def number_or_none(value: Any) -> Any:
    return () if isinstance(value, Fitting) and value.kind == "identity" else number(value)


def scaled(factor: Any, value: Any) -> Any:
    if isinstance(value, Fitting):
        return Fitting(value.kind, value.factor * float(np.ravel(factor)[0]), value.transposed)
    return factor * value


def added(left: Any, right: Any) -> Any:
    identities = [isinstance(v, Fitting) and v.kind == "identity" for v in (left, right)]
    if all(identities):
        return Fitting("identity", left.factor + right.factor)
    if any(identities) and 1 in (np.size(number_or_none(left)), np.size(number_or_none(right))):
        raise Unreadable("an identity beside ones, without a length")
    if identities[0]:
        return left.factor * np.eye(len(right)) + right
    if identities[1]:
        return left + right.factor * np.eye(len(left))
    return number(left) + number(right)


def superscript(value: Any, raised: str) -> Any:
    if isinstance(value, Fitting):
        return Fitting(value.kind, value.factor, not value.transposed)
    if raised == "T":
        return value.T
    if raised == "-T":
        return np.linalg.inv(value).T
    if raised == "-1":
        return np.linalg.inv(value)
    if value.shape != (1, 1):
        return np.linalg.matrix_power(value, int(raised))
    return value ** int(raised)


def multiplied(factors: list[Any]) -> Any:
    """The product of a chain: numbers, then sums by rows and columns of ones, then the rest."""
    front, chain = 1.0, []
    for k, factor in enumerate(factors):
        if not isinstance(factor, Fitting) and factor.shape == (1, 1):
            front = front * factor[0, 0]
        elif isinstance(factor, Fitting) and factor.kind == "identity":
            if len([f for f in factors if isinstance(f, Fitting) or f.shape != (1, 1)]) == 1:
                return Fitting("identity", factor.factor * front * _numbers(factors[k + 1 :]))
            front = front * factor.factor
        else:
            chain.append(factor)
    if not chain:
        return np.array([[front]])
    place = 0
    while place < len(chain) - 1:
        left, right = chain[place], chain[place + 1]
        if isinstance(left, Fitting) and left.transposed and not isinstance(right, Fitting):
            chain[place : place + 2] = [left.factor * right.sum(axis=0, keepdims=True)]
        elif isinstance(right, Fitting) and not right.transposed and not isinstance(left, Fitting):
            chain[place : place + 2] = [right.factor * left.sum(axis=1, keepdims=True)]
            place = max(place - 1, 0)
        else:
            place += 1
    if len(chain) == 1:
        return scaled(front, chain[0])
    if any(isinstance(factor, Fitting) for factor in chain):
        arrays = [number(factor) for factor in chain]
        if len(arrays) == 2:  # a column or row that is repeated
            return front * arrays[0] * arrays[1]
        raise Unreadable("ones within a chain")
    value = chain[0]
    for factor in chain[1:]:
        value = value * factor if 1 in (value.size, factor.size) else value @ factor
    return front * value


def _numbers(factors: list[Any]) -> float:
    return float(np.prod([factor[0, 0] for factor in factors]))
