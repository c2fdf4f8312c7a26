"""One way through a function under `jit`: what it computes, and under which answers it holds.

A path runs as machine code where its graph could be compiled, else as calls of NumPy.

Guards and results are computed together, and for a call that takes another path the results are of
no use. But a loop that runs while a condition holds might then never end: where there is one, the
guards that Python asked for before it are computed first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert import settings
from wengert.compiler.native import Native
from wengert.control.repeating import repeat
from wengert.execution.calling import portable
from wengert.execution.calling.entries import (
    Constant,
    Entry,
    Made,
    NoEntry,
    Result,
    ResultForm,
    Signature,
    answer_bits,
    is_built_in,
    result_form,
    signature,
)
from wengert.execution.interpreter import Program
from wengert.execution.memory import keep_what_is_freed
from wengert.execution.programs import program, recall, remember
from wengert.execution.trying import Trial, trial
from wengert.graph.body import Body, bodies
from wengert.graph.node import Node, mark
from wengert.graph.types import ArrayType
from wengert.graph.walk import topological
from wengert.lazy import module
from wengert.tracing.trees import Spec, unflatten

if TYPE_CHECKING:
    from wengert.execution.budget.tiers import Budgeted
    from wengert.execution.compiled import Compiled

MOST_FORMS = 4
"""Calls of one signature differ by the order of keys and the identity of static arguments."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way through the function: what it computes, and the answers under which it holds.

    bound: captured objects (read at each call) and numbers that were slots.
    memory: the budget in bytes that it holds to, if any; it then has no machine code of one piece.
    first: so many of the guards must hold before the loops among what follows may run, if any.
    native: the machine code of guards and outputs together. forms: the calls that have an entry.
    trial: the interpreter's program in place of machine code, for as long as that has not paid.
    """

    inputs: tuple[Node, ...]
    guards: tuple[Node, ...]
    answers: tuple[Any, ...]
    outputs: tuple[Node, ...]
    places: tuple[int, ...]
    leaves: tuple[Any, ...]
    spec: Spec
    bound: tuple[tuple[Node, Any], ...]
    first: tuple[int, ...] = ()
    native: Native | None = None
    forms: set[Signature] = field(default_factory=set)
    trial: Trial | None = None
    memory: int | None = None

    def planned(self, patient: bool = False) -> Path:
        """The path with what is known of its loops, and the machine code of its graph, where there
        is any.

        patient: whether it shall run on the interpreter before.
        """
        path = replace(self, first=before_loops(self.guards, self.outputs), trial=None)
        if patient:
            inputs = (*self.inputs, *[node for node, _ in self.bound])
            on_trial = trial((*self.guards, *self.outputs), inputs)
            if on_trial is not None:
                return replace(path, trial=on_trial)
        return path._with_machine_code()

    def unguarded(self) -> Path:
        """The path that holds whatever Python is told."""
        return replace(self, guards=(), answers=(), first=(), native=None, trial=None)

    def _with_machine_code(self) -> Path:
        inputs = (*self.inputs, *[node for node, _ in self.bound])
        outputs = (*self.guards, *self.outputs)
        if not settings.native or not outputs or self.memory is not None:
            return self
        if not all(isinstance(node.type, ArrayType) for node in (*inputs, *outputs)):
            return self
        keep_what_is_freed()
        return replace(self, native=machine_code(outputs, inputs))

    def run(self, values: Sequence[Any]) -> tuple[bool, Any]:
        """(whether all guards gave their answers, the result)."""
        if not all(self._first_hold(count, values) for count in self.first):
            return False, None
        found = self._run_native(values)
        if found is None:
            return self._interpret(values)
        return (True, self._result(found)) if self._agree(found) else (False, None)

    def _run_native(self, values: Sequence[Any]) -> list[Any] | None:
        """Guards and outputs, None where machine code does not give them."""
        if self.native is None:
            return None
        given = (*values, *[np.asarray(value) for _, value in self.bound])
        inputs = []
        for array, type in zip(given, self.native.inputs, strict=True):
            if (array.shape, array.dtype.newbyteorder("=")) != (type.shape, type.dtype):
                return None
            inputs.append(np.require(array, type.dtype, ("C", "A")))
        found = portable.run(self.native, inputs)
        return None if found is None else [value if value.shape else value[()] for value in found]

    def _given(self, values: Sequence[Any]) -> dict[Node, Any]:
        return {**dict(self.bound), **dict(zip(self.inputs, values, strict=True))}

    def _first_hold(self, count: int, values: Sequence[Any]) -> bool:
        """Whether the first guards hold."""
        try:
            found, _ = _watched(program(self.guards[:count], hot=True), self._given(values))
        except Exception:  # the trace anew raises it, if that is the right path
            return False
        return self._agree(found)

    def _interpret(self, values: Sequence[Any]) -> tuple[bool, Any]:
        given = self._given(values)
        planned = self.trial or program((*self.guards, *self.outputs), hot=True, memory=self.memory)
        try:
            found, flagged = (
                _watched(planned, given) if self.guards else (planned.run(given), False)
            )
        except Exception:
            if self._holds(given):
                raise
            return False, None
        if not self._agree(found):
            return False, None
        if flagged:  # it is the right path: once more, and NumPy warns as it is set to
            found = planned.run(given)
        return True, self._result(found)

    def _result(self, found: Sequence[Any]) -> Any:
        leaves = [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in self.leaves]
        for place, value in zip(self.places, found[len(self.guards) :], strict=True):
            leaves[place] = value
        return unflatten(self.spec, leaves)

    def _holds(self, given: dict[Node, Any]) -> bool:
        """Whether the guards hold where the program as a whole raised."""
        try:
            return self._agree(program(self.guards).run(given))
        except Exception:
            return False

    def _agree(self, found: Sequence[Any]) -> bool:
        """Whether what was found begins with the answers."""
        return all(_same_answer(a, b) for a, b in zip(found, self.answers, strict=False))

    def new_entry(self, args: Sequence[Any], kwargs: Mapping[str, Any], spec: Spec) -> Entry | None:
        """An entry for calls like this one, None where there is none or it is known.

        spec: of the traced arguments by position and by name.
        """
        if self.native is None or self.first:
            return None
        if len(self.forms) == MOST_FORMS or not is_built_in(spec):
            return None
        try:
            form = signature(args, kwargs, unflatten(spec, range(spec.num_leaves)))
            if form in self.forms:
                return None
            self.forms.add(form)
            return Entry(
                form,
                self.native,
                tuple(value for _, value in self.bound),
                tuple(map(answer_bits, self.answers, self.native.outputs)),
                self._result_form(),
            )
        except NoEntry:
            return None

    def _result_form(self) -> ResultForm:
        leaves: list[ResultForm] = [
            Made(leaf.copy, ())
            if isinstance(leaf, np.ndarray) and type(leaf) is not np.ndarray
            else Constant(leaf)
            for leaf in self.leaves
        ]
        for k, place in enumerate(self.places):
            leaves[place] = Result(k)
        if is_built_in(self.spec):
            return result_form(unflatten(self.spec, leaves))
        spec = self.spec
        return Made(lambda *parts: unflatten(spec, parts), tuple(leaves))


def before_loops(guards: Sequence[Node], outputs: Sequence[Node]) -> tuple[int, ...]:
    """How many guards there are before each group of loops of unknown length, where there are any:
    what they say decides whether Python came to the loops at all."""
    found: list[int] = []
    seen: set[Node] = set()
    for count, nodes in enumerate([*([guard] for guard in guards), outputs]):
        new = topological(nodes, stop=seen)
        seen.update(new)
        if count and any(map(_may_not_end, new)):
            found.append(count)
    return tuple(found)


def _may_not_end(node: Node) -> bool:
    if node.op.family != "holder":
        return False
    return node.op is repeat or any(map(_holds_loop, bodies(node.params)))


@lru_cache(maxsize=1_024)
def _holds_loop(body: Body) -> bool:
    return any(map(_may_not_end, topological(body.outputs, stop=body.params)))


def machine_code(outputs: Sequence[Node], inputs: Sequence[Node]) -> Native | None:
    """The machine code of a graph, None where it has a host call.

    It is kept for another function that computes the same: one that is made anew at each call of
    its caller, say.
    """
    key = ("machine code", *outputs, None, *inputs)
    found: tuple[Native | None] | None = recall(key)
    if found is None:
        start = mark()
        found = (module("wengert.execution.compiled").machine_code(outputs, inputs),)
        remember(key, found, len(topological(outputs)) + mark() - start)
    return found[0]


def _same_answer(found: Any, expected: Any) -> bool:
    """Equal, with the sign of zeros, which Python code can ask for; NaN is equal to itself."""
    a, b = np.asarray(found), np.asarray(expected)
    if b.dtype.kind == "c":
        return _same_answer(a.real, b.real) and _same_answer(a.imag, b.imag)
    if b.dtype.kind != "f":
        return np.array_equal(a, b)
    zero = b == 0
    return np.array_equal(a, b, equal_nan=True) and np.array_equal(
        np.signbit(a[zero]), np.signbit(b[zero])
    )


def _watched(
    planned: Program | Compiled | Budgeted | Trial, given: dict[Node, Any]
) -> tuple[list[Any], bool]:
    """What a path computes, and whether NumPy would warn: the path may be the wrong one, so that
    its warnings are not the function's."""
    flags: list[str] = []
    settings = {kind: "ignore" if how == "ignore" else "call" for kind, how in np.geterr().items()}
    with np.errstate(call=lambda message, flag: flags.append(message), **settings):
        return planned.run(given), bool(flags)
