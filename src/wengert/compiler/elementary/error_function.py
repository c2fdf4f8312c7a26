"""erf and erfc.

    erf x  = x + x E(x²)                          |x| ≤ 1
    erfc a = exp(−a²) H(t) / (1 + 2a)             a ≥ ½, t = (a − c)/(a + c)

H lies between 1 and 1.3 (M. M. Shepherd, J. G. Laframboise, 1981). For erfc, −a², the exponential,
H and the quotient are summed with their rounding errors; for erf = 1 − erfc, of which erfc is at
most a sixth, this is not needed. E and H interpolate at the Chebyshev nodes of their intervals
(relative errors: E 2⁻⁵⁶ and 2⁻²⁹, H 2⁻⁵⁸ for erfc, 2⁻⁵³ and 2⁻²⁶ for erf).
"""

from __future__ import annotations

from wengert.compiler.elementary.base import Coefficients, pure, through_double
from wengert.compiler.elementary.exponential import Exponential
from wengert.compiler.lanes import Value

ERF: Coefficients = {
    "double": (
        0.12837916709551256,
        -0.3761263890318354,
        0.1128379167094491,
        -0.026866170643221454,
        0.005223977606976882,
        -0.0008548325968458515,
        0.00012055294691019695,
        -1.4924732685547572e-05,
        1.6447371314258486e-06,
        -1.6208065704722215e-07,
        1.3718218762051456e-08,
        -7.792387776980085e-10,
    ),
    "float": (
        0.128379166,
        -0.376126266,
        0.112835938,
        -0.0268541683,
        0.00518899422,
        -0.000801595619,
        7.87258276e-05,
    ),
}
"""E."""

ERF_CENTRE = {"double": 2.5, "float": 2.0}
ERF_LIMIT = {"double": 6.0, "float": 4.0}
"""c, and where erf has rounded to 1."""

ERF_TAIL: Coefficients = {
    "double": (
        1.2648381843668615,
        -0.1223567630824048,
        -0.09902453957362821,
        0.157629919023341,
        -0.10296705603545367,
        0.032760893259856726,
        0.000931892676316826,
        -0.004382078060235835,
        0.0004918689633864672,
        0.000632119700047387,
        -8.851776122243524e-05,
        -0.00011347976123684529,
        6.5302663986696535e-06,
        2.248412545587483e-05,
        1.6395738131252505e-06,
        -3.6675714133528703e-06,
    ),
    "float": (
        1.27697838,
        -0.0927636475,
        -0.16603062,
        0.164038347,
        -0.0542043719,
        -0.0077981765,
        0.00844277179,
    ),
}
"""H for erf."""

ERFC = (
    1.2329951186255526,
    -0.13962111684056253,
    0.015379652102619166,
    0.06809705425469513,
    -0.1010390660362627,
    0.09373283499827136,
    -0.06633036581338696,
    0.03716751553853768,
    -0.01619773404100221,
    0.005031969971599235,
    -0.0007577734292305736,
    -0.00019925668628231047,
    0.0001506224113199895,
    -2.4399097113238747e-05,
    -1.1224509485290038e-05,
    5.708937230004636e-06,
    2.992011484165939e-07,
    -8.230236181628612e-07,
    6.734000863671706e-08,
    1.0608598334165835e-07,
    -1.234233162617437e-08,
    -1.062761963742751e-08,
)
"""H for erfc, c = 4."""

ERFC_REST = -4.421629413399176e-17
"""What the first coefficient lacks."""


class ErrorFunctions(Exponential):
    """The error function and its complement."""

    __slots__ = ()

    def erfc_tail(self, a: Value) -> Value:
        """erfc a for ½ ≤ a ≤ 28."""
        one = self.const(1.0)
        shifted = self.exact_add(a, self.const(4.0))
        below, below_rest = self.fast_two_sum(self.exact_add(a, a), one)
        both = self.divide(one, self.exact_multiply(shifted, below))
        t = self.exact_multiply(
            self.exact_subtract(a, self.const(4.0)), self.exact_multiply(both, below)
        )
        first = self.const(ERFC[0])
        slope, slope_rest = self.two_product(t, self.polynomial(t, ERFC[1:]))
        h, h_rest = self.fast_two_sum(first, slope)
        h_rest = self.exact_add(h_rest, self.exact_add(slope_rest, self.const(ERFC_REST)))
        minus = self.negative(a)
        square, lost = self.two_product(minus, a)
        power, power_rest, k = self.exp_of_sum(square, lost)
        above, above_rest = self.product_of_sums(power, power_rest, h, h_rest)
        reciprocal = self.exact_multiply(both, shifted)
        quotient = self.exact_multiply(above, reciprocal)
        minus = self.negative(quotient)
        rest = self.fma(minus, below_rest, self.fma(minus, below, above))
        rest = self.exact_add(rest, above_rest)
        return self.scale(self.fma(rest, reciprocal, quotient), k)

    def erf_series(self, x: Value) -> Value:
        """erf x − x for |x| ≤ 1."""
        return self.exact_multiply(x, self.polynomial(self.exact_multiply(x, x), ERF))

    @pure()
    def erf(self, x: Value) -> Value:
        one = self.const(1.0)
        size = self.absolute(x)
        inner = self.exact_add(x, self.erf_series(x))
        a = self.clamp(size, 1.0, ERF_LIMIT[self.element])
        centre = self.const(ERF_CENTRE[self.element])
        shifted, below = self.exact_add(a, centre), self.exact_add(self.exact_add(a, a), one)
        both = self.divide(one, self.exact_multiply(shifted, below))
        t = self.exact_multiply(self.exact_subtract(a, centre), self.exact_multiply(both, below))
        power = self.exp(self.negative(self.exact_multiply(a, a)))
        tail = self.exact_multiply(
            self.exact_multiply(power, self.polynomial(t, ERF_TAIL)),
            self.exact_multiply(both, shifted),
        )
        outer = self.copysign(self.exact_subtract(one, tail), x)
        return self.select(self.less(size, one), inner, outer)

    @through_double
    @pure()
    def erfc(self, x: Value) -> Value:
        """1 − erf x below ½; 2 − erfc(−x) below −1."""
        one = self.const(1.0)
        near = self.less(self.absolute(x), self.const(0.5))
        inner = self.exact_subtract(self.exact_subtract(one, x), self.erf_series(x))
        tail = self.erfc_tail(self.clamp(self.absolute(x), 0.5, 28.0))
        positive = self.greater(x, self.const(0.0))
        outer = self.select(positive, tail, self.exact_subtract(self.const(2.0), tail))
        result = self.select(near, inner, outer)
        return self.select(self.isnan(x), x, result)
