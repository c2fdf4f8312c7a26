"""What holds for the whole process, from the environment at first.

WENGERT_NATIVE=off       no machine code: all programs run as calls of NumPy
WENGERT_CACHE=off        compiled programs are not kept on disk
WENGERT_CACHE=<path>     the directory in which they are kept
WENGERT_ADOPTION=off     modules that would drop a traced value are left as they are
OMP_NUM_THREADS=<n>      the threads of big loops and of BLAS
"""

from __future__ import annotations

import os

_OFF = frozenset({"off", "0", "no", "false"})


def is_off(name: str) -> bool:
    """Whether an environment variable turns something off."""
    return os.environ.get(name, "").strip().lower() in _OFF


native: bool = not is_off("WENGERT_NATIVE")
"""Whether programs become machine code. Set by `wengert.set_native`."""
adoption: bool = not is_off("WENGERT_ADOPTION")
"""Whether modules are adopted by themselves. Set by `wengert.adoption`."""


def _threads() -> int:
    """OMP_NUM_THREADS, the first of a list; else the processors that the process may use."""
    number = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if number.isdecimal() and int(number) > 0:
        return int(number)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


threads: int = _threads()
"""Threads of big loops and of BLAS. Set by `wengert.set_threads`."""
threads_were_set: bool = False
"""Whether it was, so that BLAS has to be told."""
