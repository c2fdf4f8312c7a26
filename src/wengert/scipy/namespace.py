"""How a SciPy function gets an implementation on tracers, and how a module offers it.

    @implements(scipy.linalg.expm)
    def expm(A): ...

    globals().update(exposed(scipy.linalg, __name__))

The function has SciPy's signature. It is called when at least one argument is traced, or is a list
or tuple that holds a tracer; else SciPy's own is.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from wengert.errors import Unsupported
from wengert.graph.registry import NUMPY, UFUNCS
from wengert.numpy.dispatch import remembering
from wengert.numpy.namespace import public, public_ufunc

F = TypeVar("F", bound=Callable[..., Any])

REASONS: dict[Any, str] = {}
"""The SciPy functions that are refused by name, and why."""


def implements(*functions: Any) -> Callable[[F], F]:
    """Register the decorated function for SciPy functions."""

    def register(implementation: F) -> F:
        call = remembering(implementation)
        for function in functions:
            NUMPY[function] = call
        return implementation

    return register


def exposed(module: ModuleType, name: str) -> dict[str, Any]:
    """What the SciPy module offers that can be traced, by name, for our module called `name`."""
    found: dict[str, Any] = {}
    for key in getattr(module, "__all__", dir(module)):
        value = getattr(module, key)
        if isinstance(value, np.ufunc):
            if value in UFUNCS or value in NUMPY:
                found[key] = public_ufunc(value)
        elif callable(value) and not isinstance(value, type) and value in NUMPY:
            found[key] = public(value, NUMPY[value])
            found[key].__module__ = name
    return found


def refused(module: ModuleType, name: str, reasons: dict[str, str]) -> dict[str, Any]:
    """What the SciPy module offers that cannot be traced, by name: SciPy's own, but with an error
    that says why where an argument is traced."""
    found: dict[str, Any] = {}
    for key, reason in reasons.items():
        function = getattr(module, key)
        refusal = NUMPY.setdefault(function, _refusal(f"{module.__name__}.{key}", reason))
        REASONS[function] = reason
        found[key] = public(function, refusal)
        found[key].__module__ = name
    return found


def _refusal(function: str, reason: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Unsupported(
            f"{function} cannot be traced: {reason}. Call it on plain arrays, or wrap the code "
            "with wengert.primitive to state a derivative yourself"
        )

    return refuse
