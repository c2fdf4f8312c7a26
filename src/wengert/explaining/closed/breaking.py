"""Long statements of the NumPy source, broken over lines as formatters of Python break them."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 88
_STEP = "    "
_OPERATORS = ((" + ", " - "), (" @ ", " * ", " / "))


def wrapped(head: str, expression: str) -> list[str]:
    """The lines of `head expression`, without the indentation of the function's body."""
    width = WIDTH - len(_STEP)
    if len(head) + len(expression) <= width:
        return [head + expression]
    lines = list(_laid(expression, _STEP, width))
    if len(lines) == 1:
        return [head + expression]
    return [f"{head}(", *lines, ")"]


def _laid(expression: str, indent: str, width: int) -> Iterator[str]:
    """Lines of an expression: one for each operand, or for what stands in brackets."""
    if len(indent) + len(expression) <= width:
        yield indent + expression
        return
    for signs in _OPERATORS:
        pieces = _split(expression, signs)
        if len(pieces) > 1:
            for piece in pieces:
                yield from _laid(piece, indent, width)
            return
    opening = _bracket(expression)
    if opening is None:
        yield indent + expression
        return
    start, end = opening
    yield indent + expression[: start + 1]
    inside = _split(expression[start + 1 : end], (", ",))
    for k, piece in enumerate(inside):
        lines = list(_laid(piece.removeprefix(", ").strip(), indent + _STEP, width))
        lines[-1] += "," if len(inside) > 1 and k < len(inside) - 1 else ""
        yield from lines
    yield indent + expression[end:]


def _split(expression: str, signs: tuple[str, ...]) -> list[str]:
    """The expression cut before the signs that stand in no brackets."""
    pieces, depth, start = [], 0, 0
    for place, character in enumerate(expression):
        depth += (character in "([") - (character in ")]")
        if not depth and expression.startswith(signs, place):
            pieces.append(expression[start:place].strip())
            start = place
    return [*pieces, expression[start:].strip()]


def _bracket(expression: str) -> tuple[int, int] | None:
    """Where the longest part in brackets begins and ends."""
    found: tuple[int, int] | None = None
    depth = start = 0
    for place, character in enumerate(expression):
        if character in "([":
            start = place if not depth else start
            depth += 1
        elif character in ")]":
            depth -= 1
            if not depth and (found is None or place - start > found[1] - found[0]):
                found = start, place
    return found
