"""The computation graph as SVG: left to right, values in the boxes, derivatives along the edges."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from wengert.errors import WengertValueError
from wengert.explaining.notation import plain
from wengert.explaining.picture.document import Document, document
from wengert.explaining.picture.layout import asset, picture

if TYPE_CHECKING:
    from wengert.explaining.report import Report

Mode = Literal["forward", "reverse"]

_COLOUR = re.compile(r"(--[\w-]+):\s*light-dark\(([^,]+),\s*([^)]+)\)")
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")
_MOST_TOLD = 60


def svg(
    report: Report,
    mode: Mode | None = None,
    step: int | str | None = None,
    direction: str | None = None,
) -> str:
    """The computation graph of an explanation as a text in SVG.

    mode: what stands beside the values: tangents ("forward"), adjoints ("reverse"), or nothing.
    step: the picture after so many moments of the sweep of that mode, with the one that is going on
        set off; or the name of a step, for the moment at which its tangent is computed or its
        adjoint passed on. None for the whole.
    direction: the name of the input whose tangents are shown; by default the first.

    Colours follow the light or dark theme of the reader. Programs of more than 80 steps are folded
    by lines of source.

    Raises NotInstalled where the packages of `wengert[pictures]` are missing, WengertValueError
    where there is no such mode, step or input.
    """
    return drawn(document(report), mode, step, direction)


def drawn(
    content: Document,
    mode: Mode | None = None,
    step: int | str | None = None,
    direction: str | None = None,
    dark: bool | None = None,
) -> str:
    """The picture of a document, in the reader's theme, or in the light or dark one."""
    if mode not in (None, "forward", "reverse"):
        raise WengertValueError(f"mode must be 'forward', 'reverse' or None, not {mode!r}")
    if step is not None and mode is None:
        raise WengertValueError(
            "a picture at a step is of a sweep: give mode='forward' or 'reverse'"
        )
    moment = None if step is None else _moment(content, str(mode), step)
    return picture(
        content,
        mode=mode,
        direction=_direction(content, direction),
        step=moment,
        about=_about(content, mode),
        style=_style(dark),
    )


def _moment(content: Document, mode: str, step: int | str) -> int | dict[str, int]:
    if isinstance(step, str):
        for k, row in enumerate(content["steps"]):
            if plain(row["n"]) == plain(step):
                return {"of": k}
        raise WengertValueError(f"no step is called {step!r}")
    if mode == "reverse" and not content["schedules"]:
        raise WengertValueError("there is no reverse sweep: the function depends on no input")
    count = len(content["forward"] if mode == "forward" else content["schedules"][0]["moments"])
    if not 0 <= step <= count:
        raise WengertValueError(f"the sweep has moments 0 to {count}, and no moment {step}")
    return step


def _direction(content: Document, name: str | None) -> int:
    names = [content["steps"][k]["n"] for k in content["inputs"]]
    if name is None:
        return 0
    for k, known in enumerate(names):
        if plain(known) == plain(name):
            return k
    raise WengertValueError(f"no tangents are known by {name!r}; the inputs are {', '.join(names)}")


def _about(content: Document, mode: str | None) -> str:
    """The picture in words, for who cannot see it."""
    rows = content["steps"]
    told = []
    for row in rows[:_MOST_TOLD]:
        words = (
            f"{row['n']} = {row['v']}"
            if row["f"] is None
            else f"{row['n']} = {row['f']} = {row['v']}"
        )
        if mode == "reverse" and row["j"] is not None:
            words += f", adjoint {row['j']}"
        told.append(words)
    more = f"; and {len(rows) - len(told)} more" if len(rows) > len(told) else ""
    return f"The graph of {len(rows)} steps: {'; '.join(told)}{more}."


@cache
def _style(dark: bool | None) -> str:
    """The style sheet with its colours written out: in both themes, or in the one asked for."""
    palette = {
        name: (light, night) for name, light, night in _COLOUR.findall(asset("assets/palette.css"))
    }

    def coloured(text: str, theme: int) -> str:
        return _VARIABLE.sub(lambda match: palette[match[1]][theme].strip(), text)

    sheet = asset("assets/drawing.css")
    if dark is not None:
        return coloured(sheet, int(dark))
    coloured_lines = [line for line in sheet.splitlines() if "var(" in line]
    night = coloured("\n".join(coloured_lines), 1)
    return f"{coloured(sheet, 0)}@media (prefers-color-scheme: dark) {{\n{night}\n}}\n"
