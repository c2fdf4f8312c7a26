"""Which arguments of a function an explanation traces, and which it passes as they are."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.tracing.trees import flatten, paths, unflatten

Key = int | str
"""An argument, by its position or by its keyword."""

_WHOLE = (int, "int", bool, "bool")


@dataclass(frozen=True, slots=True)
class Bound:
    """A function of those of its arguments alone that are traced.

    function, args: it, and their values. names: one for each leaf of these. held: name and value of
    the arguments that are passed as they are.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    names: tuple[str, ...]
    held: Mapping[str, Any]


def bindings(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    wrt: Collection[Key] | None = None,
) -> Iterator[Bound]:
    """The ways to take the arguments, each to be tried where the one before fails.

    Numbers and arrays are traced. Truth values, texts, None and the like are held, and whole
    numbers that the function declares to be `int`. Other whole numbers stand for floats first, and
    are held where the function cannot take such: as a count, an index, an axis.

    wrt: the arguments to trace, and no others.
    """
    given: dict[Key, Any] = {**dict(enumerate(args)), **kwargs}
    names = _names(f, args, kwargs)
    if wrt is not None:
        yield _bound(f, args, kwargs, names, [key for key in given if key not in wrt])
        return
    if all(map(_is_option, given.values())):
        yield _bound(f, args, kwargs, names, ())  # which says what can be traced
        return
    whole = _declared_whole(f, args, kwargs)
    held = [
        key for key, value in given.items() if _is_option(value) or (key in whole and _ints(value))
    ]
    yield _bound(f, args, kwargs, names, held)
    ints = [key for key, value in given.items() if key not in held and _ints(value)]
    if ints and len(ints) + len(held) < len(given):
        yield _bound(f, args, kwargs, names, [*held, *ints])


def _bound(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    names: Mapping[Key, str],
    held: Collection[Key],
) -> Bound:
    given: dict[Key, Any] = {**dict(enumerate(args)), **kwargs}
    chosen = [key for key in given if key not in held]
    leaves = tuple(names[key] + path for key in chosen for path in paths(given[key]))
    values = tuple(_as_floats(given[key]) for key in chosen)
    if len(chosen) == len(args) and not kwargs:
        return Bound(f, values, leaves, {})

    @functools.wraps(f)
    def of_chosen(*values: Any) -> Any:
        all_given = {**given, **dict(zip(chosen, values, strict=True))}
        positional = [all_given.pop(k) for k in range(len(args))]
        return f(*positional, **{str(key): value for key, value in all_given.items()})

    return Bound(
        of_chosen,
        values,
        leaves,
        {names[key]: given[key] for key in held},
    )


def _names(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[Key, str]:
    """A name for each argument: that of its parameter."""
    names: dict[Key, str] = {key: key for key in kwargs}
    found: list[str] = []
    try:
        signature = inspect.signature(f)
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                found += [f"{name}[{k}]" for k in range(len(value))]
            elif name not in kwargs and kind is not inspect.Parameter.VAR_KEYWORD:
                found.append(name)
    except (ValueError, TypeError):  # some built-in functions tell nothing; others will complain
        found = [f"x{k}" for k in range(1, len(args) + 1)]
    return names | dict(enumerate(found[: len(args)]))


def _declared_whole(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> set[Key]:
    """The arguments whose parameters are annotated as whole numbers or truth values."""
    try:
        parameters = inspect.signature(f).parameters
    except (ValueError, TypeError):
        return set()
    names = _names(f, args, kwargs)
    return {
        key
        for key, name in names.items()
        if name in parameters and parameters[name].annotation in _WHOLE
    }


def _is_option(value: Any) -> bool:
    """Whether an argument holds neither a number nor an array: a text, a truth value, None."""
    leaves = flatten(value)[0]
    return not any(_is_traced(leaf) for leaf in leaves)


def _is_traced(leaf: Any) -> bool:
    return not isinstance(leaf, bool | np.bool_) and (
        isinstance(leaf, int | float | complex | np.ndarray | np.generic)
        or hasattr(leaf, "__array__")
    )


def _as_floats(value: Any) -> Any:
    """Python's whole numbers as the floats that they stand for."""
    leaves, spec = flatten(value)
    if not any(type(leaf) is int for leaf in leaves):
        return value
    return unflatten(spec, [float(leaf) if type(leaf) is int else leaf for leaf in leaves])


def _ints(value: Any) -> bool:
    """Whether an argument holds whole numbers alone."""
    leaves = flatten(value)[0]
    return bool(leaves) and all(
        isinstance(leaf, int | np.integer) and not isinstance(leaf, bool) for leaf in leaves
    )
