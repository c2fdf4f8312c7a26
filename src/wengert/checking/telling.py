"""What made a bad value, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.checking.blaming import Cause, Within
from wengert.checking.values import Mask
from wengert.control.rules import BatchedRule
from wengert.errors import WengertError
from wengert.graph.node import Node
from wengert.graph.types import ArrayType
from wengert.graph.walk import topological
from wengert.ops.holders import custom, host_call
from wengert.ops.leaves import LEAVES, capture, input, item, lane
from wengert.tracing.observing import Place, Timeline

MOST_SHOWN = 3
SMALL = 6
"""An array of so many entries is shown as a whole."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value that went in.

    name: of the variable that held it, or of the operation that made it.
    """

    name: str
    type: str
    value: Any

    def at(self, where: Any) -> str:
        """It, with the entries that the bad ones were made of, where they stand at their places."""
        if isinstance(self.value, tuple):
            return f"{self.name}: {self.type}"
        value = np.asarray(self.value)
        if value.dtype.kind not in "biufc":
            return f"{self.name}: {self.type}"
        if not value.ndim:
            return f"{self.name} = {_number(value[()])}"
        if not isinstance(where, tuple) and value.shape == np.shape(where):
            return f"{self.name}: {self.type}, {entries(value, where)}"
        if value.size <= SMALL:
            text = np.array2string(value, separator=", ", max_line_width=10_000)
            return f"{self.name}: {self.type} {text}"
        finite = value[np.isfinite(value)]
        if value.dtype.kind == "c" or not finite.size:
            return f"{self.name}: {self.type}"
        span = f"{_number(finite.min())} to {_number(finite.max())}"
        return f"{self.name}: {self.type}, from {span}"


@dataclass(frozen=True, slots=True)
class Told:
    """An operation that made a bad value, or a leaf that had one.

    op: its name. of: the op whose derivative it belongs to.
    sweep: "forward" or "backward"; "derivative" where the trace was not seen. mode: in words.
    place: the user's line, of the op whose derivative it is where it belongs to one.
    within: the loops and branches that it is in, the outermost first. instances: of `vmap`.
    inputs: what went in; origin_inputs: what went into the op whose derivative it is.
    value, where: what came out, and which entries of it are bad.
    """

    op: str
    of: str | None
    sweep: str
    mode: str
    place: Place | None
    within: tuple[str, ...]
    instances: tuple[int, ...]
    inputs: tuple[Operand, ...]
    origin_inputs: tuple[Operand, ...]
    value: Any
    where: Mask
    given: str | None

    def head(self) -> str:
        """What made what, in a line."""
        value, where = _single(self.value, self.where)
        bad = kinds(value, where)
        at = f" at {indices(where)}" if np.ndim(where) else ""
        if self.given is not None:
            return f"{self.given} holds {bad}{at} from the start: no operation made it"
        whose = "" if self.of is None else f", in the derivative of {self.of},"
        return f"{self.op}{whose} makes {bad}{at} in the {self.mode}"

    def details(self) -> list[str]:
        """Where, and from what."""
        lines = []
        if self.place is not None:
            place = self.place
            lines.append(f"in    {place.text}    ({place.file}:{place.line} in {place.function})")
        lines += [f"in    {part}" for part in self.within]
        if self.instances:
            which = ", ".join(map(str, self.instances[:MOST_SHOWN]))
            more = ", …" if len(self.instances) > MOST_SHOWN else ""
            plural = "s" if len(self.instances) > 1 else ""
            lines.append(f"in    instance{plural} {which}{more} of vmap")
        if self.given is None:
            _, where = _single(self.value, self.where)
            lines += [f"from  {operand.at(where)}" for operand in self.inputs]
            lines += [
                f"      {self.of} was given {operand.at(where)}" for operand in self.origin_inputs
            ]
        return lines


class NotFinite(WengertError, FloatingPointError):
    """A result holds NaN or an infinity, which `debug_nans` does not let pass.

    first: what made the first one. later: what made NaN of an infinity, if that was the first.
    """

    def __init__(self, first: Told, later: Told | None = None) -> None:
        self.first = first
        self.later = later
        lines = [first.head(), *first.details()]
        if later is not None:
            lines += [f"then  {later.head()}", *(f"      {part}" for part in later.details())]
        super().__init__("\n  ".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.first, self.later)

    @property
    def op(self) -> str:
        """The name of the operation; of a leaf, where no operation is to blame."""
        return self.first.op

    @property
    def place(self) -> Place | None:
        """The user's line."""
        return self.first.place

    @property
    def sweep(self) -> str:
        """ "forward", "backward", or "derivative" where the trace was not seen."""
        return self.first.sweep


def told(cause: Cause, timeline: Timeline | None) -> Told:
    """A cause in words."""
    node = cause.node
    origin = None if timeline is None else timeline.origin(node)
    sweep, mode = "forward", "forward sweep"
    if origin is None and node.quiet:
        sweep, mode = "derivative", "derivative"
    if timeline is not None and origin is not None:
        turned = timeline.turned
        sweep = "backward" if turned else "forward"
        mode = "backward sweep" if turned else "tangents of forward mode"
    # of what was copied into a body, and of the instances of vmap, the values are not at hand
    origin_args = () if origin is None or cause.given else origin.args
    beside = [
        _operand(arg, cause.values[arg], timeline)
        for arg in dict.fromkeys(origin_args)
        if arg in cause.values and arg not in node.args
    ]
    return Told(
        op=_name(node),
        of=None if origin is None else _name(origin),
        sweep=sweep,
        mode=mode,
        place=_place(_reader(cause) if node.op is capture else node, timeline),
        within=tuple(map(_body, cause.within)),
        instances=_instances(cause, timeline),
        inputs=tuple(
            _operand(arg, value, timeline, own)
            for arg, value, own in zip(
                node.args, cause.inputs, _one_by_one(node, timeline), strict=False
            )
        ),
        origin_inputs=tuple(beside),
        value=cause.value,
        where=cause.where,
        given=None if node.args else _given(node, timeline),
    )


def _name(node: Node) -> str:
    """Of an operation; of a function with a rule of its own, that function's."""
    if node.op is host_call:
        return str(node.params[0].name)
    if node.op is custom:
        rule = node.params[0]
        while isinstance(rule, BatchedRule):
            rule = rule.inner
        return str(rule.name)
    return node.op.name


def _result(node: Node, timeline: Timeline | None) -> str:
    """Of a value that no variable held: of what it is a part, or the operation that made it."""
    if node.op is item:
        return _result(node.args[0], timeline)
    if node.op.name == "index":
        whole = node.args[0]
        name = None if timeline is None else timeline.variable(whole)
        return f"a part of {name or _result(whole, timeline)}"
    return _name(node) if node.args else _LEAF_NAMES.get(node.op.name, node.op.name)


def _place(node: Node, timeline: Timeline | None) -> Place | None:
    """The line that made a node; None for leaves, and for derivatives of who knows what."""
    if timeline is None or not node.args or (node.quiet and timeline.origin(node) is None):
        return None
    return timeline.place(node)


def _reader(cause: Cause) -> Node:
    """The first operation that reads a leaf; the leaf itself where none does."""
    readers = [node for node in cause.values if cause.node in node.args and not node.quiet]
    return min(readers, key=lambda node: node.serial, default=cause.node)


def _given(node: Node, timeline: Timeline | None) -> str:
    """A leaf or a constant."""
    name = None if timeline is None else timeline.variable(node)
    if node.op is input:
        return f"the argument {name}" if name else "an argument"
    if node.op is capture:
        kind = f", {node.type}," if isinstance(node.type, ArrayType) else ""
        return f"{name}, an array from outside," if name else f"an array from outside{kind}"
    return "a constant" if node.op not in LEAVES else "a number from outside"


def _one_by_one(node: Node, timeline: Timeline | None) -> tuple[Node, ...]:
    """The inputs of a node as the user's function knows them: of one instance of `vmap`."""
    one = node if timeline is None else timeline.traced(node)
    return one.args if len(one.args) == len(node.args) else node.args


_LEAF_NAMES = {
    "full": "a constant",
    "input": "an argument",
    "capture": "an array from outside",
    "slot": "a number from outside",
    "parameter": "an input of the body",
}
_USER_NAMES = {"repeat": "while_loop", "branch": "cond", "partition": "cond"}
"""Op's name -> what people call it."""


def _body(part: Within) -> str:
    name = part.holder.op.name
    name = _USER_NAMES.get(name, name)
    return f"{part.which} of {name}" if part.which else name


def _operand(
    node: Node, value: Any, timeline: Timeline | None, known_as: Node | None = None
) -> Operand:
    """known_as: the node that the variable was bound to, where it is another one."""
    name = None
    if timeline is not None:
        name = timeline.variable(node) or (known_as and timeline.variable(known_as))
    if name is None:
        name = _result(node, timeline)
    kind = str(node.type) if isinstance(node.type, ArrayType) else type(value).__name__
    return Operand(name, kind, value)


def _instances(cause: Cause, timeline: Timeline | None) -> tuple[int, ...]:
    """The instances of `vmap` that bad entries belong to."""
    if timeline is None or isinstance(cause.where, tuple):
        return ()
    one = timeline.traced(cause.node)
    shape = np.shape(cause.where)
    if one is cause.node or shape[1:] != getattr(one.type, "shape", None):
        return ()
    if not any(leaf.op is lane for leaf in topological([one])):
        return ()
    return tuple(dict.fromkeys(np.nonzero(cause.where)[0].tolist()))


def _single(value: Any, where: Mask) -> tuple[Any, Any]:
    """The first of several results that is bad."""
    if isinstance(where, tuple):
        for part, mask in zip(value, where, strict=True):
            if np.any(mask):
                return _single(part, mask)
    return value, where


def kinds(value: Any, where: Any) -> str:
    """Which of nan, inf and -inf there are."""
    chosen = np.asarray(value)[where] if np.ndim(where) else np.asarray(value).reshape(1)
    parts = [chosen.real, chosen.imag] if chosen.dtype.kind == "c" else [chosen]
    found = [
        name
        for name, test in (("nan", np.isnan), ("inf", np.isposinf), ("-inf", np.isneginf))
        if any(np.any(test(part)) for part in parts)
    ]
    return " and ".join(found)


def indices(where: Any) -> str:
    """The places at which a mask holds: the first few."""
    places = np.argwhere(where)
    shown = ", ".join(_index(place) for place in places[:MOST_SHOWN])
    if len(places) == np.size(where) and len(places) > 1:
        return f"every entry of {np.shape(where)}"
    more = f", … ({len(places)} of {np.size(where)} entries)" if len(places) > MOST_SHOWN else ""
    return shown + more


def entries(value: Any, where: Any) -> str:
    """The values at those places."""
    places = np.argwhere(where)[:MOST_SHOWN]
    shown = ", ".join(f"{_number(value[tuple(place)])} at {_index(place)}" for place in places)
    return shown + (", …" if np.count_nonzero(where) > MOST_SHOWN else "")


def _index(place: Any) -> str:
    return "[" + ", ".join(map(str, place)) + "]"


def _number(value: Any) -> str:
    return f"{value:.6g}" if np.asarray(value).dtype.kind in "fc" else str(value)
