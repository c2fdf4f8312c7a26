"""The page on what automatic differentiation is not says what is found when computed again."""

from __future__ import annotations

import json
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from test_docs import ROOT, load


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load(ROOT / "benchmarks" / "what_ad_is_not.py")


@pytest.fixture(scope="module")
def found(script: ModuleType) -> dict[str, Any]:
    """What does not depend on the machine, computed here."""
    computed: dict[str, Any] = json.loads(json.dumps(script.exact()))
    return computed


def test_what_does_not_depend_on_the_machine(script: ModuleType, found: dict[str, Any]) -> None:
    assert found == json.loads(script.RESULTS.read_text(encoding="utf-8"))["exact"]


def test_page_shows_the_results(script: ModuleType) -> None:
    page = script.PAGE.read_text(encoding="utf-8")
    results = json.loads(script.RESULTS.read_text(encoding="utf-8"))
    assert script.filled(page, script.tables(results)) == page


def test_textbook_rules_against_closed_forms(script: ModuleType, found: dict[str, Any]) -> None:
    for row in found["product"]:
        assert row["textbook"] == row["n"] * (row["n"] - 2)
    e = script.logistic(script.Written("x"), 1).e  # 4 x (1 − x)
    first, second = ("*", 4, ("-", 1, "x")), ("*", ("*", 4, "x"), ("-", 0, 1))
    assert script.textbook(e, "x") == ("+", first, second)


def test_what_the_text_says_of_the_tables(found: dict[str, Any]) -> None:
    errors = found["errors"]
    best = {k: min(row[k] for row in errors["rows"]) for k in ("forward", "central")}
    assert 1e-9 < best["forward"] < 1e-7
    assert 1e-13 < best["central"] < 1e-10
    assert errors["automatic"] < 1e-15
    assert all(row["wengert"] <= 3 * row["function"] for row in found["product"])
    growth = {row["n"]: row["wengert"] for row in found["logistic"]}
    assert growth[10] - growth[8] == growth[8] - growth[6] == growth[6] - growth[4]
    nested, taylor = ([row[k] for row in found["orders"]] for k in ("nested", "taylor"))
    assert all(b > 1.9 * a for a, b in pairwise(nested))
    assert len(set(np.diff(taylor[1:], 2))) == 1
