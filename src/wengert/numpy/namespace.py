"""The functions of `wengert.numpy`: traced where an argument is traced, NumPy's own elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.graph.registry import NUMPY, UFUNCS
from wengert.numpy.ufuncs import array_ufunc
from wengert.tracing.tracer import FAST, Tracer, is_traced


class UFunc:
    """A ufunc whose call does not go through NumPy's dispatch when its argument is a tracer."""

    def __init__(self, ufunc: np.ufunc) -> None:
        functools.update_wrapper(self, ufunc, updated=())
        self._ufunc = ufunc
        self._fast = FAST.get(ufunc)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and self._fast is not None:
            for arg in args:
                if type(arg) is Tracer:
                    return self._fast(*args)
        if any(is_traced(arg) for arg in args):
            return array_ufunc(self._ufunc, "__call__", args, kwargs)
        return self._ufunc(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ufunc, name)

    def __repr__(self) -> str:
        return f"<ufunc {self._ufunc.__name__!r} of wengert.numpy>"


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
    return call


def public_names(module: ModuleType) -> dict[str, Any]:
    """What a NumPy module offers that can be traced, by name."""
    found: dict[str, Any] = {}
    for name in dir(module):
        value = getattr(module, name)
        if isinstance(value, np.ufunc):
            if value in UFUNCS or value in NUMPY:
                found[name] = UFunc(value)
        elif callable(value) and not isinstance(value, type) and value in NUMPY:
            found[name] = public(value, NUMPY[value])
    return found
