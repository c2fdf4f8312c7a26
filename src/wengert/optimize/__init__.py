"""SciPy's solvers with exact derivatives, and steps of descent for structures of parameters.

    minimize       the minimum of a function, with bounds and constraints
    least_squares  the least sum of squares of residuals
    curve_fit      the parameters of a model that fit data best
    root           a root of a vector function
    root_scalar    a root of a function of one number

have the signatures and results of `scipy.optimize`. Where a solver there takes differences of
values, it gets exact derivatives here: gradients, Jacobians, Hessians and products of them with
vectors, compiled with the function. x0 may be a structure of arrays, and so is the result.

`sgd`, `momentum`, `adam` and `lbfgs` are steps, for loops of one's own.

>>> import numpy as np
>>> from wengert.optimize import minimize
>>> result = minimize(lambda x: np.sum((x - 1) ** 4) + x[0] ** 2, np.zeros(3), method="newton-cg")
>>> round(result.fun, 6)
np.float64(0.289273)
"""

from wengert.optimize.fitting import curve_fit, least_squares
from wengert.optimize.limited_memory import lbfgs
from wengert.optimize.minimizing import minimize
from wengert.optimize.roots import root, root_scalar
from wengert.optimize.steps import adam, momentum, sgd

__all__ = [
    "adam",
    "curve_fit",
    "lbfgs",
    "least_squares",
    "minimize",
    "momentum",
    "root",
    "root_scalar",
    "sgd",
]
