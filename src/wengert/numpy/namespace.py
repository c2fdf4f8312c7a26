"""The functions of `wengert.numpy`: traced where an argument is traced, NumPy's own elsewhere."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.graph.registry import NUMPY, UFUNCS
from wengert.numpy.ufuncs import array_ufunc
from wengert.tracing.lifting import is_traced
from wengert.tracing.tracer import FAST, Tracer


def public_ufunc(ufunc: np.ufunc) -> Callable[..., Any]:
    """A ufunc whose call does not go through NumPy's dispatch when an argument is a tracer.

    It has the ufunc's attributes and methods (`reduce`, `at`, …).
    """
    fast = FAST.get(ufunc)
    others = ufunc.nin - 1

    def call(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        if fast is not None and len(args) == others and not kwargs:
            if type(x) is Tracer or any(type(arg) is Tracer for arg in args):
                return fast(x, *args)
        if is_traced(x) or any(is_traced(arg) for arg in args):
            return array_ufunc(ufunc, "__call__", (x, *args), kwargs)
        return ufunc(x, *args, **kwargs)

    functools.update_wrapper(call, ufunc, updated=())
    call.__doc__ = _without_examples(ufunc.__doc__)
    for name in dir(ufunc):
        if not name.startswith("_"):
            setattr(call, name, getattr(ufunc, name))
    return call


def public(function: Any, implementation: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function, or its implementation on tracers where an argument is traced."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(is_traced(arg) for arg in args) or (
            kwargs and any(is_traced(arg) for arg in kwargs.values())
        ):
            return implementation(*args, **kwargs)
        return function(*args, **kwargs)

    call.__module__ = "wengert.numpy"
    call.__doc__ = _without_examples(function.__doc__)
    return call


def _without_examples(doc: str | None) -> str | None:
    """NumPy's description of a function. The examples in it are NumPy's to test: the section is
    left out, and what remains loses its prompts."""
    if doc is None:
        return None
    text = re.split(r"\n *Examples\n *-+\n", doc)[0]
    return re.sub(r"(?m)^( *)(>>>|\.\.\.) ", r"\1    ", text)


def public_names(module: ModuleType) -> dict[str, Any]:
    """What a NumPy module offers that can be traced, by name."""
    found: dict[str, Any] = {}
    for name, value in vars(module).items():  # not dir: it would import NumPy's lazy submodules
        if name.startswith("_"):
            continue
        if isinstance(value, np.ufunc):
            if value in UFUNCS or value in NUMPY:
                found[name] = public_ufunc(value)
        elif callable(value) and not isinstance(value, type) and value in NUMPY:
            found[name] = public(value, NUMPY[value])
    return found
