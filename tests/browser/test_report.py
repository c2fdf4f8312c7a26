"""The report in a browser: on a screen, on a phone, in the dark, and on paper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from wengert.cli import demo
from wengert.cli.report import writing

CLIPPED = """() => [...document.querySelectorAll("table, pre, .math, dd, figure > svg, p")]
    .filter(one => one.checkVisibility() && !one.matches(".wg-hidden"))
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1
        || (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
            && getComputedStyle(one).overflowX !== "visible"))
    .map(one => one.outerHTML.slice(0, 80))"""
PAPER = {"width": 680, "height": 960}  # A4 within its margins, at 96 pixels an inch


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a small run."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    modes = demo._example("forward_or_reverse")
    points = [modes.measured(outputs, rounds=2) for outputs in (1, 30)]
    found = writing.Found(demo._example("cities").recover(), points, 0.9634, 4, 12.0)
    results = demo._folder().parent / demo._RESULTS
    writing.write(path, found, demo._example, results, quick=True)
    return path.read_text(encoding="utf-8")


def width(opened: Any) -> int:
    return int(opened.page.evaluate("document.documentElement.scrollWidth"))


def test_it_opens_without_complaints(html: str, opening: Any) -> None:
    opened = opening(html)
    assert opened.messages == []
    assert all(url.startswith("file:") for url in opened.requests)
    assert opened.page.locator("main > section").count() == 9
    assert width(opened) == 1280


def test_links_lead_to_their_sections(html: str, opening: Any) -> None:
    opened = opening(html)
    opened.page.click("nav a[href='#memory']")
    opened.page.wait_for_function(
        "Math.abs(document.querySelector('#memory').getBoundingClientRect().top) < 10"
    )


def test_the_graph_steps(html: str, opening: Any) -> None:
    opened = opening(html)
    before = opened.page.text_content('.wg [data-part="count"]')
    opened.page.click('.wg [data-part="on"]')
    opened.page.wait_for_function(
        "old => document.querySelector('.wg [data-part=count]').textContent !== old", arg=before
    )


def test_a_phone_scrolls_in_one_direction(html: str, opening: Any) -> None:
    opened = opening(html, viewport={"width": 390, "height": 800})
    assert width(opened) == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(html: str, opening: Any, scheme: str) -> None:
    """The contrast of WCAG's level AA for text, 4.5 : 1, also in the pictures."""
    opened = opening(html, color_scheme=scheme)
    read = """() => ["p", "td", ".about", ".glance strong", "figcaption", "figure text", "h2", "a"]
        .map(one => document.querySelector("main " + one) ?? document.querySelector(one))
        .map(one => getComputedStyle(one)[one.tagName === "text" ? "fill" : "color"])"""
    paper = luminance(opened.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (paper > 0.5) == (scheme == "light")
    for colour in opened.page.evaluate(read):
        ink = luminance(colour)
        bright, dim = max(ink, paper), min(ink, paper)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, colour


def luminance(colour: str) -> float:
    """Of rgb(…): its relative luminance (WCAG 2.2)."""
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_nothing_is_clipped_on_paper(html: str, opening: Any) -> None:
    opened = opening(html, viewport=PAPER)
    opened.page.emulate_media(media="print")
    assert width(opened) <= PAPER["width"]
    assert opened.page.evaluate(CLIPPED) == []
    assert not opened.page.locator(".wg-player").is_visible()


def test_it_prints(html: str, opening: Any, tmp_path: Path) -> None:
    opened = opening(html)
    printed = opened.page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 5 <= pages <= 16
    # On paper the graph shows all its values.
    count = opened.page.text_content('.wg [data-part="count"]')
    assert count.split(" of ")[0] == count.split(" of ")[1]
