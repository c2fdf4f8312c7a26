"""One reason why a function is slow."""

from __future__ import annotations

import os
from dataclasses import dataclass

from wengert.tracing.observing import Place

OF_CALL = "of a call, measured"
OF_PROGRAM = "of the compiled program, estimated"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that costs.

    kind: of what kind, such as "host call". what: what it is, in a sentence. cure: what to do.
    share: how much of something it takes, from 0 to 1, where that can be told, and `of` what: of a
        call's time, measured; of the compiled program's time, estimated; of the steps that are
        traced and compiled; of the products with vectors, or of the entries, of a matrix. Shares of
        different things do not add up.
    where: the user's lines, "file:line: text".
    """

    kind: str
    what: str
    cure: str
    share: float | None = None
    where: tuple[str, ...] = ()
    of: str = ""


def counted(count: int, one: str, several: str) -> str:
    """1 loop, 2 loops."""
    return f"{count} {one if count == 1 else several}"


def line(place: Place | None) -> str:
    """A line of the user's, as findings show it; empty where it is not known."""
    return f"{os.path.basename(place.file)}:{place.line}: {place.text}" if place else ""


def lines(places: list[Place | None], most: int = 5) -> tuple[str, ...]:
    """The lines of some places, each once, as many at most."""
    found = [text for text in dict.fromkeys(map(line, places)) if text]
    more = (f"… {len(found) - most} more",) if len(found) > most else ()
    return (*found[:most], *more)
