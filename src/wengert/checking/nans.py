"""`debug_nans`: which operation first made a NaN or an infinity, on which line, from what.

Inside the context every program runs on the interpreter and its results are looked at. Where one
holds a bad entry, the program runs again, one node at a time, and the entry is followed back to the
operation that made it of good inputs (`wengert.checking.blaming`). Traces are observed, so that the
operation has a line.
"""

from __future__ import annotations

import linecache
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ContextDecorator, ExitStack, contextmanager
from dataclasses import dataclass, field
from traceback import walk_tb
from typing import Any

import numpy as np

from wengert.checking.blaming import Cause, Search
from wengert.checking.opening import OPENERS
from wengert.checking.telling import NotFinite, Told, told
from wengert.checking.values import computed, holds, not_finite
from wengert.errors import is_own
from wengert.execution.inspecting import inspector, kept, look
from wengert.execution.interpreter import Program
from wengert.execution.jit import without_entries
from wengert.graph.node import Node, mark
from wengert.graph.walk import topological
from wengert.ops.leaves import LEAVES
from wengert.tracing.observing import Timeline, observed

MOST_TIMELINES = 64
"""Of so many calls the lines are known: a pullback may be called long after its trace."""


def debug_nans(
    on: bool | None = None, *, nans: bool = True, infs: bool = True
) -> AbstractContextManager[None]:
    """A context in which a call that gives a NaN or an infinity raises, and says where it was made.

    Parameters
    ----------
    on
        Without it, a context for `with`. True switches on by the call, and False off: from there on
        for this thread, or, as `with wg.debug_nans(False):`, until the context ends.
    nans, infs
        What is looked for.

    Raises
    ------
    NotFinite
        A WengertError and FloatingPointError, by the call of a transformation (`grad`, `jvp`,
        `vmap`, a pullback, …) or of a function under `jit` whose result has such an entry. It names
        the operation that first made one, the line, the sweep, the step of a loop, the instance of
        `vmap`, and the values that went in; these are its attributes too.

    Notes
    -----
    Results are judged, and the value of a function that is differentiated; not what is in between:
    infinities that vanish again (`exp(-inf)`), and NaN in a branch that `where` does not take,
    raise nothing. Nor are plain calls of NumPy looked at: `wg.jit(f)(x)` has f itself judged. Bad
    entries of an argument are told as such. Inside, nothing runs as machine code, `jit` traces at
    each call, and budgets of memory do not hold: it is slow. Functions called in other threads are
    not looked at.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> with wg.debug_nans():
    ...     wg.grad(lambda x: np.sum(np.sqrt(x)))(np.array([1.0, 0.0]))
    Traceback (most recent call last):
    wengert.checking.telling.NotFinite: divide, in the derivative of sqrt, makes inf at [1]...
    """
    return _Debugging(on is not False and (nans or infs), nans, infs, by_call=on is not None)


class _Debugging(ContextDecorator, AbstractContextManager[None]):
    """What `debug_nans` returns: `with` begins it where the call has not done so, and ends it."""

    def __init__(self, on: bool, nans: bool, infs: bool, by_call: bool) -> None:
        self._on, self._nans, self._infs = on, nans, infs
        self._around: list[tuple[Any, Inspector | None]] = []
        self._standing = by_call
        if by_call:
            self._begin()

    def __enter__(self) -> None:
        if self._standing:
            self._standing = False
        else:
            self._begin()

    def __exit__(self, *error: object) -> None:
        before, own = self._around.pop()
        if own is not None:
            own.entries.close()
        look(before)
        if isinstance(before, Inspector):
            before.hide_entries()

    def _begin(self) -> None:
        before = inspector()
        own = Inspector(self._nans, self._infs) if self._on else None
        if own is not None:
            own.hide_entries()
            own.standing = self._standing
        look(own)
        if self._standing and isinstance(before, Inspector) and before.standing:
            before.entries.close()  # what a call has switched on is over
        self._around.append((before, own))


@dataclass(slots=True)
class _Seen:
    """What was seen of a call: the nodes made from `start` to `end`, and the results of the
    functions that were differentiated."""

    timeline: Timeline
    start: int
    end: int | None = None
    derived: dict[Node, None] = field(default_factory=dict)


class Inspector:
    """Judges the results of programs.

    entries: open while calls of functions under `jit` go through Python for it. standing: whether
    a call has switched it on, without an end.
    """

    def __init__(self, nans: bool, infs: bool) -> None:
        self._rule = not_finite(nans, infs)
        self._nans_too = nans and infs
        self._seen: deque[_Seen] = deque(maxlen=MOST_TIMELINES)
        self.entries = ExitStack()
        self.standing = False
        self._hidden = False

    def hide_entries(self) -> None:
        """Let all calls of functions under `jit` go through Python, until `entries` is closed."""
        if not self._hidden:
            self._hidden = True
            self.entries.callback(setattr, self, "_hidden", False)
            self.entries.enter_context(without_entries())

    def program(self, outputs: Sequence[Node], given: Sequence[Node]) -> Judged:
        """The program, judged with the value of the function that is differentiated."""
        seen = self._under_way
        also = () if given or not outputs or seen is None else seen.derived
        return Judged(self, outputs, given, also)

    def differentiates(self, outputs: Sequence[Node]) -> None:
        """These are the results of a function that is differentiated."""
        seen = self._under_way
        if seen is not None:
            seen.derived.update(dict.fromkeys(outputs))

    @property
    def _under_way(self) -> _Seen | None:
        return self._seen[-1] if self._seen and self._seen[-1].end is None else None

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call of a transformation, whose trace is observed."""
        with observed() as timeline:
            seen = _Seen(timeline, mark())
            self._seen.append(seen)
            try:
                yield
            except np.linalg.LinAlgError as error:
                _note_line(error)
                raise
            finally:
                seen.end = mark()

    def judge(
        self, outputs: Sequence[Node], found: Sequence[Any], known: Mapping[Node, Any]
    ) -> None:
        """Raise where results are bad, with what they come from."""
        hidden = kept()
        where = [
            self._rule(value) if node not in hidden else self._rule(0)
            for node, value in zip(outputs, found, strict=True)
        ]
        if not any(map(holds, where)):
            return
        chosen = [k for k, mask in enumerate(where) if holds(mask)]
        nodes, masks = [outputs[k] for k in chosen], [where[k] for k in chosen]
        search = Search(self._rule, OPENERS)
        first = _first(search.causes(nodes, known, masks))
        later = None
        if self._nans_too:  # an infinity that was made first, and what made NaN of it
            nans = not_finite(nans=True, infs=False)
            if not holds(nans(first.value)):
                spoilt = [nans(found[k]) for k in chosen]
                if any(map(holds, spoilt)):
                    later = _first(Search(nans, OPENERS).causes(nodes, known, spoilt))
        raise NotFinite(self._told(first), later and self._told(later))

    def locate(
        self, error: np.linalg.LinAlgError, outputs: Sequence[Node], known: Mapping[Node, Any]
    ) -> None:
        """Tell of an error the line of the operation that raises it."""
        values = dict(known)
        for node in topological(outputs, stop=values):
            try:
                values |= computed([node], values)
            except np.linalg.LinAlgError:
                timeline = self._timeline(node)
                place = None if timeline is None else timeline.place(node)
                if place is not None:
                    _note(error, place.text, str(place))
                return

    def _told(self, cause: Cause) -> Told:
        outermost = cause.within[0].holder if cause.within else cause.node
        return told(cause, self._timeline(outermost))

    def _timeline(self, node: Node) -> Timeline | None:
        for seen in reversed(self._seen):
            if seen.start <= node.serial and (seen.end is None or node.serial <= seen.end):
                return seen.timeline
        return None


def _first(found: Sequence[Cause]) -> Cause:
    """The first operation that is to blame; where none is, the first leaf."""
    return next((cause for cause in found if not cause.given), found[0])


def _note_line(error: np.linalg.LinAlgError) -> None:
    """Tell of an error that arises while tracing the innermost line that is the user's."""
    own = [one for one in walk_tb(error.__traceback__) if is_own(one[0])]
    if own and not hasattr(error, "__notes__"):
        frame, line = own[-1]
        code = frame.f_code
        text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
        _note(error, text, f"{code.co_filename}:{line} in {code.co_name}")


def _note(error: np.linalg.LinAlgError, text: str, where: str) -> None:
    error.add_note(f"  in    {text}    ({where})")


class Judged:
    """A program on the interpreter, whose results are judged at each run."""

    def __init__(
        self,
        inspector: Inspector,
        outputs: Sequence[Node],
        given: Sequence[Node],
        also: Iterable[Node],
    ) -> None:
        self._inspector = inspector
        self._given = tuple(given)
        self._program = Program(outputs, given)
        self._also = tuple(also)
        self.size = self._program.size

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves."""
        known = {node: values[node] for node in (*self._program.leaves, *self._given)}
        try:
            with np.errstate(divide="ignore", invalid="ignore"):  # what comes of it is judged
                found = self._program.run(values)
        except np.linalg.LinAlgError as error:
            self._inspector.locate(error, self._program.outputs, known)
            raise
        for node in self._also:
            below = [leaf for leaf in topological([node]) if leaf.op in LEAVES]
            if all(leaf in values for leaf in below):  # it is not one of an instance, or of a loop
                mine = {leaf: values[leaf] for leaf in below}
                self._inspector.judge([node], [computed([node], mine)[node]], mine)
        self._inspector.judge(self._program.outputs, found, known)
        return found
