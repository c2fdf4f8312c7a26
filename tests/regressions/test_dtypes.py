"""Dtypes where NumPy makes arrays of Python numbers first, or promotes all arguments at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support import same
from wengert import jit

SINGLE = np.array([1.5, 2.5], np.float32)
BYTES = np.array([1, 2, 250], np.uint8)
TRUTHS = np.array([True, False, True])

CASES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "dot of a Python number": (lambda x: np.dot(x, 2.5), SINGLE),
    "dot of a larger int": (lambda x: np.dot(x, 300), BYTES),
    "inner of a Python number": (lambda x: np.inner(2.5, x), SINGLE),
    "kron of a Python number": (lambda x: np.kron(x[0], 2.5), SINGLE),
    "tensordot of a Python number": (lambda x: np.tensordot(x, 2.5, axes=0), SINGLE),
    "polyval at a Python number": (lambda x: np.polyval(x, 2.5), SINGLE),
    "polyadd of a Python number": (lambda x: np.polyadd(x, 2.5), SINGLE),
    "average with a Python number": (lambda x: np.average(x[0], weights=2.5), SINGLE),
    "vdot of booleans": (lambda x: np.vdot(x, x), TRUTHS),
    "vdot of bytes": (lambda x: np.vdot(x, x), BYTES),
    "search of a negative int": (lambda x: np.searchsorted(x, -1), BYTES),
    "search of a large int": (lambda x: np.searchsorted(x, 300), BYTES),
    "digitize by bytes": (lambda x: np.digitize(300, x), BYTES),
    "truth of complex numbers": (lambda x: x.astype(bool), np.array([1j, 0, 2, 1 + 1j])),
    "clip of booleans": (lambda x: np.clip(x, 0, SINGLE[:1]), TRUTHS),
}


@pytest.mark.parametrize(("f", "x"), CASES.values(), ids=CASES)
def test_the_dtype_is_numpys(f, x):
    same(jit(f)(x), f(x), rtol=1e-6)
