"""The pages: their examples run, what they name exists, and the generated one is current."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy

import wengert as wg
from wengert.graph.op import OPS
from wengert.graph.registry import UFUNCS

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
WITH_EXAMPLES = [page for page in PAGES if ">>> " in page.read_text(encoding="utf-8")]
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


def run_examples(page: Path) -> dict[str, Any]:
    """Run the examples of a page; what they defined."""
    text = page.read_text(encoding="utf-8")
    test = doctest.DocTestParser().get_doctest(text, {}, named(page), str(page), 0)
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(
        test, out=report.append, clear_globs=False
    )
    assert results.attempted
    assert not results.failed, "".join(report)
    return test.globs


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
    run_examples(page)


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
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([\w-]+)", page.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


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
