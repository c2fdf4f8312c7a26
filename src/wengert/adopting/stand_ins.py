"""What stands for NumPy, math, SciPy and their functions in a module that is adopted.

A stand-in is the original where nothing is traced: a module of the same name and attributes, a
function of the same name and documentation. How much it replaces depends on what the module does
(`Parts`), since each replaced function costs a little when nothing is traced.
"""

from __future__ import annotations

import cmath
import enum
import functools
import inspect
import math
import pkgutil
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from wengert.adopting.arrays import conversions, fresh_arrays
from wengert.adopting.mathematics import numbers
from wengert.graph.registry import FUNCTIONS, NUMPY, UFUNCS
from wengert.lazy import module
from wengert.numpy.creation import INSIDE_TRACES
from wengert.numpy.namespace import public, public_ufunc
from wengert.tracing.session import collector


class Parts(enum.Flag):
    """What is replaced in a module.

    CONVERSIONS: functions that make arrays of what they are given, `math`, and SciPy's functions.
    ARRAYS: functions that make arrays to which the module assigns.
    LISTS: all functions, since they are given lists of traced values, and SciPy's classes and
        distributions, whose own code is adopted otherwise.
    CASTS: calls of `float`, `complex` and NumPy's scalar types.
    """

    CONVERSIONS = enum.auto()
    ARRAYS = enum.auto()
    LISTS = enum.auto()
    CASTS = enum.auto()
    NOTHING = 0
    ALL = CONVERSIONS | ARRAYS | LISTS | CASTS


_keep: list[Any] = []
_originals: dict[int, Any] = {}


def original(value: Any) -> Any:
    """What a stand-in stands for; anything else is itself."""
    return _originals.get(id(value), value)


def _register(stand_in: Any, real: Any) -> Any:
    _originals[id(stand_in)] = real
    _keep.append(stand_in)  # so that its id is never another object's
    return stand_in


class StandIn(ModuleType):
    """A module with some of its names replaced. What is assigned to it is assigned to both."""

    def __init__(self, real: ModuleType, replaced: dict[str, Any], later: Callable[[Any], Any]):
        super().__init__(real.__name__, real.__doc__)
        names = {**vars(real), **replaced}
        if real.__name__ == "scipy":  # its modules are replaced when they are asked for
            names = {k: v for k, v in names.items() if not isinstance(v, ModuleType)}
        names.pop("__getattr__", None)  # a module's own: it would come before ours
        vars(self).update(names)
        vars(self)["__wengert__"] = (real, later)

    def __getattr__(self, name: str) -> Any:
        real, later = vars(self)["__wengert__"]
        return later(getattr(real, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(vars(self)["__wengert__"][0], name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        delattr(vars(self)["__wengert__"][0], name)
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return dir(vars(self)["__wengert__"][0])


_NUMPY_MODULES = (np, np.linalg, np.fft)


class Table:
    """The stand-ins for some parts."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._found: dict[int, tuple[Any, Any]] = {}
        for real, ours in _functions(parts).items():
            self._found[id(real)] = (real, ours)

    def stand_for(self, value: Any) -> Any:
        """What stands for a value of a module: for most, the value itself."""
        value = original(value)
        found = self._found.get(id(value))
        if found is not None:
            return found[1]
        if isinstance(value, ModuleType):
            return self._module(value)
        if isinstance(value, FunctionType | BuiltinFunctionType) or (
            self._has_lists and isinstance(value, np.ufunc | type)
        ):
            name = _scipy_module(value)
            if name is not None:
                self._teach(name)
                return self._found.get(id(value), (value, value))[1]
        return value

    def _module(self, real: ModuleType) -> Any:
        name = real.__name__
        if real in (math, cmath) or real is np or (real in _NUMPY_MODULES and self._has_lists):
            replaced = self._replaced(real)
            if real is np and self._has_lists:
                replaced |= {m.__name__[6:]: self.stand_for(m) for m in _NUMPY_MODULES[1:]}
        elif name == "scipy":
            replaced = {}
        elif name.startswith("scipy.") and name.partition(".")[2] in _our_scipy():
            self._teach(name.partition(".")[2])
            replaced = self._replaced(real)
        else:
            return real
        stand_in = _clone(real, replaced, self.stand_for) if replaced or name == "scipy" else real
        self._found[id(real)] = (real, stand_in)
        return stand_in

    @property
    def _has_lists(self) -> bool:
        return Parts.LISTS in self.parts

    def _replaced(self, real: ModuleType) -> dict[str, Any]:
        found = ((name, self._found.get(id(value))) for name, value in vars(real).items())
        return {name: known[1] for name, known in found if known is not None}

    def _teach(self, name: str) -> None:
        """Know what `wengert.scipy.<name>` offers."""
        if name not in _our_scipy():
            return
        for real, ours in _of_scipy(name).items():
            if self._has_lists or isinstance(real, FunctionType | BuiltinFunctionType):
                self._found.setdefault(id(real), (real, ours))


@functools.cache
def table(parts: Parts) -> Table:
    """The stand-ins for these parts."""
    return Table(parts)


_clones: dict[Any, StandIn] = {}


def _clone(real: ModuleType, replaced: dict[str, Any], later: Callable[[Any], Any]) -> StandIn:
    """The stand-in of a module; tables that replace the same share it."""
    key = (id(real), *sorted((name, id(value)) for name, value in replaced.items()))
    if real.__name__ == "scipy":
        key = (id(real), later)
    if key not in _clones:
        _clones[key] = _register(StandIn(real, replaced, later), real)
    return _clones[key]


# ------------------------------------------------------------------------- NumPy's and math's


@functools.cache
def _conversions() -> dict[Any, Any]:
    return {
        real: _like(ours, real, "converting") for real, ours in (conversions() | numbers()).items()
    }


@functools.cache
def _fresh_arrays() -> dict[Any, Any]:
    return {real: _like(ours, real, "assigning") for real, ours in fresh_arrays().items()}


def _inside_traces(real: Any, ours: Callable[..., Any]) -> Callable[..., Any]:
    """Ours where anything is traced: it looks at all that it is given."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return ours(*args, **kwargs) if collector.depth else real(*args, **kwargs)

    return call


@functools.cache
def _of_lists() -> dict[Any, Any]:
    """All functions that have an implementation: NumPy itself asks no list what it holds."""
    found = {}
    for space in _NUMPY_MODULES:
        for value in vars(space).values():
            if isinstance(value, np.ufunc):
                if value in UFUNCS or value in NUMPY:
                    ours = public_ufunc(value)
                    call = _like(_inside_traces(value, ours), value, "listing")
                    vars(call).update(vars(ours))
                    found[value] = call
            elif callable(value) and not isinstance(value, type) and value in NUMPY:
                if value.__name__ not in INSIDE_TRACES:
                    call = _inside_traces(value, public(value, NUMPY[value]))
                    found[value] = _like(call, value, "listing")
    return found


def _functions(parts: Parts) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    if Parts.LISTS in parts:
        found |= _of_lists()
    if Parts.CONVERSIONS in parts:
        found |= _conversions()
    if Parts.ARRAYS in parts:
        found |= _fresh_arrays()
    return found


def _like(stand_in: Any, real: Any, where: str) -> Any:
    """The stand-in with the name and documentation of the original. It pickles by the name under
    which `__getattr__` below finds it."""
    functools.update_wrapper(stand_in, real, updated=()) if not isinstance(stand_in, type) else None
    stand_in.__module__ = __name__
    stand_in.__qualname__ = f"{where}.{_home(real)}.{real.__name__}"
    if "__wrapped__" in vars(stand_in) and not _has_signature(real):
        del stand_in.__wrapped__
    return _register(stand_in, real)


def _home(real: Any) -> str:
    for space in (math, cmath, *_NUMPY_MODULES):
        if getattr(space, real.__name__, None) is real:
            return space.__name__.replace(".", "_")
    return "elsewhere"


def _has_signature(real: Any) -> bool:
    try:
        return bool(inspect.signature(real))
    except (TypeError, ValueError):
        return False


class _Shelf:
    """The stand-ins of one kind, by the module and name of what they stand for."""

    def __init__(self, functions: dict[Any, Any]) -> None:
        for real, ours in functions.items():
            home = _home(real)
            if not hasattr(self, home):
                setattr(self, home, type(home, (), {}))
            setattr(getattr(self, home), real.__name__, staticmethod(ours))


_SHELVES = {"converting": _conversions, "assigning": _fresh_arrays, "listing": _of_lists}


def __getattr__(name: str) -> Any:
    """The shelves, where pickled stand-ins are looked for."""
    if name not in _SHELVES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = _Shelf(_SHELVES[name]())
    return globals()[name]


# ----------------------------------------------------------------------------------- SciPy's


@functools.cache
def _our_scipy() -> frozenset[str]:
    return frozenset(
        found.name for found in pkgutil.iter_modules(module("wengert.scipy").__path__)
    ) - {"namespace"}


def _scipy_module(value: Any) -> str | None:
    """`linalg` for a function of scipy.linalg, wherever inside it is defined."""
    if type(value) is np.ufunc:
        return None if getattr(np, value.__name__, None) is value else "special"
    package, _, rest = (getattr(value, "__module__", None) or "").partition(".")
    return rest.partition(".")[0] or None if package == "scipy" else None


@functools.cache
def _of_scipy(name: str) -> dict[Any, Any]:
    """What of SciPy's module `wengert.scipy.<name>` has something of its own for."""
    theirs, ours = module(f"scipy.{name}"), module(f"wengert.scipy.{name}")
    found = {}
    for key, value in vars(ours).items():
        real = getattr(theirs, key, None) if not key.startswith("_") else None
        if callable(real) and real is not value and not isinstance(value, ModuleType):
            found[real] = _register(value, real)
    return found


@functools.cache
def scipy_codes(name: str) -> frozenset[CodeType]:
    """The code of the functions of SciPy's module for which `wengert.scipy.<name>` has its own."""
    if name not in _our_scipy():
        return frozenset()
    functions = map(inspect.unwrap, (f for f in _of_scipy(name) if isinstance(f, FunctionType)))
    return frozenset(f.__code__ for f in functions if isinstance(f, FunctionType))


def _array_namespace(x: Any, *, api_version: str | None = None) -> Any:
    """The namespace for a traced array, by the array API standard: NumPy's, which NumPy 2 made
    conform, with all of it for traced arrays too."""
    return table(Parts.ALL).stand_for(np)


FUNCTIONS.setdefault("__array_namespace__", _array_namespace)
