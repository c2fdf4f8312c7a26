"""Distributions of one number: their methods on tracers, made of their declarations (`laws.Law`).

Everything is computed in float64, as SciPy does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import stats

from wengert.errors import WengertTypeError
from wengert.graph.node import deriving
from wengert.graph.registry import find
from wengert.graph.types import FLOAT
from wengert.numpy.dispatch import nodes
from wengert.scipy.stats import laws
from wengert.scipy.stats.calls import Distribution
from wengert.scipy.stats.continuous import CONTINUOUS
from wengert.scipy.stats.discrete import DISCRETE
from wengert.scipy.stats.laws import Law
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


class Univariate(Distribution):
    """A distribution of SciPy's of one number, by its declaration."""

    def __init__(self, original: Any, law: Law, rules: dict[str, Rule], name: str) -> None:
        super().__init__(original, name)
        self.law = law
        self.rules = rules
        shapes = original.shapes.replace(" ", "").split(",") if original.shapes else []
        self.parameters = (*shapes, "loc", "scale") if "pdf" in rules else (*shapes, "loc")

    def traced(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if method not in self.rules or self._lacks(method):
            self.refuse(method, [m for m in self.rules if not self._lacks(m)])
        x, *shapes, loc, scale = self._values(method, args, kwargs)
        with deriving():  # outside the support nothing warns, as in SciPy
            return self.rules[method](self.law, method, x, shapes, loc, scale)

    def _lacks(self, method: str) -> bool:
        """Whether the declaration has nothing that gives a method."""
        return method[-3:] not in ("pdf", "pmf") and self.law.rule(method) is None

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


def named(name: str, law: Law, rules: dict[str, Rule]) -> Univariate:
    """SciPy's distribution of that name."""
    return Univariate(getattr(stats, name), law, rules, name)


DISTRIBUTIONS: dict[str, Univariate] = {
    **{name: named(name, law, OF_NUMBERS) for name, law in CONTINUOUS.items()},
    **{name: named(name, law, OF_WHOLE_NUMBERS) for name, law in DISCRETE.items()},
}
