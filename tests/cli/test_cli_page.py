"""The page of the guide on the command line: its commands print what it says."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

PAGE = Path(__file__).parents[2] / "docs/guide/command-line.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CALLS = [
    (line, printed)
    for block in BLOCKS
    for line, printed in re.findall(r"^\$ wengert (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize(("line", "printed"), CALLS, ids=[line for line, _ in CALLS])
def test_commands_print_what_the_page_says(
    run: Callable[..., Result], program: Path, line: str, printed: str
) -> None:
    (source,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    program.write_text(source, encoding="utf-8")
    found = run(*shlex.split(line)).stdout
    assert doctest.OutputChecker().check_output(printed, found, FLAGS), found


def test_there_are_commands() -> None:
    assert {line.split()[0] for line, _ in CALLS} >= {"check", "explain", "closed-form", "memory"}
    assert len(BLOCKS) == 5
