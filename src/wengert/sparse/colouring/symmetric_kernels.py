"""The sequential loops of symmetric colouring, as kernels (see `kernels`).

Patterns are symmetric; `mate` is the place (j, i) of each place (i, j). The vertices of the graph
are the columns, its edges the places off the diagonal; an edge is named by the lesser of its two
places.
"""

from __future__ import annotations

from wengert.sparse.colouring.translating import Array, kernel


@kernel
def colour_stars(
    indptr: Array,
    indices: Array,
    mate: Array,
    order: Array,
    number: int,
    forbidden: Array,
    seen_from: Array,
    seen: Array,
    treated: Array,
    star: Array,
    hub: Array,
    colour: Array,
) -> int:
    """Give each vertex, in this order, the first colour with which no path of four vertices has two
    colours: then edges of two colours are stars.

    star: of each place; hub: of each star, −1 before it is known. A star is named by its first
    edge. forbidden, seen_from, seen: one a vertex and one more.

    Gebremedhin, Tarafdar, Manne, Pothen, *New acyclic and star coloring algorithms with application
    to computing Hessians* (2007), algorithm 4.1.
    """
    most = 0
    for t in range(number):
        v = order[t]
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w == v or colour[w] < 0:
                continue
            c = colour[w]
            forbidden[c] = v
            if seen_from[c] == v:
                # two neighbours of colour c: v becomes the hub of their star
                first = indices[seen[c]]
                if treated[first] != v:
                    forbid_around(indptr, indices, colour, v, first, forbidden)
                    treated[first] = v
                forbid_around(indptr, indices, colour, v, w, forbidden)
                treated[w] = v
            else:
                seen_from[c] = v
                seen[c] = k
                for q in range(indptr[w], indptr[w + 1]):
                    x = indices[q]
                    # v — w — x would leave x, the hub of w's star, by another edge
                    if x != v and x != w and colour[x] >= 0 and hub[star[q]] == x:
                        forbidden[colour[x]] = v
        c = 0
        while forbidden[c] == v:
            c += 1
        colour[v] = c
        if c >= most:
            most = c + 1
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w == v or colour[w] < 0:
                continue
            joined = -1
            for q in range(indptr[w], indptr[w + 1]):
                x = indices[q]
                if x != v and x != w and colour[x] == c:
                    joined = star[q]
                    hub[joined] = w
                    break
            if joined < 0:
                first = seen[colour[w]]
                if indices[first] != w:
                    joined = star[first]
                    hub[joined] = v
                else:
                    joined = k
                    hub[joined] = -1
            star[k] = joined
            star[mate[k]] = joined
    return most


@kernel
def forbid_around(
    indptr: Array, indices: Array, colour: Array, v: int, w: int, forbidden: Array
) -> int:
    """Forbid v the colours of the neighbours of w."""
    for q in range(indptr[w], indptr[w + 1]):
        x = indices[q]
        if x != w and colour[x] >= 0:
            forbidden[colour[x]] = v
    return 0


@kernel
def colour_trees(
    indptr: Array,
    indices: Array,
    mate: Array,
    order: Array,
    number: int,
    forbidden: Array,
    seen_from: Array,
    seen: Array,
    visited_from: Array,
    visited: Array,
    parent: Array,
    colour: Array,
) -> int:
    """Give each vertex, in this order, the first colour with which no cycle has two colours.

    parent: of each place, in the forest of the sets of edges that are one tree of two colours; at
    first each place is its own. forbidden, seen_from, seen: one a vertex and one more;
    visited_from, visited: one a place.

    The same paper, algorithm 3.1.
    """
    most = 0
    for t in range(number):
        v = order[t]
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w != v and colour[w] >= 0:
                forbidden[colour[w]] = v
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w == v or colour[w] < 0:
                continue
            for q in range(indptr[w], indptr[w + 1]):
                x = indices[q]
                if x == w or colour[x] < 0 or forbidden[colour[x]] == v:
                    continue  # v itself has no colour yet
                tree = root(parent, q)
                if visited_from[tree] != v:
                    visited_from[tree] = v
                    visited[tree] = w
                elif visited[tree] != w:
                    forbidden[colour[x]] = v  # the tree is reached along two edges: a cycle
        c = 0
        while forbidden[c] == v:
            c += 1
        colour[v] = c
        if c >= most:
            most = c + 1
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w == v or colour[w] < 0:
                continue
            parent[root(parent, mate[k])] = root(parent, k)
            if seen_from[colour[w]] != v:
                seen_from[colour[w]] = v
                seen[colour[w]] = k
            else:
                parent[root(parent, seen[colour[w]])] = root(parent, k)
            for q in range(indptr[w], indptr[w + 1]):
                x = indices[q]
                if x != w and x != v and colour[x] == c:
                    parent[root(parent, q)] = root(parent, k)
    return most


@kernel
def root(parent: Array, k: int) -> int:
    """The root of the set of k; the way there is halved."""
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@kernel
def find_cycle(
    indptr: Array,
    indices: Array,
    mate: Array,
    rows: int,
    colour: Array,
    mark: Array,
    node: Array,
    parent: Array,
) -> int:
    """A row of a cycle of two colours, or of an edge of one colour; −1 if there is none.

    A vertex stands in one tree for each colour among its neighbours: such a pair is a node, named
    by its first place and given to all its places in `node`. An edge joins the nodes of its ends.
    mark: one −1 a colour. parent: one a place.
    """
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            c = colour[j]
            if j != i and c == colour[i]:
                return i
            if mark[c] < indptr[i]:
                mark[c] = k
            node[k] = mark[c]
            parent[k] = k
            if j < i:
                first = root(parent, node[k])
                second = root(parent, node[mate[k]])
                if first == second:
                    return i
                parent[first] = second
    return -1


@kernel
def order_substitution(
    indptr: Array,
    indices: Array,
    mate: Array,
    rows: int,
    node: Array,
    left: Array,
    unknown: Array,
    queue: Array,
    at: Array,
    solves: Array,
) -> int:
    """The edges in the order in which they can be solved for, leaves first, from all sides at once;
    their number. Each comes in `at` as that one of its places at whose node it is solved for.

    node: of each place, as `find_cycle` gives it. left: how many edges of a node are not known,
    zeros at first. unknown: their places, all in one by exclusive or, zeros at first. queue: one a
    place. solves: of each node the edge that is solved for at it, −1 for none.
    """
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            if indices[k] != i:
                left[node[k]] += 1
                unknown[node[k]] = unknown[node[k]] ^ k
    waiting = 0
    for k in range(indptr[rows]):
        if left[k] == 1:
            queue[waiting] = k
            waiting += 1
    done = 0
    solved = 0
    while done < waiting:
        here = queue[done]
        done += 1
        if left[here] == 1:
            k = unknown[here]
            left[here] = 0
            at[solved] = k
            solves[here] = solved
            solved += 1
            there = node[mate[k]]
            left[there] -= 1
            unknown[there] = unknown[there] ^ mate[k]
            if left[there] == 1:
                queue[waiting] = there
                waiting += 1
    return solved


@kernel
def find_star_sources(
    indptr: Array,
    indices: Array,
    mate: Array,
    rows: int,
    readable: Array,
    colour: Array,
    stride: int,
    source: Array,
) -> int:
    """Where each place is read: in the product of its column, at its row, or else in that of its
    row, at its column; −1, or else a place that cannot be read."""
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            if readable[k] and colour[j] >= 0:
                source[k] = colour[j] * stride + i
            elif readable[mate[k]] and colour[i] >= 0:
                source[k] = colour[i] * stride + j
            else:
                return k
    return -1
