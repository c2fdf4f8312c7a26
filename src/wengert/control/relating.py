"""What the results of holders depend on: of loops, branches, solutions.

The step of a loop is looked at once: what its results depend on, as relations to its parameters,
which are then applied step by step to what the parameters depend on outside. A loop whose number of
steps is not known, or too large for that, gets the union over all numbers of steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, Shape, TapeType, TupleType
from wengert.ops.dependence import Columns, Dependence, Tree
from wengert.ops.knowledge import Knowledge
from wengert.ops.sparsity import Scope, everything, filled, propagated

MOST_STEPS = 2000
MOST_WORK = 20_000_000
"""A loop of more steps, or of more elements in all steps, is not followed step by step."""
MOST_ROUNDS = 40
"""Where the union over all numbers of steps still grows after these, it is all there is."""

Deps = list[Dependence | None]


def branching(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """The body that is chosen, where that is known; else the union of all."""
    bodies, operands = node.params, node.args[1:]
    index = scope.knowledge.value(node.args[0])
    if index is not None:
        bodies = (bodies[min(max(int(index), 0), len(bodies) - 1)],)
    found = [_inlined(body, operands, parts[1:], scope) for body in bodies]
    return tuple(scope.columns.union(*each) for each in zip(*found, strict=True))


def checkpointed(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Of the body."""
    return tuple(_inlined(node.params[0], node.args, parts, scope))


def _inlined(body: Body, args: Sequence[Node], parts: Sequence[Any], scope: Scope) -> Deps:
    knowledge = scope.knowledge.inside(dict(zip(body.params, args, strict=True)))
    given = dict(zip(body.params, parts, strict=True))
    return propagated(body.outputs, given, Scope(scope.columns, knowledge))  # type: ignore[return-value]


def partitioned(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """A row depends on the same row of what has rows, and on all of what is shared."""
    rows: Deps = []
    for part, flag in zip(parts[1:], node.params[0], strict=True):
        if part is not None and flag:
            rows.append(scope.columns.over(part, tuple(range(1, len(part.shape)))))
    shared = [part for part, flag in zip(parts[1:], node.params[0], strict=True) if not flag]
    size = node.args[0].shape
    rows.append(scope.columns.constant(scope.columns.together(shared), size))
    row = scope.columns.union(*rows)
    return tuple(
        scope.columns.spread(row, (*size, *(1,) * (len(kind.shape) - 1)), kind.shape)
        for kind in node.type.items
    )


def solving(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Every element of a solution depends on all of the system."""
    return everything(node, parts, scope)


def rooted(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """The same; where the search starts makes no difference, and further results are constant."""
    count, residual = node.params[:2]
    name = scope.columns.together(parts[:count])
    inner = len(residual.outputs)
    kinds = node.type.items
    found = [filled(kind, name, scope) for kind in kinds[:inner]]
    return (*found, *[None] * (len(kinds) - inner))


# -------------------------------------------------------------------------------------- loops


class Step:
    """The step of a loop as relations: its results by the elements of its parameters."""

    def __init__(self, body: Body, knowledge: Knowledge) -> None:
        self.kinds = [param.type for param in body.params]
        self.sizes = [math.prod(shape) for kind in self.kinds for shape in _shapes(kind)]
        starts = iter(np.cumsum([0, *self.sizes]).tolist())
        self.columns = Columns(sum(self.sizes))
        given = {param: self._input(param.type, starts) for param in body.params}
        self.results = propagated(body.outputs, given, Scope(self.columns, knowledge))

    def _input(self, kind: Any, starts: Iterator[int]) -> Tree:
        if isinstance(kind, TupleType):
            return tuple(self._input(part, starts) for part in kind.items)
        shapes = _shapes(kind)
        return self.columns.input(next(starts), shapes[0]) if shapes else None

    def __call__(self, trees: Sequence[Tree], columns: Columns) -> Deps:
        """What the results depend on, from what the parameters do."""
        args: Deps = []
        for tree, kind in zip(trees, self.kinds, strict=True):
            args += _parts(tree, kind)
        count = max((len(arg.maps) for arg in args if arg is not None), default=0)
        if not count:
            return [None] * len(self.results)
        zero = np.zeros(1, columns.dtype)
        tables = []
        for k in range(count):
            rows = [
                arg.maps[k].ravel()
                if arg is not None and k < len(arg.maps)
                else columns.nothing((size,))
                for arg, size in zip(args, self.sizes, strict=True)
            ]
            tables.append(np.concatenate([zero, *rows]))
        of_sets = self.columns.through(tables, columns)
        blank = np.zeros_like(of_sets)
        tables = [
            np.concatenate([table, blank if k else of_sets]) for k, table in enumerate(tables)
        ]
        found: Deps = []
        for result in self.results:
            if not isinstance(result, Dependence):
                found.append(None)
                continue
            maps = tuple(table[one] for one in result.maps for table in tables)
            found.append(columns.tightened(Dependence(maps)))
        return found


def _shapes(kind: Any) -> list[Shape]:
    """Of the arrays of a type; all steps of a tape are taken together."""
    if isinstance(kind, TupleType):
        return [shape for part in kind.items for shape in _shapes(part)]
    if isinstance(kind, TapeType):
        return [kind.step.shape]
    return [kind.shape] if isinstance(kind, ArrayType) else []


def _parts(tree: Any, kind: Any) -> Deps:
    """The dependences of the arrays of a type."""
    if isinstance(kind, TupleType):
        trees = tree if isinstance(tree, tuple) else [None] * len(kind.items)
        pairs = zip(trees, kind.items, strict=True)
        return [part for one, inner in pairs for part in _parts(one, inner)]
    return [tree] if _shapes(kind) else []


def scanning(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """A loop of known length is followed; one over tapes is closed."""
    body, n_consts, n_carry, length, reverse = node.params
    lead = 1 if length is None else 0
    first, second = lead + n_consts, lead + n_consts + n_carry
    consts, carry, xs = parts[lead:first], parts[first:second], parts[second:]
    outer = dict(zip(body.params[:n_consts], node.args[lead:first], strict=True))
    step = Step(body, scope.knowledge.inside(outer))
    columns = scope.columns
    work = (length or 0) * sum(output.size for output in body.outputs)
    if length is None or length > MOST_STEPS or work > MOST_WORK:
        joint = [x if lead else columns.over(x, (0,)) for x in xs]
        carry, ys = _closed(step, consts, carry, joint, scope)
        if length is None:
            return (*carry, *ys)
        return (*carry, *(columns.repeated(y, length) for y in ys))
    rows: list[Deps] = []
    for t in range(length)[:: -1 if reverse else 1]:
        found = step([*consts, *carry, *(columns.row(x, t) for x in xs)], columns)
        settled = all(map(columns.same, carry, found[:n_carry])) and all(x is None for x in xs)
        carry = found[:n_carry]
        rows.append(found[n_carry:])
        if settled:
            rows += [found[n_carry:]] * (length - len(rows))
            break
    if reverse:
        rows.reverse()
    return (*carry, *(columns.stacked(each) for each in zip(*rows, strict=True)))


def repeating(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """A loop that runs while a condition holds: closed. The number of steps is an integer."""
    _, body, asked, n_consts = node.params
    consts, carry = parts[asked : asked + n_consts], parts[asked + n_consts :]
    outer = dict(zip(body.params[:n_consts], node.args[asked : asked + n_consts], strict=True))
    step = Step(body, scope.knowledge.inside(outer))
    carry, ys = _closed(step, consts, carry, [], scope)
    return (*carry, None, *ys)


def _closed(
    step: Step, consts: Sequence[Any], carry: Sequence[Any], xs: Sequence[Any], scope: Scope
) -> tuple[Deps, Deps]:
    """What the carry and the other results depend on after any number of steps."""
    columns, n_carry = scope.columns, len(carry)
    now: Deps = list(carry)
    for _ in range(MOST_ROUNDS):
        found = step([*consts, *now, *xs], columns)
        after = [
            columns.tightened(columns.union(a, b))
            for a, b in zip(now, found[:n_carry], strict=True)
        ]
        if all(columns.weight(a) == columns.weight(b) for a, b in zip(now, after, strict=True)):
            return now, found[n_carry:]
        now = after
    name = columns.together([*consts, *now, *xs])
    shapes = [None if r is None else r.shape for r in step.results]  # type: ignore[union-attr]
    full = [None if s is None else columns.constant(name, s) for s in shapes]
    merged = [columns.union(a, b) for a, b in zip(now, full[:n_carry], strict=True)]
    return merged, full[n_carry:]
