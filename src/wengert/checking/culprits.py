"""Which operation is to blame where a derivative does not agree with differences.

The graph is evaluated at the points of the difference quotient, so that every node v has one of its
own, Δv ≈ dv/dt along the direction. Then each operation y = op(x₁, …, xₙ) is judged by itself:

    its pushforward    ẏ(Δx₁, …, Δxₙ) = Δy
    its transpose      ⟨c, Δy⟩ = ⟨Jᵀ c, Δx⟩

The first that fails is to blame: those before it agree. The quotient is taken with two steps; where
they differ, the function has a kink there, or differences cannot tell. What is wrong in reverse
mode only is found once more, among the linear operations that the pushforward is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.checking.accused import Culprit
from wengert.checking.blaming import Search
from wengert.checking.opening import OPENERS
from wengert.checking.rules import Pushed, pushed
from wengert.checking.stencils import STENCIL, Values, parts_of
from wengert.checking.values import computed, holds, not_finite
from wengert.control.rules import BatchedRule
from wengert.control.scanning import parts
from wengert.execution.border import as_input
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import Absent
from wengert.graph.types import ArrayType, TapeType, TupleType, is_inexact
from wengert.graph.walk import dependents
from wengert.ops.holders import custom, host_call
from wengert.ops.leaves import LEAVES, alias, input, item, pack
from wengert.tracing.lifting import lift
from wengert.tracing.observing import Timeline, observed
from wengert.tracing.session import outermost
from wengert.tracing.trees import flatten, unflatten


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a derivative may be off."""

    atol: float
    rtol: float

    def of(self, *values: Any) -> float:
        """For values of this size."""
        largest = max([1.0, *(float(np.max(np.abs(v), initial=0.0)) for v in values)])
        return self.atol + self.rtol * largest


def culprit(
    f: Callable[..., Any],
    args: Any,
    direction: Any,
    step: float,
    modes: Sequence[str],
    tolerance: Tolerance,
    rng: np.random.Generator,
) -> Culprit | None:
    """The operation that makes a value of f that is not finite; else the first operation whose
    derivative is wrong; else the first that is near a kink; None where each of them agrees with
    differences.

    direction: as args. step: of the difference quotient.
    """
    leaves, spec = flatten(args)
    moving, _ = flatten(direction)
    with observed() as timeline:
        with outermost() as session:
            tracers = [as_input(session, leaf, "an argument") for leaf in leaves]
            nodes = [tracer.node for tracer in tracers]
            results, _ = flatten(f(*unflatten(spec, tracers)))
            outputs = [lift(result, session) for result in results]
            known = dict(session.values)
        active = [node for node in nodes if is_inexact(node.dtype)]

        def moved(s: float) -> dict[Node, Any]:
            shifted = dict(known)
            for node, leaf, v in zip(nodes, leaves, moving, strict=True):
                if node in active:
                    shifted[node] = (leaf + np.asarray(s * step / 2 * v).astype(node.dtype))[()]
            return _leaves_of(shifted)

        values = Values([computed(outputs, moved(s)) for s in STENCIL], step)
        search = _Search(timeline, modes, tolerance, rng)
        return (
            search.without_value(outputs, moved(0.0), values.here)
            or search.first(outputs, active, values, ())
            or search.kink
        )


def _leaves_of(values: Mapping[Node, Any]) -> dict[Node, Any]:
    """Without what was forced, which another point makes anew."""
    return {node: value for node, value in values.items() if node.op in LEAVES}


class _Search:
    """kink: the first operation near which differences did not converge or which is not finite
    there, once it was met."""

    def __init__(
        self,
        timeline: Timeline,
        modes: Sequence[str],
        tolerance: Tolerance,
        rng: np.random.Generator,
    ) -> None:
        self.timeline, self.modes = timeline, modes
        self.tolerance, self.rng = tolerance, rng
        self.kink: Culprit | None = None

    def without_value(
        self, outputs: Sequence[Node], known: Mapping[Node, Any], here: Mapping[Node, Any]
    ) -> Culprit | None:
        """The operation that makes an output that is not finite; None where all are finite."""
        rule = not_finite(nans=True, infs=True)
        where = [rule(here[output]) for output in outputs]
        if not any(map(holds, where)):
            return None
        causes = Search(rule, OPENERS).causes(outputs, known, where)
        cause = next((one for one in causes if not one.given), causes[0])
        within = tuple(f"{one.which} of {_name(one.holder)}" for one in cause.within)
        return self._told(cause.node, "value", within, [cause.value], [cause.value])

    def first(
        self,
        outputs: Sequence[Node],
        active: Sequence[Node],
        values: Values,
        within: tuple[str, ...],
    ) -> Culprit | None:
        """The first wrong operation below the outputs."""
        order = _differentiated(outputs, values.here)
        resting = dependents(order, active)
        rough: set[Node] = set()
        for node in order:
            if node not in resting or node in active or not node.args or not _is_judged(node):
                continue
            with np.errstate(all="ignore"):
                fine, coarse = values.quotients(node)
            bound = self.tolerance.of(*fine, *parts_of(values.here[node]))
            agree = all(_near(a, b, bound) for a, b in zip(fine, coarse, strict=True))
            ends = values.ends(node)
            if ends or not agree or values.bends(node, bound):
                rough.add(node)
                if self.kink is None and rough.isdisjoint(node.args):
                    kind = "edge" if ends else "kink"
                    kind = "steep" if self._is_steep(node, resting, values) else kind
                    self.kink = self._told(node, kind, within, *values.sides(node))
                continue
            if not rough.isdisjoint(node.args):
                continue
            found = self._judged(node, resting, values, fine, bound, within)
            if found is not None:
                return self._opened(node, values, within) or found
        return None

    def _judged(
        self,
        node: Node,
        resting: set[Node],
        values: Values,
        want: list[Any],
        bound: float,
        within: tuple[str, ...],
    ) -> Culprit | None:
        with _pushed(node, resting, values) as push:
            return None if push is None else self._compared(node, push, want, bound, within)

    def _is_steep(self, node: Node, resting: set[Node], values: Values) -> bool:
        """Whether the derivative of an operation is not finite at the point, where it is itself."""
        like = parts_of(values.here[node])
        with np.errstate(all="ignore"), _pushed(node, resting, values) as push:
            got = None if push is None else push.tangents(like)
        return got is not None and not all(np.all(np.isfinite(part)) for part in (*like, *got))

    def _compared(
        self, node: Node, push: Pushed, want: list[Any], bound: float, within: tuple[str, ...]
    ) -> Culprit | None:
        got = push.tangents(want)
        if got is not None and not all(_near(a, b, bound) for a, b in zip(got, want, strict=True)):
            return self._told(node, "pushforward", within, got, want)
        if "rev" not in self.modes or not _has_cotangents(node):
            return None
        weights = [_random(w, self.rng) for w in want]
        expected = _pairing(weights, want)
        pulled = push.pulled(weights)
        if _near(pulled, expected, self.tolerance.of(expected, *want)):
            return None
        inner = self._wrong_transpose(push)
        named = node if inner is None or node.op is custom else inner
        return self._told(named, "transpose", within, [pulled], [expected], node)

    def _wrong_transpose(self, push: Pushed) -> Node | None:
        """The linear operation of a pushforward whose transpose is wrong."""
        for node, wanted, values in push.operations():
            weight = _random(values[node], self.rng)
            pulled = push.transposed(node, wanted, weight, values)
            if pulled is None:
                continue
            linear = [values[arg] for arg, flag in zip(node.args, wanted, strict=True) if flag]
            got, want = _pairing(pulled, linear), _pairing([weight], [values[node]])
            if not _near(got, want, self.tolerance.of(want, values[node])):
                return node
        return None

    def _opened(self, node: Node, values: Values, within: tuple[str, ...]) -> Culprit | None:
        """The wrong operation in the body of a loop or a branch, in the first step of it."""
        found = _first_run(node, values)
        if found is None:
            return None
        body, inner, which = found
        active = [param for param in body.params if _moves(param)]
        computed_at = [computed(body.outputs, known) for known in inner]
        return self.first(body.outputs, active, Values(computed_at, values.step), (*within, which))

    def _told(
        self,
        node: Node,
        kind: str,
        within: tuple[str, ...],
        got: list[Any],
        want: list[Any],
        of: Node | None = None,
    ) -> Culprit:
        origin = self.timeline.origin(node if of is None else of)
        if of is not None and of is not node:
            origin = of
        placed = node if of is None else of
        return Culprit(
            op=_name(node),
            rules=_rules(node, kind),
            of=None if origin is None else _name(origin),
            kind=kind,
            place=self.timeline.place(placed),
            within=within,
            inputs=tuple(str(arg.type) for arg in _inputs(placed) if arg.op is not full),
            got=got[0] if len(got) == 1 else got,
            want=want[0] if len(want) == 1 else want,
        )


def _pushed(
    node: Node, resting: set[Node], values: Values
) -> AbstractContextManager[Pushed | None]:
    """The pushforward of an operation at the point, along the quotients of its inputs."""
    moving = {
        k: _whole(values.quotients(arg)[0], arg)
        for k, arg in enumerate(node.args)
        if arg in resting and _moves(arg)
    }
    return pushed(node, [values.here[arg] for arg in node.args], moving)


def _differentiated(outputs: Sequence[Node], known: Mapping[Node, Any]) -> list[Node]:
    """The nodes that derivatives pass through, inputs first: what a function with a rule of its own
    is made of is not differentiated."""
    seen: set[Node] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(_inputs(node))
    return sorted((node for node in seen if node in known), key=lambda node: node.serial)


def _inputs(node: Node) -> tuple[Node, ...]:
    """What a node is a function of; of a function with a rule of its own, its arguments."""
    return node.args[node.params[1] :] if node.op is custom else node.args


def _is_judged(node: Node) -> bool:
    if isinstance(node.op.pushforward, Absent) or node.op in (item, pack, alias):
        return False
    return _moves(node)


def _moves(node: Node) -> bool:
    kinds = node.type.items if isinstance(node.type, TupleType) else (node.type,)
    return any(is_inexact(kind.dtype) for kind in kinds if isinstance(kind, ArrayType))


def _has_cotangents(node: Node) -> bool:
    kinds = node.type.items if isinstance(node.type, TupleType) else (node.type,)
    return not any(isinstance(kind, TapeType) for kind in kinds)


def _whole(parts: list[Any], node: Node) -> Any:
    return tuple(parts) if isinstance(node.type, TupleType) else parts[0]


def _near(got: Any, want: Any, bound: float) -> bool:
    """Whether they agree; places where either is NaN or infinite do not count."""
    got, want = np.asarray(got), np.asarray(want)
    with np.errstate(all="ignore"):
        off = np.abs(got - want)
    return not np.any(off[np.isfinite(off)] > bound) and not np.any(np.isnan(got) & ~np.isnan(want))


def _random(like: Any, rng: np.random.Generator) -> Any:
    like = np.asarray(like)
    sample = rng.standard_normal(like.shape)
    if like.dtype.kind == "c":
        sample = sample + 1j * rng.standard_normal(like.shape)
    return np.asarray(sample)


def _pairing(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Re Σ a b, nothing conjugated."""
    return sum(
        float(np.real(np.sum(np.asarray(x) * np.asarray(y)))) for x, y in zip(a, b, strict=True)
    )


def _first_run(node: Node, values: Values) -> Any:
    """(a body of a holder, the values of its parameters at all points, what is run); None for ops
    that hold none."""
    name = node.op.name
    each = [[at[arg] for arg in node.args] for at in values.at]
    if name == "scan":
        body, consts, carry, length, reverse = node.params
        lead = len(parts(node).count)
        steps = int(each[0][0]) if lead else length
        t = steps - 1 if reverse else 0
        count = lead + consts + carry
        own = [[*given[lead:count], *[x[t] for x in given[count:]]] for given in each]
        which = f"step {t} of scan"
    elif name == "repeat":
        _, body, asked, _ = node.params
        own = [given[asked:] for given in each]
        which = "step 0 of while_loop"
    elif name == "branch":
        chosen = min(max(int(each[0][0]), 0), len(node.params) - 1)
        body, own = node.params[chosen], [given[1:] for given in each]
        which = f"branch {chosen} of cond"
    elif name == "checkpoint":
        (body,) = node.params
        own, which = each, "checkpoint"
    else:
        return None
    return body, [dict(zip(body.params, given, strict=True)) for given in own], which


def _name(node: Node) -> str:
    if node.op is custom:
        return str(node.params[0].name)
    if node.op is host_call:
        return str(node.params[0].name)
    return "an argument" if node.op is input else node.op.name


def _rules(node: Node, kind: str) -> tuple[str, ...]:
    """The functions that the user gave as a rule of a node."""
    if node.op is not custom:
        return ()
    rule = node.params[0]
    while isinstance(rule, BatchedRule):
        rule = rule.inner
    stated = rule.owner.stated
    functions = stated.get("rev" if kind == "transpose" else "fwd", stated.get("rev", ()))
    return tuple(map(_called, functions))


def _called(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", repr(function))
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"
