"""Amounts of memory as people write them."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError

Amount: TypeAlias = "int | float | str"

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}
_WRITTEN = re.compile(r"\s*([0-9][0-9_]*\.?[0-9]*(?:e[0-9]+)?|\.[0-9]+)\s*([a-z]*)\s*", re.I)


def in_bytes(amount: Amount) -> int:
    """An amount of memory as a whole number of bytes.

    >>> in_bytes("200MB"), in_bytes("1.5 GiB"), in_bytes(4096)
    (200000000, 1610612736, 4096)
    """
    if isinstance(amount, str):
        found = _WRITTEN.fullmatch(amount)
        unit = None if found is None else _UNITS.get(found[2].lower())
        if found is None or unit is None:
            raise WengertValueError(
                f"memory={amount!r} is no amount of memory: write a number of bytes, or a number "
                'with a unit: "200MB", "1.5 GiB" (B, kB, MB, GB, TB; KiB, MiB, GiB, TiB)'
            )
        return _whole(float(found[1]) * unit, amount)
    if isinstance(amount, bool) or not isinstance(amount, int | float | np.integer | np.floating):
        raise WengertTypeError(
            f"memory must be a number of bytes or a text like '200MB', not {type(amount).__name__}"
        )
    return _whole(amount, amount)


def _whole(bytes: float, amount: Amount) -> int:
    if not bytes >= 0 or math.isinf(bytes):
        raise WengertValueError(f"memory must be a number of bytes, at least 0, not {amount!r}")
    return math.floor(bytes)


def in_words(bytes: int) -> str:
    """A number of bytes as people read it.

    >>> in_words(999), in_words(1_234_567)
    ('999 B', '1.235 MB')
    """
    if bytes < 1000:
        return f"{bytes} B"
    power = min(4, (len(str(bytes)) - 1) // 3)
    return f"{bytes / 1000**power:.4g} {'kMGT'[power - 1]}B"
