"""Higher derivatives along a curve or a direction, by Taylor mode: `taylor`, and
`directional_derivative`.

    x(t) = x + x₁ t + x₂ t²/2! + …        y(t) = f(x(t)) = y + y₁ t + y₂ t²/2! + …

Nested forward mode doubles the program with each order. Here the coefficients of the series go
through the program once, each made from those before it: the price grows as the square of the
order. See `wengert.derivatives.series`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.derivatives.derive import once
from wengert.derivatives.directional import tangent_nodes, tangent_tree
from wengert.derivatives.marking import Marked, mark, need_function, output_nodes, traced
from wengert.derivatives.series import expanded
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import deliver, entered
from wengert.execution.retrying import retried
from wengert.graph.literals import constant
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.ops import linear
from wengert.tracing.session import Session
from wengert.tracing.trees import flatten


@retried
def taylor(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    order: int | None = None,
) -> tuple[Any, list[Any]]:
    """The derivatives of a function along a curve, of every order up to a given one.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays or structures of them, returning the same.
    primals
        A tuple or list: the arguments of `fun`, where the curve is at t = 0.
    series
        For each argument the derivatives of the curve by t at t = 0: the first, the second, and so
        on, each with the structure, shapes and dtypes of the argument. They are derivatives and
        not coefficients: xₖ stands for xₖ tᵏ/k!. What is missing at the end is zero.
    order
        Up to which order; by default as many as the longest of the series.

    Returns
    -------
    (f(x), [d/dt f, d²/dt² f, …]) at t = 0, each with the structure of the output. Integer outputs
    have derivatives of dtype float0.

    Raises
    ------
    WengertTypeError, WengertValueError
        Where the series do not match the primals.

    Notes
    -----
    The arguments are those of `jax.experimental.jet.jet`, with `order` beside them. The price of
    order K is about K²/2 products for each product in `fun`. Functions of which every derivative
    is another function (x**p with p no small integer, Bessel functions, eigenvalues) grow as K³. A
    `scan`, a `while_loop` and a `cond` stay one, which carries all the coefficients. Where `fun`
    has rules of its own (`custom_jvp`), the rule is used. Results can be differentiated again.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> value, (d1, d2, d3) = wg.taylor(np.exp, (0.0,), ([2.0],), order=3)
    >>> value, d1, d2, d3
    (np.float64(1.0), np.float64(2.0), np.float64(4.0), np.float64(8.0))

    The acceleration of a point whose parameter moves with velocity 1 and acceleration 2:

    >>> wg.taylor(lambda s: np.stack([s, s**2]), (1.0,), ([1.0, 2.0],))[1]
    [array([1., 2.]), array([2., 6.])]

    Source: Griewank & Walther 2008, *Evaluating Derivatives*, chapter 13; Bettencourt, Johnson &
    Duvenaud 2019, *Taylor-mode automatic differentiation for higher-order derivatives in JAX*.
    """
    need_function(fun, "taylor")
    args, terms, order = _checked(primals, series, order)
    call = entered(flatten((args, terms))[0])
    with call as session:
        positions = tuple(range(len(args)))
        marked = mark(session, args, positions, "taylor", allow_integers=True)
        given, concrete = _coefficients(session, terms, marked, args)
        value = fun(*marked.args)
        nodes, spec = output_nodes(value, session, "taylor")
        found = _derivatives(nodes, marked.nodes, given, order)
        result = (
            traced(session, spec, nodes),
            [tangent_tree(session, spec, nodes, tangents) for tangents in found],
        )
        done = deliver(session, call.owner, result, [*marked.concrete, *concrete])
        return done[0], done[1]


@retried
def directional_derivative(
    fun: Callable[..., Any], x: Any, v: Any, *args: Any, order: int = 1
) -> Any:
    """The k-th derivative of a function along a direction: dᵏ/dtᵏ f(x + t v) at t = 0.

    Parameters
    ----------
    fun
        A function written with NumPy, of an array or a structure of them, returning the same.
    x, v
        The point and the direction, of one structure and of the same shapes.
    args
        Further arguments of `fun`, held constant.
    order
        Which derivative, 0 being the value.

    Returns
    -------
    The derivative, in the structure, shapes and dtypes of the output, by one pass of Taylor mode:
    about order²/2 times the cost of `fun`. See `taylor` for all orders, and for curves.

    Raises
    ------
    WengertTypeError, WengertValueError
        Where v does not match x, or the order is no integer of at least 0.

    >>> import numpy as np, wengert as wg
    >>> wg.directional_derivative(np.sin, 0.0, 1.0, order=3)
    np.float64(-1.0)
    >>> f = lambda x: x[0] ** 3 * x[1]
    >>> wg.directional_derivative(f, np.array([1.0, 2.0]), np.array([1.0, 1.0]), order=2)
    np.float64(18.0)

    Source: Griewank, Utke & Walther 2000, *Evaluating higher derivative tensors by forward
    propagation of univariate Taylor series*.
    """
    need_function(fun, "directional_derivative")
    _check_order(order, "directional_derivative")
    call = entered(flatten((x, v, args))[0])
    with call as session:
        marked = mark(session, (x, *args), 0, "directional_derivative", allow_integers=True)
        what = "the direction of directional_derivative"
        directions, given = tangent_nodes(session, v, marked, what)
        nodes, spec = output_nodes(fun(*marked.args), session, "directional_derivative")
        if order == 0:
            result = traced(session, spec, nodes)
        else:
            lines = [[direction] for direction in directions]
            *_, last = _derivatives(nodes, marked.nodes, lines, order)
            result = tangent_tree(session, spec, nodes, last)
        return deliver(session, call.owner, result, [*marked.concrete, *given])


def _derivatives(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    coefficients: Sequence[Sequence[Tangent]],
    order: int,
) -> list[list[Tangent]]:
    """For each order from 1 the derivatives of the outputs."""
    lines = tuple(map(tuple, coefficients))
    key = ("series", order, *outputs, None, *inputs, None, *lines)
    given = dict(zip(inputs, lines, strict=True))
    found = once(key, lambda: expanded(outputs, given, order))
    with deriving():
        return [
            [_scaled(found[k * order + d - 1], math.factorial(d)) for k in range(len(outputs))]
            for d in range(1, order + 1)
        ]


def _coefficients(
    session: Session, terms: Sequence[Sequence[Any]], marked: Marked, args: Sequence[Any]
) -> tuple[list[list[Tangent]], list[Node]]:
    """The series of each marked leaf: derivative / k!, and the nodes that were given values."""
    concrete: list[Node] = []
    found: list[list[Tangent]] = []
    start = 0
    for place, (arg, derivatives) in enumerate(zip(args, terms, strict=True)):
        leaves, spec = flatten(arg)
        inputs = marked.nodes[start : start + len(leaves)]
        start += len(leaves)
        own: list[list[Tangent]] = [[] for _ in inputs]
        part = Marked(marked.args, list(inputs), spec, [], marked.nested)
        for k, derivative in enumerate(derivatives, 1):
            what = f"derivative {k} of argument {place} given to taylor"
            nodes, fresh = tangent_nodes(session, derivative, part, what)
            concrete += fresh
            with deriving():
                for line, node in zip(own, nodes, strict=True):
                    line.append(_scaled(node, 1 / math.factorial(k)))
        found += own
    return found, concrete


def _scaled(tangent: Tangent, factor: float) -> Tangent:
    return None if tangent is None else linear.scale(tangent, constant(factor, tangent))


def _checked(primals: Any, series: Any, order: Any) -> tuple[tuple[Any, ...], list[list[Any]], int]:
    for value, name in ((primals, "primals"), (series, "series")):
        if not isinstance(value, tuple | list):
            raise WengertTypeError(
                f"taylor takes {name} as a tuple with one entry an argument, not "
                f"{type(value).__name__}: write taylor(f, (x,), ([x1, x2],))"
            )
    if len(primals) != len(series):
        raise WengertTypeError(
            f"taylor got {len(primals)} primals and {len(series)} series; there must be one series "
            "an argument, a list of the derivatives of its curve"
        )
    for k, terms in enumerate(series):
        if not isinstance(terms, tuple | list):
            raise WengertTypeError(
                f"the series of argument {k} given to taylor must be a list of its derivatives by "
                f"t, not {type(terms).__name__}: write [x1, x2]"
            )
    longest = max(map(len, series), default=0)
    if order is None:
        order = longest
    _check_order(order, "taylor")
    return tuple(primals), [list(terms[:order]) for terms in series], int(order)


def _check_order(order: Any, what: str) -> None:
    if isinstance(order, bool) or not isinstance(order, int | np.integer):
        raise WengertTypeError(f"the order of {what} must be an int, not {order!r:.60}")
    if order < 0:
        raise WengertValueError(f"the order of {what} must be at least 0, and {order} is not")
