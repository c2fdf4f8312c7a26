"""Pictures as SVG and PNG, without a browser: what they hold is what the records and graph say."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib.image
import numpy as np
import pytest
from shown_programs import L, layer, looping, squares, unkind

import wengert as wg
from wengert.errors import WengertError, WengertValueError
from wengert.explaining.notation import barred, dotted
from wengert.explaining.picture import layout, png, svg
from wengert.explaining.picture.document import brief, document
from wengert.explaining.picture.svg import drawn
from wengert.explaining.schedules import schedules

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def report():
    return wg.explain(L, 2.0, 3.0)


def classed(root, name):
    return [it for it in root.iter() if name in it.get("class", "").split()]


class Picture:
    """An SVG, read back: boxes by name as (left, top, right, bottom), edges as (start, end)."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)
        self.boxes, self.texts, self.classes = {}, {}, {}
        for node in classed(self.root, "node"):
            name = classed(node, "called")[0].text
            x, y = map(float, NUMBER.findall(node.get("transform")))
            box = classed(node, "box")[0]
            self.boxes[name] = (x, y, x + float(box.get("width")), y + float(box.get("height")))
            self.texts[name] = [
                "".join(it.itertext()) for it in node.iter() if it.tag.endswith("text")
            ]
            self.classes[name] = node.get("class").split()
        self.edges = []
        for edge in classed(self.root, "edge"):
            numbers = list(map(float, NUMBER.findall(classed(edge, "line")[0].get("d"))))
            self.edges.append((numbers[:2], numbers[-2:], classed(edge, "label")[0].text or ""))

    def at(self, point):
        """The box on whose border a point lies."""
        (name,) = [
            name
            for name, (left, top, right, bottom) in self.boxes.items()
            if left - 2 <= point[0] <= right + 2 and top - 2 <= point[1] <= bottom + 2
        ]
        return name

    def connections(self):
        return {(self.at(start), self.at(end)): label for start, end, label in self.edges}


def test_boxes_and_edges_are_those_of_the_graph():
    for f, args in ((L, (2.0, 3.0)), (layer, (np.ones((3, 4)), np.ones(3), np.ones(4)))):
        report = wg.explain(f, *args)
        seen = Picture(svg(report))
        assert set(seen.boxes) == {step.name for step in report.steps}
        expected = {(arg, step.name) for step in report.steps for arg in step.args}
        assert set(seen.connections()) == expected
        assert len(seen.edges) == len(expected)
        for arg, name in expected:  # left to right
            assert seen.boxes[arg][2] < seen.boxes[name][0]
        rows = list(seen.boxes.values())
        for k, a in enumerate(rows):
            for b in rows[k + 1 :]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        left, top, width, height = map(float, seen.root.get("viewBox").split())
        for box in rows:
            assert left <= box[0] < box[2] <= left + width
            assert top <= box[1] < box[3] <= top + height


def test_values_stand_in_the_boxes(report):
    seen = Picture(svg(report))
    for step in report.steps:
        formula = "" if step.formula is None else f" = {step.formula}"
        assert seen.texts[step.name] == [f"{step.name}{formula}", brief(step.value)]


def test_adjoints_stand_on_the_edges(report):
    seen = Picture(svg(report, "reverse"))
    terms = {(step.name, user): brief(term) for step in report.steps for user, term in step.terms}
    assert seen.connections() == terms
    for step in report.steps:
        assert seen.texts[step.name][2] == f"{barred(step.name)} {brief(step.adjoint)}"


@pytest.mark.parametrize("direction", ["w1", "w₂"])
def test_tangents_stand_on_the_edges_and_add_up(report, direction):
    seen = Picture(svg(report, "forward", direction=direction))
    k = ["w₁", "w₂"].index(direction.replace("1", "₁"))
    into = {}
    for (_, name), label in seen.connections().items():
        into.setdefault(name, []).append(float(label))
    for step in report.steps:
        assert seen.texts[step.name][2] == f"{dotted(step.name)} {brief(step.tangents[k])}"
        if step.args:
            assert sum(into[step.name]) == pytest.approx(step.tangents[k], rel=1e-4)


def test_a_moment_of_a_sweep(report):
    seen = Picture(svg(report, "forward", step="v2"))
    assert "current" in seen.classes["v₂"]
    assert "ahead" in seen.classes["z₁"]
    assert seen.texts["v₂"][2] == "v̇₂ 1.5"
    assert seen.texts["z₁"][2] == ""
    assert seen.connections()["v₂", "z₁"] == ""
    again = Picture(svg(report, "forward", step=4))
    assert again.classes == seen.classes
    back = Picture(svg(report, "reverse", step="z1"))
    assert {"current", "back", "derived"} <= set(back.classes["z₁"])
    assert "dropped" in back.classes["z₂"]
    assert back.connections()["v₂", "z₁"] == "0.34673"
    assert back.connections()["v₁", "v₂"] == ""


def test_many_steps_are_folded():
    def f(x):
        for _ in range(100):
            x = np.sin(x)
        return x

    seen = Picture(svg(wg.explain(f, 1.0)))
    assert len(seen.boxes) == 2
    assert any("100 steps" in text for texts in seen.texts.values() for text in texts)


def test_loops_are_folded_by_their_lines():
    report = wg.explain(looping, 1.0, 0.5)
    seen = Picture(svg(report))
    lines = {name for name in seen.boxes if name.startswith("line")}
    assert set(seen.boxes) == {"x", "w", *lines}
    counts = {"y = np.sin(x) * w": 120, "b = np.exp(-a)": 120, "return b / (1 + b)": 120}
    counts["x = x + helper(y)"] = 60
    assert {seen.texts[name][1]: int(name.split()[3]) for name in lines} == counts
    title = {seen.texts[name][1]: name for name in lines}
    rounds = {
        ("y = np.sin(x) * w", "b = np.exp(-a)"): "×60",
        ("b = np.exp(-a)", "return b / (1 + b)"): "×120",
        ("return b / (1 + b)", "x = x + helper(y)"): "×60",
        ("x = x + helper(y)", "y = np.sin(x) * w"): "×59",
    }
    found = seen.connections()
    for (start, end), label in rounds.items():
        assert found[title[start], title[end]] == label


def test_many_lines_and_many_inputs_are_folded_too(tmp_path, monkeypatch):
    lines = [f"    x{k + 1} = np.sin(x{k}) * 2.0\n" for k in range(150)]
    source = f"import numpy as np\ndef f(x0):\n{''.join(lines)}    return x150\n"
    (tmp_path / "many_lines.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    seen = Picture(svg(wg.explain(importlib.import_module("many_lines").f, 1.0)))
    assert len(seen.boxes) == 51  # the input, and the lines three by three
    assert "lines 3–5 · 6 steps" in seen.boxes
    report = wg.explain(squares, [float(k) for k in range(200)])
    content = document(report)
    assert content["title"] == "squares(xs[0], xs[1], …, xs[199])"
    assert content["left_out"] == 200 - len(content["inputs"])
    seen = Picture(drawn(content))
    assert {"inputs · 200 steps"} < set(seen.boxes)
    assert len(seen.boxes) == 2


def test_it_is_told_to_who_cannot_see_it(report):
    root = ElementTree.fromstring(svg(report, "reverse"))
    title, description = root[0], root[1]
    assert root.get("role") == "img"
    assert title.text == "L(w₁, w₂)"
    assert "v₂ = w₂ · v₁ = 2.0794, adjoint 1.3467" in description.text


def test_both_themes_are_in_it(report):
    text = svg(report)
    assert "prefers-color-scheme: dark" in text
    assert "var(" not in text
    assert drawn(document(report), dark=False) != drawn(document(report), dark=True)


def test_pictures_of_the_same_are_the_same(report):
    assert svg(report, "reverse") == svg(wg.explain(L, 2.0, 3.0), "reverse")


def test_text_of_the_user_is_escaped():
    root = ElementTree.fromstring(svg(wg.explain(unkind, 1.0)))
    assert root[0].text == f"{unkind.__name__}(x)"


def test_a_png_shows_the_boxes(report, tmp_path):
    for dark in (False, True):
        png(report, tmp_path / "graph.png", "reverse", dark=dark)
        image = matplotlib.image.imread(tmp_path / "graph.png")[..., :3]
        seen = Picture(svg(report, "reverse"))
        left, top, width, height = map(float, seen.root.get("viewBox").split())
        assert image.shape[:2] == pytest.approx((2 * height, 2 * width), abs=2)
        paper = image[2, 2]
        assert (paper.mean() < 0.2) == dark
        fills = []
        for x0, y0, x1, y1 in seen.boxes.values():
            column, row = (int(2 * ((x0 + x1) / 2 - left)), int(2 * (y1 - 8 - top)))
            fills.append(image[row, column])
            inside = image[
                int(2 * (y0 - top)) + 4 : int(2 * (y1 - top)) - 4, column - 20 : column + 20
            ]
            assert np.ptp(inside.sum(axis=-1)) > 1  # something is written in it
        assert np.ptp(fills, axis=0).max() < 0.02
        assert np.abs(fills[0] - paper).max() > 0.05


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(mode="sideways"), "mode must be"),
        (dict(step=2), "give mode"),
        (dict(mode="forward", step=7), "moments 0 to 6"),
        (dict(mode="reverse", step="v9"), "no step is called 'v9'"),
        (dict(mode="forward", direction="w3"), "inputs are w₁, w₂"),
    ],
)
def test_what_cannot_be_drawn_is_said(report, options, message):
    with pytest.raises(WengertValueError, match=message):
        svg(report, **options)


def test_a_missing_package_is_said_with_its_cure(report, monkeypatch, tmp_path):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(layout, "module", missing)
    monkeypatch.setattr(layout, "_engines", [])  # not the one that runs
    with pytest.raises(ImportError, match=r"pip install 'wengert\[pictures\]'") as caught:
        svg(report)
    assert isinstance(caught.value, WengertError)
    resvg = importlib.import_module("wengert.explaining.picture.png")
    monkeypatch.setattr(resvg, "module", missing)
    with pytest.raises(ImportError, match=r"pip install 'wengert\[pictures\]'"):
        png(report, tmp_path / "graph.png")


BY_LOOPS = """
import asyncio, wengert as wg
report = wg.explain(lambda x: x * x, 2.0)
async def drawn():
    return report.svg()
first, second = asyncio.run(drawn()), asyncio.run(drawn())
assert first == second == report.svg()
"""
FORKED = """
import os, sys, wengert as wg
report = wg.explain(lambda x: x * x, 2.0)
before = report.svg()
child = os.fork()
if child == 0:
    {what}
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert report.svg() == before
"""


@pytest.mark.parametrize(
    "program",
    [
        BY_LOOPS,
        pytest.param(
            FORKED.format(what="pass"),
            marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
        ),
        pytest.param(
            FORKED.format(what="assert report.svg() == before"),
            marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
        ),
    ],
    ids=["event loops", "a child that exits", "a child that draws"],
)
def test_the_engine_outlives_loops_and_forks(program):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------------------------ the document


def test_the_document_holds_what_the_records_say(report):
    content = json.loads(json.dumps(document(report)))
    names = [row["n"] for row in content["steps"]]
    assert names == [step.name for step in report.steps]
    for row, step in zip(content["steps"], report.steps, strict=True):
        assert [names[k] for k in row["a"]] == list(step.args)
        assert row["v"] == brief(step.value)
        assert row["t"] == [brief(tangent) for tangent in step.tangents]
        assert [(names[k], text) for k, text in row["r"]] == [
            (user, brief(term)) for user, term in step.terms
        ]
        assert row["z"] == step.nbytes
    for written, schedule in zip(content["schedules"], schedules(report.steps), strict=True):
        held = set()
        for row, moment in zip(written["moments"], schedule.moments, strict=True):
            _, step, added, dropped, size, adjoints = row
            held = (held | {names[k] for k in added}) - {names[k] for k in dropped}
            assert held == set(moment.held)
            assert (names[step], size, adjoints) == (
                moment.step,
                moment.bytes,
                len(moment.adjoints),
            )


def test_several_operands_share_a_tangent():
    """∂v/∂a · ȧ of each operand, where both move: the terms add up to the tangent."""
    content = document(wg.explain(lambda x: np.sin(x) * np.cos(x), 0.7))
    product = content["steps"][content["output"]]
    terms = [float(text.replace("−", "-")) for text in product["c"][0]]
    assert len(terms) == 2
    assert sum(terms) == pytest.approx(np.cos(1.4), rel=1e-4)
    assert terms == pytest.approx([np.cos(0.7) ** 2, -(np.sin(0.7) ** 2)], rel=1e-4)


def test_reports_draw_themselves(report, tmp_path):
    assert report.svg() == svg(report)
    assert report.svg("reverse", "v2") == svg(report, "reverse", "v2")
    report.png(tmp_path / "graph.png", "forward", step=3, dark=True)
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    report.html(tmp_path / "page.html")
    assert "<h1>L(w₁, w₂), step by step</h1>" in (tmp_path / "page.html").read_text("utf-8")
    report.html(tmp_path / "page.html", title="A & B")
    assert "<h1>A &amp; B</h1>" in (tmp_path / "page.html").read_text("utf-8")
