"""The command itself: its help, and the examples in the help of every command."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from click.testing import Result

import wengert
from wengert import cli

COMMANDS = ("explain", "closed-form", "check", "jacobian", "memory", "bench", "demo")
LINES = [
    line
    for command in cli.main.commands.values()
    for line in re.findall(r"^  wengert (.+)$", command.epilog or "", re.MULTILINE)
]


def test_version(run: Callable[..., Result]) -> None:
    assert run("--version").output == f"wengert {wengert.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_names_the_commands_and_the_statuses(
    run: Callable[..., Result], arguments: list[str]
) -> None:
    text = run(*arguments).output
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "...\n" not in text.partition("Commands:")[2]  # no summary is cut off
    assert "exit status is 0" in text
    assert "_WENGERT_COMPLETE=bash_source" in text


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_help_of_a_command_has_examples(run: Callable[..., Result], name: str) -> None:
    text = run(name, "--help").output
    assert f"wengert {name} program.py:" in text
    for option in ("--at", "--json"):
        assert option in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("line", LINES)
def test_examples_of_the_help_run(run: Callable[..., Result], line: str) -> None:
    assert run(*shlex.split(line)).stdout.strip()


def test_every_command_has_examples() -> None:
    assert {line.split()[0] for line in LINES} == set(COMMANDS) - {"demo"}


def test_an_unknown_command_or_option_is_a_usage_error(run: Callable[..., Result]) -> None:
    assert "No such command" in run("explian", status=2).output
    assert "No such option" in run("explain", "--htlm", "x", status=2).output


def test_help_costs_little_more_than_the_import() -> None:
    """By the fastest of two runs of each, since the machine may be busy."""

    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    helping = "import sys; sys.argv = ['wengert', '--help']; from wengert.cli import main; main()"
    rounds = [(seconds("import wengert"), seconds(helping)) for _ in range(2)]
    imported, helped = map(min, zip(*rounds, strict=True))
    assert helped < max(0.5, 1.5 * imported)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from wengert.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('scipy', 'rich', 'llvmlite', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_m() -> None:
    """Also how the statuses reach the shell."""
    line = [sys.executable, "-m", "wengert", "explain", "nowhere.py:f"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2
    assert "there is no file nowhere.py" in done.stderr
