"""`wengert check`: it agrees where derivatives are right, and says which operation is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

L = ("check", "program.py:L", "--at", "w1=2,w2=3")

WRONG = """
import numpy as np
import wengert as wg

@wg.custom_jvp
def cube(x):
    return x**3

@cube.defjvp
def rule(primals, tangents):
    (x,), (dx,) = primals, tangents
    return cube(x), 2 * x**2 * dx  # 3, not 2

def f(x):
    return np.sum(cube(np.sin(x)))
"""


def test_agrees(run: Callable[..., Result]) -> None:
    lines = run(*L).stdout.splitlines()
    assert lines == [
        "agrees   gradient by forward mode",
        "agrees   gradient by reverse mode",
        "agrees   order 2 by forward mode and reverse mode",
        "L: derivatives agree with differences",
    ]


def test_orders_and_modes(run_json: Callable[..., Any]) -> None:
    found = run_json(*L, "--order", "3", "--modes", "rev", "--wrt", "w1")
    assert found["agree"] is True
    assert found["wrt"] == ["w1"]
    assert [one["what"] for one in found["checks"]] == [
        "gradient by reverse mode",
        "order 2 by reverse mode",
        "order 3 by reverse mode",
    ]


def test_a_wrong_rule_is_found(
    run: Callable[..., Result], run_json: Callable[..., Any], program: Path
) -> None:
    (program.parent / "wrong.py").write_text(WRONG)
    line = ("check", "wrong.py:f", "--at", "x=[0.5, 1.0]")
    result = run(*line, status=1)
    assert result.stdout.splitlines()[0] == "differs  gradient by forward mode"
    assert "f: the derivative by fwd does not agree with differences" in result.stderr
    assert "the pushforward of cube disagrees" in result.stderr
    found = run_json(*line, status=1)
    assert found["agree"] is False
    assert [one["agrees"] for one in found["checks"]] == [False, False]
    blamed = found["checks"][0]["operation"]
    assert blamed["name"] == "cube"
    assert blamed["kind"] == "pushforward"
    assert blamed["place"]["text"] == "return np.sum(cube(np.sin(x)))"


def test_a_jump_is_found(run: Callable[..., Result], program: Path) -> None:
    (program.parent / "jump.py").write_text(
        "import numpy as np\ndef f(x):\n    return np.floor(x) * x\n"
    )
    run("check", "jump.py:f", "--at", "x=1.5")
    assert (
        "floor has a kink near here" in run("check", "jump.py:f", "--at", "x=2.0", status=1).stderr
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--modes", "forwards"), "'forwards' is no mode: there are fwd and rev"),
        (("--order", "0"), "0 is not in the range"),
        (("--wrt", "w3"), "'w3' is no argument here: there are w1, w2"),
    ],
)
def test_usage(run: Callable[..., Result], options: tuple[str, ...], message: str) -> None:
    assert message in run(*L, *options, status=2).stderr


def test_a_function_that_is_nan_is_told_as_such(run: Callable[..., Result]) -> None:
    result = run("check", "program.py:L", "--at", "w1=-1,w2=3", status=1)
    assert "log is not finite here, so there is no derivative" in result.stderr
    assert "RuntimeWarning" not in result.stderr
    assert "another eps" not in result.stderr
