"""Random NumPy functions of numbers, columns and matrices, as source that a person can read.

Functions stay in their domains (log(1 + e^s), √(1 + s²), 1/(1 + s²)) so that most are finite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = {"n": 3, "m": 4}
_SMOOTH = (
    "np.tanh({})",
    "np.sin({})",
    "np.cos({})",
    "np.arctan({})",
    "np.exp(-({}) ** 2)",
    "np.exp(0.3 * {})",
    "np.log(1 + np.exp({}))",
    "np.log1p(np.exp(-({})))",
    "1 / (1 + np.exp(-({})))",
    "np.exp({0}) / (1 + np.exp({0}))",
    "np.sqrt(1 + ({}) ** 2)",
    "1 / (1 + ({}) ** 2)",
    "np.log(2 + ({}) ** 2)",
    "({}) ** 2",
    "({}) ** 3",
    "np.logaddexp(0, {})",
    "np.abs({})",
    "np.maximum({}, 0)",
    "np.square({})",
    "np.sqrt(({}) ** 2)",
    "np.log((1 + ({}) ** 2) ** 3)",
    "np.exp(np.log(1.5 + np.sin({})))",
    "np.sinh(0.3 * ({}))",
    "np.expm1(0.2 * ({}))",
    "(1 + ({}) ** 2) ** 0.5",
    "(2 + np.cos({})) ** -1.5",
    "np.sign({0}) * ({0})",
    "np.arcsinh({})",
)
_OF_COLUMNS = (
    "np.exp({0}) / np.sum(np.exp({0}))",
    "np.exp({0} - np.max({0})) / np.sum(np.exp({0} - np.max({0})))",
    "({0}) / np.linalg.norm({0})",
    "({0}) - np.mean({0})",
    "({0}) / (1 + ({0}) @ ({0}))",
    "np.cumsum({0})",
    "({0})[::-1]",
    "np.where(({0}) > 0, {0}, 0.1 * ({0}))",
    "np.sort({0})",
    "np.stack([2 * z for z in [{0}]])[0]",
)
_NUMBERS_OF_COLUMNS = (
    "np.sum({0})",
    "np.mean({0})",
    "np.linalg.norm({0})",
    "np.linalg.norm({0}) ** 2",
    "np.sum(({0}) ** 2)",
    "np.sqrt(np.sum(np.square({0})))",
    "np.log(np.sum(np.exp({0})))",
    "np.max({0}) + np.log(np.sum(np.exp({0} - np.max({0}))))",
    "np.var({0})",
    "({0})[1]",
    "np.sum(np.abs({0}))",
    "np.prod(1 + 0.1 * ({0}))",
    "np.max({0})",
)
_NUMBERS_OF_MATRICES = (
    "np.sum({0})",
    "np.sum(({0}) ** 2)",
    "np.linalg.norm({0})",
    "np.mean({0})",
    "np.trace(({0}).T @ ({0}))",
    "np.sum(({0}) * ({0}))",
    "np.einsum('ij,ij->', {0}, {0})",
)
_NUMBERS_OF_SQUARES = (
    "np.trace({0})",
    "np.linalg.slogdet(4 * np.eye({1}) + 0.3 * ({0}))[1]",
    "np.linalg.det(np.eye({1}) + 0.3 * ({0}))",
    "np.log(np.abs(np.linalg.det(4 * np.eye({1}) + 0.3 * ({0}))))",
    "np.trace(np.linalg.inv(4 * np.eye({1}) + 0.3 * ({0})))",
    "np.sum(np.diag({0}))",
)


class Writer:
    """Writes expressions; names: the arrays there are, by kind ("", "n", "m", "nn", "mn", …)."""

    def __init__(self, rng: np.random.Generator, names: dict[str, list[str]]) -> None:
        self.rng = rng
        self.names = names

    def pick(self, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def of(self, kind: str, depth: int) -> str:
        """An expression of a kind."""
        if depth <= 0 or self.rng.random() < 0.08:
            return self.leaf(kind)
        return (self.number, self.column, self.matrix)[len(kind)](kind, depth - 1)

    def leaf(self, kind: str) -> str:
        known = self.names.get(kind, [])
        if not kind and (not known or self.rng.random() < 0.4):
            return str(self.pick([2, 3, 0.5, 0.1, 1.5, -1, 1]))
        if not known and len(kind) == 2:
            rows, columns = kind
            if rows == columns:
                return f"np.eye({SIZES[rows]})"
            return f"({self.leaf(kind[::-1])}).T" if kind[::-1] in self.names else "np.ones"
        return self.pick(known)

    def binary(self, kind: str, depth: int) -> str:
        left, right = self.of(kind, depth), self.of(kind, depth)
        return self.pick(["({}) + ({})", "({}) - ({})", "({}) * ({})"]).format(left, right)

    def scaled(self, kind: str, depth: int) -> str:
        return f"({self.of('', depth)}) * ({self.of(kind, depth)})"

    def number(self, _kind: str, depth: int) -> str:
        choice = int(self.rng.integers(12))
        size = self.pick("nm")
        if choice <= 1:
            return self.binary("", depth)
        if choice <= 3:
            return self.pick(_SMOOTH).format(self.of("", depth))
        if choice <= 5:
            return f"({self.of(size, depth)}) @ ({self.of(size, depth)})"
        if choice <= 7:
            return self.pick(_NUMBERS_OF_COLUMNS).format(self.of(size, depth))
        if choice == 8:
            return self.pick(_NUMBERS_OF_MATRICES).format(self.of(self.matrix_kind(), depth))
        if choice == 9:
            square = self.of(size + size, depth)
            return self.pick(_NUMBERS_OF_SQUARES).format(square, SIZES[size])
        if choice == 10:
            other = self.pick("nm")
            middle = self.of(size + other, depth - 1)
            return f"({self.of(size, depth - 1)}) @ ({middle}) @ ({self.of(other, depth - 1)})"
        return f"({self.of('', depth)}) / (1 + ({self.of('', depth)}) ** 2)"

    def column(self, kind: str, depth: int) -> str:
        choice = int(self.rng.integers(12))
        other = self.pick("nm")
        if choice <= 1:
            return self.binary(kind, depth)
        if choice == 2:
            return self.scaled(kind, depth)
        if choice <= 4:
            return self.pick(_SMOOTH).format(self.of(kind, depth))
        if choice <= 7:
            return f"({self.of(kind + other, depth)}) @ ({self.of(other, depth)})"
        if choice == 8:
            return self.pick(_OF_COLUMNS).format(self.of(kind, depth))
        if choice == 9:
            size = SIZES[kind]
            matrix = f"4 * np.eye({size}) + 0.3 * ({self.of(kind * 2, depth)})"
            return f"np.linalg.solve({matrix}, {self.of(kind, depth)})"
        if choice == 10:
            axis = self.pick([0, 1])
            matrix = self.of((other + kind) if axis == 0 else (kind + other), depth)
            return f"({matrix}).{self.pick(['sum', 'mean'])}(axis={axis})"
        return f"np.diag({self.of(kind * 2, depth)})"

    def matrix_kind(self) -> str:
        return self.pick(["nn", "mn", "nm", "mm"])

    def matrix(self, kind: str, depth: int) -> str:
        rows, columns = kind
        choice = int(self.rng.integers(12))
        other = self.pick("nm")
        if choice <= 1:
            return self.binary(kind, depth)
        if choice == 2:
            return self.scaled(kind, depth)
        if choice == 3:
            return self.pick(_SMOOTH).format(self.of(kind, depth))
        if choice <= 5:
            return f"({self.of(rows + other, depth)}) @ ({self.of(other + columns, depth)})"
        if choice <= 7:
            return f"({self.of(columns + rows, depth)}).T"
        if choice == 8:
            return f"np.outer({self.of(rows, depth)}, {self.of(columns, depth)})"
        if choice == 9:
            return f"({self.of(rows, depth)})[:, None] * ({self.of(kind, depth)})"
        if choice == 10:
            return f"({self.of(kind, depth)}) * ({self.of(columns, depth)})"
        if rows == columns:
            size = SIZES[rows]
            return self.pick(
                [
                    f"np.diag({self.of(rows, depth)})",
                    f"np.linalg.inv(4 * np.eye({size}) + 0.3 * ({self.of(kind, depth)}))",
                    f"({self.of(kind, depth)}) + np.eye({size})",
                ]
            )
        return f"({self.of(kind, depth)}) + ({self.of(columns, depth)})"


PARAMETERS = {
    "x": "n", "a": "n", "c": "n", "b": "m", "y": "m", "s": "", "lam": "", "A": "mn", "S": "nn",
    "X": "nn", "Y": "mn", "W": "mm",
}  # fmt: skip


def program(seed: int, depth: int = 4) -> tuple[str, str, dict[str, Any]]:
    """(the source of an expression, the variable, the arguments) of a random function."""
    rng = np.random.default_rng(seed)
    variable = ["x", "x", "x", "X", "Y", "s"][int(rng.integers(6))]
    names: dict[str, list[str]] = {}
    for name, kind in PARAMETERS.items():
        weight = 5 if name == variable else name not in ("X", "Y", "s")
        names.setdefault(kind, []).extend([name] * weight)
        if len(kind) == 2 and kind[0] != kind[1]:
            names.setdefault(kind[::-1], []).extend([f"{name}.T"] * weight)
    names = {kind: known for kind, known in names.items() if known}
    expression = Writer(rng, names).number("", depth)
    shapes = {name: tuple(SIZES[k] for k in kind) for name, kind in PARAMETERS.items()}
    arguments = {
        name: rng.normal(size=shape) if shape else float(rng.uniform(0.3, 1.5))
        for name, shape in shapes.items()
        if name in _words(expression)
    }
    if variable not in arguments:
        variable = next(iter(arguments), variable)
    return expression, variable, arguments


ASSUMED = {
    "P": "symmetric", "D": "diagonal", "Q": "orthogonal", "K": "positive definite", "y": "signs",
    "u": "positive", "x": "", "a": "", "b": "", "A": "", "S": "", "lam": "positive",
}  # fmt: skip
_KINDS = {
    "P": "nn", "D": "nn", "Q": "nn", "K": "nn", "y": "m", "u": "n", "x": "n", "a": "n", "b": "m",
    "A": "mn", "S": "nn", "lam": "",
}  # fmt: skip
_OF_ASSUMED = (
    "np.linalg.slogdet(K)[1] * ({0})",
    "({0}) @ np.linalg.inv(K) @ ({0})",
    "({0}) @ np.linalg.solve(P + 9 * np.eye(3), {0})",
    "np.sum((Q @ ({0})) ** 2)",
    "np.linalg.norm(Q.T @ ({0}) - a)",
    "np.sum(np.log(u) * ({0}))",
    "np.sum(u ** 1.5 * ({0}))",
    "np.sqrt(u) @ ({0})",
    "np.trace(D @ np.diag({0}))",
    "np.abs(u) @ ({0})",
    "({0}) @ (P - P.T) @ ({0})",
    "({0}) @ D @ P @ D @ ({0})",
    "np.log(np.linalg.det(K)) + ({0}) @ K @ ({0})",
    "np.sqrt(({0}) @ K @ ({0}))",
    "np.sum(np.linalg.inv(D) @ ({0}))",
    "np.sum((y * (A @ ({0}))) ** 2)",
    "np.sum(np.log(1 + np.exp(-y * (A @ ({0})))))",
    "np.sum(np.tanh(y * (A @ ({0}))) * y)",
    "np.sum(np.abs(y * (A @ ({0}))))",
)


def assumed_program(seed: int, depth: int = 2) -> tuple[str, str, dict[str, Any], dict[str, str]]:
    """A random function of arrays of which something is assumed: (…, what is assumed)."""
    rng = np.random.default_rng(seed)
    names: dict[str, list[str]] = {}
    for name, kind in _KINDS.items():
        names.setdefault(kind, []).extend([name] * (4 if name == "x" else 1))
        if name == "A":
            names.setdefault("nm", []).append("A.T")
    writer = Writer(rng, names)
    expression = writer.number("", depth)
    for _ in range(2):
        piece = writer.pick(_OF_ASSUMED).format(writer.of("n", depth - 1))
        if piece.startswith("np.linalg.slogdet(K)[1] *"):
            piece = f"np.sum({piece})"
        expression = f"({expression}) + ({piece})"
    used = [name for name in _KINDS if name in _words(expression)]
    arguments = {name: _assumed_value(rng, name) for name in used}
    variable = writer.pick(["x", "x", "K", "u", "A"])
    variable = variable if variable in arguments else used[0]
    assumed = {name: ASSUMED[name] for name in used if ASSUMED[name] and name != variable}
    return expression, variable, arguments, assumed


def _assumed_value(rng: np.random.Generator, name: str) -> Any:
    value = rng.normal(size=tuple(SIZES[k] for k in _KINDS[name]))
    match ASSUMED[name]:
        case "symmetric":
            return value + value.T
        case "diagonal":
            return np.diag(np.diag(value))
        case "orthogonal":
            return np.linalg.qr(value)[0]
        case "positive definite":
            return value @ value.T + np.eye(len(value))
        case "signs":
            return np.sign(value)
        case "positive":
            return np.abs(value) + 0.1 if np.ndim(value) else float(abs(value) + 0.1)
    return value


def _words(expression: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in expression).split())


def function_of(expression: str, parameters: list[str]) -> Any:
    """The function of these parameters that computes an expression."""
    return eval(f"lambda {', '.join(parameters)}: {expression}", {"np": np})
