"""What can go wrong, and the place in the user's program where it did.

Every exception is a `WengertError` and a subclass of the built-in that fits, so that both
`except WengertError` and `except TypeError` work. The message says what happened, where (the first
frame outside this package), and what to write instead.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

_PACKAGE = str(Path(__file__).parent)
_LIBRARIES = ("numpy", "optree", "opt_einsum")


def user_frame() -> FrameType | None:
    """The innermost frame that is the user's: not of this package, nor of one that it calls."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if not frame.f_code.co_filename.startswith(_PACKAGE) and package not in _LIBRARIES:
            return frame
        frame = frame.f_back
    return None


def user_location() -> str | None:
    """`file:line in function` of that frame."""
    frame = user_frame()
    if frame is None:
        return None
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


class WengertError(Exception):
    """The base of every error that wengert raises."""

    def __init__(self, message: str) -> None:
        place = user_location()
        super().__init__(message if place is None else f"{message}\n  at {place}")


class WengertTypeError(WengertError, TypeError):
    """An argument has a type, dtype or structure that cannot be used here."""


class WengertValueError(WengertError, ValueError):
    """An argument has a value or shape that cannot be used here."""


class WengertIndexError(WengertError, IndexError):
    """An index is out of range or of a kind that NumPy does not accept."""


class WengertRuntimeError(WengertError, RuntimeError):
    """A traced value is used outside of its trace, or something inside failed."""


class DroppedTracer(WengertTypeError):
    """A traced value would become a plain number or array, and its derivative would be lost."""


class NotDifferentiable(WengertTypeError):
    """An operation has no derivative, or not in the mode asked for."""


class Unsupported(WengertError, NotImplementedError):
    """NumPy can do this and wengert does not, said by name."""


class UnsupportedAttribute(Unsupported, AttributeError):
    """An attribute of arrays that traced ones do not have, said by name."""
