"""How many operations on numbers a node takes, and how many bytes its value has.

    elementwise op         one for each element, whatever the function
    contraction            2 m n k for a product of m × k by k × n; 2 n for a dot product
    reduction, sum         one for each element read
    movement, conversion   none
    factorisation          the cubes of Golub & Van Loan 2013, *Matrix Computations*, leading terms
    Fourier transform      5 n log₂ n for each transform of length n; half of it of real numbers
    loop                   its steps times the operations of its body

The unit is a floating-point operation as these sources count them, so that exp counts as much as a
product. What takes how long is another question, which `Cost.measured` answers.
"""

from __future__ import annotations

import math

from wengert.control.costs import ELEMENT, elements, work
from wengert.graph.body import bodies
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TupleType, Type
from wengert.graph.walk import topological

_CUBES = {
    "cholesky": 1 / 3,
    "lu": 2 / 3,
    "inverse": 4 / 3,
    "eigvalsh": 4 / 3,
    "eigh": 9.0,
    "eigvals": 10.0,
    "eig": 25.0,
    "svdvals": 8 / 3,
    "svd": 21.0,
    "pinv": 22.0,
    "expm": 30.0,
}
"""Operations as multiples of n³, for a square matrix of order n; the inverse is from factors."""
_NO_CUBE = 10.0
"""The same for an op of matrices that is not named."""
_UNKNOWN = 16
"""The steps of a loop whose length nobody knows."""
_FREE = frozenset({"leaf", "movement", "name"})
_COPIES = frozenset({"convert", "real", "imag", "join"})
_MATRICES = frozenset(
    {"factorisation", "spectral", "determinant", "matrix function", "matrix equation"}
)


def operations(node: Node) -> int:
    """The operations on numbers that a node takes."""
    family, name = node.op.family, node.op.name
    if family in _FREE or name in _COPIES or not node.args:
        return 0
    size = elements(node.type)
    read = sum(elements(arg.type) for arg in node.args)
    if family == "elementwise":
        return size
    if family == "contraction":
        return _products(node, read)
    if family == "reduction":
        return read
    if family == "indexing":
        return elements(node.args[-1].type) if "add" in name else 0
    if family == "transform":
        return _of_transform(node)
    if bodies(node.params):
        return _of_bodies(node)
    order, count = _matrices(node)
    if isinstance(node.args[0].type, TupleType) and family == "determinant":
        return order * count  # the product of the diagonal of the factors
    if family == "linear system" and name != "inverse":
        return order * size * (2 if name == "solve" else 1)
    if family in _MATRICES or name == "inverse":
        if name in ("qr", "lstsq"):
            return _of_qr(node)
        return round(_CUBES.get(name, _NO_CUBE) * count * order**3)
    return max(size, read)


def weighted(node: Node) -> int:
    """The same, where an exponential or a sine counts as the several operations that it is made
    of."""
    plain = operations(node)
    if node.op.family != "elementwise" or not plain:
        return plain
    return round(plain * max(1.0, work(node) / (ELEMENT * plain)))


def nbytes(type: Type) -> int:
    """Bytes of the arrays of a value; 0 of what is none."""
    if isinstance(type, TupleType):
        return sum(map(nbytes, type.items))
    return type.nbytes if isinstance(type, ArrayType) else 0


def _products(node: Node, read: int) -> int:
    """Multiplications and additions; none of the latter where nothing is summed."""
    if node.op.name != "contract":
        shortest = min((arg.type.shape[-1] for arg in node.args if _has_axes(arg)), default=1)
        return 2 * node.size * shortest if node.op.name == "convolve" else 2 * read
    (over, _), _ = node.params
    if not over:
        return node.size
    return 2 * node.size * math.prod(node.args[0].shape[axis] for axis in over)


def _of_transform(node: Node) -> int:
    """The lengths are those in time, which of a real transform's results has about half."""
    (arg,) = node.args
    axes = node.params[0] if isinstance(node.params[0], tuple) else (node.params[0],)
    lengths = [max(arg.shape[axis], node.shape[axis]) for axis in axes]
    is_real = "f" in (arg.dtype.kind, node.dtype.kind)
    each = 2.5 if is_real else 5.0
    return round(each * max(arg.size, node.size) * math.log2(max(math.prod(lengths), 2)))


def _of_bodies(node: Node) -> int:
    """A loop runs its body as often as it is long; of branches one runs, the longest at most."""
    each = max(
        sum(map(operations, topological(body.outputs, stop=body.params)))
        for body in bodies(node.params)
    )
    if node.op.name == "scan":
        length = node.params[3]
        return each * (_UNKNOWN if length is None else length)
    return each * (_UNKNOWN if node.op.name in ("repeat", "root", "linear_solve") else 1)


def _matrices(node: Node) -> tuple[int, int]:
    """(the order of the matrices that a node reads, how many there are)."""
    found = [arg.type.shape for arg in node.args if _has_axes(arg) and arg.ndim > 1]
    if not found:
        return 1, 1
    shape = max(found, key=lambda shape: min(shape[-2:]))
    return min(shape[-2:]), math.prod(shape[:-2])


def _of_qr(node: Node) -> int:
    """2 n² (m − n/3) by reflections, for a matrix of m rows and n columns."""
    *lead, rows, columns = node.args[0].shape
    few, many = sorted((rows, columns))
    return round(math.prod(lead) * 2 * few**2 * (many - few / 3))


def _has_axes(node: Node) -> bool:
    return isinstance(node.type, ArrayType) and node.ndim > 0
