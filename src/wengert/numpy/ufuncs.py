"""NumPy's ufunc protocol on tracers: calls, `out=`, `where=`, `dtype=`, reduce, accumulate, at."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.op import Op
from wengert.graph.registry import FUNCTIONS, NUMPY, UFUNCS, find
from wengert.graph.types import FLOAT, TupleType, supported_dtype
from wengert.numpy.dispatch import apply, implements, nodes, refuse, refuse_out
from wengert.ops.special.ufunc import record_of
from wengert.tracing.lifting import lift
from wengert.tracing.operators import bind_fast_path
from wengert.tracing.tracer import Tracer
from wengert.tracing.views import write

for _ufunc, _op in UFUNCS.items():
    bind_fast_path(_ufunc, _op.name)


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `__array_ufunc__` of a tracer does when the fast path does not serve."""
    if method == "__call__":
        return _call(ufunc, inputs, **kwargs)
    handler = _METHODS.get(method)
    if handler is None:
        raise Unsupported(f"np.{ufunc.__name__}.{method} cannot be traced")
    return handler(ufunc, *inputs, **kwargs)


FUNCTIONS["__array_ufunc__"] = array_ufunc


def _call(
    ufunc: Any,
    inputs: tuple[Any, ...],
    out: Any = None,
    where: Any = True,
    dtype: Any = None,
    casting: str = "same_kind",
    order: str = "K",
    subok: bool = True,
    signature: Any = None,
    **others: Any,
) -> Any:
    name = f"np.{ufunc.__name__}"
    refuse(name, signature=(signature, None))
    if casting not in ("same_kind", "safe", "unsafe"):
        raise Unsupported(f"{name} with casting={casting!r} cannot be traced")
    target = None if out is None else out[0] if isinstance(out, tuple) else out
    if target is not None and type(target) is not Tracer:
        refuse_out(target)
    operation = UFUNCS.get(ufunc) or of_scipy(ufunc)
    session, lifted = nodes(*inputs, *([] if target is None else [target]))
    if target is not None:
        lifted.pop()
    if dtype is not None:
        to = supported_dtype(dtype, f"dtype of {name}")
        lifted = [find("convert")(node, to) for node in lifted]
    if operation is not None:
        node = operation(*lifted)
        if isinstance(node.type, TupleType):
            refuse(name, where=(where, True), out=(target, None))
            return tuple(Tracer(find("item")(node, k), session) for k in range(ufunc.nout))
        result: Any = Tracer(node, session)
    else:
        implementation = NUMPY.get(ufunc)
        if implementation is None:
            module = "np" if hasattr(np, ufunc.__name__) else "scipy.special"
            raise Unsupported(
                f"{module}.{ufunc.__name__} cannot be traced: wengert has no rule for it. See "
                "docs/coverage.md for what it has; wrap the function with wengert.primitive to "
                "state its derivative yourself"
            )
        result = implementation(*[Tracer(node, session) for node in lifted], **others)
    if where is not True:
        if target is None:
            raise WengertValueError(
                f"{name} with where= needs out=, or leaves elements undefined: write "
                "np.where(condition, result, other)"
            )
        result = Tracer(find("select")(lift(where, session), result.node, target.node), session)
    if target is None:
        return result
    write(target, result.node)
    return target


def of_scipy(ufunc: Any) -> Op | None:
    """The op that is this ufunc of scipy.special, which is then known as NumPy's are."""
    operation = record_of(ufunc)
    if operation is not None:
        UFUNCS[ufunc] = operation
        if ufunc.nin <= 2 and ufunc.nout == 1:
            bind_fast_path(ufunc, operation.name)
    return operation


# --------------------------------------------------------------------- methods of ufuncs


_REDUCE = {
    np.add: "sum",
    np.multiply: "prod",
    np.maximum: "max",
    np.minimum: "min",
    np.fmax: "nanmax",
    np.fmin: "nanmin",
    np.logical_and: "all",
    np.logical_or: "any",
    np.bitwise_and: "all",
    np.bitwise_or: "any",
}
_ACCUMULATE = {
    np.add: "cumsum",
    np.multiply: "cumprod",
    np.maximum: "cummax",
    np.minimum: "cummin",
}


def _reduce(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, **kwargs: Any) -> Any:
    name = _REDUCE.get(ufunc)
    boolean = ufunc in (np.bitwise_and, np.bitwise_or)
    if name is None or (boolean and array.dtype.kind != "b"):
        raise Unsupported(f"np.{ufunc.__name__}.reduce cannot be traced")
    if isinstance(kwargs.get("out"), tuple):
        kwargs["out"] = kwargs["out"][0]
    if dtype is not None:
        kwargs["dtype"] = dtype
    return FUNCTIONS[name](array, axis=axis, **kwargs)


def _accumulate(ufunc: Any, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    name = _ACCUMULATE.get(ufunc)
    if name is None:
        raise Unsupported(f"np.{ufunc.__name__}.accumulate cannot be traced")
    if isinstance(out, tuple):
        (out,) = out
    return FUNCTIONS[name](array, axis=axis, dtype=dtype, out=out)


def _outer(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    session, (left, right) = nodes(a, b)
    column = find("reshape")(left, (*left.shape, *(1 for _ in right.shape)))
    return _call(ufunc, (Tracer(column, session), Tracer(right, session)), **kwargs)


def _at(ufunc: Any, array: Any, index: Any, values: Any = None) -> None:
    """Unbuffered update: elements that are indexed twice are updated twice."""
    if type(array) is not Tracer:
        refuse_out(array)
    if ufunc is np.subtract:
        values = -values if isinstance(values, Tracer) else np.negative(values)
    elif ufunc is not np.add:
        raise Unsupported(
            f"np.{ufunc.__name__}.at cannot be traced (np.add.at and np.subtract.at can)"
        )
    FUNCTIONS["add_at"](array, index, values)


_METHODS = {"reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "at": _at}


# ------------------------------------------------------------- ufuncs that are not one op


@implements(np.float_power)
def float_power(a: Any, b: Any) -> Any:
    session, lifted = nodes(a, b)
    kind = np.dtype(complex) if any(n.dtype.kind == "c" for n in lifted) else FLOAT
    return Tracer(find("power")(*[find("convert")(n, kind) for n in lifted]), session)


@implements(np.divmod)
def divmod_(a: Any, b: Any) -> tuple[Any, Any]:
    return apply("floor_divide", a, b), apply("remainder", a, b)


@implements(np.modf)
def modf(x: Any) -> tuple[Any, Any]:
    whole = apply("trunc", x)
    return x - whole, whole


@implements(np.frexp)
def frexp(x: Any) -> tuple[Any, Any]:
    exponent = apply("frexp_exponent", x)
    return apply("ldexp", x, -exponent), exponent
