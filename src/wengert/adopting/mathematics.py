"""The functions of `math` and `cmath` on traced numbers.

`math` makes a Python float of what it is given, so that a traced number would lose its derivative.
Here each function is the one of NumPy or scipy.special that computes the same, and the result is a
bare Python float still: it takes the precision of the arrays that it meets. What `math` raises for
values (`sqrt(-1)`, `exp(1000)`) is NaN or infinity as in NumPy, since tracing computes nothing.
"""

from __future__ import annotations

import cmath
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.graph.types import COMPLEX, FLOAT, DType
from wengert.lazy import module
from wengert.ops.arithmetic import convert
from wengert.ops.movement import reshape
from wengert.tracing.lifting import find_session, is_traced, lift
from wengert.tracing.session import Session, collector
from wengert.tracing.tracer import Tracer


def bare(x: Any, dtype: DType, session: Session) -> Tracer:
    """A value of one element as a bare Python number, as `float` and `complex` make one."""
    node = lift(x, session)
    if node.size != 1:
        raise WengertTypeError("only arrays of one element can be converted to Python scalars")
    if node.dtype.kind == "c" and dtype.kind != "c":
        raise WengertTypeError("must be real number, not complex")
    return Tracer(convert(reshape(node, ()), dtype, weak=True), session)


def _on_bare(function: Callable[..., Any], dtype: DType, args: tuple[Any, ...]) -> Any:
    """A function of bare numbers: its results are bare too, but for booleans and integers."""
    session = find_session(*args)
    assert session is not None
    result = function(*[bare(arg, dtype, session) for arg in args])
    if isinstance(result, tuple):
        return tuple(_bare_result(part, session) for part in result)
    return _bare_result(result, session)


def _bare_result(result: Any, session: Session) -> Any:
    if type(result) is not Tracer or result.dtype.kind not in "fc":
        return result
    return bare(result, COMPLEX if result.dtype.kind == "c" else FLOAT, session)


def _on_numbers(real: Any, function: Callable[..., Any], dtype: DType) -> Callable[..., Any]:
    """A function of `math`, or ours where an argument is traced."""

    def unary(x: Any, /) -> Any:
        if type(x) is Tracer:
            return _on_bare(function, dtype, (x,))
        return real(x)

    def several(*args: Any) -> Any:
        for arg in args:
            if type(arg) is Tracer:
                return _on_bare(function, dtype, args)
        return real(*args)

    return unary if real in _UNARY else several


def _on_anything(real: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of sequences, or of keywords; ours where a number among them is traced."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if not collector.depth:
            return real(*args, **kwargs)
        args = tuple(arg if isinstance(arg, _PLAIN) else _listed(arg) for arg in args)
        if any(is_traced(arg) for arg in (*args, *kwargs.values())):
            return function(*args, **kwargs)
        return real(*args, **kwargs)

    return call


_PLAIN = (Tracer, int, float, complex, list, tuple, np.ndarray)


def _listed(values: Any) -> Any:
    """What an iterator gives, which can be read once."""
    return list(values) if hasattr(values, "__next__") else values


# ------------------------------------------------------------------------------ their formulas


def _special(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(module("scipy.special"), name)(x)


def _logarithm(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _hypot(*coordinates: Any) -> Any:
    return functools.reduce(np.hypot, coordinates[1:], np.abs(coordinates[0]))


def _frexp(x: Any) -> tuple[Any, int]:
    """m · 2^e = x: e is constant almost everywhere."""
    exponent = int(np.frexp(x)[1])
    return x / 2.0**exponent, exponent


def _remainder(x: Any, y: Any) -> Any:
    """x − n·y, n the integer nearest to x / y: it is constant almost everywhere. C's fmod is exact;
    what it leaves is at most one y too large."""
    rest = np.fmod(x, y)
    size = np.abs(y)
    return rest - np.copysign(size, rest) * (2.0 * np.abs(rest) > size)


def _ldexp(x: Any, i: Any) -> Any:
    session = find_session(x, i)
    assert session is not None
    return bare(bare(x, FLOAT, session) * 2.0 ** int(i), FLOAT, session)


def _total(values: Any) -> Any:
    session = find_session(values)
    assert session is not None
    total = functools.reduce(lambda a, b: a + b, list(values), 0.0)
    return bare(total, FLOAT, session)


def _distance(p: Any, q: Any) -> Any:
    """The Euclidean distance; its derivative at 0 is 0, as that of the norm."""
    p, q = list(p), list(q)
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    session = find_session(p, q)
    assert session is not None
    differences = [a - b for a, b in zip(p, q, strict=True)]
    return bare(_hypot(*differences) if differences else 0.0, FLOAT, session)


def _is_close(a: Any, b: Any, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> bool:
    if rel_tol < 0 or abs_tol < 0:
        raise ValueError("tolerances must be non-negative")
    larger = np.maximum(np.abs(a), np.abs(b))
    near = np.isfinite(larger) & (np.abs(a - b) <= np.maximum(rel_tol * larger, abs_tol))
    return bool(np.logical_or(a == b, near))


def _polar(z: Any) -> tuple[Any, Any]:
    return np.abs(z), np.angle(z)


def _rect(r: Any, phi: Any) -> Any:
    return r * np.exp(1j * phi)


_OF_NUMPY = (
    "acos acosh asin asinh atan atan2 atanh cbrt copysign cos cosh degrees exp exp2 expm1 fabs "
    "fmod log10 log1p log2 modf pow radians sin sinh sqrt tan tanh"
)
_NAMES_IN_NUMPY = {
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "pow": "power",
}
_OF_SCIPY = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}
_QUESTIONS = ("isfinite", "isinf", "isnan")


def _question(name: str) -> Callable[[Any], bool]:
    ask = getattr(np, name)
    return lambda x: bool(ask(x))


def _of_math() -> dict[str, Callable[..., Any]]:
    found = {
        name: getattr(np, _NAMES_IN_NUMPY.get(name, name))
        for name in _OF_NUMPY.split()
        if hasattr(math, name)
    }
    found |= {name: _special(theirs) for name, theirs in _OF_SCIPY.items()}
    found |= {name: _question(name) for name in _QUESTIONS}
    return found | {
        "log": _logarithm,
        "hypot": _hypot,
        "frexp": _frexp,
        "remainder": _remainder,
    }


def _of_cmath() -> dict[str, Callable[..., Any]]:
    names = "acos acosh asin asinh atan atanh cos cosh exp log10 sin sinh sqrt tan tanh"
    found = {name: getattr(np, _NAMES_IN_NUMPY.get(name, name)) for name in names.split()}
    found |= {name: _question(name) for name in _QUESTIONS}
    return found | {"log": _logarithm, "phase": np.angle, "polar": _polar}


_SEVERAL = {
    *(math.log, math.hypot, math.atan2, math.copysign, math.fmod, math.pow, math.remainder),
    cmath.log,
}
_UNARY = {
    *(getattr(math, name) for name in _of_math()),
    *(getattr(cmath, name) for name in _of_cmath()),
} - _SEVERAL


def numbers() -> dict[Any, Callable[..., Any]]:
    """The functions of `math` and `cmath` -> what stands for them."""
    found: dict[Any, Callable[..., Any]] = {}
    for space, functions, dtype in ((math, _of_math(), FLOAT), (cmath, _of_cmath(), COMPLEX)):
        for name, function in functions.items():
            real = getattr(space, name)
            found[real] = _on_numbers(real, function, dtype)
    anything = {
        math.fsum: _total,
        math.dist: _distance,
        math.isclose: _is_close,
        math.ldexp: _ldexp,
        cmath.isclose: _is_close,
        cmath.rect: lambda r, phi: _on_bare(_rect, FLOAT, (r, phi)),
    }
    return found | {real: _on_anything(real, function) for real, function in anything.items()}
