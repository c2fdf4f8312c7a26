"""What holds for the whole process, from the environment at first.

WENGERT_NATIVE=off       no machine code: all programs run as calls of NumPy
WENGERT_CACHE=off        compiled programs are not kept on disk
WENGERT_CACHE=<path>     the directory in which they are kept
"""

from __future__ import annotations

import os

_OFF = frozenset({"off", "0", "no", "false"})


def is_off(name: str) -> bool:
    """Whether an environment variable turns something off."""
    return os.environ.get(name, "").strip().lower() in _OFF


native: bool = not is_off("WENGERT_NATIVE")
"""Whether programs become machine code. Set by `wengert.set_native`."""
