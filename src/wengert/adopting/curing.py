"""Adoption by itself: which module dropped a traced value, and what to replace in it.

The traceback of the exception that left the differentiated function tells: the innermost frame of
Python code is where the value was dropped; the plain array or number that it met may have been made
in one of the frames around it. They are adopted one at a time, from the inside, and the function is
traced again after each.
"""

from __future__ import annotations

import dis
import linecache
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType

from wengert import settings
from wengert.adopting.adoption import adopt_names, adopted, is_adoptable, is_python, take_back
from wengert.adopting.code import CALLED
from wengert.adopting.pythons import SCALARS
from wengert.adopting.stand_ins import Parts
from wengert.errors import DroppedTracer
from wengert.execution.retrying import provide_cure
from wengert.logging import logger

_MOST_FUTILE = 12
"""How often a function is traced again although the value is dropped at the same place still."""


class Adopter:
    """The cure of one call: it remembers what it has adopted."""

    def __init__(self) -> None:
        self._mine: list[tuple[dict[str, object], int]] = []
        self._place: tuple[object, int] | None = None
        self._futile = 0

    def __call__(self, error: Exception, began: int) -> bool:
        """Adopt one more module; whether the function is to be traced again."""
        dropped = next((e for e in _chain(error) if isinstance(e, DroppedTracer)), None)
        if dropped is None:
            return False
        if not settings.adoption:
            dropped.add_note('wengert: adoption is off; wengert.adoption("on") may cure this')
            return False
        steps = [step for e in _chain(error) if dropped in _chain(e) for step in _steps(e)]
        users = [step for step in steps if is_adoptable(step[0].f_globals)]
        if not users:
            return False
        place = (users[-1][0].f_code, users[-1][1])
        self._futile = self._futile + 1 if place == self._place else 0
        self._place = place
        if self._futile < _MOST_FUTILE:
            for frame, parts in _candidates(users, steps, dropped):
                running = [f.f_code for f, _, _ in users if f.f_globals is frame.f_globals]
                if self._adopt(frame, parts, running, began):
                    return True
        self._give_up(dropped, users[-1])
        return False

    def _adopt(self, frame: FrameType, parts: Parts, running: list[CodeType], began: int) -> bool:
        names = frame.f_globals
        known = adopted(names)
        layers = 0 if known is None else len(known.layers)
        if not adopt_names(names, parts, running):
            return known is not None and known.when > began  # another thread was faster
        self._mine.append((names, layers))
        logger.info(
            "adopted %s, which would have dropped a traced value in %s, line %s; tracing again",
            _name(frame),
            frame.f_code.co_name,
            frame.f_lineno,
        )
        return True

    def _give_up(self, dropped: DroppedTracer, at: tuple[FrameType, int, int]) -> None:
        """Undo what did not help, and say what stands in the way."""
        names = list(dict.fromkeys(str(g.get("__name__")) for g, _ in self._mine))
        for globals, layers in reversed(self._mine):
            take_back(globals, layers)
        self._mine.clear()
        frame, _, line = at
        file = frame.f_code.co_filename
        source = linecache.getline(file, line).strip()
        tried = f"; adopting {', '.join(names)} did not help" if names else ""
        dropped.add_note(
            f"wengert: adoption cannot cure this{tried}. The value is dropped by C code or by a "
            "method of a plain array, or is assigned into an array that was made outside of the "
            f"trace, at\n  {file}:{line} in {frame.f_code.co_name}"
            + (f"\n    {source}" if source else "")
        )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that led to it, as tracebacks print them."""
    waiting, seen = [error], set()
    while waiting:
        found = waiting.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__context__, found.__cause__]


def _steps(error: BaseException) -> Iterator[tuple[FrameType, int, int]]:
    """(frame, instruction, line) of the traceback of an exception, from the outside."""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno
        traceback = traceback.tb_next


def _name(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


_WRITES = frozenset({"STORE_SUBSCR", "STORE_SLICE"})


def _candidates(
    users: list[tuple[FrameType, int, int]],
    steps: list[tuple[FrameType, int, int]],
    dropped: DroppedTracer,
) -> Iterator[tuple[FrameType, Parts]]:
    """What to adopt, in order, until one makes a difference."""
    frames = [frame for frame, _, _ in reversed(users) if is_python(frame.f_globals)]
    inner, instruction, _ = users[-1]
    reached = {frame.f_code.co_name for frame, _, _ in steps if _name(frame).startswith("wengert.")}
    first, second = Parts.CONVERSIONS, Parts.LISTS
    if _opname(inner, instruction) in _WRITES or "refuse_out" in reached:
        second = Parts.ARRAYS
        first |= Parts.ARRAYS
    elif not reached.isdisjoint(("__float__", "__complex__", "__array__")):
        if not set(inner.f_code.co_names).isdisjoint((*CALLED, *SCALARS)):
            first |= Parts.CASTS
    for frame in frames:
        yield frame, first
        yield frame, second
    for frame in frames:
        yield frame, Parts.ALL


def _opname(frame: FrameType, instruction: int) -> str:
    if instruction < 0:
        return ""
    return dis.opname[frame.f_code.co_code[instruction]]


provide_cure(Adopter)
