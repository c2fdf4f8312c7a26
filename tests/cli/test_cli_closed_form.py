"""`wengert closed-form`: formulas in the terminal, as LaTeX, as NumPy, as a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

RESIDUAL = ("closed-form", "program.py:residual", "--at", "x=[1, 2]")
QUADRATIC = ("closed-form", "program.py:quadratic", "--at", "x=[1, 2],P=np.eye(2)")


def test_the_formulas(run: Callable[..., Result]) -> None:
    text = run(*RESIDUAL).stdout
    assert "Aᵀ(Ax − b)" in text
    assert "AᵀA" in text


def test_what_is_known(run: Callable[..., Result]) -> None:
    assert "P + Pᵀ" in run(*QUADRATIC, "--wrt", "x").stdout
    assert "Pᵀ" not in run(*QUADRATIC, "--wrt", "x", "--assume", "P=symmetric").stdout


def test_several_assumptions_of_one_name(run: Callable[..., Result]) -> None:
    known = ("--assume", "P=symmetric", "--assume", "P=idempotent")
    assert "Pᵀ" not in run(*QUADRATIC, *known).stdout


def test_latex_and_numpy(run: Callable[..., Result]) -> None:
    assert r"A^{\top}" in run(*RESIDUAL, "--latex").stdout
    source = run(*RESIDUAL, "--numpy").stdout
    compile(source, "source", "exec")
    assert "def " in source


def test_the_document(run_json: Callable[..., Any]) -> None:
    found = run_json(*RESIDUAL)
    assert found["gradient"] == "Aᵀ(Ax − b)"
    assert found["hessian"] == "AᵀA"
    assert len(found["steps"]) >= 2
    assert {"text", "latex", "numpy"} <= found.keys()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--assume", "P"), "'P' is no NAME=PROPERTY"),
        (("--assume", "P=symmetrical"), "P cannot be 'symmetrical'; what may be assumed is"),
        (("--assume", "P=symetric"), "Did you mean symmetric?"),
        (("--assume", "Q=symmetric"), "the function has no Q; it has x, P"),
        (("--wrt", "y"), "'y' is no argument here: there are x, P"),
    ],
)
def test_usage(run: Callable[..., Result], options: tuple[str, ...], message: str) -> None:
    assert message in run(*QUADRATIC, *options, status=2).stderr


def test_one_argument_is_there(run: Callable[..., Result]) -> None:
    said = run("check", "program.py:loss", "--at", "x=[1, 2]", "--wrt", "y", status=2).stderr
    assert "'y' is no argument here: there is x" in said
