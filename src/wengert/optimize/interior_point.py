"""Large problems by Ipopt, through the package cyipopt.

    minimise f(x)   subject to   g_L ≤ g(x) ≤ g_U,   x_L ≤ x ≤ x_U

Ipopt asks for the gradient of f, the Jacobian of g, and the Hessian of the Lagrangian
σ f(x) + λᵀ g(x), of which it takes the lower triangle, both by their nonzeros. (Wächter & Biegler
2006, *On the implementation of an interior-point filter line-search algorithm for large-scale
nonlinear programming*.)
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.derivatives.sparse import sparsity
from wengert.errors import WengertError, WengertTypeError
from wengert.lazy import module
from wengert.optimize.constraints import program_of
from wengert.optimize.objective import Objective, compiling
from wengert.optimize.structure import Entries, Indices
from wengert.optimize.variables import Variables, Vector


class NotInstalled(WengertError, ImportError):
    """A package is missing that an option needs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Constraints of Ipopt's form: low ≤ (A x, c(x)) ≤ high.

    matrix: A, of SciPy's compressed rows, with no row where there are no linear constraints.
    program: c, or None.
    """

    matrix: Any
    program: Callable[..., Any] | None
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Problem:
    """What cyipopt calls: values, derivatives, and where derivatives have nonzeros."""

    def __init__(self, objective: Objective, limits: Limits, start: Vector, compiled: bool) -> None:
        self._objective, self._matrix = objective, limits.matrix
        self._linear = limits.matrix.tocoo()
        self._curved, count = None, 0
        program, compile = limits.program, compiling(compiled)
        if program is not None:
            plan = sparsity(program)(start)
            count = plan.shape[0]
            self._curved = Entries("jacobian", program, compile, plan, is_fixed=True)

        def lagrangian(x: Any, factor: Any, weights: Any) -> Any:
            value = factor * objective.program(x)
            return value if program is None else value + np.sum(weights * program(x))

        # ones, so that no place is missed for a weight of zero
        plan = sparsity(lagrangian, of="hessian")(start, np.ones(()), np.ones(count))
        self._curvature = Entries("hessian", lagrangian, compile, plan, is_fixed=True)
        self._lower = plan.triangle()
        self._at, self._found = b"", (np.zeros(0), np.zeros(0))
        self.nit = 0

    def objective(self, x: Vector) -> Any:
        return self._objective.value(x)

    def gradient(self, x: Vector) -> Any:
        return self._objective.gradient(x)

    def constraints(self, x: Vector) -> Any:
        return np.append(self._matrix @ x, self._evaluated(x)[1])

    def jacobianstructure(self) -> Indices:
        rows, columns = self._linear.row, self._linear.col
        if self._curved is None:
            return rows, columns
        places = self._curved.places
        return (
            np.append(rows, places.rows + self._matrix.shape[0]),
            np.append(columns, places.indices),
        )

    def jacobian(self, x: Vector) -> Any:
        return np.append(self._linear.data, self._evaluated(x)[0])

    def _evaluated(self, x: Vector) -> tuple[Any, Any]:
        """The entries of the Jacobian of nonlinear constraints, and their values."""
        if self._curved is not None and x.tobytes() != self._at:
            self._at, self._found = x.tobytes(), self._curved(x)
        return self._found

    def hessianstructure(self) -> Indices:
        return self._lower[:2]

    def hessian(self, x: Vector, lagrange: Vector, obj_factor: float) -> Any:
        self._objective.nhev += 1
        weights = np.array(lagrange, float)[self._matrix.shape[0] :]
        values, _ = self._curvature(x, np.asarray(obj_factor, float), weights)
        return values[self._lower[2]]

    def intermediate(self, alg_mod: int, iter_count: int, *state: float) -> bool:
        self.nit = iter_count
        return True


def limits(given: Any, variables: Variables, start: Vector, compiled: bool) -> Limits:
    """All constraints as one: SciPy's LinearConstraint, NonlinearConstraint and dicts."""
    optimize, sparse = module("scipy.optimize"), module("scipy.sparse")
    listed = given if isinstance(given, list | tuple) else [given]
    matrices = [sparse.csr_array((0, start.size))]
    programs: list[Callable[..., Any]] = []
    linear: list[tuple[Any, Any, int]] = []
    curved: list[tuple[Any, Any, int]] = []
    for one in listed:
        if isinstance(one, optimize.LinearConstraint):
            matrix = sparse.csr_array(np.atleast_2d(one.A) if isinstance(one.A, list) else one.A)
            matrices.append(matrix)
            linear.append((one.lb, one.ub, matrix.shape[0]))
            continue
        if isinstance(one, optimize.NonlinearConstraint):
            program, low, high = program_of(one.fun, variables), one.lb, one.ub
        elif isinstance(one, dict):
            program = program_of(one["fun"], variables, tuple(one.get("args", ())))
            low, high = 0.0, 0.0 if one["type"] == "eq" else np.inf
        else:
            raise WengertTypeError(
                "a constraint is scipy.optimize's LinearConstraint or NonlinearConstraint, or a "
                f"dict of its form, not {type(one).__name__}"
            )
        programs.append(program)
        curved.append((low, high, np.size(compiling(compiled)(program)(start))))
    sides = [
        np.concatenate([np.zeros(0), *[np.broadcast_to(s[k], s[2]) for s in (*linear, *curved)]])
        for k in (0, 1)
    ]
    together = None
    if programs:
        together = lambda x: np.concatenate([program(x) for program in programs])
    return Limits(sparse.vstack(matrices, format="csr"), together, *sides)


def minimize_by_ipopt(
    objective: Objective, start: Vector, limits: Limits, compiled: bool, call: dict[str, Any]
) -> Any:
    """SciPy's OptimizeResult of a problem that Ipopt solves.

    call: bounds, tol and options, as `minimize` is given them; the options are Ipopt's.
    """
    if importlib.util.find_spec("cyipopt") is None:
        raise NotInstalled(
            "method='ipopt' needs the package cyipopt: pip install 'wengert[ipopt]' (with Ipopt's "
            "own library; conda install cyipopt has both)"
        )
    if call["callback"] is not None:
        raise WengertTypeError("method='ipopt' takes no callback")
    low, high = _sides(call["bounds"], start.size)
    problem = Problem(objective, limits, start, compiled)
    solver = module("cyipopt").Problem(
        n=start.size,
        m=limits.low.size,
        problem_obj=problem,
        lb=low,
        ub=high,
        cl=limits.low,
        cu=limits.high,
    )
    options = {"print_level": 0, "sb": "yes", **(call["options"] or {})}
    if call["tol"] is not None:
        options.setdefault("tol", call["tol"])
    for name, value in options.items():
        solver.add_option(name, value)
    x, info = solver.solve(start)
    return module("scipy.optimize").OptimizeResult(
        x=x,
        fun=info["obj_val"],
        jac=objective.gradient(np.asarray(x, float)),
        success=info["status"] in (0, 1),  # solved, to the tolerance or to an acceptable one
        status=info["status"],
        message=_text(info["status_msg"]),
        nit=problem.nit,
        info=info,
    )


def _text(message: Any) -> str:
    return message.decode() if isinstance(message, bytes) else str(message)


def _sides(bounds: Any, size: int) -> tuple[Any, Any]:
    """Lower and upper bounds of all variables, infinite where there are none."""
    if bounds is None:
        return np.full(size, -np.inf), np.full(size, np.inf)
    if isinstance(bounds, module("scipy.optimize").Bounds):
        return np.broadcast_to(bounds.lb, size), np.broadcast_to(bounds.ub, size)
    pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
    low, high = np.array(pairs, float).T
    return low, high
