"""Pieces of HTML: sections, tables, figures, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

MOST_TOGETHER = 15
"""Rows of a table that stay on one page of paper."""
SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit."""


@dataclass(frozen=True, slots=True)
class Section:
    """id: where links lead. title: its heading. body: HTML. glance: (a number, what it is), what is
    said of the section on top of the page; None where nothing is."""

    id: str
    title: str
    body: str
    glance: tuple[str, str] | None = None

    def __str__(self) -> str:
        return (
            f'<section id="{self.id}" aria-labelledby="{self.id}-title">'
            f'<h2 id="{self.id}-title">{escape(self.title)}</h2>{self.body}</section>'
        )


def paragraph(*texts: str) -> str:
    """A paragraph of HTML for each text."""
    return "".join(f"<p>{text}</p>" for text in texts)


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: Iterable[int] = (0,)
) -> str:
    """A table with a heading in each row. Cells are text, or HTML in a `Raw`; all columns hold
    numbers but `words`."""
    left = set(words)

    def cell(k: int, text: str) -> str:
        kind = "" if k in left else ' class="number"'
        tag, scope = ("th", ' scope="row"') if k == 0 else ("td", "")
        return f"<{tag}{scope}{kind}>{as_html(text)}</{tag}>"

    body = "".join(
        f"<tr>{''.join(cell(k, text) for k, text in enumerate(row))}</tr>" for row in rows
    )
    head = "".join(
        f'<th scope="col"{"" if k in left else " class=number"}>{as_html(text)}</th>'
        for k, text in enumerate(heads)
    )
    # A region that scrolls can be reached by the keyboard, and so needs a name.
    kind = "scrolls long" if len(rows) > MOST_TOGETHER else "scrolls"
    return (
        f'<div class="{kind}" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


class Raw(str):
    """A text that is HTML already."""

    __slots__ = ()


def as_html(text: str) -> str:
    return text if isinstance(text, Raw) else escape(text)


def number(value: float, digits: int = 3) -> str:
    """A number with a true minus sign, its power of ten as people write it.

    >>> number(-0.5), number(1234.5), number(0.000012)
    ('−0.5', '1234', '1.2·10⁻⁵')
    """
    if math.isfinite(value) and value and not 1e-3 <= abs(value) < 1e6:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}·10{raised}".replace("-", "−")
    whole = abs(value) >= 10 ** (digits - 1)
    text = f"{value:.0f}" if whole else f"{value:.{digits}g}"
    return text.replace("-", "−")


def percent(part: float, digits: int = 0) -> str:
    return f"{100 * part:.{digits}f}{SPACE}%"


def duration(seconds: float) -> str:
    """A time in the unit that fits it.

    >>> duration(3.21e-6), duration(1.5)
    ('3.21\\xa0µs', '1.5\\xa0s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{number(seconds / size)}{SPACE}{unit}"
    return f"{number(seconds / 1e-9)}{SPACE}ns"


def greatest(a: object, b: object) -> float:
    """The greatest difference of two arrays."""
    return float(np.max(np.abs(np.subtract(a, b))))  # type: ignore[arg-type]
