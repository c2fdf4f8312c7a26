"""SciPy's namespaces for traced arrays, and SciPy itself where nothing is traced.

Each module has the name of SciPy's and offers its functions: those that are traced, by SciPy's
names, signatures and defaults, and SciPy's own for the rest. SciPy's ufuncs (`scipy.special.expit`)
take traced arrays by themselves; its other functions do not know of them, and are called from here.
"""

from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType

from wengert.lazy import module


def __getattr__(name: str) -> ModuleType:
    """A module of SciPy's name, imported when it is first used."""
    if name.startswith("_") or find_spec(f"{__name__}.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return module(f"{__name__}.{name}")
