"""Graphs as text: a listing with one line a node, and the way back to the same nodes.

    %0 = input[0, float64[3]]() : float64[3]
    %1 = full[hex'0000000000000040', float64, (3,), False]() : float64[3]  # 2.0
    %2 = multiply(%0, %1) : float64[3]
    return %2

A line gives the op, its parameters in brackets, its inputs in parentheses, its type, and the word
`quiet` where the node was made while differentiating; what follows # is a comment. Parameters are
written as

    3  -1.5  inf  nan  complex(0.0, 1.0)              numbers
    True  False  None                                 constants
    "text"                                            a string, as in JSON
    hex'00ff'                                         bytes
    (1, (2, 3))                                       a tuple
    %4                                                a node
    float64                                           a dtype
    float64[2,3]  float64[]*                          an array type, with * where it is weak
    tuple{float64[3], int64[]}                        a tuple type
    operator{float64[3,3]}                            an opaque type
    tape{float64[3]}                                  a tape of steps
    body{(%4, %5), (%7,)}                             a body: its parameters and outputs

and objects that exist at run time only (functions, arrays) as <their type>, which `parse` refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.body import Body
from wengert.graph.literals import full, literal
from wengert.graph.node import Node, deriving, make
from wengert.graph.op import OPS
from wengert.graph.types import (
    SUPPORTED,
    ArrayType,
    OpaqueType,
    TapeType,
    TupleType,
    array_type,
)

_DTYPES = {dtype.name: dtype for dtype in SUPPORTED}
_CONSTANTS = {"True": True, "False": False, "None": None, "inf": np.inf, "nan": np.nan}

# ------------------------------------------------------------------------------- writing


def show(outputs: Iterable[Node], inputs: Iterable[Node] = ()) -> str:
    """A readable listing of the graph of the outputs, which `parse` reads back.

    inputs: nodes to number first, in this order.
    """
    outputs = list(outputs)
    order = _leaves_first([*inputs, *outputs])
    names = {node: f"%{k}" for k, node in enumerate(order)}
    lines = []
    for node in order:
        params = "" if node.params is None else f"[{_list(node.params, names)}]"
        args = ", ".join(names[arg] for arg in node.args)
        quiet = " quiet" if node.quiet else ""
        comment = f"  # {literal(node)}" if node.op is full else ""
        kind = _literal(node.type, names)
        lines.append(f"{names[node]} = {node.op.name}{params}({args}) : {kind}{quiet}{comment}")
    results = ", ".join(names[node] for node in outputs)
    return "\n".join([*lines, f"return {results}".rstrip()]) + "\n"


def _mentioned(node: Node) -> tuple[Node, ...]:
    """The nodes that a line names: the inputs, and those among the parameters."""
    if node.params is None:
        return node.args
    found = list(node.args)
    stack: list[Any] = [node.params]
    while stack:
        value = stack.pop()
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            stack.extend(value)
        elif isinstance(value, Body):
            found += (*value.params, *value.outputs)
    return tuple(found)


def _leaves_first(outputs: Sequence[Node]) -> list[Node]:
    """Every node that the listing must hold: those that mention none, then users after the used."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(node, False) for node in reversed(outputs)]
    while stack:
        node, entered = stack.pop()
        if entered:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((other, False) for other in reversed(_mentioned(node)))
    return sorted(order, key=lambda node: bool(_mentioned(node)))


def _list(values: Iterable[Any], names: dict[Node, str]) -> str:
    return ", ".join(_literal(value, names) for value in values)


def _literal(value: Any, names: dict[Node, str]) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case Node():
            return names[value]
        case bool() | None:
            return repr(value)
        case int() | float():
            return repr(value)
        case complex():
            return f"complex({value.real!r}, {value.imag!r})"
        case str():
            return json.dumps(value)
        case bytes():
            return f"hex'{value.hex()}'"
        case tuple():
            return f"({_list(value, names)}{',' if len(value) == 1 else ''})"
        case np.dtype() if value in SUPPORTED:
            return str(value.name)
        case ArrayType():
            return str(value)
        case TupleType():
            return f"tuple{{{_list(value.items, names)}}}"
        case OpaqueType():
            return f"operator{{{array_type(value.shape, value.dtype)}}}"
        case TapeType():
            return f"tape{{{value.step}}}"
        case Body():
            return f"body{{{_list((value.params, value.outputs), names)}}}"
    return f"<{type(value).__name__}>"


# ------------------------------------------------------------------------------- reading

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<bytes>hex'[0-9a-f]*')
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<node>%\d+)
    | (?P<number>-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf))
    | (?P<name>[A-Za-z_][\w.]*)
    | (?P<object><[^<>]*>)
    | (?P<mark>[()\[\]{},:=*])
    | (?P<comment>[#].*)
    )""",
    re.VERBOSE,
)


def parse(text: str) -> list[Node]:
    """The outputs of a graph written by `show`: the same nodes, where they still exist.

    Raises WengertValueError, naming the line, for what is not such a listing, and for objects that
    a listing cannot hold.
    """
    nodes: dict[str, Node] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            reader = _Reader(line, number, nodes)
            if reader.take("return"):
                return list(reader.nodes_until(""))
            reader.line()
    raise WengertValueError(
        "a listing of a graph ends with a line `return %1, …`; this one does not"
    )


class _Reader:
    """One line, read from left to right."""

    def __init__(self, line: str, number: int, nodes: dict[str, Node]) -> None:
        self.number = number
        self.nodes = nodes
        self.tokens = list(self._split(line))
        self.at = 0

    def _split(self, line: str) -> Iterator[tuple[str, str]]:
        position, end = 0, len(line.rstrip())
        while position < end:
            found = _TOKEN.match(line, position)
            if found is None:
                self.fail(f"cannot read {line[position:].strip()!r}")
            assert found.lastgroup is not None
            if found.lastgroup != "comment":
                yield found.lastgroup, found[found.lastgroup]
            position = found.end()
        yield "end", ""

    def fail(self, what: str) -> NoReturn:
        raise WengertValueError(f"line {self.number} of the listing: {what}")

    def next(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        self.at += token[0] != "end"
        return token

    def take(self, token: str) -> bool:
        """Whether the next token is this one, which is then passed."""
        found = self.tokens[self.at][1] == token
        self.at += found and token != ""
        return found

    def expect(self, token: str) -> None:
        if not self.take(token):
            self.fail(f"expected {token!r}, found {self.tokens[self.at][1]!r}")

    def line(self) -> None:
        kind, name = self.next()
        if kind != "node" or name in self.nodes:
            self.fail(f"expected a new name such as %{len(self.nodes)}, found {name!r}")
        self.expect("=")
        _, op_name = self.next()
        op = OPS.get(op_name)
        if op is None:
            self.fail(f"there is no op called {op_name!r}")
        params = tuple(self.values_until("]")) if self.take("[") else None
        self.expect("(")
        args = tuple(self.nodes_until(")"))
        self.expect(":")
        stated = self.value()
        inferred = op.infer(tuple(arg.type for arg in args), params)
        if inferred != stated:
            self.fail(f"{op_name} infers the type {inferred}, and the line says {stated}")
        if self.take("quiet"):
            with deriving():
                node = make(op, args, params, inferred)
        else:
            node = make(op, args, params, inferred)
        self.nodes[name] = node
        self.expect("")

    def values_until(self, end: str) -> Iterator[Any]:
        while not self.take(end):
            yield self.value()
            if not self.take(","):
                self.expect(end)
                return

    def nodes_until(self, end: str) -> Iterator[Node]:
        for value in self.values_until(end):
            if not isinstance(value, Node):
                self.fail(f"expected a node, found {value!r}")
            yield value

    def value(self) -> Any:
        kind, token = self.next()
        match kind:
            case "number":
                return int(token) if token.lstrip("-").isdigit() else float(token)
            case "bytes":
                return bytes.fromhex(token[4:-1])
            case "text":
                return json.loads(token)
            case "node" if token in self.nodes:
                return self.nodes[token]
            case "node":
                self.fail(f"{token} is used before the line that defines it")
            case "object":
                self.fail(f"it holds an object of type {token[1:-1]}, which text cannot hold")
            case "name" if token in _CONSTANTS:
                return _CONSTANTS[token]
            case "name" if token in _DTYPES:
                return self._array_type(_DTYPES[token]) if self.take("[") else _DTYPES[token]
            case "name" if token in _COMPOSED:
                return self._composed(token)
            case "mark" if token == "(":
                return tuple(self.values_until(")"))
        self.fail(f"expected a value, found {token!r}")

    def _array_type(self, dtype: Any) -> ArrayType:
        shape = tuple(self.values_until("]"))
        return array_type(shape, dtype, self.take("*"))

    def _composed(self, name: str) -> Any:
        opening, closing = _COMPOSED[name]
        self.expect(opening)
        parts = tuple(self.values_until(closing))
        if name == "complex":
            return complex(*parts)
        if name == "tuple":
            return TupleType(parts)
        if name == "tape":
            return TapeType(*parts)
        if name == "body":
            return Body(*parts)
        return OpaqueType(parts[0].shape, parts[0].dtype)


_COMPOSED = {
    "complex": ("(", ")"),
    **dict.fromkeys(("tuple", "operator", "tape", "body"), ("{", "}")),
}
