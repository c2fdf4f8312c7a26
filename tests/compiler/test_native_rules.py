"""Every elementwise record's native rule against NumPy, in every dtype that it computes in.

On special values (all pairs of them) and random ones, one element and eight at a time. Arithmetic
gives NumPy's values exactly, zeros with their signs; elementary functions lie within 4 units in the
last place, those of complex numbers in units of the larger part.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from native_loop import elementwise

from wengert.errors import Unsupported
from wengert.graph.op import OPS, Op
from wengert.graph.registry import find
from wengert.graph.types import array_type
from wengert.ops.domain import Box
from wengert.ops.native import Pointwise
from wengert.ops.special.ufunc import SCIPY
from wengert.tracing.session import Session

Array = np.ndarray[Any, Any]
DTYPES = tuple(np.dtype(c) for c in "?bhilBHILfdFD")
WIDTHS = (1, 8)
BOUND = 4
"""Units in the last place."""

HOST = {op.name for op in OPS.values() if op.native is SCIPY and op.family == "elementwise"}
"""Elementwise ops without a native rule."""

MISSING = {
    "power": "bhilBHIL",  # NumPy refuses negative powers of integers
    "reciprocal": "bhilBHIL",
    **dict.fromkeys(("erf", "erfc", "ndtr", "xlogy", "xlog1py"), "FD"),
}
"""The dtypes for which an op with a native rule has none."""

MORE_ACCURATE = {"erfc", "expit", "ndtr"}
"""Functions that SciPy has with errors beyond the bound; test_special_precision compares ours with
mpmath."""

INVERSE = {"arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh"}
CIRCULAR = {"cos", "cosh", "sin", "sinh", "tan", "tanh"}
EXPONENTIAL = {"exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2"}
SPECIAL = {"logit", "log_expit", "xlogy", "xlog1py", "entr", "rel_entr", "erf", "exp10", "huber"}
ELEMENTARY = INVERSE | CIRCULAR | EXPONENTIAL | SPECIAL | {"cbrt", "hypot", "power"}
"""Functions that are rounded differently by different libraries."""

ROUNDED = ELEMENTARY | {"absolute", "divide", "multiply", "reciprocal", "sign", "sqrt", "square"}
"""The same for complex numbers: NumPy contracts products where the processor can."""

ENDS = (
    "absolute",
    "sign",
    "sqrt",
    "log",
    "exp",
    "sinh",
    "cosh",
    "tanh",
    *sorted(INVERSE - {"arctan2"}),
)
"""Functions of complex numbers that scale their arguments, or take the largest ones apart."""

COARSE = {"arctan", "arctanh", "log1p", "tan", "tanh"}
"""Functions of complex numbers whose error in NumPy is of the size of the bound, which are compared
with its values in long double."""

SIZES = {
    np.dtype(np.float32): (700.0, 2.0**23, 2.0**60),
    np.dtype(np.float64): (700.0, 2.0**52, 2.0**500),
}


def special(dtype: Any) -> Array:
    """Zeros, ones, infinities, NaN, the ends of the range, and what has failed somewhere."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        near = (1, 2, 3, 7, 60, 1000, 1080)
        values = {0, info.min, info.max, info.min + 1, info.max - 1, info.max // 2}
        values.update(v for n in near for v in (n, -n) if info.min <= v <= info.max)
        return np.array(sorted(values), dtype)
    if dtype.kind == "f":
        info = np.finfo(dtype)
        tiny = (info.tiny, info.tiny / 4, info.smallest_subnormal, info.eps)
        size = (*SIZES[dtype], info.max / 3, info.max, np.inf, np.nan)
        positive = np.array([0, 1, 0.5, 1.5, 2, 3.25, np.pi, *tiny, *size], dtype)
        return np.concatenate([positive, -positive])
    info = np.finfo(dtype)
    usual = [0.0, -0.0, 1, -1, 0.5, -2, 3.25, 2.0**50, np.inf, -np.inf, np.nan]
    real = np.array([*usual, info.tiny, -info.smallest_subnormal])
    re, im = (axis.ravel() for axis in np.meshgrid(real, real))
    return complex_of(re, im, dtype)


def complex_of(re: Array, im: Array, dtype: Any) -> Array:
    result = np.empty(re.shape, dtype)
    result.real, result.imag = re, im
    return result


def random(rng: np.random.Generator, dtype: Any, size: int = 400) -> Array:
    """Numbers of all sizes, half of them small."""
    dtype = np.dtype(dtype)
    small = rng.random(size) < 0.5
    if dtype.kind == "b":
        return small
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        few = rng.integers(max(info.min, -9), 10, size).astype(dtype)
        return np.where(small, few, rng.integers(info.min, info.max, size, dtype, endpoint=True))
    if dtype.kind == "f":
        magnitude = np.where(small, 1, 10.0 ** rng.uniform(-30, 30, size))
        return (rng.standard_normal(size) * magnitude).astype(dtype)
    part = np.finfo(dtype).dtype
    re, im = random(rng, part, size), random(rng, part, size)
    modest = np.abs(re.astype(float)) + np.abs(im.astype(float)) < 1e15  # no product overflows
    return complex_of(np.where(modest, re, 1.5), np.where(modest, im, -2.25), dtype)


def arguments(dtypes: Sequence[Any]) -> list[Array]:
    """All combinations of special values, then random ones."""
    rng = np.random.default_rng(7)
    grids = np.meshgrid(*[special(dtype) for dtype in dtypes], indexing="ij")
    return [
        np.concatenate([grid.ravel(), random(rng, dtype)])
        for grid, dtype in zip(grids, dtypes, strict=True)
    ]


def input_dtypes(op: Op, dtype: Any) -> list[Any]:
    """Of the inputs of an op, one of which is of this dtype."""
    if isinstance(op.domain, Box):
        return [dtype] * len(op.domain.intervals)
    arrays = next(op.domain.draw(np.random.default_rng(1), dtype))[0]
    return [np.asarray(array).dtype for array in arrays]


def applied(op: Op, arrays: Sequence[Array], *params: Any) -> Any:
    """A node of the op, for these arrays."""
    session = Session()
    return op(*[session.input(a, array_type(a.shape, a.dtype)) for a in arrays], *params)


def computes_in(op: Op, dtype: Any) -> bool:
    """Whether the domain claims the dtype, or NumPy has a loop for it all the same."""
    if dtype.kind in op.domain.kinds:
        return True
    if not isinstance(op.domain, Box):
        return False
    try:
        node = applied(op, [np.zeros(1, dtype) for _ in op.domain.intervals])
    except (TypeError, Unsupported):
        return False
    return node.op is op and node.args[0].dtype == dtype


def same(found: Array, expected: Array) -> Array:
    """Where the values are equal, NaN being equal to NaN and zeros having signs."""
    if expected.dtype.kind == "c":
        return same(found.real, expected.real) & same(found.imag, expected.imag)
    if expected.dtype.kind != "f":
        return np.asarray(found == expected)
    equal = (found == expected) & (np.signbit(found) == np.signbit(expected))
    return np.asarray(equal | (np.isnan(found) & np.isnan(expected)))


def close(op: Op, arrays: list[Array], found: Array, expected: Array) -> Array:
    """Where both parts are within the bound, in units of the larger one, or equal as infinities and
    NaN are; and zeros have the same signs."""
    exact, slack = expected, 0.0
    if expected.dtype.kind == "c" and op.name in COARSE:
        exact = np.asarray(getattr(np, op.name)(arrays[0].astype(np.clongdouble)))
        slack = float(np.finfo(np.longdouble).eps)  # of the logarithm of 1 + z
    sizes = [np.where(np.isfinite(x), np.abs(x), 0) for x in parts(exact)]
    if op.name in ("logaddexp", "logaddexp2"):  # the result is a difference: x + log(1 + e^(y−x))
        sizes.append(np.abs(np.maximum(*arrays)))
    size = np.maximum.reduce(sizes).astype(parts(expected)[0].dtype)
    bound = BOUND * np.spacing(size) + slack
    lost = np.False_
    if op.name == "power" and expected.dtype.kind == "c":  # e^(b log a), of a rounded argument
        argument = np.abs(arrays[1] * np.log(arrays[0]))
        argument = np.where(np.isfinite(argument), argument, 0)
        bound = bound * (1 + argument)
        lost = BOUND * argument * np.finfo(argument.dtype).eps > 0.1  # as is the angle: any sign
    within = np.True_
    for value, near, true in zip(parts(found), parts(expected), parts(exact), strict=True):
        within = within & (same(value, near) | (np.abs(value - true) <= bound))
    if op.name == "multiply":  # the sign of a product that vanishes depends on contraction
        return within
    return lost | within & zeros_agree(found, expected)


def parts(z: Array) -> list[Array]:
    return [z.real, z.imag] if z.dtype.kind == "c" else [z]


def zeros_agree(found: Array, expected: Array) -> Array:
    """Where zeros have the same sign."""
    if expected.dtype.kind == "c":
        return zeros_agree(found.real, expected.real) & zeros_agree(found.imag, expected.imag)
    both = (found == 0) & (expected == 0)
    return np.asarray(~both | (np.signbit(found) == np.signbit(expected)))


def compare(op: Op, node: Any, arrays: list[Array]) -> None:
    """The native rule of the node's op and its NumPy implementation, on these arrays."""
    dtypes = [arg.dtype for arg in node.args]
    with np.errstate(all="ignore"):
        expected = np.asarray(op.evaluate(node)(*arrays))
    rounded = expected.dtype.kind in "fc" and op.name in (
        ROUNDED if dtypes[0].kind == "c" else ELEMENTARY
    )
    for width in WIDTHS:
        found = elementwise(op.native.rule, dtypes, node.dtype, width)(*arrays)
        agree = same(found, expected)
        if rounded:
            with np.errstate(all="ignore"):
                agree |= close(op, arrays, found, expected)
        first = np.flatnonzero(~agree)[:3]
        assert not first.size, (
            f"{op.name} of {', '.join(map(str, dtypes))}, {width} at a time, on "
            f"{[[array[k] for array in arrays] for k in first]}: "
            f"{found[first]}, in NumPy {expected[first]}"
        )


RULES = [op for op in OPS.values() if isinstance(op.native, Pointwise) and op.domain is not None]
CASES = [
    pytest.param(op, dtype, id=f"{op.name}-{dtype}")
    for op in RULES
    for dtype in DTYPES
    if op.name not in {"convert", *MORE_ACCURATE} and computes_in(op, dtype)
]


@pytest.mark.parametrize("op, dtype", CASES)
def test_rule_against_numpy(op: Op, dtype: Any) -> None:
    dtypes = input_dtypes(op, dtype)
    arrays = arguments(dtypes)
    node = applied(op, arrays)
    if node.op is not op:
        assert node.op is find("input"), "only what is its argument needs no rule"
        return
    if dtype.char in MISSING.get(op.name, ""):
        with pytest.raises((AttributeError, NotImplementedError)):
            elementwise(op.native.rule, dtypes, node.dtype, 1)
        return
    compare(op, node, arrays)


def test_ops_without_a_rule_are_known() -> None:
    assert {
        op.name
        for op in OPS.values()
        if op.family == "elementwise" and not isinstance(op.native, Pointwise)
    } == HOST


@pytest.mark.parametrize(
    "name", ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
)
@pytest.mark.parametrize("dtypes", [(np.int64, np.uint64), (np.uint64, np.int64)])
def test_signed_and_unsigned_integers_compare_by_value(name: str, dtypes: Any) -> None:
    arrays = arguments(dtypes)
    node = applied(OPS[name], arrays)
    assert [arg.dtype for arg in node.args] == list(dtypes)
    compare(OPS[name], node, arrays)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ldexp_rounds_subnormal_results_once(dtype: Any) -> None:
    info = np.finfo(dtype)
    rng = np.random.default_rng(3)
    n = np.arange(info.minexp - info.nmant - 3, info.minexp + 3, dtype=np.int32).repeat(20)
    x = rng.uniform(1, 2, n.size).astype(dtype)
    arrays = [np.concatenate([x, x / 1024]), np.concatenate([n, n + 10])]
    compare(OPS["ldexp"], applied(OPS["ldexp"], arrays), arrays)


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_functions_at_the_ends_of_the_range(name: str, dtype: Any) -> None:
    info = np.finfo(dtype)
    most = np.log(info.max)
    large = (info.max, info.max / 3, most - 0.3, most + 0.3, most / 2 + 1)
    small = (info.tiny, 3 * info.tiny / 16, info.smallest_subnormal * 5, info.smallest_subnormal)
    real = np.array([1, 0.75, np.pi / 2, *large, *small], info.dtype)
    re, im = (axis.ravel() for axis in np.meshgrid(np.concatenate([real, -real]), real))
    arrays = [complex_of(re, im, dtype)]
    compare(OPS[name], applied(OPS[name], arrays), arrays)


# ----------------------------------------------------------------------------------- convert


def in_range(x: Array, to: Any) -> Array:
    """Where C defines the integer of a floating number."""
    info = np.iinfo(to)
    whole = np.trunc(x.astype(np.longdouble))
    return np.asarray((whole >= info.min) & (whole <= info.max))


@pytest.mark.parametrize("source", DTYPES, ids=str)
def test_convert_against_numpy(source: Any) -> None:
    (x,) = arguments([source])
    for to in DTYPES:
        if to == source or (source.kind == "c" and to.kind != "c"):
            continue  # the parts of complex numbers are taken before
        held = x[in_range(x, to)] if source.kind == "f" and to.kind in "iu" else x
        compare(OPS["convert"], applied(OPS["convert"], [held], to), [held])


def cut_off(x: float, to: Any) -> int:
    """The integer of a number that has none, as the compiler defines it."""
    bits = 64 if to.itemsize == 8 or to == np.uint32 else 32
    bound = 2 ** (bits - 1)
    if to == np.uint64 and x >= bound:
        return (bound + int(x - bound)) if x < 2 * bound else 0
    fits = not np.isnan(x) and abs(x) < bound
    value = int(x) if fits else -bound
    info = np.iinfo(to)
    return (value - int(info.min)) % 2 ** (8 * to.itemsize) + int(info.min)


@pytest.mark.parametrize("source", [np.float32, np.float64])
def test_integers_of_numbers_out_of_range_are_defined(source: Any) -> None:
    signed = [s * v for s in (1, -1) for v in (2.0**7, 300.7, 2.0**15, 65536.2, 2.0**31)]
    huge = [s * v for s in (1, -1) for v in (2.0**32 + 2**12, 2.0**33, 2.0**63, 2.0**64, 1e30)]
    x = np.array([*signed, *huge, np.inf, -np.inf, np.nan, 1.5 * 2.0**63], source)
    for to, width in itertools.product([d for d in DTYPES if d.kind in "iu"], WIDTHS):
        found = elementwise(OPS["convert"].native.rule, [source], to, width)(x)
        assert found.tolist() == [cut_off(float(v), to) for v in x], to


@pytest.mark.parametrize("name", ["exp", "sinh", "cosh"])
@pytest.mark.parametrize("dtype, most", [(np.complex64, 193), (np.complex128, 1455)])
def test_products_with_small_sines_do_not_overflow(name: str, dtype: Any, most: int) -> None:
    """e^x overflows long before e^x sin y does."""
    rng = np.random.default_rng(5)
    with np.errstate(under="ignore"):
        im = np.exp2(rng.uniform(-most * 1.45, 0, 2000)).astype(np.finfo(dtype).dtype)
    arrays = [complex_of(rng.uniform(-most, most, 2000), im, dtype)]
    compare(OPS[name], applied(OPS[name], arrays), arrays)
