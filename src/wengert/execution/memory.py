"""What programs free is kept for the next call.

Pages that the system hands out for the first time cost more than the work on them: a gradient of
some hundred kilobytes an array spends a third of its time there, when the allocator gives freed
memory back after each call. glibc learns from the largest block that was mapped and freed how much
to keep: one block, never touched, teaches it at the start what a program with arrays of that size
would teach it later. Elsewhere this does nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST = 2**24
"""Bytes of the block; twice as many, freed, stay with the process at most."""


@cache
def keep_what_is_freed() -> None:
    """Teach the allocator, once."""
    np.empty(LARGEST, np.uint8)
