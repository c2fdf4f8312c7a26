"""A schedule as calls of machine code: every group of nodes is a program with an arena of its own.

Groups that are equal but for what they read share one program in memory: the layers of a network,
the steps of time. Between two calls what nobody reads any more is freed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.compiler.native import Native
from wengert.compiler.pipeline import compiled
from wengert.control.costs import work
from wengert.control.merging import merged
from wengert.errors import MemoryBudgetError
from wengert.execution.budget.groups import Group, groups
from wengert.execution.budget.problem import Problem, followed
from wengert.execution.budget.program import Interpreted, too_small
from wengert.execution.budget.search import Plan, TooSmall, planned
from wengert.execution.budget.sizes import OBJECT, RESERVE, Layouts, bytes_of, held, temporaries
from wengert.execution.calling import portable
from wengert.execution.interpreter import Program, owned
from wengert.execution.programs import recall, remember
from wengert.graph.body import body_of
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TapeType, TupleType
from wengert.graph.walk import substitute, topological
from wengert.ops.leaves import LEAVES, input
from wengert.transforms.simplify import simplify

CALL = 100_000.0
"""Work of a call of machine code from Python, in the unit of `control.costs`."""
ALIGNMENT = 64
MOST_PROGRAMS = 400
"""Programs of one plan, each of which takes some milliseconds to compile."""

Step = Callable[[list[Any]], Any]


class ManyPrograms(Exception):
    """A graph would take too long to compile as groups."""


class NativeBudgeted:
    """A program like `compiled.Compiled`, within a budget of bytes.

    leaves: the leaves that are read, each with the node whose value it has.
    """

    __slots__ = ("_given", "_outputs", "_plans", "budget", "leaves", "outputs")

    def __init__(self, outputs: Sequence[Node], given: Sequence[Node], budget: int) -> None:
        self.outputs, self._given, self.budget = tuple(outputs), tuple(given), budget
        names = {
            node: node if node.op in LEAVES else input(("given", k), node.type)
            for k, node in enumerate(dict.fromkeys(given))
        }
        self._outputs = tuple(simplify(merged(substitute(outputs, names))))
        meant = {name: node for node, name in names.items()}
        order = topological(self._outputs)
        self.leaves = {leaf: meant.get(leaf, leaf) for leaf in order if leaf.op in LEAVES}
        self._plans: dict[int, _Scheduled] = {}
        self._planned(0)

    def _planned(self, copied: int) -> _Scheduled:
        """The plan where so many bytes of inputs are copied, since they are not plain in memory."""
        found = self._plans.get(copied)
        if found is None:
            errors = []
            for fused in (True, False):
                try:
                    found = _Scheduled(self._outputs, self.leaves, fused, copied, self.budget)
                    break
                except MemoryBudgetError as error:
                    errors.append(error)
            else:
                raise min(errors, key=lambda error: error.smallest)
            self._plans[copied] = found
        return found

    @property
    def plan(self) -> Plan:
        """The plan for inputs that are plain in memory."""
        return self._plans[0].plan

    @property
    def runs(self) -> tuple[int, ...]:
        """The schedule."""
        return self.plan.runs

    @property
    def problem(self) -> Problem:
        """What was planned."""
        return self._plans[0].problem

    @property
    def labels(self) -> list[tuple[str, Node]]:
        """For each entry what it is called, and its node."""
        return self._plans[0].labels

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves, as arrays that the caller owns."""
        known: list[Any] = []
        copied = 0
        borrowed = set()
        for leaf, meant in self.leaves.items():
            value = values[meant]
            borrowed.add(id(value))
            if isinstance(leaf.type, ArrayType):
                value = np.require(np.asarray(value), leaf.type.dtype, ("C", "A"))
                if value is not values[meant]:
                    copied += value.nbytes
            known.append(value)
        if copied <= OBJECT * len(known):
            copied = 0
        found = self._planned(copied).run(known)
        if found is None:  # something failed: the interpreter says what
            return Interpreted(self.outputs, self._given, self.budget).run(values)
        return [
            owned(value, node, borrowed) for value, node in zip(found, self.outputs, strict=True)
        ]


class _Scheduled:
    """The calls of a plan."""

    __slots__ = ("_calls", "_results", "_room", "labels", "plan", "problem")

    def __init__(
        self,
        outputs: Sequence[Node],
        leaves: Mapping[Node, Node],
        fused: bool,
        copied: int,
        budget: int,
    ) -> None:
        entries = groups(outputs, leaves, fused)
        natives = _machine_code([group for group in entries if group.native])
        place = {group.root: k for k, group in enumerate(entries)}
        layouts = Layouts(dict.fromkeys(leaves, "C"))
        reads, size, cost, extra = [], [], [], []
        steps: list[Step] = []
        first = {leaf: k for k, leaf in enumerate(leaves)}
        where = first | {root: len(first) + k for root, k in place.items()}
        for group in entries:
            reads.append(tuple(place[node] for node in group.reads if node in place))
            size.append(held(group.root.type))
            cost.append(CALL + sum(map(work, group.nodes)))
            native = natives.get(group.root)
            if native is None:
                extra.append(bytes_of(group.root.type) + temporaries(group.root, layouts))
                steps.append(_called(group, where))
            else:
                extra.append(native.arena_bytes + ALIGNMENT)
                steps.append(_run_by(group, native, where))
        results: list[int] = []
        labels = [(group.root.op.name, group.root) for group in entries]
        for node in outputs:
            own = place.get(node)
            if own is not None and own not in results:
                results.append(own)
                continue
            results.append(len(reads))
            reads.append(() if own is None else (own,))
            size.append(held(node.type))
            cost.append(CALL + bytes_of(node.type))
            extra.append(0)
            steps.append(_copying(node, where))
            labels.append(("copy", node))
        reserve = RESERVE + 64 * len(reads)
        base = sum(bytes_of(leaf.type) for leaf in leaves) + copied + reserve
        self.problem = Problem(
            tuple(reads), tuple(size), tuple(cost), tuple(extra), tuple(results), base, reserve
        )
        self.labels = labels
        try:
            self.plan = planned(self.problem, budget)
        except TooSmall as error:
            names, nodes = zip(*labels, strict=True) if labels else ((), ())
            raise too_small(budget, error, self.problem, names, nodes) from None
        course = followed(self.problem, self.plan.runs)
        seen: set[int] = set()
        self._calls: list[tuple[Step, int, tuple[int, ...], bool]] = []
        for k, freed in zip(self.plan.runs, course.freed, strict=True):
            quiet = labels[k][1].quiet or k in seen
            seen.add(k)
            offset = len(first)
            self._calls.append(
                (steps[k], offset + k, tuple(offset + done for done in freed), quiet)
            )
        self._room = [None] * len(reads)
        self._results = [len(first) + k for k in results]

    def run(self, leaves: list[Any]) -> list[Any] | None:
        """The outputs, None where machine code failed."""
        registers = [*leaves, *self._room]
        for step, target, freed, quiet in self._calls:
            if quiet:
                with np.errstate(all="ignore"):
                    value = step(registers)
            else:
                value = step(registers)
            if value is _FAILED:
                return None
            registers[target] = value
            for k in freed:
                registers[k] = None
        return [registers[k] for k in self._results]


_FAILED = object()


def _machine_code(entries: Sequence[Group]) -> dict[Node, Native]:
    """The program of each group, one for all that are equal, by the roots of the groups."""
    bodies = {group.root: body_of([group.root], group.reads) for group in entries}
    if len(set(bodies.values())) > MOST_PROGRAMS:
        raise ManyPrograms
    found = {}
    for group in entries:
        body = bodies[group.root]
        key = ("machine code", body)
        native: Native | None = recall(key)
        if native is None:
            native = compiled(simplify(body.outputs, body.params), body.params)
            remember(key, native, len(group.nodes))
        found[group.root] = native
    return found


def _run_by(group: Group, native: Native, where: Mapping[Node, int]) -> Step:
    """A call of machine code."""
    places = [(where[node], node.type) for node in group.reads]
    kind = group.root.type
    simple = all(isinstance(type, ArrayType) for _, type in places)
    indices = [k for k, _ in places]

    def run(registers: list[Any]) -> Any:
        if simple:
            inputs = [registers[k] for k in indices]
        else:
            inputs = []
            for k, type in places:
                if isinstance(type, TupleType):
                    inputs += map(_plain, registers[k], type.items)
                else:
                    inputs.append(_plain(registers[k], type))
        found = portable.run(native, inputs)
        if found is None:
            return _FAILED
        return tuple(found) if isinstance(kind, TupleType) else found[0]

    return run


def _called(group: Group, where: Mapping[Node, int]) -> Step:
    """A call of NumPy, of a value or of the views of values that it reads."""
    program = Program((group.root,), group.reads) if len(group.nodes) > 1 else None
    indices = [where[node] for node in group.reads]
    reads, root = group.reads, group.root
    order = [where.get(arg, -1) for arg in root.args]
    function = root.op.evaluate(root)

    def run(registers: list[Any]) -> Any:
        if program is not None:
            values = {node: registers[k] for node, k in zip(reads, indices, strict=True)}
            (value,) = program.run(values)
        else:
            value = function(*[registers[k] for k in order])
        if isinstance(root.type, TupleType):
            return tuple(map(_plain, value, root.type.items))
        return _plain(value, root.type)

    return run


def _plain(value: Any, type: Any) -> Any:
    """The value as machine code reads it."""
    if isinstance(type, TapeType):
        type = type.step
    if not isinstance(type, ArrayType):
        return value
    return np.require(np.asarray(value), type.dtype, ("C", "A"))


def _copying(node: Node, where: Mapping[Node, int]) -> Step:
    """A result that is an input, a constant, or another result."""
    if node not in where:
        return lambda registers: np.array(node.op.evaluate(node)())
    k = where[node]
    return lambda registers: np.array(registers[k])
