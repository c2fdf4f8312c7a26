"""One call on all shards: in this process, or on a cluster.

On a cluster the argument is the result of a task, which all others read, so that it is rebuilt
where its worker dies; so are the shards that Dask can compute again. A shard that was scattered is
on no list but ours: it is scattered again where this process has it, and is an error where not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wengert.distributed.shards import Shards
from wengert.distributed.trees import joined
from wengert.distributed.workers import Payload, held, ready, receive, run
from wengert.errors import WengertError, WengertTypeError
from wengert.lazy import module
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten

MOST_ATTEMPTS = 3
"""How often lost shards are scattered again in one call."""
PATIENCE = 1.0
"""Seconds after which a call shows how far it is, where a person looks on."""


class ShardLostError(WengertError, RuntimeError):
    """The data of a shard is on no worker any more, and nobody can compute it again."""


Join = Callable[[list[Any], list[Any]], list[Any]]


def on_shards(
    payload: Payload, argument: Any, shards: Shards, join: Join, progress: bool | None
) -> list[Any]:
    """The function at the argument and every shard, joined along the tree.

    progress: whether to show a bar; None shows one for a long call in a terminal.
    """
    if shards.client is None:
        receive(payload)
        function = ready(payload.digest)
        with _bar(progress, len(shards)) as advance:

            def leaf(k: int) -> list[Any]:
                found: list[Any] = function(argument, shards.parts[k])
                advance(1)
                return found

            return joined(len(shards), leaf, join)
    if any(type(leaf) is Tracer for leaf in flatten(argument)[0]):
        raise WengertTypeError(
            "a function on a cluster takes arrays, and what it is given here is traced: call it "
            "outside of grad, jit and the like, or leave the client out"
        )
    if payload.digest not in shards.sent:
        shards.client.register_plugin(module("wengert.distributed.plugin").Sent(payload))
        shards.sent.add(payload.digest)
    for _ in range(MOST_ATTEMPTS):
        try:
            return _on_cluster(payload, argument, shards, join, progress)
        except module("distributed").CancelledError as error:
            lost = shards.lost()
            if not shards.restored():
                raise _lost(lost) if lost else error from error
    raise _lost(list(range(len(shards))))


def _on_cluster(
    payload: Payload, argument: Any, shards: Shards, join: Join, progress: bool | None
) -> list[Any]:
    client = shards.client
    sent = client.submit(held, argument, pure=False)
    leaves: list[Any] = []

    def leaf(k: int) -> Any:
        leaves.append(client.submit(run, payload.digest, sent, shards.parts[k], pure=False))
        return leaves[-1]

    root = joined(len(shards), leaf, lambda a, b: client.submit(join, a, b, pure=False))
    if progress is not False:
        with _bar(progress, len(shards)) as advance:
            for future in leaves:
                future.add_done_callback(lambda _: advance(1))
            result: list[Any] = root.result()
    else:
        result = root.result()
    return result


def _lost(shards: list[int]) -> ShardLostError:
    which = ", ".join(map(str, shards[:8])) + (", …" if len(shards) > 8 else "")
    return ShardLostError(
        f"the data of {'shard' if len(shards) == 1 else 'shards'} {which} was lost with the worker "
        "that held it, and it was scattered, so that Dask cannot compute it again. Give shards "
        "that can be rebuilt: a Dask array or Delayed, or the arrays themselves"
    )


class _bar:
    """A progress bar that appears when a call turns out to be long; gives `advance`."""

    def __init__(self, wanted: bool | None, total: int) -> None:
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self.shown = Progress(
            TextColumn("shards"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.shown.add_task("shards", total=total)
        self.begun = monotonic()
        self.open: Any = nullcontext()

    def __enter__(self) -> Callable[[int], None]:
        return self._advance if self.wanted else lambda _: None

    def _advance(self, count: int) -> None:
        self.shown.advance(self.task, count)
        if not self.shown.live.is_started and monotonic() - self.begun > PATIENCE:
            self.shown.start()

    def __exit__(self, *error: object) -> None:
        if self.shown.live.is_started:
            self.shown.stop()
