"""Every step of L(w₁, w₂), as tables and as a graph to step through."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from wengert.cli.report.markup import Raw, Section, greatest, number, paragraph, table
from wengert.explaining.notation import shown
from wengert.explaining.report import Report
from wengert.explaining.steps import Steps
from wengert.explaining.table import adjoint_rule, tangent_rule, tangents
from wengert.lazy import module

_ON_PAPER = """<script>
addEventListener("beforeprint", () => document.querySelector('.wg [data-part="last"]').click());
</script>"""
"""On paper the graph stands at the end of its sweep, where all values are."""
_POINT = (2.0, 3.0)


def elementary(program: ModuleType, report: Report) -> Section:
    """program: examples/step_table.py."""
    steps = report.steps
    computed, by_hand = program.traced(*_POINT), program.by_hand(*_POINT)
    off = max(greatest(computed[name], by_hand[name]) for name in by_hand)
    by = [float(np.asarray(steps[name].adjoint)) for name in steps.inputs]
    at = ", ".join(
        f"{name} = {number(value)}" for name, value in zip(steps.inputs, _POINT, strict=True)
    )
    intro = paragraph(
        f"L(w₁, w₂) = w₂ log w₁ + √(w₂ log w₁) is a list of {len(steps) - len(steps.inputs)} "
        f"elementary operations. The tables follow it at {at}. Forward mode carries a tangent "
        "along with each value, in one sweep for each input. Reverse mode carries the adjoint, the "
        "derivative of L by each value, back from the last operation, and has both derivatives "
        "after one sweep: "
        + " and ".join(
            f"∂L/∂{name} = {number(one, 6)}" for name, one in zip(steps.inputs, by, strict=True)
        )
        + ".",
    )
    closing = paragraph(
        f"The greatest difference from the table written out by hand is {number(off, 2)}. Below, "
        '<span class="on-screen">the graph steps through both modes: with the buttons, the slider '
        "or the arrow keys. A click on a node shows its rule, and the line of source that made "
        'it.</span><span class="on-paper">the graph, with its values and tangents.</span>'
    )
    picture = module("wengert.explaining.picture.page")
    graph = f"{picture.resources()}{picture.fragment(report)}{_ON_PAPER}"
    return Section(
        "steps",
        "Every step of a function",
        intro + _forward(steps) + _reverse(steps) + closing + graph,
        (number(off, 2), "off the table of tangents and adjoints by hand"),
    )


def _forward(steps: Steps) -> str:
    heads = ["step", "operation", "value", "tangent by the chain rule"]
    heads += [f"∂/∂{name}" for name in steps.inputs]
    rows = [
        [
            step.name,
            step.formula or "input",
            shown(step.value),
            tangent_rule(steps, step),
            *tangents(step, len(steps.inputs)),
        ]
        for step in map(steps.__getitem__, steps.forward)
    ]
    return table("Forward mode, from the first step to the last", heads, rows, words=(0, 1, 3))


def _reverse(steps: Steps) -> str:
    rows = [
        [step.name, adjoint_rule(steps, step), shown(step.adjoint)]
        for step in map(steps.__getitem__, steps.reverse)
    ]
    heads = ["step", "adjoint by the chain rule", Raw("adjoint")]
    return table("Reverse mode, from the last step to the first", heads, rows, words=(0, 1))
