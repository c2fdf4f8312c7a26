"""The names of a module, replaced by stand-ins and put back.

What is reached: global names; values of global dicts and lists; attributes of the module's classes;
defaults and closures of its functions and methods, and of what they wrap; imports inside functions;
calls of number types. What is put back is what nobody has changed since.
"""

from __future__ import annotations

import builtins
import dis
import gc
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from wengert.adopting.code import CALLED, CALLED_SCALARS, codes, with_own_calls
from wengert.adopting.importing import replace_imports
from wengert.adopting.pythons import CASTS, QUESTIONS, scalars
from wengert.adopting.stand_ins import Parts, Table, original

_ABSENT = object()

SERVING = frozenset({"wengert", "numpy", "optree", "opt_einsum", "builtins", "llvmlite"})
"""Packages by which adopted modules are served: they are never adopted themselves."""


class Changes:
    """What was changed, and how it is put back."""

    def __init__(self) -> None:
        self.count = 0
        self._undo: list[Callable[[], object]] = []

    def item(self, holder: Any, key: Any, new: Any) -> None:
        """Set an item of a dict or list."""
        is_dict = isinstance(holder, dict)
        old = holder.get(key, _ABSENT) if is_dict else holder[key]

        def undo() -> None:
            if is_dict and holder.get(key) is new and old is _ABSENT:
                del holder[key]
            elif (holder.get(key) if is_dict else key < len(holder) and holder[key]) is new:
                holder[key] = old

        holder[key] = new
        self._add(undo)

    def attribute(self, holder: Any, name: str, old: Any, new: Any) -> None:
        """Set an attribute, which has the value `old`."""

        def undo() -> None:
            now = vars(holder).get(name) if isinstance(holder, type) else getattr(holder, name)
            if now is new or now == new:
                setattr(holder, name, old)

        setattr(holder, name, new)
        self._add(undo)

    def called(self, undo: Callable[[], object]) -> None:
        """Something else that was changed, and is put back by a call."""
        self._add(undo)

    def _add(self, undo: Callable[[], object]) -> None:
        self.count += 1
        self._undo.append(undo)

    def revert(self) -> None:
        """Put everything back, the last first."""
        while self._undo:
            self._undo.pop()()


def replace(
    names: dict[str, Any], table: Table, running: Iterable[CodeType] = (), also: Iterable[Any] = ()
) -> Changes:
    """Replace what the globals `names` and the functions that have them refer to.

    running: code that is under way, whose functions may be reached by no name. also: functions that
        are treated as if the module had a name for them.
    """
    changes = Changes()
    for name, value in list(names.items()):
        if name.startswith("__") and name.endswith("__"):
            continue
        new = table.stand_for(value)
        if new is not value:
            changes.item(names, name, new)
        elif type(value) is dict:
            _replace_items(value, value.items(), table, changes)
        elif type(value) is list:
            _replace_items(value, enumerate(value), table, changes)
    functions = dict.fromkeys(_functions(names, table, changes))
    for function in also:
        functions.update(dict.fromkeys(_unwrapped(function)))
    functions.update(dict.fromkeys(_functions_of(list(running))))
    for function in functions:
        _replace_in_function(function, table, changes)
    _shadow(names, table, list(functions), changes)
    return changes


def _replace_items(
    holder: Any, items: Iterable[tuple[Any, Any]], table: Table, changes: Changes
) -> None:
    for key, value in list(items):
        new = table.stand_for(value)
        if new is not value:
            changes.item(holder, key, new)


# ------------------------------------------------------------------------- classes, functions


def _functions(names: dict[str, Any], table: Table, changes: Changes) -> Iterator[FunctionType]:
    """The functions and methods of a module; attributes of its classes are replaced meanwhile."""
    seen: set[int] = set()
    for value in list(names.values()):
        if isinstance(value, type):
            yield from _of_class(value, names, table, changes, seen)
        else:
            for function in _unwrapped(value):
                package = str(function.__globals__.get("__name__", "")).partition(".")[0]
                if package not in SERVING or function.__globals__ is names:
                    yield function


def _of_class(
    cls: type, names: dict[str, Any], table: Table, changes: Changes, seen: set[int]
) -> Iterator[FunctionType]:
    if id(cls) in seen or cls.__module__ != names.get("__name__"):
        return
    seen.add(id(cls))
    for name, value in list(vars(cls).items()):
        if isinstance(value, type):
            yield from _of_class(value, names, table, changes, seen)
            continue
        inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        new = table.stand_for(inner)
        if new is not inner and not name.startswith("__"):
            # a function of ours would bind to the instance, where NumPy's do not
            bound = new if isinstance(new, ModuleType | type) else staticmethod(new)
            changes.attribute(cls, name, value, bound)
        parts = (value.fget, value.fset, value.fdel) if isinstance(value, property) else (inner,)
        for part in parts:
            yield from _unwrapped(part)


def _unwrapped(value: Any) -> Iterator[FunctionType]:
    """A function, and those that it was made from by decorators."""
    seen = 0
    while value is not None and seen < 20:
        if isinstance(value, FunctionType):
            yield value
        value = getattr(value, "__dict__", {}).get("__wrapped__")
        seen += 1


def _functions_of(running: list[CodeType]) -> Iterator[FunctionType]:
    """All functions that have one of these codes."""
    for found in gc.get_referrers(*running) if running else ():
        if isinstance(found, FunctionType):
            yield from _unwrapped(found)


def _replace_in_function(function: FunctionType, table: Table, changes: Changes) -> None:
    defaults = function.__defaults__
    if defaults:
        new = tuple(map(table.stand_for, defaults))
        if any(a is not b for a, b in zip(new, defaults, strict=True)):
            changes.attribute(function, "__defaults__", defaults, new)
    if function.__kwdefaults__:
        _replace_items(function.__kwdefaults__, function.__kwdefaults__.items(), table, changes)
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        stand_in = table.stand_for(value)
        if stand_in is not value:
            changes.attribute(cell, "cell_contents", value, stand_in)


# ------------------------------------------------------------- builtins and imports inside


def _shadow(
    names: dict[str, Any], table: Table, functions: list[FunctionType], changes: Changes
) -> None:
    """What the code itself uses: questions of types, calls of types, imports."""
    mine = [f for f in functions if f.__globals__ is names]
    found = [code for function in mine for code in codes(function.__code__)]
    used = {name for code in found for name in code.co_names}
    if Parts.CONVERSIONS in table.parts:
        for name, question in QUESTIONS.items():
            if name in used and name not in names:
                changes.item(names, name, question)
    if Parts.CASTS in table.parts:
        _replace_casts(names, mine, changes)
    if any(_imports(code) for code in found):
        before = replace_imports(names, table)
        if before is not table:
            changes.called(lambda: replace_imports(names, before))


def _imports(code: CodeType) -> bool:
    """Whether code imports what has stand-ins."""
    packages = {name.partition(".")[0] for name in code.co_names}
    return not packages.isdisjoint(("numpy", "math", "cmath", "scipy")) and any(
        step.opname == "IMPORT_NAME" for step in dis.get_instructions(code)
    )


def _replace_casts(names: dict[str, Any], functions: list[FunctionType], changes: Changes) -> None:
    # Where all modules find them: a call that is under way may need them after they are given back.
    vars(builtins).update({CALLED[name]: cast for name, cast in CASTS.items()})
    vars(builtins)[CALLED_SCALARS] = scalars
    numpy = frozenset(name for name, value in names.items() if original(value) is np)
    shadowed = frozenset(CALLED).intersection(names)
    for function in functions:
        code = function.__code__
        new = with_own_calls(code, numpy, shadowed)
        if new is not code:
            changes.attribute(function, "__code__", code, new)
