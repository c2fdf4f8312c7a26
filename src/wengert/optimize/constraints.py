"""Constraints as SciPy's solvers take them, with the exact derivatives that the caller left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.lazy import module
from wengert.optimize.objective import Compile
from wengert.optimize.structure import Residuals, residuals, weighted_hessian
from wengert.optimize.variables import Variables, Vector, vector_of

WITHOUT_DERIVATIVES = ("cobyla", "cobyqa", "nelder-mead", "powell")


def completed(
    given: Any, variables: Variables, start: Vector, method: str, compile: Compile
) -> tuple[Any, bool]:
    """The constraints as functions of vectors, with derivatives as far as the method takes them;
    and whether there is a sparse Jacobian among them.

    given: one constraint or a sequence of them, as in SciPy: LinearConstraint, NonlinearConstraint,
        or dicts. A LinearConstraint acts on the vector of all variables.
    """
    if isinstance(given, dict) or not isinstance(given, list | tuple):
        found, is_sparse = completed((given,), variables, start, method, compile)
        return found[0], is_sparse
    nonlinear = module("scipy.optimize").NonlinearConstraint
    found, is_sparse = [], False
    for one in given:
        if isinstance(one, dict):
            one = _old_style(one, variables, method, compile)
        elif isinstance(one, nonlinear):
            one, its = _new_style(one, variables, start, method, compile)
            is_sparse = is_sparse or its
        found.append(one)
    return found, is_sparse


def program_of(
    fun: Callable[..., Any], variables: Variables, args: tuple[Any, ...] = ()
) -> Callable[..., Any]:
    """A function of structures as one of vectors with values in vectors."""
    inner = variables.restoring(fun, args)
    return lambda x: vector_of(inner(x))


def _old_style(
    given: dict[str, Any], variables: Variables, method: str, compile: Compile
) -> dict[str, Any]:
    args = tuple(given.get("args", ()))
    program = program_of(given["fun"], variables, args)
    kept = {key: value for key, value in given.items() if key != "args"}
    if callable(given.get("jac")):
        inner = variables.restoring(given["jac"], args)
        return {**kept, "fun": program, "jac": lambda x: matrix_of(inner(x), variables)}
    if method in WITHOUT_DERIVATIVES:
        return {**kept, "fun": program}
    found = Residuals(program, compile)
    return {**kept, "fun": found.value, "jac": found.jacobian}


def _new_style(
    given: Any, variables: Variables, start: Vector, method: str, compile: Compile
) -> tuple[Any, bool]:
    optimize = module("scipy.optimize")
    program = program_of(given.fun, variables)
    fun, jac, hess, is_sparse = program, given.jac, given.hess, False
    if callable(jac):
        inner = variables.restoring(jac)
        jac = lambda x: matrix_of(inner(x), variables)
    elif jac == DEFAULT_JACOBIAN and method not in WITHOUT_DERIVATIVES:
        found = residuals(program, compile, start, "auto" if method == "trust-constr" else "dense")
        fun, jac, is_sparse = found.value, found.jacobian, found.is_sparse
    if method == "trust-constr":
        if type(hess) is optimize.BFGS:
            hess = weighted_hessian(program, compile)
        elif callable(hess):
            given_hess = hess
            hess = lambda x, v: given_hess(variables.restored(x), v)
    new = optimize.NonlinearConstraint(
        fun,
        given.lb,
        given.ub,
        jac=jac,
        hess=hess,
        keep_feasible=given.keep_feasible,
        finite_diff_rel_step=given.finite_diff_rel_step,
        finite_diff_jac_sparsity=given.finite_diff_jac_sparsity,
    )
    return new, is_sparse


DEFAULT_JACOBIAN = "2-point"
"""What a NonlinearConstraint holds where its caller gave no Jacobian, and so it is taken."""


def matrix_of(value: Any, variables: Variables) -> Any:
    """A Jacobian that the caller gave, as a matrix by the vector of the variables."""
    if variables.spec is None:
        return value
    return np.asarray(value)
