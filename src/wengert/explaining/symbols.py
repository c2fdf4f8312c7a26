"""Mathematics in Unicode, as the labels of records write it, in LaTeX."""

from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPT = {"ᴴ": r"\mathsf{H}", "ᵀ": r"\mathsf{T}", "⁺": "+", "⁻": "-", "⁽": "(", "⁾": ")"}
_SUPERSCRIPT |= dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
_SUBSCRIPT = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SYMBOLS = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "∗": r"\ast ", "¬": r"\neg ", "°": r"^{\circ}",
    "′": "'", "″": "''", "…": r"\dots ", "ℱ": r"\mathcal{F}", "√": r"\surd ",
    "∛": r"\sqrt[3]{}", "∞": r"\infty ", "∧": r"\wedge ", "∨": r"\vee ", "∫": r"\int ",
    "≠": r"\ne ", "≤": r"\le ", "≥": r"\ge ", "⊻": r"\veebar ", "⊕": r"\oplus ",
    "⌈": r"\lceil ", "⌉": r"\rceil ", "⌊": r"\lfloor ", "⌋": r"\rfloor ",
    "Σ": r"\sum ", "Π": r"\prod ", "↦": r"\mapsto ",
    "&": r"\mathbin{\&}", "~": r"{\sim}", "%": r"\%", "#": r"\#", "$": r"\$", "|": r"|",
    "\N{COMBINING MACRON}": r"\,\bar{}",
}  # fmt: skip
_FUNCTIONS = re.compile(
    "arc(cos|sin|tan)|(cos|sin|tan|cot)h?|csc|sec|exp|ln|log|max|min|inf|sup|arg|deg|det|dim|gcd|ker"
)
"""The words that are commands of LaTeX."""
_TOKEN = re.compile(
    rf"([{''.join(_SUPERSCRIPT)}]+)|([{''.join(_SUBSCRIPT)}]+)|([A-Za-z]{{2,}}[0-9]*(?:_[a-z0-9]{{2,}})*)|(.)",
    re.S,
)


def in_latex(text: str) -> str:
    r"""A piece of a formula: log₂ as \log_{2}, σ as \sigma, ⁻¹ as ^{-1}, words upright."""
    text = text.replace(" ^ ", " ⊕ ")  # without operands it would raise what follows
    return "".join(_token(*match.groups()) for match in _TOKEN.finditer(text))


def _token(above: str | None, below: str | None, word: str | None, sign: str | None) -> str:
    if above:
        return f"^{{{''.join(_SUPERSCRIPT[c] for c in above)}}}"
    if below:
        return f"_{{{''.join(_SUBSCRIPT[c] for c in below)}}}"
    if word:
        if _FUNCTIONS.fullmatch(word):
            return f"\\{word} "
        escaped = word.replace("_", r"\_")
        return rf"\operatorname{{{escaped}}}"
    assert sign is not None
    return _SYMBOLS.get(sign) or _letter(sign)


def _letter(sign: str) -> str:
    if sign.isascii():
        return sign
    words = unicodedata.name(sign, "").split()
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"]:
        name = words[3].lower()
        if words[1] == "CAPITAL":
            latin = name in ("alpha", "beta", "epsilon", "zeta", "eta", "iota", "kappa", "mu", "nu")
            return name[0].upper() if latin else f"\\{name.capitalize()} "
        return f"\\{'lambda' if name == 'lamda' else name} "
    return rf"\mathrm{{{unicodedata.normalize('NFKD', sign).encode('ascii', 'ignore').decode()}}}"
