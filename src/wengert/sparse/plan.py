"""What is known about a sparse matrix of derivatives before any value is: to keep and to save.

Sparsity             the pattern and its colouring
as_pattern(given)    the pattern that a user gives, checked
contents_of(given)   what tells whether it was changed
"""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.types import Shape
from wengert.sparse.colouring.result import Colouring, Steps
from wengert.sparse.pattern import Integers, Pattern

VERSION = 1
"""Of the files. A file of a later one is refused."""
_MAGIC = "wengert sparsity"
_KINDS = ("jacobian", "hessian")
_UNREADABLE = (ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True, eq=False)
class Sparsity:
    """Where a Jacobian or Hessian may be nonzero, and the products that recover it.

    It depends on the function and the shapes of its arguments, and not on the values of those that
    are differentiated by, but for the way that these take through Python's `if` and `while`; so it
    is found once and used at each point. `save` keeps it on disk.

    kind: "jacobian" or "hessian".
    places: the pattern, row by row.
    colouring: the products, and where each value is read in them.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert.sparse.plan import Sparsity, as_pattern
    >>> from wengert.sparse.colouring.choosing import choose
    >>> places = as_pattern(np.eye(4) + np.eye(4, k=1), (4, 4))
    >>> plan = Sparsity("jacobian", places, choose(places, 1.0, 1.0))
    >>> plan
    Sparsity(jacobian of 4 × 4, 7 places (44 %), 2 products: forward)
    >>> plan.colours
    array([0, 1, 0, 1], dtype=int32)
    """

    kind: str
    places: Pattern
    colouring: Colouring

    @property
    def pattern(self) -> Any:
        """The pattern as a `scipy.sparse.csr_array` of bool, True at its places."""
        return self.places.matrix()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return self.places.shape

    @property
    def nnz(self) -> int:
        """How many places there are."""
        return self.places.nnz

    @property
    def density(self) -> float:
        """The part of all entries that are places."""
        return self.nnz / max(self.shape[0] * self.shape[1], 1)

    @property
    def structure(self) -> tuple[Integers, Integers]:
        """The row and the column of each place, as IPOPT's jacobianstructure() gives them. They
        are the caller's own: to be counted from 1, for example."""
        return self.places.rows, self.places.indices.copy()

    def triangle(self) -> tuple[Integers, Integers, Integers]:
        """The places of the lower triangle, as IPOPT's hessianstructure() wants them.

        Returns their rows, their columns, and their indices among the values of all places.
        """
        rows, columns = self.structure
        lower = np.flatnonzero(columns <= rows)
        return rows[lower], columns[lower], lower

    @property
    def method(self) -> str:
        """How the values are recovered: "forward", "reverse", "bidirectional", "symmetric",
        "substitution"."""
        return self.colouring.method

    @property
    def products(self) -> int:
        """The number of products of the matrix with a vector that hold all its values."""
        return self.colouring.products

    @property
    def colours(self) -> Any:
        """The colour of each column; of each row, where all products are Jᵀ s; a pair of both,
        where there are products of both kinds. −1 for none."""
        colouring = self.colouring
        if colouring.tangents and colouring.cotangents:
            return colouring.columns, colouring.rows
        return colouring.rows if colouring.cotangents else colouring.columns

    def __repr__(self) -> str:
        rows, columns = self.shape
        part = f"{100 * self.density:.2g}" if self.density < 0.995 else "100"
        products = f"{self.products} product{'s' if self.products != 1 else ''}"
        return (
            f"Sparsity({self.kind} of {rows} × {columns}, {self.nnz} places ({part} %), "
            f"{products}: {self.method})"
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file (.npz), which `Sparsity.load` reads."""
        places, colouring = self.places, self.colouring
        arrays = {
            "format": np.array(_MAGIC),
            "version": np.array(VERSION),
            "kind": np.array(self.kind),
            "shape": np.array(places.shape),
            "indptr": places.indptr,
            "indices": places.indices,
            "outputs": _packed(places.outputs),
            "inputs": _packed(places.inputs),
            "method": np.array(colouring.method),
            "columns": colouring.columns,
            "rows": colouring.rows,
            "products": np.array([colouring.tangents, colouring.cotangents]),
            "source": colouring.source,
        }
        if colouring.steps is not None:
            arrays["targets"] = colouring.steps.targets
            arrays["operands"] = colouring.steps.operands
            arrays["levels"] = colouring.steps.levels
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Sparsity:
        """Read what `save` wrote.

        Raises WengertValueError where the file holds something else, or is damaged, or of a later
        version of the package. OSError as `open` does.
        """
        with open(path, "rb") as file:
            try:
                with np.load(file, allow_pickle=False) as kept:
                    arrays = {name: kept[name] for name in kept.files}
            except _UNREADABLE as error:
                raise WengertValueError(f"{path} holds no sparsity plan: {error}") from None
        if "format" not in arrays or str(arrays["format"]) != _MAGIC:
            raise WengertValueError(f"{path} holds no sparsity plan, but other arrays")
        version = int(arrays["version"])
        if version > VERSION:
            raise WengertValueError(
                f"{path} holds a sparsity plan of version {version}, and this wengert knows those "
                f"up to {VERSION}. Bring wengert up to date, or find the sparsity anew"
            )
        try:
            return _checked(_unpacked(arrays))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise WengertValueError(f"the sparsity plan in {path} is damaged: {error}") from None


# ------------------------------------------------------------------------------------- files


def _packed(shapes: tuple[Shape, ...]) -> Any:
    """Shapes as one vector: of each the rank, then the lengths."""
    return np.array([number for shape in shapes for number in (len(shape), *shape)], np.int64)


def _shapes(packed: Any) -> tuple[Shape, ...]:
    numbers = packed.tolist()
    result, k = [], 0
    while k < len(numbers):
        result.append(tuple(numbers[k + 1 : k + 1 + numbers[k]]))
        k += 1 + numbers[k]
    return tuple(result)


def _unpacked(arrays: dict[str, Any]) -> Sparsity:
    rows, columns = map(int, arrays["shape"])
    places = Pattern(
        arrays["indptr"],
        arrays["indices"],
        (rows, columns),
        _shapes(arrays["outputs"]),
        _shapes(arrays["inputs"]),
    )
    steps = None
    if "targets" in arrays:
        steps = Steps(arrays["targets"], arrays["operands"], arrays["levels"])
    tangents, cotangents = map(int, arrays["products"])
    colouring = Colouring(
        str(arrays["method"]),
        arrays["columns"],
        arrays["rows"],
        tangents,
        cotangents,
        arrays["source"],
        steps,
    )
    return Sparsity(str(arrays["kind"]), places, colouring)


def _checked(plan: Sparsity) -> Sparsity:
    """A plan whose arrays fit together: what is read outside of an array would be a crash."""
    places, colouring, steps = plan.places, plan.colouring, plan.colouring.steps
    (rows, columns), nnz = places.shape, places.nnz
    fault = _fault(places)
    if fault:
        raise ValueError(fault)
    length = colouring.tangents * rows + colouring.cotangents * columns
    facts = {
        "kind": plan.kind in _KINDS,
        "outputs": sum(int(np.prod(shape)) for shape in places.outputs) == rows,
        "inputs": sum(int(np.prod(shape)) for shape in places.inputs) == columns,
        "columns": _within(colouring.columns, columns, -1, colouring.tangents),
        "rows": _within(colouring.rows, rows, -1, colouring.cotangents),
        "source": _within(colouring.source, nnz, 0, length),
    }
    if steps is not None:
        facts["targets"] = _within(steps.targets, len(steps.targets), 0, nnz)
        facts["operands"] = _within(steps.operands, len(steps.targets), 0, nnz)
        levels = steps.levels
        facts["levels"] = _within(levels, len(levels), 0, len(steps.targets) + 1)
        facts["levels"] &= not np.any(np.diff(levels) < 0)
    wrong = [name for name, holds in facts.items() if not holds]
    if wrong:
        raise ValueError(f"its {' and '.join(wrong)} do not fit")
    return plan


def _within(numbers: Any, length: int, low: int, high: int) -> bool:
    """Whether this is a vector of integers in low ≤ k < high."""
    if numbers.shape != (length,) or numbers.dtype.kind != "i":
        return False
    return not len(numbers) or bool(numbers.min() >= low and numbers.max() < high)


# ---------------------------------------------------------------------------- given patterns


def as_pattern(
    given: Any,
    shape: tuple[int, int],
    outputs: tuple[Shape, ...] | None = None,
    inputs: tuple[Shape, ...] | None = None,
) -> Pattern:
    """The pattern that a user gives for a matrix of this shape.

    given: a dense array, whose nonzeros are the places; a SciPy sparse array or matrix of any
        format, whose stored elements are (zeros too); a pair (rows, columns) of vectors of
        integers, each place once; a `Sparsity`; or a `Pattern`.
    outputs, inputs: the shapes of the arrays whose elements are the rows and columns.

    Raises WengertValueError where it has another shape, indices out of range or a place twice, and
    WengertTypeError for anything else.
    """
    if isinstance(given, Sparsity):
        given = given.places
    if isinstance(given, Pattern):
        indptr, indices, its = given.indptr, given.indices, given.shape
    elif hasattr(given, "tocsr"):
        indptr, indices, its = _of_sparse(given)
    elif isinstance(given, tuple) and len(given) == 2 and _are_vectors(given):
        indptr, indices, its = _of_pairs(given, shape)
    else:
        indptr, indices, its = _of_dense(given)
    if tuple(its) != tuple(shape):
        raise WengertValueError(
            f"the sparsity pattern is for {its[0]} × {its[1]} values and the matrix has "
            f"{shape[0]} × {shape[1]}: a row for each element of the outputs, a column for each of "
            "the inputs"
        )
    dtype = np.int32 if max(len(indices), *shape) <= np.iinfo(np.int32).max else np.int64
    pattern = Pattern(
        np.ascontiguousarray(indptr, dtype),
        np.ascontiguousarray(indices, dtype),
        (int(shape[0]), int(shape[1])),
        ((shape[0],),) if outputs is None else outputs,
        ((shape[1],),) if inputs is None else inputs,
    )
    fault = _fault(pattern)
    if fault:
        raise WengertValueError(f"the sparsity pattern does not fit: {fault}")
    return pattern


def contents_of(given: Any) -> tuple[Any, ...]:
    """Arrays that say where the places of a pattern are that `as_pattern` takes; none of those that
    are not changed, a `Sparsity` and a `Pattern`."""
    if isinstance(given, Sparsity | Pattern):
        return ()
    if hasattr(given, "tocsr"):
        rows = given.tocsr()
        return rows.indptr, rows.indices
    return tuple(map(np.asarray, given)) if isinstance(given, tuple) else (np.asarray(given),)


def _fault(pattern: Pattern) -> str:
    """What keeps a pattern from being rows of ascending columns within range; "" if nothing."""
    indptr, indices = pattern.indptr, pattern.indices
    rows, columns = pattern.shape
    counts = np.diff(indptr)
    if (
        indptr.shape != (rows + 1,)
        or indptr[0] != 0
        or indptr[-1] != len(indices)
        or np.any(counts < 0)
    ):
        return "indptr does not tell where each row begins"
    if len(indices) and (indices.min() < 0 or indices.max() >= columns):
        return f"it has columns outside of 0 … {columns - 1}"
    rises = np.diff(indices) > 0
    starts = indptr[1:-1]
    rises[starts[(starts > 0) & (starts < len(indices))] - 1] = True
    return "" if np.all(rises) else "the columns of a row are not ascending, or one is there twice"


def _are_vectors(given: Any) -> bool:
    """Whether a pair is one of vectors of integers; of empty lists NumPy makes floats."""
    parts = [np.asarray(part) for part in given]
    return all(part.ndim == 1 and (part.dtype.kind in "iu" or not part.size) for part in parts)


def _of_sparse(given: Any) -> tuple[Any, Any, Any]:
    if len(given.shape) != 2:
        raise WengertValueError(f"a sparsity pattern has two axes, not {len(given.shape)}")
    csr = given.tocsr(copy=True)
    csr.sum_duplicates()  # and sorts
    return csr.indptr, csr.indices, csr.shape


def _of_pairs(given: Any, shape: tuple[int, int]) -> tuple[Any, Any, Any]:
    rows, columns = (np.asarray(part, np.int64) for part in given)
    if len(rows) != len(columns):
        raise WengertValueError(
            f"the pattern is given as {len(rows)} rows and {len(columns)} columns: there must be "
            "one of each for every place"
        )
    for name, numbers, length in (("row", rows, shape[0]), ("column", columns, shape[1])):
        outside = np.flatnonzero((numbers < 0) | (numbers >= length))
        if len(outside):
            raise WengertValueError(
                f"the pattern has {name} {numbers[outside[0]]} at place {outside[0]}, and the "
                f"{name}s of the matrix are 0 … {length - 1}"
            )
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    twice = np.flatnonzero((np.diff(rows) == 0) & (np.diff(columns) == 0))
    if len(twice):
        raise WengertValueError(
            f"the pattern has the place ({rows[twice[0]]}, {columns[twice[0]]}) twice"
        )
    counts = np.bincount(rows, minlength=shape[0])
    return np.concatenate([[0], np.cumsum(counts)]), columns, shape


def _of_dense(given: Any) -> tuple[Any, Any, Any]:
    try:
        dense = np.asarray(given)
    except ValueError:
        dense = np.asarray(None)
    if dense.dtype.kind not in "biuf":
        raise WengertTypeError(
            "a sparsity pattern is a dense array, a SciPy sparse array, a pair (rows, columns) of "
            f"vectors of integers or a Sparsity, not {type(given).__name__}"
        )
    if dense.ndim != 2:
        raise WengertValueError(f"a sparsity pattern has two axes, not {dense.ndim}")
    places = dense != 0
    counts = np.count_nonzero(places, axis=1)
    return np.concatenate([[0], np.cumsum(counts)]), np.nonzero(places)[1], dense.shape
