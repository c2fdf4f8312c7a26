"""Arrays within larger ones, zeros around them: what is read beyond an edge is zero, and no more.

Loops over the larger arrays are cut where edges begin and end, and read under conditions there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import interpreted

STENCILS: dict[str, Callable[[Any], Any]] = {
    "a column": lambda x: 4 * x[1:-1, 1:-1] - x[:-2, 1:-1] - x[2:, 1:-1] + np.exp(x[1:-1, 1:-1]),
    "a row": lambda x: 4 * x[1:-1, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:] + np.exp(x[1:-1, 1:-1]),
    "a cross": lambda x: (
        np.exp(x[1:-1, 1:-1]) * (x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:])
    ),
    "far to one side": lambda x: np.sin(x[3:, 2:]) * x[:-3, :-2] + x[1:-2, 1:-1],
}


@pytest.mark.parametrize("name", STENCILS)
@pytest.mark.parametrize("n", [5, 14])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobians_of_stencils(name: str, n: int, mode: str) -> None:
    """Machine code gives what the interpreter does, in each row and column."""
    f = STENCILS[name]
    x = np.random.default_rng(n).normal(size=(n, n + 1))
    found = wg.jit(wg.jacobian(f, mode=mode))(x)
    with interpreted():
        expected = wg.jacobian(f, mode=mode)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
