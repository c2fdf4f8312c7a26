"""Automatic differentiation for people who write NumPy.

>>> import numpy as np, wengert as wg
>>> wg.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
array([2., 4.])
"""

from wengert import numpy
from wengert.derivatives.directional import jvp, linear_transpose, linearize, vjp
from wengert.derivatives.gradients import grad, value_and_grad
from wengert.derivatives.jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from wengert.errors import WengertError
from wengert.graph.types import float0

__version__ = "0.1.0"

__all__ = [
    "WengertError",
    "float0",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linear_transpose",
    "linearize",
    "numpy",
    "value_and_grad",
    "vjp",
]
