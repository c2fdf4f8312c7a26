"""Markup as text on one line: ½‖Ax − b‖², 2e^{−xᵀx}(I − 2xxᵀ), x ⊘ y."""

from __future__ import annotations

import re

from wengert.explaining.closed.markup import (
    Call,
    Fence,
    Juxtaposed,
    Markup,
    Name,
    Number,
    Quotient,
    Root,
    Row,
    Sign,
    Superscript,
)

_SUPERSCRIPTS = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_VULGAR = {"1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/6": "⅙", "1/8": "⅛"}
_RAISED = re.compile(r"−?\d+|⁻?ᵀ|−ᵀ")
_BARE_EXPONENT = re.compile(r"\^(\w)$")
_LETTER_LAST = re.compile(r"[^\W\dᵀ½⅓⅔¼¾⅙⅛][₀-₉]*$")


def text(markup: Markup) -> str:
    """The formula on one line of Unicode. A name d is slanted: d(·) is the differential."""
    match markup:
        case Name(base, subscript, differential):
            return differential + ("𝑑" if base == "d" else base) + _lowered(subscript)
        case Number(number):
            return _VULGAR.get(number, f"({number})" if "/" in number else number)
        case Sign(sign, spaced):
            return f" {sign} " if spaced else sign
        case Row(items):
            return "".join(map(text, items))
        case Juxtaposed(items):
            return _side_by_side(items)
        case Superscript(base, exponent):
            return _raised(base, text(exponent))
        case Quotient(over, under):
            above, below = text(over), text(under)
            if isinstance(over, Row | Quotient):
                above = f"({above})"
            if isinstance(under, Row | Juxtaposed | Quotient) and not _is_partial(under):
                below = f"({below})"
            return f"{above}/{below}"
        case Root(of):
            return f"√{text(of)}" if isinstance(of, Name | Number) else f"√({text(of)})"
        case Fence(left, of, right, subscript):
            return f"{left}{text(of)}{right}{_lowered(subscript)}"
        case Call(name, of, power, fenced):
            head = name + power.translate(_SUPERSCRIPTS)
            return f"{head}({text(of)})" if fenced else f"{head} {text(of)}"


def _lowered(subscript: str) -> str:
    if not subscript:
        return ""
    return subscript.translate(_SUBSCRIPTS) if subscript.isdigit() else f"_{subscript}"


def _raised(base: Markup, exponent: str) -> str:
    below = f"({text(base)})" if isinstance(base, Quotient) else text(base)
    if _RAISED.fullmatch(exponent):
        return below + exponent.translate(_SUPERSCRIPTS)
    return f"{below}^{exponent}" if len(exponent) == 1 else f"{below}^{{{exponent}}}"


def _side_by_side(items: tuple[Markup, ...]) -> str:
    line = ""
    for k, item in enumerate(items):
        piece = f"({text(item)})" if isinstance(item, Quotient) else text(item)
        if k < len(items) - 1:
            piece = _BARE_EXPONENT.sub(r"^{\1}", piece)
        line += (_between(line, items[k - 1], item, piece) if k else "") + piece
    return line


def _between(line: str, before: Markup, item: Markup, piece: str) -> str:
    """What keeps two factors apart: nothing where they cannot be mistaken for something else."""
    if piece[0].isdigit() or _is_word(_end(before, -1)) or _is_word(_end(item, 0)):
        return "·"
    first = _end(item, 0)
    own = (isinstance(first, Call) and first.name.isascii()) or (
        isinstance(first, Name) and first.differential
    )
    last = _end(before, -1)
    glued = isinstance(last, Name) and last.differential
    return " " if (own or glued) and _LETTER_LAST.search(line) and piece[0].isalpha() else ""


def _end(markup: Markup, which: int) -> Markup:
    """The first (0) or last (-1) thing that is written; a superscript is the last one's own."""
    while True:
        if isinstance(markup, Juxtaposed | Row):
            markup = markup.items[which]
        elif isinstance(markup, Superscript) and which == 0:
            markup = markup.base
        else:
            return markup


def _is_partial(markup: Markup) -> bool:
    """Whether it is ∂x, which is read as one."""
    return isinstance(markup, Juxtaposed) and markup.items[0] == Name("∂")


def _is_word(markup: Markup) -> bool:
    return isinstance(markup, Name) and markup.is_word and not markup.differential
