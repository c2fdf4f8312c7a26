"""One record an op, grouped by family. Importing this package registers them all."""

from wengert.ops import (
    arithmetic,
    contraction,
    elementary,
    gather,
    leaves,
    movement,
    operators,
    reductions,
    sorting,
    special,
)

__all__ = [
    "arithmetic",
    "contraction",
    "elementary",
    "gather",
    "leaves",
    "movement",
    "operators",
    "reductions",
    "sorting",
    "special",
]
