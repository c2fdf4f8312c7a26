"""A bounded cache: what was used least recently goes first, when entries or their weight grow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any


class BoundedCache:
    """Key -> value, at most `entries` of them and `weight` in all.

    A weight is the number of nodes that a value keeps alive.
    """

    def __init__(self, entries: int, weight: int) -> None:
        self.entries = entries
        self.weight = weight
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._total = 0
        self._lock = RLock()

    def get(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        """The value under `key`; made, with its weight, where it is missing."""
        found = self._held.get(key)
        if found is not None:
            with self._lock:
                if key in self._held:
                    self._held.move_to_end(key)
            return found[0]
        value, weight = make()
        with self._lock:
            if key not in self._held:
                self._total += weight
            self._held[key] = (value, weight)
            while len(self._held) > 1 and (
                len(self._held) > self.entries or self._total > self.weight
            ):
                _, (_, freed) = self._held.popitem(last=False)
                self._total -= freed
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._total = 0

    def __len__(self) -> int:
        return len(self._held)
