"""Making arrays from numbers, from nested lists, and filled with a value.

Inside a trace the floating and complex arrays that `wengert.numpy` makes are traced, so that traced
values can be assigned into them; outside, and for integers, they are NumPy's own. NumPy's functions
do the same where `like=` is a traced array.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import full as full_node
from wengert.graph.node import Node
from wengert.graph.types import SUPPORTED, DType, Shape, supported_dtype
from wengert.numpy.assigning import cast_to
from wengert.numpy.dispatch import fixed_shape, implements, nodes, refuse
from wengert.numpy.shapes import reshaped
from wengert.ops.arithmetic import convert
from wengert.ops.movement import broadcast_to, concatenate, reshape
from wengert.tracing.forcing import check_alive
from wengert.tracing.lifting import find_session, is_traced, lift
from wengert.tracing.session import Session, current_session
from wengert.tracing.tracer import Tracer
from wengert.tracing.views import is_scalar, own

# ------------------------------------------------------------------------- traced or NumPy's


def _is_traceable(dtype: DType) -> bool:
    """Whether an array of this dtype is traced though nothing in it is: traced values may come."""
    return dtype.kind in "fc" and dtype.newbyteorder("=") in SUPPORTED


def _assignable(value: Any, given: Any = None) -> Any:
    """An array that NumPy has made, traced where a trace is under way."""
    session = current_session()
    if session is None or type(value) is not np.ndarray or not _is_traceable(value.dtype):
        return value
    if isinstance(given, float | complex):  # a literal, or a number that changes from call to call
        strong = convert(lift(given, session), supported_dtype(value.dtype, "the array"))
        return own(reshape(strong, value.shape), session)
    if value is not given and value.base is None:
        value.flags.writeable = False  # nobody else has it, so it need not be copied
    return own(session.capture(value), session)


def check_device(device: Any) -> None:
    if device not in (None, "cpu"):
        raise WengertValueError(
            f'Device not understood. Only "cpu" is allowed, but received: {device}'
        )


def _check_extents(shape: Shape) -> Shape:
    if any(extent < 0 for extent in shape):
        raise WengertValueError("negative dimensions are not allowed")
    return shape


# ------------------------------------------------------------------------ filled with a value


def _filled(function: Callable[..., Any], value: int) -> Callable[..., Any]:
    def create(
        shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
    ) -> Any:
        session = current_session()
        target = np.dtype(float if dtype is None else dtype)
        if session is None or not _is_traceable(target):
            return function(shape, dtype, order)
        check_device(device)
        extents = _check_extents(fixed_shape(shape))
        return own(full_node(value, supported_dtype(target, "the array"), extents), session)

    create.__name__ = create.__qualname__ = function.__name__
    create.__doc__ = f"np.{function.__name__}; inside a trace, traced values can be assigned to it."
    return implements(function)(create)


zeros = _filled(np.zeros, 0)
ones = _filled(np.ones, 1)
empty = _filled(np.empty, 0)


@implements(np.full)
def full(
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Any:
    """np.full, of traced values too; inside a trace, traced values can be assigned to it."""
    if not is_traced(fill_value):
        return _full(np.full(shape, fill_value, dtype, order), fill_value)
    check_device(device)
    session, (node,) = nodes(fill_value)
    target = node.dtype if dtype is None else supported_dtype(dtype, "the argument dtype")
    value = cast_to(fill_value, target, session)
    return own(broadcast_to(value, _check_extents(fixed_shape(shape))), session)


def _full(value: np.ndarray[Any, Any], fill_value: Any) -> Any:
    """An array of one repeated number, which a node holds as such."""
    session = current_session()
    if session is None or not _is_traceable(value.dtype) or np.ndim(fill_value):
        return _assignable(value)
    dtype = supported_dtype(value.dtype, "the array")
    node = convert(lift(fill_value, session), dtype)
    return own(broadcast_to(node, value.shape), session)


def _like(
    function: Callable[..., Any], value: Any, a: Any, dtype: Any, order: Any, subok: Any, shape: Any
) -> Any:
    """np.zeros_like and its kin; `value` is a number or a node's worth of them."""
    session = find_session(a, value)
    if session is None:
        arguments = (value,) if function is np.full_like else ()
        made = function(a, *arguments, dtype=dtype, order=order, subok=subok, shape=shape)
        return _full(made, value) if type(made) is np.ndarray else made
    prototype = _from(a, None, None) if is_traced(a) else np.asarray(a)
    target = prototype.dtype if dtype is None else supported_dtype(dtype, "the argument dtype")
    extents = prototype.shape if shape is None else _check_extents(fixed_shape(shape))
    filling = cast_to(value, target, session)
    return own(broadcast_to(filling, extents), session)


def _filled_like(function: Callable[..., Any], value: int) -> Callable[..., Any]:
    def create(
        a: Any,
        dtype: Any = None,
        order: str = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        check_device(device)
        return _like(function, value, a, dtype, order, subok, shape)

    create.__name__ = create.__qualname__ = function.__name__
    create.__doc__ = f"np.{function.__name__}; inside a trace, traced values can be assigned to it."
    return implements(function)(create)


zeros_like = _filled_like(np.zeros_like, 0)
ones_like = _filled_like(np.ones_like, 1)
empty_like = _filled_like(np.empty_like, 0)


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    """np.full_like, of traced values too; inside a trace, traced values can be assigned to it."""
    check_device(device)
    return _like(np.full_like, fill_value, a, dtype, order, subok, shape)


# ------------------------------------------------------------------------- array and asarray


@implements(np.array)
def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    ndmax: int = 0,
    like: Any = None,
) -> Any:
    """np.array, of nested lists of traced values too: they are joined by one node."""
    refuse("np.array", ndmax=(ndmax, 0))
    if not is_traced(object):
        made = np.array(object, dtype, copy=copy, order=order, subok=subok, ndmin=ndmin)
        return _assignable(made, object)
    return _from(object, dtype, copy, ndmin)


def _from(object: Any, dtype: Any, copy: Any, ndmin: int = 0) -> Tracer:
    """A traced array, or nested lists that hold one, as an array."""
    to = None if dtype is None else supported_dtype(dtype, "the argument dtype")
    copy = _COPY_MODES.get(copy, copy)
    if type(object) is Tracer:
        check_alive(object)
        node, session = object.node, object.session
        strong = convert(node, node.dtype if to is None else to)
        if strong is node and not copy:
            extra = max(0, ndmin - node.ndim)
            return reshaped(object, (*(1,) * extra, *node.shape)) if extra else _array(object)
        if copy is False:
            raise WengertValueError(_NO_COPY)
    elif copy is False:
        raise WengertValueError(_NO_COPY)
    else:
        strong, session = _nested(object, to)
    return own(reshape(strong, (*(1,) * (ndmin - strong.ndim), *strong.shape)), session)


_NO_COPY = "Unable to avoid copy while creating an array as requested."
_COPY_MODES = {
    np._CopyMode.ALWAYS: True,  # type: ignore[attr-defined]
    np._CopyMode.IF_NEEDED: None,  # type: ignore[attr-defined]
    np._CopyMode.NEVER: False,  # type: ignore[attr-defined]
}
"""What array namespaces for several versions of NumPy pass as `copy`."""


def _array(x: Tracer) -> Tracer:
    """x itself, but an array of its own where x is a scalar."""
    return own(x.node, x.session) if is_scalar(x) else x


def _nested(items: Any, dtype: DType | None) -> tuple[Node, Session]:
    """Nested lists as one array: a node that joins all that they hold, and their nesting as shape.

    A Python number has the dtype of the array that it would be, as in NumPy.
    """
    session = find_session(items)
    assert session is not None
    found: list[Node] = []
    shape = _collect(items, session, found)
    target = reduce(np.promote_types, [node.dtype for node in found]) if dtype is None else dtype
    flat = [reshape(convert(node, target), (node.size,)) for node in found]
    return reshape(concatenate(*flat, axis=0), shape), session


def _collect(items: Any, session: Session, found: list[Node]) -> Shape:
    """Append what nested lists hold, in order; their common shape."""
    if not is_traced(items) or type(items) is Tracer:
        if type(items) is Tracer:
            check_alive(items)
        node = lift(items, session)
        found.append(node)
        return node.shape
    shapes = {_collect(item, session, found) for item in items}
    if len(shapes) > 1:
        raise WengertValueError(
            "setting an array element with a sequence. The requested array has an inhomogeneous "
            f"shape: its parts have the shapes {', '.join(map(str, sorted(shapes)))}"
        )
    return (len(items), *shapes.pop())


@implements(np.asarray)
def asarray(
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    device: Any = None,
    copy: Any = None,
    like: Any = None,
) -> Any:
    """np.asarray; inside a trace, traced values can be assigned to the result."""
    check_device(device)
    if is_traced(a):
        return _from(a, dtype, copy)
    return _assignable(np.array(a, dtype, order=order, copy=copy), a)


@implements(np.asanyarray)
def asanyarray(
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    device: Any = None,
    copy: Any = None,
    like: Any = None,
) -> Any:
    """np.asanyarray; inside a trace, traced values can be assigned to the result."""
    check_device(device)
    if is_traced(a):
        return _from(a, dtype, copy)
    return _assignable(np.array(a, dtype, order=order, copy=copy, subok=True), a)


def _contiguous(function: Callable[..., Any]) -> Callable[..., Any]:
    def create(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
        return _from(a, dtype, None, 1) if is_traced(a) else _assignable(function(a, dtype), a)

    create.__name__ = create.__qualname__ = function.__name__
    create.__doc__ = f"np.{function.__name__}; inside a trace, traced values can be assigned to it."
    return implements(function)(create)


ascontiguousarray = _contiguous(np.ascontiguousarray)
asfortranarray = _contiguous(np.asfortranarray)

# ------------------------------------------------------------------- matrices of zeros and ones


def _constant(function: Callable[..., Any]) -> Callable[..., Any]:
    def create(*args: Any, like: Any = None, **kwargs: Any) -> Any:
        return _assignable(function(*args, **kwargs))

    create.__name__ = create.__qualname__ = function.__name__
    create.__doc__ = f"np.{function.__name__}; inside a trace, traced values can be assigned to it."
    return implements(function)(create)


eye = _constant(np.eye)
identity = _constant(np.identity)
tri = _constant(np.tri)

INSIDE_TRACES: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        array,
        asanyarray,
        asarray,
        ascontiguousarray,
        asfortranarray,
        empty,
        empty_like,
        eye,
        full,
        full_like,
        identity,
        ones,
        ones_like,
        tri,
        zeros,
        zeros_like,
    )
}
"""What `wengert.numpy` calls even where no argument is traced."""
