"""The report of what a gradient takes."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.errors import MemoryBudgetError, WengertTypeError
from wengert.execution.budget.drawing import as_svg, as_text, in_columns


def steps(x):
    for _ in range(30):
        x = np.sin(x) * 1.1
    return np.sum(x)


X = np.ones(5_000)


def test_without_a_budget_nothing_is_repeated():
    plan = wg.memory_plan(steps, X)
    assert plan.budget is None
    assert plan.overhead == 0.0
    assert plan.repeated == ()
    assert plan.peak == max(plan.live) <= plan.unplanned
    assert plan.smallest < plan.peak
    assert len(plan.steps) == len(plan.live)
    assert plan.inputs == X.nbytes
    # nearly all of the thirty steps leave something for the reverse
    assert len(plan.kept) >= 25


def test_with_a_budget_less_is_kept_and_some_repeated():
    free = wg.memory_plan(steps, X)
    plan = wg.memory_plan(steps, X, memory="600kB")
    assert plan.peak <= 600_000 == plan.budget
    assert 0 < plan.overhead < 1
    assert len(plan.kept) < len(free.kept)
    assert all(value.times > 1 for value in plan.repeated)
    assert len(plan.steps) == len(free.steps) + sum(v.times - 1 for v in plan.repeated)


def test_the_plan_is_that_of_the_gradient():
    plan = wg.memory_plan(steps, X)
    wg.grad(steps, memory=plan.smallest)(X)
    with pytest.raises(MemoryBudgetError):
        wg.memory_plan(steps, X, memory=plan.inputs + plan.reserve)


def test_what_is_no_array_is_no_input():
    plan = wg.memory_plan(lambda x: np.sum(np.sin(x) * x), np.ones(3))
    assert plan.inputs == 24
    assert 2**14 <= plan.reserve < plan.peak - plan.inputs
    page = repr(plan)
    assert "of it, inputs" in page
    assert "24 B" in page


def test_it_prints_a_page_and_a_drawing():
    plan = wg.memory_plan(steps, X, memory="600kB")
    page = repr(plan)
    assert "budget" in page
    assert "600 kB" in page
    assert "█" in page
    html = plan._repr_html_()
    assert html.count("<svg") == html.count("</svg>") == 1


def test_nothing_is_run_to_plan():
    ran = []

    @wg.primitive
    def watched(x):
        ran.append(1)
        return x

    wg.defjvp(watched, lambda tangent, answer, x: tangent)
    wg.memory_plan(lambda x: np.sum(np.sin(x)), X)
    assert ran == []


def test_the_interpreter_is_planned_where_machine_code_is_off():
    wg.set_native(False)
    try:
        assert not wg.memory_plan(steps, X).native
    finally:
        wg.set_native(True)
    assert wg.memory_plan(steps, X).native


def test_further_arguments_and_argnums():
    def f(a, b, *, c):
        return np.sum(np.sin(a) * np.exp(b) * c)

    plan = wg.memory_plan(f, X, X, argnums=(0, 1), c=2.0)
    assert plan.peak > 4 * X.nbytes  # two arguments, two gradients


def test_errors_name_what_is_wrong():
    with pytest.raises(WengertTypeError, match="memory_plan needs a function"):
        wg.memory_plan(3.0, X)


def test_drawings():
    assert in_columns([1, 5, 2, 3], 2) == [5, 3]
    assert in_columns([1, 2], 72) == [1, 2]
    text = as_text([0, 8], 4, height=2, width=2)
    assert text.splitlines()[0].endswith("╌█")
    assert "<line" not in as_svg([1, 2], None)
    assert as_text([], None)
