"""The site: it builds without a warning, needs no network, and has all public names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import wengert as wg

ROOT = Path(__file__).parents[1]
PACKAGES = ("distributed", "estimate", "optimize", "random", "zeroth")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does, in a process of its own; warnings are errors."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "--no-color"]
    built = subprocess.run(
        [
            *command,
            "-b",
            "html",
            "-d",
            str(out / "doctrees"),
            str(ROOT / "docs"),
            str(out / "html"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    return out / "html"


def test_every_page_is_there(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").exists(), page


def test_links_of_the_site_lead_somewhere(site: Path) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert len(pages) > 50
    for page, text in pages.items():
        for target in re.findall(r'<a [^>]*href="([^"#]+)[^"]*"', text):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page.relative_to(site)}: {target}"


def test_nothing_is_fetched(site: Path) -> None:
    fetched = re.compile(
        r'<(?:script|img|iframe)[^>]* src="https?:|<link[^>]* rel="stylesheet"[^>]* href="https?:'
    )
    for page in site.rglob("*.html"):
        assert not fetched.search(page.read_text(encoding="utf-8")), page.relative_to(site)
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:", style.read_text(encoding="utf-8")), style


def test_every_public_name_is_in_the_api(site: Path) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    documented = set(re.findall(r'id="(wengert(?:\.\w+)+)"', text))
    functions = {name for name in wg.__all__ if type(getattr(wg, name)).__name__ != "module"}
    missing = {f"wengert.{name}" for name in functions} - documented
    for package in PACKAGES:
        names = getattr(wg, package).__all__
        missing |= {f"wengert.{package}.{name}" for name in names} - documented
    assert not missing
