"""What wengert does behind one's back, told through the standard library's logging.

>>> import wengert.logging
>>> wengert.logging.logger.name
'wengert'
"""

from __future__ import annotations

import logging

logger = logging.getLogger("wengert")


def show(level: int | str = logging.DEBUG) -> None:
    """Print what is logged from this level on to standard error."""
    logger.setLevel(level if isinstance(level, int) else level.upper())
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("wengert %(levelname)s: %(message)s"))
        logger.addHandler(handler)
