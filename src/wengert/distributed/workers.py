"""What a worker keeps and runs: functions by their digest, each traced and compiled once.

A function comes as bytes in a plugin, which Dask hands to every worker, those that start later
included; tasks carry its digest alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.execution.cache import BoundedCache
from wengert.lazy import module

_READY = BoundedCache(entries=64, weight=64)
_SENT: dict[str, bytes] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Payload:
    """A function as it travels. `build` makes the one that workers run from the pickled one."""

    digest: str
    data: bytes


def packed(build: Any, function: Any, *options: Any) -> Payload:
    """The function `build(function, *options)`, to be made on the worker."""
    data: bytes = module("cloudpickle").dumps((build, function, options))
    return Payload(hashlib.sha256(data).hexdigest(), data)


def receive(payload: Payload) -> None:
    """Keep a function for the tasks to come."""
    _SENT[payload.digest] = payload.data


def ready(digest: str) -> Any:
    """The function of this digest: made when it is first asked for, by one thread."""
    with _lock:
        found = _READY.find(digest)
        if found is None:
            build, function, options = module("cloudpickle").loads(_SENT[digest])
            found = build(function, *options)
            _READY.put(digest, found, 1)
    return found


def run(digest: str, argument: Any, shard: Any) -> list[Any]:
    """A task: the function at an argument and a shard, as a flat list of arrays."""
    result: list[Any] = ready(digest)(argument, shard)
    return result


def added(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """A task: the sum of two flat lists of arrays."""
    return [x + y for x, y in zip(a, b, strict=True)]


def appended(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """A task: the rows of two flat lists of arrays, one after another."""
    return [np.concatenate([x, y]) for x, y in zip(a, b, strict=True)]


def held(value: Any) -> Any:
    """A task: an argument, which other tasks read; it is rebuilt where its worker dies."""
    return value
