"""`wengert explain`: tables, pictures, pages and documents of one function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import Result
from rich.cells import cell_len

from wengert import lazy

L = ("explain", "program.py:L", "--at", "w1=2,w2=3")


def test_the_table(run: Callable[..., Result]) -> None:
    text = run(*L).stdout
    for part in ("√v₂", "adjoint", "2.0201", "0.933485"):
        assert part in text


def test_one_mode(run: Callable[..., Result]) -> None:
    forward = run(*L, "--mode", "forward").stdout
    assert "∂/∂w₁" in forward
    assert "adjoint" not in forward
    reverse = run(*L, "--mode", "reverse").stdout
    assert "∂/∂w₁" not in reverse
    names = [line.split()[0] for line in reverse.splitlines()[3:] if line.strip()]
    assert names[-2:] in (["w₁", "w₂"], ["w₂", "w₁"])
    assert "v̄₃·∂v₃/∂v₂ + v̄₄·∂v₄/∂v₂" in reverse


def test_the_document(run_json: Callable[..., Any]) -> None:
    found = run_json(*L)
    assert found["function"] == "L"
    assert found["inputs"] == ["w₁", "w₂"]
    steps = {step["name"]: step for step in found["steps"]}
    w1, w2 = 2.0, 3.0
    slope = 1 + 1 / (2 * np.sqrt(w2 * np.log(w1)))
    np.testing.assert_allclose(steps["w₁"]["adjoint"], slope * w2 / w1, rtol=1e-14)
    np.testing.assert_allclose(steps["w₂"]["adjoint"], slope * np.log(w1), rtol=1e-14)
    assert steps[found["output"]]["adjoint"] == 1.0
    assert found["forward"] == [step["name"] for step in found["steps"]]
    assert sorted(found["reverse"]) == sorted(found["forward"])
    operations = [step for step in found["steps"] if step["place"]]
    assert {step["place"]["function"] for step in operations} == {"L"}
    assert operations[-1]["place"]["text"].startswith("return w2 * np.log(w1)")


def test_values_that_are_no_numbers_are_null(run_json: Callable[..., Any], program: Path) -> None:
    (program.parent / "nans.py").write_text(
        "import numpy as np\ndef f(x):\n    return np.sum(np.log(x))\n"
    )
    found = run_json("explain", "nans.py:f", "--at", "x=[nan, 1]")
    values = {step["op"]: step["value"] for step in found["steps"]}
    assert values["log"] == [None, 0.0]


def test_cost_and_why_slow(run: Callable[..., Result], run_json: Callable[..., Any]) -> None:
    assert run(*L, "--cost").stdout.strip()
    assert run(*L, "--why-slow").stdout.strip()
    found = run_json(*L, "--cost", "--why-slow")
    assert {"cost", "why_slow"} <= found.keys()


def test_latex(run: Callable[..., Result]) -> None:
    assert r"\sqrt" in run(*L, "--latex").stdout


def test_what_is_not_finite_is_told(run: Callable[..., Result]) -> None:
    line = ("explain", "program.py:L", "--at")
    said = run(*line, "w1=-1,w2=3").stderr
    assert "(log) is not finite; `with wengert.debug_nans():`" in said
    assert "RuntimeWarning" not in said
    assert "(sqrt) is not finite" in run(*line, "w1=1,w2=3").stderr
    assert run(*line, "w1=2,w2=3").stderr == ""


def test_latex_stands_in_the_document(run_json: Callable[..., Any]) -> None:
    line = ("explain", "program.py:L", "--at", "w1=2,w2=3")
    assert r"\begin{align" in run_json(*line, "--latex")["latex"]
    assert "latex" not in run_json(*line)


def test_files(run: Callable[..., Result], program: Path) -> None:
    line = (*L, "--html", "out.html", "--svg", "out.svg", "--png", "out.png")
    assert run(*line).stdout.split("\n")[:3] == ["wrote out.html", "wrote out.svg", "wrote out.png"]
    root = ElementTree.parse(program.parent / "out.svg").getroot()
    assert root.tag.endswith("svg")
    assert (program.parent / "out.png").read_bytes().startswith(b"\x89PNG")
    page = (program.parent / "out.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")


def test_pictures_of_one_mode(run: Callable[..., Result], program: Path) -> None:
    texts = []
    for mode in ("forward", "reverse"):
        run(*L, "--svg", "out.svg", "--mode", mode)
        texts.append((program.parent / "out.svg").read_text(encoding="utf-8"))
    assert texts[0] != texts[1]


def test_missing_packages_are_named(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    lazy.module.cache_clear()
    said = run(*L, "--png", "out.png", status=1).stderr
    assert "pip install 'wengert[pictures]'" in said


def test_a_file_that_cannot_be_written(run: Callable[..., Result]) -> None:
    assert "cannot be written" in run(*L, "--svg", "no/folder/out.svg", status=2).stderr


def test_the_arguments_to_differentiate_by(run_json: Callable[..., Any], program: Path) -> None:
    assert run_json(*L, "--wrt", "w2")["inputs"] == ["w₂"]
    assert run_json("explain", "program.py:L", "--at", "w1=2.5,w2=int(3)")["inputs"] == ["w₁"]
    (program.parent / "repeating.py").write_text(
        "def f(x, n: int):\n    for _ in range(n):\n        x = x * x\n    return x\n"
    )
    found = run_json("explain", "repeating.py:f", "--at", "x=2,n=3")
    assert found["inputs"] == ["x"]
    assert len(found["steps"]) == 4


@pytest.mark.parametrize("columns", ["60", "90"])
def test_a_table_in_a_pipe_is_as_wide_as_is_asked_for(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(cell_len, run(*L).stdout.splitlines())) <= int(columns)
