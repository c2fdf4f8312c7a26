"""What shards may be, and where they lie.

a list of arrays, or of tuples of arrays    in this process; scattered to the workers, and
                                            scattered again where they were lost
a list of Dask futures, or of tuples        on the workers already
a Dask array, or a tuple of them            one shard a chunk along the first axis
a list of Delayed, a Dask bag               one shard an entry, or a partition
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wengert.errors import WengertTypeError, WengertValueError
from wengert.lazy import module


@dataclass(frozen=True, slots=True, eq=False)
class Shards:
    """The data of a sum, in order.

    parts: for each shard what a task is given: arrays, futures, or a tuple of them.
    source: the arrays themselves, where this process has them; None where only the cluster does.
    client: the client of the cluster; None where the shards are in this process.
    sent: digests of the functions that the workers of the cluster have.
    """

    parts: list[Any]
    source: list[Any] | None
    client: Any
    sent: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.parts)

    def lost(self) -> list[int]:
        """The shards whose data is on no worker any more and cannot be rebuilt."""
        return [k for k, part in enumerate(self.parts) if any(map(_is_lost, _futures(part)))]

    def restored(self) -> bool:
        """Scatter lost shards anew, where this process has them; whether that could be done."""
        lost = self.lost()
        if self.source is None or not lost:
            return False
        for k, part in zip(lost, _sent(self.client, [self.source[k] for k in lost]), strict=True):
            self.parts[k] = part
        return True


def scatter(shards: Any, client: Any = None) -> Shards:
    """Shards where functions of this package can use them again and again.

    Parameters
    ----------
    shards
        A list of shards, each an array or a tuple (or list) of arrays, futures or Delayed; or a
        Dask array (a shard a chunk along the first axis), a tuple of Dask arrays chunked alike, a
        Dask bag.
    client
        A `distributed.Client`; None keeps the shards in this process.

    Returns
    -------
    Shards, which `value_and_grad`, `hvp`, `jacobian` and `hessian_operator` take as `shards`.

    Raises
    ------
    WengertValueError
        Where there are no shards, or Dask collections are chunked differently.
    WengertTypeError
        Where Dask data is given without a client.

    >>> import numpy as np
    >>> from wengert import distributed
    >>> len(distributed.scatter([np.ones(2), np.ones(3)]))
    2
    """
    if isinstance(shards, Shards):
        if client is not None and shards.client is not client:
            raise WengertValueError("these shards were scattered with another client")
        return shards
    parts = _listed(shards)
    if not parts:
        raise WengertValueError("there are no shards: give at least one")
    remote = any(_is_dask(leaf) for part in parts for leaf in _leaves(part))
    if client is None:
        if remote:
            raise WengertTypeError(
                "these shards are Dask's: say on which cluster, with client=distributed.Client(…)"
            )
        return Shards(parts, parts, None)
    _need_client(client)
    if remote:
        return Shards([_computed(client, part) for part in parts], None, client)
    return Shards(_sent(client, parts), parts, client)


def _need_client(client: Any) -> None:
    try:
        wanted = module("distributed").Client
    except ImportError:
        raise WengertTypeError(
            "functions on a cluster need Dask: run  pip install 'wengert[distributed]'"
        ) from None
    if not isinstance(client, wanted):
        raise WengertTypeError(
            f"client must be a distributed.Client, not {type(client).__name__}: write "
            "client=distributed.Client(address)"
        )


def _listed(shards: Any) -> list[Any]:
    """The shards one by one; those of collections as Delayed."""
    if _is_collection(shards):
        return _partitions(shards)
    if isinstance(shards, tuple) and shards and all(map(_is_collection, shards)):
        each = [_partitions(part) for part in shards]
        if len({len(parts) for parts in each}) != 1:
            counts = ", ".join(str(len(parts)) for parts in each)
            raise WengertValueError(
                f"Dask collections that belong together must have as many chunks, not {counts}: "
                "rechunk them alike"
            )
        return list(zip(*each, strict=True))
    if not isinstance(shards, list):
        raise WengertTypeError(
            f"shards must be a list of arrays (or of tuples of arrays) or a Dask collection, not "
            f"{type(shards).__name__}"
        )
    return [tuple(part) if isinstance(part, list) else part for part in shards]


def _partitions(collection: Any) -> list[Any]:
    if hasattr(collection, "chunks"):  # an array: whole rows
        collection = collection.rechunk(dict.fromkeys(range(1, collection.ndim), -1))
    delayed = collection.to_delayed()
    return list(delayed.ravel() if hasattr(delayed, "ravel") else delayed)


def _leaves(part: Any) -> Sequence[Any]:
    return part if isinstance(part, tuple | list) else (part,)


def _is_collection(value: Any) -> bool:
    return hasattr(value, "__dask_graph__") and hasattr(value, "to_delayed")


def _is_dask(value: Any) -> bool:
    return hasattr(value, "__dask_graph__") or _is_future(value)


def _is_future(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "distributed" and hasattr(value, "status")


def _is_lost(future: Any) -> bool:
    return future.status in ("lost", "cancelled")


def _futures(part: Any) -> list[Any]:
    return [leaf for leaf in _leaves(part) if _is_future(leaf)]


def _computed(client: Any, part: Any) -> Any:
    """A shard as futures: of graphs, which Dask computes again where a worker dies."""
    if isinstance(part, tuple | list):
        return tuple(_computed(client, leaf) for leaf in part)
    return client.compute(part) if hasattr(part, "__dask_graph__") else part


def _sent(client: Any, parts: Sequence[Any]) -> list[Any]:
    """Arrays as futures, each shard on one worker."""
    boxed = [tuple(_leaves(part)) for part in parts]
    futures = client.scatter(boxed, hash=False)
    return list(futures)
