"""The elementary functions of floating lanes, written from their mathematics in generic LLVM.

Within 2 units in the last place everywhere, with NumPy's values at zeros, infinities, NaN and
outside the domains, subnormal arguments and results included; the same bits whatever the number of
lanes.
"""

from wengert.compiler.elementary.error_function import ErrorFunctions
from wengert.compiler.elementary.hyperbolic import Hyperbolic
from wengert.compiler.elementary.inverse_trigonometric import InverseTrigonometric
from wengert.compiler.elementary.power import Power
from wengert.compiler.elementary.roots import Roots
from wengert.compiler.elementary.trigonometric import Trigonometric


class Elementary(Hyperbolic, Power, Roots, ErrorFunctions, Trigonometric, InverseTrigonometric):
    """Floating numbers with all functions."""

    __slots__ = ()
