"""`import numpy` inside a function of an adopted module.

An import statement calls `builtins.__import__`, which knows the globals of its caller. Once a
module with such functions is adopted, a function in its place hands out the stand-ins there. It is
taken away with the last of those modules.
"""

from __future__ import annotations

import builtins
from typing import Any

from wengert.adopting.stand_ins import Table

_tables: dict[int, Table] = {}
"""The stand-ins for a module, by the identity of its globals (which adoption keeps alive)."""
_real: list[Any] = []


def _import(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> Any:
    found = _real[0](name, globals, locals, fromlist, level)
    table = _tables.get(id(globals))
    return found if table is None else table.stand_for(found)


def replace_imports(globals: dict[str, Any], table: Table | None) -> Table | None:
    """Let the functions with these globals import stand-ins, or what there is (None).

    Returns the table that was used before.
    """
    before = _tables.pop(id(globals), None)
    if table is not None:
        _tables[id(globals)] = table
        if builtins.__import__ is not _import:
            _real[:] = [builtins.__import__]
            builtins.__import__ = _import
    elif not _tables and builtins.__import__ is _import:
        builtins.__import__ = _real[0]
    return before
