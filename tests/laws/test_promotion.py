"""Elementwise ops promote as NumPy does: every pair of dtypes, and bare Python numbers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from law_checks import close
from law_samples import DTYPES, Function, Sample

import wengert  # noqa: F401  (registers every op)
from wengert.errors import Unsupported
from wengert.graph.registry import UFUNCS, find
from wengert.graph.types import array_type
from wengert.graph.verify import verify
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session

BINARY = {
    ufunc: op
    for ufunc, op in UFUNCS.items()
    if ufunc.nin == 2 and getattr(np, ufunc.__name__, None) is ufunc
}
"""NumPy's. SciPy's, which are there once a test has imported `wengert.scipy`, have other rules."""
VALUES = {dtype: np.array([1, 3], dtype) for dtype in DTYPES}

by_ufunc = pytest.mark.parametrize("ufunc", BINARY, ids=lambda ufunc: ufunc.__name__)


def numpys(ufunc: np.ufunc, *args: Any) -> Any:
    """NumPy's result, or None where it refuses or runs in a dtype that is not traced."""
    try:
        with np.errstate(all="ignore"):
            result = ufunc(*args)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if np.asarray(result).dtype in DTYPES else None


@by_ufunc
def test_pairs_of_dtypes(ufunc: np.ufunc) -> None:
    tried = 0
    for a, b in product(DTYPES, DTYPES):
        expected = numpys(ufunc, VALUES[a], VALUES[b])
        if expected is None:
            continue
        try:
            function = Function(Sample(BINARY[ufunc], [VALUES[a], VALUES[b]]))
        except Unsupported:  # the loop that runs, or its result, is float16
            assert np.dtype(np.float16) in ufunc.resolve_dtypes((a, b, None))
            continue
        verify(function.outputs)
        (value,) = function.at(function.sample.arrays)
        assert value.dtype == expected.dtype == function.outputs[0].dtype, (ufunc, a, b)
        close(value, expected, 0, f"{ufunc.__name__} of {a} and {b}")
        tried += 1
    assert tried


@pytest.mark.parametrize(
    "ufunc",
    [ufunc for ufunc in BINARY if ufunc is not np.ldexp],  # which takes no bare numbers
    ids=lambda ufunc: ufunc.__name__,
)
def test_python_numbers(ufunc: np.ufunc) -> None:
    tried = 0
    for dtype, number, first in product(DTYPES, (3, 2.5, 1 + 2j), (False, True)):
        array = VALUES[dtype]
        expected = numpys(ufunc, *((number, array) if first else (array, number)))
        if expected is None:
            continue
        session = Session()
        x = session.input(array, array_type(array.shape, array.dtype))
        literal = lift(number, session)
        node = BINARY[ufunc](*((literal, x) if first else (x, literal)))
        verify([node])
        assert node.dtype == expected.dtype, (ufunc, dtype, number, first)
        tried += 1
    assert tried


def test_bare_numbers_stay_bare() -> None:
    """What is made of Python numbers alone takes the dtype that it meets, as they do."""
    session = Session()
    a = session.input(np.float64(2), array_type((), np.dtype(float), weak=True))
    x = session.input(np.ones(2, np.float32), array_type((2,), np.dtype(np.float32)))
    i = session.input(np.int64(2), array_type((), np.dtype(np.int64), weak=True))
    for base in (a, i):
        for name, number in product(("add", "multiply", "power", "subtract"), (0, 1, 2, 3, 1.5)):
            node = find(name)(base, lift(number, session))
            verify([node])
            assert node.type.weak, (name, number)
            assert find("multiply")(node, x).dtype == np.float32
