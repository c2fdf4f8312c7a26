"""What `grad` and its kin return: a function of the same name that binds, pickles and documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.execution.retrying import retried
from wengert.tracing.wrapping import Wrapped


def check_argnums(argnums: Any, what: str) -> None:
    """An error where argnums are no positions: where the arguments themselves are given, say."""
    numbers = argnums if isinstance(argnums, tuple | list | range) else (argnums,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise WengertTypeError(
                f"argnums of {what} must be an int or a tuple of ints, not {argnums!r:.80}; the "
                f"derivative at a point x is {what}(f)(x)"
            )


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
        if "argnums" in options:
            check_argnums(options["argnums"], options["name"])
        super().__init__(function)
        self._transform = transform
        self._function = function
        self._options = options

    @retried
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._transform(self._function, self._options, args, kwargs)

    @property
    def options(self) -> dict[str, Any]:
        """What the transformation was asked for, and its public `name`."""
        return dict(self._options)

    def _made_from(self) -> tuple[Any, ...]:
        return DerivativeFunction, (self._transform, self._function, self._options)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", repr(self._function))
        return f"<{self._options['name']} of {name}>"
