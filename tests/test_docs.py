"""The pages: their code runs, what they name exists, and the generated one is current.

A fenced block is `pycon`, whose examples run as doctests, or `python`, which is executed; all
blocks of a page share their names. What is not run is `text`, or `console`, whose commands are
looked up.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest
import scipy

import wengert as wg
from wengert.graph.op import OPS
from wengert.graph.registry import UFUNCS

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
RUN = {"pycon", "python"}
NOT_RUN = {"text", "console"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def load(path: Path) -> ModuleType:
    """A module by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, or a directive in braces; its text; the line that opens it."""

    language: str
    text: str
    line: int


def fences(page: Path) -> list[Fence]:
    """The fenced blocks of a page, by either kind of fence, nested directives opened up."""
    found, opened = [], None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        mark = re.match(r"(`{3,}|:{3,})\s*(.*)$", line)
        if opened is not None:
            if mark and mark[1] == opened[0] and not mark[2]:
                found.append(Fence(opened[1], "\n".join(opened[2]) + "\n", opened[3]))
                opened = None
            else:
                opened[2].append(line)
        elif mark and mark[1][0] == "`":
            opened = (mark[1], mark[2], [], number)
    assert opened is None, f"{named(page)}:{number}: a fence stays open"
    return found


WITH_EXAMPLES = [page for page in PAGES if any(f.language in RUN for f in fences(page))]


def run_examples(page: Path) -> dict[str, Any]:
    """Run the blocks of a page, one after another; what they defined."""
    names: dict[str, Any] = {}
    for fence in fences(page):
        if fence.language == "python":
            # As many lines above it as there are, so that an error tells the line of the page.
            exec(compile("\n" * fence.line + fence.text, str(page), "exec"), names)
        elif fence.language == "pycon":
            parser, report = doctest.DocTestParser(), []
            test = parser.get_doctest(fence.text, {}, named(page), str(page), fence.line)
            test.globs = names
            results = doctest.DocTestRunner(optionflags=FLAGS).run(
                test, out=report.append, clear_globs=False
            )
            assert results.attempted, f"{named(page)}:{fence.line}: no example"
            assert not results.failed, "".join(report)
    return names


@pytest.fixture(autouse=True)
def adoption() -> Iterator[None]:
    """As users have it: on. What the pages adopt is given back."""
    with wg.adoption("on"):
        yield
    wg.unadopt()


def test_pages_with_examples() -> None:
    assert {named(page) for page in WITH_EXAMPLES} >= {
        "README.md",
        "CONTRIBUTING.md",
        "docs/design.md",
        "docs/sharp-edges.md",
    }


@pytest.mark.parametrize(
    "page", [p for p in WITH_EXAMPLES if p.name != "CONTRIBUTING.md"], ids=named
)
def test_examples(page: Path) -> None:
    if "\n%0 = " not in page.read_text(encoding="utf-8"):
        run_examples(page)
        return
    # Graphs are listed in the order in which their nodes were made: so no node of another test may
    # be there still, and the page has a process of its own.
    run = "import sys, pathlib, test_docs; test_docs.run_examples(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-W", "error", "-c", run, str(page)]
    found = subprocess.run(
        command, cwd=ROOT / "tests", capture_output=True, text=True, timeout=300, check=False
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_code_is_left_unrun(page: Path) -> None:
    for fence in fences(page):
        place = f"{named(page)}:{fence.line}"
        if not fence.language.startswith("{"):
            assert fence.language in RUN | NOT_RUN, f"{place}: a fence of {fence.language!r}"
        assert fence.language == "pycon" or ">>> " not in fence.text, f"{place}: not run"
    text = page.read_text(encoding="utf-8")
    in_fences = sum(fence.text.count(">>> ") for fence in fences(page))
    assert text.count(">>> ") == in_fences, "an example outside of a fence"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_exist(page: Path) -> None:
    for fence in fences(page):
        for line in fence.text.splitlines() if fence.language == "console" else ():
            if line.startswith("$ "):
                check_command(shlex.split(line[2:], comments=True))


def check_command(words: list[str]) -> None:
    """A target of make, a subcommand of wengert, a test or program of the repository."""
    while "=" in words[0]:  # settings of the environment
        words = words[1:]
    program, arguments = Path(words[0]).name, words[1:]
    if program == "make":
        for target in (word for word in arguments if "=" not in word):
            assert is_make_target(target), words
    elif program == "wengert":
        from wengert.cli import main

        assert isinstance(main, click.Group)
        assert arguments[0] in main.commands, words
    elif program in ("python", "pytest"):
        for file in (word for word in arguments if word.endswith(".py")):
            assert file == "tests/test_name.py" or (ROOT / file).is_file(), words
    else:
        assert program in ("pip", "git"), words


def is_make_target(name: str) -> bool:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.search(rf"^{name}:", makefile, re.MULTILINE) is not None


def test_the_op_of_the_guide_obeys_the_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "laws"))
    laws = importlib.import_module("law_checks")
    before = set(OPS)
    try:
        op = run_examples(ROOT / "CONTRIBUTING.md")["log_sigmoid"]
        assert set(OPS) - before == {op.name}
        laws.check_slots(op)
        dtype = np.dtype(float)
        for check in laws.check_pushforward, laws.check_second_order:
            laws.at_smooth_points(op, dtype, check)
        for sample in laws.samples(op, dtype):
            laws.check_value(sample)
            laws.check_transpose(sample)
            laws.check_masks(sample)
    finally:
        for name in set(OPS) - before:
            del OPS[name]
        for ufunc in [ufunc for ufunc, op in UFUNCS.items() if op.name not in OPS]:
            del UFUNCS[ufunc]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"\bwg\.(\w+)", text):
        assert hasattr(wg, name), name
    for path in re.findall(r"`(wengert(?:\.\w+)+)`", text):
        assert resolves(path), path


def resolves(path: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    value: Any = None
    parts = path.split(".")
    for k, part in enumerate(parts):
        if value is not None and hasattr(value, part):
            value = getattr(value, part)
        elif importlib.util.find_spec(".".join(parts[: k + 1])) is not None:
            value = importlib.import_module(".".join(parts[: k + 1]))
        else:
            return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_make_targets_exist(page: Path) -> None:
    for target in re.findall(r"`make ([\w-]+)", page.read_text(encoding="utf-8")):
        assert is_make_target(target), target


def test_every_public_name_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in wg.__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_coverage_page_is_current() -> None:
    page = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    made_with = re.search(r"Generated with NumPy (\d+\.\d+) and SciPy (\d+\.\d+)", page)
    assert made_with is not None
    for package, version in zip((np, scipy), made_with.groups(), strict=True):
        if not package.__version__.startswith(version + "."):
            pytest.skip(f"the page was generated with {package.__name__} {version}")
    current = load(ROOT / "docs/make_coverage.py").page()
    assert page == current, "run: make docs-coverage"
