"""`custom_linear_solve`, `custom_root` and `fixed_point`: solutions that are differentiated by the
equation that they satisfy, and not through the iterations that found them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.control.solving import linear_solve, root
from wengert.control.splitting import written
from wengert.derivatives.batching import vmap
from wengert.derivatives.derive import basis
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import deliver, entered
from wengert.flow.bodies import check_same, same_structure, settled, strong, traced
from wengert.flow.closures import held
from wengert.flow.equations import Equation, Solver, solver_of
from wengert.flow.whiles import while_loop
from wengert.graph.body import invariant
from wengert.graph.node import Node
from wengert.graph.types import FLOAT, ArrayType, is_inexact
from wengert.graph.walk import dependents, topological
from wengert.ops.arithmetic import convert
from wengert.ops.leaves import item, parameter, seed
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

Map = Callable[[Any], Any]
LinearSolver = Callable[[Map, Any], Any]


def custom_linear_solve(
    matvec: Map,
    b: Any,
    solve: LinearSolver,
    transpose_solve: LinearSolver | None = None,
    symmetric: bool = False,
) -> Any:
    """The solution of a linear system by a solver of one's own, differentiated as such.

    Parameters
    ----------
    matvec
        x -> A x, linear, on structures like `b`. It may read traced values from outside: the
        derivative by them is that of the solution.
    b
        The right side: an array, or a structure of them.
    solve
        (matvec, b) -> x. It is not differentiated, and may be anything that computes: loops of
        wengert's, which become part of the program, or code on plain arrays, as SciPy's
        `cg`, `gmres` and `spsolve`, which is then called with arrays.
    transpose_solve
        (vecmat, c) -> y with Aᵀ y = c, which reverse mode needs; `vecmat` is y -> Aᵀ y.
    symmetric
        Whether Aᵀ = A, so that `solve` serves for both.

    Returns
    -------
    x, a structure like `b`.

    Raises
    ------
    WengertTypeError
        Where `matvec` is not linear, or shapes differ.
    NotDifferentiable
        In reverse mode, where neither `transpose_solve` nor `symmetric` is given.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from scipy.sparse.linalg import LinearOperator, cg
    >>> def solution(a):
    ...     def solve(matvec, b):
    ...         return cg(LinearOperator((3, 3), matvec), b, rtol=1e-13)[0]
    ...
    ...     return wg.custom_linear_solve(lambda x: a * x, np.ones(3), solve, symmetric=True)
    >>> wg.grad(lambda a: np.sum(solution(a)))(np.array([1.0, 2.0, 4.0]))
    array([-1.    , -0.25  , -0.0625])

    Source: as `jax.lax.custom_linear_solve`; the derivative is in `wengert.control.solving`.
    """
    leaves, spec = flatten(b)
    call = entered([*leaves, *held([matvec, solve, transpose_solve])])
    with call as session:
        what = "custom_linear_solve"
        begin, equation = _equation(session, matvec, leaves, spec, what)
        _check_linear(equation)
        types = [node.type for node in begin]
        solver = solver_of(equation, solve, types)
        solvers = [solver]
        if transpose_solve is not None and not symmetric:
            solvers.append(solver_of(_transposed(equation), transpose_solve, types))
        free = _read([equation], solvers)
        bodies = [own.body(free) for own in solvers]
        back = bodies[-1] if symmetric or len(bodies) == 2 else None
        solution = linear_solve(free, begin, equation.body(free), bodies[0], back, symmetric)
        return _delivered(call, session, spec, solution)


def custom_root(
    f: Map,
    initial_guess: Any,
    solve: Callable[[Map, Any], Any],
    tangent_solve: LinearSolver | None = None,
    has_aux: bool = False,
) -> Any:
    """A root of f by a solver of one's own, differentiated by the implicit function theorem.

    Parameters
    ----------
    f
        x -> f(x), of the structure and shapes of x. It may read traced values from outside: the
        derivative by them is that of the root.
    initial_guess
        An array, or a structure of them. The root has no derivative by it.
    solve
        (f, initial_guess) -> x, or (x, aux). It is not differentiated: loops of wengert's, or code
        on plain arrays, as `scipy.optimize.root` or `brentq`.
    tangent_solve
        (g, y) -> x with g(x) = y, for linear functions g: the derivative of f at the root, and its
        transpose. By default the Jacobian is made, and factorised.
    has_aux
        Whether `solve` returns further results, which have no derivative.

    Returns
    -------
    x, or (x, aux).

    Raises
    ------
    WengertTypeError
        Where f does not keep the structure and shapes of x.

    Examples
    --------
    >>> import wengert as wg
    >>> from scipy.optimize import brentq
    >>> def root(a):
    ...     return wg.custom_root(lambda x: x**3 - a, 1.0, lambda f, _: brentq(f, 0.0, 9.0))
    >>> root(8.0), wg.grad(root)(8.0), wg.grad(wg.grad(root))(8.0)
    (np.float64(2.0), np.float64(0.0833333), np.float64(-0.0069444))

    Source: as `jax.lax.custom_root`; the derivative is in `wengert.control.solving`.
    """
    leaves, spec = flatten(initial_guess)
    call = entered([*leaves, *held([f, solve, tangent_solve])])
    with call as session:
        begin, equation = _equation(session, f, leaves, spec, "custom_root")
        types = [node.type for node in begin]
        solver = solver_of(equation, solve, types, has_aux)
        slope = _linearised(equation)
        if tangent_solve is None:
            solvers = [solver_of(slope, by, types) for by in (_by_matrix, _by_turned_matrix)]
        else:
            both = (slope, _transposed(slope))
            solvers = [solver_of(own, tangent_solve, types) for own in both]
        free = _read([equation], [solver, *solvers])
        bodies = [own.body(free) for own in (solver, *solvers)]
        solution = root(free, begin, equation.body(free), *bodies)
        if not has_aux:
            return _delivered(call, session, spec, solution)
        assert solver.aux_spec is not None
        return _delivered(call, session, spec, solution, solver.aux_spec)


def fixed_point(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    tol: float = 1e-12,
    maxiter: int = 10_000,
    solve: Callable[[Map, Any], Any] | None = None,
    tangent_solve: LinearSolver | None = None,
) -> Any:
    """x with x = f(x, *args), by iteration, differentiated by the implicit function theorem.

    Parameters
    ----------
    f
        (x, *args) -> x, of the structure and shapes of x. It may read traced values from outside
        too.
    x0
        Where the iteration begins: an array, or a structure of them. x has no derivative by it.
    args
        Handed to f.
    tol
        The iteration ends where no element changes by more than `tol * (1 + max |x|)`. For float32,
        a few of its roundings are allowed where that is more.
    maxiter
        How many steps are made at most.
    solve
        (g, x0) -> x with g(x) = x, in place of the iteration: see `custom_root`.
    tangent_solve
        (g, y) -> v with g(v) = y, for g: v -> v − (∂f/∂x) v and its transpose. By default, for more
        than 100 unknowns, v = y + (∂f/∂x) v is iterated as x is, which converges where f contracts;
        for fewer, or with a solver of one's own, the matrix is factorised.

    Returns
    -------
    x, a structure like `x0`; NaN where the iteration has not converged after `maxiter` steps.

    Raises
    ------
    WengertTypeError
        Where f does not keep the structure and shapes of x.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> root = lambda a: wg.fixed_point(lambda x: (x + a / x) / 2, 1.0)
    >>> root(2.0), wg.grad(root)(2.0), wg.jit(wg.grad(root))(4.0)
    (np.float64(1.41421356), np.float64(0.35355339), np.float64(0.25))

    Source: Christianson 1994, *Reverse accumulation and attractive fixed points*.
    """
    if maxiter < 1:
        raise WengertValueError(f"maxiter of fixed_point must be positive, and is {maxiter}")

    def residual(x: Any) -> Any:
        return _each(np.subtract, x, f(x, *args))

    def iterated(equation: Map, start: Any) -> Any:
        return _iterated(lambda x: _each(np.subtract, x, equation(x)), start, tol, maxiter)

    def neumann(equation: Map, y: Any) -> Any:
        """v = y + (v − (v − J v)) over and over."""
        return _iterated(
            lambda v: _each(lambda a, b, c: a + (b - c), y, v, equation(v)), y, tol, maxiter
        )

    leaves, _ = flatten(x0)
    if tangent_solve is None and solve is None and sum(map(np.size, leaves)) > MOST_FACTORISED:
        tangent_solve = neumann
    if solve is None:
        return custom_root(residual, x0, iterated, tangent_solve)

    def by_user(equation: Map, start: Any) -> Any:
        return solve(lambda x: _each(np.subtract, x, equation(x)), start)

    return custom_root(residual, x0, by_user, tangent_solve)


MOST_FACTORISED = 100
"""Unknowns of a fixed point whose derivative is found by a matrix and not by iteration."""


def _iterated(step: Map, start: Any, tol: float, maxiter: int) -> Any:
    """Steps until nothing changes; NaN where something still does after all of them."""

    def change(x: Any, new: Any) -> Any:
        """Whether any element still changes (one that is NaN does not)."""
        moves = []
        for a, b in zip(flatten(x)[0], flatten(new)[0], strict=True):
            allowed = max(tol, 4 * float(np.finfo(b.dtype).eps))
            moves.append(np.max(abs(b - a), initial=0) > allowed * (1 + np.max(abs(b), initial=0)))
        return np.any(np.stack(moves)) if moves else np.asarray(False)

    def go_on(state: Any) -> Any:
        _, moves, count = state
        return np.logical_and(moves, count < maxiter)

    def body(state: Any) -> Any:
        x, _, count = state
        new = step(x)
        return new, change(x, new), count + 1

    x, moves, _ = while_loop(go_on, body, (start, True, 0))
    return _each(lambda leaf: np.where(moves, np.nan, leaf).astype(leaf.dtype), x)


# ----------------------------------------------------------------------------------- helpers


def _each(function: Callable[..., Any], *trees: Any) -> Any:
    leaves = [flatten(tree) for tree in trees]
    for _, spec in leaves[1:]:
        same_structure(leaves[0][1], spec, "fixed_point")
    return unflatten(
        leaves[0][1], [function(*parts) for parts in zip(*(own for own, _ in leaves), strict=True)]
    )


def _equation(
    session: Session, function: Map, leaves: Sequence[Any], spec: Spec, what: str
) -> tuple[list[Node], Equation]:
    """(where the unknown begins, the equation), of the same floating dtypes."""

    def trace(types: Sequence[ArrayType]) -> tuple[Any, Sequence[Node]]:
        found = traced(session, function, (spec,), types)
        same_structure(spec, found.spec, what)
        return found, found.outputs

    start = [strong(lift(leaf, session)) for leaf in leaves]
    start = [node if is_inexact(node.dtype) else convert(node, FLOAT) for node in start]
    begin, found, given = settled(start, trace)
    outputs = check_same(begin, given, what)
    return begin, Equation(session, what, (), found.params, tuple(outputs), spec)


def _check_linear(equation: Equation) -> None:
    slope = _linearised(equation)
    if not dependents(topological(slope.outputs), slope.point).isdisjoint(slope.outputs):
        raise WengertTypeError(
            f"the function given to {equation.what} must be linear, and its derivative depends on "
            "where it is taken"
        )


def _linearised(equation: Equation) -> Equation:
    """The derivative of an equation at a point, as a linear one."""
    seeds = [seed(node) for node in equation.x]
    moved = pushforward(equation.outputs, dict(zip(equation.x, seeds, strict=True)))
    outputs = [written(t, node) for t, node in zip(moved, equation.outputs, strict=True)]
    return Equation(
        equation.session, equation.what, equation.x, tuple(seeds), tuple(outputs), equation.spec
    )


def _transposed(equation: Equation) -> Equation:
    """The transpose of a linear equation."""
    cts = [parameter(("ct", k), node.type) for k, node in enumerate(equation.outputs)]
    found = transpose(equation.outputs, equation.x, cts)
    outputs = [written(ct, node) for ct, node in zip(found, equation.x, strict=True)]
    return Equation(
        equation.session, equation.what, equation.point, tuple(cts), tuple(outputs), equation.spec
    )


def _read(equations: Sequence[Equation], solvers: Sequence[Solver]) -> list[Node]:
    """What equations and solvers read from outside."""
    outputs = [node for own in (*equations, *solvers) for node in own.outputs]
    opened = [node for own in equations for node in own.opened()]
    opened += [node for own in solvers for node in own.params]
    return invariant(outputs, opened)


def _matrix(matvec: Map, like: Any) -> Any:
    """The transpose of the matrix of a linear function, for the space of `like`."""
    leaves, spec = flatten(like)
    blocks = []
    for k, leaf in enumerate(leaves):
        units = [
            Tracer(basis(leaf.node), leaf.session)
            if k == j
            else np.zeros((leaf.size, *other.shape), other.dtype)
            for j, other in enumerate(leaves)
        ]
        columns, _ = flatten(vmap(matvec)(unflatten(spec, units)))
        flat = [np.reshape(part, (leaf.size, math.prod(part.shape[1:]))) for part in columns]
        blocks.append(np.concatenate(flat, axis=1))
    return np.concatenate(blocks, axis=0)


def _by_matrix(matvec: Map, y: Any) -> Any:
    return _factorised(_matrix(matvec, y).T, y)


def _by_turned_matrix(matvec: Map, y: Any) -> Any:
    return _factorised(_matrix(matvec, y), y)


def _factorised(matrix: Any, y: Any) -> Any:
    leaves, spec = flatten(y)
    flat = np.concatenate([np.reshape(leaf, -1) for leaf in leaves])
    found = flat / matrix[0, 0] if flat.size == 1 else np.linalg.solve(matrix, flat)
    parts = np.split(found, np.cumsum([leaf.size for leaf in leaves])[:-1])
    shaped = [np.reshape(part, leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
    return unflatten(spec, shaped)


def _delivered(
    call: entered, session: Session, spec: Spec, held: Node, aux_spec: Spec | None = None
) -> Any:
    """The solution, and the further results where there are any."""
    tracers = [Tracer(item(held, k), session) for k in range(len(held.type.items))]
    count = spec.num_leaves
    solution = unflatten(spec, tracers[:count])
    if aux_spec is None:
        return deliver(session, call.owner, solution)
    return deliver(session, call.owner, (solution, unflatten(aux_spec, tracers[count:])))
