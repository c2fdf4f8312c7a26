"""Derivatives of functions that can be evaluated and nothing else.

    finite_difference     one coordinate after another: forward, central, complex step
    two_point             along random directions: sphere, Gaussian, signs (SPSA), coordinates

Automatic differentiation gives the gradient at a constant multiple of the cost of the function,
without an error; differences take n evaluations and more. These are for functions that cannot be
traced.

>>> import numpy as np, wengert as wg
>>> def simulation(p):
...     return float(p["rate"]) ** 2 * float(p["time"])
>>> wg.zeroth.finite_difference(
...     simulation, {"rate": 3.0, "time": 2.0}, method="forward"
... ).evaluations
3
"""

from wengert.zeroth.differences import finite_difference
from wengert.zeroth.results import Derivative
from wengert.zeroth.two_point import two_point

__all__ = ["Derivative", "finite_difference", "two_point"]
