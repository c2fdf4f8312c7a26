"""Adoption by itself: which module dropped a traced value, and what to replace in it.

The traceback of the exception that left the differentiated function tells: the innermost frame of
Python code is where the value was dropped; the plain array or number that it met may have been made
in one of the frames around it. They are adopted one at a time, from the inside, and the function is
traced again after each.
"""

from __future__ import annotations

import dis
import linecache
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any, TypeAlias

from wengert import settings
from wengert.adopting.adoption import adopt_names, adopted, is_adoptable, is_python, take_back
from wengert.adopting.code import CALLED
from wengert.adopting.pythons import SCALARS
from wengert.adopting.stand_ins import Parts, original, scipy_codes
from wengert.errors import DroppedTracer, WengertError
from wengert.execution.retrying import provide_cure
from wengert.logging import logger
from wengert.tracing.lifting import is_traced

Step: TypeAlias = tuple[FrameType, int, int]
"""A frame of a traceback: where it was, as an instruction and as a line."""

Candidate: TypeAlias = tuple[dict[str, Any], Parts]
"""The globals of a module, and what to replace in them."""

_MOST_FUTILE = 12
"""How often a function is traced again although the value is dropped at the same place still."""


class Adopter:
    """The cure of one call: it remembers what it has adopted."""

    def __init__(self) -> None:
        self._mine: list[tuple[dict[str, Any], int]] = []
        self._place: tuple[object, int] | None = None
        self._futile = 0

    def __call__(self, error: Exception, began: int) -> bool:
        """Adopt one more module; whether the function is to be traced again."""
        dropped = next((e for e in _chain(error) if isinstance(e, DroppedTracer)), None)
        if dropped is None:
            steps = list(_steps(error))
            candidates = (*callers(steps), *_questioners(error, steps))
            return settings.adoption and self._try(candidates, steps, began)
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
            candidates = [*callers(steps), *_candidates(users, steps)]
            if self._try(candidates, users, began):
                return True
        self._give_up(dropped, users[-1])
        return False

    def _try(self, candidates: Iterable[Candidate], users: list[Step], began: int) -> bool:
        for names, parts in candidates:
            running = [frame.f_code for frame, _, _ in users if frame.f_globals is names]
            if self._adopt(names, parts, running, began):
                frame, _, line = users[-1]
                logger.info(
                    "adopted %s, since a traced value was dropped in %s, line %s of %s; tracing "
                    "again",
                    _called(names),
                    frame.f_code.co_name,
                    line,
                    frame.f_code.co_filename,
                )
                return True
        return False

    def _adopt(
        self, names: dict[str, Any], parts: Parts, running: list[CodeType], began: int
    ) -> bool:
        known = adopted(names)
        layers = 0 if known is None else len(known.layers)
        if not adopt_names(names, parts, running):
            return known is not None and known.when > began  # another thread was faster
        self._mine.append((names, layers))
        return True

    def _give_up(self, dropped: DroppedTracer, at: Step) -> None:
        """Undo what did not help, and say what stands in the way."""
        names = list(dict.fromkeys(_called(g) for g, _ in self._mine))
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


def _steps(error: BaseException) -> Iterator[Step]:
    """(frame, instruction, line) of the traceback of an exception, from the outside."""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno
        traceback = traceback.tb_next


def _called(names: dict[str, Any]) -> str:
    return str(names.get("__name__") or "the code that was run")


def _name(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


_WRITES = frozenset({"STORE_SUBSCR", "STORE_SLICE"})


def callers(steps: list[Step]) -> Iterator[Candidate]:
    """The modules that call functions of SciPy for which wengert has its own, on traced values."""
    caller: FrameType | None = None
    for frame, _, _ in steps:
        name = _name(frame)
        if name.startswith("scipy.") and any(map(is_traced, frame.f_locals.values())):
            known = frame.f_code in scipy_codes(name.split(".")[1])
            if known and caller is not None and is_adoptable(caller.f_globals):
                yield caller.f_globals, Parts.CONVERSIONS
        if not name.startswith("scipy._lib."):  # a decorator of SciPy's calls nothing of its own
            caller = frame


_QUESTIONS = ("isinstance", "hasattr", "isscalar", "iterable")


def _questioners(error: Exception, steps: list[Step]) -> Iterator[Candidate]:
    """The innermost module, where it asks what it is given: a traced value may be no array to it,
    or no number, and what it did then was refused."""
    users = [frame for frame, _, _ in steps if is_adoptable(frame.f_globals)]
    if isinstance(error, WengertError) and users and is_python(users[-1].f_globals):
        names = users[-1].f_globals
        asked = {name for f in users if f.f_globals is names for name in f.f_code.co_names}
        if not asked.isdisjoint(_QUESTIONS):
            yield names, Parts.CONVERSIONS


def _candidates(users: list[Step], steps: list[Step]) -> Iterator[Candidate]:
    """What to adopt, in order, until one makes a difference."""
    inner, instruction, _ = users[-1]
    reached = {frame.f_code.co_name for frame, _, _ in steps if _name(frame).startswith("wengert.")}
    first, second = Parts.CONVERSIONS, Parts.LISTS
    if _opname(inner, instruction) in _WRITES or "refuse_out" in reached:
        second = Parts.ARRAYS
        first |= Parts.ARRAYS
    elif not set(inner.f_code.co_names).isdisjoint((*CALLED, *SCALARS)):
        first |= Parts.CASTS
    namespaces = list(_namespaces(users))
    for names in namespaces:
        yield names, first
        yield names, second
    for names in namespaces:
        yield names, Parts.ALL


def _namespaces(users: list[Step]) -> Iterator[dict[str, Any]]:
    """The globals of the frames, from the inside, and those of modules that they hold: an array
    namespace that is handed around as `xp`."""
    for frame, _, _ in reversed(users):
        if is_python(frame.f_globals):
            yield frame.f_globals
        for value in frame.f_locals.values():
            if isinstance(value, ModuleType) and original(value) is value:
                names = vars(value)
                if is_adoptable(names) and is_python(names):
                    yield names


def _opname(frame: FrameType, instruction: int) -> str:
    if instruction < 0:
        return ""
    return dis.opname[frame.f_code.co_code[instruction]]


provide_cure(Adopter)
