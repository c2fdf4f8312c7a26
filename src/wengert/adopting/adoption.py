"""`adopt`, `unadopt` and `adoption`: code that nobody wrote for traced arrays.

What is adopted is a namespace: the globals of a module. It stays adopted until it is given back.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import RLock
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

from wengert import settings
from wengert.adopting.namespaces import SERVING, Changes, replace
from wengert.adopting.stand_ins import Parts, table
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.retrying import count_cure
from wengert.logging import logger

T = TypeVar("T")


@dataclass(slots=True)
class Adopted:
    """A namespace that is adopted.

    names: the globals. parts: what has been replaced in them. layers: the changes, one entry each
        time that more was replaced. when: the count of cures then.
    """

    names: dict[str, Any]
    parts: Parts = Parts.NOTHING
    layers: list[tuple[Parts, Changes]] = field(default_factory=list)
    when: int = 0


_adopted: dict[int, Adopted] = {}
_lock = RLock()


def adopted(names: dict[str, Any]) -> Adopted | None:
    """What is known of a namespace that is adopted."""
    return _adopted.get(id(names))


def adopt_names(
    names: dict[str, Any],
    parts: Parts,
    running: Iterable[CodeType] = (),
    also: Iterable[FunctionType] = (),
) -> bool:
    """Replace more in a namespace; whether there was anything to replace."""
    with _lock:
        record = _adopted.setdefault(id(names), Adopted(names))
        before = record.parts
        changes = replace(names, table(before | parts), running, also)
        record.parts = before | parts
        if changes.count:
            record.layers.append((before, changes))
            record.when = count_cure()
        return bool(changes.count)


def take_back(names: dict[str, Any], layers: int = 0) -> None:
    """Undo the adoption of a namespace, but for its first `layers` layers."""
    with _lock:
        record = _adopted.get(id(names))
        if record is None:
            return
        while len(record.layers) > layers:
            record.parts, changes = record.layers.pop()
            changes.revert()
        if not record.layers:
            del _adopted[id(names)]


# ------------------------------------------------------------------------------ what people call

BY_HAND = Parts.CONVERSIONS | Parts.ARRAYS | Parts.CASTS
"""What `adopt` replaces: not the functions that NumPy's protocols reach, which modules compare by
identity (`statistic is np.std`), unless a list of traced values is given to one."""


def adopt(code: T) -> T:
    """Make a module differentiable that makes plain arrays and numbers of what it is given.

    Its names that mean NumPy, `math`, SciPy or functions of theirs are replaced by stand-ins, which
    do the same where nothing is traced, and keep derivatives where something is. This happens by
    itself when a traced value would be dropped; by hand it saves the first trace, and reaches code
    that behaves otherwise without dropping anything.

    Parameters
    ----------
    code
        A module, or its name; a package is adopted with those of its modules that are imported. A
        function or class stands for the module that defines it. Works as a decorator.

    Returns
    -------
    What was given (the module, where it was a name).

    Raises
    ------
    WengertTypeError
        Where this is no Python code: a function or module written in C.

    Examples
    --------
    >>> import math, wengert as wg
    >>> @wg.adopt
    ... def area(r):
    ...     return math.pi * math.pow(float(r), 2)
    >>> wg.grad(area)(1.0)
    np.float64(6.283185307179586)
    >>> _ = wg.unadopt(area)
    """
    found = importlib.import_module(code) if isinstance(code, str) else code
    for names, functions in _namespaces(found):
        known = adopted(names)
        if known is None or BY_HAND not in known.parts or functions:
            adopt_names(names, BY_HAND, also=functions)
            logger.info("adopted %s", names.get("__name__"))
    return found  # type: ignore[return-value]


def unadopt(code: T | None = None) -> T | None:
    """Give a module back as it was, and what was adopted with it; all of them without an argument.

    Takes and returns what `adopt` does. A module that is not adopted is left alone.
    """
    if code is None:
        for record in list(_adopted.values()):
            take_back(record.names)
        return None
    found = importlib.import_module(code) if isinstance(code, str) else code
    for names, _ in _namespaces(found):
        take_back(names)
    return found  # type: ignore[return-value]


class adoption:
    """Whether modules are adopted by themselves when a traced value would be dropped.

    Parameters
    ----------
    mode
        "on" or "off". It holds from now on in all threads, or inside a `with` statement. What is
        adopted already stays so (see `unadopt`).

    The environment variable WENGERT_ADOPTION=off turns it off from the beginning.

    >>> import math, wengert as wg
    >>> with wg.adoption("off"):
    ...     wg.grad(lambda x: math.sin(x))(0.0)
    Traceback (most recent call last):
    wengert.errors.DroppedTracer: ...
    """

    def __init__(self, mode: str) -> None:
        if mode not in ("on", "off"):
            raise WengertValueError(f'adoption is "on" or "off", not {mode!r}')
        self._before = settings.adoption
        settings.adoption = mode == "on"

    def __repr__(self) -> str:
        return f"adoption({'on' if settings.adoption else 'off'!r})"

    def __enter__(self) -> adoption:
        return self

    def __exit__(self, *error: object) -> None:
        settings.adoption = self._before


def _namespaces(code: Any) -> Iterator[tuple[dict[str, Any], list[FunctionType]]]:
    """The globals that a module, function or class stands for, each with functions in question."""
    if isinstance(code, ModuleType):
        _refuse_ours(vars(code))
        prefix = f"{code.__name__}."
        modules = [m for name, m in list(sys.modules.items()) if name.startswith(prefix)]
        for module in [code, *modules]:
            if isinstance(module, ModuleType) and is_python(vars(module)):
                yield vars(module), []
        return
    if isinstance(code, MethodType):
        code = code.__func__
    if isinstance(code, type) and code.__module__ in sys.modules:
        yield from _only(vars(sys.modules[code.__module__]))
        return
    found = 0
    while code is not None:
        if isinstance(code, FunctionType):
            found += 1
            _refuse_ours(code.__globals__)
            yield code.__globals__, [code]
        code = getattr(code, "__dict__", {}).get("__wrapped__")
    if not found:
        raise WengertTypeError(
            "adopt takes a module or its name, or a function or class written in Python: what is "
            "written in C cannot be adopted. wengert.primitive(f) gives it a derivative"
        )


def _only(names: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[FunctionType]]]:
    _refuse_ours(names)
    yield names, []


def _refuse_ours(names: dict[str, Any]) -> None:
    if not is_adoptable(names):
        name = names.get("__name__")
        raise WengertTypeError(f"{name} cannot be adopted: adopted modules are served by it")


def is_adoptable(names: dict[str, Any]) -> bool:
    """Whether the module with these globals may be adopted."""
    name = str(names.get("__name__", ""))
    if name.partition(".")[0] not in SERVING or name.startswith("numpy.polynomial."):
        return True
    module = sys.modules.get(name)
    return module is None or vars(module) is not names  # a doctest goes by the name of its module


def is_python(names: dict[str, Any]) -> bool:
    """Whether a module is Python code, as far as it says."""
    file = names.get("__file__")
    return file is None or not str(file).endswith((".so", ".pyd"))
