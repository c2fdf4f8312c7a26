"""The family constructors: they fill the slots that follow from what kind of op it is.

    leaf            values that a session binds
    elementwise     a ufunc; states one partial derivative an argument
    movement        linear, moves elements and the mask with them: states its transpose
    opaque          integer or boolean results: the derivative is zero

Elementwise nodes have inputs of one shape and of the dtypes of the NumPy loop that runs:
`build` inserts the broadcasts and conversions, whose transposes then need no further thought.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.literals import full, refit
from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Absent, Batch, Evaluate, Infer, Op, Tangent, Zero, absent
from wengert.graph.registry import UFUNCS, find, interned, register
from wengert.graph.types import BOOL, INT, SUPPORTED, ArrayType, DType, Shape, array_type
from wengert.graph.walk import rebuild
from wengert.ops import linear
from wengert.ops import sparsity as patterns
from wengert.ops.domain import Box, Cases
from wengert.ops.native import HOST, Pointwise, Statement, View, by_method

Partial = Callable[..., Node] | Zero | Absent
NOT_LINEAR = absent("the op is not linear")
MOST_TYPES = 10_000
"""How many combinations of input types an op remembers."""


def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's broadcasting, fast where all shapes are the same."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    return np.broadcast_shapes(*shapes)


def batch_elementwise(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """All inputs with the batch axis in front; the others are repeated along it."""
    shape = (size, *node.shape)
    return rebuild(node, tuple(find("broadcast_to")(arg, shape) for arg in args))


def batch_unary(build: Callable[..., Node]) -> Batch:
    """A rule for ops of one input: `build(node, batched argument)`."""

    def rule(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
        return build(node, args[0])

    return rule


def batch_by_loop(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """Any op, an element of the batch at a time: never wrong, and slow. For rare ops."""
    lanes = [
        rebuild(
            node,
            tuple(
                find("index")(arg, (i, *whole(arg.shape[1:]))) if flag else arg
                for arg, flag in zip(args, batched, strict=True)
            ),
        )
        for i in range(size)
    ]
    if not lanes:
        return find("full")(0, node.dtype, (0, *node.shape))
    rows = [find("reshape")(lane, (1, *lane.shape)) for lane in lanes]
    return find("concatenate")(*rows, axis=0)


def whole_batch(args: Sequence[Node], batched: Sequence[bool], size: int) -> list[Node]:
    """The inputs, each with the batch axis in front: those that have none are repeated."""
    return [
        arg if flag else find("broadcast_to")(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    ]


def whole(shape: Shape) -> tuple[tuple[int, int, int], ...]:
    """The basic index that keeps all of every axis."""
    return tuple((0, extent, 1) for extent in shape)


def unary_linear(build: Callable[[Node, Node], Node]) -> Callable[[Node, Sequence[Tangent]], Any]:
    """The pushforward of a movement op: the op itself, on the tangent."""

    def rule(node: Node, tangents: Sequence[Tangent]) -> Tangent:
        return linear.move(lambda v: build(node, v), tangents[0])

    return rule


def define(
    name: str,
    *,
    family: str,
    build: Callable[..., Node],
    infer: Infer,
    evaluate: Evaluate,
    pushforward: Any,
    transpose: Any,
    batch: Any,
    label: str,
    domain: Any,
    sparsity: Any = patterns.UNSTATED,
    native: Any = HOST,
    raises: tuple[type[Exception], ...] = (),
) -> Op:
    """Register a record with every slot given."""
    return register(
        Op(
            name=name,
            family=family,
            build=build,
            infer=infer,
            evaluate=evaluate,
            pushforward=pushforward,
            transpose=transpose,
            batch=batch,
            sparsity=sparsity,
            native=native,
            label=label,
            domain=domain,
            interned=interned(name),
            raises=raises,
        )
    )


# ------------------------------------------------------------------------------- elementwise


def elementwise(
    ufunc: np.ufunc,
    *partials: Partial,
    label: str,
    domain: Box | Cases,
    name: str | None = None,
    weak: bool = False,
    pushforward: Any = None,
    transpose: Any = NOT_LINEAR,
    sparsity: Any = None,
    simplify: Callable[..., Node | None] | None = None,
    native: Pointwise | Absent | None = None,
) -> Op:
    """An op that is a ufunc of one result, or behaves as one (`wengert.ops.special.ufunc`).

    partials: for each argument the derivative with respect to it, a function of (result, *inputs)
        that yields a node of the result's shape; or ZERO; or absent(reason). They are stated
        once, and serve forward and reverse mode, real and complex. `pushforward` replaces them
        where the op is linear, or not holomorphic.
    sparsity: the rule of what the result depends on; without one, each element depends on those at
        its place in the inputs by which there is a derivative.
    weak: whether the Python operator gives a bare Python number for bare Python numbers.
    simplify: another node for these inputs, of exactly the same values, or None.
    native: the rule of machine code; without one, the method of that name of the first input's
        lanes.
    """
    name = name or ufunc.__name__
    loop = _loops(ufunc, weak)
    ready = interned(name).ready
    plans: dict[tuple[ArrayType, ...], tuple[tuple[DType, ...], Shape, ArrayType]] = {}

    def build(*args: Node) -> Node:
        types = tuple([arg.type for arg in args])
        result = ready.get(types)  # of inputs that the loop takes as they are
        if result is None:
            args, result = prepare(args, types)
        if simplify is not None:
            simpler = simplify(*args)
            if simpler is not None:
                return simpler
        return make(op, args, None, result)

    def prepare(
        args: tuple[Node, ...], types: tuple[ArrayType, ...]
    ) -> tuple[tuple[Node, ...], ArrayType]:
        """The inputs converted and broadcast, and the type of the result."""
        plan = plans.get(types)
        if plan is None:
            dtypes, result = loop(types)
            try:
                shape = broadcast_shapes(*[type.shape for type in types])
            except ValueError:
                shapes = " ".join(str(type.shape) for type in types)
                raise WengertValueError(
                    f"{name}: operands could not be broadcast together with shapes {shapes}"
                ) from None
            plan = dtypes, shape, array_type(shape, *result)
            _remember(plans, types, plan)
            if all(t.shape == shape and t.dtype == d for t, d in zip(types, dtypes, strict=True)):
                _remember(ready, types, plan[2])
        dtypes, shape, of_result = plan
        bare = of_result.weak
        try:
            fitted = [fit(x, dtype, shape, bare) for x, dtype in zip(args, dtypes, strict=True)]
        except OverflowError:
            if of_result.dtype != BOOL:
                raise
            fitted = [fit(arg, INT, shape) for arg in args]  # NumPy compares by value
        return tuple(fitted), of_result

    def infer(types: tuple[ArrayType, ...], params: None) -> ArrayType:
        _, result = loop(types)
        return array_type(types[0].shape, *result)

    op = define(
        name,
        family="elementwise",
        build=build,
        infer=infer,
        evaluate=lambda node: ufunc,
        pushforward=pushforward or _from_partials(partials),
        transpose=transpose,
        batch=batch_elementwise,
        sparsity=sparsity or _from_places(partials),
        native=native or by_method(name),
        label=label,
        domain=domain,
    )
    if isinstance(ufunc, np.ufunc):
        UFUNCS.setdefault(ufunc, op)
    return op


def fit(x: Node, dtype: DType, shape: Shape, bare: bool = False) -> Node:
    """x as an elementwise op takes it: in the dtype of the loop and the shape of the result.

    bare: whether the result is a bare Python number, and x stays one.
    """
    type: ArrayType = x.type
    if type.dtype != dtype:
        if x.op is full:
            return refit(x, dtype, shape, bare)
        x = find("convert")(x, dtype, bare)
    if type.shape != shape:
        return refit(x, dtype, shape) if x.op is full else find("broadcast_to")(x, shape)
    return x


def _remember(known: dict[Any, Any], key: Any, value: Any) -> None:
    if len(known) > MOST_TYPES:
        known.clear()
    known[key] = value


def _loops(ufunc: np.ufunc, keeps_weak: bool) -> Callable[..., Any]:
    """Types of the inputs -> (dtypes of NumPy's loop, (dtype of the result, is it weak))."""
    known: dict[tuple[ArrayType, ...], tuple[tuple[DType, ...], tuple[DType, bool]]] = {}
    python = {"i": int, "f": float, "c": complex}

    def loop(types: tuple[ArrayType, ...]) -> Any:
        found = known.get(types)
        if found is None:
            all_weak = all(type.weak for type in types)
            asked = [
                python.get(type.dtype.kind, type.dtype)
                if type.weak and not all_weak
                else type.dtype
                for type in types
            ]
            *inputs, result = ufunc.resolve_dtypes((*asked, *[None] * ufunc.nout))
            for dtype in (*inputs, result):
                if dtype not in SUPPORTED:
                    raise Unsupported(
                        f"np.{ufunc.__name__} of {', '.join(map(str, types))} runs in {dtype}, "
                        "which wengert does not trace; convert the input with .astype(np.float64)"
                    )
            if len(known) > MOST_TYPES:
                known.clear()
            found = known[types] = (tuple(inputs), (result, keeps_weak and all_weak))
        return found

    return loop


def _from_places(partials: tuple[Partial, ...]) -> Any:
    if not any(isinstance(partial, Zero) for partial in partials):
        return patterns.pointwise
    if all(isinstance(partial, Zero) for partial in partials):
        return ZERO
    return patterns.elementwise([not isinstance(partial, Zero) for partial in partials])


def _from_partials(partials: tuple[Partial, ...]) -> Any:
    if all(isinstance(partial, Zero) for partial in partials):
        return ZERO
    if any(isinstance(partial, Absent) for partial in partials) and len(partials) == 1:
        return partials[0]

    def pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
        result = None
        for partial, tangent in zip(partials, tangents, strict=True):
            if tangent is not None and not isinstance(partial, Zero):
                result = linear.add(result, linear.scale(tangent, partial(node, *node.args)))
        return result

    return pushforward


# ------------------------------------------------------------------------------- linear maps


def movement(
    name: str,
    *,
    build: Callable[..., Node],
    again: Callable[[Node, Node], Node],
    infer: Infer,
    evaluate: Evaluate,
    transpose: Callable[[Node, Node], Tangent],
    batch: Callable[[Node, Node], Node],
    label: str,
    domain: Any,
    native: View | Statement | Absent = HOST,
) -> Op:
    """A linear op of one input that moves elements (or repeats them, or leaves zeros).

    again: (node, other input) -> the same op on another input, as on its tangent or its mask.
    transpose: (node, cotangent) -> the cotangent of the input.
    batch: (node, batched input) -> the op on it.
    native: where each element of the result comes from.
    """
    return define(
        name,
        family="movement",
        build=build,
        infer=infer,
        evaluate=evaluate,
        pushforward=unary_linear(again),
        transpose=lambda node, ct, wanted: (transpose(node, ct),),
        batch=batch_unary(batch),
        sparsity=patterns.moved,
        native=native,
        label=label,
        domain=domain,
    )


# ----------------------------------------------------------------------------------- opaque


def opaque(
    name: str,
    *,
    build: Callable[..., Node],
    infer: Infer,
    evaluate: Evaluate,
    batch: Any,
    label: str,
    domain: Any,
    native: Any = HOST,
) -> Op:
    """An op with integer or boolean results, constant wherever it is continuous."""
    return define(
        name,
        family="opaque",
        build=build,
        infer=infer,
        evaluate=evaluate,
        pushforward=ZERO,
        transpose=NOT_LINEAR,
        batch=batch,
        sparsity=ZERO,
        native=native,
        label=label,
        domain=domain,
    )
