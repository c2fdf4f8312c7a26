"""Colourings of a symmetric matrix, which is known from fewer products than another.

Entry (i, j) can be read in row i, in the product of the colour of column j, if no other column of
that colour has a place there; or else, by symmetry, in row j, in the product of the colour of i.
Colourings of the graph for which one of the two holds for each edge are star colourings. Those that
let the entries be solved for one after another, leaves of trees first, are acyclic colourings.

Gebremedhin, Tarafdar, Manne, Pothen, *New acyclic and star coloring algorithms with application to
computing Hessians* (2007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.sparse.colouring import kernels, symmetric_kernels
from wengert.sparse.colouring.covering import kept
from wengert.sparse.colouring.greedy import column_colours
from wengert.sparse.colouring.lattice import lattice_colours
from wengert.sparse.colouring.result import Colouring, Steps, index_dtype
from wengert.sparse.colouring.structure import contiguous, descending, fullest, insist, renumbered
from wengert.sparse.pattern import Integers, Pattern

ROUNDS = 40
"""Of greedy colouring in other orders, at most."""
EFFORT, REPEATED = 10_000_000, 3_000_000
"""Visits to places, at most, by greedy colourings after the first, and by those in other orders."""
PLAIN = 50_000_000
"""Visits to places, at most, by a colouring that makes nothing of hubs where there are some."""
HUB, ABOVE = 256, 16
"""So many neighbours, and so many times those of others, make a vertex a hub."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A symmetric pattern as a graph. mate: the place (j, i) of each place (i, j)."""

    indptr: Integers
    indices: Integers
    mate: Integers
    vertices: int

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return int(len(self.indices) - len(self.diagonal)) // 2

    @property
    def diagonal(self) -> Any:
        """The places on the diagonal."""
        return np.flatnonzero(self.mate == np.arange(len(self.mate), dtype=self.mate.dtype))

    @property
    def work(self) -> int:
        """Visits to places that a greedy colouring takes."""
        counts = np.diff(self.indptr).astype(np.int64)
        return int(np.sum(counts**2))


def graph_of(indptr: Any, indices: Any) -> Graph:
    """The graph of a pattern.

    Raises WengertValueError where the pattern is not symmetric.
    """
    vertices = len(indptr) - 1
    mate = np.empty(len(indices), indptr.dtype)
    place = indptr[:-1].copy()
    fault = kernels.find_mates(indptr, indices, vertices, place, mate)
    if fault >= 0:
        row = int(np.searchsorted(indptr, fault, side="right")) - 1
        raise WengertValueError(
            f"the pattern is not symmetric: it has ({row}, {indices[fault]}) and not "
            f"({indices[fault]}, {row}). Give the places of both triangles"
        )
    return Graph(indptr, indices, mate, vertices)


def symmetric(pattern: Pattern) -> Colouring:
    """The colouring of a symmetric matrix each of whose entries stands in a product."""
    _square(pattern)
    graph = graph_of(*contiguous(pattern))
    indptr, indices, n = graph.indptr, graph.indices, graph.vertices
    ways = [_fewest(pattern, graph)]
    has_gaps = len(graph.diagonal) < n
    if has_gaps:  # then neighbours may well have one colour, which no star colouring gives them
        ways.append(column_colours(pattern, pattern))
    found = []
    for colours, number in ways:
        readable = np.empty(pattern.nnz, np.int8)
        count = np.zeros(max(number, 1), np.int32)
        kernels.find_readable(indptr, indices, n, colours, count, readable)
        if has_gaps:
            needed = kept(indptr, indices, graph.mate, readable, colours, np.ones(number))
            colours, number = renumbered(np.where(needed, colours, np.int32(-1)))
        found.append((number, colours, readable))
    number, colours, readable = min(found, key=itemgetter(0))
    source = np.empty(pattern.nnz, index_dtype(number * n))
    fault = symmetric_kernels.find_star_sources(
        indptr, indices, graph.mate, n, readable, colours, n, source
    )
    insist(fault < 0)
    return Colouring("symmetric", colours, np.full(n, -1, np.int32), number, 0, source)


def by_substitution(pattern: Pattern) -> Colouring:
    """The colouring of a symmetric matrix whose entries are solved for one after another; or that
    of the direct method where that takes no more products."""
    _square(pattern)
    graph = graph_of(*contiguous(pattern))
    n, places = graph.vertices, pattern.nnz
    indptr, indices, mate = graph.indptr, graph.indices, graph.mate
    colours, number = _fewest_of_trees(pattern, graph)
    node, fault = _nodes(graph, colours, number)
    insist(fault < 0)
    left, unknown, queue, at = (np.zeros(places, indptr.dtype) for _ in range(4))
    solves = np.full(places, -1, indptr.dtype)
    solved = symmetric_kernels.order_substitution(
        indptr, indices, mate, n, node, left, unknown, queue, at, solves
    )
    insist(solved == graph.edges)
    at = at[:solved]
    row_of = np.searchsorted(indptr, at, side="right") - 1
    steps = _steps(at, mate, solves[node[mate[at]]])
    on = graph.diagonal
    by = np.empty(places, np.int32)  # the colour in whose product a place is read,
    by[on], by[at], by[mate[at]] = (colours[indices[which]] for which in (on, at, at))
    used = np.zeros(number + 1, np.bool_)
    used[by] = True
    names = np.where(used, np.cumsum(used) - 1, -1).astype(np.int32)  # its last one is that of −1
    colours, number = names[colours], int(np.count_nonzero(used))
    row = np.empty(places, np.int32)  # and the row in which it is
    row[on], row[at], row[mate[at]] = indices[on], row_of, row_of
    source = names[by].astype(index_dtype(number * n)) * n + row
    direct = symmetric(pattern)
    if direct.products <= number:
        return direct
    nowhere = np.full(n, -1, np.int32)
    return Colouring("substitution", colours, nowhere, number, 0, source, steps)


def _steps(at: Any, mate: Any, above: Any) -> Steps:
    """How each edge is solved for. at: a place of each. above: the edge that is solved for with its
    help, −1 for none.

    A product holds the sum of an edge e and of those below it in its tree:

        value(e) = product(e) − Σ value(e')  over the edges e' below e.

    So value(e) is the sum of the products of all edges under e, of alternating sign; and as such
    sums it is found in as many steps as the logarithm of the depth of the trees, from the sums down
    to depth d those down to depth 2 d.
    """
    targets, operands, levels = [], [], [0]
    below = np.flatnonzero(above >= 0)
    above = above[below]  # at first the next above, then that of two further up, of four, …
    upwards = np.full(len(at), -1, at.dtype)
    while len(below):
        to, read = at[above], at[below]
        targets += [to, mate[to]]
        operands += [read, read]
        levels.append(levels[-1] + 2 * len(below))
        upwards[:] = -1
        upwards[below] = above
        further = upwards[above]
        below, above = below[further >= 0], further[further >= 0]
    none = np.empty(0, at.dtype)
    return Steps(
        np.concatenate([none, *targets]), np.concatenate([none, *operands]), np.array(levels)
    )


def _square(pattern: Pattern) -> None:
    if pattern.shape[0] != pattern.shape[1]:
        rows, columns = pattern.shape
        raise WengertValueError(f"a symmetric matrix is square, and this is {rows} × {columns}")


# ------------------------------------------------------------------------------ fewest colours


def least(vertices: int, edges: int, loops: int) -> int:
    """A bound from below: two colours of sizes a and b have a forest between them, a + b − 1 edges
    at most, so that p colours have (p − 1) n − p (p − 1) / 2."""
    if not edges:
        return 1 if loops else 0
    p = 2
    while (p - 1) * vertices - p * (p - 1) // 2 < edges:
        p += 1
    return p


def _fewest(pattern: Pattern, graph: Graph) -> tuple[Any, int]:
    """The star colouring of fewest colours that is found."""
    n = graph.vertices
    bound = least(n, graph.edges, len(graph.diagonal))
    if bound <= 1:
        return np.full(n, bound - 1, np.int32), bound
    indptr, indices = graph.indptr, graph.indices

    def fault(colours: Any, p: int) -> int:
        return kernels.find_conflict(indptr, indices, n, colours, np.full(p, -1, np.int32))

    widest = fullest(pattern)
    best = lattice_colours(pattern, widest, widest + 2, fault)
    return _best(best, star_colourings(graph, bound, best is None))


def _best(first: tuple[Any, int] | None, others: Iterable[tuple[Any, int]]) -> tuple[Any, int]:
    """The first of the colourings with fewest colours."""
    return min(others if first is None else (first, *others), key=itemgetter(1))


def star_colourings(graph: Graph, bound: int, thorough: bool) -> Iterator[tuple[Any, int]]:
    """Greedy star colourings in many orders; none after one of `bound` colours."""

    def coloured(graph: Graph, order: Any) -> tuple[Any, int]:
        n = graph.vertices
        colour, forbidden, seen_from, treated = (np.full(n + 1, -1, np.int32) for _ in range(4))
        seen, star, hub = (np.zeros(k, graph.indptr.dtype) for k in (n + 1, *[len(graph.mate)] * 2))
        number = symmetric_kernels.colour_stars(
            graph.indptr,
            graph.indices,
            graph.mate,
            order,
            n,
            forbidden,
            seen_from,
            seen,
            treated,
            star,
            hub,
            colour,
        )
        return colour[:n], number

    return _with_hubs(graph, bound, thorough, coloured)


def _fewest_of_trees(pattern: Pattern, graph: Graph) -> tuple[Any, int]:
    """The acyclic colouring of fewest colours that is found."""
    n = graph.vertices
    bound = least(n, graph.edges, len(graph.diagonal))
    if bound <= 1:
        return np.full(n, bound - 1, np.int32), bound

    def fault(colours: Any, p: int) -> int:
        return _nodes(graph, colours, p)[1]

    best = lattice_colours(pattern, bound, bound + 2, fault, _neighbours)
    if best is not None and best[1] == bound:
        return best

    def coloured(graph: Graph, order: Any) -> tuple[Any, int]:
        n = graph.vertices
        colour, forbidden, seen_from = (np.full(n + 1, -1, np.int32) for _ in range(3))
        places = len(graph.mate)
        visited_from, visited = np.full((2, places), -1, np.int32)
        number = symmetric_kernels.colour_trees(
            graph.indptr,
            graph.indices,
            graph.mate,
            order,
            n,
            forbidden,
            seen_from,
            np.zeros(n + 1, graph.indptr.dtype),
            visited_from,
            visited,
            np.arange(places, dtype=graph.indptr.dtype),
            colour,
        )
        return colour[:n], number

    return _best(best, _with_hubs(graph, bound, best is None, coloured))


def _nodes(graph: Graph, colours: Any, number: int) -> tuple[Any, int]:
    """What `find_cycle` finds: the nodes, and a row of a cycle."""
    node, parent = np.empty((2, len(graph.mate)), graph.indptr.dtype)
    mark = np.full(number, -1, graph.indptr.dtype)
    fault = symmetric_kernels.find_cycle(
        graph.indptr, graph.indices, graph.mate, graph.vertices, colours, mark, node, parent
    )
    return node, fault


def _neighbours(pattern: Pattern, rows: Any) -> Any:
    """The edges at these vertices, as pairs of their ends; and, where one edge may begin many
    cycles, those of its ends too."""
    found = [np.empty((2, 0), np.int64)]
    for row in rows.tolist():
        columns = pattern.indices[pattern.indptr[row] : pattern.indptr[row + 1]]
        columns = columns[columns != row].astype(np.int64)
        found.append(np.stack([np.full_like(columns, row), columns]))
    return np.concatenate(found, axis=1)


def _with_hubs(
    graph: Graph,
    bound: int,
    thorough: bool,
    coloured: Callable[[Graph, Any], tuple[Any, int]],
) -> Iterator[tuple[Any, int]]:
    """Colourings in which vertices with very many neighbours have a colour each, and no part in
    what is left, which is always valid; and others where they take no longer than that allows."""
    degree = np.diff(graph.indptr)
    heavy = (degree >= HUB) & (degree > ABOVE * np.median(degree))
    hubs = int(np.count_nonzero(heavy))
    if hubs:
        rest = _without(graph, heavy)
        lesser = least(rest.vertices - hubs, rest.edges, len(rest.diagonal))
        for colours, number in _in_orders(rest, lesser, thorough, coloured):
            # those left have colours from 0 on; a hub stands alone in the rest, with colour 0
            colours = colours.copy()
            colours[heavy] = number + np.arange(hubs)
            yield renumbered(colours)
    if not hubs or graph.work <= PLAIN:
        yield from _in_orders(graph, bound, thorough, coloured)


def _without(graph: Graph, heavy: Any) -> Graph:
    """The graph without the edges of these vertices."""
    row = np.repeat(np.arange(graph.vertices), np.diff(graph.indptr))
    stays = ~(heavy[row] | heavy[graph.indices])
    before = np.concatenate([[0], np.cumsum(stays)]).astype(graph.indptr.dtype)
    return graph_of(before[graph.indptr], np.ascontiguousarray(graph.indices[stays]))


def _in_orders(
    graph: Graph, bound: int, thorough: bool, coloured: Callable[[Graph, Any], tuple[Any, int]]
) -> Iterator[tuple[Any, int]]:
    """Colourings in the orders that are known to be good, then in others as effort allows.

    thorough: also where that takes long.
    """
    n = graph.vertices
    natural = np.arange(n, dtype=np.int32)
    degree = np.diff(graph.indptr)
    work = graph.work
    best = coloured(graph, descending(degree))
    yield best
    if best[1] <= bound or work > (EFFORT if thorough else REPEATED):
        return
    for order in (natural, _smallest_last(graph)):
        found = coloured(graph, order)
        yield found
        if found[1] <= bound:
            return
        best = min(best, found, key=itemgetter(1))
    random = np.random.default_rng(0)
    for k in range(min(ROUNDS, REPEATED // max(work, 1))):
        if k % 2:
            order = random.permutation(natural)
        else:
            order = np.argsort(random.permutation(best[1])[best[0]], kind="stable")
        found = coloured(graph, order.astype(np.int32))
        yield found
        if found[1] <= bound:
            return
        best = min(found, best, key=itemgetter(1))


def _smallest_last(graph: Graph) -> Any:
    """The order that takes away vertices of fewest neighbours, the other way round."""
    n = graph.vertices
    degree = np.diff(graph.indptr).astype(np.int32)
    degree[graph.indices[graph.diagonal]] -= 1
    first = np.full(int(degree.max()) + 2, -1, np.int32)
    following, before, order = (np.full(n, -1, np.int32) for _ in range(3))
    itself = np.arange(n + 1, dtype=np.int32)  # the one row that leads from a vertex to others
    kernels.order_smallest_last(
        graph.indptr,
        graph.indices,
        itself,
        itself,
        n,
        degree,
        first,
        following,
        before,
        order,
    )
    return order
