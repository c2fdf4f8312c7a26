"""Taylor coefficients of a graph along a curve: x(t) = Σ x_k tᵏ in, y(t) = Σ y_k tᵏ out, as nodes.

A coefficient is asked for by (node, degree) and made once. There are four kinds of operation:

    linear      y_d = A x_d                                     where ∂y/∂x does not move with t
    bilinear    y_d = Σ_k B(a_k, b_{d−k})                       the product of two series
    inverse     M(b) y = a:  y_d = M(b₀)⁻¹ (a_d − Σ_{k≥1} M(b_k) y_{d−k})
    any other   d · y_d = coefficient d − 1 of ẏ, and ẏ is what the op's pushforward says it is: a
                graph of x, y and ẋ, whose nodes have coefficients in turn

So no op states a rule of its own. For y = exp x the pushforward is y ẋ, and the last line reads
d · y_d = Σ_k y_{d−1−k} (k+1) x_{k+1}, the recurrence of the textbooks; tanh, with 1 − y², is the
same. As nodes are interned, sin and cos share their coefficients. An ordinary function costs d
products for its coefficient d, so O(d²) for all of them; functions of which each derivative is
another function (x^p, Bessel functions) cost O(d³).

`linear` is found by looking at the pushforward. Which ops are bilinear, or inverse, is a fact that
their records do not state: it stands in the two tables below, and the tests check it.

Source: Moore 1966, *Interval Analysis*, section 11; Griewank & Walther 2008, *Evaluating
Derivatives*, chapter 13; Bettencourt, Johnson & Duvenaud 2019, *Taylor-mode automatic
differentiation for higher-order derivatives in JAX*.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wengert.derivatives.series_of_bodies import HOLDERS, through_holder
from wengert.errors import NotDifferentiable, Unsupported
from wengert.graph.literals import constant, full, literal, zeros
from wengert.graph.node import Node, deriving
from wengert.graph.op import Absent, Tangent, Zero
from wengert.graph.types import ArrayType, TupleType, array_type, is_inexact
from wengert.graph.walk import dependents, rebuild, substitute, topological
from wengert.ops import linear
from wengert.ops.leaves import input as leaf
from wengert.ops.leaves import item, pack, seed

BILINEAR = frozenset({"multiply", "contract", "convolve"})
"""Ops of two inputs that are linear in each of them."""

INVERSE = {"divide": 0, "solve": 2, "triangular_solve": 1, "recurrence": 1}
"""Ops that give the y of M(b) y = a, with M linear in b: which input is a."""

Asking = Generator[tuple[Node, int], Tangent, Tangent]
"""A computation that asks for coefficients by (node, degree), and returns one."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a node.

    kind: which of the four it is, or a holder.
    tangent: of the fourth kind, as a graph of seeds of its inputs.
    read: the inputs whose tangents it reads.
    """

    kind: str
    tangent: Tangent
    read: tuple[int, ...]


class Series:
    """The coefficients of everything that rests on some nodes.

    outputs: the graph; its loops and branches are expanded once, to the degree `order`.
    given: node -> its coefficients of degree 1, 2, …; None is zero, and so are those that are
        missing. The coefficient of degree 0 is the node itself.
    """

    def __init__(
        self, outputs: Sequence[Node], given: Mapping[Node, Sequence[Tangent]], order: int
    ) -> None:
        self._given = given
        self._order = order
        self._oldest = min((node.serial for node in given), default=0) - 1
        self._known: dict[tuple[Node, int], Tangent] = {}
        self._forms: dict[Node, Form] = {}
        self._owners: dict[Node, Node] = {}
        self._moves: dict[Node, bool] = {}
        self._seeded: set[Node] = set()
        for node in given:
            self._moves[node] = _has_derivative(node)
        self._holders = {
            node
            for node in topological(outputs, stop=given, after=self._oldest)
            if node.op.name in HOLDERS
        }

    def coefficient(self, node: Node, degree: int) -> Tangent:
        """The coefficient of a node, with those that it needs, without recursion."""
        known = self._known
        stack: list[tuple[tuple[Node, int], Asking]] = [
            ((node, degree), self._answer(node, degree))
        ]
        answer: Tangent = None
        under_way = {(node, degree)}
        with deriving():
            while stack:
                key, asking = stack[-1]
                try:
                    wanted = asking.send(answer)
                except StopIteration as done:
                    stack.pop()
                    under_way.discard(key)
                    answer = known[key] = done.value
                    continue
                if wanted in known:
                    answer = known[wanted]
                elif wanted in under_way:
                    raise Unsupported(
                        f"a Taylor coefficient of {wanted[0].op.name} rests on itself, by a rule "
                        "of the user's that runs a loop on its own result: nest jvp instead"
                    )
                else:
                    stack.append((wanted, self._answer(*wanted)))
                    under_way.add(wanted)
                    answer = None
        return known[node, degree]

    def _answer(self, node: Node, degree: int) -> Asking:
        varies = self._varies(node)
        if degree == 0 and node not in self._seeded:
            return _apart(node)
        if not varies:
            return None if degree else (yield from self._at_start(node))
        if node in self._given:
            given = self._given[node]
            return given[degree - 1] if degree <= len(given) else None
        if node in self._owners:
            return _times((yield self._owners[node], degree + 1), degree + 1)
        form = self._form(node)
        return (yield from _RULES[form.kind](self, node, form, degree))

    # ---------------------------------------------------------------------- the four kinds

    def linear(self, node: Node, form: Form, degree: int) -> Asking:
        found: list[Tangent] = [None] * len(node.args)
        for place in form.read:
            found[place] = yield node.args[place], degree
        return None if _all_zero(found) else _pushed(node, found)

    def bilinear(self, node: Node, form: Form, degree: int) -> Asking:
        a, b = node.args
        total: Tangent = None
        for k in range(degree + 1):
            left = yield a, k
            if left is None:
                continue
            right = yield b, degree - k
            if right is None:
                continue
            if right is b:
                term = _pushed(node, (left, None))
            elif left is a:
                term = _pushed(node, (None, right))
            else:
                term = _pushed(rebuild(node, (a, right)), (left, None))
            total = linear.add(total, term)
        return total

    def inverse(self, node: Node, form: Form, degree: int) -> Asking:
        """M(b₀)⁻¹ M(b_k) y_j is what the pushforward makes of y, for y_j in place of y."""
        place = INVERSE[node.op.name]
        right = node.args[place]
        total: Tangent = None
        if place in form.read:
            moved = yield right, degree
            if moved is not None:
                total = _pushed(
                    node, [moved if k == place else None for k in range(len(node.args))]
                )
        stand = _mark(right)  # a name for a, so that nothing is made of its value
        held = rebuild(node, tuple(stand if k == place else x for k, x in enumerate(node.args)))
        for other in form.read:
            if other == place:
                continue
            b = node.args[other]
            mark = _mark(b)
            by_b = _pushed(held, [mark if k == other else None for k in range(len(node.args))])
            for k in range(1, degree + 1):
                weight = yield b, k
                if weight is None:
                    continue
                earlier = yield node, degree - k
                if earlier is not None:
                    (term,) = substitute([by_b], {held: earlier, mark: weight})
                    total = linear.add(total, term)
        return total

    def general(self, node: Node, form: Form, degree: int) -> Asking:
        if degree == 0:
            return (yield from self._at_start(node))
        if not isinstance(form.tangent, tuple):
            if form.tangent is None:
                return None
            return _over((yield form.tangent, degree - 1), degree)
        parts = []
        for part in form.tangent:
            parts.append(None if part is None else _over((yield part, degree - 1), degree))
        return None if _all_zero(parts) else tuple(parts)

    def holder(self, node: Node, form: Form, degree: int) -> Asking:
        if degree == 0:
            return (yield from self._at_start(node))
        last = self._order if node in self._holders else degree
        base, given = node, []
        if node in self._seeded:
            starts = []
            for arg in node.args:
                starts.append((yield arg, 0))
            base = rebuild(node, self._first(node, starts))
        for arg in node.args:
            own = []
            for k in range(1, last + 1):
                own.append((yield arg, k))
            given.append(own)
        found = through_holder(base, given, last, expanded)
        for k in range(last):
            self._known[node, k + 1] = tuple(own[k] for own in found)
        return self._known[node, degree]

    def _at_start(self, node: Node) -> Asking:
        """The node with the first coefficients of what its inputs are made of."""
        found = []
        for arg in node.args:
            found.append((yield arg, 0))
        moving = [x for x, arg in zip(found, node.args, strict=True) if arg in self._seeded]
        if self._varies(node) and _all_zero(moving):
            return None
        return _apart(rebuild(node, self._first(node, found)))

    def _first(self, node: Node, found: Sequence[Tangent]) -> tuple[Node, ...]:
        """The inputs of a node at the start of the curve."""
        return tuple(
            _whole(x, arg) if arg in self._seeded else arg
            for x, arg in zip(found, node.args, strict=True)
        )

    # ---------------------------------------------------------------- what is known of nodes

    def _varies(self, node: Node) -> bool:
        """Whether a node has coefficients beyond the first."""
        moves = self._moves
        if node not in moves:
            for each in topological([node], stop=moves, after=self._oldest):
                flags = [moves.get(arg, False) for arg in each.args]
                smooth = not isinstance(each.op.pushforward, Zero) and _has_derivative(each)
                moves[each] = smooth and any(flags)
                if not self._seeded.isdisjoint(each.args):
                    self._seeded.add(each)
            moves.setdefault(node, False)
        return moves[node]

    def _form(self, node: Node) -> Form:
        found = self._forms.get(node)
        if found is None:
            found = self._forms[node] = self._new_form(node)
        return found

    def _new_form(self, node: Node) -> Form:
        if node.op.name in HOLDERS:
            return Form("holder", None, ())
        names = [self._named(_mark, arg) for arg in node.args]
        parts = [part for part in _flat(_pushed(node, names)) if part is not None]
        marks = {leaf for part in names for leaf in _flat(part) if leaf is not None}
        below = {node, *node.args, *(each for arg in node.args for each in arg.args)}
        order = topological(parts, stop=below | marks, after=self._oldest)
        reached = {arg for each in order for arg in each.args}.union(parts)
        read = marks & reached
        places = tuple(
            k for k, part in enumerate(names) if any(leaf in read for leaf in _flat(part))
        )
        weights = reached - dependents(order, marks)
        fixed = {each for each in weights.union(node.args) if not self._varies(each)}
        if self._seeded.isdisjoint(fixed):  # else they have values that are made at degree 0
            if fixed >= weights:
                return Form("linear", None, places)
            if node.op.name in BILINEAR:
                return Form("bilinear", None, places)
            if node.op.name in INVERSE and not any(
                node.args[k] in self._seeded for k in places if k != INVERSE[node.op.name]
            ):
                return Form("inverse", None, places)
        tangent = _pushed(node, [self._named(self._seed, arg) for arg in node.args])
        return Form("general", _with_literals(tangent, below), places)

    def _named(self, name: Callable[[Node], Node], arg: Node) -> Tangent:
        """Names for the tangent of a node: one for each of its results, None where it has none."""
        if not self._varies(arg):
            return None
        if isinstance(arg.type, TupleType):
            return tuple(self._named(name, item(arg, k)) for k in range(len(arg.type.items)))
        return name(arg)

    def _seed(self, arg: Node) -> Node:
        """The name of the derivative of a node by t, which has coefficients as any node has."""
        name = seed(arg)
        self._owners[name] = arg
        self._moves[name] = True
        self._seeded.add(name)
        return name


_RULES = {
    "linear": Series.linear,
    "bilinear": Series.bilinear,
    "inverse": Series.inverse,
    "holder": Series.holder,
    "general": Series.general,
}


def expanded(
    outputs: Sequence[Node], given: Mapping[Node, Sequence[Tangent]], order: int
) -> list[Tangent]:
    """The coefficients of degree 1 to `order` of each output, one output after the other."""
    series = Series(outputs, given, order)
    return [series.coefficient(node, k + 1) for node in outputs for k in range(order)]


def _mark(node: Node) -> Node:
    """A leaf that stands in no graph, in place of a node or of its tangent. Seeds do stand in the
    graphs that are expanded: for the derivative by t."""
    type = node.type
    strong = array_type(type.shape, type.dtype) if isinstance(type, ArrayType) else type
    return leaf(("mark", node), strong)


def _pushed(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    rule = node.op.pushforward
    if isinstance(rule, Absent):
        raise NotDifferentiable(f"{node.op.name} has no derivative: {rule.reason}")
    assert not isinstance(rule, Zero)
    return rule(node, tangents)


def _with_literals(tangent: Tangent, known: Container[Node]) -> Tangent:
    """A tangent in which what is computed from literals alone is a literal: J₂' = (J₁ − J₃)/2 and
    J₁' = (J₀ − J₂)/2 then share J₂, which is J₁₊₁ there. known: what is not looked into."""
    parts = [part for part in _flat(tangent) if part is not None]
    new: dict[Node, Node] = {}
    for node in topological(parts, stop=known):
        args = tuple(new.get(arg, arg) for arg in node.args)
        if args and node.op.family == "elementwise" and all(arg.op is full for arg in args):
            with np.errstate(all="ignore"):
                value = node.op.evaluate(node)(*map(literal, args))
            new[node] = full(value, node.dtype, node.shape)
        elif args != node.args:
            new[node] = rebuild(node, args)

    def placed(part: Tangent) -> Tangent:
        if isinstance(part, tuple):
            return tuple(map(placed, part))
        return new.get(part, part)

    return placed(tangent)


def _has_derivative(node: Node) -> bool:
    return not isinstance(node.type, ArrayType) or is_inexact(node.dtype)


def _flat(tangent: Tangent) -> Sequence[Tangent]:
    if isinstance(tangent, tuple):
        return [leaf for part in tangent for leaf in _flat(part)]
    return (tangent,)


def _all_zero(tangents: Sequence[Tangent]) -> bool:
    return all(part is None for tangent in tangents for part in _flat(tangent))


def _apart(node: Node) -> Tangent:
    """A node as a coefficient: of several results, a tuple of them."""
    if isinstance(node.type, TupleType):
        return tuple(_apart(item(node, k)) for k in range(len(node.type.items)))
    return node


def _whole(tangent: Tangent, like: Node) -> Node:
    """A coefficient as a node: what `_apart` took apart, and zeros written out."""
    if isinstance(like.type, TupleType):
        parts = (None,) * len(like.type.items) if tangent is None else tangent
        items = [item(like, k) for k in range(len(like.type.items))]
        return pack(*[_whole(part, x) for part, x in zip(parts, items, strict=True)])
    return zeros(array_type(like.shape, like.dtype)) if tangent is None else tangent


def _times(tangent: Tangent, factor: int) -> Tangent:
    if isinstance(tangent, tuple):
        return tuple(_times(part, factor) for part in tangent)
    return None if tangent is None else linear.scale(tangent, constant(factor, tangent))


def _over(tangent: Tangent, by: int) -> Tangent:
    if isinstance(tangent, tuple):
        return tuple(_over(part, by) for part in tangent)
    if tangent is None or by == 1:
        return tangent
    return linear.divide(tangent, constant(by, tangent))
