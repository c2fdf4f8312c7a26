"""A folder with a program in it, and the command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wengert import cli

PROGRAM = '''\
"""The functions of the examples."""

import numpy as np

rate = 0.1
A, b = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.ones(3)


def L(w1, w2):
    return w2 * np.log(w1) + np.sqrt(w2 * np.log(w1))


def loss(x):
    return np.sum(np.sin(x) * x)


def waves(x):
    return np.sin(x[1:]) * x[:-1]


def steps(x, n: int = 20):
    for _ in range(n):
        x = np.sin(x) * 1.1
    return np.sum(x)


def residual(x):
    return 0.5 * np.sum((A @ x - b) ** 2)


def quadratic(x, P):
    return 0.5 * x @ P @ x


def raises(x):
    halved = x / 2
    raise ValueError("x is odd")


def noisy(x):
    print("noise on stdout")
    return x * x


class Model:
    def __call__(self, x):
        return x


if __name__ == "__main__":
    raise SystemExit("the main part was run")
'''


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """`program.py` in an empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # which pytest's workers have, and tables obey
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    modules, search = set(sys.modules), list(sys.path)
    yield path
    sys.path[:] = search
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def run(program: Path) -> Callable[..., Result]:
    """Runs the command beside `program.py`, and asserts its exit status."""

    def runs(*arguments: str, status: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, list(arguments))
        assert result.exit_code == status, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return runs


@pytest.fixture
def run_json(run: Callable[..., Result]) -> Callable[..., Any]:
    """The document that the command prints with --json, by the rules of JSON."""

    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    def runs(*arguments: str, status: int = 0) -> Any:
        result = run(*arguments, "--json", status=status)
        return json.loads(result.stdout, parse_constant=no_constants)

    return runs
