"""What can go wrong, and the place in the user's program where it did.

Every exception of wengert's own is a `WengertError` and a subclass of the built-in that fits, so
that both `except WengertError` and `except TypeError` work. The message says what happened, where
(the first frame outside this package), and what to write instead.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

_PACKAGE = str(Path(__file__).parent)
_EXAMPLES = str(Path(_PACKAGE, "_examples"))
"""The programs of the demonstration, which read as a user's."""
_STANDARD_LIBRARY = str(Path(contextlib.__file__).parent)
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
    """`file:line in function` of the innermost frame that is no installed package's either, and
    what was called there, where that is one."""
    found = user_frame()
    own = found
    while own is not None and not is_own(own):
        own = own.f_back
    if found is None or own is None or own is found:
        return None if found is None else _place(found)
    module = found.f_globals.get("__name__", "a package")
    return f"{_place(own)} (in {module}.{found.f_code.co_name}, which it calls)"


def is_own(frame: FrameType) -> bool:
    """Whether a frame is of the user's own program: of no installed package, nor of Python's."""
    name = frame.f_code.co_filename
    if name.startswith(_EXAMPLES):
        return True
    if name == "<string>":  # made at run time, as the methods of a dataclass are
        return frame.f_globals.get("__name__", "").partition(".")[0] not in ("wengert", *_LIBRARIES)
    return not (name.startswith((_PACKAGE, "<frozen")) or _is_installed(frame))


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _is_installed(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return "site-packages" in name or "dist-packages" in name or name.startswith(_STANDARD_LIBRARY)


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


class AxisOutOfRange(WengertError, np.exceptions.AxisError):
    """An axis that the array does not have."""


class WengertRuntimeError(WengertError, RuntimeError):
    """A traced value is used outside of its trace, or something inside failed."""


class NoValue(WengertTypeError):
    """Python asks for a value that is not there while tracing: a loop's variable, an instance."""


class DroppedTracer(WengertTypeError):
    """A traced value would become a plain number or array, and its derivative would be lost."""


class NotDifferentiable(WengertTypeError):
    """An operation has no derivative, or not in the mode asked for."""


class Unsupported(WengertError, NotImplementedError):
    """NumPy can do this and wengert does not, said by name."""


class MemoryBudgetError(WengertError, MemoryError):
    """No way was found to compute something within a budget of memory.

    smallest: the smallest budget in bytes for which a way was found.
    """

    def __init__(self, message: str, smallest: int) -> None:
        super().__init__(message)
        self.smallest = smallest

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.smallest)


class UnsupportedAttribute(Unsupported, AttributeError):
    """An attribute of arrays that traced ones do not have, said by name."""
