"""Derivative rules that users write, as the `custom` op needs them: nodes in, nodes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from wengert.errors import NotDifferentiable, WengertTypeError, WengertValueError
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import float0, is_inexact
from wengert.ops.holders import Rule
from wengert.ops.leaves import seed
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session, need_session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten
from wengert.transforms.batch import batch


@dataclass(frozen=True, slots=True)
class Identity:
    """Values that a rule gets as they are; equal if they are the same objects."""

    values: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and [*map(id, self.values)] == [*map(id, other.values)]

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.values)))


@dataclass(frozen=True, slots=True)
class UserRule:
    """The rules of one function with a custom derivative, for one structure of its arguments.

    owner: the decorated function (`wengert.control.custom`), which holds the rules.
    spec, out_spec: the structures of its differentiable arguments and of its result.
    fixed: the arguments that are not differentiated.
    """

    owner: Any
    spec: Spec
    out_spec: Spec
    outs: tuple[Any, ...]
    fixed: Identity

    @property
    def name(self) -> str:
        return str(getattr(self.owner, "__name__", "the function"))

    @property
    def has_pullback(self) -> bool:
        return self.owner.pullback is not None

    def check(self, tangents: Sequence[Tangent]) -> None:
        if self.owner.pushforward is None and self.owner.pullback is None:
            raise NotDifferentiable(
                f"{self.name} has no derivative rule: give it one with {self.name}.defjvp or "
                f"{self.name}.defvjp (for a primitive: wengert.defjvp, wengert.defvjp)"
            )
        forward, reverse = self.owner.forward_arguments, self.owner.reverse_arguments
        if forward is None or reverse is None:
            return
        for position in self._positions([tangent is not None for tangent in tangents]):
            if position not in forward | reverse:
                raise NotDifferentiable(
                    f"{self.name} has no derivative by argument {position}: give it one with "
                    "wengert.defjvp or wengert.defvjp"
                )

    def _positions(self, flags: Sequence[bool]) -> list[int]:
        """The arguments any leaf of which is flagged."""
        ends = [0, *accumulate(child.num_leaves for child in self.spec.children())]
        return [k for k, (a, b) in enumerate(pairwise(ends)) if any(flags[a:b])]

    def push(
        self, xs: Sequence[Node], ts: Sequence[Node], given: Sequence[bool]
    ) -> list[Tangent] | None:
        known = self.owner.forward_arguments
        if self.owner.pushforward is None or not (
            known is None or known.issuperset(self._positions(given))
        ):
            return None
        session = need_session()
        primals = unflatten(self.spec, [Tracer(x, session) for x in xs])
        tangents = unflatten(self.spec, _tracers(session, ts))
        pair = self.owner.pushforward(self.fixed.values, primals, tangents)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise WengertTypeError(
                f"the jvp rule of {self.name} must return a pair (output, tangent of the output), "
                f"not {type(pair).__name__}"
            )
        return self._nodes(session, pair[1], self.outs, self.out_spec, "tangent")

    def pull(
        self, xs: Sequence[Node], cts: Sequence[Node], wanted: Sequence[bool]
    ) -> Sequence[Tangent]:
        session = need_session()
        args = unflatten(self.spec, [Tracer(x, session) for x in xs])
        cotangent = unflatten(self.out_spec, _tracers(session, cts))
        children = self.spec.children()
        positions, known = self._positions(wanted), self.owner.reverse_arguments
        for position in positions:
            if known is not None and position not in known:
                raise NotDifferentiable(
                    f"{self.name} has no reverse-mode rule by argument {position}: give it one "
                    "with wengert.defvjp"
                )
        needed = [k in positions for k in range(len(children))]
        found = self.owner.pullback(self.fixed.values, args, cotangent, needed)
        if not isinstance(found, tuple | list) or len(found) != len(children):
            raise WengertTypeError(
                f"the backward rule of {self.name} must return a tuple with one cotangent an "
                f"argument ({len(children)}), not {found!r:.80}"
            )
        pulled: list[Tangent] = []
        for part, child in zip(found, children, strict=True):
            like = [x.type for x in xs[len(pulled) : len(pulled) + child.num_leaves]]
            pulled += (
                [None] * child.num_leaves
                if part is None
                else self._nodes(session, part, like, child, "cotangent")
            )
        return pulled

    def _nodes(
        self, session: Session, value: Any, like: Sequence[Any], spec: Spec, noun: str
    ) -> list[Tangent]:
        """What a rule returned, leaf for leaf of the type that it must have."""
        leaves, found = flatten(value)
        if found != spec:
            raise WengertTypeError(
                f"the {noun} that the rule of {self.name} returns must have the structure of the "
                f"value that it belongs to: {spec}, not {found}"
            )
        nodes: list[Tangent] = []
        for leaf, type in zip(leaves, like, strict=True):
            if not is_inexact(type.dtype):
                nodes.append(None)
                continue
            node = lift(leaf, session)
            if node.shape != type.shape:
                raise WengertValueError(
                    f"the {noun} that the rule of {self.name} returns has shape {node.shape}, and "
                    f"the value that it belongs to {type.shape}"
                )
            nodes.append(find("convert")(node, type.dtype))
        return nodes

    def refuse_forward(self) -> Exception:
        return NotDifferentiable(
            f"{self.name} has a reverse-mode rule alone (custom_vjp or defvjp), so that forward "
            "mode (jvp, jacfwd, hvp, hessian) is not defined: give it a forward rule with defjvp "
            "too (by each argument), or use reverse mode"
        )

    def batched(self, args: Sequence[Node], size: int) -> Rule:
        return BatchedRule(self, size, tuple(arg.type for arg in args))


def _tracers(session: Session, nodes: Sequence[Node]) -> list[Any]:
    """Tangents as the rule gets them: float0 where there is no derivative."""
    return [
        Tracer(node, session) if is_inexact(node.dtype) else np.zeros(node.shape, float0)
        for node in nodes
    ]


@dataclass(frozen=True, slots=True)
class BatchedRule:
    """A rule for many instances at once: the rule's graph for one of them, batched."""

    inner: Rule
    size: int
    types: tuple[Any, ...]

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def has_pullback(self) -> bool:
        return self.inner.has_pullback

    def check(self, tangents: Sequence[Tangent]) -> None:
        self.inner.check(tangents)

    def refuse_forward(self) -> Exception:
        return self.inner.refuse_forward()

    def push(
        self, xs: Sequence[Node], ts: Sequence[Node], given: Sequence[bool]
    ) -> list[Tangent] | None:
        return self._mapped(lambda ys, us: self.inner.push(ys, us, given), xs, ts)

    def pull(
        self, xs: Sequence[Node], cts: Sequence[Node], wanted: Sequence[bool]
    ) -> Sequence[Tangent]:
        found = self._mapped(lambda ys, us: self.inner.pull(ys, us, wanted), xs, cts)
        assert found is not None
        return found

    def _mapped(
        self, rule: Callable[..., Any], xs: Sequence[Node], ts: Sequence[Node]
    ) -> list[Tangent] | None:
        """The rule on one instance of each input, marked by leaves, then batched over them."""
        index = find("index")
        one = [index(node, (0, *((0, n, 1) for n in node.shape[1:]))) for node in (*xs, *ts)]
        marks = [seed(need_session().alias(node)) for node in one]
        found = rule(marks[: len(xs)], marks[len(xs) :])
        if found is None:
            return None
        return batch(found, dict(zip(marks, (*xs, *ts), strict=True)), self.size)

    def batched(self, args: Sequence[Node], size: int) -> Rule:
        return BatchedRule(self, size, tuple(arg.type for arg in args))
