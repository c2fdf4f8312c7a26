"""The elementary functions of the compiler: references in mpmath, arguments, and error bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf
from native_loop import elementwise

Array = np.ndarray[Any, Any]
PRECISION = 160
"""Bits of the references; mpmath reduces huge angles with as many as they need."""


@dataclass(frozen=True, slots=True)
class Case:
    """A function, the largest errors that are allowed, and where its arguments are drawn.

    bounds: in units in the last place, float64 and float32.
    intervals: drawn from uniformly, besides numbers of all magnitudes up to 2**most.
    signed: whether the latter have both signs. near: points that are approached from both sides.
    """

    name: str
    reference: Callable[..., Any]
    bounds: tuple[float, float]
    intervals: tuple[tuple[float, float], ...]
    most: int = 1100
    signed: bool = True
    near: tuple[float, ...] = ()
    domain: tuple[float, float] = (-np.inf, np.inf)


def _log_of_sum(base: Any) -> Callable[..., Any]:
    return lambda a, b: mp.log(base**a + base**b) / mp.log(base)


def _cbrt(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


UNARY = (
    Case("exp", mp.exp, (1.0, 1.0), ((-745, 709), (-104, 88), (-1, 1)), most=6),
    Case("exp2", lambda x: mpf(2) ** x, (1.0, 1.0), ((-1074, 1023), (-149, 127)), most=6),
    Case("expm1", mp.expm1, (1.2, 1.1), ((-40, 709), (-1, 1), (-40, 88)), most=6),
    Case("logistic", lambda x: 1 / (1 + mp.exp(-x)), (1.5, 1.5), ((-745, 40), (-9, 9)), most=6),
    Case("log", mp.log, (0.9, 0.9), ((0.5, 2),), signed=False, near=(1,)),
    Case("log2", lambda x: mp.log(x, 2), (0.75, 0.85), ((0.5, 2),), signed=False, near=(1,)),
    Case("log10", mp.log10, (0.75, 0.75), ((0.5, 2),), signed=False, near=(1,)),
    Case(
        "log1p",
        mp.log1p,
        (0.9, 0.95),
        ((-1, 2),),
        near=(0, -1),
        domain=(np.nextafter(-1, 0), np.inf),
    ),
    Case("sin", mp.sin, (0.85, 0.85), ((-10, 10),)),
    Case("cos", mp.cos, (0.85, 0.85), ((-10, 10),)),
    Case("tan", mp.tan, (1.2, 1.1), ((-10, 10),)),
    Case("arcsin", mp.asin, (1.2, 0.51), ((-1, 1),), most=0, near=(1, -1, 0.5), domain=(-1, 1)),
    Case("arccos", mp.acos, (1.2, 0.51), ((-1, 1),), most=0, near=(1, -1, 0.5), domain=(-1, 1)),
    Case("arctan", mp.atan, (1.8, 0.51), ((-3, 3),)),
    Case("sinh", mp.sinh, (0.95, 1.0), ((-710, 710), (-89, 89), (-2, 2)), most=6),
    Case("cosh", mp.cosh, (0.8, 0.8), ((-710, 710), (-89, 89), (-2, 2)), most=6),
    Case("tanh", mp.tanh, (1.4, 1.4), ((-2, 2), (-22, 22))),
    Case("arcsinh", mp.asinh, (1.4, 0.51), ((-3, 3),)),
    Case("arccosh", mp.acosh, (1.7, 0.51), ((1, 3),), signed=False, near=(1,), domain=(1, np.inf)),
    Case(
        "arctanh",
        mp.atanh,
        (1.1, 0.51),
        ((-1, 1),),
        most=0,
        near=(1, -1),
        domain=(-1 + 2.0**-24, 1 - 2.0**-24),
    ),
    Case("cbrt", _cbrt, (0.51, 0.51), ((-8, 8),)),
    Case("sqrt", mp.sqrt, (0.5, 0.5), ((0, 4),), signed=False),
    Case("erf", mp.erf, (1.3, 1.4), ((-1.1, 1.1), (-6.5, 6.5)), most=3),
    Case("erfc", mp.erfc, (1.4, 0.51), ((-1, 1), (-6, 27.2), (-5, 10)), most=3),
)

BINARY = (
    Case("power", mp.power, (1.0, 0.51), (), signed=False),
    Case("hypot", mp.hypot, (1.0, 0.51), ((-4, 4),)),
    Case("arctan2", mp.atan2, (1.6, 0.51), ((-4, 4),)),
    Case("logaddexp", _log_of_sum(mp.e), (1.4, 1.5), ((-30, 30),), most=6),
    Case("logaddexp2", _log_of_sum(mpf(2)), (1.3, 1.4), ((-30, 30),), most=6),
)


def function(name: str, dtype: Any, width: int, count: int = 1) -> Callable[..., Array]:
    """The compiled function of arrays."""
    return elementwise(
        lambda ins, out, *values: getattr(ins[0], name)(*values), [dtype] * count, dtype, width
    )


def of_all_magnitudes(rng: Any, dtype: Any, size: int, most: int, signed: bool) -> Array:
    """Numbers whose exponents are spread evenly from the smallest subnormal number to 2**most."""
    info = np.finfo(dtype)
    low, high = info.minexp - info.nmant, min(info.maxexp - 1, most)
    with np.errstate(under="ignore"):
        x = np.ldexp(rng.uniform(1, 2, size), rng.integers(low, high + 1, size)).astype(dtype)
    return x * rng.choice(np.array([-1, 1], dtype), size) if signed else x


def arguments(case: Case, dtype: Any, size: int, seed: int = 0) -> Array:
    """About `size` arguments of a function of one argument."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    pieces = [of_all_magnitudes(rng, dtype, size // 3, case.most, case.signed)]
    pieces += [rng.uniform(*interval, size // 3).astype(dtype) for interval in case.intervals]
    for point in case.near:
        steps = np.ldexp(rng.uniform(-1, 1, size // 6), -rng.integers(2, info.nmant, size // 6))
        pieces.append((point + steps).astype(dtype))
    if case.name in ("sin", "cos", "tan"):
        quarters = rng.integers(1, 2 ** (info.nmant // 2), size // 3) * (np.pi / 2)
        pieces.append(quarters.astype(dtype))
    x = np.concatenate(pieces)
    if not case.signed:
        x = np.abs(x)
        x = x[x > 0]
    return x[(x >= case.domain[0]) & (x <= case.domain[1])]


def argument_pairs(case: Case, dtype: Any, size: int, seed: int = 0) -> tuple[Array, Array]:
    """About `size` pairs of arguments; for powers, those whose results are numbers."""
    rng = np.random.default_rng(seed)
    if case.name == "power":
        info = np.finfo(dtype)
        x = of_all_magnitudes(rng, dtype, size, 1100, False)
        steps = np.ldexp(rng.uniform(-1, 1, size), -rng.integers(1, info.nmant, size))
        x = np.where(rng.random(size) < 0.5, x, (1 + steps).astype(dtype))
        logarithm = np.log2(x.astype(np.float64))
        target = rng.uniform(info.minexp - info.nmant, info.maxexp - 1, size)
        with np.errstate(divide="ignore"):
            y = np.where(logarithm == 0, 1.0, target / logarithm)
        return x, np.clip(y, -float(info.max), float(info.max)).astype(dtype)
    a, b = (of_all_magnitudes(rng, dtype, size // 2, case.most, True) for _ in range(2))
    with np.errstate(over="ignore"):
        like = (a[: size // 4] * rng.uniform(0.1, 1, size // 4)).astype(dtype)
    interval = case.intervals[0]
    c, d = (rng.uniform(*interval, size // 2).astype(dtype) for _ in range(2))
    return np.concatenate([a, a[: size // 4], c]), np.concatenate([b, like, d])


def reference(case: Case, *args: Array) -> tuple[Array, Array]:
    """The exact values as sums of two float64; infinite where they exceed all float64."""
    high, low = np.empty(args[0].size), np.empty(args[0].size)
    with mpmath.workprec(PRECISION):
        for k, values in enumerate(zip(*args, strict=True)):
            exact = case.reference(*[mpf(float(value)) for value in values])
            if abs(exact) >= mpf(2) ** 1024:
                high[k], low[k] = mp.sign(exact) * np.inf, 0.0
            else:
                high[k] = float(exact)
                low[k] = float(exact - mpf(high[k])) if np.isfinite(high[k]) else 0.0
    return high, low


def units(got: Array, high: Array, low: Array, least: Array | float = 0.0) -> Array:
    """The errors in units in the last place of the exact values (of `least` where that is larger);
    infinite where only one of the two overflows."""
    info = np.finfo(got.dtype)
    size = np.maximum(np.abs(high), least)
    over = size > float(info.max)
    _, exponent = np.frexp(np.where(over, 1.0, size))
    unit = np.ldexp(1.0, np.maximum(exponent - 1, info.minexp) - info.nmant)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        error = np.abs(got.astype(np.float64) - high - low) / unit
    both = over & np.isinf(got) & (np.sign(got) == np.sign(high))
    return np.where(both, 0.0, np.where(np.isnan(error), np.inf, error))
