"""What a univariate distribution is declared by, in standard form, and what follows from that.

Location, scale, support and parameters out of range are handled here, once for all distributions
and as SciPy does: outside the support a density is 0 and its logarithm −∞ (with derivative 0: the
values there are structural zeros), and everything is NaN where a parameter is out of range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[..., Any]
INF = np.inf


def everywhere(*shapes: Any) -> Any:
    """The support of most distributions on the line."""
    return -INF, INF


def from_zero(*shapes: Any) -> Any:
    """The support of most distributions of positive numbers, and of counts."""
    return 0.0, INF


def unit(*shapes: Any) -> Any:
    """The support between 0 and 1."""
    return 0.0, 1.0


def positive(*shapes: Any) -> Any:
    """The shape parameters that most distributions take."""
    valid: Any = True
    for shape in shapes:
        valid = valid & (shape > 0)
    return valid


@dataclass(frozen=True, slots=True)
class Law:
    """A distribution in standard form (location 0, scale 1), as functions of (x, *shapes).

    log: the logarithm of the density or of the probability, inside the support.
    support: of the shapes, the least and the largest value.
    valid: of the shapes, where they are in range.
    cdf, sf, logcdf, logsf, ppf, isf: as those of SciPy; what is not given follows from the others
        where that loses no digits SciPy keeps, and cannot be traced where nothing gives it.
    symmetric: whether the density is even, so that sf(x) = cdf(−x).
    """

    log: Function
    support: Function = everywhere
    valid: Function = positive
    cdf: Function | None = None
    sf: Function | None = None
    logcdf: Function | None = None
    logsf: Function | None = None
    ppf: Function | None = None
    isf: Function | None = None
    symmetric: bool = False

    def rule(self, name: str) -> Function | None:
        """The function of this name, or what stands for it."""
        own: Function | None = getattr(self, name)
        if own is not None:
            return own
        if self.symmetric and name in _MIRRORED:
            mirrored = self.rule(_MIRRORED[name])
            return mirrored and (lambda x, *shapes: mirrored(-x, *shapes))
        if name in ("logcdf", "logsf"):
            plain = self.rule(name[3:])
            return plain and (lambda x, *shapes: np.log(plain(x, *shapes)))
        if name == "sf" and self.cdf is not None:
            return lambda x, *shapes: 1 - self.cdf(x, *shapes)  # type: ignore[misc]
        if name == "isf" and self.ppf is not None:
            return lambda q, *shapes: self.ppf(1 - q, *shapes)  # type: ignore[misc]
        return None


_MIRRORED = {"sf": "cdf", "logsf": "logcdf"}
AT_ENDS = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-INF, 0.0), "logsf": (0.0, -INF)}
"""Left and right of the support."""


# ---------------------------------------------------------------------- of continuous numbers


def density(law: Law, name: str, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
    """pdf or logpdf."""
    y, valid = _standard(law, x, shapes, loc, scale)
    low, high = law.support(*shapes)
    value = law.log(y, *shapes) - np.log(scale)
    inside = (low <= y) & (y <= high) & np.isfinite(y)
    return _exponential(name == "pdf", valid & ~np.isnan(y), inside, value)


def probability(law: Law, name: str, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
    """cdf, sf and their logarithms."""
    rule = law.rule(name)
    assert rule is not None
    y, valid = _standard(law, x, shapes, loc, scale)
    low, high = law.support(*shapes)
    left, right = AT_ENDS[name]
    ends = np.where(y >= high, right, left)
    return _chosen(valid & ~np.isnan(y), (low < y) & (y < high), rule(y, *shapes), ends)


def quantile(law: Law, name: str, q: Any, shapes: Any, loc: Any, scale: Any) -> Any:
    """ppf and isf."""
    rule = law.rule(name)
    assert rule is not None
    _, valid = _standard(law, q, shapes, loc, scale)
    low, high = law.support(*shapes) if name == "ppf" else law.support(*shapes)[::-1]
    ends = np.where(q == 0, low, high) * scale + loc
    value = rule(q, *shapes) * scale + loc
    return _chosen(valid & (q >= 0) & (q <= 1), (q > 0) & (q < 1), value, ends)


def _standard(law: Law, x: Any, shapes: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    """(x − loc)/scale, and where the parameters are in range."""
    return (x - loc) / scale, law.valid(*shapes) & (scale > 0)


def _exponential(wanted: bool, valid: Any, inside: Any, log: Any) -> Any:
    """A density or its logarithm. At an end of the support where it is 0, it is so with derivative
    0, as outside."""
    inside = inside & (log != -INF)
    return _chosen(valid, inside, np.exp(log) if wanted else log, 0.0 if wanted else -INF)


def _chosen(valid: Any, inside: Any, value: Any, outside: Any) -> Any:
    return np.where(valid & inside, value, np.where(valid, outside, np.nan))


# ---------------------------------------------------------------------------- of whole numbers


def mass(law: Law, name: str, k: Any, shapes: Any, loc: Any, scale: Any) -> Any:
    """pmf or logpmf: of whole numbers alone."""
    k = k - loc
    low, high = law.support(*shapes)
    value = law.log(np.floor(k), *shapes)
    inside = (np.floor(k) == k) & (low <= k) & (k <= high) & np.isfinite(k)
    return _exponential(name == "pmf", law.valid(*shapes) & ~np.isnan(k), inside, value)


def whole_probability(law: Law, name: str, k: Any, shapes: Any, loc: Any, scale: Any) -> Any:
    """cdf, sf and their logarithms, of the whole number below."""
    rule = law.rule(name)
    assert rule is not None
    k = k - loc
    low, high = law.support(*shapes)
    left, right = AT_ENDS[name]
    ends = np.where(k >= high, right, left)
    value = rule(np.floor(k), *shapes)
    return _chosen(law.valid(*shapes) & ~np.isnan(k), (low <= k) & (k < high), value, ends)


def log_of_difference(a: Any, b: Any) -> Any:
    """log(eᵃ − eᵇ) for a > b."""
    return a + np.log(-np.expm1(b - a))
