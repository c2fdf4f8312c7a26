"""How names and values are written: subscripts, bars and dots, numbers, arrays in a few entries."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np

from wengert.explaining.symbols import in_latex

_DIGITS = "0123456789"
_SUBSCRIPTS = str.maketrans(_DIGITS, "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("()" + _DIGITS, "⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹", _DIGITS + "()" + _DIGITS)
_MACRON = "\N{COMBINING MACRON}"
_OVERLINE = "\N{COMBINING OVERLINE}"
_DOT = "\N{COMBINING DOT ABOVE}"
_SHOWN = 3


def subscripted(name: str) -> str:
    """`w1` as w₁: the digits at the end of an identifier as subscripts."""
    base, digits = _parts(name)
    return f"{base}{digits.translate(_SUBSCRIPTS)}" if base else name


def numbered(name: str, k: int) -> str:
    """x⁽²⁾: the second value of a variable."""
    return name + f"({k})".translate(_SUPERSCRIPTS)


def plain(name: str) -> str:
    """A name as it can be typed: w1 for w₁, x(2) for x⁽²⁾."""
    base, digits = _parts(name.translate(_PLAIN))
    return base + digits


def _parts(name: str) -> tuple[str, str]:
    base, digits = re.fullmatch(r"(.*?)_?(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    return base, digits


def name_in_latex(name: str) -> str:
    r"""A name of a step in LaTeX: w_{12}, x_1^{(2)}, \mathit{rate}, \texttt{p['w']}."""
    stem, counted, count = name.partition("⁽")
    above = f"^{{({count.removesuffix('⁾').translate(_PLAIN)})}}" if counted else ""
    base, digits = _parts(stem.translate(_PLAIN))
    below = "" if not digits else f"_{digits}" if len(digits) == 1 else f"_{{{digits}}}"
    if len(base) == 1:
        letter = in_latex(base).strip()
    elif base.isidentifier():
        letter = rf"\mathit{{{_escaped(base)}}}"
    else:
        return rf"\texttt{{{_escaped(stem.translate(_PLAIN))}}}{above}"
    return letter + below + above


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(
        special.get(c, f"\\{c}" if c in "_{}#%&$" else c if c.isascii() else "?") for c in text
    )


def barred(name: str) -> str:
    """The name of the adjoint: v̄₁ for v₁, with the bar over the letters that begin the name."""
    letters = _letters(name)
    if not letters:
        return f"adjoint of {name}"
    over = _MACRON if len(letters) == 1 else _OVERLINE
    barred_letters = (unicodedata.normalize("NFC", letter + over) for letter in letters)
    return "".join(barred_letters) + name[len(letters) :]


def dotted(name: str) -> str:
    """The name of the tangent: v̇₁ for v₁, with the dot over the first letter."""
    if not _letters(name):
        return f"tangent of {name}"
    return unicodedata.normalize("NFC", name[0] + _DOT) + name[1:]


def _letters(name: str) -> str:
    found = re.match(r"[^\W\d_₀-₉⁰-⁹²³¹]+", name)
    return found[0] if found else ""


_ACCENTED = re.compile(r"(\w|\\[a-zA-Z]+ ?(?:\{[^{}]*\})?)((?:[_^].*)?)")


def barred_in_latex(latex: str) -> str:
    """The adjoint of a step in LaTeX."""
    found = _ACCENTED.fullmatch(latex)
    if found is None or "{" in found[1]:
        return rf"\overline{{{latex}}}"
    return rf"\bar{{{found[1].strip()}}}{found[2]}"


def dotted_in_latex(latex: str) -> str:
    """The tangent of a step in LaTeX."""
    found = _ACCENTED.fullmatch(latex)
    if found is None:
        return rf"\mathrm{{d}}{latex}"
    return rf"\dot{{{found[1].strip()}}}{found[2]}"


def number(value: Any, digits: int = 6) -> str:
    """A scalar to some significant digits, with a true minus sign; zero has no sign."""
    if isinstance(value, bool | np.bool_):
        return str(value)
    return format(value + 0, f".{digits}g").replace("-", "−")


def shown(value: Any) -> str:
    """A value in a few characters: a number; of an array its shape, norm and first entries."""
    if value is None:
        return "—"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ")"
    array = np.asarray(value)
    if not array.ndim:
        return number(array[()])
    entries = [number(entry, digits=4) for entry in array.flat[:_SHOWN]]
    if array.size > _SHOWN:
        entries.append("…")
    return f"{'×'.join(map(str, array.shape))} [{', '.join(entries)}]{_norm(array)}"


def _norm(array: Any) -> str:
    """‖·‖ 3.14, of arrays of more entries than are shown."""
    if array.size <= _SHOWN or array.dtype.kind not in "fc":
        return ""
    return f" ‖·‖ {number(norm(array), digits=4)}"


def norm(array: Any) -> float:
    """The Euclidean norm of all entries."""
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.ravel(array)))
