"""A bounded cache: what was used least recently goes first, when entries or their weight grow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
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

    def find(self, key: Hashable) -> Any:
        """The value under a key, or None."""
        found = self._held.get(key)
        if found is None:
            return None
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Any, weight: int) -> None:
        """Hold a value, and let go of the oldest ones where there are too many."""
        with self._lock:
            old = self._held.pop(key, None)
            self._total += weight - (0 if old is None else old[1])
            self._held[key] = (value, weight)
            while len(self._held) > 1 and (
                len(self._held) > self.entries or self._total > self.weight
            ):
                _, (_, freed) = self._held.popitem(last=False)
                self._total -= freed

    def items(self) -> list[tuple[Any, Any]]:
        """All that is held with its keys, the oldest first."""
        with self._lock:
            return [(key, value) for key, (value, _) in self._held.items()]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._total = 0

    def __len__(self) -> int:
        return len(self._held)
