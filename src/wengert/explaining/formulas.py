"""Formulas from the labels of records: `{0} · {1}` with the operands in their places.

A label is a template. What it says about precedence is read off it: a sign between blanks, a
bracket around an operand, a letter in front of it. So brackets stand where they are needed, and
formulas come as text and as LaTeX, without a word about any op.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from wengert.explaining.symbols import in_latex
from wengert.graph.node import Node

ANY, RELATION, SIGN, SUM, PRODUCT, APPLY, POWER, NAME, ATOM = range(9)
"""How strongly a formula holds together, the outermost sign being a comparison, a leading minus, a
sum, a product, a function without brackets, a power; or it is a name that has an exponent already,
or one word, or in brackets."""

_PLACE = re.compile(r"(\{\d\})")
_FRACTION = re.compile(r"(\{\d\}|\d+) ?/ ?(\{\d\})")
_LINE = {  # sign -> what it joins is this strong; what its left and right operands must be
    "·": (PRODUCT, PRODUCT, APPLY),
    "∗": (PRODUCT, PRODUCT, APPLY),
    "/": (PRODUCT, PRODUCT, APPLY),
    "−": (SUM, SIGN, PRODUCT),
    "+": (SUM, SIGN, SUM),
} | dict.fromkeys([*"=<>≤≥≠∧∨⊻&|^", "<<", ">>", "mod"], (RELATION, SUM, SUM))
_UNSPACED = "·∗/−+"
"""Signs that may stand without blanks; the others are part of something else there."""
_OPENING, _CLOSING = "([⌊⌈|,;", ")]⌋⌉|,;"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as text and as LaTeX, with the strength of its outermost sign."""

    text: str
    latex: str
    strength: int = ATOM

    def within(self, strength: int) -> Formula:
        """The formula as an operand of something that needs this strength: in brackets if it has
        less."""
        if self.strength >= strength:
            return self
        return Formula(f"({self.text})", rf"\left({self.latex}\right)")


def compose(label: str, operands: Sequence[Formula]) -> Formula:
    """The label with formulas in its places."""
    strength, needs = _precedence(label)
    fitted = [operand.within(needs.get(k, ANY)) for k, operand in enumerate(operands)]
    text = _PLACE.sub(lambda match: fitted[int(match[0][1])].text, label)
    latex = "".join(
        piece if type(piece) is str else (operands if piece[1] else fitted)[piece[0]].latex
        for piece in _latex_template(label)
    )
    text = _JUXTAPOSED.sub("", text)
    if strength == APPLY and _CALL.fullmatch(text):
        strength = POWER
    return Formula(text, latex, strength)


_JUXTAPOSED = re.compile(r"(?<=[a-zΣΠ₀₁₂]) (?=\()")
"""The blank that a function name needs no more before a bracket."""

_CALL = re.compile(r"\w+\([^()]*\)")
"""exp(x + y), which ends where its bracket does."""


@cache
def _precedence(label: str) -> tuple[int, dict[int, int]]:
    """(how strong the outermost sign is, place -> how strong the operand there must be)."""
    pieces = _PLACE.split(label)
    needs: dict[int, int] = {}
    for j in range(1, len(pieces), 2):
        need = max(_from_left(pieces[j - 1]), _from_right(pieces[j + 1]))
        k = int(pieces[j][1])
        needs[k] = max(need, needs.get(k, ANY))
    return strength_of(label), needs


def _from_left(before: str) -> int:
    """What an operand must be because of the text on its left."""
    bare = before.rstrip()
    if before == " ":
        return NAME
    if not bare or (bare[-1] in _OPENING and not (bare[-1] == "|" and before != bare)):
        return ANY
    sign = bare.split(" ")[-1] if before != bare else bare[-1]
    if sign in _LINE and (before != bare or sign in _UNSPACED):
        return _LINE[sign][2]
    return NAME if before != bare else ATOM


def _from_right(after: str) -> int:
    """What an operand must be because of the text on its right."""
    bare = after.lstrip()
    if after == " ":
        return ATOM
    if not bare or (bare[0] in _CLOSING and not (bare[0] == "|" and after != bare)):
        return ANY
    sign = bare.split(" ")[0] if after != bare else bare[0]
    if sign in _LINE and (after != bare or sign in _UNSPACED):
        return _LINE[sign][1]
    return ATOM


def strength_of(label: str) -> int:
    """The strength of the outermost sign of a label, or of the text of a formula."""
    outside, nested = label, 1
    while nested:
        outside, nested = re.subn(r"\([^()]*\)", "", outside)
    for bracketed in (r"\[[^\[\]]*\]", r"⌊[^⌋]*⌋", r"⌈[^⌉]*⌉", r"\|\S+\|"):
        outside = re.sub(bracketed, "", outside)
    words = outside.split(" ")
    found = [_LINE[word][0] for word in words if word in _LINE]
    found += [_LINE[c][0] for word in words for c in word[1:] if c in _UNSPACED]
    if outside.startswith("−"):
        found.append(SIGN)
    if found:
        return min(found)
    if len(words) > 1:  # a function of what follows, or factors side by side
        return PRODUCT if re.search(r"[{^⁻]", words[0]) else APPLY
    if re.match(r"[^\w{]+\{", outside):
        return APPLY
    return POWER if re.search(r"\}[^A-Za-z\s\[_]|\^", outside) else ATOM


@cache
def _latex_template(label: str) -> tuple[str | tuple[int, bool], ...]:
    """The label in LaTeX: texts, and (place, whether it needs no brackets there)."""
    label = _FRACTION.sub("\\\\frac\x01\\1\x02\x01\\2\x02", label) if "/" in label else label
    label = re.sub(r"√(\{\d\})", "\\\\sqrt\x01\\1\x02", label)
    label = re.sub(r"∛(\{\d\})", "\\\\sqrt[3]\x01\\1\x02", label)
    label = re.sub(r"([\^_])(\{\d\})", "\\1\x01\\2\x02", label)
    label = re.sub(r"\^(\([^()]*\))", "^\x01\\1\x02", label)
    pieces: list[str | tuple[int, bool]] = []
    for piece in re.split(r"(\x01?\{\d\}\x02?|\\frac|\\sqrt(?:\[3\])?|[\x01\x02])", label):
        if piece.startswith("\x01{"):
            pieces += ["{", (int(piece[2]), True), "}"]
        elif _PLACE.match(piece):
            pieces += [(int(piece[1]), False), *["}"] * piece.endswith("\x02")]
        elif piece.startswith("\\"):
            pieces.append(piece)
        else:
            pieces.append({"\x01": "{", "\x02": "}"}.get(piece) or in_latex(piece))
    return tuple(pieces)


def of_node(node: Node, operands: Sequence[Formula]) -> Formula:
    """The operation of a node in terms of its operands, by the label of its record."""
    return compose(label_of(node), operands)


def label_of(node: Node) -> str:
    """The label of a node's record, with what its parameters say, and a place for each operand."""
    label = node.op.label
    if label == "{0}":  # moves or converts, and has no sign of its own in mathematics
        to = f", {_dimensions(node)}" if node.op.family == "movement" and node.shape else ""
        return f"{node.op.name}({{0}}{to})"
    if node.op.family == "reduction" and label.endswith(" {0}"):
        return label.replace(" {0}", f"({{0}}, {axes})") if (axes := _axes(node)) else label
    if node.op.family == "contraction" and label == "{0} {1}":
        return " ".join(_factors(node))
    if label == "embed({0})" and isinstance(node.params[0], tuple):
        entries = ", ".join(map(_entry, node.params[0], node.shape))
        return f"embed({{0}}, [{entries}])"
    if "[…]" in label and node.params and isinstance(node.params[0], tuple):
        entries = map(_entry, node.params[0], node.args[0].shape)
        label = label.replace("…", ", ".join(entries))
    if "{k}" in label:
        label = label.replace("{k}", str(node.params[0]))
    if node.args and not _PLACE.search(label):
        label += "(" + ", ".join(f"{{{k}}}" for k in range(len(node.args))) + ")"
    return label


def _factors(node: Node) -> tuple[str, str]:
    """The factors of a product of matrices and vectors, transposed where their rows and columns
    change places. (A vector stands upright, and lies down where a row is asked for.)"""
    over, along = node.params
    left, right = (arg.ndim for arg in node.args)
    if any(along) or max(map(len, over)) > 1 or max(left, right) > 2:
        return "{0}", "{1}"
    if not over[0]:
        return ("{0}", "{1}ᵀ") if left == right == 1 else ("{0}", "{1}")
    lies = left == 1 or over[0] == (0,)
    return "{0}ᵀ" if lies else "{0}", "{1}ᵀ" if right == 2 and over[1] == (1,) else "{1}"


def _dimensions(node: Node) -> str:
    """5×4; of a vector 5."""
    return "×".join(map(str, node.shape))


def _axes(node: Node) -> str:
    """The axes that a reduction goes over; nothing where it goes over all."""
    over = node.params[0] if node.params else None
    axes = (over,) if isinstance(over, int) else over
    ndim = node.args[0].ndim
    if not isinstance(axes, tuple) or len(axes) == ndim or not axes or node.size == 1:
        return ""
    return f"{'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"


def _entry(entry: object, extent: int) -> str:
    """An entry of a basic index as Python writes it, from its (start, count, step)."""
    if not isinstance(entry, tuple):
        return str(entry)
    start, count, step = entry
    stop = start + count * step
    if step == 1:
        return f"{start or ''}:{'' if stop == extent else stop}"
    first = "" if start == (0 if step > 0 else extent - 1) else start
    return f"{first}:{stop if 0 <= stop < extent else ''}:{step}"
