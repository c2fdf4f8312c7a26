"""Functions in files and modules, and what is said of those that are not there or raise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from wengert.cli.programs import loaded

AT = ("--at", "x=1")


def test_the_main_part_is_not_run_and_modules_beside_are_found(program: Path) -> None:
    (program.parent / "other.py").write_text(
        "import program\ndef f(x):\n    return program.loss(x)\n"
    )
    assert loaded("other.py:f").function(0.0) == 0.0
    assert loaded(f"{program}:L").name == "L"


def test_functions_of_modules(program: Path) -> None:
    package = program.parent / "parts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "sums.py").write_text("class Sum:\n    @staticmethod\n    def f(x): return x\n")
    assert loaded("parts.sums:Sum.f").function(2) == 2
    assert loaded("numpy.linalg:norm").function([3.0, 4.0]) == 5.0


def test_a_file_may_have_the_name_of_a_module(program: Path) -> None:
    (program.parent / "random.py").write_text("def f(x): return x\n")
    assert loaded("random.py:f").function(1) == 1
    import random

    assert hasattr(random, "random")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("progam.py:L", "there is no file progam.py. Did you mean program.py?"),
        ("nowhere/at/all.py:L", "there is no file nowhere/at/all.py"),
        ("program.py", "names no function: write program.py:FUNCTION. There are L, loss"),
        ("program.py:", "names no function"),
        ("program.py:los", "program.py has no function los. There are L, loss"),
        ("program.py:los", "Did you mean loss?"),
        ("program.py:Model", "Model in program.py is a class: name a function"),
        ("program.py:rate", "rate in program.py is no function: it is float"),
        ("no_such_module:f", "there is no module no_such_module"),
        ("no-name:f", "there is no file no-name"),
        ("numpy.linalg:nrm", "Did you mean norm?"),
    ],
)
def test_what_is_not_there(run: Callable[..., Result], target: str, message: str) -> None:
    result = run("check", target, *AT, status=2)
    assert message in result.stderr
    assert result.stdout == ""


def test_a_function_that_raises(run: Callable[..., Result]) -> None:
    said = run("check", "program.py:raises", *AT, status=3).stderr
    assert said.startswith("Error: the program raised ValueError: x is odd\n  at program.py:")
    assert said.endswith(' in raises: raise ValueError("x is odd")\n')


def test_what_cannot_be_differentiated_is_said_with_its_line(
    run: Callable[..., Result], program: Path
) -> None:
    text = "import numpy as np\n\ndef f(x):\n    y = np.packbits(x)\n    return np.sum(y)\n"
    (program.parent / "bits.py").write_text(text)
    said = run("bench", "bits.py:f", "--at", "x=[1.0, 2.0]", status=3).stderr
    assert "bits.py:4 in f: y = np.packbits(x)" in said
    assert said.count("bits.py") == 1


def test_a_file_that_is_no_program(run: Callable[..., Result], program: Path) -> None:
    (program.parent / "broken.py").write_text("def f(x):\n    return (\n")
    said = run("check", "broken.py:f", *AT, status=3).stderr
    assert "broken.py:2 is no Python: '(' was never closed\n  return (" in said
    (program.parent / "lacking.py").write_text("import nothing_there\n")
    said = run("check", "lacking.py:f", *AT, status=3).stderr
    assert "No module named 'nothing_there'\n  at lacking.py:1: import nothing_there" in said
    (program.parent / "ends.py").write_text("raise SystemExit(0)\n")
    assert "ended itself" in run("check", "ends.py:f", *AT, status=3).stderr


def test_a_whole_number_that_was_meant(run: Callable[..., Result], program: Path) -> None:
    (program.parent / "loops.py").write_text(
        "def f(x, n):\n    for _ in range(n):\n        x = x * x\n    return x\n"
    )
    said = run("check", "loops.py:f", "--at", "x=1.5,n=3", status=3).stderr
    assert "write n=int(3) for a whole one" in said
    run("check", "loops.py:f", "--at", "x=1.5,n=int(3)")


def test_what_a_program_prints_is_not_in_the_document(
    run_json: Callable[..., object], run: Callable[..., Result]
) -> None:
    run_json("check", "program.py:noisy", *AT)
    assert "noise" in run("check", "program.py:noisy", *AT).stdout


def test_whole_numbers_are_told(run: Callable[..., Result]) -> None:
    said = run("check", "program.py:loss", "--at", "x=np.array([2, 3])", status=2).stderr
    assert "no argument holds a float (x holds int64: write it as floats" in said


def test_files_whose_ending_says_something_else(run: Callable[..., Result], program: Path) -> None:
    said = run("explain", "program.py:L", *AT, "--svg", "out.png", status=2).stderr
    assert "out.png would hold SVG: write --png out.png" in said
    at = ("--at", "x=np.ones(3)")
    said = run("memory", "program.py:steps", *at, "--svg", "out.html", status=2).stderr
    assert "out.html would hold SVG" in said
    assert not list(program.parent.glob("out.*"))
