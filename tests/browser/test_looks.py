"""How the page of an explanation looks and reads: colours, widths, keys, screen readers, print."""

from __future__ import annotations

import io

import matplotlib.image
import numpy as np
import pytest
from browsing import expect
from shown_programs import L

import wengert as wg
from wengert.explaining.picture import page

PHONE = {"width": 375, "height": 812}
DESK = {"width": 1280, "height": 860}

CONTRASTS = """() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = numbers(colour).map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (it) => {
        for (; it; it = it.parentElement) {
            const colour = getComputedStyle(it).backgroundColor;
            const [r, g, b, alpha = 1] = numbers(colour);
            if (alpha === 1) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const found = [];
    const leaves = [...document.querySelectorAll(".wg *")].filter((it) =>
        [...it.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
        && !it.closest("script, style, [aria-disabled=true], :disabled, .wg-hidden, noscript")
        && it.getClientRects().length);
    for (const it of leaves) {
        const inGraph = it.closest("svg.wg-graph");
        const style = getComputedStyle(it);
        const box = it.closest(".node")?.querySelector(".box");
        const ink = inGraph ? style.fill : style.color;
        if (ink === "none") continue;
        const paper = box ? getComputedStyle(box).fill : behind(inGraph?.parentElement ?? it);
        const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
        found.push([it.textContent.trim().slice(0, 30), (a + 0.05) / (b + 0.05), ink, paper]);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def html():
    return page(wg.explain(L, 2.0, 3.0))


@pytest.fixture(scope="module")
def by_theme(opening, html):
    still = dict(reduced_motion="reduce")  # so that nobody waits for transitions
    return {name: opening(html, color_scheme=name, **still) for name in ("light", "dark")}


@pytest.fixture
def shown(by_theme):
    by_theme["light"].again()
    return by_theme["light"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_all_text_stands_out(by_theme, theme, mode):
    shown = by_theme[theme]
    shown.mode(mode)
    for moment in ("0", "4", "6"):
        shown.part("slider").fill(moment)
        contrasts = shown.page.evaluate(CONTRASTS)
        assert len(contrasts) > 60
        assert [entry for entry in contrasts if entry[1] < 4.5] == []


def test_dark_and_light_differ_and_the_switch_turns_them(by_theme):
    find = "getComputedStyle(document.body).backgroundColor"
    light, dark = (by_theme[name].page.evaluate(find) for name in ("light", "dark"))
    assert sum(map(int, light[4:-1].split(","))) > 600 > 150 > sum(map(int, dark[4:-1].split(",")))
    shown = by_theme["light"]
    switch = shown.page.get_by_role("button", name="Dark colours")
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    assert switch.get_attribute("aria-pressed") == "true"
    assert shown.page.evaluate(find) == dark
    switch.click()
    assert shown.page.evaluate(find) == light


def in_view(shown, node):
    stage, box = (it.bounding_box() for it in (shown.part("stage"), node))
    return stage["x"] <= box["x"] and box["x"] + box["width"] <= stage["x"] + stage["width"]


@pytest.mark.parametrize("width", [320, 375])
def test_a_phone_needs_no_sideways_scrolling(opening, html, width):
    still = dict(has_touch=True, reduced_motion="reduce")
    shown = opening(html, viewport={"width": width, "height": 812}, **still)
    for mode, start in (("forward", "w₁"), ("reverse", "z₂")):
        shown.mode(mode)
        assert in_view(shown, shown.node(start))  # where the derivatives start
        shown.part("last").tap()
        root = shown.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert root[0] <= root[1] == width
        # the graph is wider than the stage, and panned to where the step is
        assert in_view(shown, shown.page.locator(".node.current"))
    fonts = shown.page.evaluate(
        "[...document.querySelectorAll('.wg button, .wg p, .wg dd, .wg label')]"
        ".map((it) => parseFloat(getComputedStyle(it).fontSize))"
    )
    assert min(fonts) >= 12


def test_the_tab_key_reaches_all_controls_in_order_and_one_node(shown):
    told = """() => {
        const it = document.activeElement;
        const named = it.getAttribute("aria-label");
        return named ?? (it.labels?.[0] ?? it).textContent.trim();
    }"""
    shown.page.keyboard.press("ArrowRight")
    reached = []
    for _ in range(24):
        shown.page.keyboard.press("Tab")
        reached.append(shown.page.evaluate(told))
        if reached[-1] == "Software of others in this page":
            break
    graph = next(k for k, name in enumerate(reached) if name.startswith("w₁, value 2"))
    names = [name for k, name in enumerate(reached) if k != graph]
    assert names[:3] == ["Dark colours", "Forward mode", "derivative by w₁w₂"]
    assert names[3:6] == ["Smaller", "Larger", "Fit"]
    assert names[6] == "Moment of the sweep"
    assert names[7:12] == ["First moment", "Step back", "Play", "Step forward", "Last moment"]
    assert graph == 6
    assert names[-1] == "Software of others in this page"
    assert all(names)


def test_the_graph_by_keyboard(shown, by_theme):
    first = shown.page.locator(".node[tabindex='0']")
    assert first.count() == 1
    shown.page.keyboard.press("Home")
    shown.node("w₁").focus()
    shown.page.keyboard.press("ArrowDown")
    shown.page.keyboard.press("ArrowDown")
    assert shown.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("v₁")
    shown.page.keyboard.press("Enter")
    assert "v₁ = log w₁" in shown.part("rule").text_content()
    focused = shown.page.evaluate(
        "getComputedStyle(document.activeElement.querySelector('.box')).strokeWidth"
    )
    assert float(focused.removesuffix("px")) > 3
    shown.page.keyboard.press("ArrowRight")  # steps, wherever the focus is
    assert shown.part("count").text_content() == "1 of 6"


def test_what_a_screen_reader_is_told(shown):
    shown.part("on").click()
    assert shown.part("sentence").get_attribute("aria-live") == "polite"
    tree = shown.page.locator("main").aria_snapshot()
    for line in (
        'heading "L(w₁, w₂), step by step" [level=1]',
        'heading "The rule of a step" [level=2]',
        'radio "Forward mode" [checked]',
        'slider "Moment of the sweep"',
        'group "Stepping"',
        'button "Step forward"',
        'group "Graph of L(w₁, w₂)"',
        'button "w₁, value 2, tangent 1, the current step"',
        'button "v₁ = log w₁, not computed yet"',
        'radio "store everything, peak 72 B, work 1 ×"',
        'list "Values held now"',
    ):
        assert line in tree
    chart = shown.part("chart").get_attribute("aria-label")
    assert chart == "Bytes held at each moment of forward mode, 80 B at the peak"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_print_shows_the_graph_and_no_controls_dark_on_white(by_theme, theme):
    shown = by_theme[theme]
    shown.again()
    shown.part("slider").fill("6")
    shown.page.emulate_media(media="print")
    try:
        for hidden in (".wg-bar", ".wg-player", "[data-theme-switch]"):
            expect(shown.page.locator(hidden)).to_be_hidden()
        for kept in ("h1", ".wg-graph", ".wg-card >> nth=0"):
            expect(shown.page.locator(kept)).to_be_visible()
        image = matplotlib.image.imread(io.BytesIO(shown.page.screenshot()))[..., :3]
        assert np.median(image) > 0.9
        contrasts = shown.page.evaluate(CONTRASTS)
        assert [entry for entry in contrasts if entry[1] < 4.5] == []
        inside = shown.page.locator(".wg-graph").bounding_box()
        assert inside["x"] >= 0
        assert inside["x"] + inside["width"] <= DESK["width"]
    finally:
        shown.page.emulate_media(media="screen")


def test_the_pixels_show_boxes_where_the_graph_has_nodes(shown):
    """The picture by its content: held boxes in their colour, the current one with a border of its
    own, paper between them."""
    shown.part("slider").fill("4")
    image = matplotlib.image.imread(io.BytesIO(shown.page.screenshot()))[..., :3]

    def pixel(x: float, y: float) -> np.ndarray:
        return np.round(image[int(y), int(x)] * 255)

    def colour(name: str) -> np.ndarray:
        value = shown.page.evaluate(
            "(name) => { const it = document.createElement('i'); it.style.color = `var(${name})`;"
            " document.querySelector('.wg').append(it); const found = getComputedStyle(it).color;"
            " it.remove(); return found }",
            name,
        )
        return np.array([float(part) for part in value[4:-1].split(",")])

    fills = {"held": colour("--held"), "free": colour("--card")}
    expected = {"w₁": "held", "w₂": "held", "v₁": "held", "v₂": "held", "z₁": "free", "z₂": "free"}
    boxes = {}
    for name, fill in expected.items():
        box = boxes[name] = shown.node(name).locator(".box").bounding_box()
        inside = pixel(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
        assert np.abs(inside - fills[fill]).max() <= 2
    stage = shown.part("stage").bounding_box()
    paper = pixel(stage["x"] + 12, stage["y"] + stage["height"] - 12)
    assert np.abs(paper - colour("--paper")).max() <= 2
    border = pixel(boxes["v₂"]["x"] + boxes["v₂"]["width"] / 2, boxes["v₂"]["y"] + 1)
    assert np.abs(border - colour("--forward")).max() <= 40
    rows = list(boxes.values())
    for k, a in enumerate(rows):
        for b in rows[k + 1 :]:
            apart_x = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
            apart_y = a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]
            assert apart_x or apart_y
