"""SciPy's special functions: one record each, by subject. Importing this package registers them."""

from wengert.ops import elementary as elementary_ops
from wengert.ops import powers, rounding
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
from wengert.ops.special.ufunc import RECORDS

# SciPy's own ufuncs of what NumPy has
RECORDS.update(
    cbrt=powers.cbrt,
    exp2=elementary_ops.exp2,
    expm1=elementary_ops.expm1,
    log1p=elementary_ops.log1p,
    round=rounding.rint,
)

__all__ = [
    "bessel",
    "distributions",
    "elementary",
    "elliptic",
    "error",
    "gamma",
    "incomplete",
    "integral",
    "logistic",
    "polynomials",
    "several",
]
