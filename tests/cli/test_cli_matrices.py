"""`wengert jacobian` and `wengert memory`: what is computed, and what is planned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.sparse
from click.testing import Result

import wengert as wg

WAVES = ("jacobian", "program.py:waves", "--at", "x=np.linspace(0, 1, 30)")
STEPS = ("memory", "program.py:steps", "--at", "x=np.ones(1000)")
X = np.linspace(0, 1, 30)


def waves(x: Any) -> Any:
    return np.sin(x[1:]) * x[:-1]


EXPECTED = np.zeros((29, 30))
EXPECTED[np.arange(29), np.arange(29)] = np.sin(X[1:])
EXPECTED[np.arange(29), np.arange(1, 30)] = np.cos(X[1:]) * X[:-1]


# ------------------------------------------------------------------------------ jacobian


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_the_matrix(run_json: Callable[..., Any], mode: str) -> None:
    found = run_json(*WAVES, "--mode", mode)
    np.testing.assert_allclose(found["parts"]["jacobian"], EXPECTED, rtol=1e-14, atol=1e-15)


def test_the_sparse_matrix(run_json: Callable[..., Any]) -> None:
    part = run_json(*WAVES, "--sparse")["parts"]["jacobian"]
    found = scipy.sparse.coo_array((part["values"], (part["rows"], part["columns"])), part["shape"])
    assert found.nnz == 58
    np.testing.assert_allclose(found.toarray(), EXPECTED, rtol=1e-14, atol=1e-15)


def test_the_matrix_is_printed(run: Callable[..., Result]) -> None:
    text = run("jacobian", "program.py:waves", "--at", "x=[1, 2]").stdout
    assert text == f"jacobian, 1×2\n[[ {np.sin(2.0):.8f} {np.cos(2.0):.8f}]]\n"


def test_files(run: Callable[..., Result], program: Path) -> None:
    assert run(*WAVES, "--out", "dense.npz").stdout == "wrote dense.npz\n"
    with np.load(program.parent / "dense.npz") as file:
        np.testing.assert_allclose(file["jacobian"], EXPECTED, rtol=1e-14, atol=1e-15)
    run(*WAVES, "--sparse", "--out", "sparse.npz")
    found = scipy.sparse.load_npz(program.parent / "sparse.npz")
    np.testing.assert_allclose(found.toarray(), EXPECTED, rtol=1e-14, atol=1e-15)
    assert "cannot be written" in run(*WAVES, "--out", "no/folder/x.npz", status=2).stderr


@pytest.mark.parametrize("options", [(), ("--sparse",)])
def test_the_file_has_the_name_that_was_given(
    run: Callable[..., Result], program: Path, options: tuple[str, ...]
) -> None:
    assert run(*WAVES, *options, "--out", "w.txt").stdout == "wrote w.txt\n"
    assert sorted(path.name for path in program.parent.glob("w.*")) == ["w.txt"]
    if options:
        found = scipy.sparse.load_npz(program.parent / "w.txt").toarray()
    else:
        with np.load(program.parent / "w.txt") as file:
            found = file["jacobian"]
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-14, atol=1e-15)


def test_several_arguments(run_json: Callable[..., Any]) -> None:
    line = ("jacobian", "program.py:quadratic", "--at", "x=[1, 2],P=2*np.eye(2)")
    parts = run_json(*line)["parts"]
    assert parts == {"jacobian[x]": [2.0, 4.0], "jacobian[P]": [[0.5, 1.0], [1.0, 2.0]]}
    assert run_json(*line, "--wrt", "P")["parts"] == {"jacobian": [[0.5, 1.0], [1.0, 2.0]]}


def test_the_plan(run: Callable[..., Result], run_json: Callable[..., Any]) -> None:
    expected = wg.plan(waves)(X)
    assert run(*WAVES, "--plan").stdout.rstrip() == repr(expected)
    found = run_json(*WAVES, "--plan")["plan"]
    assert found["chosen"]["name"] == expected.chosen.name
    assert [one["cost"] for one in found["candidates"]] == [one.cost for one in expected.candidates]


def test_the_pattern(run: Callable[..., Result], run_json: Callable[..., Any]) -> None:
    expected = wg.sparsity(waves)(X)
    assert repr(expected) in run(*WAVES, "--plan", "--sparse").stdout
    found = run_json(*WAVES, "--plan", "--sparse")["sparsity"]
    assert found["shape"] == [29, 30]
    assert found["places"] == 58
    assert found["products"] == 2
    assert found["colours"] == expected.colours.tolist()
    pairs = set(zip(found["rows"], found["columns"], strict=True))
    assert pairs == set(zip(*np.nonzero(EXPECTED != 0), strict=True)) | {(0, 1)}


def test_modes_of_sparse_ones(run: Callable[..., Result]) -> None:
    said = run(*WAVES, "--sparse", "--mode", "mixed", status=2).stderr
    assert "mixed is no mode of a sparse Jacobian: there are auto, forward" in said
    said = run(*WAVES, "--mode", "bidirectional", status=2).stderr
    assert "with --sparse" in said


# ------------------------------------------------------------------------------ memory


def test_the_memory(run: Callable[..., Result], run_json: Callable[..., Any]) -> None:
    assert "peak" in run(*STEPS).stdout
    free = run_json(*STEPS)["plan"]
    held = run_json(*STEPS, "--budget", "100kB")["plan"]
    assert free["budget"] is None
    assert held["budget"] == 100_000
    assert held["peak"] <= 100_000 < free["peak"]
    assert held["repeated"] != []
    assert max(held["live"]) == held["peak"]


def test_the_drawing(run: Callable[..., Result], program: Path) -> None:
    assert "wrote memory.svg" in run(*STEPS, "--svg", "memory.svg").stdout
    root = ElementTree.parse(program.parent / "memory.svg").getroot()
    assert root.tag.endswith("svg")


def test_budgets(run: Callable[..., Result]) -> None:
    said = run(*STEPS, "--budget", "1kB", status=1).stderr
    assert "no way was found" in said
    assert "smallest budget found is" in said
    assert "no amount of memory" in run(*STEPS, "--budget", "much", status=2).stderr


def test_memory_needs_a_number(run: Callable[..., Result]) -> None:
    said = run("memory", "program.py:waves", "--at", "x=[1, 2, 3]", status=3).stderr
    assert "needs a scalar output" in said
