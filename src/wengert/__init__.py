"""Automatic differentiation for people who write NumPy.

>>> import numpy as np, wengert as wg
>>> wg.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
array([2., 4.])
"""

from typing import TYPE_CHECKING, Any

from wengert import logging, numpy
from wengert.adopting.adoption import adopt, adoption, unadopt
from wengert.checking.gradients import check_grads
from wengert.compiler.pool import set_threads
from wengert.control.custom import custom_jvp, custom_vjp, defjvp, defvjp, primitive
from wengert.derivatives.batching import vmap
from wengert.derivatives.directional import jvp, linear_transpose, linearize, vjp
from wengert.derivatives.gradients import grad, value_and_grad
from wengert.derivatives.jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from wengert.derivatives.sparse import sparsity
from wengert.derivatives.stopping import stop_gradient
from wengert.errors import WengertError
from wengert.execution.jit import jit
from wengert.execution.programs import set_native
from wengert.flow.branches import cond, switch
from wengert.flow.checkpoints import checkpoint
from wengert.flow.implicit import custom_linear_solve, custom_root, fixed_point
from wengert.flow.mapping import map
from wengert.flow.prefixes import associative_scan
from wengert.flow.scans import fori_loop, scan
from wengert.flow.whiles import while_loop
from wengert.graph.types import float0
from wengert.lazy import module

if TYPE_CHECKING:
    from wengert import distributed, estimate, optimize, random, scipy, zeroth
    from wengert.checking.nans import debug_nans
    from wengert.derivatives.curvature import gauss_newton_vp, hessian_diagonal, laplacian
    from wengert.derivatives.memory import memory_plan
    from wengert.derivatives.mixed.reporting import plan
    from wengert.derivatives.operators import (
        gauss_newton_operator,
        hessian_operator,
        jacobian_operator,
    )
    from wengert.derivatives.taylor import directional_derivative, taylor
    from wengert.explaining.closed.form import closed_form
    from wengert.explaining.cost import cost
    from wengert.explaining.program import trace
    from wengert.explaining.report import explain
    from wengert.sparse.plan import Sparsity

__version__ = "0.1.0"

__all__ = [
    "Sparsity",
    "WengertError",
    "adopt",
    "adoption",
    "associative_scan",
    "check_grads",
    "checkpoint",
    "closed_form",
    "cond",
    "cost",
    "custom_jvp",
    "custom_linear_solve",
    "custom_root",
    "custom_vjp",
    "debug_nans",
    "defjvp",
    "defvjp",
    "directional_derivative",
    "distributed",
    "estimate",
    "explain",
    "fixed_point",
    "float0",
    "fori_loop",
    "gauss_newton_operator",
    "gauss_newton_vp",
    "grad",
    "hessian",
    "hessian_diagonal",
    "hessian_operator",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacobian_operator",
    "jacrev",
    "jit",
    "jvp",
    "laplacian",
    "linear_transpose",
    "linearize",
    "logging",
    "map",
    "memory_plan",
    "numpy",
    "optimize",
    "plan",
    "primitive",
    "random",
    "scan",
    "scipy",
    "set_native",
    "set_threads",
    "sparsity",
    "stop_gradient",
    "switch",
    "taylor",
    "trace",
    "unadopt",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
    "zeroth",
]

_DEFERRED = {
    "Sparsity": "wengert.sparse.plan",
    "closed_form": "wengert.explaining.closed.form",
    "cost": "wengert.explaining.cost",
    "debug_nans": "wengert.checking.nans",
    "directional_derivative": "wengert.derivatives.taylor",
    "explain": "wengert.explaining.report",
    "gauss_newton_operator": "wengert.derivatives.operators",
    "gauss_newton_vp": "wengert.derivatives.curvature",
    "hessian_diagonal": "wengert.derivatives.curvature",
    "hessian_operator": "wengert.derivatives.operators",
    "jacobian_operator": "wengert.derivatives.operators",
    "laplacian": "wengert.derivatives.curvature",
    "memory_plan": "wengert.derivatives.memory",
    "plan": "wengert.derivatives.mixed.reporting",
    "taylor": "wengert.derivatives.taylor",
    "trace": "wengert.explaining.program",
}
"""What is imported when it is first used: not every program needs it, and `trace` needs the
compiler."""
_PACKAGES = frozenset({"distributed", "estimate", "optimize", "random", "scipy", "zeroth"})
"""Packages that are imported when they are first used."""


def __getattr__(name: str) -> Any:
    if name in _DEFERRED:
        return getattr(module(_DEFERRED[name]), name)
    if name in _PACKAGES:
        return module(f"wengert.{name}")
    raise AttributeError(f"module 'wengert' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
