"""Derivatives of sums over shards: what people call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.derivatives.batching import vmap
from wengert.derivatives.gradients import value_and_grad as _value_and_grad
from wengert.derivatives.jacobians import hvp as _hvp
from wengert.derivatives.jacobians import jacobian as _jacobian
from wengert.distributed.calls import on_shards
from wengert.distributed.shards import scatter
from wengert.distributed.workers import added, appended, packed
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.jit import jit
from wengert.lazy import module
from wengert.tracing.trees import flatten, unflatten


def value_and_grad(
    fun: Callable[..., Any],
    *,
    shards: Any,
    client: Any = None,
    reduce: str = "sum",
    progress: bool | None = None,
) -> Callable[[Any], tuple[Any, Any]]:
    """The value and the gradient of a sum of `fun` over shards.

    Parameters
    ----------
    fun
        A scalar function written with NumPy, fun(params, shard), or fun(params, *shard) where a
        shard is a tuple. It must pickle by cloudpickle, which takes lambdas and closures.
    shards
        What `scatter` takes, or returned.
    client
        A `distributed.Client`; None computes in this process, along the same tree.
    reduce
        "sum"; or "mean", where `fun` is a mean over the rows of a shard, the first axis of its
        first array: shards then count by their rows, and the result is the mean over all.
    progress
        Whether to show a bar on stderr; None shows one for a long call in a terminal.

    Returns
    -------
    A function of `params`, an array or a structure of them, that returns (value, gradient); the
    gradient has the structure, shapes and dtypes of `params`.

    Raises
    ------
    ShardLostError
        Where the data of a shard is gone with its worker and cannot be rebuilt.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import distributed
    >>> halves = [np.array([1.0, 2.0]), np.array([3.0])]
    >>> fun = distributed.value_and_grad(lambda w, x: np.sum((x - w) ** 2), shards=halves)
    >>> fun(2.0)
    (np.float64(2.0), np.float64(0.0))
    """
    kept, mean = scatter(shards, client), _is_mean(reduce)
    payload = packed(_valued, fun, mean)

    def distributed_value_and_grad(params: Any) -> tuple[Any, Any]:
        value, *leaves = _scaled(on_shards(payload, params, kept, added, progress), mean)
        return value, unflatten(flatten(params)[1], leaves)

    return distributed_value_and_grad


def hvp(
    fun: Callable[..., Any],
    *,
    shards: Any,
    client: Any = None,
    reduce: str = "sum",
    progress: bool | None = None,
) -> Callable[[Any, Any], Any]:
    """Products of the Hessian of a sum over shards with vectors, without the Hessian.

    The arguments are those of `value_and_grad`. Returns a function of (params, v), two structures
    of the same shapes, that returns the product.

    >>> import numpy as np
    >>> from wengert import distributed
    >>> product = distributed.hvp(lambda w, x: np.sum(x * w**3), shards=[np.ones(2), np.ones(3)])
    >>> product(np.array([1.0]), np.array([2.0]))
    array([60.])
    """
    kept, mean = scatter(shards, client), _is_mean(reduce)
    payload = packed(_curved, fun, mean)

    def distributed_hvp(params: Any, v: Any) -> Any:
        leaves = _scaled(on_shards(payload, (params, v), kept, added, progress), mean)
        return unflatten(flatten(params)[1], leaves)

    return distributed_hvp


def jacobian(
    fun: Callable[..., Any],
    *,
    shards: Any,
    client: Any = None,
    progress: bool | None = None,
    **options: Any,
) -> Callable[[Any], Any]:
    """The Jacobian of the outputs of all shards, one below another.

    The arguments are those of `value_and_grad`; `fun` returns one array, whose first axis are the
    rows of its shard. `options` are `mode` and `holomorphic`, as `wengert.jacobian` has them.
    Returns a function of `params`, an array or a structure of them; each leaf of the result has
    the shape (rows of all shards, …, *leaf.shape).

    >>> import numpy as np
    >>> from wengert import distributed
    >>> rows = distributed.jacobian(lambda w, x: x * w, shards=[np.ones(1), np.full(2, 3.0)])
    >>> rows(2.0)
    array([1., 3., 3.])
    """
    unknown = sorted(options.keys() - {"mode", "holomorphic"})
    if unknown:
        raise WengertTypeError(
            f"distributed.jacobian takes mode and holomorphic, not {', '.join(unknown)}: it gives "
            "the dense rows of one array by the parameters"
        )
    kept = scatter(shards, client)
    payload = packed(_stacked, fun, options)

    def distributed_jacobian(params: Any) -> Any:
        leaves = on_shards(payload, params, kept, appended, progress)
        return unflatten(flatten(params)[1], leaves)

    return distributed_jacobian


def hessian_operator(
    fun: Callable[..., Any],
    params: Any,
    *,
    shards: Any,
    client: Any = None,
    reduce: str = "sum",
) -> Any:
    """The Hessian of a sum over shards as a `scipy.sparse.linalg.LinearOperator`.

    The arguments are those of `value_and_grad`; `params` is an array or a structure of them, whose
    elements in order are the n coordinates. The operator has shape (n, n). It serves SciPy's
    solvers, and the estimators of `wengert.estimate` (trace, diagonal, log det, spectral density);
    a block of vectors is one task a shard.

    >>> import numpy as np
    >>> from wengert import distributed
    >>> A = distributed.hessian_operator(lambda w, x: x @ w**2, np.ones(2), shards=[np.ones(2)] * 3)
    >>> A @ np.array([1.0, 2.0])
    array([ 6., 12.])
    >>> from wengert import estimate
    >>> estimate.trace(A).value
    12.0
    """
    kept, mean = scatter(shards, client), _is_mean(reduce)
    payload = packed(_curved_along_many, fun, mean)
    leaves, spec = flatten(params)
    if not leaves:
        raise WengertValueError("the parameters hold no array, so that there is no Hessian")
    arrays = [np.array(leaf) for leaf in leaves]  # the point that is meant now
    params = unflatten(spec, arrays)
    ends = np.cumsum([array.size for array in arrays])
    dtype = np.result_type(*arrays)

    def matmat(vectors: Any) -> Any:
        vectors = np.asarray(vectors)
        if vectors.dtype.kind == "c" and dtype.kind != "c":
            return matmat(vectors.real) + 1j * matmat(vectors.imag)
        parts = np.split(vectors.T, ends[:-1], axis=1)
        shaped = [
            part.reshape(len(part), *array.shape).astype(array.dtype)
            for part, array in zip(parts, arrays, strict=True)
        ]
        point = (params, unflatten(spec, shaped))
        found = _scaled(on_shards(payload, point, kept, added, False), mean)
        flat = [
            leaf.reshape(len(leaf), array.size) for leaf, array in zip(found, arrays, strict=True)
        ]
        return np.concatenate(flat, axis=1).T

    def matvec(v: Any) -> Any:
        return matmat(np.reshape(v, (-1, 1)))[:, 0]

    operator = module("scipy.sparse.linalg").LinearOperator
    n = int(ends[-1])
    return operator((n, n), matvec, rmatvec=matvec, matmat=matmat, rmatmat=matmat, dtype=dtype)


def _is_mean(reduce: str) -> bool:
    if reduce not in ("sum", "mean"):
        raise WengertValueError(f'reduce must be "sum" or "mean", not {reduce!r}')
    return reduce == "mean"


def _scaled(leaves: list[Any], mean: bool) -> list[Any]:
    """The sums; or what they are over all rows, whose number comes last."""
    return [leaf / leaves[-1] for leaf in leaves[:-1]] if mean else leaves


# ----------------------------------------------------- made on the worker, from the user's function


def _arguments(shard: Any) -> tuple[Any, ...]:
    return shard if isinstance(shard, tuple) else (shard,)


def _weighed(leaves: list[Any], shard: Any, mean: bool) -> list[Any]:
    """The results of a shard as they are added up: of a mean times its rows, with their number."""
    if not mean:
        return leaves
    shape = np.shape(flatten(_arguments(shard)[0])[0][0])
    if not shape:
        raise WengertTypeError(
            'reduce="mean" weighs each shard by its rows, and a shard holds a number: give arrays '
            'whose first axis are the rows, or take reduce="sum"'
        )
    return [*(leaf * shape[0] for leaf in leaves), shape[0]]


def _valued(fun: Callable[..., Any], mean: bool) -> Callable[[Any, Any], list[Any]]:
    compiled = jit(_value_and_grad(fun))

    def run(params: Any, shard: Any) -> list[Any]:
        value, gradient = compiled(params, *_arguments(shard))
        return _weighed([value, *flatten(gradient)[0]], shard, mean)

    return run


def _curved(fun: Callable[..., Any], mean: bool) -> Callable[[Any, Any], list[Any]]:
    compiled = jit(lambda params, v, *shard: _hvp(fun, params, v, *shard))

    def run(point: tuple[Any, Any], shard: Any) -> list[Any]:
        return _weighed(flatten(compiled(*point, *_arguments(shard)))[0], shard, mean)

    return run


def _curved_along_many(fun: Callable[..., Any], mean: bool) -> Callable[[Any, Any], list[Any]]:
    def products(params: Any, directions: Any, *shard: Any) -> Any:
        return vmap(lambda v: _hvp(fun, params, v, *shard))(directions)

    compiled = jit(products)

    def run(point: tuple[Any, Any], shard: Any) -> list[Any]:
        return _weighed(flatten(compiled(*point, *_arguments(shard)))[0], shard, mean)

    return run


def _stacked(fun: Callable[..., Any], options: dict[str, Any]) -> Callable[[Any, Any], list[Any]]:
    def rows(params: Any, *shard: Any) -> Any:
        result = fun(params, *shard)
        if isinstance(result, tuple | list | dict) or len(flatten(result)[0]) != 1:
            raise WengertTypeError(
                "the function of distributed.jacobian must return one array, a row a datum; it "
                f"returned {type(result).__name__}: put several beside each other with np.stack"
            )
        if np.ndim(result) < 1:
            raise WengertTypeError(
                "the function of distributed.jacobian must return an array, a row a datum; it "
                "returned a number: use distributed.value_and_grad for sums"
            )
        return result

    compiled = jit(_jacobian(rows, **options))

    def run(params: Any, shard: Any) -> list[Any]:
        return flatten(compiled(params, *_arguments(shard)))[0]

    return run
