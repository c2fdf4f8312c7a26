"""Pictures of matplotlib's inside the page: SVG that takes the colours and the font of the page."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

from wengert.lazy import module

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    "#000000": "currentColor",
    "#262626": "currentColor",
    "#808080": "var(--soft)",
    "#b0b0b0": "var(--line)",
    "#cccccc": "var(--line)",
    "#ffffff": "var(--card)",
    "#1f77b4": "var(--first)",
    "#ff7f0e": "var(--second)",
    "#2ca02c": "var(--third)",
    "#d62728": "var(--fourth)",
}
"""Those of matplotlib's default style, and what stands for them here, in light and in dark."""
_LARGER = 1.15
_PROLOG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_SIZE = re.compile(r'(<svg\b[^>]*?) width="[^"]*"', re.DOTALL)
_HEIGHT = re.compile(r'(<svg\b[^>]*?) height="[^"]*"', re.DOTALL)
_IDENTIFIER = re.compile(r'(\bid="|xlink:href="#|url\(#)([^")]+)')
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FAMILY = re.compile(r"(font: (?:\w+ )*[\d.]+px) [^;\"]*")
_VERSION = re.compile(r' version="[\d.]+"')


def figure(drawn: Figure, name: str, described: str, caption: str) -> str:
    """A figure of the page. name: of the picture, among others on the page. described: what is to
    be seen, for those who do not see it. caption: HTML."""
    return (
        f'<figure>{_as_svg(drawn, name, described)}<figcaption>{caption}</figcaption></figure>'
    )  # fmt: skip


def _as_svg(drawn: Figure, name: str, described: str) -> str:
    page = io.StringIO()
    # Text stays text: it is read aloud, found and selected, and has the font of the page.
    with module("matplotlib").rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        drawn.savefig(page, format="svg", transparent=True, metadata={"Date": None})
    text = _METADATA.sub("", _PROLOG.sub("", page.getvalue()))
    text = _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", text, count=1), count=1)
    inches = drawn.get_size_inches()[0]
    text = _VERSION.sub("", text, count=1)
    text = _IDENTIFIER.sub(rf"\1{name}-\2", text)  # no two pictures share an id
    text = _COLOUR.sub(lambda found: COLOURS.get(found[0], found[0]), text)
    text = _FAMILY.sub(r"\1 inherit", text)
    text = text.replace("inherit", "var(--sans)")
    # As large as it was drawn, or a little larger, where there is room.
    size = f"max-width: {_LARGER * inches:.3g}in"
    labelled = f'<svg role="img" aria-label="{escape(described)}" style="{size}"'
    return text.replace("<svg", labelled, 1).strip()
