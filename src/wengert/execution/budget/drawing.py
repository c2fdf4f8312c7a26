"""Live bytes over the steps of a program, drawn."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.execution.budget.amounts import in_words

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def in_columns(live: Sequence[int], width: int) -> list[int]:
    """The greatest of the bytes in each of so many columns, fewer where there are few steps."""
    count = len(live)
    width = min(width, count)
    return [max(live[k * count // width : (k + 1) * count // width]) for k in range(width)]


def as_text(
    live: Sequence[int], budget: int | None, inputs: int = 0, width: int = 72, height: int = 8
) -> str:
    """A drawing in characters, the amounts beside it; a line of dashes is the budget."""
    columns = in_columns(live, width) if live else [inputs]
    top = max(*columns, budget or 0, 1)
    lines = []
    level = None if budget is None else min(height - 1, budget * height // top)
    for row in range(height - 1, -1, -1):
        cells = []
        for bytes in columns:
            eighths = round(8 * (bytes * height / top - row))
            cell = _EIGHTHS[min(8, max(0, eighths))]
            cells.append("╌" if cell == " " and row == level else cell)
        amount = in_words(top * (row + 1) // height)
        lines.append(f"{amount:>10} ┤{''.join(cells)}")
    lines.append(" " * 11 + "└" + "─" * len(columns))
    return "\n".join(lines)


def as_svg(live: Sequence[int], budget: int | None, width: int = 640, height: int = 160) -> str:
    """A drawing for a notebook."""
    columns = in_columns(live, width // 2) if live else [0]
    top = max(*columns, budget or 0, 1)
    step = width / len(columns)
    points = [f"0,{height}"]
    for k, bytes in enumerate(columns):
        y = height * (1 - bytes / top)
        points += [f"{k * step:.1f},{y:.1f}", f"{(k + 1) * step:.1f},{y:.1f}"]
    points.append(f"{width},{height}")
    line = ""
    if budget is not None:
        y = height * (1 - budget / top)
        line = f'<line x1="0" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#c33" />'
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>live bytes, at most {in_words(max(columns))}</title>"
        f'<polygon points="{" ".join(points)}" fill="#4a90b8" />{line}</svg>'
    )
