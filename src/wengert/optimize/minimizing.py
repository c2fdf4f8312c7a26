"""`minimize`: SciPy's minimisers with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.errors import WengertTypeError, WengertValueError
from wengert.lazy import module
from wengert.optimize.constraints import WITHOUT_DERIVATIVES, completed
from wengert.optimize.interior_point import limits, minimize_by_ipopt
from wengert.optimize.objective import Counted, GivenGradient, GivenPair, Objective, compiling
from wengert.optimize.variables import (
    Variables,
    bounds_of,
    restored_callback,
    restored_result,
    variables,
)

DIFFERENCES = ("2-point", "3-point", "cs")
WITH_PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov", "trust-constr")
WITH_HESSIAN = ("dogleg", "trust-exact")


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    compiled: bool = True,
) -> Any:
    """The minimum of a scalar function, by SciPy's solvers with exact derivatives.

    The arguments are those of `scipy.optimize.minimize`. Gradients, Hessians, products of Hessians
    with vectors, and the derivatives of constraints are computed as far as the method uses them and
    the caller does not give them.

    Parameters
    ----------
    fun
        A function written with NumPy, `fun(x, *args)`, that returns one number.
    x0
        Where to begin: numbers or a vector as in SciPy, or an array of any shape, or a structure of
        arrays (tuples, lists, dicts, dataclasses). `fun`, the functions of constraints, `callback`
        and `result.x` have x in its form.
    args
        Further arguments of all these functions.
    method
        Any of SciPy's methods, by default the one that it chooses (BFGS, with bounds L-BFGS-B, with
        constraints SLSQP); a function, as there; or "ipopt", with the package cyipopt. Those
        without derivatives (Nelder-Mead, Powell, COBYLA, COBYQA) call `fun` as it is.
    jac, hess, hessp
        Derivatives to use instead. jac=True: `fun` returns a pair of value and gradient.
        "2-point", "3-point" and "cs" are SciPy's differences.
    bounds
        As in SciPy. For a structure also a pair (lower, upper) of structures like x0, or numbers.
    constraints
        LinearConstraint, NonlinearConstraint, dicts, or a list of them. A NonlinearConstraint gets
        an exact Jacobian in place of its default "2-point", and under trust-constr and ipopt an
        exact Hessian in place of its default BFGS().
    tol, callback, options
        As in SciPy.
    compiled
        Whether `fun` and its derivatives run under `wengert.jit`, so that Python runs while tracing
        only. False for a function that prints, counts, or draws random numbers: it is then traced
        at each evaluation.

    Returns
    -------
    SciPy's OptimizeResult. nfev, njev, nhev and nhvp count what was computed: values, gradients,
    Hessians, products of the Hessian with a vector. A value is computed together with its gradient,
    so these two counts are equal.

    Raises
    ------
    WengertTypeError
        Where x0 is complex or traced, or `fun` returns no number.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.optimize import minimize
    >>> def rosenbrock(x):
    ...     return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    >>> result = minimize(rosenbrock, np.zeros(4), method="trust-krylov")
    >>> np.round(result.x, 6), result.nfev == result.njev, result.nhvp > 0
    (array([1., 1., 1., 1.]), True, True)
    >>> fitted = minimize(
    ...     lambda p: (p["a"] - 3) ** 2 + np.sum((p["b"] - p["a"]) ** 2),
    ...     {"a": 0.0, "b": np.zeros((2, 2))},
    ... )
    >>> np.round(fitted.x["b"], 4)
    array([[3., 3.],
           [3., 3.]])
    """
    rest = args if isinstance(args, tuple) else (args,)
    described, start = variables(x0, "minimize")
    name = _name(method, constraints, bounds)
    call = {
        "method": method,
        "bounds": bounds_of(bounds, described),
        "tol": tol,
        "callback": restored_callback(callback, described),
        "options": options,
    }
    if name == "ipopt":
        if hess is not None or hessp is not None:
            raise WengertTypeError("method='ipopt' takes no hess or hessp: it computes its own")
        objective = _objective(fun, jac, described, rest, compiled)
        limited = limits(constraints, described, start, compiled)
        found = minimize_by_ipopt(objective, start, limited, compiled, call)
        return _with_counts(found, objective, described, name)
    optimize = module("scipy.optimize")
    call["constraints"], is_sparse = completed(
        constraints, described, start, name, compiling(compiled)
    )
    if is_sparse:  # SciPy wants all Jacobians to be so then
        call["options"] = {"sparse_jacobian": True, **(options or {})}
    if name in WITHOUT_DERIVATIVES or jac in DIFFERENCES:
        seen = described.for_differences() if jac in DIFFERENCES else described
        values = Counted(seen.restoring(fun, rest))
        found = optimize.minimize(values, start, jac=jac, hess=hess, hessp=hessp, **call)
        found.nfev = values.count
        return restored_result(found, described, *_vectors(name))
    objective = _objective(fun, jac, described, rest, compiled)
    second = _second(objective, name, hess, hessp, described, rest)
    found = optimize.minimize(objective.value, start, jac=objective.gradient, **second, **call)
    if callable(hess):
        objective.nhev = second["hess"].count
    if callable(hessp):
        objective.nhvp = second["hessp"].count
    return _with_counts(found, objective, described, name)


def _name(method: Any, constraints: Any, bounds: Any) -> str:
    """The method in lower case, as SciPy chooses it where none is named."""
    if method is None:
        has_constraints = not isinstance(constraints, list | tuple) or len(constraints) > 0
        return "slsqp" if has_constraints else "bfgs" if bounds is None else "l-bfgs-b"
    return "custom" if callable(method) else str(method).lower()


def _objective(
    fun: Callable[..., Any], jac: Any, described: Variables, args: Any, compiled: bool
) -> Objective:
    if jac is True:
        return GivenPair(fun, described, args)
    if callable(jac):
        return GivenGradient(fun, jac, described, args)
    if jac is None or jac is False:
        return Objective(fun, described, args, compiled)
    raise WengertValueError(
        f"jac must be a function, True, None, or one of {', '.join(DIFFERENCES)}, not {jac!r}"
    )


def _second(
    objective: Objective, name: str, hess: Any, hessp: Any, described: Variables, args: Any
) -> dict[str, Any]:
    """hess and hessp for SciPy: what is given, else what the method uses."""
    if hess is None and hessp is None:
        by_product = objective.product if name in WITH_PRODUCTS or name == "custom" else None
        by_matrix = objective.hessian if name in WITH_HESSIAN or name == "custom" else None
        return {"hess": by_matrix, "hessp": by_product}
    if callable(hess):
        hess = Counted(described.restoring(hess, args))
    if callable(hessp):
        given, restored = hessp, described.restored
        hessp = Counted(
            lambda x, v: described.raveled(
                given(restored(x), restored(v), *args), "what hessp returns"
            )
        )
    return {"hess": hess, "hessp": hessp}


def _with_counts(found: Any, objective: Objective, described: Variables, name: str) -> Any:
    found.nfev, found.njev = objective.nfev, objective.njev
    found.nhev, found.nhvp = objective.nhev, objective.nhvp
    return restored_result(found, described, *_vectors(name))


def _vectors(name: str) -> tuple[str, ...]:
    """What of a result is a vector like x: `jac` of trust-constr is about the constraints."""
    return ("x", "grad") if name == "trust-constr" else ("x", "jac")
