"""Shapes and axes: reshape, transpose and their kin. Results are views where NumPy's are."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.numpy.dispatch import (
    all_axes,
    fixed_shape,
    implements,
    one_axis,
    tracers,
)
from wengert.ops.movement import broadcast_to as broadcast_node
from wengert.ops.movement import inverse
from wengert.ops.movement import reshape as reshape_node
from wengert.ops.movement import transpose as transpose_node
from wengert.tracing.session import Session
from wengert.tracing.tracer import ATTRIBUTES, METHODS, SETTERS, Tracer
from wengert.tracing.views import Link, is_scalar, memory_layout, own, view

# ------------------------------------------------------------------------------- reshape


def reshaped(x: Tracer, shape: tuple[int, ...]) -> Tracer:
    """x in another shape of the same size: a view, or a copy where NumPy's strides force one."""
    old = x.shape
    if x.link is not None and x.link.path:
        layout = memory_layout(x)
        if not np.may_share_memory(layout.reshape(shape), layout):
            return _copied(reshape_node(x.node, shape), x.session)
    return view(
        x,
        lambda node: reshape_node(node, shape),
        lambda _, node: reshape_node(node, old),
        lambda array: array.reshape(shape),
    )


def _copied(node: Node, session: Session) -> Tracer:
    """An array of its own, where the memory of the original forces a copy.

    The link says that this hangs on more than the node: an equal array that lies in memory
    otherwise gives a view, so that the result must not be remembered for it (`remembering`).
    """
    result = Tracer(node, session)
    result.link = Link()
    return result


def _alike(node: Node, x: Tracer) -> Tracer:
    """A copy of x: a scalar of a scalar, an array of an array."""
    return Tracer(node, x.session) if is_scalar(x) else own(node, x.session)


def _known_extent(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The shape with −1 worked out."""
    if sum(extent == -1 for extent in shape) > 1:
        raise WengertValueError("can only specify one unknown dimension")
    if -1 not in shape:
        return shape
    rest = math.prod(extent for extent in shape if extent != -1)
    if rest == 0 or size % rest:
        raise WengertValueError(f"cannot reshape array of size {size} into shape {shape}")
    return tuple(size // rest if extent == -1 else extent for extent in shape)


@implements(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: Any = None) -> Any:
    (x,) = tracers(a)
    target = _known_extent(fixed_shape(shape), x.size)
    if order == "F":
        turned = reshaped(transpose(x), target[::-1])
        return transpose(turned)
    if order not in ("C", "A", "K"):
        raise WengertValueError(f"order must be one of 'C', 'F' or 'A', not {order!r}")
    result = reshaped(x, target)
    return Tracer(result.node, result.session) if copy else result


def _reshape_method(x: Tracer, *shape: Any, order: str = "C", copy: Any = None) -> Any:
    target = shape[0] if len(shape) == 1 else shape
    return reshape(x, target, order, copy=copy)


METHODS["reshape"] = _reshape_method


@implements(np.ravel, method=True)
def ravel(a: Any, order: str = "C") -> Any:
    (x,) = tracers(a)
    flat = reshape(x, (x.size,), order)
    if x.link is not None and x.link.path:
        layout = memory_layout(x)
        if not np.may_share_memory(layout.ravel(order), layout):  # also where reshape gives a view
            return _copied(flat.node, flat.session)
    return flat


def _flatten(x: Tracer, order: str = "C") -> Tracer:
    flat = ravel(x, order)
    return Tracer(flat.node, flat.session)


METHODS["flatten"] = _flatten


@implements(np.squeeze, method=True)
def squeeze(a: Any, axis: Any = None) -> Any:
    (x,) = tracers(a)
    axes = [k for k, n in enumerate(x.shape) if n == 1] if axis is None else all_axes(axis, x.ndim)
    if any(x.shape[k] != 1 for k in axes):
        raise WengertValueError(
            "cannot select an axis to squeeze out which has size not equal to one"
        )
    return reshaped(x, tuple(n for k, n in enumerate(x.shape) if k not in axes))


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    (x,) = tracers(a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    axes = all_axes(axis, x.ndim + count)
    rest = iter(x.shape)
    return reshaped(x, tuple(1 if k in axes else next(rest) for k in range(x.ndim + count)))


def _atleast(*arrays: Any, widen: Any) -> Any:
    results = [
        reshaped(x, widen(x.shape)) if len(widen(x.shape)) != x.ndim else x
        for x in tracers(*arrays)
    ]
    return results[0] if len(results) == 1 else tuple(results)


@implements(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    return _atleast(*arys, widen=lambda shape: shape or (1,))


@implements(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    return _atleast(*arys, widen=lambda s: s if len(s) > 1 else (1, *(s or (1,))))


@implements(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    def widen(shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) < 2:
            return (1, *(shape or (1,)), 1)
        return (*shape, 1) if len(shape) == 2 else shape

    return _atleast(*arys, widen=widen)


# ----------------------------------------------------------------------------- transpose


@implements(np.transpose, np.permute_dims)
def transpose(a: Any, axes: Any = None) -> Any:
    (x,) = tracers(a)
    if axes is None:
        order = tuple(reversed(range(x.ndim)))
    else:
        order = tuple(one_axis(axis, x.ndim) for axis in axes)
        if sorted(order) != list(range(x.ndim)):
            raise WengertValueError("axes don't match array")
    back = inverse(order)
    return view(
        x,
        lambda node: transpose_node(node, order),
        lambda _, node: transpose_node(node, back),
        lambda array: array.transpose(order),
    )


def _transpose_method(x: Tracer, *axes: Any) -> Any:
    if not axes or axes == (None,):
        return transpose(x)
    return transpose(x, axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes)


METHODS["transpose"] = _transpose_method
ATTRIBUTES["T"] = transpose


@implements(np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    (x,) = tracers(x)
    if x.ndim < 2:
        raise WengertValueError("matrix transpose needs an array of at least two axes")
    return swapaxes(x, -1, -2)


ATTRIBUTES["mT"] = matrix_transpose


@implements(np.swapaxes, method=True)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    (x,) = tracers(a)
    i, j = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    order = list(range(x.ndim))
    order[i], order[j] = j, i
    return transpose(x, order)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    (x,) = tracers(a)
    sources = [source] if not isinstance(source, tuple | list) else list(source)
    targets = [destination] if not isinstance(destination, tuple | list) else list(destination)
    if len(sources) != len(targets):
        raise WengertValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    pairs = sorted(
        (one_axis(t, x.ndim), one_axis(s, x.ndim)) for s, t in zip(sources, targets, strict=True)
    )
    order = [k for k in range(x.ndim) if k not in {s for _, s in pairs}]
    for target, start in pairs:
        order.insert(target, start)
    return transpose(x, order)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    (x,) = tracers(a)
    axis = one_axis(axis, x.ndim)
    start = operator.index(start) + (x.ndim if start < 0 else 0)
    return moveaxis(x, axis, start - 1 if axis < start else start)


# ----------------------------------------------------------------------------- broadcast


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    (x,) = tracers(array)
    target = fixed_shape(shape)
    np.broadcast_shapes(x.shape, target)
    return view(
        x,
        lambda node: broadcast_node(node, target),
        None,
        lambda array: np.broadcast_to(array, target),
    )


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    xs = tracers(*args)
    shape = np.broadcast_shapes(*[x.shape for x in xs])
    return tuple(x if x.shape == shape else broadcast_to(x, shape) for x in xs)


# ------------------------------------------------------------------- attributes and copies


@implements(np.shape)
def shape(a: Any) -> Any:
    return tracers(a)[0].shape


@implements(np.ndim)
def ndim(a: Any) -> Any:
    return tracers(a)[0].ndim


@implements(np.size)
def size(a: Any, axis: Any = None) -> Any:
    (x,) = tracers(a)
    return x.size if axis is None else math.prod(x.shape[k] for k in all_axes(axis, x.ndim))


@implements(np.copy, method=True)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    (x,) = tracers(a)
    return _alike(x.node, x)


def _astype(
    x: Tracer,
    dtype: Any,
    order: str = "K",
    casting: str = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Tracer:
    return astype(x, dtype, copy=copy)


METHODS["astype"] = _astype


@implements(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    from_dtype = x.dtype
    target = np.dtype(dtype)
    if device not in (None, "cpu"):
        raise WengertValueError(f'Device not understood. Only "cpu" is allowed, not {device!r}')
    if target.kind not in "biufc" or target.itemsize > 16 or target.char in "eg":
        raise Unsupported(f"astype({target}) cannot be traced")
    if target == from_dtype and not copy:
        return x
    if from_dtype.kind == "c" and target.kind in "iu":
        raise Unsupported(
            f"astype from {from_dtype} to {target} cannot be traced; take .real first"
        )
    return _alike(find("convert")(x.node, target), x)


def _fill(x: Tracer, value: Any) -> None:
    x[...] = value


METHODS["fill"] = _fill


def _set_shape(x: Tracer, shape: Any) -> None:
    new = reshape(x, shape)
    if x.link is None or not x.link.path:
        write_shape(x, new)
    else:
        raise Unsupported("assigning .shape of a traced view; write x = x.reshape(shape)")


def write_shape(x: Tracer, new: Tracer) -> None:
    """Rebind a tracer that owns its memory to its values in another shape."""
    if x.link is not None and any(ref() is not None and ref() is not new for ref in x.link.views):
        raise Unsupported("assigning .shape of a traced array that has views; use reshape")
    x.node, x.link = new.node, None


SETTERS["shape"] = _set_shape
ATTRIBUTES["flat"] = lambda x: ravel(x)
ATTRIBUTES["base"] = lambda x: None if x.link is None else x.link.root
ATTRIBUTES["device"] = lambda x: "cpu"
