"""The plugin that brings a function to every worker of a cluster. Imports Dask."""

from __future__ import annotations

from typing import Any

from distributed import WorkerPlugin

from wengert.distributed.workers import Payload, receive


class Sent(WorkerPlugin):
    """Hands a payload to each worker that there is and each that comes."""

    idempotent = True

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.name = f"wengert-{payload.digest}"

    def setup(self, worker: Any) -> None:
        receive(self.payload)
