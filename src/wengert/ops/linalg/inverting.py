"""Inverses from factors, by halves.

LAPACK's own (`getri`, `potri`) spend most of their time in products with thin panels. Here a
triangle is inverted by halves, so that nearly all the work is in products of large blocks:

    [A 0]⁻¹   [   A⁻¹         0 ]
    [B C]   = [−C⁻¹ B A⁻¹   C⁻¹ ]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.linalg.lapack import routine


def inverse_from(packed: Any, pivots: Any) -> Any:
    """The inverse from LU factors; NaN where a factor is singular."""
    found, info = routine("getri", packed.dtype)(packed, pivots, lwork=64 * len(pivots))
    return found if not info else np.full(packed.shape, np.nan, packed.dtype)
