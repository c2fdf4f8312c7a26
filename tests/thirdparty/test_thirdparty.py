"""Other people's packages, unmodified: derivatives against differences, and values unchanged."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from thirdparty_cases import CASES

import wengert as wg
from support import numeric_grad

pytestmark = pytest.mark.long

PAGE = Path(__file__).parents[2] / "docs" / "adoption.md"


@pytest.fixture(autouse=True)
def adoption():
    with wg.adoption("on"):
        yield
    wg.unadopt()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_derivatives(case):
    with warnings.catch_warnings():
        # what these packages do that Python, NumPy or pandas will refuse one day
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        function = case.function()

        def f(x):
            return case.use(function, x)

        before = f(case.point)
        want = numeric_grad(f, case.point, 1e-4)
        scale = np.abs(want).max()
        assert scale > 0
        value, found = wg.value_and_grad(f)(case.point)
        np.testing.assert_allclose(value, before, rtol=1e-11)
        np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-6 * scale)
        forward = wg.jacfwd(f)(case.point)
        np.testing.assert_allclose(forward, found, rtol=1e-8, atol=1e-8 * scale)
        after = f(case.point)  # of the adopted modules, with nothing traced
    assert type(after) is type(before)
    assert after == before


def test_the_page_names_them_all():
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("## What differentiates")[2]
    named = set(re.findall(r"`([a-z0-9_]+(?:\.\w+)+)`", table))
    assert {case.name for case in CASES} <= named
    assert len({case.name.partition(".")[0] for case in CASES}) >= 12
