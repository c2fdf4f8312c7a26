"""Second derivatives without the Hessian: `laplacian`, `hessian_diagonal`, `gauss_newton_vp`.

The first two take n directions, the unit vectors of an argument of n elements, through the program
in one pass. Before they do, they look at what is elementwise in the argument: there the Jacobian is
a diagonal, and one direction, the vector of ones, gives it all. What is linear in such parts, as
Σ g(x) is, then costs one pass of reverse mode and no direction more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.derivatives.compressing import values_at
from wengert.derivatives.derive import basis, forward, gradient, once, reverse, seeds
from wengert.derivatives.directional import tangent_nodes
from wengert.derivatives.function import DerivativeFunction
from wengert.derivatives.marking import (
    Argnums,
    mark,
    need_function,
    output_nodes,
    scalar_output,
    split_aux,
    traced,
    written,
)
from wengert.derivatives.mixed.planning import FEW_COLUMNS, planned
from wengert.derivatives.second_order import Second, second_order
from wengert.errors import WengertTypeError
from wengert.execution.border import deliver, entered
from wengert.execution.retrying import retried
from wengert.graph.literals import full
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.walk import dependents, topological
from wengert.ops import linear
from wengert.ops.movement import broadcast_to, index, reshape
from wengert.sparse.detecting import commute
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten


def laplacian(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The Laplacian of a function of real arrays, Σᵢ ∂²f/∂xᵢ², in one forward pass.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays or structures of them, returning the same.
    argnums
        Position or positions of the arguments to differentiate by; the sum is over all their
        elements.
    has_aux
        Whether `fun` returns a pair (output, aux).

    Returns
    -------
    A function with the arguments of `fun`; its result has the structure, shapes and dtypes of the
    output: each element's own Laplacian.

    Raises
    ------
    WengertTypeError
        Where an argument is complex.

    Notes
    -----
    For n elements the price is that of n directions of forward mode, about half of that of the
    dense Hessian, and memory is that of first derivatives. Where `fun` is a linear function of
    what is elementwise in the argument, as Σ g(x) is, the price does not grow with n.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.laplacian(lambda x: 1 / np.linalg.norm(x))(np.array([1.0, 2.0, 2.0]))  # harmonic
    np.float64(0.0)
    >>> wg.laplacian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    np.float64(10.0)

    Source: Li et al. 2024, *A computational framework for neural network-based variational Monte
    Carlo with Forward Laplacian*, Nature Machine Intelligence 6.
    """
    options = {"argnums": argnums, "has_aux": has_aux, "name": "laplacian"}
    return DerivativeFunction(_laplacian, fun, options)


def hessian_diagonal(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The diagonal of the Hessian of a scalar function of real arrays: ∂²f/∂xᵢ² for each i, exact.

    Parameters
    ----------
    fun
        A scalar function written with NumPy, of arrays or structures of them.
    argnums
        Position or positions of the arguments to differentiate by.
    has_aux
        Whether `fun` returns a pair (output, aux).

    Returns
    -------
    A function with the arguments of `fun`; its result has the structure, shapes and dtypes of the
    argument (or is a tuple of them).

    Raises
    ------
    WengertTypeError
        Where an argument is complex, or the output is no real scalar.

    Notes
    -----
    For n elements the price is that of n directions of forward mode with first and second
    derivatives, about that of the dense Hessian, which is never formed. A function that is linear
    in what is elementwise in its argument, such as Σ g(x), costs one pass whatever n is, and one
    whose Hessian is sparse as many products as that has colours.

    >>> import numpy as np, wengert as wg
    >>> wg.hessian_diagonal(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 6., 12.])
    >>> wg.hessian_diagonal(lambda x: x[0] ** 2 * x[1] ** 3)(np.array([2.0, 1.0]))
    array([ 2., 24.])
    """
    options = {"argnums": argnums, "has_aux": has_aux, "name": "hessian_diagonal"}
    return DerivativeFunction(_diagonal, fun, options)


def _laplacian(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    def of_outputs(session: Session, value: Any, inputs: Sequence[Node], _: Spec) -> Any:
        outputs, spec = output_nodes(value, session, "laplacian")
        totals: list[Tangent] = [None] * len(outputs)
        for x in inputs:
            parts = _seconds(outputs, x, True)
            with deriving():
                totals = [linear.add(a, b) for a, b in zip(totals, parts, strict=True)]
        nodes = [written(total, like) for total, like in zip(totals, outputs, strict=True)]
        return traced(session, spec, nodes)

    return _of_real(of_outputs, fun, options, args, kwargs)


def _diagonal(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    def of_output(session: Session, value: Any, inputs: Sequence[Node], spec: Spec) -> Any:
        output = scalar_output(value, session, "hessian_diagonal")
        nodes = _by_colours(session, output, inputs)
        if nodes is None:
            nodes = [written(_seconds([output], x, False)[0], x) for x in inputs]
        with deriving():
            nodes = [find("convert")(node, x.dtype) for node, x in zip(nodes, inputs, strict=True)]
        return traced(session, spec, nodes)

    return _of_real(of_output, fun, options, args, kwargs)


def _of_real(derive: Callable[..., Any], fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    """What `derive` makes of the output and the marked inputs of a function of real arguments."""
    what = options["name"]
    call = entered(flatten((args, kwargs))[0])
    with call as session:
        marked = mark(session, args, options["argnums"], what)
        if any(node.dtype.kind == "c" for node in marked.nodes):
            raise WengertTypeError(
                f"{what} is defined for real arguments: write the function as one of the real and "
                "the imaginary part"
            )
        value, aux = split_aux(fun(*marked.args, **kwargs), options["has_aux"], what)
        result = derive(session, value, marked.nodes, marked.spec)
        full_result = (result, aux) if options["has_aux"] else result
        return deliver(session, call.owner, full_result, marked.concrete)


def _by_colours(session: Session, output: Node, inputs: Sequence[Node]) -> list[Node] | None:
    """The diagonal out of the values of the Hessian, where that is sparse and made by colours."""
    if sum(node.size for node in inputs) <= FEW_COLUMNS:
        return None
    slopes = [written(s, n) for s, n in zip(gradient(output, inputs), inputs, strict=True)]
    choice = planned(slopes, inputs, "auto", symmetric=commute([output]))
    places, colouring = choice.places, choice.colouring
    if choice.chosen.name != "coloured" or places is None or colouring is None:
        return None
    (on,) = np.nonzero(places.rows == places.indices)
    with deriving():
        values = values_at(session, slopes, inputs, places, colouring)
        diagonal = find("gather")(values, session.capture(on), 0)
        at = session.capture(places.indices[on].astype(np.int64))
        whole = find("scatter_add")(diagonal, at, 0, places.shape[1])
        nodes, start = [], 0
        for node in inputs:
            nodes.append(reshape(index(whole, ((start, node.size, 1),)), node.shape))
            start += node.size
    return nodes


# ------------------------------------------------------------------ n directions, or only one


def _seconds(outputs: Sequence[Node], x: Node, summed: bool) -> list[Tangent]:
    """For each output the sum of its second derivatives by the elements of x; or, for a scalar
    output, each of them, in the shape of x."""
    key = ("seconds", summed, *outputs, None, x)
    return once(key, lambda: [_second(output, x, summed) for output in outputs])


def _second(output: Node, x: Node, summed: bool) -> Tangent:
    parts = [output] if output.shape and not summed else _elementwise_parts(output, x)
    slopes, bends = _along_ones(parts, x)
    with deriving():
        if not output.shape:
            weights = _weights(output, parts)
            if weights is not None:
                found: Tangent = None
                for weight, bend in zip(weights, bends, strict=True):
                    if weight is not None and bend is not None:
                        found = linear.add(found, linear.scale(bend, weight))
                if summed and found is not None:
                    found = linear.total(found, range(found.ndim))
                return found
        unit = basis(x)
        given: dict[Node, Second] = {}
        for part, slope, bend in zip(parts, slopes, bends, strict=True):
            if slope is not None:
                given[part] = (
                    linear.scale(unit, broadcast_to(slope, unit.shape)),
                    bend
                    if summed or bend is None
                    else linear.scale(unit, broadcast_to(bend, unit.shape)),
                )
        if not given:
            return None
        (found,) = second_order([output], given, x.size, summed)
        return (
            found if summed or found is None else linear.move(lambda v: reshape(v, x.shape), found)
        )


def _elementwise_parts(output: Node, x: Node) -> list[Node]:
    """The last nodes each element of which rests on one element of x, at the same place."""
    order = topological([output], after=x.serial - 1)
    varying = dependents(order, [x])
    apart = {x}
    last: dict[Node, None] = {}
    for node in order:
        if node not in varying or node is x:
            continue
        inside = [arg for arg in node.args if arg in varying]
        if node.op.family == "elementwise" and node.shape == x.shape and apart.issuperset(inside):
            apart.add(node)
        else:
            last.update((arg, None) for arg in inside if arg in apart)
    if output in apart:
        last[output] = None
    return list(last)


def _along_ones(parts: Sequence[Node], x: Node) -> tuple[list[Tangent], list[Tangent]]:
    """First and second derivatives of elementwise functions of x, element by element."""
    ones = full(1, x.dtype, x.shape)
    first = forward(parts, [x], [ones])
    present = [node for node in first if node is not None]
    found = iter(forward(present, [x], [ones]))
    return first, [None if node is None else next(found) for node in first]


def _weights(output: Node, parts: Sequence[Node]) -> list[Tangent] | None:
    """The gradient of an output by parts in which it is linear; None where it is not."""
    moved = [node for node in forward([output], parts, seeds(parts)) if node is not None]
    order = topological(moved)
    if any(part in order for part in parts):
        return None
    return gradient(output, parts)


# ------------------------------------------------------------------------------- Gauss–Newton


@retried
def gauss_newton_vp(
    residual: Callable[..., Any],
    x: Any,
    v: Any,
    *args: Any,
    loss: Callable[..., Any] | None = None,
) -> Any:
    """The Gauss–Newton matrix of loss(residual(x)) times v, without the matrix: Jᵀ (∇²loss) J v.

    It is the Hessian without the curvature of the residual: positive semidefinite for a convex
    loss, and equal to the Hessian where the residual is linear, or zero at the point.

    Parameters
    ----------
    residual
        A function written with NumPy, of an array or a structure of them, returning the same.
    x, v
        The point and the direction, of one structure and of the same shapes.
    args
        Further arguments of `residual`, held constant.
    loss
        A convex scalar function of what `residual` returns; by default half the sum of squares,
        whose second derivative is 1.

    Returns
    -------
    The product, in the structure, shapes and dtypes of x, at a small multiple of the cost of
    `residual`.

    Raises
    ------
    WengertTypeError
        Where something is complex, or the loss is no real scalar.

    >>> import numpy as np, wengert as wg
    >>> residual = lambda x: np.stack([x[0] ** 2 - 1, x[0] * x[1]])
    >>> wg.gauss_newton_vp(residual, np.array([1.0, 3.0]), np.array([1.0, 0.0]))
    array([13.,  3.])

    Source: Schraudolph 2002, *Fast curvature matrix-vector products for second-order gradient
    descent*.
    """
    need_function(residual, "gauss_newton_vp")
    call = entered(flatten((x, v, args))[0])
    with call as session:
        marked = mark(session, (x, *args), 0, "gauss_newton_vp")
        directions, given = tangent_nodes(session, v, marked, "the vector of gauss_newton_vp")
        outputs, spec = output_nodes(residual(*marked.args), session, "gauss_newton_vp")
        products = gauss_newton(session, outputs, spec, marked.nodes, directions, loss)
        nodes = [written(t, n) for t, n in zip(products, marked.nodes, strict=True)]
        return deliver(
            session, call.owner, traced(session, marked.spec, nodes), [*marked.concrete, *given]
        )


def gauss_newton(
    session: Session,
    outputs: Sequence[Node],
    spec: Spec,
    inputs: Sequence[Node],
    directions: Sequence[Tangent],
    loss: Callable[..., Any] | None,
) -> list[Tangent]:
    """Jᵀ (∇²loss) J of residuals (the outputs) times directions, as nodes."""
    if any(node.dtype.kind == "c" for node in (*inputs, *outputs)):
        raise WengertTypeError(
            "the Gauss–Newton matrix is defined for real residuals of real arguments: give the "
            "real and the imaginary part apart"
        )
    points = [session.alias(node) for node in outputs]
    moved = forward(outputs, inputs, directions)
    if loss is not None:
        value = loss(unflatten(spec, [Tracer(node, session) for node in points]))
        slopes = gradient(scalar_output(value, session, "the loss of gauss_newton_vp"), points)
        present = [node for node in slopes if node is not None]
        found = iter(forward(present, points, moved))
        moved = [None if node is None else next(found) for node in slopes]
    return reverse(outputs, inputs, moved)
