"""Axis classes: which axes of which statements one loop may run over.

An iteration axis is (statement, position). Union-find over the edges between statements, largest
iteration space first. A union that would give one statement the same class twice is refused: the
reader then comes after the whole loop of what it reads.

Classes that always stand side by side, in memory too, become one, so that an elementwise program
over a matrix is a loop over its elements.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.compiler.nests.statements import Edge, Memory, Statement
from wengert.ops.native import Term


def classify(statements: Sequence[Statement]) -> dict[int, int]:
    """Set `classes` of every statement. Returns the extent of each class."""
    parent: list[int] = []
    extents: list[int] = []
    members: list[set[int]] = []
    first: dict[int, int] = {}
    for statement in statements:
        first[statement.id] = len(parent)
        for extent in statement.shape:
            parent.append(len(parent))
            extents.append(extent)
            members.append({statement.id})

    def find(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for statement in sorted(statements, key=lambda s: -s.points):
        for edge in statement.args:
            source = edge.source
            if not isinstance(source, Statement) or source.id not in first:
                continue
            for term, kept in zip(edge.terms, source.kept, strict=True):
                mine = find(first[statement.id] + term.axes[0][0])
                other = find(first[source.id] + kept)
                if mine != other and not (members[mine] & members[other]):
                    if len(members[mine]) < len(members[other]):
                        mine, other = other, mine
                    parent[other] = mine
                    members[mine] |= members[other]
    sizes: dict[int, int] = {}
    for statement in statements:
        base = first[statement.id]
        statement.classes = [find(base + k) for k in range(len(statement.shape))]
        for k, c in enumerate(statement.classes):
            sizes[c] = statement.shape[k]
    _join(statements, sizes)
    return sizes


def _join(statements: Sequence[Statement], sizes: dict[int, int]) -> None:
    """Make one class of two as long as there are such."""
    while True:
        following = _followers(statements)
        if not following:
            return
        inner = set(following.values())
        outer = next(x for x in following if x not in inner)  # from the left end of a chain
        _merge(statements, sizes, outer, following[outer])


def _followers(statements: Sequence[Statement]) -> dict[int, int]:
    """Class -> the class that always stands right behind it, where they can be one."""
    following: dict[int, int] = {}
    broken: set[int] = set()  # classes that have nothing that they are always followed by
    preceded: dict[int, int] = {}
    led: set[int] = set()  # classes that are not always behind the same one
    for statement in statements:
        classes = statement.classes
        for position, x in enumerate(classes):
            behind = classes[position + 1] if position + 1 < len(classes) else -1
            if behind == -1 or following.setdefault(x, behind) != behind:
                broken.add(x)
            ahead = classes[position - 1] if position else -1
            if ahead == -1 or preceded.setdefault(x, ahead) != ahead:
                led.add(x)
            if behind != -1 and not _side_by_side(statement, position):
                broken.add(x)
        for edge in statement.args:
            if isinstance(edge.source, Statement):
                for term, theirs in zip(edge.terms, edge.source.result_classes, strict=True):
                    mine = classes[term.axes[0][0]]
                    if mine != theirs:
                        for c in (mine, theirs):
                            broken.add(c)
                            led.add(c)
    return {x: y for x, y in following.items() if x not in broken and y not in led}


def _side_by_side(statement: Statement, position: int) -> bool:
    """Whether an axis and the next one are walked as one: kept together, contiguous in memory."""
    extent = statement.shape[position + 1]
    if (position in statement.kept) != (position + 1 in statement.kept):
        return False
    if statement.kind == "iota":
        return False
    flat = [edge.terms[0] for edge in statement.args if isinstance(edge.source, Memory)]
    if statement.target is not None:
        flat.append(statement.place)
    for term in flat:
        steps = dict(term.axes)
        if steps.get(position, 0) != steps.get(position + 1, 0) * extent:
            return False
    touched = {a for edge in statement.args for at, _, _ in edge.guards for a, _ in at.axes}
    return position not in touched and position + 1 not in touched


def _merge(statements: Sequence[Statement], sizes: dict[int, int], outer: int, inner: int) -> None:
    sizes[outer] *= sizes.pop(inner)
    for statement in statements:
        if outer not in statement.classes:
            continue
        at = statement.classes.index(outer)
        statement.classes.pop(at + 1)
        shape = list(statement.shape)
        shape[at] *= shape.pop(at + 1)
        statement.shape = tuple(shape)
        statement.args = [_without(edge, at, statement) for edge in statement.args]
        statement.place = _inner_steps(statement.place, at)
    for statement in statements:  # kept last: edges above look at the axes that their source keeps
        if outer in statement.classes:
            at = statement.classes.index(outer)
            statement.kept = tuple(
                axis if axis <= at else axis - 1 for axis in statement.kept if axis != at + 1
            )


def _without(edge: Edge, at: int, reader: Statement) -> Edge:
    """The edge, of a reader whose axes `at` and `at + 1` have become one."""
    if isinstance(edge.source, Statement):
        terms = [term for term in edge.terms if term.axes[0][0] != at + 1]
        moved = tuple(Term(0, ((_moved(term.axes[0][0], at), 1),)) for term in terms)
    else:
        moved = tuple(_inner_steps(term, at) for term in edge.terms)
    guards = tuple((_inner_steps(where, at), low, high) for where, low, high in edge.guards)
    return Edge(edge.source, moved, guards)


def _inner_steps(term: Term, at: int) -> Term:
    """The joined axis has the step of the inner one."""
    return Term(term.offset, tuple((_moved(a, at), step) for a, step in term.axes if a != at))


def _moved(axis: int, at: int) -> int:
    return axis if axis <= at else axis - 1
