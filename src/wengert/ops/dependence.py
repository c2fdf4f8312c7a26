"""What an array depends on: the abstract values of which sparsity patterns are made.

The columns of a matrix of derivatives are the elements of the inputs. What an element of an array
depends on is a set of columns, and a `Dependence` names these sets by arrays of the array's own
shape, its *maps*: element e depends on the union of the sets that the maps name at e. A name is a
number,

    0                nothing
    1 … n            one column
    n + 1            every column
    from n + 2 on    a set that `Columns` keeps

so that the input itself is one map, 1, 2, …, n; an op that moves elements acts on the maps as it
acts on values, the zeros that it leaves meaning nothing; an elementwise op joins the maps of its
inputs; and a set that many elements share, as after a sum, is kept once. An array that depends on
nothing is None, as a tangent that is zero.

Sets only grow: what is found may be too large, and never too small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from wengert import lazy
from wengert.graph.types import Shape
from wengert.ops import ordering

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.integer[Any]]]"

MOST_MAPS = 64
"""With more maps than these, the sets of the elements are kept by `Columns`."""
MANY_MAPS = 16
"""With more maps than these, repeats are looked for in each element."""
MANY_SETS = 6
"""Where more sets than these are named at an element, their union is made."""
MOST_PAIRS = 20_000_000
"""A union of more pairs of an element and a set is replaced by one that is larger, and shared."""


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """What each element of an array depends on.

    maps: arrays of its shape of names of sets, at least one.
    tight: the number of maps when repeats were last looked for.
    """

    maps: tuple[Integers, ...]
    tight: int = 0

    @property
    def shape(self) -> Shape:
        shape: Shape = self.maps[0].shape
        return shape

    @property
    def size(self) -> int:
        return self.maps[0].size


Tree: TypeAlias = "Dependence | tuple[Tree, ...] | None"
"""A dependence; None for none; a tuple of these for a tuple type."""


def leaves(tree: Tree) -> list[Dependence]:
    """The dependences in a tree."""
    if isinstance(tree, tuple):
        return [leaf for part in tree for leaf in leaves(part)]
    return [] if tree is None else [tree]


class Columns:
    """The columns, and the sets of them that have names.

    count: how many columns there are.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.everything = count + 1
        self.dtype = np.dtype(np.int32 if count < 2**30 else np.int64)
        self._ends = np.zeros(8, np.int64)  # set k is pool[ends[k] : ends[k + 1]]
        self._sets = 0
        self._pool = np.empty(0, self.dtype)
        self._interned: dict[bytes, int] = {}

    # ------------------------------------------------------------------------------ making

    def input(self, first: int, shape: Shape) -> Dependence | None:
        """Of an input whose elements are the columns from `first` on."""
        size = math.prod(shape)
        if not size:
            return None
        own = np.arange(first + 1, first + 1 + size, dtype=self.dtype)
        return Dependence((own.reshape(shape),), 1)

    def constant(self, name: int, shape: Shape) -> Dependence | None:
        """Of an array all of whose elements depend on one set."""
        if not name or not math.prod(shape):
            return None
        return Dependence((np.broadcast_to(self.dtype.type(name), shape),), 1)

    def nothing(self, shape: Shape) -> Integers:
        """A map that names nothing."""
        return np.broadcast_to(self.dtype.type(0), shape)

    def together(self, trees: Iterable[Tree]) -> int:
        """The name of the union of all that some arrays depend on."""
        parts = [leaf for tree in trees for leaf in leaves(tree)]
        maps = [one for part in parts for one in part.maps]
        if not maps:
            return 0
        seen = np.zeros(self.everything + 1 + self._sets, np.bool_)
        for one in maps:
            seen[one] = True
        return self._name_of(seen)

    def _name_of(self, seen: np.ndarray[Any, Any]) -> int:
        """The union of the sets whose names are marked."""
        if seen[self.everything]:
            return self.everything
        for k in np.flatnonzero(seen[self.everything + 1 :]):
            seen[self._pool[self._ends[k] : self._ends[k + 1]]] = True
        members = np.flatnonzero(seen[1 : self.everything]).astype(self.dtype) + 1
        if len(members) <= 1:
            return int(members[0]) if len(members) else 0
        if len(members) == self.count:
            return self.everything
        key = members.tobytes()
        found = self._interned.get(key)
        if found is None:
            found = self._interned[key] = self._keep(np.array([len(members)]), members)
        return found

    def _keep(self, lengths: Integers, members: Integers) -> int:
        """Keep sets; the name of the first of them."""
        first, used = self._sets, int(self._ends[self._sets])
        if len(self._pool) < used + len(members):
            pool = np.empty(2 * (used + len(members)), self.dtype)
            pool[:used] = self._pool[:used]
            self._pool = pool
        self._pool[used : used + len(members)] = members
        self._sets += len(lengths)
        if len(self._ends) <= self._sets:
            ends = np.zeros(2 * self._sets + 1, np.int64)
            ends[: first + 1] = self._ends[: first + 1]
            self._ends = ends
        np.cumsum(lengths, out=self._ends[first + 1 : self._sets + 1])
        self._ends[first + 1 : self._sets + 1] += used
        return self.everything + 1 + first

    def unions(self, count: int, rows: Integers, names: Integers) -> Integers:
        """One name for each of `count` rows: of the union of the sets that are paired with it."""
        if count == 1:
            seen = np.zeros(self.everything + 1 + self._sets, np.bool_)
            seen[names] = True
            return np.array([self._name_of(seen)], self.dtype)
        indptr, members, whole = self.expanded(count, rows, names, ascending=False)
        lengths = np.diff(indptr)
        whole |= lengths == self.count
        result = np.zeros(count, self.dtype)
        single = np.flatnonzero((lengths == 1) & ~whole)
        result[single] = members[indptr[:-1][single]]
        several = (lengths > 1) & ~whole
        kept = members if several.all() else members[np.repeat(several, lengths)]
        if len(kept):
            first = self._keep(lengths[several], kept)
            result[several] = first + np.arange(np.count_nonzero(several))
        result[whole] = self.everything
        return result

    def expanded(
        self, count: int, rows: Integers, names: Integers, ascending: bool = True
    ) -> tuple[Integers, Integers, np.ndarray[Any, Any]]:
        """Rows of columns without repeats, `ascending` if that is asked for, and which rows are all
        the columns; of these the columns are not written out."""
        whole = np.zeros(count, np.bool_)
        whole[rows[names == self.everything]] = True
        wanted = (names != 0) & ~whole[rows]
        if not wanted.all():
            rows, names = rows[wanted], names[wanted]
        if not (rows[1:] >= rows[:-1]).all():
            order = np.argsort(rows, kind="stable")
            rows, names = rows[order], names[order]
        ends = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=count))))
        csr_array = lazy.module("scipy.sparse").csr_array
        width = self.everything + 1 + self._sets
        there = np.ones(len(names), np.bool_)  # a sum of trues is true: nothing cancels
        if len(names) and names.max() > self.everything:
            seen = np.zeros(width, np.bool_)
            seen[names] = True
            used = np.flatnonzero(seen)
            place = np.cumsum(seen) - 1
            starts, members = self._members(used)
            sets = csr_array(
                (np.ones(len(members), np.bool_), members, starts), shape=(len(used), width)
            )
            named = csr_array((there, place[names], ends), shape=(count, len(used)))
            found = named @ sets
            if ascending:
                found.sort_indices()
        else:
            found = csr_array((there, names, ends), shape=(count, width))
            found.sum_duplicates()
        return found.indptr, found.indices.astype(self.dtype, copy=False), whole

    def _members(self, names: Integers) -> tuple[Integers, Integers]:
        """(indptr, columns) of the sets with these names, ascending: first those of one column."""
        plain = int(np.searchsorted(names, self.everything))
        sets = names[plain:] - (self.everything + 1)
        starts, lengths = self._ends[sets], np.diff(self._ends)[sets]
        where = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        kept = self._pool[where + np.arange(len(where))]
        ends = np.concatenate((np.arange(plain + 1), plain + np.cumsum(lengths)))
        return ends, np.concatenate((names[:plain].astype(self.dtype), kept))

    # ----------------------------------------------------------------------------- joining

    def union(self, *parts: Dependence | None) -> Dependence | None:
        """Of an array whose elements depend on the elements at the same place of several."""
        present = [part for part in parts if part is not None]
        if len(present) <= 1:
            return present[0] if present else None
        maps = list(present[0].maps)
        for part in present[1:]:
            maps.extend(
                one for one in part.maps if not any(ordering.same(one, old) for old in maps)
            )
        return self.fitted(Dependence(tuple(maps), max(part.tight for part in present)))

    def fitted(self, of: Dependence) -> Dependence:
        """The same with few maps."""
        count = len(of.maps)
        if count <= MANY_SETS:
            return of
        few = count <= MANY_MAPS or (count <= 2 * of.tight and count <= MOST_MAPS)
        return of if few and not self._has_sets(of.maps) else self._tightened(of)

    def _has_sets(self, maps: Sequence[Integers]) -> bool:
        """Whether some names are of sets that are kept."""
        return self._sets > 0 and any(int(one.max()) > self.everything for one in maps if one.size)

    def tightened(self, of: Dependence | None) -> Dependence | None:
        """The same without repeats, the names of each element ascending."""
        return of if of is None or of.tight == len(of.maps) else self._tightened(of)

    def _tightened(self, of: Dependence) -> Dependence:
        maps = ordering.tight(of.maps)
        width = len(maps)
        if width > (MANY_SETS if self._has_sets(maps) else MOST_MAPS):
            rows = np.tile(np.arange(of.size, dtype=self.dtype), width)
            names = self.unions(of.size, rows, np.concatenate(maps))
            return Dependence((names.reshape(of.shape),), 1)
        return Dependence(tuple(one.reshape(of.shape) for one in maps), width)

    def over(self, of: Dependence | None, axes: Sequence[int]) -> Dependence | None:
        """The union along axes, which are removed."""
        if of is None or not axes:
            return of
        others = [axis for axis in range(len(of.shape)) if axis not in axes]
        shape = tuple(of.shape[axis] for axis in others)
        lane = math.prod(of.shape[axis] for axis in axes)
        if not lane or not of.size:
            return None
        if not others:
            return self.constant(self.together([of]), ())
        flat = [one.transpose((*others, *axes)).reshape(*shape, lane) for one in of.maps]
        if lane * len(flat) <= MOST_MAPS:
            maps = [one[..., k] for one in flat for k in range(lane)]
            return self.union(*[Dependence((one,), 1) for one in maps])
        table = np.stack([one.reshape(-1, lane) for one in flat], axis=-1)
        count = table.shape[0]
        rows = np.repeat(np.arange(count, dtype=self.dtype), lane * len(flat))
        return Dependence((self.unions(count, rows, table.ravel()).reshape(shape),), 1)

    def along(self, of: Dependence | None, axes: Sequence[int], shape: Shape) -> Dependence | None:
        """The union along axes, which stay, with the extents that they have in `shape`."""
        if of is None:
            return None
        kept = tuple(1 if axis in axes else n for axis, n in enumerate(of.shape))
        return self.spread(self.over(of, axes), kept, shape)

    def spread(self, of: Dependence | None, kept: Shape, shape: Shape) -> Dependence | None:
        """Reshaped, and repeated."""
        if of is None or not math.prod(shape):
            return None
        maps = tuple(np.broadcast_to(one.reshape(kept), shape) for one in of.maps)
        return Dependence(maps, of.tight)

    def joined(
        self, of: Dependence | None, indptr: Integers, indices: Integers
    ) -> Dependence | None:
        """Row i of the result depends on what the rows indices[indptr[i] : indptr[i + 1]] do."""
        if of is None or not of.size:
            return None
        count, (extent, *rest) = len(indptr) - 1, of.shape
        lengths = np.diff(indptr)
        most = int(lengths.max(initial=0))
        if not count or not most:
            return None
        shape = (count, *rest)
        if most * len(of.maps) <= MOST_MAPS:
            padded = most != int(lengths.min())
            if padded:
                none = self.nothing((1, *rest))
                of = Dependence(tuple(np.concatenate((one, none)) for one in of.maps), of.tight)
            parts: list[Dependence | None] = []
            for k in range(most):
                last = len(indices) - 1
                places = indices[np.minimum(indptr[:-1] + k, last)]
                if padded:
                    places = np.where(k < lengths, places, extent)
                maps = tuple(one[places] for one in of.maps)
                parts.append(Dependence(maps, of.tight))
            return self.union(*parts)
        inner = math.prod(rest)
        if len(indices) * inner * len(of.maps) > MOST_PAIRS or int(lengths.min()) == extent:
            return self.spread(self.over(of, (0,)), (1, *rest), shape)
        of_entries = np.repeat(np.arange(count), lengths)
        table = np.stack([one.reshape(extent, inner) for one in of.maps], axis=-1)[indices]
        places = (of_entries[:, None] * inner + np.arange(inner)).astype(self.dtype)
        rows = np.repeat(places.ravel(), len(of.maps))
        return Dependence((self.unions(count * inner, rows, table.ravel()).reshape(shape),), 1)

    # ------------------------------------------------------------------------------- loops

    def through(self, tables: Sequence[Integers], outer: Columns) -> Integers:
        """What all the columns are outside, and the sets that are kept here: names there, where
        tables[k][c] is the k-th name of column c."""
        whole = outer.together([Dependence((table,)) for table in tables])
        ends = self._ends[: self._sets + 1]
        rows = np.repeat(np.arange(self._sets, dtype=outer.dtype), np.diff(ends))
        members = self._pool[: ends[-1]]
        names = np.concatenate([table[members] for table in tables])
        found = outer.unions(self._sets, np.tile(rows, len(tables)), names)
        return np.concatenate((np.array([whole], outer.dtype), found[: self._sets]))

    def row(self, of: Dependence | None, k: int) -> Dependence | None:
        """Of one element of the first axis."""
        return None if of is None else Dependence(tuple(one[k] for one in of.maps))

    def stacked(self, parts: Sequence[Dependence | None]) -> Dependence | None:
        """Of arrays of one shape that are joined along a new first axis."""
        like = next((part for part in parts if part is not None), None)
        if like is None:
            return None
        none = self.nothing(like.shape)
        maps = [
            np.stack(
                [none if part is None or k >= len(part.maps) else part.maps[k] for part in parts]
            )
            for k in range(max(len(part.maps) for part in parts if part is not None))
        ]
        return Dependence(tuple(maps), len(maps))

    def repeated(self, of: Dependence | None, count: int) -> Dependence | None:
        """Of an array that is repeated along a new first axis."""
        return None if of is None else self.spread(of, (1, *of.shape), (count, *of.shape))

    def same(self, a: Dependence | None, b: Dependence | None) -> bool:
        """Whether two tightened dependences are seen to be the same."""
        if a is None or b is None:
            return a is b
        return len(a.maps) == len(b.maps) and all(map(ordering.same, a.maps, b.maps))

    def weight(self, of: Dependence | None) -> int:
        """How many pairs of an element and a column there are."""
        if of is None:
            return 0
        names = np.concatenate([one.ravel() for one in of.maps])
        rows = np.tile(np.arange(of.size, dtype=self.dtype), len(of.maps))
        indptr, _, whole = self.expanded(of.size, rows, names)
        return int(indptr[-1]) + self.count * int(np.count_nonzero(whole))

    # ------------------------------------------------------------------------------ the end

    def places(self, of: Dependence) -> int:
        """At least how many places the rows of the pattern have, as far as it is seen at once."""
        counts = np.ones(self.everything + 1 + self._sets, np.int64)
        counts[0] = 0
        counts[self.everything] = self.count
        if self._sets:
            counts[self.everything + 1 :] = np.diff(self._ends[: self._sets + 1])
        largest = 0
        for one in of.maps:
            if one.size and int(one.max()) > self.count:
                largest = max(largest, int(counts[one].sum()))
        return largest

    def csr(self, of: Dependence | None, size: int) -> tuple[Integers, Integers]:
        """The rows of the pattern: for each element its columns, from 0, ascending."""
        if of is None or not size:
            return np.zeros(size + 1, self.dtype), np.empty(0, self.dtype)
        maps = [one.ravel() for one in of.maps]
        if max(int(one.max()) for one in maps) > self.count:
            return self._csr_of_sets(maps, size)
        inner = next(
            (k for k in ordering.somewhere(size) if all(one[k] for one in maps)), size // 2
        )
        maps.sort(key=lambda one: int(one[inner]))
        table = np.empty((size, len(maps)), self.dtype)
        if maps[0].all() and all(bool((a < b).all()) for a, b in pairwise(maps)):
            for k, one in enumerate(maps):
                np.subtract(one, 1, out=table[:, k])
            ends = np.arange(0, table.size + 1, len(maps), dtype=self._wide(table.size))
            return ends, table.ravel()
        if not ordering.ascend(maps):
            maps = ordering.ordered(maps)
        keep = np.empty(table.shape, np.bool_)
        for k, one in enumerate(maps):
            np.subtract(one, 1, out=table[:, k])
            np.not_equal(one, maps[k - 1] if k else 0, out=keep[:, k])
            if k:
                keep[:, k] &= one != 0
        return self._ends_of(np.count_nonzero(keep, axis=1)), table.ravel()[keep.ravel()]

    def _csr_of_sets(self, maps: list[Integers], size: int) -> tuple[Integers, Integers]:
        names = np.stack(maps, axis=-1).ravel()
        rows = np.repeat(np.arange(size, dtype=self.dtype), len(maps))
        indptr, members, whole = self.expanded(size, rows, names)
        members = members - self.dtype.type(1)
        if not whole.any():
            return indptr, members
        lengths = np.where(whole, self.count, np.diff(indptr))
        ends = self._ends_of(lengths)
        indices = np.empty(int(ends[-1]), self.dtype)
        full_rows = np.repeat(whole, lengths)
        indices[full_rows] = np.tile(np.arange(self.count, dtype=self.dtype), whole.sum())
        indices[~full_rows] = members
        return ends, indices

    def _ends_of(self, lengths: Integers) -> Integers:
        total = int(lengths.sum())
        ends = np.zeros(len(lengths) + 1, self._wide(total))
        np.cumsum(lengths, out=ends[1:])
        return ends

    def _wide(self, total: int) -> Any:
        return self.dtype if total < 2**31 else np.dtype(np.int64)
