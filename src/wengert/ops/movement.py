"""Ops that move elements: shapes, axes, slices, joining.

All of them are linear, so each states how it acts on one input and what its transpose is:
repeating and summing, slicing and embedding into zeros, joining and slicing are transposes of one
another; reshape and transpose are their own inverses' transposes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import full, literal
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, Shape, array_type
from wengert.ops import linear, sparsity
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define, movement, whole
from wengert.ops.native import Place, Statement, Term, View


def _typed(shape: Shape, like: ArrayType) -> ArrayType:
    return array_type(tuple(shape), like.dtype)


# ------------------------------------------------------------------------------ broadcast_to


def _build_broadcast(x: Node, shape: Shape) -> Node:
    shape = tuple(shape)
    if x.type.shape == shape:
        return x
    if x.op is full:
        return full(literal(x), x.dtype, shape)
    if x.op is broadcast_to and _trailing(x.args[0].shape, shape):
        return _build_broadcast(x.args[0], shape)
    return make(broadcast_to, (x,), (shape,), _typed(shape, x.type))


def _trailing(small: Shape, large: Shape) -> bool:
    """Whether `small` broadcasts to `large` as NumPy aligns them."""
    if len(small) > len(large):
        return False
    return all(a in (1, b) for a, b in zip(reversed(small), reversed(large), strict=False))


def _batch_broadcast(node: Node, x: Node) -> Node:
    size, *inner = x.shape
    (shape,) = node.params
    ones = (1,) * (len(shape) - len(inner))
    return broadcast_to(reshape(x, (size, *ones, *inner)), (size, *shape))


def _infer_broadcast(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    if not _trailing(types[0].shape, params[0]):
        raise WengertValueError(f"cannot broadcast shape {types[0].shape} to {params[0]}")
    return _typed(params[0], types[0])


def _draw_broadcast(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype)], ((3,),)
    yield [normal(rng, dtype, 2, 1)], ((4, 2, 3),)
    yield [normal(rng, dtype, 3)], ((0, 3),)


def _evaluate_broadcast(node: Node) -> Callable[..., Any]:
    (shape,) = node.params
    return lambda x: np.broadcast_to(x, shape)


def _place_broadcast(node: Node) -> Place:
    inner = node.args[0].shape
    lead = node.ndim - len(inner)
    return tuple(Term() if n == 1 else Term(0, ((lead + k, 1),)) for k, n in enumerate(inner))


broadcast_to: Op = movement(
    "broadcast_to",
    build=_build_broadcast,
    again=lambda node, x: broadcast_to(x, node.params[0]),
    infer=_infer_broadcast,
    evaluate=_evaluate_broadcast,
    transpose=lambda node, ct: linear.unbroadcast(ct, node.args[0].shape),
    batch=_batch_broadcast,
    native=View(_place_broadcast),
    label="{0}",
    domain=Cases(_draw_broadcast),
)

# ----------------------------------------------------------------------------------- reshape


def _build_reshape(x: Node, shape: Shape) -> Node:
    shape = tuple(shape)
    if x.type.shape == shape:
        return x
    if x.op is full:
        return full(literal(x), x.dtype, shape)
    if x.op is reshape:
        return reshape(x.args[0], shape)
    return make(reshape, (x,), (shape,), _infer_reshape((x.type,), (shape,)))


def _infer_reshape(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    (shape,) = params
    if math.prod(shape) != types[0].size:
        raise WengertValueError(
            f"cannot reshape array of size {types[0].size} into shape {tuple(shape)}"
        )
    return _typed(shape, types[0])


def _draw_reshape(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 2, 3)], ((3, 2),)
    yield [normal(rng, dtype)], ((1, 1),)
    yield [normal(rng, dtype, 0, 3)], ((3, 0, 2),)


def _evaluate_reshape(node: Node) -> Callable[..., Any]:
    (shape,) = node.params
    return lambda x: np.reshape(x, shape)


reshape: Op = movement(
    "reshape",
    build=_build_reshape,
    again=lambda node, x: reshape(x, node.params[0]),
    infer=_infer_reshape,
    evaluate=_evaluate_reshape,
    transpose=lambda node, ct: linear.move(lambda v: reshape(v, node.args[0].shape), ct),
    batch=lambda node, x: reshape(x, (x.shape[0], *node.params[0])),
    native=Statement("reshape"),
    label="{0}",
    domain=Cases(_draw_reshape),
)

# --------------------------------------------------------------------------------- transpose


def _build_transpose(x: Node, axes: Sequence[int]) -> Node:
    axes = tuple(axes)
    if axes == tuple(range(len(axes))):
        return x
    if x.op is transpose:
        return transpose(x.args[0], tuple(x.params[0][axis] for axis in axes))
    if x.op is full:
        return full(literal(x), x.dtype, tuple(x.shape[axis] for axis in axes))
    return make(transpose, (x,), (axes,), _infer_transpose((x.type,), (axes,)))


def _infer_transpose(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    (axes,) = params
    if sorted(axes) != list(range(len(types[0].shape))):
        raise WengertValueError(f"axes {axes} do not match an array of shape {types[0].shape}")
    return _typed(tuple(types[0].shape[axis] for axis in axes), types[0])


def inverse(axes: Sequence[int]) -> tuple[int, ...]:
    """The inverse permutation."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def _draw_transpose(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 2, 3)], ((1, 0),)
    yield [normal(rng, dtype, 2, 3, 4)], ((2, 0, 1),)


def _evaluate_transpose(node: Node) -> Callable[..., Any]:
    (axes,) = node.params
    return lambda x: x.transpose(axes)


transpose: Op = movement(
    "transpose",
    build=_build_transpose,
    again=lambda node, x: transpose(x, node.params[0]),
    infer=_infer_transpose,
    evaluate=_evaluate_transpose,
    transpose=lambda node, ct: linear.move(lambda v: transpose(v, inverse(node.params[0])), ct),
    batch=lambda node, x: transpose(x, (0, *(axis + 1 for axis in node.params[0]))),
    native=View(lambda node: tuple(Term(0, ((k, 1),)) for k in inverse(node.params[0]))),
    label="{0}ᵀ",
    domain=Cases(_draw_transpose),
)

# --------------------------------------------------------------------- index, embed and put
#
# A basic index in normal form has one entry an axis: an int >= 0, or (start, count, step).

Basic = tuple[Any, ...]


def indexed_shape(entries: Basic) -> Shape:
    """The shape of what a basic index picks."""
    return tuple(entry[1] for entry in entries if not isinstance(entry, int))


def as_slices(entries: Basic) -> tuple[Any, ...]:
    """The index as NumPy takes it."""
    result: list[Any] = []
    for entry in entries:
        if isinstance(entry, int):
            result.append(entry)
        else:
            start, count, step = entry
            stop = start + count * step
            result.append(slice(start, None if stop < 0 else stop, step) if count else slice(0, 0))
    return tuple(result)


def _build_index(x: Node, entries: Basic) -> Node:
    if entries == whole(x.type.shape):
        return x
    if x.op is full:
        return full(literal(x), x.dtype, indexed_shape(entries))
    return make(index, (x,), (entries,), _typed(indexed_shape(entries), x.type))


def _infer_index(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    (entries,) = params
    if len(entries) != len(types[0].shape):
        raise WengertValueError(f"index {entries} does not match shape {types[0].shape}")
    return _typed(indexed_shape(entries), types[0])


def _evaluate_index(node: Node) -> Callable[..., Any]:
    slices = as_slices(node.params[0])
    return lambda x: x[slices]


def _draw_index(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4)], ((2,),)
    yield [normal(rng, dtype, 4, 3)], (((3, 2, -2), 1),)
    yield [normal(rng, dtype, 4, 3)], (((3, 4, -1), (0, 0, 1)),)


def _place_index(node: Node) -> Place:
    place: list[Term] = []
    axis = 0
    for entry in node.params[0]:
        if isinstance(entry, int):
            place.append(Term(entry))
        else:
            place.append(Term(entry[0], ((axis, entry[2]),)))
            axis += 1
    return tuple(place)


index: Op = movement(
    "index",
    build=_build_index,
    again=lambda node, x: index(x, node.params[0]),
    infer=_infer_index,
    evaluate=_evaluate_index,
    transpose=lambda node, ct: linear.move(
        lambda v: embed(v, node.params[0], node.args[0].shape), ct
    ),
    batch=lambda node, x: index(x, ((0, x.shape[0], 1), *node.params[0])),
    native=View(_place_index),
    label="{0}[…]",
    domain=Cases(_draw_index),
)


def _build_embed(x: Node, entries: Basic, shape: Shape) -> Node:
    if entries == whole(shape):
        return x
    return make(embed, (x,), (entries, tuple(shape)), _typed(shape, x.type))


def _evaluate_embed(node: Node) -> Callable[..., Any]:
    entries, shape = node.params
    slices, dtype = as_slices(entries), node.dtype

    def run(x: Any) -> Any:
        result = np.zeros(shape, dtype)
        result[slices] = x
        return result

    return run


def _draw_embed(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype)], ((2,), (4,))
    yield [normal(rng, dtype, 2)], (((3, 2, -2), 1), (4, 3))


embed: Op = movement(
    "embed",
    build=_build_embed,
    again=lambda node, x: embed(x, *node.params),
    infer=lambda types, params: _typed(params[1], types[0]),
    evaluate=_evaluate_embed,
    transpose=lambda node, ct: linear.move(lambda v: index(v, node.params[0]), ct),
    batch=lambda node, x: embed(
        x, ((0, x.shape[0], 1), *node.params[0]), (x.shape[0], *node.params[1])
    ),
    native=Statement("embed"),
    label="embed({0})",
    domain=Cases(_draw_embed),
)


def _build_put(base: Node, value: Node, entries: Basic) -> Node:
    value = broadcast_to(value, indexed_shape(entries))
    if entries == whole(base.type.shape) and value.dtype is base.dtype:
        return value
    return make(put, (base, value), (entries,), _typed(base.shape, base.type))


def _evaluate_put(node: Node) -> Callable[..., Any]:
    slices = as_slices(node.params[0])

    def run(base: Any, value: Any) -> Any:
        result = np.array(base)
        result[slices] = value
        return result

    return run


def _push_put(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    base, value = tangents
    entries = node.params[0]
    if value is None:
        hole = full(0, node.dtype, node.args[1].shape)
        return linear.move(lambda v: put(v, full(0, v.dtype, hole.shape), entries), base)
    if base is None:
        return linear.move(lambda v: embed(v, entries, node.shape), value)
    if linear.is_masked(base) or linear.is_masked(value):
        base, value = linear.as_masked(base), linear.as_masked(value)
        return linear.masked(
            put(base.args[0], value.args[0], entries), put(base.args[1], value.args[1], entries)
        )
    return put(base, value, entries)


def _transpose_put(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    entries = node.params[0]
    hole = node.args[1].shape
    return (
        linear.move(lambda v: put(v, full(0, v.dtype, hole), entries), ct) if wanted[0] else None,
        linear.move(lambda v: index(v, entries), ct) if wanted[1] else None,
    )


def _batch_put(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    base = args[0] if batched[0] else broadcast_to(args[0], (size, *args[0].shape))
    value = args[1] if batched[1] else broadcast_to(args[1], (size, *args[1].shape))
    return put(base, value, ((0, size, 1), *node.params[0]))


def _draw_put(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4), normal(rng, dtype)], ((2,),)
    yield [normal(rng, dtype, 4, 3), normal(rng, dtype, 2)], (((3, 2, -2), 1),)


put: Op = define(
    "put",
    family="movement",
    build=_build_put,
    infer=lambda types, params: _typed(types[0].shape, types[0]),
    evaluate=_evaluate_put,
    pushforward=_push_put,
    transpose=_transpose_put,
    batch=_batch_put,
    native=Statement("put"),
    sparsity=sparsity.moved,
    label="put({0}, {1})",
    domain=Cases(_draw_put),
)

# ------------------------------------------------------------------------------- concatenate


def _build_concatenate(*parts: Node, axis: int) -> Node:
    if len(parts) == 1:
        return parts[0]
    return make(
        concatenate, parts, (axis,), _infer_concatenate(tuple(p.type for p in parts), (axis,))
    )


def _infer_concatenate(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    (axis,) = params
    first = types[0].shape
    for type in types:
        if type.shape[:axis] + type.shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise WengertValueError(
                "all the input array dimensions except for the concatenation axis must match "
                f"exactly, but they are {', '.join(str(t.shape) for t in types)} along axis {axis}"
            )
    extent = sum(type.shape[axis] for type in types)
    return _typed((*first[:axis], extent, *first[axis + 1 :]), types[0])


def _evaluate_concatenate(node: Node) -> Callable[..., Any]:
    (axis,) = node.params
    return lambda *parts: np.concatenate(parts, axis)


def _push_concatenate(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (axis,) = node.params
    parts = [
        full(0, node.dtype, arg.shape) if tangent is None else tangent
        for arg, tangent in zip(node.args, tangents, strict=True)
    ]
    if any(linear.is_masked(part) for part in parts):
        parts = [linear.as_masked(part) for part in parts]
        masks = concatenate(*[part.args[0] for part in parts], axis=axis)
        return linear.masked(masks, concatenate(*[part.args[1] for part in parts], axis=axis))
    return concatenate(*parts, axis=axis)


def _transpose_concatenate(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (axis,) = node.params
    results: list[Tangent] = []
    start = 0
    for arg, flag in zip(node.args, wanted, strict=True):
        extent = arg.shape[axis]
        entries = list(whole(node.shape))
        entries[axis] = (start, extent, 1)
        results.append(
            linear.move(lambda v, e=tuple(entries): index(v, e), ct) if flag else None  # type: ignore[misc]
        )
        start += extent
    return results


def _batch_concatenate(
    node: Node, args: Sequence[Node], batched: Sequence[bool], size: int
) -> Node:
    parts = [
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    ]
    return concatenate(*parts, axis=node.params[0] + 1)


def _draw_concatenate(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 2), normal(rng, dtype, 3)], (), {"axis": 0}
    parts = [normal(rng, dtype, 2, extent) for extent in (1, 0, 3)]
    yield parts, (), {"axis": 1}


concatenate: Op = define(
    "concatenate",
    family="movement",
    build=_build_concatenate,
    infer=_infer_concatenate,
    evaluate=_evaluate_concatenate,
    pushforward=_push_concatenate,
    transpose=_transpose_concatenate,
    batch=_batch_concatenate,
    native=Statement("concatenate"),
    sparsity=sparsity.moved,
    label="concat",
    domain=Cases(_draw_concatenate),
)
