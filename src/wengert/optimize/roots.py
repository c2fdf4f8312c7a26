"""`root` and `root_scalar`: SciPy's solvers of equations with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from wengert.derivatives.gradients import grad
from wengert.errors import WengertValueError
from wengert.lazy import module
from wengert.optimize.constraints import program_of
from wengert.optimize.objective import Counted, compiling
from wengert.optimize.structure import Products, Residuals
from wengert.optimize.variables import (
    Variables,
    number_of,
    restored_callback,
    restored_result,
    variables,
    vector_of,
)

WITH_JACOBIAN = ("hybr", "lm")


def root(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: Any = None,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    compiled: bool = True,
) -> Any:
    """A root of a vector function, by SciPy's solvers with exact derivatives.

    The arguments are those of `scipy.optimize.root`, but for these:

    Parameters
    ----------
    fun
        A function written with NumPy, `fun(x, *args)`, with as many values as x has numbers: an
        array, or a structure of arrays.
    x0
        As in `minimize`: a vector, an array of any shape, or a structure.
    method
        "hybr" and "lm" use the exact Jacobian, "krylov" exact products of it with vectors; SciPy's
        other methods use no derivatives, and call `fun` as it is.
    jac
        A function `jac(x, *args)` to use instead, or True where `fun` returns a pair of value and
        Jacobian.
    compiled
        Whether `fun` runs under `wengert.jit`; see `minimize`.

    Returns
    -------
    SciPy's OptimizeResult. nfev counts values, njev Jacobians, nproducts the products of the
    Jacobian with a vector.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.optimize import root
    >>> result = root(lambda x: np.stack([x[0] + x[1] - 3, x[0] ** 2 + x[1] ** 2 - 5]), [0.0, 4.0])
    >>> np.round(result.x, 8) + 0.0
    array([1., 2.])
    """
    rest = args if isinstance(args, tuple) else (args,)
    described, start = variables(x0, "root")
    solve = module("scipy.optimize").root
    method = method.lower()  # as in SciPy
    call: dict[str, Any] = {"method": method, "tol": tol, "options": options}
    call["callback"] = restored_callback(callback, described)
    if jac is True or callable(jac):
        value, slope = _given(fun, jac, described, rest)
        found = solve(value, start, jac=slope, **call)
        return restored_result(found, described, "x")
    if jac is not None and jac is not False:
        raise WengertValueError(f"jac must be a function, True or None, not {jac!r}")
    program, compile = program_of(fun, described, rest), compiling(compiled)
    if method in WITH_JACOBIAN:
        residuals = Residuals(program, compile)
        found = solve(residuals.value, start, jac=residuals.jacobian, **call)
        found.nfev, found.njev = residuals.nfev, residuals.njev
        return restored_result(found, described, "x")
    if method != "krylov":
        values = Counted(program)
        found = solve(values, start, **call)
    else:
        values, products = Counted(compile(program)), Products(program, compile)
        found = _by_krylov(values, start, products, tol, call["callback"], options or {})
        found.nproducts = products.count
    found.nfev = values.count
    return restored_result(found, described, "x")


def _given(
    fun: Callable[..., Any], jac: Any, described: Variables, args: Any
) -> tuple[Callable[..., Any], Any]:
    """A function and a Jacobian that the caller gave, of vectors and untraced."""
    inner = described.restoring(fun, args)
    if jac is True:

        def both(x: Any) -> tuple[Any, Any]:
            value, matrix = inner(x)
            return vector_of(value), matrix

        return both, True
    return lambda x: vector_of(inner(x)), described.restoring(jac, args)


def _by_krylov(
    values: Counted,
    start: Any,
    products: Products,
    tol: float | None,
    callback: Callable[..., Any] | None,
    options: Mapping[str, Any],
) -> Any:
    """What `scipy.optimize.root` does for method="krylov", with exact products."""
    rest = dict(options)
    if tol is not None:
        rest = {"xtol": tol, "xatol": np.inf, "ftol": np.inf, "fatol": np.inf, **rest}
    named = {ours: rest.pop(theirs) for theirs, ours in KRYLOV_OPTIONS.items() if theirs in rest}
    jacobian = krylov_jacobian()(products, **(rest.pop("jac_options", None) or {}))
    if rest:
        raise WengertValueError(f"method='krylov' has no options {', '.join(sorted(rest))}")
    x, info = module("scipy.optimize._nonlin").nonlin_solve(
        values,
        start,
        jacobian=jacobian,
        callback=callback,
        full_output=True,
        raise_exception=False,
        **named,
    )
    return module("scipy.optimize").OptimizeResult(x=x, method="krylov", **info)


KRYLOV_OPTIONS = {
    "nit": "iter",
    "disp": "verbose",
    "maxiter": "maxiter",
    "fatol": "f_tol",
    "ftol": "f_rtol",
    "xatol": "x_tol",
    "xtol": "x_rtol",
    "tol_norm": "tol_norm",
    "line_search": "line_search",
}
"""The options of `root` by the names that SciPy's solver has for them."""


@cache
def krylov_jacobian() -> Any:
    """SciPy's inexact Newton step, made here since SciPy is imported when it is first used."""

    class Exact(module("scipy.optimize").KrylovJacobian):  # type: ignore[misc]
        def __init__(self, products: Products, **options: Any) -> None:
            super().__init__(**options)
            self._products = products

        def matvec(self, v: Any) -> Any:
            return self._products.product(self.x0, v)

    return Exact


def root_scalar(
    f: Callable[..., Any],
    args: Any = (),
    method: str | None = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: Any = None,
    x1: Any = None,
    xtol: float | None = None,
    rtol: float | None = None,
    maxiter: int | None = None,
    options: dict[str, Any] | None = None,
    *,
    compiled: bool = True,
) -> Any:
    """A root of a function of one number, by SciPy's solvers with exact derivatives.

    The arguments and the result are those of `scipy.optimize.root_scalar`. "newton" gets f′, and
    "halley" f′ and f″, as far as they are not given. Where no method is named, an x0 without a
    bracket and without an x1 means "newton".

    >>> from wengert.optimize import root_scalar
    >>> found = root_scalar(lambda x: x**3 - 2.0, x0=1.0, method="halley")
    >>> round(found.root, 12), found.iterations
    (np.float64(1.259921049895), 3)
    """
    rest = args if isinstance(args, tuple) else (args,)
    chosen = None if method is None else method.lower()  # as in SciPy
    if method is None and bracket is None and x1 is None and fprime2 is None:
        chosen = "newton"
    plain = lambda x: number_of(f(x, *rest))
    compile = compiling(compiled)
    value = compile(plain)
    slope, curve = _bound(fprime, rest), _bound(fprime2, rest)
    if chosen in ("newton", "halley"):
        slope = compile(grad(plain)) if fprime is None else slope
    if chosen == "halley":
        curve = compile(grad(grad(plain))) if fprime2 is None else curve
    call = {"bracket": bracket, "x1": x1, "xtol": xtol, "rtol": rtol, "maxiter": maxiter}
    return module("scipy.optimize").root_scalar(
        lambda x: value(float(x)) if fprime is not True else f(x, *rest),
        method=chosen,
        fprime=slope,
        fprime2=curve,
        x0=x0,
        options=options,
        **call,
    )


def _bound(given: Any, args: tuple[Any, ...]) -> Any:
    """A derivative that the caller gave, with its further arguments."""
    return (lambda x: given(x, *args)) if callable(given) else given
