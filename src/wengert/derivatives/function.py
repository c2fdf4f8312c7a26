"""What `grad` and its kin return: a function of the same name that binds, pickles and documents."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any

from wengert.errors import WengertTypeError


class DerivativeFunction:
    """A function made from another one by a transformation.

    transform: (function, options, args, kwargs) -> result; a module-level function, so that this
        object pickles when the function does.
    """

    def __init__(
        self,
        transform: Callable[..., Any],
        function: Callable[..., Any],
        options: dict[str, Any],
    ) -> None:
        if not callable(function):
            raise WengertTypeError(
                f"{transform.__name__.strip('_')} needs a function as its first argument, not "
                f"{type(function).__name__}: write grad(f)(x), not grad(f(x))"
            )
        functools.update_wrapper(self, function)
        self._transform = transform
        self._function = function
        self._options = options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._transform(self._function, self._options, args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return DerivativeFunction, (self._transform, self._function, self._options)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", repr(self._function))
        return f"<{self._transform.__name__.strip('_')} of {name}>"
