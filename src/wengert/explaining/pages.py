"""What `rich` renders, as plain text and as HTML."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType, RichCast

_WIDTH = 120
_PAGE = '<pre style="line-height: 1.25; white-space: pre; overflow-x: auto">{code}</pre>'


def as_text(renderable: RenderableType | RichCast) -> str:
    """In plain characters."""
    page = io.StringIO()
    console = module("rich.console").Console(
        file=page, width=_WIDTH, color_system=None, force_jupyter=False
    )
    console.print(renderable)
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip().splitlines())


def as_html(renderable: RenderableType | RichCast) -> str:
    """For a notebook, in colour."""
    console = module("rich.console").Console(
        file=io.StringIO(), width=_WIDTH, record=True, force_jupyter=False
    )
    console.print(renderable)
    html: str = console.export_html(inline_styles=True, code_format=_PAGE)
    return html
