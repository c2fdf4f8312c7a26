"""Objects that stand for a function: they keep its name, bind as methods, copy and pickle as it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any


class Wrapped:
    """A callable made from a function, with its name, signature and documentation."""

    __name__: str
    __qualname__: str

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        """By name where the name leads here, as for a function under a decorator."""
        return self.__qualname__ if self._is_global() else self._made_from()

    def _is_global(self) -> bool:
        found: Any = sys.modules.get(getattr(self, "__module__", ""))
        for part in getattr(self, "__qualname__", "").split("."):
            found = getattr(found, part, None)
        return found is self

    def _made_from(self) -> tuple[Any, ...]:
        """What `__reduce__` returns for an object without a name of its own."""
        raise NotImplementedError
