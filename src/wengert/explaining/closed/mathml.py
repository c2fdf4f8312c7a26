"""Markup as presentational MathML (Core), which browsers draw without any library.

Source: W3C, *MathML Core*, 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

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

_TIMES = "<mo>&#x2062;</mo>"  # invisible times
_SPACE = '<mspace width="0.17em"></mspace>'
_APPLY = "<mo>&#x2061;</mo>"  # function application


def document(body: str, block: bool = True) -> str:
    """The outermost element; block: on lines of its own."""
    display = "block" if block else "inline"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="{display}">{body}</math>'


def mathml(markup: Markup) -> str:
    """The formula as elements, to stand inside `document`."""
    match markup:
        case Name(base, subscript, differential):
            if not base:
                return '<mi mathvariant="normal">d</mi>'
            name = _identifier(base)
            if subscript:
                under = f"<mn>{subscript}</mn>" if subscript.isdigit() else _identifier(subscript)
                name = f"<msub>{name}{under}</msub>"
            if not differential:
                return name
            return f'<mrow><mi mathvariant="normal">{differential}</mi>{name}</mrow>'
        case Number(number):
            over, _, under = number.partition("/")
            if not under:
                return f"<mn>{over}</mn>"
            return (
                f'<mstyle displaystyle="false"><mfrac><mn>{over}</mn><mn>{under}</mn></mfrac>'
                "</mstyle>"
            )
        case Sign("ᵀ" | "−ᵀ" as sign):
            minus = "<mo>−</mo>" if sign != "ᵀ" else ""
            return f'<mrow>{minus}<mi mathvariant="normal">⊤</mi></mrow>'
        case Sign(", "):
            return '<mo separator="true">,</mo>'
        case Sign(sign, spaced):
            form = "infix" if spaced else "prefix"
            return f'<mo form="{form}">{escape(sign)}</mo>'
        case Row(items):
            return f"<mrow>{''.join(map(mathml, items))}</mrow>"
        case Juxtaposed(items):
            return f"<mrow>{''.join(_factors(items))}</mrow>"
        case Superscript(base, exponent):
            return f"<msup>{mathml(base)}{mathml(exponent)}</msup>"
        case Quotient(over, under):
            return f"<mfrac>{mathml(over)}{mathml(under)}</mfrac>"
        case Root(of):
            return f"<msqrt>{mathml(of)}</msqrt>"
        case Fence(left, of, right, subscript):
            tall = _is_tall(of)
            inside = f"{_fence(left, 'prefix', tall)}{mathml(of)}{_fence(right, 'postfix', tall)}"
            if subscript:
                return f"<msub><mrow>{inside}</mrow>{_identifier(subscript)}</msub>"
            return f"<mrow>{inside}</mrow>"
        case Call(name, of, power, fenced):
            head = _identifier(name)
            if power:
                head = f"<msup>{head}{_exponent(power)}</msup>"
            inside = mathml(of)
            if fenced:
                tall = _is_tall(of)
                inside = f"{_fence('(', 'prefix', tall)}{inside}{_fence(')', 'postfix', tall)}"
            return f"<mrow>{head}{_APPLY}{inside}</mrow>"


def _factors(items: tuple[Markup, ...]) -> Iterator[str]:
    """Factors side by side, with a little space where a word or a differential stands."""
    for before, item in zip((None, *items[:-1]), items, strict=True):
        if before is not None:
            yield _SPACE if _stands_apart(before) or _stands_apart(item) else _TIMES
        yield mathml(item)


def _stands_apart(markup: Markup) -> bool:
    while isinstance(markup, Superscript):
        markup = markup.base
    if isinstance(markup, Call):
        return markup.name == "d"
    return isinstance(markup, Name) and (
        markup.is_word or (markup.differential != "" and markup.base != "")
    )


def _identifier(base: str) -> str:
    upright = ' mathvariant="normal"' if base == "d" else ""
    return f"<mi{upright}>{escape(base)}</mi>"


def _fence(sign: str, form: str, tall: bool) -> str:
    stretchy = "" if tall else ' stretchy="false"'
    return f'<mo fence="true" form="{form}"{stretchy}>{escape(sign)}</mo>'


def _is_tall(markup: Markup) -> bool:
    """Whether there is a fraction in it, so that brackets around it are to grow."""
    match markup:
        case Quotient():
            return True
        case Row(items) | Juxtaposed(items):
            return any(map(_is_tall, items))
        case Superscript(base):
            return _is_tall(base)
        case Fence(of=of) | Call(of=of) | Root(of):
            return _is_tall(of)
    return False


def _exponent(power: str) -> str:
    if power.startswith("−"):
        return f"<mrow><mo>−</mo><mn>{power[1:]}</mn></mrow>"
    return f"<mn>{power}</mn>"
