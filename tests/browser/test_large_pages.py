"""A program of 2,000 steps on the page: it opens at once, folded, and stays quick."""

from __future__ import annotations

import re
from statistics import median

import pytest
from browsing import READY
from shown_programs import recurrence

import wengert as wg
from wengert.explaining.picture import page
from wengert.explaining.schedules import schedules

SECONDS_TO_OPEN = 2.0
MILLISECONDS_A_STEP = 100.0

TIMES = """(names) => names.map((name) => {
    const button = document.querySelector(`[data-part=${name}]`);
    const begin = performance.now();
    button.click();
    document.body.getBoundingClientRect();  // lays out what has changed
    return performance.now() - begin;
})"""


@pytest.fixture(scope="module")
def report():
    found = wg.explain(recurrence, 1.0, 1.1)
    assert len(found.steps) == 2002
    return found


@pytest.fixture(scope="module")
def html(report):
    return page(report)


@pytest.fixture(scope="module")
def shown(opening, html):
    return opening(html)


def seconds_to_open(shown):
    """From the start of the navigation until the page can be used."""
    entry = "performance.getEntriesByName('wengert-ready')[0].startTime / 1000"
    return shown.page.evaluate(entry)


def test_it_opens_within_two_seconds_folded(shown):
    assert median(reopened(shown) for _ in range(3)) < SECONDS_TO_OPEN
    assert shown.page.locator(".node").count() == 5
    texts = shown.page.locator(".node.fold .name").all_text_contents()
    assert sorted(re.sub(r"line \d+ · ", "", text) for text in texts) == [
        "400 steps",
        "800 steps",
        "800 steps",
    ]
    assert shown.quiet()


def reopened(shown):
    shown.again()
    return seconds_to_open(shown)


def median_step(shown):
    return median(shown.page.evaluate(TIMES, ["on"] * 15 + ["back"] * 5))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_steps_are_quick(shown, mode):
    shown.mode(mode)
    assert median_step(shown) < MILLISECONDS_A_STEP
    shown.part("slider").fill("1200")
    assert shown.part("count").text_content().startswith("1200 of ")
    assert median_step(shown) < MILLISECONDS_A_STEP


def test_all_unfolded_it_is_still_quick(shown):
    shown.again()
    shown.page.get_by_role("button", name="Unfold all").click()
    assert shown.page.locator(".node").count() == 2002
    assert median_step(shown) < MILLISECONDS_A_STEP
    shown.page.get_by_role("button", name="Fold all").click()
    assert shown.page.locator(".node").count() == 5
    assert shown.quiet()


def test_one_line_of_source_unfolds(shown):
    shown.again()
    fold = shown.page.locator(".node.fold").filter(has_text="y = x + k")
    fold.click()
    assert "400 steps" in shown.part("rule").text_content()
    shown.part("rule").get_by_role("button", name="Unfold").click()
    assert shown.page.locator(".node").count() == 4 + 400
    assert shown.page.locator(".node.fold").count() == 2
    shown.part("rule").get_by_role("button", name=re.compile("^Fold line")).click()
    assert shown.page.locator(".node").count() == 5
    assert shown.page.locator(READY).count() == 1


FOCUSED = "document.activeElement.closest('.node')?.querySelector('.called').textContent ?? null"


def test_unfolding_by_keyboard_keeps_the_focus_in_the_graph(shown):
    shown.again()
    page, rule = shown.page, shown.part("rule")
    fold = page.locator(".node.fold").filter(has_text="y = x + k")
    title = fold.locator(".called").text_content().split(" · ")[0]
    fold.focus()
    page.keyboard.press("Enter")
    rule.get_by_role("button", name="Unfold").press("Enter")
    assert page.evaluate(FOCUSED) == "y⁽¹⁾"
    assert shown.part("told").text_content() == f"Unfolded {title}, 400 steps"
    rule.get_by_role("button", name=f"Fold {title}").press("Enter")
    assert page.evaluate(FOCUSED) == f"{title} · 400 steps"
    assert shown.part("told").text_content() == f"Folded {title}, 400 steps"
    member = rule.get_by_role("group", name="Steps of the group").get_by_role("button").nth(1)
    name = member.text_content()
    member.press("Enter")
    assert rule.locator(".wg-title").text_content().startswith(f"{name} = ")
    assert page.evaluate(FOCUSED) == f"{title} · 400 steps"


def test_all_schedules_step_quickly(shown, report):
    shown.again()
    ways = schedules(report.steps)
    assert len(ways) >= 4
    for schedule in ways:
        shown.choose(schedule)
        shown.part("slider").fill("900")
        assert median_step(shown) < MILLISECONDS_A_STEP
    assert shown.quiet()
