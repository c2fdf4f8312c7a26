"""The operation whose derivative does not agree with differences, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.tracing.observing import Place

_DEBUG = "`with wengert.debug_nans():` around the derivative says from what"


@dataclass(frozen=True, slots=True)
class Culprit:
    """An operation whose derivative is wrong, or near a kink of which the point is.

    op: its name. rules: what the user gave as its rule, if that is it. of: the op whose derivative
    it belongs to, if it does. kind: "pushforward", "transpose", "kink", "steep" where its slope is
    not finite, "edge" where it is not finite nearby, or "value" where it is not finite at the point
    itself. mode: "fwd" or "rev".
    place: the user's line. within: the loops and branches around it. inputs: their types.
    got, want: what the derivative gives, and what differences give; of a kink, a steep slope or an
    edge, the slopes before the point and behind it; of a value, that itself.
    """

    op: str
    rules: tuple[str, ...]
    of: str | None
    kind: str
    place: Place | None
    within: tuple[str, ...]
    inputs: tuple[str, ...]
    got: Any
    want: Any

    @property
    def mode(self) -> str:
        return "rev" if self.kind == "transpose" else "fwd"

    def __str__(self) -> str:
        whose = "" if self.of is None else f", in the derivative of {self.of},"
        if self.kind == "kink":
            lines = [f"{self.op}{whose} has a kink near here, or the step is too large for it"]
        elif self.kind == "edge":
            lines = [f"{self.op}{whose} is not finite within the step: take a smaller eps"]
        elif self.kind == "steep":
            lines = [f"{self.op}{whose} has a slope here that is not finite, {_DEBUG}"]
        elif self.kind == "value":
            lines = [f"{self.op}{whose} is not finite here, so there is no derivative: {_DEBUG}"]
        else:
            lines = [f"the {self.kind} of {self.op}{whose} disagrees with differences"]
        lines += [f"  by the rule {rule}" for rule in self.rules]
        if self.place is not None:
            place = self.place
            lines.append(f"  in    {place.text}    ({place.file}:{place.line} in {place.function})")
        lines += [f"  in    {part}" for part in self.within]
        if self.inputs:
            lines.append(f"  of    {', '.join(self.inputs)}")
        sides = self.kind in ("kink", "steep", "edge")
        labels = ("slope before", "slope behind") if sides else ("got", "differences")
        if self.kind == "value":
            labels = ("value",)
        width = max(map(len, labels)) + 2
        lines += [
            f"  {label:<{width}}{_shortly(value)}"
            for label, value in zip(labels, (self.got, self.want), strict=False)
        ]
        return "\n".join(lines)


def _shortly(value: Any) -> str:
    """A value; of several results, each."""
    if isinstance(value, list):
        return ", ".join(map(_shortly, value))
    text = np.array2string(np.asarray(value), threshold=8, edgeitems=3, precision=10)
    return " ".join(text.split())
