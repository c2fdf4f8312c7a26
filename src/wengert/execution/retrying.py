"""Calls that run again, once what stood in their way is cured.

A function may expect an error of its values, a singular matrix say: it is traced again so that its
`try` sees it (see `values`).

A transformation may fail for a reason that the library can mend: adoption replaces what a module
would have dropped a tracer with. The layer that can mend it provides a cure; the outermost call
asks for it and starts anew, in a new session.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeAlias, TypeVar, cast

from wengert.execution.values import of_values
from wengert.tracing.session import current_session, watching

F = TypeVar("F", bound=Callable[..., Any])

Cure: TypeAlias = Callable[[Exception, int], bool]
"""What is done about an exception, and whether the call shall run again. It is told when the call
began, by the count of cures: another thread may have cured it since."""

_CURES: list[Callable[[], Cure]] = []


_cured = [0]
_counting = Lock()


def count_cure() -> int:
    """Count a cure, which calls that begin from now on will meet."""
    with _counting:
        _cured[0] += 1
        return _cured[0]


def provide_cure(make: Callable[[], Cure]) -> None:
    """Say what can be done about exceptions. `make` is called once for each call that fails, so
    that what it returns may remember what it has tried."""
    _CURES.append(make)


def retried(transformation: F) -> F:
    """The transformation, run again for as long as a cure is found for what it raises.

    Only where it is called outside of every trace: inside one, the function that is being traced
    may still catch the exception.
    """

    @functools.wraps(transformation)
    def call(*args: Any, **kwargs: Any) -> Any:
        cures: list[Cure] | None = None
        watched = False
        while True:
            began = _cured[0]
            try:
                if not watched:
                    return transformation(*args, **kwargs)
                with watching():
                    return transformation(*args, **kwargs)
            except Exception as error:
                if current_session() is not None:
                    raise
                if not watched and of_values(error):
                    watched = True
                    continue
                if cures is None:
                    cures = [make() for make in _CURES]
                if not any(cure(error, began) for cure in cures):
                    raise

    return cast(F, call)
