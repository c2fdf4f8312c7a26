"""The functions of the Python array API standard, version 2025.12, and calls of each.

The names are those of the published specification, section by section. A call is a function of the
namespace and arrays; the arrays of each are named by their kind: f and g floating matrices, v and w
lines, p positive, u between −1 and 1, z complex, i and j integer, b Boolean, s square and
well-conditioned, h positive definite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RNG = np.random.default_rng(12)
F, G = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4))
SQUARE = RNG.standard_normal((2, 3, 3)) + 4 * np.eye(3)

ARRAYS: dict[str, Any] = {
    "f": F,
    "g": G,
    "p": np.abs(F) + 0.5,
    "u": np.tanh(F) * 0.9,
    "v": RNG.standard_normal(5),
    "w": RNG.standard_normal(5),
    "z": F + 1j * G,
    "t": RNG.standard_normal((3, 3)),
    "n": F.astype(np.float32),
    "i": RNG.integers(1, 6, (3, 4)),
    "j": RNG.integers(1, 4, (3, 4)),
    "k": RNG.integers(0, 3, 5),
    "b": F > 0,
    "c": G > 0,
    "s": SQUARE,
    "h": SQUARE @ np.swapaxes(SQUARE, -1, -2),
}

Call = tuple[Callable[..., Any], str]


def _unary(kinds: str) -> Callable[[str], list[Call]]:
    def calls(name: str) -> list[Call]:
        return [(lambda xp, x: getattr(xp, name)(x), kind) for kind in kinds.split()]

    return calls


def _binary(*pairs: str) -> Callable[[str], list[Call]]:
    def calls(name: str) -> list[Call]:
        found: list[Call] = [(lambda xp, x, y: getattr(xp, name)(x, y), pair) for pair in pairs]
        return [*found, (lambda xp, x: getattr(xp, name)(x, 2), pairs[0][0])]

    return calls


def _reduction(kinds: str) -> Callable[[str], list[Call]]:
    def calls(name: str) -> list[Call]:
        forms: list[Callable[..., Any]] = [
            lambda xp, x: getattr(xp, name)(x),
            lambda xp, x: getattr(xp, name)(x, axis=1),
            lambda xp, x: getattr(xp, name)(x, axis=(0, -1), keepdims=True),
        ]
        return [(form, kind) for form in forms for kind in kinds.split()]

    return calls


_REAL, _NUMBERS = _unary("f n"), _unary("f n z")
_COMPARED = _binary("fg", "ij", "fi")
_BITS = _binary("ij")
_LOGIC = _binary("bc")

ELEMENTWISE: dict[str, list[Call]] = {
    name: calls(name)
    for names, calls in (
        ("abs negative positive sign square", _unary("f n z i")),
        ("acos asin atanh", _unary("u z")),
        ("acosh", _unary("z")),
        ("asinh atan cos cosh exp expm1 sin sinh tan tanh", _NUMBERS),
        ("log log10 log1p log2 sqrt", _unary("p z")),
        ("reciprocal", _unary("p z")),
        ("ceil floor trunc", _unary("f n i")),
        ("round", _unary("f z i")),
        ("conj real imag", _unary("z f")),
        ("isfinite isinf isnan", _unary("f z i")),
        ("signbit", _REAL),
        ("logical_not", _unary("b")),
        ("bitwise_invert", _unary("i b")),
        ("add multiply subtract", _binary("fg", "fz", "ij", "nf")),
        ("divide", _binary("fp", "zp", "ij")),
        ("pow", _binary("pf", "zp", "ij")),
        ("remainder floor_divide", _binary("fp", "ij")),
        ("atan2 copysign hypot logaddexp maximum minimum", _binary("fg", "nf")),
        ("nextafter", _binary("fg")),
        ("equal not_equal", _binary("fg", "ij", "bc", "zz")),
        ("greater greater_equal less less_equal", _COMPARED),
        ("bitwise_and bitwise_or bitwise_xor", _BITS),
        ("bitwise_left_shift bitwise_right_shift", _BITS),
        ("logical_and logical_or logical_xor", _LOGIC),
    )
    for name in names.split()
}
ELEMENTWISE["clip"] = [
    (lambda xp, x: xp.clip(x, -0.5, 0.5), "f"),
    (lambda xp, x: xp.clip(x, min=0), "n"),
    (lambda xp, x, y: xp.clip(x, None, y), "fg"),
    (lambda xp, x: xp.clip(x, 2, 4), "i"),
]

CREATION: dict[str, list[Call]] = {
    "arange": [
        (lambda xp, x: xp.arange(3) + x[0, 0], "f"),
        (lambda xp, x: xp.arange(1, 7, 2, dtype=xp.float32, device="cpu"), "f"),
        (lambda xp, x: xp.arange(0.0, 1.0, 0.25), "f"),
    ],
    "asarray": [
        (lambda xp, x: xp.asarray(x, dtype=xp.float32, device="cpu", copy=True), "f"),
        (lambda xp, x: xp.asarray([[1, 2.5], [x[0, 0], 4]]), "f"),
        (lambda xp, x: xp.asarray(x), "i"),
    ],
    "empty": [(lambda xp, x: 0 * xp.empty((2, 3), dtype=xp.float64, device="cpu") + x[0, 0], "f")],
    "empty_like": [(lambda xp, x: 0 * xp.empty_like(x, device="cpu"), "i")],
    "eye": [
        (lambda xp, x: xp.eye(3, 4, k=1, dtype=xp.float32, device="cpu"), "f"),
        (lambda xp, x: xp.eye(3) @ x, "f"),
    ],
    "from_dlpack": [
        (lambda xp, x: xp.from_dlpack(x), "f"),
        (lambda xp, x: xp.from_dlpack(x, device="cpu", copy=True), "i"),
    ],
    "full": [
        (lambda xp, x: xp.full((2, 3), 1.5, dtype=xp.float32, device="cpu"), "f"),
        (lambda xp, x: xp.full(4, x[0, 0]), "f"),
        (lambda xp, x: xp.full((2,), 7), "f"),
    ],
    "full_like": [
        (lambda xp, x: xp.full_like(x, 3, device="cpu"), "f"),
        (lambda xp, x: xp.full_like(x, 2, dtype=xp.complex64), "i"),
    ],
    "linspace": [
        (lambda xp, x: xp.linspace(0, 1, 5, endpoint=False, device="cpu"), "f"),
        (lambda xp, x: xp.linspace(x[0, 0], x[0, 1], 4), "f"),
    ],
    "meshgrid": [
        (lambda xp, x, y: xp.meshgrid(x, y), "vw"),
        (lambda xp, x, y: xp.meshgrid(x, y, indexing="ij"), "vk"),
    ],
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp, n)((2, 3), dtype=xp.float32, device="cpu"), "f"),
            (lambda xp, x, n=name: getattr(xp, n)(3) * x[0, 0], "f"),
        ]
        for name in ("ones", "zeros")
    },
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp, n)(x, device="cpu"), "f"),
            (lambda xp, x, n=name: getattr(xp, n)(x, dtype=xp.int32), "z"),
        ]
        for name in ("ones_like", "zeros_like")
    },
    **{
        name: [(lambda xp, x, n=name: getattr(xp, n)(x, k=1), kind) for kind in "fzi"]
        for name in ("tril", "triu")
    },
}

DTYPES: dict[str, list[Call]] = {
    "astype": [
        (lambda xp, x: xp.astype(x, xp.float32), "f"),
        (lambda xp, x: xp.astype(x, xp.complex128, copy=False, device="cpu"), "f"),
        (lambda xp, x: xp.astype(x, xp.bool), "i"),
    ],
    "can_cast": [(lambda xp, x: xp.asarray(xp.can_cast(x.dtype, xp.float32)), "f")],
    "finfo": [
        (lambda xp, x: xp.asarray(float(xp.finfo(x.dtype).eps)), "n"),
    ],
    "iinfo": [
        (lambda xp, x: xp.asarray(int(xp.iinfo(x.dtype).max)), "i"),
    ],
    "isdtype": [(lambda xp, x: xp.asarray(xp.isdtype(x.dtype, ("integral", "bool"))), "i")],
    "result_type": [
        (lambda xp, x, y: xp.zeros(2, dtype=xp.result_type(x, y)), "ni"),
        (lambda xp, x: xp.zeros(2, dtype=xp.result_type(x, 1.0, xp.int8)), "n"),
    ],
}

INDEXING: dict[str, list[Call]] = {
    "take": [
        (lambda xp, x, k: xp.take(x, k, axis=0), "fk"),
        (lambda xp, x, k: xp.take(x, k, axis=-1), "zk"),
    ],
    "take_along_axis": [
        (lambda xp, x, i: xp.take_along_axis(x, i % 4, axis=-1), "fi"),
        (lambda xp, x, i: xp.take_along_axis(x, i % 3, axis=0), "zi"),
    ],
}

MANIPULATION: dict[str, list[Call]] = {
    "broadcast_arrays": [(lambda xp, x, y: xp.broadcast_arrays(x[0], y), "fg")],
    "broadcast_shapes": [
        (lambda xp, x: xp.zeros(xp.broadcast_shapes(x.shape, (4,), (2, 1, 1))), "f")
    ],
    "broadcast_to": [(lambda xp, x: xp.broadcast_to(x, (2, 3, 4)), kind) for kind in "fzi"],
    "concat": [
        (lambda xp, x, y: xp.concat([x, y]), "fg"),
        (lambda xp, x, y: xp.concat((x, y), axis=-1), "fi"),
        (lambda xp, x, y: xp.concat([x, y], axis=None), "fz"),
    ],
    "expand_dims": [
        (lambda xp, x: xp.expand_dims(x, axis=1), "f"),
        (lambda xp, x: xp.expand_dims(x, axis=(0, -1)), "i"),
    ],
    "flip": [
        (lambda xp, x: xp.flip(x), "f"),
        (lambda xp, x: xp.flip(x, axis=(0, -1)), "z"),
    ],
    "moveaxis": [(lambda xp, x: xp.moveaxis(x, (0, 2), (-1, 0)), "s")],
    "permute_dims": [(lambda xp, x: xp.permute_dims(x, (2, 0, 1)), "s")]
    + [(lambda xp, x: xp.permute_dims(x, (-1, 0, 1)), "s")],
    "repeat": [
        (lambda xp, x: xp.repeat(x, 2), "f"),
        (lambda xp, x, k: xp.repeat(x, k), "vk"),
        (lambda xp, x: xp.repeat(x, 3, axis=0), "z"),
    ],
    "reshape": [
        (lambda xp, x: xp.reshape(x, (4, -1)), "f"),
        (lambda xp, x: xp.reshape(x, (2, 6), copy=True), "i"),
    ],
    "roll": [
        (lambda xp, x: xp.roll(x, 2), "f"),
        (lambda xp, x: xp.roll(x, (1, -1), axis=(0, 1)), "z"),
    ],
    "squeeze": [(lambda xp, x: xp.squeeze(x[:1, :, None], axis=(0, 2)), "f")],
    "stack": [
        (lambda xp, x, y: xp.stack([x, y]), "fg"),
        (lambda xp, x, y: xp.stack((x, y), axis=-1), "fz"),
    ],
    "tile": [(lambda xp, x: xp.tile(x, (2, 1, 3)), "f")],
    "unstack": [
        (lambda xp, x: xp.unstack(x), "f"),
        (lambda xp, x: xp.unstack(x, axis=-1), "z"),
    ],
}

SEARCHING: dict[str, list[Call]] = {
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp, n)(x), "f"),
            (lambda xp, x, n=name: getattr(xp, n)(x, axis=1, keepdims=True), "i"),
        ]
        for name in ("argmax", "argmin")
    },
    "count_nonzero": [
        (lambda xp, x: xp.count_nonzero(x), "b"),
        (lambda xp, x: xp.count_nonzero(x, axis=0, keepdims=True), "f"),
    ],
    "nonzero": [(lambda xp, x: xp.nonzero(x), kind) for kind in "fb"],
    "searchsorted": [
        (lambda xp, x, y: xp.searchsorted(xp.sort(x), y, side="right"), "vw"),
        (lambda xp, x, y: xp.searchsorted(x, y, sorter=xp.argsort(x)), "vw"),
        (lambda xp, x: xp.searchsorted(xp.sort(x), 0.5), "v"),
    ],
    "where": [
        (lambda xp, b, x, y: xp.where(b, x, y), "bfg"),
        (lambda xp, b, x: xp.where(b, x, 0.0), "bf"),
    ],
}

SETS: dict[str, list[Call]] = {
    "isin": [
        (lambda xp, x, k: xp.isin(x, k), "ik"),
        (lambda xp, x, k: xp.isin(x, k, invert=True), "ik"),
    ],
    **{
        name: [(lambda xp, x, n=name: tuple(getattr(xp, n)(x)), kind) for kind in "kvi"]
        for name in ("unique_all", "unique_counts", "unique_inverse")
    },
    "unique_values": [(lambda xp, x: xp.sort(xp.unique_values(x)), kind) for kind in "kvi"],
}

SORTING: dict[str, list[Call]] = {
    "argsort": [
        (lambda xp, x: xp.argsort(x), "f"),
        (lambda xp, x: xp.argsort(x, axis=0, stable=True), "i"),
    ],
    "sort": [
        (lambda xp, x: xp.sort(x), "f"),
        (lambda xp, x: xp.sort(x, axis=0, stable=True), "i"),
    ],
}

STATISTICS: dict[str, list[Call]] = {
    name: calls(name)
    for names, calls in (
        ("sum prod", _reduction("f n z i")),
        ("mean", _reduction("f n z")),
        ("max min", _reduction("f n i")),
        ("std var", _reduction("f n")),
    )
    for name in names.split()
}
STATISTICS["var"] += [(lambda xp, x: xp.var(x, axis=0, correction=1), "f")]
STATISTICS["std"] += [(lambda xp, x: xp.std(x, axis=0, correction=1), "f")]
for _name in ("cumulative_sum", "cumulative_prod"):
    STATISTICS[_name] = [
        (lambda xp, x, n=_name: getattr(xp, n)(x), "v"),
        (lambda xp, x, n=_name: getattr(xp, n)(x, axis=1, include_initial=True), "f"),
        (lambda xp, x, n=_name: getattr(xp, n)(x, axis=0, dtype=xp.float64), "i"),
    ]

UTILITIES: dict[str, list[Call]] = {
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp, n)(x), "b"),
            (lambda xp, x, n=name: getattr(xp, n)(x, axis=1, keepdims=True), "f"),
        ]
        for name in ("all", "any")
    },
    "diff": [
        (lambda xp, x: xp.diff(x), "f"),
        (lambda xp, x: xp.diff(x, n=2, axis=0), "z"),
        (lambda xp, x, y: xp.diff(x, prepend=y[:2], append=y[:1]), "vw"),
    ],
}

PRODUCTS: dict[str, list[Call]] = {
    "matmul": [
        (lambda xp, x, y: xp.matmul(x, y.T), "fg"),
        (lambda xp, x, y: xp.matmul(x, y.T), "ij"),
        (lambda xp, x: x @ x.mT, "s"),
    ],
    "matrix_transpose": [(lambda xp, x: xp.matrix_transpose(x), "s")],
    "tensordot": [
        (lambda xp, x, y: xp.tensordot(x, y, axes=((0,), (0,))), "fz"),
        (lambda xp, x, y: xp.tensordot(x, y, axes=2), "fg"),
    ],
    "vecdot": [
        (lambda xp, x, y: xp.vecdot(x, y), "fg"),
        (lambda xp, x, y: xp.vecdot(x, y, axis=0), "zf"),
    ],
}

LINALG: dict[str, list[Call]] = {
    "cholesky": [
        (lambda xp, x: xp.linalg.cholesky(x), "h"),
        (lambda xp, x: xp.linalg.cholesky(x, upper=True), "h"),
    ],
    "cross": [(lambda xp, x, y: xp.linalg.cross(x, y), "tt")],
    "det": [(lambda xp, x: xp.linalg.det(x), "s")],
    "diagonal": [(lambda xp, x: xp.linalg.diagonal(x, offset=1), "s")],
    "eigh": [(lambda xp, x: xp.linalg.eigh(x)[0], "h")],
    "eigvalsh": [(lambda xp, x: xp.linalg.eigvalsh(x), "h")],
    "inv": [(lambda xp, x: xp.linalg.inv(x), "s")],
    "matmul": [(lambda xp, x, y: xp.linalg.matmul(x, y), "sh")],
    "matrix_norm": [
        (lambda xp, x: xp.linalg.matrix_norm(x), "s"),
        (lambda xp, x: xp.linalg.matrix_norm(x, keepdims=True, ord=1), "s"),
        (lambda xp, x: xp.linalg.matrix_norm(x, ord=2), "s"),
        (lambda xp, x: xp.linalg.matrix_norm(x, ord="nuc"), "s"),
    ],
    "matrix_power": [(lambda xp, x: xp.linalg.matrix_power(x, 3), "s")],
    "matrix_rank": [(lambda xp, x: xp.linalg.matrix_rank(x), "s")],
    "matrix_transpose": [(lambda xp, x: xp.linalg.matrix_transpose(x), "s")],
    "outer": [(lambda xp, x, y: xp.linalg.outer(x, y), "vw")],
    "pinv": [(lambda xp, x: xp.linalg.pinv(x), "f")],
    "qr": [(lambda xp, x: tuple(xp.linalg.qr(x)), "s")],
    "slogdet": [(lambda xp, x: tuple(xp.linalg.slogdet(x)), "s")],
    "solve": [(lambda xp, x, y: xp.linalg.solve(x, y), "ss")],
    "svd": [(lambda xp, x: xp.linalg.svd(x, full_matrices=False)[1], "s")],
    "svdvals": [(lambda xp, x: xp.linalg.svdvals(x), "s")],
    "tensordot": [(lambda xp, x, y: xp.linalg.tensordot(x, y, axes=1), "tt")],
    "trace": [(lambda xp, x: xp.linalg.trace(x, offset=-1), "s")],
    "vecdot": [(lambda xp, x, y: xp.linalg.vecdot(x, y), "fg")],
    "vector_norm": [
        (lambda xp, x: xp.linalg.vector_norm(x), "f"),
        (lambda xp, x: xp.linalg.vector_norm(x, axis=0, keepdims=True, ord=3), "f"),
    ],
}

FOURIER: dict[str, list[Call]] = {
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp.fft, n)(x), kind),
            (lambda xp, x, n=name: getattr(xp.fft, n)(x, n=5, axis=0, norm="ortho"), kind),
        ]
        for name, kind in (
            *(("fft", "z"), ("ifft", "z"), ("rfft", "f"), ("irfft", "z"), ("hfft", "z")),
            ("ihfft", "f"),
        )
    },
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp.fft, n)(x), kind),
            (lambda xp, x, n=name: getattr(xp.fft, n)(x, s=(2, 6), axes=(0, 1)), kind),
        ]
        for name, kind in (("fftn", "z"), ("ifftn", "z"), ("rfftn", "f"), ("irfftn", "z"))
    },
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp.fft, n)(5, d=0.5, device="cpu"), "f"),
        ]
        for name in ("fftfreq", "rfftfreq")
    },
    **{
        name: [
            (lambda xp, x, n=name: getattr(xp.fft, n)(x), "f"),
            (lambda xp, x, n=name: getattr(xp.fft, n)(x, axes=1), "z"),
        ]
        for name in ("fftshift", "ifftshift")
    },
}

SECTIONS: dict[str, dict[str, list[Call]]] = {
    "elementwise": ELEMENTWISE,
    "creation": CREATION,
    "dtypes": DTYPES,
    "indexing": INDEXING,
    "manipulation": MANIPULATION,
    "searching": SEARCHING,
    "sets": SETS,
    "sorting": SORTING,
    "statistics": STATISTICS,
    "utilities": UTILITIES,
    "products": PRODUCTS,
    "linalg": LINALG,
    "fft": FOURIER,
}

CONSTANTS = ("e", "inf", "nan", "newaxis", "pi")
TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
)
