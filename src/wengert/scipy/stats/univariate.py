"""Distributions as people call them: `norm.logpdf(x, loc, scale)`, `norm(loc, scale).logpdf(x)`.

A method is SciPy's own where nothing is traced, and made of the declaration of the distribution
(`laws.Law`) where something is. Everything is computed in float64, as SciPy does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import stats

from wengert.errors import Unsupported, WengertTypeError
from wengert.graph.node import deriving
from wengert.graph.registry import find
from wengert.graph.types import FLOAT
from wengert.numpy.dispatch import nodes
from wengert.scipy.stats import laws
from wengert.scipy.stats.continuous import CONTINUOUS
from wengert.scipy.stats.discrete import DISCRETE
from wengert.scipy.stats.laws import Law
from wengert.tracing.lifting import is_traced
from wengert.tracing.tracer import Tracer

Rule = Callable[..., Any]

OF_NUMBERS: dict[str, Rule] = {
    **dict.fromkeys(("pdf", "logpdf"), laws.density),
    **dict.fromkeys(("cdf", "logcdf", "sf", "logsf"), laws.probability),
    **dict.fromkeys(("ppf", "isf"), laws.quantile),
}
OF_WHOLE_NUMBERS: dict[str, Rule] = {
    **dict.fromkeys(("pmf", "logpmf"), laws.mass),
    **dict.fromkeys(("cdf", "logcdf", "sf", "logsf"), laws.whole_probability),
}
"""The methods that are traced, and what computes them."""


class Univariate:
    """A distribution of SciPy's whose densities and probabilities are traced."""

    def __init__(self, original: Any, law: Law, rules: dict[str, Rule], name: str) -> None:
        self.original = original
        self.law = law
        self.rules = rules
        self.name = name
        shapes = original.shapes.replace(" ", "").split(",") if original.shapes else []
        self.parameters = (*shapes, "loc", "scale") if "pdf" in rules else (*shapes, "loc")
        self.__doc__ = f"`scipy.stats.{name}`, whose densities and probabilities are traced."

    def __repr__(self) -> str:
        return f"<wengert.scipy.stats.{self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        """The distribution with these parameters."""
        return Frozen(self, args, kwargs)

    freeze = __call__

    def __getattr__(self, method: str) -> Any:
        if method.startswith("__"):
            raise AttributeError(method)
        original = getattr(self.original, method)
        if not callable(original) or method.startswith("_"):
            return original

        def call(*args: Any, **kwargs: Any) -> Any:
            if any(map(is_traced, args)) or any(map(is_traced, kwargs.values())):
                return self._traced(method, *args, **kwargs)
            return original(*args, **kwargs)

        call.__name__, call.__doc__ = method, original.__doc__
        return call

    def _traced(self, method: str, *args: Any, **kwargs: Any) -> Any:
        rule = self.rules.get(method)
        if rule is None or (
            (method in laws.AT_ENDS or rule is laws.quantile) and (self.law.rule(method) is None)
        ):
            raise Unsupported(self._refusal(method))
        x, *shapes, loc, scale = self._values(method, args, kwargs)
        with deriving():  # outside the support nothing warns, as in SciPy
            return rule(self.law, method, x, shapes, loc, scale)

    def _refusal(self, method: str) -> str:
        if method == "rvs":
            return (
                f"scipy.stats.{self.name}.rvs cannot be traced; wengert.random draws numbers that "
                "are differentiable functions of their parameters"
            )
        able = [m for m in self.rules if m[-3:] in ("pdf", "pmf") or self.law.rule(m) is not None]
        return (
            f"scipy.stats.{self.name}.{method} cannot be traced; {', '.join(able)} can. Wrap the "
            "call with wengert.primitive to state its derivative yourself"
        )

    def _values(self, method: str, args: Any, kwargs: Any) -> list[Tracer]:
        """The point, the shapes, location and scale, in float64."""
        point = next((n for n in ("x", "k", "q") if n in kwargs and n not in self.parameters), "x")
        names = (point, *self.parameters)
        if len(args) > len(names):
            raise WengertTypeError(
                f"{self.name}.{method} takes at most {len(names)} arguments, not {len(args)}"
            )
        given = {"loc": 0.0, "scale": 1.0, **dict(zip(names, args, strict=False))}
        for name, value in kwargs.items():
            if name not in names or name in names[: len(args)]:
                raise WengertTypeError(
                    f"{self.name}.{method} got an argument {name!r} that it does not take, or twice"
                )
            given[name] = value
        missing = [name for name in names if name not in given]
        if missing:
            raise WengertTypeError(f"{self.name}.{method} needs {', '.join(missing)}")
        order = [*dict.fromkeys((*names, "loc", "scale"))]
        session, lifted = nodes(*[given[name] for name in order])
        for name, node in zip(order, lifted, strict=True):
            if node.dtype.kind == "c":
                raise WengertTypeError(f"{self.name}.{method}: {name} is complex")
        return [Tracer(find("convert")(node, FLOAT), session) for node in lifted]


class Frozen:
    """A distribution with its parameters, some of which may be traced."""

    def __init__(self, dist: Univariate, args: tuple[Any, ...], kwds: dict[str, Any]) -> None:
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


def named(name: str, law: Law, rules: dict[str, Rule]) -> Univariate:
    """SciPy's distribution of that name."""
    return Univariate(getattr(stats, name), law, rules, name)


DISTRIBUTIONS: dict[str, Univariate] = {
    **{name: named(name, law, OF_NUMBERS) for name, law in CONTINUOUS.items()},
    **{name: named(name, law, OF_WHOLE_NUMBERS) for name, law in DISCRETE.items()},
}
