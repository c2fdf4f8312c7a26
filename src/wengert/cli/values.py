"""A value on the command line: a literal, a call of NumPy's, or an array in a file.

A value may come from elsewhere (a form, another program), so nothing is evaluated but what stands
in the tables below: literals, arithmetic, constants, functions that make arrays or map them, a few
methods of arrays, and a seeded generator. There are no other names, no attributes, no files but
those that `@` names, and those are read without pickles.
"""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NUMPYS = """
arange array asarray diag eye full geomspace identity linspace logspace mgrid ones tri vander zeros
abs arccos arcsin arctan arctan2 ceil concatenate cos cosh cumsum deg2rad dot exp expm1 floor hstack
hypot kron log log10 log1p log2 mean meshgrid outer power prod radians repeat reshape round sin sinh
sqrt square stack std sum tan tanh tile transpose tril triu vstack where
bool_ complex64 complex128 float32 float64 int8 int16 int32 int64 uint8 uint64
"""
"""The functions and types of NumPy's that may be called: what makes arrays, and what maps them."""
CONSTANTS = {"e": np.e, "inf": np.inf, "nan": np.nan, "pi": np.pi, "euler_gamma": np.euler_gamma}
METHODS = {
    np.ndarray: "astype copy cumsum flatten max mean min ravel reshape round std sum transpose",
    np.random.Generator: (
        "choice exponential gamma integers lognormal multivariate_normal normal permutation "
        "poisson random standard_normal uniform"
    ),
}
PLAIN: dict[str, Any] = {
    **CONSTANTS, "abs": abs, "bool": bool, "complex": complex, "float": float, "int": int,
    "max": max, "min": min, "round": round,
}  # fmt: skip
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.MatMult: operator.matmul, ast.UAdd: operator.pos, ast.USub: operator.neg,
}  # fmt: skip
ANY = (int, float, complex, str, type(None), list, tuple, dict, np.ndarray, np.generic)
"""What a value may be."""
GREATEST_POWER = 10_000
"""Of whole numbers, whose digits would fill the memory."""


class BadValue(ValueError):
    """A text that is no value."""


def value_of(text: str) -> Any:
    """The value that a text means.

    Raises `BadValue`, which says what is wrong with it.

    >>> value_of("2"), value_of("[1, 2.5]"), value_of("int(3)"), value_of("2 * pi")
    (2.0, array([1. , 2.5]), 3, 6.283185307179586)
    >>> value_of("np.linspace(0, 1, 3)")
    array([0. , 0.5, 1. ])
    >>> value_of("open('secrets')")
    Traceback (most recent call last):
    wengert.cli.values.BadValue: there is no 'open' here
    """
    text = text.strip()
    if text.startswith("@"):
        return _from_file(text[1:].strip("'\""))
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise BadValue("this is no Python expression") from error
    try:
        return as_float(tree, _value(tree))
    except BadValue:
        raise
    except RecursionError as error:
        raise BadValue("it is nested too deeply") from error
    except Exception as error:
        raise BadValue(f"{type(error).__name__}: {error}") from error


def as_float(tree: ast.AST, value: Any) -> Any:
    """What is written as a whole number, or as a list of numbers, means floats, in structures too;
    what a call makes keeps its type."""
    if isinstance(tree, ast.Call | ast.Subscript | ast.Attribute) and isinstance(value, ANY):
        return value
    if isinstance(tree, ast.List):
        parts = [as_float(a, b) for a, b in zip(tree.elts, value, strict=True)]
        return _as_array(parts)
    if isinstance(tree, ast.Tuple):
        return tuple(as_float(a, b) for a, b in zip(tree.elts, value, strict=True))
    if isinstance(tree, ast.Dict):
        pairs = zip(tree.values, value.items(), strict=True)
        return {key: as_float(part, one) for part, (key, one) in pairs}
    if isinstance(value, list):  # [0, 1] * 3
        return _as_array([float(part) if type(part) is int else part for part in value])
    if not isinstance(value, ANY):
        raise BadValue(f"{ast.unparse(tree)} is no number, text or array")
    return float(value) if type(value) is int else value


def _as_array(parts: list[Any]) -> Any:
    """An array of numbers; a list where they are no array."""
    kinds = {np.asarray(part).dtype.kind for part in parts if not isinstance(part, list | dict)}
    shapes = {np.shape(part) for part in parts if not isinstance(part, list | dict | tuple)}
    nested = any(isinstance(part, list | dict | tuple) for part in parts)
    if nested or not kinds <= set("biufc") or len(shapes) > 1:
        return parts
    return np.array(parts)


def _from_file(name: str) -> Any:
    """`@file.npy`, or `@file.npz:name`."""
    path, colon, key = name.rpartition(":")
    if not colon or not path.endswith(".npz"):
        path, key = name, ""
    try:
        found = np.load(Path(path).expanduser(), allow_pickle=False)
    except FileNotFoundError as error:
        raise BadValue(f"there is no file {path}") from error
    except (OSError, ValueError, EOFError, RuntimeError) as error:
        raise BadValue(f"{path} is no file of NumPy's arrays (.npy, .npz)") from error
    if isinstance(found, np.ndarray):
        return found
    with found:
        names = list(found)
        if not key and len(names) == 1:
            (key,) = names
        if key not in names:
            there = ", ".join(names)
            raise BadValue(
                f"{path} has no array {key!r}: it has {there}" if key
                else f"{path} has several arrays: write @{path}:NAME with one of {there}"
            )  # fmt: skip
        return found[key]


# ------------------------------------------------------------------------------ the evaluation


def _value(tree: ast.AST) -> Any:
    match tree:
        case ast.Constant(value):
            if isinstance(value, bytes) or value is Ellipsis:
                raise BadValue(f"{ast.unparse(tree)} is no number, text or list")
            return value
        case ast.UnaryOp(op, operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(operand))
        case ast.BinOp(left, ast.Pow(), right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left), _value(right))
        case ast.List(parts):
            return [_value(part) for part in parts]
        case ast.Tuple(parts):
            return tuple(_value(part) for part in parts)
        case ast.Dict(keys, values) if None not in keys:
            names = [_value(key) for key in keys if key is not None]
            if len(set(names)) < len(names):
                raise BadValue("a name is given twice in a dictionary")
            return dict(zip(names, map(_value, values), strict=True))
        case ast.Name(name):
            if name not in PLAIN:
                raise BadValue(f"there is no {name!r} here" + _quoted(name))
            return PLAIN[name]
        case ast.Attribute(owner, name):
            return _attribute(owner, name)
        case ast.Call(function, arguments, keywords):
            return _value(function)(
                *map(_value, arguments),
                **{one.arg: _value(one.value) for one in keywords if one.arg is not None},
            )
        case ast.Subscript(owner, index):
            return _value(owner)[_index(index)]
    raise BadValue(f"{ast.unparse(tree)} is not allowed in a value")


def _quoted(name: str) -> str:
    return "" if hasattr(builtins, name) else f" (a text is written in quotes: '{name}')"


def _attribute(owner: ast.AST, name: str) -> Any:
    dotted = f"{ast.unparse(owner)}.{name}"
    if isinstance(owner, ast.Name) and owner.id in ("np", "numpy"):
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in NUMPYS.split():
            return getattr(np, name)
        raise BadValue(f"{dotted} is not among the functions of NumPy's that a value may call")
    if dotted in ("np.random.default_rng", "numpy.random.default_rng"):
        return np.random.default_rng
    value = _value(owner)
    for kind, methods in METHODS.items():
        if isinstance(value, kind) and name in methods.split():
            return getattr(value, name)
    if isinstance(value, np.ndarray | np.generic) and name in ("T", "real", "imag"):
        return getattr(value, name)
    raise BadValue(f"{dotted} is not allowed in a value")


def _index(tree: ast.AST) -> Any:
    match tree:
        case ast.Slice(lower, upper, step):
            return slice(*(None if one is None else _value(one) for one in (lower, upper, step)))
        case ast.Tuple(parts):
            return tuple(map(_index, parts))
    return _value(tree)


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > GREATEST_POWER:
        raise BadValue(f"{exponent} is too great an exponent of a whole number")
    return base**exponent
