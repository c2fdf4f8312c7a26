"""One record an op, grouped by family. Importing this package registers them all."""

from wengert.ops import (
    arithmetic,
    contraction,
    convolution,
    elementary,
    gather,
    holders,
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
    "convolution",
    "elementary",
    "gather",
    "holders",
    "leaves",
    "movement",
    "operators",
    "reductions",
    "sorting",
    "special",
]
