"""`lanes(code, dtype, width)`: the operations on values of a dtype, with all their functions."""

from __future__ import annotations

from wengert.compiler.code import Code
from wengert.compiler.complex_power import Complexes
from wengert.compiler.lanes import BoolLanes, Lanes
from wengert.compiler.lanes_float import Floats
from wengert.compiler.lanes_integer import Integers
from wengert.graph.types import DType

_KINDS: dict[str, type[Lanes]] = {
    "b": BoolLanes,
    "i": Integers,
    "u": Integers,
    "f": Floats,
    "c": Complexes,
}


def lanes(code: Code, dtype: DType, width: int) -> Lanes:
    """The operations on `width` values of a dtype, whose instructions go to `code`."""
    return _KINDS[dtype.kind](code, dtype, width)
