"""What the commands tell: text for people on stdout, progress on stderr, JSON for programs.

In JSON, arrays are nested lists; complex numbers are {"real": …, "imag": …}; what is no number or
not finite is null, since JSON has no such numbers; sparse matrices are their shape, rows, columns
and values.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
import numpy as np

from wengert.lazy import module
from wengert.tracing.trees import flatten

WIDTH = 140
"""Of tables that go into a file, where COLUMNS says nothing else."""


def say(*what: Any) -> None:
    """Print reports, in colour on a terminal, and as wide as they are in a file."""
    asked = os.environ.get("COLUMNS", "")
    width = int(asked) if asked.isdigit() and int(asked) else WIDTH
    console = module("rich.console").Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else width, soft_wrap=True
    )
    for one in what:
        console.print(one, highlight=False, markup=False)


def say_json(document: Mapping[str, Any]) -> None:
    """Print one document of JSON."""
    click.echo(json.dumps(plain(document), ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON has it.

    >>> plain({"x": np.array([1.0, np.nan]), "z": 1 + 2j})
    {'x': [1.0, None], 'z': {'real': 1.0, 'imag': 2.0}}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, complex):
        return {"real": plain(value.real), "imag": plain(value.imag)}
    if isinstance(value, np.ndarray | np.generic):
        return _nested(np.asarray(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        if hasattr(value, "_asdict"):
            return plain(value._asdict())
        return [plain(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (one.name for one in dataclasses.fields(value) if not one.name.startswith("_"))
        return {name: plain(getattr(value, name)) for name in names}
    if hasattr(value, "tocoo"):
        found = value.tocoo()
        parts = {"rows": found.row, "columns": found.col, "values": found.data}
        return {"shape": list(found.shape), **plain(parts)}
    return str(value)


def is_finite(value: Any) -> bool:
    """Whether all numbers of a structure are finite; what is no number is no harm.

    >>> is_finite((1.0, None, [2])), is_finite({"x": [np.inf]})
    (True, False)
    """
    leaves = map(np.asarray, flatten(value)[0])
    return all(np.isfinite(leaf).all() for leaf in leaves if leaf.dtype.kind in "fc")


def _nested(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind in "fc":
        return _each(array.tolist(), plain)
    if array.dtype.kind in "biu":
        return array.tolist()
    return _each(array.tolist(), str)


def _each(value: Any, as_plain: Callable[[Any], Any]) -> Any:
    """`as_plain` of every number in nested lists."""
    return [_each(one, as_plain) for one in value] if isinstance(value, list) else as_plain(value)


@contextlib.contextmanager
def working(
    what: str, quiet: bool = False, parts: int | None = None
) -> Iterator[Callable[[str], None]]:
    """A progress bar on stderr, and a function that says which part begins; nothing where nobody
    looks. parts: how many there are, where that is known."""
    if quiet or not sys.stderr.isatty():
        yield lambda text: None
        return
    rich = module("rich.progress")
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.TimeElapsedColumn())
    console = module("rich.console").Console(file=sys.stderr)
    begun = 0
    with rich.Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=parts)

        def now(text: str) -> None:
            nonlocal begun
            progress.update(task, description=text, completed=begun if parts else None)
            begun += 1

        yield now
