"""NumPy's functions that know nothing of traced arrays, on traced arrays.

NumPy's array protocols reach most of its functions; those here make arrays, or ask what something
is, and look at no protocol. Each is NumPy's own where nothing is traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.registry import NUMPY
from wengert.numpy import creation
from wengert.tracing.lifting import is_traced
from wengert.tracing.session import collector, current_session
from wengert.tracing.tracer import Tracer
from wengert.tracing.views import is_scalar

# ------------------------------------------------------------------------------- conversions


def _converting(real: Any, inside: Callable[..., Any]) -> Callable[..., Any]:
    """np.array, np.asarray and their kin; ours where anything is traced.

    They are called so often that what most calls do not pass is kept out of the way.
    """

    def make(object: Any, dtype: Any = None, **kwargs: Any) -> Any:
        if collector.depth:
            return inside(object, dtype, **kwargs)
        return real(object, dtype, **kwargs) if kwargs else real(object, dtype)

    def convert(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if collector.depth:
            return inside(a, dtype, *args, **kwargs)
        return real(a, dtype, *args, **kwargs) if args or kwargs else real(a, dtype)

    return make if real is np.array else convert


def _of_one(real: Any, traced: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose first argument becomes an array; ours where that is traced."""

    def call(a: Any, *args: Any, **kwargs: Any) -> Any:
        return traced(a, *args, **kwargs) if is_traced(a) else real(a, *args, **kwargs)

    return call


def _of_any(real: Any, traced: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is ours where any argument is traced."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if collector.depth and (
            any(map(is_traced, args)) or (kwargs and any(map(is_traced, kwargs.values())))
        ):
            return traced(*args, **kwargs)
        return real(*args, **kwargs)

    return call


def _asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    a = creation.asarray(a, dtype)
    if a.dtype.kind in "fc" and not np.all(np.isfinite(a)):
        raise WengertValueError("array must not contain infs or NaNs")
    return a


def _require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    return creation.asarray(a, dtype)


def _isscalar(element: Any) -> bool:
    return type(element) is Tracer and is_scalar(element)


def _iterable(y: Any) -> bool:
    return type(y) is not Tracer or bool(y.ndim)


def _fromiter(iter: Any, dtype: Any = None, count: int = -1, *, like: Any = None) -> Any:
    items = [item for _, item in zip(range(count), iter, strict=False)] if count >= 0 else [*iter]
    if count > len(items):
        raise WengertValueError(
            f"iterator too short: expected {count} but iterator had only {len(items)} items."
        )
    if is_traced(items):
        return creation.array(items, dtype)
    return np.fromiter(items, dtype)


def _fromiter_anywhere(*args: Any, **kwargs: Any) -> Any:
    """np.fromiter: an iterator tells what it gives only when it is read."""
    return _fromiter(*args, **kwargs) if collector.depth else np.fromiter(*args, **kwargs)


def _ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    a = creation.asarray(arr)
    return ((place, a[place]) for place in np.ndindex(a.shape))


def _broadcast(*args: Any) -> Any:
    """Shapes alone; who iterates over the result gets the elements of plain arrays only."""
    return np.broadcast(*[np.empty(np.shape(arg)) for arg in args])


# --------------------------------------------------------------------------------- vectorize


class vectorize(np.vectorize):
    """np.vectorize, whose function is called with traced elements where an argument is traced."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if collector.depth and (any(map(is_traced, args)) or any(map(is_traced, kwargs.values()))):
            return self._on_elements(args, kwargs)
        return super().__call__(*args, **kwargs)

    def _on_elements(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.signature is not None:
            raise Unsupported("np.vectorize with a signature cannot be traced: use wengert.vmap")
        named = {name: value for name, value in kwargs.items() if name not in self.excluded}
        positions = [k for k in range(len(args)) if k not in self.excluded]
        given = [creation.asarray(args[k]) for k in positions]
        given += [creation.asarray(value) for value in named.values()]
        arrays = np.broadcast_arrays(*given)
        shape = arrays[0].shape
        if not all(shape):
            raise WengertValueError("cannot call `vectorize` on size 0 inputs")
        results = []
        for place in np.ndindex(shape):
            elements = [array[place] for array in arrays]
            new_args = list(args)
            for k, element in zip(positions, elements, strict=False):
                new_args[k] = element
            by_name = dict(zip(named, elements[len(positions) :], strict=True))
            results.append(self.pyfunc(*new_args, **{**kwargs, **by_name}))
        otypes = self.otypes or ""
        if isinstance(results[0], tuple):
            columns = zip(*results, strict=True)
            return tuple(_shaped(c, shape, otypes[k : k + 1]) for k, c in enumerate(columns))
        return _shaped(results, shape, otypes[:1])


def _shaped(items: Any, shape: tuple[int, ...], dtype: str) -> Any:
    made = creation.array(list(items), dtype or None)
    return made.reshape((*shape, *made.shape[1:]))


# ------------------------------------------------------------------- what stands for what


def conversions() -> dict[Any, Any]:
    """NumPy's functions -> what stands for them where traced values would be dropped."""
    arrays = {
        np.array: creation.array,
        np.asarray: creation.asarray,
        np.asanyarray: creation.asanyarray,
        np.ascontiguousarray: creation.ascontiguousarray,
        np.asfortranarray: creation.asfortranarray,
        np.asarray_chkfinite: _asarray_chkfinite,
        np.require: _require,
    }
    others = {np.iterable: _iterable, np.isscalar: _isscalar, np.ndenumerate: _ndenumerate}
    found = {real: _converting(real, _of_one(real, traced)) for real, traced in arrays.items()}
    found |= {real: _of_any(real, traced) for real, traced in others.items()}
    found[np.full] = _of_any(np.full, creation.full)
    found[np.arange] = _of_any(np.arange, NUMPY[np.arange])
    found[np.broadcast] = _of_any(np.broadcast, _broadcast)
    found[np.fromiter] = _fromiter_anywhere
    found[np.vectorize] = vectorize
    return found


def _inside(real: Any, traced: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array; inside a trace, one to which traced values are assigned."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if collector.depth and current_session() is not None:
            return traced(*args, **kwargs)
        return real(*args, **kwargs)

    return call


def _of_nobody(real: Any) -> Callable[..., Any]:
    """The same for a function of whose result NumPy tells whether others hold it too."""

    def call(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        if not collector.depth or current_session() is None:
            return made
        if type(made) is not np.ndarray or made.base is not None:
            return made
        return made if any(made is arg for arg in args) else creation.asarray(made)

    return call


def _unless_array(real: Any, traced: Callable[..., Any]) -> Callable[..., Any]:
    """np.array, np.asarray and their kin: what they return for an array may be that array, and
    others may hold it; of lists and numbers they make new ones."""
    of_array = _of_nobody(real)

    def inside(a: Any, *args: Any, **kwargs: Any) -> Any:
        if current_session() is None:
            return real(a, *args, **kwargs)
        if isinstance(a, np.ndarray):
            return of_array(a, *args, **kwargs)
        return traced(a, *args, **kwargs)

    return _converting(real, inside)


def fresh_arrays() -> dict[Any, Any]:
    """NumPy's functions -> what stands for them where traced values are assigned into arrays."""
    ours = creation.INSIDE_TRACES
    filled = (np.zeros, np.ones, np.empty, np.full, np.eye, np.identity, np.tri)
    like = (np.zeros_like, np.ones_like, np.empty_like, np.full_like)
    converted = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)
    moved = (np.copy, np.repeat, np.tile, np.concatenate, np.hstack, np.vstack, np.append, np.diag)
    found = {real: _inside(real, ours[real.__name__]) for real in (*filled, *like)}
    found |= {real: _unless_array(real, ours[real.__name__]) for real in converted}
    return found | {real: _of_nobody(real) for real in (np.arange, np.linspace, *moved)}
