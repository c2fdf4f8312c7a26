"""Estimates of large matrices that are known by their products with vectors alone.

    trace, diagonal       Hutchinson's method, Hutch++, XTrace
    logdet                of a positive definite matrix
    trace_function        tr f(A) of a symmetric matrix
    spectral_density      how its eigenvalues are spread

The matrix is an array, a SciPy sparse matrix or LinearOperator, a function v ↦ Av with n, or the
Hessian of a function f at a point: `trace(f, x=x)`. Each result has a standard error, a 95 %
interval and the number of products that it took.

>>> import numpy as np, wengert as wg
>>> f = lambda x: np.sum(np.cos(x[1:] * x[:-1]))
>>> x = np.linspace(0.0, 1.0, 1000)
>>> found = wg.estimate.trace(f, x=x, rtol=0.05, rng=0)
>>> exact = -np.sum(np.cos(x[1:] * x[:-1]) * (x[1:] ** 2 + x[:-1] ** 2))
>>> bool(abs(found.value / exact - 1) < 0.05), found.converged, found.products < 100
(True, True, True)
"""

from wengert.estimate.densities import Density, spectral_density
from wengert.estimate.quadrature import logdet, trace_function
from wengert.estimate.results import Estimate
from wengert.estimate.traces import diagonal, trace

__all__ = [
    "Density",
    "Estimate",
    "diagonal",
    "logdet",
    "spectral_density",
    "trace",
    "trace_function",
]
