"""The report: complete, well-formed, in one file, and with the numbers of the run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.cli import demo
from wengert.cli.report import markup, writing
from wengert.cli.report.figures import figure
from wengert.cli.report.sections.benchmarks import benchmarks
from wengert.cli.report.sections.memory import memory

VOID = {"meta", "br", "hr", "img", "input", "link"}
SECTIONS = (
    *("steps", "closed-forms", "cities", "network", "modes"),
    *("zero-order", "hutchinson", "memory", "benchmarks"),
)
RESULTS: dict[str, Any] = {
    "machine": "A machine & more",
    "conditions": "one thread",
    "versions": {"wengert": "0.1.0", "jax": "0.4"},
    "goals": [{"text": "a", "reached": True}, {"text": "b", "reached": False}],
    "rows": [
        {"name": "one", "f": {"wengert": 1e-6}, "g": {"wengert": 2e-6, "jax": 8e-6}},
        {"name": "two", "f": {"wengert": 1e-3}, "g": {"wengert": 4e-3, "jax": 4e-3, "c": 1e-3}},
    ],
}


@dataclass
class Page(HTMLParser):
    """What stands in a page; errors of its form are raised on the way."""

    text: str
    open: list[str] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    _rows: list[list[str]] = field(default_factory=list)
    _caption: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)
        if "caption" in self.open:
            self._caption += data
        elif "td" in self.open or "th" in self.open:
            self._rows[-1][-1] += data

    def table(self, beginning: str) -> list[list[str]]:
        (found,) = [rows for name, rows in self.tables.items() if name.startswith(beginning)]
        return found


@dataclass
class Written:
    page: Page
    found: writing.Found
    text: str


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The report of a small run."""
    folder = tmp_path_factory.mktemp("report")
    results = folder / "results.json"
    results.write_text(json.dumps(RESULTS), encoding="utf-8")
    modes = demo._example("forward_or_reverse")
    points = [modes.measured(outputs, rounds=2) for outputs in (1, 30)]
    found = writing.Found(demo._example("cities").recover(), points, 0.9634, 4, 12.0)
    path = folder / "new" / "report.html"
    told: list[str] = []
    writing.write(path, found, demo._example, results, quick=True, now=told.append)
    assert len(told) == writing.PARTS
    text = path.read_text(encoding="utf-8")
    return Written(Page(text), found, text)


# ------------------------------------------------------------------------------ the form


def test_all_sections_are_there(written: Written) -> None:
    ids = [given.get("id") for tag, given in written.page.seen if tag == "section"]
    assert [one for one in ids if one in SECTIONS] == list(SECTIONS)
    assert written.text.startswith("<!doctype html>")
    assert '<html lang="en">' in written.text


def test_it_loads_nothing_else(written: Written) -> None:
    for tag, given in written.page.seen:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            assert given.get(name, "#").startswith("#"), (tag, given)
    styles = re.findall(r"<style>(.*?)</style>", written.text, re.DOTALL)
    assert styles
    for style in styles:
        assert "@import" not in style
        assert "url(" not in style


def test_ids_are_unique_and_links_lead_to_them(written: Written) -> None:
    ids = [given["id"] for _, given in written.page.seen if "id" in given]
    assert len(ids) == len(set(ids))
    for _, given in written.page.seen:
        for name in ("href", "xlink:href", "aria-labelledby", "aria-describedby"):
            if name in given:
                assert str(given[name]).removeprefix("#") in ids


def test_pictures_are_described_and_have_the_colours_of_the_page(written: Written) -> None:
    figures = re.findall(r"<figure>.*?</figure>", written.text, re.DOTALL)
    assert len(figures) == 5
    for one in figures:
        assert re.match(r'<figure><svg role="img" aria-label="[^"]{40,}"', one)
        assert "<figcaption>" in one
        assert "currentColor" in one
        assert "var(--first)" in one
        assert not re.search(r"#[0-9a-f]{6}\b", one)
        assert "<text" in one  # and no outlines of letters


def test_tables_have_headings_and_names(written: Written) -> None:
    regions = [given for _, given in written.page.seen if given.get("role") == "region"]
    assert [given["aria-label"] for given in regions] == list(written.page.tables)
    for rows in written.page.tables.values():
        assert {len(row) for row in rows} == {len(rows[0])}


def test_it_says_how_it_looks_on_paper_and_in_the_dark(written: Written) -> None:
    assert "@media print" in written.text
    assert "@page" in written.text
    assert "color-scheme: light dark" in written.text


def test_no_path_of_the_machine_is_told(written: Written) -> None:
    words = " ".join(written.page.words)
    assert str(Path.home()) not in words
    assert str(Path(wg.__file__).parent) not in written.text


# ------------------------------------------------------------------------------ the numbers


def test_the_steps_are_those_by_hand(written: Written) -> None:
    expected = demo._example("step_table").by_hand(2.0, 3.0)
    forward = {row[0]: row for row in written.page.table("Forward mode")[1:]}
    reverse = {row[0]: row for row in written.page.table("Reverse mode")[1:]}
    named = {"w1": "w₁", "w2": "w₂", "v1": "v₁", "v2": "v₂", "v3": "v₃", "v4": "v₄"}
    assert set(forward) == set(reverse) == set(named.values())
    for name, row in expected.items():
        shown = forward[named[name]]
        numbers = [shown[2], *shown[4:], reverse[named[name]][2]]
        np.testing.assert_allclose([float(text) for text in numbers], row, rtol=1e-5)


def test_the_closed_forms_are_there(written: Written) -> None:
    cards = re.findall(r'<article class="formula">.*?</article>', written.text, re.DOTALL)
    assert len(cards) == 4
    for card in cards:
        assert card.count("<math") > 6
        assert card.count("<li>") >= 4  # lines of the derivation
        assert "def gradient(" in card
        assert "def hessian(" in card
        assert "Checked at 3 random points" in card
        assert "none was found" not in card


def test_the_map(written: Written) -> None:
    rows = written.page.table("Places off by")
    found = written.found.cities
    numbers = [float(rows[1][1]), float(rows[2][1])]
    np.testing.assert_allclose(numbers, [found.off, found.classical_off], rtol=5e-3)
    assert f"in {found.steps} steps" in " ".join(written.page.words)


def test_the_modes(written: Written) -> None:
    rows = written.page.table("Times, medians")
    assert len(rows) == 1 + len(written.found.modes)
    for row, point in zip(rows[1:], written.found.modes, strict=True):
        assert row[0] == str(point.outputs)
        assert row[-1] == point.chosen
        np.testing.assert_allclose(seconds(row[1]), point.seconds["forward"], rtol=6e-3)
        np.testing.assert_allclose(seconds(row[2]), point.seconds["reverse"], rtol=6e-3)


def test_descent_without_gradients(written: Written) -> None:
    program = demo._example("zero_order")
    expected = program.compare([10, 100], 0.05)
    for row in written.page.table("Steps until")[1:]:
        gradients, evaluations = expected[int(row[0])]
        assert row[1:3] == [str(gradients.steps), str(evaluations.steps)]


def test_the_trace(written: Written) -> None:
    expected = demo._example("hutchinson").errors([12, 48], 5)
    (caption,) = [name for name in written.page.tables if name.startswith("Relative errors")]
    assert f"tr H = {expected.exact:.4f}" in caption
    rows = written.page.table("Relative errors")[1:]
    for k, row in enumerate(rows):
        assert row[1] == f"{100 * expected.predicted[k]:.1f}\N{NO-BREAK SPACE}%"


def test_the_network(written: Written) -> None:
    words = " ".join(written.page.words)
    assert "After 4 epochs it reads 96.3\N{NO-BREAK SPACE}% of the 450 images" in words


def test_the_memory() -> None:
    program = demo._example("memory_budget")
    found = program.compare(10, (1.0, 0.5), rounds=1)
    rows = Page(str(memory(program, found, 10))).table("The gradient of a chain")
    f, x = program.chain(10)
    for row, one in zip(rows[1:], found, strict=True):
        plan = wg.memory_plan(f, x, memory=one.budget)
        assert row[2] == f"{100 * plan.overhead:.0f}\N{NO-BREAK SPACE}%"
        assert plan.peak == one.peak


def test_the_benchmarks(written: Written) -> None:
    rows = written.page.table("Times, and the gradients")
    assert rows[0] == ["problem", "function", "gradient", "C", "JAX"]
    assert rows[1] == ["one", "1\N{NO-BREAK SPACE}µs", "2\N{NO-BREAK SPACE}µs", "–", "4"]
    assert rows[2] == ["two", "1\N{NO-BREAK SPACE}ms", "4\N{NO-BREAK SPACE}ms", "0.25", "1"]
    assert rows[3] == ["geometric mean", "", "", "0.25", "2"]
    words = " ".join(written.page.words)
    assert "1 of 2 goals are reached" in words
    assert "A machine & more" in words


def test_no_benchmarks_where_there_are_none(tmp_path: Path) -> None:
    assert benchmarks(tmp_path / "none.json") is None


def test_the_projects_own_results() -> None:
    """What `make bench` left in the checkout can be read."""
    found = benchmarks(demo._folder().parent / demo._RESULTS)
    assert found is not None
    assert len(Page(str(found)).table("Times, and the gradients")) > 20


def seconds(text: str) -> float:
    number, unit = text.split("\N{NO-BREAK SPACE}")
    return float(number) * {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]


# ------------------------------------------------------------------------------ the pieces


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.0, 3, "0"),
        (1.0, 3, "1"),
        (-1.5, 3, "−1.5"),
        (0.12345, 3, "0.123"),
        (99.96, 3, "100"),
        (123.4, 3, "123"),
        (6305 / 5, 3, "1261"),
        (2.3e-16, 2, "2.3·10⁻¹⁶"),
        (1e-14, 1, "1·10⁻¹⁴"),
        (-2e7, 3, "−2·10⁷"),
        (float("nan"), 3, "nan"),
    ],
)
def test_numbers(value: float, digits: int, expected: str) -> None:
    assert markup.number(value, digits) == expected


def test_what_is_text_is_escaped() -> None:
    text = markup.table("a < b", ["x & y"], [["<script>"], [markup.Raw("<b>bold</b>")]])
    page = Page(text)
    assert page.tables == {"a < b": [["x & y"], ["<script>"], ["bold"]]}
    assert "<b>bold</b>" in text


def test_pictures_share_no_ids() -> None:
    from matplotlib.figure import Figure

    def drawn() -> Figure:
        made = Figure()
        made.subplots().plot([1, 2], label='a "quoted" < label')
        return made

    both = figure(drawn(), "a", "one", "") + figure(drawn(), "b", "another", "")
    ids = [given["id"] for _, given in Page(both).seen if "id" in given]
    assert len(ids) == len(set(ids))
    assert figure(drawn(), "a", "one", "") == figure(drawn(), "a", "one", "")
