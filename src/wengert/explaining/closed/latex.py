r"""Markup as LaTeX for mathematics mode, with amsmath: 2e^{-x^\top x}\left(I - …\right)."""

from __future__ import annotations

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

GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu",
    "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau",
    "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta",
    "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi",
    "Ψ": r"\Psi", "Ω": r"\Omega", "∂": r"\partial", "∇": r"\nabla",
}  # fmt: skip
_SIGNS = {
    "−": "-", "∘": r"\circ", "⊘": r"\oslash", "ᵀ": r"\top", "−ᵀ": r"-\top", "·": r"\cdot",
    "≥": r"\geq", "≤": r"\leq", "Σ": r"\sum", "′": "'", "″": "''",
    "↦": r"\mapsto", ", ": r",\, ", "∂": r"\partial", "∂²": r"\partial^{2}",
}  # fmt: skip
_DIFFERENTIALS = {"": "", "d": r"\mathrm{d}", "δ": r"\delta "}
_FENCES = {
    "(": "(", ")": ")", "[": "[", "]": "]", "⟨": r"\langle", "⟩": r"\rangle", "|": "|", "‖": r"\|",
}  # fmt: skip
_NAMED = frozenset(
    {"log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "det"}
)


def latex(markup: Markup) -> str:
    """The formula in LaTeX, without dollar signs."""
    match markup:
        case Name(base, subscript, differential):
            name = (identifier(base) if base else "") + (
                f"_{{{_subscript(subscript)}}}" if subscript else ""
            )
            return _DIFFERENTIALS[differential] + name
        case Number(number):
            over, _, under = number.partition("/")
            return rf"\tfrac{{{over}}}{{{under}}}" if under else over
        case Sign(sign, spaced):
            written = _SIGNS.get(sign, sign)
            return f" {written} " if spaced or written.startswith("\\") else written
        case Row(items):
            return "".join(map(latex, items))
        case Juxtaposed(items):
            return _side_by_side(items)
        case Superscript(base, exponent):
            below = latex(base)
            if isinstance(base, Quotient | Superscript):
                below = f"{{{below}}}"
            return f"{below}^{{{latex(exponent).strip()}}}"
        case Quotient(over, under):
            return rf"\frac{{{latex(over)}}}{{{latex(under)}}}"
        case Root(of):
            return rf"\sqrt{{{latex(of)}}}"
        case Fence(left, of, right, subscript):
            under = f"_{{{_subscript(subscript)}}}" if subscript else ""
            return rf"\left{_FENCES[left]} {latex(of)} \right{_FENCES[right]}{under}"
        case Call(name, of, power, fenced):
            head = _function(name) + (f"^{{{power.replace('−', '-')}}}" if power else "")
            return rf"{head}\left( {latex(of)} \right)" if fenced else f"{head} {latex(of)}"


def identifier(base: str) -> str:
    """A name without its subscript: Greek by its command, words upright."""
    if base in GREEK:
        return GREEK[base]
    return base if len(base) == 1 and base.isascii() else rf"\mathrm{{{_escaped(base)}}}"


def _subscript(subscript: str) -> str:
    return subscript if subscript.isdigit() else rf"\mathrm{{{_escaped(subscript)}}}"


def _escaped(word: str) -> str:
    return word.replace("_", r"\_")


def _function(name: str) -> str:
    if name == "d":
        return r"\mathrm{d}"
    if name in _NAMED:
        return rf"\{name}"
    return GREEK.get(name) or rf"\operatorname{{{_escaped(name)}}}"


def _side_by_side(items: tuple[Markup, ...]) -> str:
    line = ""
    for before, item in zip((None, *items[:-1]), items, strict=True):
        if before is not None:
            apart = _is_word(before) or _is_word(item) or _begins_with_digit(item)
            line += r" \cdot " if _begins_with_digit(item) else r" \, " if apart else " "
        line += latex(item)
    return line


def _is_word(markup: Markup) -> bool:
    while isinstance(markup, Superscript):
        markup = markup.base
    return isinstance(markup, Name) and (markup.is_word or bool(markup.differential))


def _begins_with_digit(markup: Markup) -> bool:
    while isinstance(markup, Superscript):
        markup = markup.base
    return isinstance(markup, Number)
