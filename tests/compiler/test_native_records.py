"""Every record, found by itself: machine code gives what the interpreter gives.

In every dtype that the record claims; on the cases that its domain draws and on extents around the
widths of vectors; alone, between two elementwise ops, and its gradient; on arrays that lie in
memory in all ways.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from law_native import check

import wengert  # noqa: F401  (registers every op)
from wengert.compiler.nests import matrices
from wengert.compiler.support import is_native
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import OPS, Op
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, TupleType, array_type, is_inexact
from wengert.ops.domain import Box
from wengert.ops.leaves import seed as seed_of
from wengert.ops.special.ufunc import SCIPY
from wengert.tracing.session import outermost
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

sys.path.append(str(Path(__file__).resolve().parents[1] / "laws"))
from law_checks import has_derivative
from law_samples import DTYPES, Sample, claims, direction, generator, in_box, samples

DRAWN = [op for op in OPS.values() if op.domain is not None]
EXTENTS = (2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 100, 129)
"""Below, at and above the widths of vectors and tiles."""

HOST = {
    *("argmax", "argmin", "nanargmax", "nanargmin", "argsort", "argpartition", "searchsorted"),
    *("cumsum", "cumprod", "convolve", "flatnonzero", "winners", "scatter_put"),
    *("fft", "rfft", "irfft", "wave_transform", "recurrence"),
    *("take_along_axis", "add_along_axis", "apply_operator"),
    *(op.name for op in DRAWN if op.native is SCIPY),
    *(op.name for op in DRAWN if op.evaluate.__module__.startswith("wengert.ops.linalg")),
}
"""Ops that are calls of NumPy in every dtype; those of linear algebra but for a few, which are
machine code where matrices are small."""

HOST_IF_COMPLEX = {"erf", "erfc", "ndtr", "xlogy", "xlog1py"}
"""Ops whose native rules are of real numbers alone."""

by_name = pytest.mark.parametrize(
    "op",
    [
        # their own values are those of the interpreter: what is left are their derivatives
        pytest.param(op, id=op.name, marks=[pytest.mark.long] * (op.native is SCIPY))
        for op in DRAWN
    ],
)


def claimed(op: Op) -> list[np.dtype[Any]]:
    return [dtype for dtype in DTYPES if claims(op, dtype)]


# ------------------------------------------------------------------------------------ samples


def further(op: Op, dtype: np.dtype[Any], extents: Sequence[int]) -> Iterator[Sample]:
    """An elementwise op on these extents, equal and broadcast; the cases of others drawn again."""
    if not isinstance(op.domain, Box):
        yield from samples(op, dtype, seed=extents[0])
        return
    rng = generator(op.name, dtype.str, "further")
    intervals = op.domain.intervals
    for k, n in enumerate(extents):
        shapes: list[tuple[int, ...]] = [(n,), (n,), (n,)]
        if k % 3 == 1:
            shapes = [(3, n), (n,), (3, 1)]
        elif k % 3 == 2:
            shapes = [(n, 1), (1, 5), (n, 5)]
        pairs = zip(intervals, shapes, strict=False)
        yield Sample(op, [in_box(rng, dtype, interval, shape) for interval, shape in pairs])


def laid_out(array: Any, k: int) -> Any:
    """The array, in memory as the k-th layout has it."""
    if not isinstance(array, np.ndarray) or not array.ndim:
        return array
    match k % 6:
        case 0:
            return array
        case 1:
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            wide[..., ::2] = array
            return wide[..., ::2]
        case 2:
            return np.ascontiguousarray(array[::-1])[::-1]
        case 3:
            return np.asfortranarray(array)
        case 4:
            apart = np.zeros((array.shape[0], 3, *array.shape[1:]), array.dtype)
            apart[:, 1] = array
            return apart[:, 1]
    raw = bytearray(b"\0" + array.tobytes())
    return np.frombuffer(raw, array.dtype, offset=1).reshape(array.shape)


# ------------------------------------------------------------------------------------- graphs


class Graph:
    """Samples of an op as one graph."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.outputs: list[Node] = []

    def input(self, array: Any) -> Node:
        return self.session.input(array, array_type(array.shape, array.dtype))

    def add(self, sample: Sample, k: int) -> None:
        """The op alone, between elementwise ops, and its gradients."""
        arrays = [laid_out(array, k + i) for i, array in enumerate(sample.arrays)]
        plain = [self._leaf(array) for array in arrays]
        alone = self._results(sample, plain)
        between = self._results(sample, [self._through(array) for array in arrays])
        self.outputs += [*alone, *map(changed, between)]
        if has_derivative(sample.op):
            self.outputs += self._gradients(plain, alone, sample)

    def _leaf(self, array: Any) -> Node:
        if isinstance(array, np.ndarray | np.generic):
            return self.input(array)
        return self.session.capture_operator(array)

    def _through(self, array: Any) -> Node:
        """The array as the result of an elementwise op that is exact."""
        if not isinstance(array, np.ndarray | np.generic):
            return self.session.capture_operator(array)
        with np.errstate(all="ignore"):
            match array.dtype.kind:
                case "b":
                    before = ~array
                case "u":
                    before = ~array
                case "i":
                    before = -array
                case _:
                    before = 2 * array
        return changed(self.input(np.asarray(before, array.dtype)))

    def _results(self, sample: Sample, inputs: Sequence[Node]) -> list[Node]:
        result = sample.op(*inputs, *sample.params, **sample.keywords)
        if isinstance(result.type, TupleType):
            return [find("item")(result, k) for k in range(len(result.type.items))]
        return [result]

    def _gradients(
        self, inputs: Sequence[Node], outputs: Sequence[Node], sample: Sample
    ) -> list[Node]:
        smooth = [node for node in outputs if is_inexact(node.dtype)]
        wrt = [n for n in inputs if isinstance(n.type, ArrayType) and is_inexact(n.dtype)]
        if not wrt or not smooth:
            return []
        rng = generator(sample.op.name, "ct")
        seeds = [seed_of(node) for node in wrt]
        tangents = pushforward(smooth, dict(zip(wrt, seeds, strict=True)))
        ct = [self.input(direction(rng, np.empty(node.shape, node.dtype))) for node in smooth]
        found = transpose(tangents, seeds, ct)
        return [node for node in found if node is not None]


def changed(node: Node) -> Node:
    """The node through an elementwise op that rounds nothing."""
    match node.dtype.kind:
        case "b":
            return find("logical_not")(node)
        case "u":
            return find("invert")(node)
        case "i":
            return find("negative")(node)
    return find("multiply")(node, full(0.5, node.dtype, node.shape))


# -------------------------------------------------------------------------------------- tests


@by_name
def test_drawn_samples(op: Op) -> None:
    """Together, so that they become loops, in two of the dtypes."""
    dtypes = claimed(op)
    number = DRAWN.index(op)
    for dtype in {dtypes[-1 - number % min(2, len(dtypes))], dtypes[number % len(dtypes)]}:
        extents = [EXTENTS[(number * 5 + k * 7) % len(EXTENTS)] for k in range(2)]
        check_loops(op, dtype, extents)


def check_loops(op: Op, dtype: np.dtype[Any], extents: Sequence[int]) -> None:
    """Drawn samples and further ones in one program, beside an array that is too large to be
    taken apart into numbers."""
    check_samples([*samples(op, dtype), *further(op, dtype, extents)], True)


def check_samples(found: Sequence[Sample], beside: bool = False) -> None:
    with outermost() as session:
        graph = Graph(session)
        for k, sample in enumerate(found):
            graph.add(sample, k)
        if beside:
            graph.outputs.append(find("negative")(graph.input(np.arange(70.0))))
        check(graph.outputs, session.values, repr(found[0]))


@by_name
def test_numbers(op: Op) -> None:
    """One sample, which is small and becomes a program of numbers."""
    dtype = claimed(op)[-1]
    check_samples([next(samples(op, dtype))])


@pytest.mark.long
@pytest.mark.parametrize("op", [op for op in DRAWN if op.name not in HOST], ids=lambda op: op.name)
def test_all_extents(op: Op) -> None:
    for dtype in claimed(op):
        for sample in samples(op, dtype):
            check_samples([sample])
        for k in range(0, len(EXTENTS), 6):
            check_loops(op, dtype, EXTENTS[k : k + 6])


def test_host_calls() -> None:
    """What runs as calls of NumPy: the ops listed, and no others."""
    for op in DRAWN:
        if op.name in matrices.FORMS:
            continue
        for dtype in claimed(op):
            with outermost() as session:
                graph = Graph(session)
                for sample in samples(op, dtype):
                    inputs = [graph._leaf(array) for array in sample.arrays]
                    node = sample.op(*inputs, *sample.params, **sample.keywords)
                    if node.op is not op:  # the op is the identity here
                        continue
                    complex_host = op.name in HOST_IF_COMPLEX and dtype.kind == "c"
                    expected = op.name not in HOST and not complex_host
                    assert is_native(node) == expected, f"{sample} is native: {not expected}"
