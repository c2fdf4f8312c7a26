"""SciPy's special functions: one record each, by subject. Importing this package registers them."""

from wengert.ops.special import (
    bessel,
    distributions,
    elementary,
    elliptic,
    error,
    gamma,
    incomplete,
    integral,
    logistic,
    polynomials,
    several,
)

__all__ = [
    "bessel",
    "distributions",
    "elliptic",
    "elementary",
    "error",
    "gamma",
    "incomplete",
    "integral",
    "logistic",
    "polynomials",
    "several",
]
