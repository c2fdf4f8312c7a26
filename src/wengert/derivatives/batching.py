"""`vmap`: a function of one instance, for many instances at once.

The function is traced once, on one instance of each mapped argument; the graph is then batched, so
that matrix–vector products become matrix products and no Python loop remains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from wengert.derivatives.derive import batched
from wengert.derivatives.function import DerivativeFunction
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import as_input, deliver, entered
from wengert.graph.node import Node
from wengert.graph.walk import topological
from wengert.ops.movement import transpose
from wengert.tracing.forcing import check_inside
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import NAMESPACE, flatten, unflatten


def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_size: int | None = None,
) -> Callable[..., Any]:
    """A function mapped over axes of its arguments, without a loop.

    Parameters
    ----------
    fun
        A function of one instance, written with NumPy.
    in_axes
        For each positional argument the axis along which its instances lie, or None where all
        instances share it: an int for all arguments, or a tuple with one entry an argument, each an
        int, None or a structure of these that begins like the argument.
    out_axes
        Where the axis stands in the results: an int, None for a result that is the same for all
        instances, or a structure of these that begins like the result.
    axis_size
        The number of instances, needed where nothing is mapped.

    Returns
    -------
    A function of the arguments of `fun` with the mapped axes, which returns its results with one.
    Arguments given by name are mapped along axis 0.

    Raises
    ------
    WengertValueError
        Where mapped axes have different extents, or there are none.
    WengertTypeError
        Where Python asks for a value (`if`, `int`) in which the instances differ.

    Notes
    -----
    It nests, and composes with every other transformation.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.vmap(np.dot)(np.ones((4, 3)), np.arange(12.0).reshape(4, 3))
    array([ 3., 12., 21., 30.])
    >>> wg.vmap(wg.grad(lambda x, a: np.sum(a * x**2)), in_axes=(0, None))(np.eye(2), 3.0)
    array([[6., 0.],
           [0., 6.]])
    """
    if axis_size is not None and axis_size < 0:
        raise WengertValueError(f"axis_size of vmap must not be negative, as {axis_size} is")
    options = {"in_axes": in_axes, "out_axes": out_axes, "axis_size": axis_size, "name": "vmap"}
    return DerivativeFunction(_vmapped, fun, options)


def _vmapped(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    leaves, spec = flatten((args, kwargs))
    axes = _axes(options["in_axes"], (args, kwargs), leaves)
    size = _size(leaves, axes, options["axis_size"])
    call = entered(leaves)
    with call as session:
        lanes: dict[Node, Node] = {}
        concrete = []
        for k, (leaf, axis) in enumerate(zip(leaves, axes, strict=True)):
            if axis is not None:
                tracer = as_input(session, leaf, f"leaf {k} of the arguments of vmap")
                if type(leaf) is not Tracer:
                    concrete.append(tracer.node)
                whole = _axis_first(tracer.node, axis)
                one = session.lane(whole, lanes)
                lanes[one] = whole
                leaves[k] = Tracer(one, session)
        nested, session.running = session.running, True
        new_args, new_kwargs = unflatten(spec, leaves)
        result = fun(*new_args, **new_kwargs)
        session.running = nested
        parts, out_spec = flatten(result)
        places = _prefixed(options["out_axes"], result, "out_axes")
        nodes = [lift(part, session) for part in parts]
        check_inside(session, nodes)
        wholes = batched(nodes, lanes, size)
        final = [
            Tracer(_placed(node, whole, place, lanes), session)
            for node, whole, place in zip(nodes, wholes, places, strict=True)
        ]
        return deliver(session, call.owner, unflatten(out_spec, final), concrete)


def _axes(in_axes: Any, arguments: tuple[Any, dict[str, Any]], leaves: Sequence[Any]) -> list[Any]:
    """The axis of each leaf of (args, kwargs), None where it is shared."""
    args, kwargs = arguments
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if isinstance(in_axes, tuple) and len(in_axes) != len(args):
        raise WengertValueError(
            f"in_axes of vmap has {len(in_axes)} entries, and the function was called with "
            f"{len(args)} positional arguments: give one an argument"
        )
    found = [*_prefixed(in_axes, args, "in_axes"), *_prefixed(0, kwargs, "in_axes")]
    for k, (leaf, axis) in enumerate(zip(leaves, found, strict=True)):
        if axis is not None:
            ndim = np.ndim(leaf)
            if not -ndim <= axis < ndim:
                raise WengertValueError(
                    f"vmap was asked to map axis {axis} of leaf {k} of the arguments, which has "
                    f"{ndim} axes: say None in in_axes for an argument that all instances share"
                )
    return found


def _prefixed(axes: Any, tree: Any, what: str) -> list[Any]:
    """The entry of a structure of axes that stands for each leaf of a tree."""
    try:
        spread = optree.broadcast_prefix(axes, tree, none_is_leaf=True, namespace=NAMESPACE)
    except (ValueError, TypeError) as error:
        raise WengertTypeError(
            f"{what} of vmap must have the structure of what it stands for, or the beginning of "
            f"it: {error}"
        ) from None
    every = optree.tree_leaves(tree, none_is_leaf=True, namespace=NAMESPACE)
    found = [axis for axis, leaf in zip(spread, every, strict=True) if leaf is not None]
    for axis in found:
        if axis is not None and (isinstance(axis, bool) or not isinstance(axis, int | np.integer)):
            raise WengertTypeError(f"{what} of vmap holds {axis!r}, not an int or None")
    return found


def _size(leaves: Sequence[Any], axes: Sequence[Any], given: int | None) -> int:
    """How many instances there are."""
    extents = {
        np.shape(leaf)[axis] for leaf, axis in zip(leaves, axes, strict=True) if axis is not None
    }
    if given is not None:
        extents.add(given)
    if len(extents) != 1:
        what = f"axes of the extents {sorted(extents)}" if extents else "no axis at all"
        raise WengertValueError(
            f"vmap maps over {what}: all mapped axes (and axis_size) must have one extent"
        )
    (size,) = extents
    return int(size)


def _axis_first(node: Node, axis: int) -> Node:
    axis %= node.ndim
    return transpose(node, (axis, *(k for k in range(node.ndim) if k != axis)))


def _placed(node: Node, whole: Node, place: Any, lanes: dict[Node, Node]) -> Node:
    """A result with its instances along the axis that was asked for."""
    if place is None:
        if any(other in lanes for other in topological([node])):
            raise WengertValueError(
                "out_axes of vmap says None for a result that is not the same for all instances"
            )
        return node
    if not -whole.ndim <= place < whole.ndim:
        raise WengertValueError(
            f"out_axes of vmap asks for axis {place} of a result that has {whole.ndim} axes"
        )
    order = list(range(1, whole.ndim))
    order.insert(place % whole.ndim, 0)
    return transpose(whole, order)
