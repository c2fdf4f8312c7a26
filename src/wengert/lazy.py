"""The one place that defers heavy imports until they are needed."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType


@cache
def module(name: str) -> ModuleType:
    """The module `name`, imported on first use."""
    return importlib.import_module(name)
