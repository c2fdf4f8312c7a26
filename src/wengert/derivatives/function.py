"""What `grad` and its kin return: a function of the same name that binds, pickles and documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.errors import WengertTypeError
from wengert.tracing.wrapping import Wrapped


class DerivativeFunction(Wrapped):
    """A function made from another one by a transformation.

    transform: (function, options, args, kwargs) -> result; a module-level function, so that this
        object pickles when the function does.
    options: what the transformation was asked for, and its public `name`.
    """

    def __init__(
        self,
        transform: Callable[..., Any],
        function: Callable[..., Any],
        options: dict[str, Any],
    ) -> None:
        if not callable(function):
            name = options["name"]
            raise WengertTypeError(
                f"{name} needs a function as its first argument, not {type(function).__name__}: "
                f"write {name}(f)(x), not {name}(f(x))"
            )
        super().__init__(function)
        self._transform = transform
        self._function = function
        self._options = options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._transform(self._function, self._options, args, kwargs)

    def _made_from(self) -> tuple[Any, ...]:
        return DerivativeFunction, (self._transform, self._function, self._options)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", repr(self._function))
        return f"<{self._options['name']} of {name}>"
