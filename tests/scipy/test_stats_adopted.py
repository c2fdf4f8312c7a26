"""Programs written for scipy.stats alone: their module is adopted, and then they are traced."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

import wengert as wg


@pytest.fixture(autouse=True)
def adoption() -> Iterator[None]:
    with wg.adoption("on"):
        yield


def test_a_program_written_for_scipy_is_traced() -> None:
    points = np.array([-1.0, 0.2, 3.0])

    def f(m: float) -> float:
        return np.sum(stats.norm(m, 2.0).logpdf(points)) + stats.poisson.logpmf(3, m)

    assert wg.grad(f)(0.5) == pytest.approx(np.sum(points - 0.5) / 4 + 3 / 0.5 - 1)
