"""A function with symbols in place of the arrays and numbers that it reads from outside.

`-y * (A @ x)` computes −y before anything traced is met, and a Python float has no name in the
graph. So the function is opened: its code runs with other globals, closure, defaults and `self`, in
which arrays and floats are what `replace` makes of them by name. The functions of its own module
that it calls are opened too. The function itself is left as it is.
"""

from __future__ import annotations

import copy
import functools
import re
import types
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from wengert.tracing.trees import flatten, paths, unflatten

Replace: TypeAlias = "Callable[[str, Any], Any]"

_MOST_LEAVES = 32
"""Structures of more arrays than this are left as they are."""


class Opened:
    """Opens functions; each function, module and array once."""

    __slots__ = ("_functions", "_globals", "_replace")

    def __init__(self, replace: Replace) -> None:
        self._replace = replace
        self._functions: dict[types.FunctionType, types.FunctionType] = {}
        self._globals: dict[int, dict[str, Any]] = {}

    def callable(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """What is called in place of f; f itself where it cannot be opened."""
        if isinstance(f, types.FunctionType):
            return self._function(f)
        if isinstance(f, functools.partial):
            keywords = {name: self._value(name, value) for name, value in f.keywords.items()}
            return functools.partial(self.callable(f.func), *f.args, **keywords)
        if isinstance(f, types.MethodType) and isinstance(f.__func__, types.FunctionType):
            return types.MethodType(self._function(f.__func__), self._object(f.__self__))
        wrapped = getattr(f, "__wrapped__", None)
        if wrapped is not None:  # `jit`: what is compiled does not matter here
            return self.callable(wrapped)
        call = getattr(type(f), "__call__", None)  # noqa: B004  (the function, not whether)
        if isinstance(call, types.FunctionType) and hasattr(f, "__dict__"):
            return types.MethodType(self._function(call), self._object(f))
        return f

    def _function(self, f: types.FunctionType) -> types.FunctionType:
        if f in self._functions:
            return self._functions[f]
        known = self._globals.get(id(f.__globals__))
        scope = self._globals.setdefault(id(f.__globals__), dict(f.__globals__))
        cells = tuple(types.CellType() for _ in f.__closure__ or ())
        opened = types.FunctionType(f.__code__, scope, f.__name__, None, cells)
        self._functions[f] = opened
        for name in _globals_of(f.__code__):
            if name in f.__globals__ and (known is None or known[name] is f.__globals__[name]):
                scope[name] = self._value(name, f.__globals__[name], f)
        for name, cell, old in zip(f.__code__.co_freevars, cells, f.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self._value(name, old.cell_contents, f)
            except ValueError:  # a variable that has no value yet
                continue
        parameters = f.__code__.co_varnames[: f.__code__.co_argcount]
        defaults = f.__defaults__ or ()
        named = zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True)
        opened.__defaults__ = tuple(self._value(name, value) for name, value in named) or None
        opened.__kwdefaults__ = {
            name: self._value(name, value) for name, value in (f.__kwdefaults__ or {}).items()
        }
        return opened

    def _object(self, owner: Any) -> Any:
        """An object like `self` with its attributes opened."""
        if isinstance(owner, type | types.ModuleType):
            return owner
        opened = copy.copy(owner)
        for name, value in vars(owner).items():
            object.__setattr__(opened, name, self._value(name, value))
        return opened

    def _value(self, name: str, value: Any, within: types.FunctionType | None = None) -> Any:
        if _is_number(value):
            return self._replace(name, value)
        if isinstance(value, types.FunctionType):
            is_own = within is not None and value.__globals__ is within.__globals__
            return self._function(value) if is_own else value
        if isinstance(value, dict | list | tuple):
            leaves, spec = flatten(value)
            if 0 < len(leaves) <= _MOST_LEAVES and all(map(_is_number, leaves)):
                names = leaf_names(name, paths(value))
                return unflatten(spec, list(map(self._replace, names, leaves)))
        return value


def _is_number(value: Any) -> bool:
    """Whether a value is a symbol in formulas: a float, or a real array. Ints are extents."""
    if isinstance(value, np.ndarray):
        return type(value) is np.ndarray and value.dtype.kind in "fiu" and value.size > 0
    return isinstance(value, float | np.floating)


def _globals_of(code: types.CodeType) -> Iterator[str]:
    """The names that a code object and the functions and comprehensions in it look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals_of(constant)


def leaf_names(name: str, places: list[str]) -> list[str]:
    """Names of the leaves of a structure: w for params['w'], params1 for params[1]."""
    names = []
    for place in places:
        keys = re.findall(r"\w+", place)
        if not keys:
            names.append(name)
        elif keys[-1].isdigit():
            names.append(name + keys[-1])
        else:
            names.append(keys[-1])
    return names


class Names:
    """Names that are each given once. taken: those that are."""

    __slots__ = ("_counts", "taken")

    def __init__(self) -> None:
        self.taken = {"π"}
        self._counts: dict[str, int] = {}

    def counted(self, letter: str) -> str:
        """A fresh name: z1, z2, …."""
        while True:
            self._counts[letter] = self._counts.get(letter, 0) + 1
            name = f"{letter}{self._counts[letter]}"
            if name not in self.taken:
                return name

    def unique(self, name: str) -> str:
        """The name, or one made from it, which nothing else has."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name
