"""The steps in LaTeX: `align*` environments for each mode (packages amsmath and amssymb).

Numbers are written out; of an array, the space that it lies in. The environments are short enough
for pages to break between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.explaining import chain_rule
from wengert.explaining.partials import literal_formula
from wengert.explaining.steps import Step, Steps

MOST_DIRECTIONS = 4
MOST_ROWS = 24


def latex(steps: Steps) -> str:
    """Values and tangents in the order of forward mode, then adjoints in that of reverse mode."""
    forward = [_forward(steps, steps[name]) for name in steps.forward]
    reverse = [_reverse(steps, steps[name]) for name in steps.reverse]
    return "".join(f"{_aligned(rows)}\n" for rows in (*_parts(forward), *_parts(reverse)))


def _parts(rows: list[str]) -> Iterator[list[str]]:
    """The rows in parts that fit on pages."""
    for start in range(0, len(rows), MOST_ROWS):
        yield rows[start : start + MOST_ROWS]


def _aligned(rows: list[str]) -> str:
    body = " \\\\\n  ".join(rows)
    return f"\\begin{{align*}}\n  {body}\n\\end{{align*}}"


def _forward(steps: Steps, step: Step) -> str:
    left = _equation(step.latex, (step.formula_latex or "",), step.value)
    if not step.partials and step.name not in steps.inputs:
        return left
    name = chain_rule.tangent(step).latex
    directions = step.tangents[: min(len(steps.inputs), MOST_DIRECTIONS)]
    one = directions[0] if len(steps.inputs) == 1 else None
    if not step.partials:
        return left if one is None else f"{left} & {_equation(name, (), one)}"
    rule = [formula.latex for formula in chain_rule.of_tangent(steps, step)]
    row = f"{left} & {_equation(name, rule, one)}"
    if len(steps.inputs) == 1 or not all(_is_number(value) for value in directions):
        return row
    slopes = [
        rf"\frac{{\partial {step.latex}}}{{\partial {steps[name].latex}}} = {_number(value)}"
        for name, value in zip(steps.inputs, directions, strict=False)
    ]
    return rf"{row} \\" + "\n  & & & " + r",\quad ".join(slopes)


def _reverse(steps: Steps, step: Step) -> str:
    rule = [formula.latex for formula in chain_rule.of_adjoint(steps, step)]
    return _equation(chain_rule.adjoint(step).latex, rule, step.adjoint)


def _equation(name: str, rule: Sequence[str], value: Any) -> str:
    """name = with signs = with local derivatives = number, each once; or ∈ the space of arrays."""
    number, space = _value(value)
    parts = [part for part in (*rule, number) if part]
    equal = f"= {' = '.join(dict.fromkeys(parts))}" if parts else ""
    return f"{name} &{f'{equal} {space}'.strip()}"


def _value(value: Any) -> tuple[str, str]:
    """(a number, nothing), or (nothing, the space that an array lies in)."""
    if value is None:
        return "", ""
    if isinstance(value, tuple):
        parts = [number or space.removeprefix(r"\in ") for number, space in map(_value, value)]
        return "", r"\in " + r" \times ".join(part or r"\cdot" for part in parts)
    array = np.asarray(value)
    if not array.ndim:
        return _number(array[()]), ""
    shape = r" \times ".join(map(str, array.shape))
    field = _FIELDS.get(array.dtype.kind, r"\{0, 1\}")
    return "", rf"\in {field}^{{{shape}}}"


_FIELDS = {"f": r"\mathbb{R}", "c": r"\mathbb{C}", "i": r"\mathbb{Z}", "u": r"\mathbb{N}"}


def _number(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return rf"\mathrm{{{value}}}"
    return literal_formula(value.item() if isinstance(value, np.generic) else value).latex


def _is_number(value: Any) -> bool:
    return value is not None and not isinstance(value, tuple) and not np.ndim(value)
