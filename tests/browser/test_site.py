"""The site of the documentation, in a browser: no page is wider than its window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WIDTHS = (
    360,
    700,
    1030,
    1100,
    1400,
    1800,
)  # phones, tablets, and both sides of the theme's borders
PAGES = ("index", "design", "sharp-edges", "coming/from-jax", "what-ad-is-not", "api/explaining")


@pytest.mark.long
def test_pages_fit_their_windows(chromium: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--quiet", "-b", "html"]
    subprocess.run([*command, str(ROOT / "docs"), str(tmp_path)], check=True, timeout=300)
    page = chromium.new_page()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for name in PAGES:
            page.goto((tmp_path / f"{name}.html").as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide in a window of {width}"
    page.close()
