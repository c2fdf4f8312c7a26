"""The steps in LaTeX: one `align*` environment a mode (package amsmath)."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.explaining import chain_rule
from wengert.explaining.formulas import Formula
from wengert.explaining.notation import norm
from wengert.explaining.partials import literal_formula
from wengert.explaining.steps import Step, Steps

MOST_DIRECTIONS = 4


def latex(steps: Steps) -> str:
    """Values and tangents in the order of forward mode, then adjoints in that of reverse mode."""
    forward = [_forward(steps, steps[name]) for name in steps.forward]
    reverse = [_reverse(steps, steps[name]) for name in steps.reverse]
    return f"{_aligned(forward)}\n{_aligned(reverse)}\n"


def _aligned(rows: list[str]) -> str:
    body = " \\\\\n  ".join(rows)
    return f"\\begin{{align*}}\n  {body}\n\\end{{align*}}"


def _forward(steps: Steps, step: Step) -> str:
    parts = [part for part in (step.formula_latex, _value(step.value)) if part]
    left = f"{step.latex} &= {' = '.join(parts)}" if parts else f"{step.latex} &"
    if not step.partials and step.name not in steps.inputs:
        return left
    name = chain_rule.tangent(step).latex
    numbers = _tuple(step.tangents[: min(len(steps.inputs), MOST_DIRECTIONS)])
    if step.partials:
        rule: tuple[Formula, ...] = chain_rule.of_tangent(steps, step)
    else:
        rule = ()
    return f"{left} & {_equation(name, rule, numbers)}"


def _reverse(steps: Steps, step: Step) -> str:
    name = chain_rule.adjoint(step).latex
    return _equation(name, chain_rule.of_adjoint(steps, step), _value(step.adjoint))


def _equation(name: str, rule: tuple[Formula, ...], value: str) -> str:
    """name = with signs = with local derivatives = number, each once."""
    parts = [part for part in (*(formula.latex for formula in rule), value) if part]
    return f"{name} &= {' = '.join(dict.fromkeys(parts))}" if parts else f"{name} &"


def _value(value: Any) -> str:
    """A number; of an array, where it lies."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        parts = ", ".join(_value(part) or r"\cdot" for part in value)
        return rf"\left({parts}\right)"
    array = np.asarray(value)
    if not array.ndim:
        return _number(array[()])
    shape = r" \times ".join(map(str, array.shape))
    about = ""
    if array.dtype.kind == "f":
        about = rf",\ \lVert\cdot\rVert = {literal_formula(norm(array)).latex}"
    return rf"[{shape}{about}]"


def _number(value: Any) -> str:
    if isinstance(value, np.bool_):
        return rf"\mathrm{{{value}}}"
    return literal_formula(value.item()).latex


def _tuple(values: tuple[Any, ...]) -> str:
    """The tangents in the directions of the inputs."""
    shown = [_value(value) for value in values]
    if not shown or not all(shown):
        return ""
    return shown[0] if len(shown) == 1 else rf"\left({', '.join(shown)}\right)"
