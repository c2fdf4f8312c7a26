"""How a NumPy function gets an implementation on tracers.

    @implements(np.mean, method=True)
    def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True): ...

The function has NumPy's signature. It is called when at least one argument is traced (or is a list
that holds a tracer): by `__array_function__`, by the method of the tracer, and by
`wengert.numpy.mean`, which calls NumPy itself when nothing is traced.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from wengert.errors import (
    AxisOutOfRange,
    DroppedTracer,
    Unsupported,
    WengertTypeError,
    WengertValueError,
)
from wengert.execution.values import watch
from wengert.graph.node import Interned, Node
from wengert.graph.registry import FUNCTIONS, NUMPY, find
from wengert.graph.types import supported_dtype
from wengert.tracing.forcing import check_alive
from wengert.tracing.lifting import find_session, is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import METHODS, Tracer
from wengert.tracing.views import write

F = TypeVar("F", bound=Callable[..., Any])


def implements(*functions: Any, method: bool | str = False) -> Callable[[F], F]:
    """Register the decorated function for NumPy functions (the first gives the name).

    method: whether traced arrays have it as a method too, or under which name.
    """

    def register(implementation: F) -> F:
        call = remembering(implementation)
        for function in functions:
            NUMPY[function] = call
            FUNCTIONS.setdefault(function.__name__, call)
        if method:
            METHODS[method if isinstance(method, str) else functions[0].__name__] = call
        return implementation

    return register


_SIMPLE = frozenset({int, bool, str, type(None)})


def remembering(implementation: F) -> F:
    """The function, with its results on one traced array remembered as the operators' are.

    Only results that are a function of the node and of simple arguments: nothing was captured or
    forced on the way, and no memory is shared.
    """
    memory = Interned()
    get = memory.table.get

    @functools.wraps(implementation)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not args or type(args[0]) is not Tracer:
            return watch(implementation(*args, **kwargs))
        x, session = args[0], args[0].session
        if session.watched:
            return watch(implementation(*args, **kwargs))
        # with the types, since 0 == 0.0 == False and clip(x, 0, 1) is not clip(x, 0.0, 1.0)
        key = (x.node, args[1:], *map(type, args), *kwargs.items(), *map(type, kwargs.values()))
        try:
            ref = get(key)
        except TypeError:  # an argument that cannot be a key: a list, an array, another tracer
            return implementation(*args, **kwargs)
        if ref is not None and session.alive and (node := ref()) is not None:
            return Tracer(node, session)
        before = session.footprint()
        result = implementation(*args, **kwargs)
        if (
            type(result) is Tracer
            and result is not x
            and result.link is None
            and session.footprint() == before
            and _all_simple(args[1:])
            and _all_simple(kwargs.values())
        ):
            memory.remember(key, result.node)
        return result

    return cast(F, call)


def _all_simple(values: Iterable[Any]) -> bool:
    return all(
        type(value) in _SIMPLE or (type(value) is tuple and _all_simple(value)) for value in values
    )


# -------------------------------------------------------------------------------- arguments


def nodes(*values: Any) -> tuple[Session, list[Node]]:
    """The session of the first tracer, and all values as its nodes."""
    session = find_session(*values)
    if session is None:
        raise WengertTypeError("none of the arguments is traced")
    for value in values:
        if type(value) is Tracer:
            check_alive(value)
    return session, [lift(value, session) for value in values]


def array_nodes(*values: Any) -> tuple[Session, list[Node]]:
    """As `nodes`, where NumPy first makes arrays of all values: Python numbers do not adapt."""
    session, lifted = nodes(*values)
    return session, [find("convert")(node, node.dtype) for node in lifted]


def as_tracer(value: Any, session: Session) -> Tracer:
    """Anything as a tracer of the session."""
    return value if type(value) is Tracer else Tracer(lift(value, session), session)


def tracers(*values: Any) -> list[Tracer]:
    """All values as tracers of the session of the first that is one."""
    session, lifted = nodes(*values)
    return [
        value if type(value) is Tracer else Tracer(node, session)
        for value, node in zip(values, lifted, strict=True)
    ]


def apply(name: str, *values: Any, **params: Any) -> Tracer:
    """The op called `name` on values of which at least one is traced."""
    session, lifted = nodes(*values)
    return Tracer(find(name)(*lifted, **params), session)


def one_axis(axis: Any, ndim: int) -> int:
    """A non-negative axis; NumPy's error where it does not exist."""
    try:
        axis = operator.index(axis)
    except TypeError:
        raise WengertTypeError(f"axis must be an integer, not {axis!r}") from None
    if not -ndim <= axis < ndim:
        raise AxisOutOfRange(f"axis {axis} is out of bounds for array of dimension {ndim}")
    return axis % ndim


def all_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Sorted non-negative axes; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, tuple | list):
        axis = (axis,)
    found = tuple(sorted(one_axis(a, ndim) for a in axis))
    if len(set(found)) != len(found):
        raise WengertValueError("duplicate value in 'axis'")
    return found


def fixed_shape(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of ints; traced integers are forced (and guarded under `jit`)."""
    if isinstance(shape, tuple | list):
        return tuple(operator.index(extent) for extent in shape)
    if isinstance(shape, Tracer | np.ndarray) and shape.ndim == 1:
        return tuple(operator.index(extent) for extent in shape)
    return (operator.index(shape),)


def into(result: Any, out: Any) -> Any:
    """Deliver a result into `out`, where one is given."""
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if out is None:
        return result
    if type(out) is Tracer:
        write(out, lift(result, out.session))
        return out
    refuse_out(out)


def refuse_out(out: Any) -> None:
    """A plain array cannot hold traced values."""
    raise DroppedTracer(
        f"a NumPy array of shape {np.shape(out)}, which others can see, would have to hold a "
        "traced value (a += traced, or out=a). Write a = a + traced, or make a with "
        "wengert.numpy.zeros, ones or array, which are assignable inside a trace"
    )


def refuse(function: str, **given: Any) -> None:
    """Raise for arguments that are not at their defaults: name -> (value, default)."""
    for name, (value, default) in given.items():
        if value is not default and not (isinstance(value, str | int | bool) and value == default):
            raise Unsupported(f"the argument {name}={value!r} of {function} cannot be traced")


def to_dtype(x: Tracer, dtype: Any) -> Tracer:
    """x as `dtype`, where one is given."""
    if dtype is None:
        return x
    return Tracer(find("convert")(x.node, supported_dtype(dtype, "the argument dtype")), x.session)


def concrete(values: Any, what: str) -> np.ndarray[Any, Any]:
    """An argument that must be known while tracing, as an array; traced integers are forced."""
    if is_traced(values):
        if isinstance(values, Sequence):
            return np.array([operator.index(v) for v in values])
        if values.dtype.kind in "fc":
            raise Unsupported(f"{what} cannot be a traced floating value; it must be known")
        return np.asarray(values)
    return np.asarray(values)
