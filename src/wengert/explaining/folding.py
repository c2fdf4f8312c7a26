"""The steps as HTML for notebooks: folded by sweep, or, in large programs, by line of source.

The colours are those of the page around it, so that it is read in light and in dark; there are no
scripts, and nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from wengert.explaining.notation import number, shown
from wengert.explaining.steps import Group, Step, Steps
from wengert.explaining.table import (
    MOST_DIRECTIONS,
    MOST_ROWS,
    adjoint_rule,
    caption,
    counts,
    greatest,
    line,
    tangent_rule,
    tangents,
    terms,
)

MOST_ROWS_OF_A_LINE = 200

_STYLE = """
.wengert-steps{font-size:.9em;line-height:1.45;color:inherit;max-width:100%;overflow-x:auto}
.wengert-steps table{border-collapse:collapse;margin:.3em 0 .8em;color:inherit}
.wengert-steps th,.wengert-steps td{padding:.15em .8em .15em 0;text-align:left;
vertical-align:top;white-space:pre;background:none;color:inherit;border:0;
border-bottom:1px solid rgba(128,128,128,.28)}
.wengert-steps thead th{border-bottom:1px solid currentColor}
.wengert-steps .n{text-align:right;font-variant-numeric:tabular-nums}
.wengert-steps summary{cursor:pointer;padding:.15em 0}
.wengert-steps code{background:none;color:inherit}
.wengert-steps p{margin:.3em 0;opacity:.8}
"""


def html(steps: Steps) -> str:
    """The explanation as a piece of a page."""
    if len(steps) <= MOST_ROWS:
        parts = [_forward(steps), _reverse(steps)]
    else:
        parts = [f"<p>{len(steps)} steps by line of source</p>"]
        parts += [_group(steps, group) for group in steps.groups]
    notes = "".join(f"<p>{escape(note)}</p>" for note in caption(steps))
    return (
        f'<div class="wengert-steps"><style>{_STYLE}</style>'
        f"<p><strong>{escape(steps.function)}, step by step</strong></p>"
        f"{''.join(parts)}{notes}</div>"
    )


def _forward(steps: Steps) -> str:
    directions = steps.inputs[:MOST_DIRECTIONS]
    heads = ["step", "operation", "value", "tangent by the chain rule"]
    heads += [f"∂/∂{name}{'·1' if steps[name].shape else ''}" for name in directions]
    rows = [
        [
            step.name,
            step.formula or "",
            shown(step.value),
            tangent_rule(steps, step),
            *tangents(step, len(directions)),
        ]
        for step in map(steps.__getitem__, steps.forward)
    ]
    numeric = {2, *range(4, len(heads))}
    return _folded("forward mode: values and tangents", _table(heads, rows, numeric), True)


def _reverse(steps: Steps) -> str:
    order = [steps[name] for name in steps.reverse]
    several = any(map(terms, order))
    heads = ["step", "adjoint by the chain rule", *["the terms"] * several, "adjoint"]
    rows = [
        [step.name, adjoint_rule(steps, step), *[terms(step)] * several, shown(step.adjoint)]
        for step in order
    ]
    return _folded("reverse mode: adjoints", _table(heads, rows, {2, 3} - {len(heads)}), True)


def _group(steps: Steps, group: Group) -> str:
    """The steps of a line, folded under what it says."""
    name, size = greatest(steps, group)
    source = f" <code>{escape(group.place.text)}</code>" if group.place else ""
    summary = (
        f"<strong>{escape(line(group))}</strong>{source} — {len(group.steps)} "
        f"step{'s' if len(group.steps) > 1 else ''}: {escape(counts(group))}"
    )
    if name is not None:
        summary += f"; greatest |adjoint| {number(size, digits=4)}, of {escape(name)}"
    heads = ["step", "operation", "value", "local derivatives", "adjoint"]
    rows = [
        [
            step.name,
            step.formula or "",
            shown(step.value),
            _partials(step),
            "" if step.adjoint is None else shown(step.adjoint),
        ]
        for step in map(steps.__getitem__, group.steps[:MOST_ROWS_OF_A_LINE])
    ]
    left = len(group.steps) - len(rows)
    more = f"<p>{left} more steps of this line are not shown.</p>" if left > 0 else ""
    return _folded(summary, _table(heads, rows, {2, 4}) + more, False)


def _partials(step: Step) -> str:
    return ", ".join(
        f"∂{step.name}/∂{partial.arg} = {partial.formula}"
        for partial in step.partials
        if partial.formula
    )


def _folded(summary: str, body: str, is_open: bool) -> str:
    flag = " open" if is_open else ""
    return f"<details{flag}><summary>{summary}</summary>{body}</details>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: set[int]) -> str:
    sides = [' class="n"' if k in numeric else "" for k in range(len(heads))]
    head = "".join(
        f'<th scope="col"{side}>{escape(text)}</th>'
        for text, side in zip(heads, sides, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(
            f"<td{side}>{escape(text)}</td>" for text, side in zip(row[1:], sides[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
