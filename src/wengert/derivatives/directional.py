"""`jvp`, `vjp`, `linearize` and `linear_transpose`: derivatives applied to vectors.

    jvp         x, ẋ ↦ f(x), J(x) ẋ          forward mode
    vjp         x, ȳ ↦ f(x), J(x)ᵀ ȳ         reverse mode
    linearize   x ↦ f(x), (ẋ ↦ J(x) ẋ)       forward mode, the function run once

Integer and boolean leaves have tangents of dtype float0, which hold nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.derivatives.derive import forward, reverse, seeds
from wengert.derivatives.linear_map import LinearMap, Place, checked
from wengert.derivatives.marking import (
    Marked,
    distinct,
    mark,
    need_function,
    output_nodes,
    split_aux,
    traced,
)
from wengert.errors import WengertTypeError
from wengert.execution.border import deliver, entered
from wengert.execution.budget.amounts import Amount, in_bytes
from wengert.execution.inspecting import keeping
from wengert.execution.programs import program
from wengert.execution.retrying import retried
from wengert.graph.literals import zeros
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.types import array_type, float0, is_inexact
from wengert.graph.walk import dependents, topological
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, match, unflatten


@retried
def jvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """The value of a function and its derivative along a direction, by forward mode.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays or structures of them, returning the same.
    primals
        A tuple or list: the arguments of `fun`.
    tangents
        As `primals`, leaf for leaf: the direction. Integer leaves take tangents of dtype
        `wengert.float0`.
    has_aux
        Whether `fun` returns a pair (output, aux).

    Returns
    -------
    (output, tangent of the output), or (output, tangent, aux). Floating and complex outputs have
    tangents of their own shape and dtype, others of dtype float0.

    Raises
    ------
    WengertTypeError, WengertValueError
        Where tangents do not match the primals in structure, shape or dtype.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.jvp(lambda x: x**2, (3.0,), (1.0,))
    (np.float64(9.0), np.float64(6.0))

    Source: Wengert 1964, *A simple automatic derivative evaluation program*.
    """
    need_function(fun, "jvp")
    _need_sequences(primals, tangents)
    args, directions = tuple(primals), tuple(tangents)
    call = entered(flatten((args, directions))[0])
    with call as session:
        marked = mark(session, args, tuple(range(len(args))), "jvp", allow_integers=True)
        given, concrete = tangent_nodes(session, directions, marked, "the tangent given to jvp")
        value, aux = split_aux(fun(*marked.args), has_aux, "jvp")
        nodes, spec = output_nodes(value, session, "jvp")
        moved = forward(nodes, marked.nodes, given)
        result = (traced(session, spec, nodes), tangent_tree(session, spec, nodes, moved))
        out = deliver(
            session,
            call.owner,
            (*result, aux) if has_aux else result,
            [*marked.concrete, *concrete],
        )
        return tuple(out)


def _need_sequences(primals: Any, tangents: Any) -> None:
    for value, name in ((primals, "primals"), (tangents, "tangents")):
        if not isinstance(value, tuple | list):
            raise WengertTypeError(
                f"jvp takes {name} as a tuple with one entry an argument, not "
                f"{type(value).__name__}: write jvp(f, (x,), (v,))"
            )
    if len(primals) != len(tangents):
        raise WengertTypeError(
            f"jvp got {len(primals)} primals and {len(tangents)} tangents; there must be one "
            "tangent an argument"
        )


def tangent_nodes(
    session: Session, directions: Any, marked: Marked, what: str
) -> tuple[list[Tangent], list[Node]]:
    """The tangents of the marked inputs as nodes (None where there is no derivative), and those
    among them that were given values here."""
    given: list[Tangent] = []
    concrete: list[Node] = []
    leaves = match(directions, marked.spec, what, "the point")
    for k, (leaf, node) in enumerate(zip(leaves, marked.nodes, strict=True)):
        value = checked(leaf, node, Place(what, directions, k))
        if value is None:
            given.append(None)
        elif type(value) is Tracer:
            given.append(lift(value, session))
        else:
            value = np.array(value) if marked.nested else value
            given.append(session.input(value, array_type(node.shape, node.dtype)))
            concrete.append(given[-1])
    return given, concrete


def tangent_tree(
    session: Session, spec: Spec, nodes: Sequence[Node], tangents: Sequence[Tangent]
) -> Any:
    """Derivatives as a structure of tracers, with float0 where there are none."""
    leaves = [
        Tracer(zeros(array_type(node.shape, node.dtype)) if tangent is None else tangent, session)
        if is_inexact(node.dtype)
        else np.zeros(node.shape, float0)
        for node, tangent in zip(nodes, tangents, strict=True)
    ]
    return unflatten(spec, leaves)


@retried
def vjp(
    fun: Callable[..., Any], *primals: Any, has_aux: bool = False, memory: Amount | None = None
) -> tuple[Any, ...]:
    """The value of a function, and a function that pulls cotangents back, by reverse mode.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays or structures of them, returning the same.
    primals
        The arguments of `fun`.
    has_aux
        Whether `fun` returns a pair (output, aux).
    memory
        A budget of bytes, as a number or a text ("200MB"). The call, with what is kept for the
        pullback, and each call of the pullback take no more than that; what is not kept is computed
        again. Inside another transformation it says nothing.

    Returns
    -------
    (output, pullback) or (output, pullback, aux). `pullback(cotangent)` takes the structure of the
    output and returns a tuple with one cotangent an argument. It may be called many times, also
    after other traces; the function is not run again.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> y, pullback = wg.vjp(np.exp, np.array([0.0, 1.0]))
    >>> pullback(np.array([1.0, 0.0]))
    (array([1., 0.]),)

    Source: Linnainmaa 1976; as a transpose, Radul et al. 2023, *You Only Linearize Once*.
    """
    need_function(fun, "vjp")
    budget = None if memory is None else in_bytes(memory)
    call = entered(flatten(primals)[0])
    with call as session:
        budget = budget if call.owner else None
        marked = mark(session, primals, tuple(range(len(primals))), "vjp", allow_integers=True)
        value, aux = split_aux(fun(*marked.args), has_aux, "vjp")
        nodes, spec = output_nodes(value, session, "vjp")
        nodes = distinct(session, nodes)
        given = seeds(nodes)
        pulled = reverse(nodes, marked.nodes, given)
        pullback = LinearMap(
            name="the pullback of vjp",
            domain=("cotangent", nodes, given, spec),
            codomain=(marked.nodes, pulled, marked.spec),
            unpacked=False,
            memory=budget,
        )
        if budget is not None:
            pullback.part(nodes)
        return _with_map(
            call, session, spec, nodes, pullback, aux, has_aux, marked.concrete, budget
        )


@retried
def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function, and its derivative at that point as a linear function.

    The arguments are those of `vjp`. Returns (output, pushforward) or (output, pushforward, aux);
    `pushforward(*tangents)` takes one tangent an argument and returns the tangent of the output. It
    may be called many times; the function is not run again.

    >>> import numpy as np, wengert as wg
    >>> y, push = wg.linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> push(1.0, 0.0), push(0.0, 1.0)
    (np.float64(3.0), np.float64(2.0))
    """
    need_function(fun, "linearize")
    call = entered(flatten(primals)[0])
    with call as session:
        marked = mark(session, primals, tuple(range(len(primals))), "linearize", True)
        value, aux = split_aux(fun(*marked.args), has_aux, "linearize")
        nodes, spec = output_nodes(value, session, "linearize")
        given = seeds(marked.nodes)
        push = LinearMap(
            name="the pushforward of linearize",
            domain=("tangent", marked.nodes, given, marked.spec),
            codomain=(nodes, forward(nodes, marked.nodes, given), spec),
            unpacked=True,
        )
        return _with_map(call, session, spec, nodes, push, aux, has_aux, marked.concrete)


def _with_map(
    call: entered,
    session: Session,
    spec: Spec,
    nodes: Sequence[Node],
    linear: LinearMap,
    aux: Any,
    has_aux: bool,
    concrete: Sequence[Node],
    memory: int | None = None,
) -> tuple[Any, ...]:
    """(output, linear map[, aux]), with what the map needs of the primal computed along."""
    residuals = linear.residuals
    held = [Tracer(node, session) for node in residuals]
    with keeping(residuals, shown=nodes):
        output, held, aux = deliver(
            session, call.owner, (traced(session, spec, nodes), held, aux), concrete, memory
        )
    linear.hold(held)
    return (output, linear, aux) if has_aux else (output, linear)


@retried
def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Callable[..., Any]:
    """The transpose of a function that is linear: ⟨c, f(x)⟩ = ⟨fᵀ(c), x⟩.

    Parameters
    ----------
    fun
        A linear function of arrays or structures of them.
    primals
        Arguments that give shapes and dtypes; their values are not used.

    Returns
    -------
    A function that takes the structure of the output and returns a tuple, an entry an argument.

    Raises
    ------
    WengertTypeError
        Where `fun` is not linear.

    >>> import numpy as np, wengert as wg
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> wg.linear_transpose(lambda x: A @ x, np.zeros(2))(np.array([1.0, 0.0]))
    (array([1., 2.]),)
    """
    need_function(fun, "linear_transpose")
    call = entered(flatten(primals)[0])
    with call as session:
        marked = mark(session, primals, tuple(range(len(primals))), "linear_transpose")
        nodes, spec = output_nodes(fun(*marked.args), session, "linear_transpose")
        nodes = distinct(session, nodes)
        _check_linear(session, nodes, marked.nodes)
        given = seeds(nodes)
        transposed = LinearMap(
            name="the transposed function",
            domain=("cotangent", nodes, given, spec),
            codomain=(marked.nodes, reverse(nodes, marked.nodes, given), marked.spec),
            unpacked=False,
        )
        result = _with_map(call, session, spec, nodes, transposed, None, False, marked.concrete)
        mapped: Callable[..., Any] = result[1]
        return mapped


def _check_linear(session: Session, outputs: Sequence[Node], inputs: Sequence[Node]) -> None:
    """A function is linear if its derivative does not depend on the point and it maps 0 to 0."""
    moved = [t for t in forward(outputs, inputs, seeds(inputs)) if t is not None]
    order = topological(moved)
    given = {s for s in seeds(inputs) if s is not None}
    if any(node in dependents(order, inputs) and node not in given for node in moved):
        raise WengertTypeError(
            "linear_transpose needs a linear function, but the derivative of this one depends on "
            "its argument; use vjp for the derivative at a point"
        )
    at_zero = {node: np.zeros(node.shape, node.dtype) for node in inputs}
    values = program(outputs).run({**session.values, **at_zero})
    if any(np.any(value != 0) for value in values):
        raise WengertTypeError(
            "linear_transpose needs a linear function, but this one does not map zero to zero (it "
            "adds a constant)"
        )
