"""The computation graph as PNG, drawn from its SVG by resvg."""

from __future__ import annotations

from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from wengert.errors import WengertRuntimeError
from wengert.explaining.picture.document import document
from wengert.explaining.picture.layout import INSTALL, NotInstalled
from wengert.explaining.picture.svg import Mode, drawn
from wengert.lazy import module

if TYPE_CHECKING:
    from wengert.explaining.report import Report

FONT = "DejaVu Sans"
"""The boxes are measured for it."""


def png(
    report: Report,
    path: str | PathLike[str],
    mode: Mode | None = None,
    step: int | str | None = None,
    direction: str | None = None,
    dark: bool = False,
    scale: float = 2.0,
) -> None:
    """Write the picture that `svg` draws to a file, as pixels.

    dark: light on dark. scale: pixels for each unit of the SVG.
    Raises NotInstalled where the packages of `wengert[pictures]` are missing, and
    WengertRuntimeError where no font can be found, neither the system's nor Matplotlib's.
    """
    try:
        resvg = module("resvg_py")
    except ModuleNotFoundError as error:
        raise NotInstalled(INSTALL) from error
    text = drawn(document(report), mode, step, direction, dark)
    fonts = _fonts()
    pixels = resvg.svg_to_bytes(
        svg_string=text,
        zoom=scale,
        font_family=FONT,
        sans_serif_family=FONT,
        font_files=fonts or None,
        skip_system_fonts=bool(fonts),
    )
    Path(path).write_bytes(bytes(pixels))


@cache
def _fonts() -> list[str]:
    """DejaVu Sans as Matplotlib brings it; without it the fonts of the system, if it has any."""
    try:
        matplotlib = module("matplotlib")
    except ModuleNotFoundError:
        if not _system_has_fonts():
            raise WengertRuntimeError(
                "there is no font to write the picture with: install DejaVu Sans (on Debian, the "
                "package fonts-dejavu-core) or Matplotlib, which brings it"
            ) from None
        return []
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return sorted(str(path) for path in folder.glob("DejaVuSans*.ttf"))


def _system_has_fonts() -> bool:
    """Whether text comes out as pixels."""
    square = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{}</svg>'
    letter = '<text x="5" y="35" font-size="30">M</text>'
    draw = module("resvg_py").svg_to_bytes
    empty, written = (bytes(draw(svg_string=square.format(it))) for it in ("", letter))
    return empty != written
