"""`least_squares` and `curve_fit`: SciPy's solvers with exact Jacobians."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.lazy import module
from wengert.optimize.constraints import program_of
from wengert.optimize.minimizing import DIFFERENCES
from wengert.optimize.objective import Counted, compiling
from wengert.optimize.structure import Products, Residuals, residuals
from wengert.optimize.variables import (
    Variables,
    bounds_of,
    restored_callback,
    restored_result,
    variables,
)

FORMS = ("dense", "sparse", "operator")


def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: Mapping[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
    *,
    compiled: bool = True,
) -> Any:
    """The least sum of squares of a function's values, by SciPy's solvers with exact Jacobians.

    The arguments are those of `scipy.optimize.least_squares`, but for these:

    Parameters
    ----------
    fun
        A function written with NumPy, `fun(x, *args, **kwargs)`, that returns residuals: an array
        of any shape, or a structure of arrays.
    x0
        As in `minimize`: a vector, an array of any shape, or a structure.
    jac
        None for the exact Jacobian, or in which form the solver shall have it: "dense", "sparse", a
        matrix of its nonzeros (None where a large one has few of them), or "operator", a
        LinearOperator of exact products. The last two are for "trf" and "dogbox", and mean
        tr_solver="lsmr". A function `jac(x, *args, **kwargs)`, or one of SciPy's differences
        "2-point", "3-point", "cs", to which alone diff_step and jac_sparsity apply.
    bounds
        As in SciPy; for a structure, a pair of structures like x0 or of numbers.
    compiled
        Whether `fun` runs under `wengert.jit`; see `minimize`.

    Returns
    -------
    SciPy's OptimizeResult. nfev and njev count what was computed; a value is computed together with
    its Jacobian, so these two are equal, but for "operator", where nproducts counts the products of
    the Jacobian and of its transpose with a vector.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.optimize import least_squares
    >>> t = np.linspace(0.0, 1.0, 20)
    >>> seen = 2 * np.exp(-3 * t)
    >>> result = least_squares(
    ...     lambda p: p["height"] * np.exp(-p["rate"] * t) - seen, {"height": 1.0, "rate": 1.0}
    ... )
    >>> round(result.x["height"], 6), round(result.x["rate"], 6), result.njev == result.nfev
    (np.float64(2.0), np.float64(3.0), True)
    """
    described, start = variables(x0, "least_squares")
    rest = args if isinstance(args, tuple) else (args,)
    bound = functools.partial(fun, **kwargs) if kwargs else fun
    program = program_of(bound, described, rest)
    call = {
        "bounds": bounds_of(bounds, described),
        "method": method,
        "ftol": ftol,
        "xtol": xtol,
        "gtol": gtol,
        "loss": loss,
        "f_scale": f_scale,
        "tr_solver": tr_solver,
        "tr_options": tr_options,
        "max_nfev": max_nfev,
        "verbose": verbose,
        **_given(x_scale=x_scale, callback=restored_callback(callback, described)),
    }
    solve = module("scipy.optimize").least_squares
    if jac is None or jac in ("dense", "sparse"):
        _refuse_differences(diff_step, jac_sparsity)
        takes_sparse = method != "lm" and tr_solver != "exact"
        form = jac or ("auto" if takes_sparse else "dense")
        values = residuals(program, compiling(compiled), start, form)
        found = solve(values.value, start, jac=values.jacobian, **call)
        found.nfev, found.njev = values.nfev, values.njev
    elif jac == "operator":
        _refuse_differences(diff_step, jac_sparsity)
        found = _by_operator(solve, program, start, call, compiled)
    elif callable(jac) or jac in DIFFERENCES:
        seen = described if callable(jac) else described.for_differences()
        found = solve(
            program_of(bound, seen, rest),
            start,
            jac=_given_jacobian(jac, described, rest, kwargs or {}) if callable(jac) else jac,
            diff_step=diff_step,
            jac_sparsity=jac_sparsity,
            **call,
        )
    else:
        raise WengertValueError(
            f"jac must be None, a function, or one of {', '.join((*FORMS, *DIFFERENCES))}, not "
            f"{jac!r}"
        )
    return restored_result(found, described, "x", "grad")


def _by_operator(
    solve: Callable[..., Any],
    program: Callable[..., Any],
    start: Any,
    call: dict[str, Any],
    compiled: bool,
) -> Any:
    compile = compiling(compiled)
    products = Products(program, compile)
    values = Counted(compile(program))
    rows = values(start).size
    found = solve(values, start, jac=lambda x: products.operator(x, rows), **call)
    found.nfev, found.nproducts = values.count, products.count
    return found


def _given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are given: older versions of SciPy do not know all of them."""
    return {name: value for name, value in arguments.items() if value is not None}


def _refuse_differences(diff_step: Any, jac_sparsity: Any) -> None:
    for name, value in (("diff_step", diff_step), ("jac_sparsity", jac_sparsity)):
        if value is not None:
            raise WengertValueError(
                f"{name} belongs to differences, and the Jacobian is exact: leave it out, or say "
                "jac='2-point'"
            )


def _given_jacobian(
    jac: Callable[..., Any], described: Variables, args: Any, kwargs: Mapping[str, Any]
) -> Callable[..., Any]:
    restored = described.restored
    return lambda x: jac(restored(x), *args, **kwargs)


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Any = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    compiled: bool = True,
    **kwargs: Any,
) -> Any:
    """The parameters of a model that fit data best, by SciPy with the model's exact derivatives.

    The arguments and results are those of `scipy.optimize.curve_fit`. The model `f(xdata, *params)`
    is written with NumPy and differentiated by its parameters.

    Parameters
    ----------
    jac
        None for the exact Jacobian; a function `jac(xdata, *params)`, or one of SciPy's differences
        "2-point", "3-point", "cs".
    compiled
        Whether `f` runs under `wengert.jit`; see `minimize`.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.optimize import curve_fit
    >>> t = np.linspace(0.0, 4.0, 50)
    >>> seen = 2.5 * np.exp(-1.3 * t) + 0.5
    >>> best, covariance = curve_fit(lambda t, a, b, c: a * np.exp(-b * t) + c, t, seen)
    >>> np.round(best, 6)
    array([2.5, 1.3, 0.5])
    """
    solve = module("scipy.optimize").curve_fit
    call = {
        "p0": p0,
        "sigma": sigma,
        "absolute_sigma": absolute_sigma,
        "check_finite": check_finite,
        "bounds": bounds,
        "method": method,
        "full_output": full_output,
        "nan_policy": nan_policy,
        **kwargs,
    }
    if callable(jac) or jac in DIFFERENCES:
        return solve(f, xdata, ydata, jac=jac, **call)
    model = Model(f, compiled)
    found = solve(model.values, xdata, ydata, jac=model.slopes, **call)
    if full_output:
        found[2]["nfev"], found[2]["njev"] = model.count, model.count
    return found


class Model:
    """A model and its Jacobian by the parameters, at data that stay the same."""

    def __init__(self, f: Callable[..., Any], compiled: bool) -> None:
        self._f, self._compile = f, compiling(compiled)
        self._data: Any = self
        self._residuals: Residuals
        self._before = 0

        @functools.wraps(f)
        def values(xdata: Any, *parameters: Any) -> Any:
            return self._at(xdata).value(np.array(parameters, float))

        # SciPy counts the parameters by the signature where no p0 is given.
        values.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
        self.values = values

    @property
    def count(self) -> int:
        """How often the model has been computed, together with its Jacobian."""
        return self._before + self._residuals.nfev

    def slopes(self, xdata: Any, *parameters: Any) -> Any:
        return self._at(xdata).jacobian(np.array(parameters, float))

    def _at(self, xdata: Any) -> Residuals:
        if xdata is not self._data:
            self._before = 0 if self._data is self else self.count
            self._data = xdata
            f = self._f
            self._residuals = Residuals(lambda p: _flat(f(xdata, *p)), self._compile)
        return self._residuals


def _flat(values: Any) -> Any:
    return values.reshape(-1) if np.ndim(values) != 1 else values
