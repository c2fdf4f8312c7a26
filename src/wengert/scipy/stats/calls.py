"""Distributions as people call them: `norm.logpdf(x, loc, scale)`, `norm(loc, scale).logpdf(x)`.

A method is SciPy's own where nothing is traced, and `Distribution.traced` where something is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from wengert.errors import Unsupported
from wengert.tracing.lifting import is_traced


class Distribution:
    """A distribution of SciPy's, some of whose methods are traced."""

    def __init__(self, original: Any, name: str) -> None:
        self.original = original
        self.name = name
        self.__doc__ = f"`scipy.stats.{name}`, whose densities and probabilities are traced."

    def __repr__(self) -> str:
        return f"<wengert.scipy.stats.{self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        """The distribution with these parameters."""
        return Frozen(self, args, kwargs)

    freeze = __call__

    def traced(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """A method on arguments of which one is traced."""
        raise NotImplementedError

    def __getattr__(self, method: str) -> Any:
        if method.startswith("__"):
            raise AttributeError(method)
        original = getattr(self.original, method)
        if not callable(original) or method.startswith("_"):
            return original

        def call(*args: Any, **kwargs: Any) -> Any:
            if any(map(is_traced, args)) or any(map(is_traced, kwargs.values())):
                return self.traced(method, *args, **kwargs)
            return original(*args, **kwargs)

        call.__name__, call.__doc__ = method, original.__doc__
        return call

    def refuse(self, method: str, able: Sequence[str]) -> NoReturn:
        """Say that a method is not traced, and what can be done."""
        if method == "rvs":
            raise Unsupported(
                f"scipy.stats.{self.name}.rvs cannot be traced; wengert.random draws numbers that "
                "are differentiable functions of their parameters"
            )
        raise Unsupported(
            f"scipy.stats.{self.name}.{method} cannot be traced; {', '.join(able)} can. Wrap the "
            "call with wengert.primitive to state its derivative yourself"
        )


class Frozen:
    """A distribution with its parameters, some of which may be traced."""

    def __init__(self, dist: Distribution, args: tuple[Any, ...], kwds: dict[str, Any]) -> None:
        self.dist = dist
        self.args = args
        self.kwds = kwds
        self._original: Any = None
        if not any(map(is_traced, (*args, *kwds.values()))):
            self._original = dist.original(*args, **kwds)

    def __repr__(self) -> str:
        return f"<frozen {self.dist!r}>"

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        if self._original is None:
            found = getattr(self.dist, method)
            bound = found
        else:
            found, bound = getattr(self._original, method), getattr(self.dist, method, None)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            traced = any(map(is_traced, (*args, *kwargs.values())))
            if self._original is not None and not traced:
                return found(*args, **kwargs)
            return bound(*args, *self.args, **kwargs, **self.kwds)

        call.__name__ = method
        return call
