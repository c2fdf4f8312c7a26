"""`scipy.fft` for traced arrays: Fourier, cosine, sine and fast Hankel transforms.

`overwrite_x` and `workers` are accepted: nothing is overwritten, and the values do not depend on
them. Where nothing is traced, SciPy computes.

>>> import numpy as np, wengert as wg
>>> from wengert.scipy import fft
>>> wg.grad(lambda x: np.sum(fft.dct(x, norm="ortho") ** 2))(np.array([1.0, 2.0, 3.0]))
array([2., 4., 6.])
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import fft as _fft
from scipy import special

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.node import Node
from wengert.numpy import fft as transforms
from wengert.numpy.dispatch import as_tracer, concrete, nodes, one_axis
from wengert.numpy.fft import (
    along_axes,
    complex_dtype,
    fitted,
    forward_power,
    from_half,
    inverse_power,
    real_node,
    to_half,
)
from wengert.ops.arithmetic import convert
from wengert.ops.fourier import TRANSPOSED, wave_transform
from wengert.scipy.namespace import exposed, implements
from wengert.tracing.tracer import Tracer

Core = Callable[[Node, list[int], list[int], bool, float], Node]


def _positive(n: Any) -> int:
    extent = operator.index(n)
    if extent < 1:
        raise WengertValueError(f"invalid number of data points ({extent}) specified")
    return extent


def _several(x: Node, s: Any, axes: Any, half: bool = False) -> tuple[list[int], list[int]]:
    """Axes and extents as SciPy reads `s` and `axes`; half: x is half of a spectrum."""
    wanted = None if s is None else [operator.index(n) for n in np.atleast_1d(s)]
    if axes is None:
        count = x.ndim if wanted is None else len(wanted)
        if count > x.ndim:
            raise WengertValueError("shape requires more axes than are present")
        named = list(range(x.ndim - count, x.ndim))
    else:
        named = [one_axis(axis, x.ndim) for axis in np.atleast_1d(axes)]
    if len(set(named)) != len(named):
        raise WengertValueError("all axes must be unique")
    extents = [x.shape[axis] for axis in named]
    if wanted is not None:
        if len(wanted) != len(named):
            raise WengertValueError(
                "when given, axes and shape arguments have to be of the same length"
            )
        extents = [old if n == -1 else n for n, old in zip(wanted, extents, strict=True)]
    elif half and extents:
        extents[-1] = 2 * (extents[-1] - 1)
    return named, [_positive(n) for n in extents]


# ------------------------------------------------------------------------ Fourier transforms


def _transform(core: Core, inverse: bool, real: bool, half: bool) -> tuple[Callable[..., Any], ...]:
    """The transform of one axis, of two, and of several, as SciPy calls them."""
    power = inverse_power if inverse else forward_power

    def run(x: Any, places: Callable[[Node], Any], norm: Any, plan: Any) -> Any:
        if plan is not None:
            raise NotImplementedError("Passing a precomputed plan is not yet supported")
        session, (node,) = nodes(x)
        if real:
            node = real_node(node, "a transform of real arrays")
        named, extents = places(node)
        if not named:
            if real or half:
                raise WengertValueError("at least 1 axis must be transformed")
            return Tracer(convert(node, complex_dtype(node.dtype)), session)
        return Tracer(core(node, named, extents, inverse, power(norm)), session)

    def one(
        x: Any,
        n: Any = None,
        axis: int = -1,
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        *,
        plan: Any = None,
    ) -> Any:
        def places(node: Node) -> tuple[list[int], list[int]]:
            where = one_axis(axis, node.ndim)
            own = 2 * (node.shape[where] - 1) if half else node.shape[where]
            return [where], [_positive(own if n is None else n)]

        return run(x, places, norm, plan)

    def several(
        x: Any,
        s: Any = None,
        axes: Any = None,
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        *,
        plan: Any = None,
    ) -> Any:
        return run(x, lambda node: _several(node, s, axes, half), norm, plan)

    def two(
        x: Any,
        s: Any = None,
        axes: Any = (-2, -1),
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        *,
        plan: Any = None,
    ) -> Any:
        return several(x, s, axes, norm, plan=plan)

    return one, two, several


for _name, _core, _inverse, _real, _half in (
    ("fft", along_axes, False, False, False),
    ("ifft", along_axes, True, False, False),
    ("rfft", to_half, False, True, False),
    ("irfft", from_half, True, False, True),
    ("hfft", from_half, False, False, True),
    ("ihfft", to_half, True, True, False),
):
    for _ending, _function in zip(
        ("", "2", "n"), _transform(_core, _inverse, _real, _half), strict=True
    ):
        implements(getattr(_fft, _name + _ending))(_function)

implements(_fft.fftshift)(transforms.fftshift)
implements(_fft.ifftshift)(transforms.ifftshift)


@implements(_fft.fftfreq)
def fftfreq(n: int, d: Any = 1.0, *, xp: Any = None, device: Any = None) -> Any:
    return np.fft.fftfreq(n, d)


@implements(_fft.rfftfreq)
def rfftfreq(n: int, d: Any = 1.0, *, xp: Any = None, device: Any = None) -> Any:
    return np.fft.rfftfreq(n, d)


# ------------------------------------------------------------------------- cosines and sines

_NORMS = {None: "backward", "backward": "backward", "ortho": "ortho", "forward": "forward"}
_SWAPPED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
_WEIGHTS = {1: (-1, 1), 2: (0, 1), 3: (-1, 0), 4: (0, 0)}
"""Powers of √2 at the ends, before and after the orthogonal transform of a type: with them it is
the transform that SciPy calls not orthogonalised."""


def _wave(
    x: Node, kind: str, inverse: bool, type: Any, named: Any, extents: Any, norm: Any, orth: Any
) -> Node:
    if type not in TRANSPOSED:
        raise WengertValueError(f"{kind.upper()} type must be 1, 2, 3 or 4, not {type!r}")
    if norm not in _NORMS:
        raise WengertValueError(
            f"Invalid norm value {norm!r}, should be 'backward', 'ortho' or 'forward'"
        )
    scale = _NORMS[norm]
    if x.dtype.kind == "c" and orth is not None and bool(orth) != (scale == "ortho"):
        raise Unsupported(
            f"SciPy ignores orthogonalize={orth!r} of a complex array: transform its real and "
            "imaginary parts by themselves"
        )
    orthogonal = scale == "ortho" if orth is None else bool(orth)
    if inverse:
        type, scale = TRANSPOSED[type], _SWAPPED[scale]
    before, after = (0, 0) if orthogonal else _WEIGHTS[type]
    if x.dtype.kind not in "fc" or x.type.weak:
        x = convert(x, np.result_type(x.dtype, np.float64) if x.dtype.kind not in "fc" else x.dtype)
    x = fitted(x, named, extents)
    for axis, extent in zip(named, extents, strict=True):
        if type == 1 and kind == "dct" and extent < 2:
            raise WengertValueError("DCT-I is not defined for size < 2")
        x = wave_transform(x, axis, kind, type, scale, before, after)
    return x


def _waves(kind: str, inverse: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def one(
        x: Any,
        type: int = 2,
        n: Any = None,
        axis: int = -1,
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        session, (node,) = nodes(x)
        where = one_axis(axis, node.ndim)
        extent = _positive(node.shape[where] if n is None else n)
        found = _wave(node, kind, inverse, type, [where], [extent], norm, orthogonalize)
        return Tracer(found, session)

    def several(
        x: Any,
        type: int = 2,
        s: Any = None,
        axes: Any = None,
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        session, (node,) = nodes(x)
        found = _wave(node, kind, inverse, type, *_several(node, s, axes), norm, orthogonalize)
        return Tracer(found, session)

    return one, several


for _name in ("dct", "dst"):
    for _inverse in (False, True):
        _full_name = "i" * _inverse + _name
        for _ending, _function in zip(("", "n"), _waves(_name, _inverse), strict=True):
            implements(getattr(_fft, _full_name + _ending))(_function)

# --------------------------------------------------------------------- fast Hankel transform


def _hankel_factors(n: int, dln: float, mu: float, offset: float, q: float) -> Any:
    """u_m = (kr)^(−iy) 2^(q+iy) Γ((µ+1+q+iy)/2) / Γ((µ+1−q−iy)/2) at y = 2πm/(n dln).

    Hamilton 2000, MNRAS 312, 257, equations 174 and 175. u is real at the last m of an even n.
    """
    plus, minus = (mu + 1 + q) / 2, (mu + 1 - q) / 2
    half = np.linspace(0, np.pi * (n // 2) / (n * dln), n // 2 + 1)
    top, bottom = special.loggamma(plus + 1j * half), special.loggamma(minus + 1j * half)
    turn = (top.real - bottom.real + math.log(2) * q) + 1j * (
        top.imag + bottom.imag + 2 * (math.log(2) - offset) * half
    )
    u = np.exp(turn)
    if n % 2 == 0:
        u.imag[-1] = 0
    if not np.isfinite(u[0]):
        u[0] = 2**q * special.poch(minus, plus - minus)
    return u


def _hankel(a: Any, dln: Any, mu: Any, offset: Any, bias: Any, inverse: bool) -> Any:
    what = "spacing, order, offset and bias of a fast Hankel transform"
    dln, mu, offset, bias = (float(concrete(v, what)) for v in (dln, mu, offset, bias))
    session, (node,) = nodes(a)
    x = Tracer(real_node(node, "a fast Hankel transform"), session)
    n = x.shape[-1]
    place = np.arange(n) - (n - 1) / 2
    u = _hankel_factors(n, dln, mu, offset, bias)
    singular = u[0] == 0 if inverse else np.isinf(u[0])
    if singular:
        raise WengertValueError("the fast Hankel transform is singular: change its bias")
    if bias:
        x = x * np.exp(bias * (place * dln + offset) if inverse else -bias * place * dln)
    spectrum = np.fft.rfft(x)
    spectrum = spectrum / np.conj(u) if inverse else spectrum * u
    result = np.flip(np.fft.irfft(spectrum, n), -1)
    if bias:
        result = result * np.exp(bias * place * dln if inverse else -bias * (place * dln + offset))
    return as_tracer(result, session)


@implements(_fft.fht)
def fht(a: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
    return _hankel(a, dln, mu, offset, bias, False)


@implements(_fft.ifht)
def ifht(A: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
    return _hankel(A, dln, mu, offset, bias, True)


globals().update(exposed(_fft, __name__))


def __getattr__(name: str) -> Any:
    """What has nothing to trace is SciPy's."""
    return getattr(_fft, name)
