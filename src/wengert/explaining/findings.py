"""One reason why a function is slow."""

from __future__ import annotations

import os
from dataclasses import dataclass

from wengert.tracing.observing import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that costs.

    kind: of what kind, such as "host call". what: what it is, in a sentence. cure: what to do.
    share: the part of the time that it takes or that its cure would save, from 0 to 1, where that
    can be told.
    where: the user's lines, "file:line: text".
    """

    kind: str
    what: str
    cure: str
    share: float | None = None
    where: tuple[str, ...] = ()


def line(place: Place | None) -> str:
    """A line of the user's, as findings show it; empty where it is not known."""
    return f"{os.path.basename(place.file)}:{place.line}: {place.text}" if place else ""


def lines(places: list[Place | None], most: int = 5) -> tuple[str, ...]:
    """The lines of some places, each once, as many at most."""
    found = [text for text in dict.fromkeys(map(line, places)) if text]
    more = (f"… {len(found) - most} more",) if len(found) > most else ()
    return (*found[:most], *more)
