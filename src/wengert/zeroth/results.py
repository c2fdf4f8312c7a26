"""What a derivative by evaluations is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Derivative:
    """A derivative found by evaluating the function.

    Attributes
    ----------
    value
        The derivative, in the structure of x.
    stderr
        Its standard error, likewise: how far random directions leave it off. It holds neither the
        error of the difference quotient nor rounding. 0 where nothing is random, infinite where a
        single sample says nothing about it.
    evaluations
        How often the function was called.
    method
        What was done.
    """

    value: Any
    stderr: Any
    evaluations: int
    method: str
