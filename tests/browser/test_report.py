"""The report in a browser: on a screen, on a phone, in the dark, and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def opened(html: str, opening: Any) -> Any:
    return opening(html)


@pytest.fixture
def desk(opened: Any) -> Iterator[Any]:
    """The page on a desk, in light colours, whatever a test makes of it then."""
    yield opened
    opened.page.set_viewport_size({"width": 1280, "height": 860})
    opened.page.emulate_media(media="screen", color_scheme="light")


def test_it_opens_without_complaints(desk: Any) -> None:
    assert desk.messages == []
    assert all(url.startswith("file:") for url in desk.requests)
    assert desk.page.locator("main > section").count() == 9
    assert width(desk) == 1280


def test_links_lead_to_their_sections(desk: Any) -> None:
    desk.page.click("nav a[href='#memory']")
    desk.page.wait_for_function(
        "Math.abs(document.querySelector('#memory').getBoundingClientRect().top) < 10"
    )


def test_the_graph_steps(desk: Any) -> None:
    before = desk.page.text_content('.wg [data-part="count"]')
    desk.page.click('.wg [data-part="on"]')
    desk.page.wait_for_function(
        "old => document.querySelector('.wg [data-part=count]').textContent !== old", arg=before
    )


def test_a_phone_scrolls_in_one_direction(desk: Any) -> None:
    desk.page.set_viewport_size({"width": 390, "height": 800})
    assert width(desk) == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(desk: Any, scheme: str) -> None:
    """The contrast of WCAG's level AA for text, 4.5 : 1, also in the pictures."""
    desk.page.emulate_media(color_scheme=scheme)
    read = """() => ["p", "td", ".about", ".glance strong", "figcaption", "figure text", "h2", "a"]
        .map(one => document.querySelector("main " + one) ?? document.querySelector(one))
        .map(one => getComputedStyle(one)[one.tagName === "text" ? "fill" : "color"])"""
    paper = luminance(desk.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (paper > 0.5) == (scheme == "light")
    for colour in desk.page.evaluate(read):
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


def test_nothing_is_clipped_on_paper(desk: Any) -> None:
    desk.page.set_viewport_size(PAPER)
    desk.page.emulate_media(media="print")
    assert width(desk) <= PAPER["width"]
    assert desk.page.evaluate(CLIPPED) == []
    assert not desk.page.locator(".wg-player").is_visible()


def test_it_prints(desk: Any) -> None:
    printed = desk.page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 5 <= pages <= 16
    # On paper the graph shows all its values.
    count = desk.page.text_content('.wg [data-part="count"]')
    assert count.split(" of ")[0] == count.split(" of ")[1]
