"""The page that steps through an explanation, in a browser: it shows what the records say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from browsing import READY, expect
from shown_programs import L, layer, unkind

import wengert as wg
from wengert.explaining.notation import barred, dotted
from wengert.explaining.picture import fragment, page, resources
from wengert.explaining.picture.document import brief
from wengert.explaining.schedules import schedules


@pytest.fixture(scope="module")
def report():
    return wg.explain(L, 2.0, 3.0)


@pytest.fixture(scope="module")
def html(report):
    return page(report)


@pytest.fixture(scope="module")
def standard(opening, html):
    return opening(html)


@pytest.fixture
def shown(standard):
    """The page of L, as it opens."""
    standard.again()
    return standard


def changing(shown, name):
    return shown.node(name).locator(".changing").text_content()


def held(shown):
    return set(shown.page.locator(".wg-chips li").all_text_contents())


def test_it_opens_without_a_word_and_without_network(shown, report):
    assert shown.page.title() == "L(w₁, w₂), step by step"
    assert shown.page.locator(".node").count() == len(report.steps)
    assert "2.0201" in shown.part("summary").text_content()
    assert shown.part("count").text_content() == "0 of 6"
    policy = shown.page.locator("meta[http-equiv]").get_attribute("content")
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert shown.quiet(), (shown.messages, shown.requests)


@pytest.mark.parametrize("direction", [0, 1])
def test_forward_steps_show_the_tangents_of_the_records(shown, report, direction):
    shown.part("direction").select_option(str(direction))
    for k, name in enumerate(report.steps.forward, start=1):
        assert changing(shown, name) == ""
        shown.part("on").click()
        step = report.steps[name]
        tangent = brief(step.tangents[direction])
        assert shown.part("count").text_content() == f"{k} of 6"
        assert changing(shown, name) == f"{dotted(name)} {tangent}"
        assert shown.node(name).locator(".value").text_content() == brief(step.value)
        assert re.search(r"\bcurrent\b", shown.node(name).get_attribute("class"))
        sentence = shown.part("sentence").text_content()
        assert f"{dotted(name)} = {tangent}" in sentence
        assert brief(step.value) in sentence
    for _ in range(3):
        shown.part("back").click()
    assert shown.part("count").text_content() == "3 of 6"
    for name in report.steps.forward[3:]:
        assert changing(shown, name) == ""
    assert shown.quiet()


def test_reverse_steps_complete_the_adjoints_in_the_order_of_the_records(shown, report):
    shown.mode("reverse")
    completed = {}
    for k in range(1, 9):
        shown.part("on").click()
        for step in report.steps:
            text = changing(shown, step.name)
            if text and step.name not in completed:
                assert text == f"{barred(step.name)} {brief(step.adjoint)}"
                completed[step.name] = k
    moments = [completed[name] for name in report.steps.reverse]
    assert moments == sorted(moments) == [5, 5, 6, 7, 7, 8]
    labels = shown.page.locator(".edge .label").all_text_contents()
    terms = [brief(term) for step in report.steps for _, term in step.terms]
    assert sorted(labels) == sorted(terms)


def test_arrow_keys_home_and_end(shown):
    keys = [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 6), ("Home", 0)]
    for key, at in keys:
        shown.page.keyboard.press(key)
        assert shown.part("count").text_content() == f"{at} of 6"
        assert shown.part("slider").input_value() == str(at)
    shown.page.keyboard.press("ArrowLeft")
    assert shown.part("count").text_content() == "0 of 6"


def test_the_slider_goes_to_any_moment(shown, report):
    slider = shown.part("slider")
    slider.fill("4")
    assert shown.part("count").text_content() == "4 of 6"
    assert changing(shown, report.steps.forward[3])
    assert not changing(shown, report.steps.forward[4])
    slider.press("ArrowRight")
    assert shown.part("count").text_content() == "5 of 6"
    assert slider.get_attribute("aria-valuetext") == "moment 5 of 6"


def test_a_click_shows_the_rule_and_the_line_of_source(shown, report):
    for step in report.steps:
        shown.node(step.name).click()
        rule = shown.part("rule").text_content()
        assert (step.formula or step.name) in rule
        for partial in step.partials:
            assert f"∂{step.name}/∂{partial.arg} = " in rule
            assert brief(partial.value) in rule
        summed = shown.part("rule").locator(".wg-sum.reverse").text_content()
        assert summed.startswith(barred(step.name))
        assert f"= {brief(step.adjoint)}" in summed
        for user, term in step.terms:
            assert f"{barred(user)} · ∂{user}/∂{step.name}" in summed
            assert brief(term) in summed
        marked = shown.part("source").locator("li[aria-current]")
        if step.place is None:
            assert marked.count() == 0
        else:
            assert marked.get_attribute("data-line") == str(step.place.line)
            assert marked.text_content().strip() == step.place.text


def test_the_sum_of_the_chain_rule_has_its_numbers(shown):
    shown.node("v₂").click()
    rule = shown.part("rule").text_content()
    assert "= 0.34673 + 1 = 1.3467" in rule  # v̄₂ = z̄₁ ∂z₁/∂v₂ + z̄₂ ∂z₂/∂v₂
    assert "∂v₂/∂v₁ = w₂ = 3" in rule
    assert "= 0 + 1.5 = 1.5" in rule  # v̇₂ by w₁


STEP_ON = """() => {
    document.querySelector("[data-part=on]").click();
    return {
    names: [...document.querySelectorAll(".wg-chips li")].map((it) => it.textContent),
    now: document.querySelector(".wg-now").textContent,
    held: [...document.querySelectorAll(".node.held .called")].map((it) => it.textContent),
    };
}"""


def test_memory_shows_what_the_schedules_hold(shown, report):
    for schedule in schedules(report.steps):
        shown.choose(schedule)
        shown.part("slider").fill("0")
        for moment in schedule.moments:
            state = shown.page.evaluate(STEP_ON)
            assert set(state["names"]) == set(state["held"]) == set(moment.held)
            assert state["now"].startswith(f"{moment.bytes} B of {schedule.peak_bytes} B")
        assert shown.part("on").get_attribute("aria-disabled") == "true"
    assert shown.quiet()


def test_a_budget_is_chosen_by_a_slider(shown, report):
    budgets = [way for way in schedules(report.steps) if way.budget is not None]
    slider = shown.page.get_by_role("slider", name="Budget of memory")
    radio = shown.page.get_by_role("radio", name=re.compile("^a budget of"))
    for key in ("Home", *["ArrowRight"] * (len(budgets) - 1)):
        slider.press(key)
        way = budgets[int(slider.input_value())]
        told = f"a budget of {way.budget} B, peak {way.peak_bytes} B, work {way.work:.3g} ×"
        assert slider.get_attribute("aria-valuetext") == told == radio.get_attribute("aria-label")
        assert radio.is_checked()
        assert shown.part("slider").get_attribute("max") == str(len(way.moments))
        assert f"of {way.peak_bytes} B" in shown.page.locator(".wg-now").text_content()
    assert slider.input_value() == slider.get_attribute("max")
    assert shown.part("count").text_content().startswith("0 of ")  # the keys are the slider's
    assert shown.page.locator(".wg-choice input[value=reverse]").is_checked()


def test_forward_mode_drops_what_no_later_step_reads(shown):
    expected = ["w₁", "w₁ w₂", "w₁ w₂ v₁", "w₁ w₂ v₁ v₂", "w₁ w₂ v₂ z₁", "w₁ w₂ v₂ z₁ z₂"]
    for names in expected:
        shown.part("on").click()
        assert held(shown) == set(names.split())


def test_the_chart_has_a_bar_for_each_moment(shown, report):
    """Above the slider: its height the bytes, its colour what is done, full as far as one is."""
    bars = """(layer) => [...document.querySelectorAll(`.wg-chart ${layer} path`)].flatMap((path) =>
        path.getAttribute("d").slice(1).split("M").map((bar) =>
            [path.getAttribute("class"), ...bar.match(/[\\d.]+/g).map(Number)]))"""
    shown.mode("reverse")
    schedule = schedules(report.steps)[0]
    drawn = sorted(shown.page.evaluate(bars, ".past"), key=lambda bar: bar[1])
    assert [bar[0] for bar in drawn] == [moment.action[0] for moment in schedule.moments]
    heights = [100 - bar[3] for bar in drawn]
    expected = [100 * moment.bytes / schedule.peak_bytes for moment in schedule.moments]
    assert heights == pytest.approx(expected, abs=0.01)
    chart = shown.part("chart").bounding_box()
    shown.part("chart").click(position={"x": chart["width"] * 5 / 8, "y": 30})
    assert shown.part("count").text_content() == "5 of 8"


def test_the_graph_stands_in_the_middle_of_its_stage(shown):
    shown.mode("reverse")
    stage, graph = (shown.page.locator(it).bounding_box() for it in (".wg-stage", ".wg-graph"))
    for start, size in (("x", "width"), ("y", "height")):
        middles = [box[start] + box[size] / 2 for box in (stage, graph)]
        assert middles[0] == pytest.approx(middles[1], abs=2)


def test_playing_and_pausing(shown):
    play = shown.part("play")
    assert play.get_attribute("aria-label") == "Play"
    play.click()
    assert play.get_attribute("aria-label") == "Pause"
    expect(shown.part("count")).to_have_text("1 of 6")
    play.click()
    at = shown.part("slider").input_value()
    shown.page.wait_for_timeout(1200)  # longer than a moment is played
    assert shown.part("slider").input_value() == at
    assert play.get_attribute("aria-label") == "Play"


def test_reduced_motion_has_no_transitions(opening, html):
    find = "getComputedStyle(document.querySelector('.node .box')).transitionDuration"
    assert opening(html, reduced_motion="no-preference").page.evaluate(find) != "0s"
    assert opening(html, reduced_motion="reduce").page.evaluate(find) == "0s"


def test_arrays_are_told_by_shape_and_norm(opening):
    W, b, x = np.arange(12.0).reshape(3, 4) / 10, np.ones(3), np.ones(4)
    report = wg.explain(layer, W, b, x)
    shown = opening(page(report))
    shown.mode("reverse")
    shown.part("last").click()
    h = report.steps["h"]
    norm = f"{np.linalg.norm(h.value):.4g}"
    assert shown.node("h").locator(".value").text_content() == f"3, norm {norm}"
    assert changing(shown, "h") == f"{barred('h')} norm {np.linalg.norm(h.adjoint):.4g}"
    shown.node("h").click()
    assert f"{h.value[0]:.4g}" in shown.part("rule").text_content()
    assert shown.quiet()


def test_a_page_that_is_shared_tells_no_folder(html) -> None:
    assert "shown_programs.py" in html
    assert str(Path(__file__).parent) not in html


def test_text_of_the_user_stays_text(opening):
    shown = opening(page(wg.explain(unkind, 1.0), title="<b>&amp;</b>"))
    assert shown.page.locator("h1").text_content() == "<b>&amp;</b>"
    assert unkind.__name__ in shown.part("summary").text_content()
    assert shown.page.locator("img, b:text('&')").count() == 0
    assert shown.quiet()


def test_several_fragments_on_one_page(opening, report):
    other = wg.explain(np.sin, 1.0)
    body = f"<h1>A report</h1>{fragment(report)}<p>and</p>{fragment(other)}{fragment(report)}"
    head = f'<!doctype html><meta charset="utf-8"><title>Report</title>{resources()}'
    shown = opening(f"{head}<body>{body}</body>")
    expect(shown.page.locator(READY)).to_have_count(3)
    shown.mode("reverse", nth=0)
    assert shown.page.locator(".wg-choice input:checked").evaluate_all(
        "them => them.map(it => it.value)"
    ) == ["reverse", "forward", "forward"]
    shown.part("on", nth=1).click()
    shown.page.keyboard.press("ArrowRight")
    counts = shown.page.locator("[data-part=count]").all_text_contents()
    assert [text.split()[0] for text in counts] == ["0", "2", "0"]
    assert shown.quiet()


def test_where_there_is_nothing_to_go_back_to(opening):
    shown = opening(page(wg.explain(lambda x: 3.0, 1.0)))
    assert shown.page.locator(".wg-choice input[value=reverse]").is_disabled()
    assert "= 3" in shown.part("summary").text_content()
    assert shown.quiet()


def test_where_a_rule_is_for_reverse_mode_alone(opening):
    @wg.custom_vjp
    def sine(x):
        return np.sin(x)

    sine.defvjp(lambda x: (np.sin(x), x), lambda x, g: (g * np.cos(x),))
    report = wg.explain(lambda x: sine(x) * 2, 1.0)
    shown = opening(page(report))
    shown.part("last").click()
    assert not re.search("undefined|null|NaN", shown.page.locator("main").inner_text())
    shown.mode("reverse")
    shown.part("last").click()
    assert changing(shown, "x") == f"{barred('x')} {brief(2 * np.cos(1.0))}"
    assert shown.quiet()


def test_many_inputs(opening):
    report = wg.explain(lambda xs: sum(x * x for x in xs), [float(k) for k in range(100)])
    shown = opening(page(report))
    options = shown.part("direction").locator("option").all_text_contents()
    assert options[:2] == ["xs[0]", "xs[1]"]
    assert options[-1] == f"{100 - len(options) + 1} more inputs, without tangents"
    shown.part("last").click()
    assert not re.search("undefined|null|NaN", shown.page.locator("main").inner_text())
    assert shown.quiet()
