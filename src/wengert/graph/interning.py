"""Weak tables: key -> object, for as long as somebody else holds the object.

The values are weak references that know their key and whose callback removes the entry. A look-up
is one dict access and one call, where `WeakValueDictionary` costs three times that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class KeyedRef(weakref.ref[T], Generic[T]):
    """A weak reference that knows under which key its table holds it."""

    __slots__ = ("key",)
    key: Hashable


class WeakTable(Generic[T]):
    """The table, and the callback that removes what has died from it."""

    __slots__ = ("forget", "table")

    def __init__(self) -> None:
        self.table: dict[Hashable, KeyedRef[T]] = {}
        self.forget = _forgetter(self.table)

    def remember(self, key: Hashable, value: T) -> None:
        """Let `key` find `value`. Only ever called with keys that determine it."""
        ref = KeyedRef(value, self.forget)
        ref.key = key
        self.table[key] = ref


def _forgetter(table: dict[Hashable, KeyedRef[T]]) -> Callable[[Any], None]:
    def forget(ref: KeyedRef[T]) -> None:
        if table.get(ref.key) is ref:
            del table[ref.key]

    return forget
