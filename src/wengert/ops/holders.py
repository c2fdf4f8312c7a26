"""Holders: ops that carry a rule or a call that the user wrote.

    custom(outs…, xs…; rule)     the outs, differentiated by the rule instead of by what they
                                 are made of
    pulled(ẏs…, ẋs…, xs…; rule)  their tangents, whose transpose is the rule's pullback; the ẏs
                                 are missing where the rule has no forward mode
    host_call(xs…; call)         an opaque Python function of arrays

The rule is traced when a derivative is taken, in the session under way: it sees the globals and
closures of the moment, and its own derivatives are those of what it records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from wengert.errors import NotDifferentiable, WengertTypeError
from wengert.graph.literals import zeros
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent, absent
from wengert.graph.registry import find
from wengert.graph.types import TupleType, Type, array_type, is_inexact
from wengert.ops import sparsity
from wengert.ops.families import NOT_LINEAR, define, whole_batch
from wengert.ops.leaves import parameter, seed
from wengert.tracing.session import current_session, need_session


class Rule(Protocol):
    """How a `custom` node is differentiated. Hashable; the same rule gives the same nodes."""

    @property
    def name(self) -> str:
        """Of the user's function."""

    @property
    def has_pullback(self) -> bool:
        """Whether there is a reverse-mode rule."""

    def __hash__(self) -> int: ...

    def check(self, tangents: Sequence[Tangent]) -> None:
        """Raise where a derivative is asked for that was not given."""

    def push(
        self, xs: Sequence[Node], ts: Sequence[Node], given: Sequence[bool]
    ) -> list[Tangent] | None:
        """Tangents of the outs, or None where there is no forward rule by the xs whose tangents
        are `given` (those of the others are written-out zeros)."""

    def pull(
        self, xs: Sequence[Node], cts: Sequence[Node], wanted: Sequence[bool]
    ) -> Sequence[Tangent]:
        """Cotangents of the xs."""

    def refuse_forward(self) -> Exception:
        """The error for forward mode of a function that has a pullback alone."""

    def batched(self, args: Sequence[Node], size: int) -> Rule:
        """The rule for `size` instances at once; args are the batched inputs."""


def _written(tangent: Tangent, like: Any) -> Node:
    return zeros(array_type(like.shape, like.dtype)) if tangent is None else tangent


def _build_custom(*args: Node, rule: Rule, count: int) -> Node:
    """count: how many of the args are outs."""
    return make(custom, args, (rule, count), TupleType(tuple(a.type for a in args[:count])))


def _infer_custom(types: tuple[Type, ...], params: Any) -> TupleType:
    return TupleType(types[: params[1]])


def _evaluate_first(node: Node) -> Callable[..., Any]:
    count = len(node.type.items)
    return lambda *values: values[:count]


def _push_custom(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    rule, count = node.params
    xs, incoming = node.args[count:], tangents[count:]
    if all(tangent is None for tangent in incoming):
        return None
    rule.check(incoming)
    ts = [_written(t, x) for t, x in zip(incoming, xs, strict=True)]
    need_session().rules_run += 1
    outs = rule.push(xs, ts, [tangent is not None for tangent in incoming])
    if not rule.has_pullback:
        return None if outs is None else tuple(outs)
    shown = (
        () if outs is None else [_written(t, x) for t, x in zip(outs, node.type.items, strict=True)]
    )
    held = pulled(*shown, *ts, *xs, rule=rule, types=node.type.items, forward=outs is not None)
    return tuple(
        find("item")(held, k) if is_inexact(type.dtype) else None
        for k, type in enumerate(node.type.items)
    )


def _transpose_custom(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    """In a linear part, where a rule called the function on a tangent: it is linear there, and its
    transpose is its pullback (at any point)."""
    rule, count = node.params
    if not rule.has_pullback:
        raise NotDifferentiable(
            f"{rule.name} is called on a tangent by a derivative rule, and has no reverse rule: "
            "give it one with defvjp, so that reverse mode can transpose it"
        )
    rule.check([node if flag else None for flag in wanted[count:]])
    written = [_written(ct, type) for ct, type in zip(cts, node.type.items, strict=True)]
    need_session().rules_run += 1
    return (*[None] * count, *rule.pull(node.args[count:], written, wanted[count:]))


def _batch_custom(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    rule, count = node.params
    wide = whole_batch(args, batched, size)
    return custom(*wide, rule=rule.batched(node.args[count:], size), count=count)


def _related(node: Node, parts: Sequence[Any], scope: sparsity.Scope) -> Any:
    """What the rule says, which may be more than what the function is made of: the results depend
    on the inputs as its tangents do on theirs; or as its cotangents do, the other way."""
    rule, count = node.params
    xs, given = node.args[count:], parts[count:]
    session = current_session()
    if session is None or any(isinstance(part, tuple) for part in given):
        return sparsity.everything(node, given, scope)
    session.rules_run += 1
    flags = [part is not None for part in given]
    ts = [
        seed(x) if flag else zeros(array_type(x.shape, x.dtype))
        for x, flag in zip(xs, flags, strict=True)
    ]
    outs = rule.push(xs, ts, flags)
    still = dict.fromkeys(xs)
    if outs is not None:
        present = [zeros(x.type) if t is None else t for t, x in zip(outs, node.args, strict=False)]
        moving = {t: part for t, part in zip(ts, given, strict=True) if part is not None}
        found = sparsity.propagated(present, still | moving, scope)
        return tuple(found)
    kinds = node.type.items
    cts = [parameter(("cotangent", k), kind) for k, kind in enumerate(kinds)]
    pulled_back = [
        zeros(x.type) if ct is None else ct
        for ct, x in zip(rule.pull(xs, cts, flags), xs, strict=True)
    ]
    return sparsity.turned(pulled_back, cts, still, given, scope)


custom: Op = define(
    "custom",
    family="holder",
    build=_build_custom,
    infer=_infer_custom,
    evaluate=_evaluate_first,
    pushforward=_push_custom,
    transpose=_transpose_custom,
    batch=_batch_custom,
    sparsity=_related,
    label="custom",
    domain=None,
)

# ------------------------------------------------------------------------------- pulled


def _build_pulled(*args: Node, rule: Rule, types: tuple[Type, ...], forward: bool) -> Node:
    return make(pulled, args, (rule, types, forward), TupleType(types))


def _parts(node: Node) -> tuple[int, int]:
    """How many args are tangents of the outs, and how many of the xs."""
    _, types, forward = node.params
    shown = len(types) if forward else 0
    return shown, (len(node.args) - shown) // 2


def _evaluate_pulled(node: Node) -> Callable[..., Any]:
    rule, _, forward = node.params
    if not forward:
        raise rule.refuse_forward()
    return _evaluate_first(node)


def _push_pulled(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    rule, types, forward = node.params
    if not forward:
        raise rule.refuse_forward()
    return tuple(tangents[: len(types)])


def _transpose_pulled(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    rule, types, _ = node.params
    shown, count = _parts(node)
    xs = node.args[shown + count :]
    written = [_written(ct, type) for ct, type in zip(cts, types, strict=True)]
    need_session().rules_run += 1
    results = rule.pull(xs, written, wanted[shown : shown + count])
    return (*[None] * shown, *results, *[None] * count)


def _batch_pulled(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    rule, types, forward = node.params
    wide = tuple(array_type((size, *type.shape), type.dtype) for type in types)
    shown, count = _parts(node)
    rule = rule.batched(node.args[shown + count :], size)
    return pulled(*whole_batch(args, batched, size), rule=rule, types=wide, forward=forward)


pulled: Op = define(
    "pulled",
    family="holder",
    build=_build_pulled,
    infer=lambda types, params: TupleType(params[1]),
    evaluate=_evaluate_pulled,
    pushforward=_push_pulled,
    transpose=_transpose_pulled,
    batch=_batch_pulled,
    sparsity=sparsity.UNSTATED,
    label="custom tangent",
    domain=None,
)

# ----------------------------------------------------------------------------- host calls


class ResultChanged(WengertTypeError):
    """An opaque function returned another type than when it was traced."""


def _build_host_call(*args: Node, call: Any, types: tuple[Type, ...]) -> Node:
    """call: hashable, with a `name`, and callable on values: returns a tuple of arrays."""
    return make(host_call, args, (call, types), TupleType(types))


def _evaluate_host_call(node: Node) -> Callable[..., Any]:
    call, expected = node.params

    def run(*values: Any) -> tuple[Any, ...]:
        results = tuple(np.asarray(result) for result in call(*values))
        for result, type in zip(results, expected, strict=True):
            if result.shape != type.shape or result.dtype != type.dtype:
                raise ResultChanged(
                    f"{call.name} returned an array of shape {result.shape} and dtype "
                    f"{result.dtype}, and {type} when it was traced"
                )
        return tuple(result[()] for result in results)

    return run


@dataclass(frozen=True, slots=True)
class BatchedCall:
    """An opaque call for many instances: one after the other."""

    inner: Any
    types: tuple[Any, ...]
    batched: tuple[bool, ...]
    size: int

    @property
    def name(self) -> str:
        return str(self.inner.name)

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        results = tuple(np.empty((self.size, *t.shape), t.dtype) for t in self.types)
        for lane in range(self.size):
            picked = (v[lane] if flag else v for v, flag in zip(values, self.batched, strict=True))
            for result, part in zip(results, self.inner(*picked), strict=True):
                result[lane] = part
        return results


def _batch_host_call(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    call, types = node.params
    wide = tuple(array_type((size, *type.shape), type.dtype) for type in types)
    return host_call(*args, call=BatchedCall(call, types, tuple(batched), size), types=wide)


host_call: Op = define(
    "host_call",
    family="holder",
    build=_build_host_call,
    infer=lambda types, params: TupleType(params[1]),
    evaluate=_evaluate_host_call,
    pushforward=absent("it is an opaque Python function; state its rule with defjvp or defvjp"),
    transpose=NOT_LINEAR,
    batch=_batch_host_call,
    sparsity=absent("it is an opaque Python function"),
    label="call",
    domain=None,
)
