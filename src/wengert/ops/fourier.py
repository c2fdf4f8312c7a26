"""Discrete Fourier transforms, and the cosine and sine transforms. All of them are linear.

With θ = 2πjk/n along an axis of extent n, and a factor n^(−e):

    fft(x)_k   = n^(−e) Σ_j x_j exp(∓iθ)              complex to complex, over several axes
    rfft(x)_k  = n^(−e) w_k Σ_j x_j exp(∓iθ)          real to complex, 0 ≤ k ≤ n/2
    irfft(y)_j = n^(−e) Re Σ_k w_k y_k exp(∓iθ)       complex to real, the same k

The sign is + where `inverse`. The weights w are 1, or where `doubled` 2 for each k that stands for
itself and for n − k (0 < k < n/2). NumPy's rfft has the weights 1, its irfft the sign + and the
weights 2; with the other signs these are ihfft and hfft.

The matrix of a Fourier transform is symmetric, so that fft is its own transpose. By
⟨c, rfft(t)⟩ = Re Σ_k c_k w_k Σ_j t_j exp(∓iθ) = ⟨irfft(c), t⟩, rfft and irfft with the same sign,
weights and factor are the transposes of each other.

The transforms of cosines and sines (types I to IV, Martucci 1994) are those that are orthogonal up
to a factor. Their transposes are of the same kind and factor, of type I, III, II and IV. The other
ways to weigh the elements at the ends multiply these by √2 or 1/√2 before or after it: `before` and
`after` are the powers of √2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.reductions import any as any_of
from wengert.ops.reductions import kept

_FORWARD: dict[float, Any] = {0.0: "backward", 0.5: "ortho", 1.0: "forward"}
_BACKWARD: dict[float, Any] = {1.0: "backward", 0.5: "ortho", 0.0: "forward"}


def _reached(node: Node, mask: Node, axes: Sequence[int]) -> Node:
    """Which results a linear value reaches: all along the axes, from any element there."""
    seen = reshape(any_of(mask, axes), kept(mask.shape, axes))
    return broadcast_to(seen, node.shape)


def _again(node: Node, value: Node, axes: Sequence[int]) -> Node:
    """The node's op on a linear value."""
    return linear.mix(lambda v: node.op(v, *node.params), lambda m: _reached(node, m, axes), value)


# ------------------------------------------------------------------------ complex to complex


def _build_fft(x: Node, axes: Sequence[int], inverse: bool, power: float) -> Node:
    """x is complex; the axes are distinct, and none of them empty."""
    axes = tuple(sorted(axes))
    if not axes or not x.size:
        return x
    return make(fft, (x,), (axes, inverse, power), array_type(x.shape, x.dtype))


def _evaluate_fft(node: Node) -> Callable[..., Any]:
    axes, inverse, power = node.params
    norm = (_BACKWARD if inverse else _FORWARD)[power]
    if len(axes) == 1:
        function, (axis,) = np.fft.ifft if inverse else np.fft.fft, axes
        return lambda x: function(x, axis=axis, norm=norm)
    whole = np.fft.ifftn if inverse else np.fft.fftn
    return lambda x: whole(x, axes=axes, norm=norm)


def _transpose_fft(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    return (_again(node, ct, node.params[0]),)


def _batch_fft(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    axes, inverse, power = node.params
    return fft(args[0], tuple(axis + 1 for axis in axes), inverse, power)


def _draw_fft(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 5)], ((0,), False, 0.0)
    yield [normal(rng, dtype, 2, 4)], ((0,), True, 1.0)
    yield [normal(rng, dtype, 3, 2, 2)], ((0, 2), False, 0.5)
    yield [normal(rng, dtype, 3, 2)], ((0, 1), True, 0.0)


fft: Op = define(
    "fft",
    family="transform",
    build=_build_fft,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_fft,
    pushforward=lambda node, ts: _again(node, ts[0], node.params[0]),
    transpose=_transpose_fft,
    batch=_batch_fft,
    sparsity=sparsity.mixed(lambda node: node.params[0]),
    label="ℱ {0}",
    domain=Cases(_draw_fft, kinds="c"),
)

# ---------------------------------------------------------------- real to complex, and back


def _infer_rfft(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    (x,), (axis, *_) = types, params
    shape = (*x.shape[:axis], x.shape[axis] // 2 + 1, *x.shape[axis + 1 :])
    return array_type(shape, np.dtype(f"c{2 * x.dtype.itemsize}"))


def _build_rfft(x: Node, axis: int, inverse: bool, doubled: bool, power: float) -> Node:
    """x is real, its axis not empty."""
    params = (axis, inverse, doubled, power)
    return make(rfft, (x,), params, _infer_rfft((x.type,), params))


def _between(axis: int, extent: int) -> tuple[Any, ...]:
    """The elements of a half spectrum that stand for two of an axis of this extent."""
    return (slice(None),) * axis + (slice(1, (extent + 1) // 2),)


def _evaluate_rfft(node: Node) -> Callable[..., Any]:
    axis, inverse, doubled, power = node.params
    norm = _FORWARD[power]
    twice = _between(axis, node.args[0].shape[axis])

    def run(x: Any) -> Any:
        result = np.fft.rfft(x, axis=axis, norm=norm)
        if inverse:
            np.conjugate(result, out=result)
        if doubled:
            result[twice] *= 2
        return result

    return run


def _infer_irfft(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    (y,), (axis, extent, *_) = types, params
    shape = (*y.shape[:axis], extent, *y.shape[axis + 1 :])
    return array_type(shape, np.dtype(f"f{y.dtype.itemsize // 2}"))


def _build_irfft(
    y: Node, axis: int, extent: int, inverse: bool, doubled: bool, power: float
) -> Node:
    """y is complex, of extent n // 2 + 1 along the axis, where `extent` is n > 0."""
    params = (axis, extent, inverse, doubled, power)
    return make(irfft, (y,), params, _infer_irfft((y.type,), params))


def _evaluate_irfft(node: Node) -> Callable[..., Any]:
    axis, extent, inverse, doubled, power = node.params
    norm = _BACKWARD[power]
    twice = _between(axis, extent)

    def run(y: Any) -> Any:
        if not inverse:
            y = np.conjugate(y)
        if not doubled:
            y = np.array(y)
            y[twice] *= 0.5
        return np.fft.irfft(y, extent, axis=axis, norm=norm)

    return run


def _transpose_rfft(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    axis, inverse, doubled, power = node.params
    (x,) = node.args
    return (
        linear.mix(
            lambda v: irfft(v, axis, x.shape[axis], inverse, doubled, power),
            lambda m: _reached(x, m, (axis,)),
            ct,
        ),
    )


def _transpose_irfft(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    axis, _, inverse, doubled, power = node.params
    (y,) = node.args
    return (
        linear.mix(
            lambda v: rfft(v, axis, inverse, doubled, power),
            lambda m: _reached(y, m, (axis,)),
            ct,
        ),
    )


def _batch_along(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    axis, *rest = node.params
    return node.op(args[0], axis + 1, *rest)


def _push_along(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    return _again(node, tangents[0], node.params[:1])


def _draw_rfft(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 5)], (0, False, False, 0.0)
    yield [normal(rng, dtype, 4, 2)], (0, True, True, 0.5)
    yield [normal(rng, dtype, 2, 6)], (1, True, False, 1.0)
    yield [normal(rng, dtype, 1)], (0, False, True, 0.0)


rfft: Op = define(
    "rfft",
    family="transform",
    build=_build_rfft,
    infer=_infer_rfft,
    evaluate=_evaluate_rfft,
    pushforward=_push_along,
    transpose=_transpose_rfft,
    batch=_batch_along,
    sparsity=sparsity.mixed(lambda node: node.params[:1]),
    label="ℱ {0}",
    domain=Cases(_draw_rfft, kinds="f"),
)


def _draw_irfft(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3)], (0, 5, True, True, 1.0)
    yield [normal(rng, dtype, 3, 2)], (0, 4, False, True, 0.5)
    yield [normal(rng, dtype, 2, 4)], (1, 6, False, False, 0.0)
    yield [normal(rng, dtype, 1)], (0, 1, True, False, 0.0)


irfft: Op = define(
    "irfft",
    family="transform",
    build=_build_irfft,
    infer=_infer_irfft,
    evaluate=_evaluate_irfft,
    pushforward=_push_along,
    transpose=_transpose_irfft,
    batch=_batch_along,
    sparsity=sparsity.mixed(lambda node: node.params[:1]),
    label="ℱ⁻¹ {0}",
    domain=Cases(_draw_irfft, kinds="c"),
)

# ----------------------------------------------------------------------- cosines and sines

TRANSPOSED = {1: 1, 2: 3, 3: 2, 4: 4}
"""The type of the transposed transform; of the inverse one too, but for a factor."""


def _build_wave(
    x: Node, axis: int, kind: str, type: int, norm: str, before: int, after: int
) -> Node:
    """kind: "dct" or "dst"; x is floating or complex, and long enough for the type."""
    params = (axis, kind, type, norm, before, after)
    return make(wave_transform, (x,), params, array_type(x.shape, x.dtype))


def _ends(axis: int, kind: str, type: int) -> tuple[tuple[Any, ...], ...]:
    """Where the weights that make a type orthogonal stand: the elements alone in their class."""
    lead = (slice(None),) * axis
    if kind == "dct":
        return ((*lead, 0), (*lead, -1)) if type == 1 else ((*lead, 0),)
    return () if type == 1 else ((*lead, -1),)


def _evaluate_wave(node: Node) -> Callable[..., Any]:
    axis, kind, type, norm, before, after = node.params
    function = getattr(lazy.module("scipy.fft"), kind)
    ends = _ends(axis, kind, type)

    def orthogonal(x: Any) -> Any:
        if np.iscomplexobj(x):  # of complex arrays SciPy forgets what `orthogonalize` says
            return orthogonal(x.real) + 1j * orthogonal(x.imag)
        return function(x, type, axis=axis, norm=norm, orthogonalize=True)

    def run(x: Any) -> Any:
        if before:
            x = np.array(x)
            for end in ends:
                x[end] *= math.sqrt(2) ** before
        result = orthogonal(x)
        if after:
            for end in ends:
                result[end] *= math.sqrt(2) ** after
        return result

    return run


def _transpose_wave(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    axis, kind, type, norm, before, after = node.params
    return (
        linear.mix(
            lambda v: wave_transform(v, axis, kind, TRANSPOSED[type], norm, after, before),
            lambda m: _reached(node, m, (axis,)),
            ct,
        ),
    )


def _draw_wave(rng: np.random.Generator, dtype: Any) -> Any:
    for kind in ("dct", "dst"):
        yield [normal(rng, dtype, 4)], (0, kind, 1, "backward", -1, 1)
        yield [normal(rng, dtype, 2, 3)], (1, kind, 2, "ortho", 0, 0)
        yield [normal(rng, dtype, 4, 2)], (0, kind, 2, "forward", 0, 1)
        yield [normal(rng, dtype, 4)], (0, kind, 3, "backward", -1, 0)
        yield [normal(rng, dtype, 5)], (0, kind, 4, "backward", 0, 0)


wave_transform: Op = define(
    "wave_transform",
    family="transform",
    build=_build_wave,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_wave,
    pushforward=_push_along,
    transpose=_transpose_wave,
    batch=_batch_along,
    sparsity=sparsity.mixed(lambda node: node.params[:1]),
    label="cosines {0}",
    domain=Cases(_draw_wave),
)
