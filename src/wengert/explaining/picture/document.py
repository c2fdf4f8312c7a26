"""An explanation as plain data: what the pictures and the page are drawn from.

Keys are short, since a program may have thousands of steps. Of a step:

    n, d, b     its name, those of its tangent and of its adjoint
    k, op       input, constant or operation; the record's name
    f, a        the formula as text, None of an input; the operands, by number
    v, w        the value in a few characters; at more length, where there is more to tell
    z           its bytes
    p           local derivatives: [operand, formula, value]
    t, j        the tangents, one for each input; the adjoint; None where there is none
    e, g        the chain rule of either, with the local derivatives in their places
    c           for each input ∂vᵢ/∂vⱼ · v̇ⱼ by operand j: the terms that the tangent is the sum of
    r           the terms that the adjoint is the sum of: [user, v̄ᵢ ∂vᵢ/∂v]
    s           what its adjoint has beside them, being an output
    l           its place in the source, by number; -1 where none is known

A moment of a schedule is [action, step, added, dropped, bytes, adjoints]: the values that are held
while it runs are those of the moment before, with `added` and without `dropped`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.explaining.chain_rule import of_adjoint, of_tangent
from wengert.explaining.notation import barred, dotted, number, shown
from wengert.explaining.schedules import MOST_MOMENTS, Schedule, schedules

if TYPE_CHECKING:
    from wengert.explaining.report import Report
    from wengert.explaining.steps import Step, Steps

Document = dict[str, Any]

_ACTIONS = {"forward": "f", "recompute": "c", "reverse": "r"}
_DIGITS = 5
_MOST_NAMED = 8
MOST_DIRECTIONS = 24
"""Tangents in more directions than these are not told: each is a column of numbers."""


def document(report: Report) -> Document:
    """The explanation as a structure of strings, numbers and lists, which JSON can hold."""
    steps = report.steps
    rows = _Rows(steps)
    return {
        "title": f"{steps.function}({', '.join(_few(steps.inputs))})",
        "function": steps.function,
        "inputs": [rows.numbers[name] for name in rows.directions],
        "left_out": len(steps.inputs) - len(rows.directions),
        "output": rows.numbers[steps.output],
        "summed": len(steps.outputs) > 1 or bool(np.shape(steps[steps.output].value)),
        "steps": [rows.row(step) for step in steps],
        "forward": [rows.numbers[name] for name in steps.forward],
        "groups": [
            {
                "l": rows.places.number(group.place),
                "s": [rows.numbers[name] for name in group.steps],
                "c": dict(group.counts),
            }
            for group in steps.groups
        ],
        "places": rows.places.rows,
        "source": {"first": steps.first_line, "lines": list(steps.source)},
        "schedules": [
            _schedule(schedule, rows.numbers)
            for schedule in schedules(steps)
            if len(schedule.moments) <= MOST_MOMENTS
        ],
    }


def _schedule(schedule: Schedule, numbers: dict[str, int]) -> Document:
    moments = [
        [
            _ACTIONS[moment.action],
            numbers[moment.step],
            sorted(numbers[name] for name in moment.added),
            sorted(numbers[name] for name in moment.dropped),
            moment.bytes,
            len(moment.adjoints),
        ]
        for moment in schedule.moments
    ]
    return {
        "name": schedule.name,
        "budget": schedule.budget,
        "peak": schedule.peak_bytes,
        "work": schedule.work,
        "moments": moments,
    }


class _Rows:
    """The steps as rows, with the numbers that stand for their names."""

    def __init__(self, steps: Steps) -> None:
        self.all = steps
        self.steps = {step.name: step for step in steps}
        self.numbers = {name: k for k, name in enumerate(self.steps)}
        self.places = _Places()
        self.directions = tuple(
            name
            for k, name in enumerate(steps.inputs[:MOST_DIRECTIONS])
            if self.steps[name].tangents[k] is not None
        )
        self.moving = [
            {step.name for step in steps if _moves(step, k)} for k in range(len(self.directions))
        ]

    def row(self, step: Step) -> Document:
        short, long = _sized(step.value), _long(step.value)
        numbers = self.numbers
        return {
            "n": step.name,
            "d": dotted(step.name),
            "b": barred(step.name),
            "k": step.kind,
            "op": step.op,
            "f": step.formula,
            "a": [numbers[name] for name in step.args],
            "v": short,
            **({"w": long} if long != short else {}),
            "z": step.nbytes,
            "p": [[numbers[part.arg], part.formula, _told(part.value)] for part in step.partials],
            "t": [_told(tangent) for tangent in step.tangents[: len(self.directions)]],
            "c": [self.parts(step, k) for k in range(len(self.directions))],
            "e": of_tangent(self.all, step)[1].text,
            "j": _told(step.adjoint),
            "g": of_adjoint(self.all, step)[1].text,
            **({} if step.seed is None else {"s": brief(step.seed)}),
            "r": [[numbers[user], brief(term)] for user, term in step.terms],
            "l": self.places.number(step.place),
        }

    def parts(self, step: Step, direction: int) -> list[str | None]:
        """∂vᵢ/∂vⱼ · v̇ⱼ for each operand j, in the direction of one input; None where not known.

        Where one operand alone has a tangent, its term is the whole tangent; of several, what the
        local derivatives tell: numbers, and the diagonals of elementwise operations.
        """
        if direction >= len(step.tangents) or step.tangents[direction] is None:
            return [None] * len(step.args)
        moving = [name for name in step.args if name in self.moving[direction]]
        found: dict[str, str | None] = dict.fromkeys(step.args, "0")
        for name in moving:
            alone = len(moving) == 1
            found[name] = _told(
                step.tangents[direction] if alone else self.product(step, name, direction)
            )
        return [found[name] for name in step.args]

    def product(self, step: Step, name: str, direction: int) -> Any:
        tangent = self.steps[name].tangents[direction]
        weights = [part.value for part in step.partials if part.arg == name]
        if len(weights) != 1 or weights[0] is None or isinstance(tangent, tuple):
            return None
        if not np.shape(weights[0]) == np.shape(tangent) == np.shape(step.value):
            return None
        with np.errstate(all="ignore"):
            return weights[0] * tangent


def _moves(step: Step, direction: int) -> bool:
    """Whether a step has a tangent in this direction that is not zero."""
    tangent = step.tangents[direction] if direction < len(step.tangents) else None
    parts = tangent if isinstance(tangent, tuple) else (tangent,)
    return any(part is not None and bool(np.any(part)) for part in parts)


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, or of many the first two and the last."""
    return names if len(names) <= _MOST_NAMED else (*names[:2], "…", names[-1])


class _Places:
    """The lines of source that made steps, each once."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._numbers: dict[Any, int] = {}

    def number(self, place: Any) -> int:
        if place is None:
            return -1
        if place not in self._numbers:
            self._numbers[place] = len(self.rows)
            self.rows.append(
                {
                    "file": Path(place.file).name,  # pages are shared: no folders
                    "line": place.line,
                    "text": place.text,
                    "function": place.function,
                }
            )
        return self._numbers[place]


# ------------------------------------------------------------------------------------------ numbers


def brief(value: Any) -> str:
    """A value in so few characters that there is room for it: a number, or the norm of an array."""
    if value is None:
        return "—"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(brief, value)) + ")"
    array = np.asarray(value)
    if not array.ndim:
        return number(array[()], _DIGITS)
    if array.dtype.kind not in "fc" or not array.size:
        return f"{_size(array)} {array.dtype.name}"
    with np.errstate(all="ignore"):
        return f"norm {number(np.linalg.norm(array.ravel()), 4)}"


def _sized(value: Any) -> str:
    """A value in a box: of an array the shape too."""
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_sized, value)) + ")"
    text = brief(value)
    return f"{_size(np.asarray(value))}, {text}" if text.startswith("norm") else text


def _size(array: Any) -> str:
    return "×".join(map(str, array.shape))


def _long(value: Any) -> str:
    is_array = not isinstance(value, tuple) and np.ndim(value)
    return shown(value) if is_array else _sized(value)


def _told(value: Any) -> str | None:
    return None if value is None else brief(value)
