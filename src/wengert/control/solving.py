"""The ops of implicit differentiation, `linear_solve` and `root`: solvers are not differentiated.

    linear_solve(consts…, b…; matvec, solver, back)     x with matvec(consts, x) = b
    root(consts…, x0…; residual, solver, tangent, back) x with residual(consts, x) = 0

A solver is a body, which says how the solution is found: by iterations, a factorisation, or a call
of Python. What the solution depends on is said by the equation alone, so that its derivatives, of
any order, are those of the implicit function theorem:

    A(c) x = b          A ẋ = ḃ − Ȧ x                the same solver
                        b̄ = A⁻ᵀ x̄                     the solver `back`, of the transposed system
    r(c, x) = 0         (∂r/∂x) ẋ = −(∂r/∂c) ċ       a linear system, by `tangent` and `back`

Source: Christianson 1994, *Reverse accumulation and attractive fixed points*; Griewank & Walther
2008, chapter 15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.control import instances, relating
from wengert.control.splitting import strong, written
from wengert.errors import NotDifferentiable
from wengert.graph.body import Body, body_of
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import runner
from wengert.graph.types import TupleType, Type
from wengert.graph.walk import rebuild, topological
from wengert.ops import linear
from wengert.ops.families import NOT_LINEAR, define
from wengert.ops.leaves import item, pack, parameter, seed
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose as transposed


def jacobian_of(body: Body, count: int) -> Body:
    """The derivative of a body by its parameters from the `count`-th on, as a body that is linear
    in further ones: their tangents."""
    moving = body.params[count:]
    seeds = [seed(p) for p in moving]
    moved = pushforward(body.outputs, dict(zip(moving, seeds, strict=True)))
    outputs = [written(t, node) for t, node in zip(moved, body.outputs, strict=True)]
    return body_of(outputs, [*body.params, *seeds])


def turned(body: Body, count: int) -> Body:
    """The transpose of a body that is linear in its parameters from the `count`-th on."""
    cts = [parameter(("ct", k), strong(node.type)) for k, node in enumerate(body.outputs)]
    found = transposed(body.outputs, body.params[count:], cts)
    outputs = [written(ct, p) for ct, p in zip(found, body.params[count:], strict=True)]
    return body_of(outputs, [*body.params[:count], *cts])


def _moved(body: Body, consts: Sequence[Node], x: Sequence[Node], given: Sequence[Tangent]) -> Any:
    """The tangents of a body's outputs from those of its first parameters, x being held."""
    outputs = body([*consts, *x])
    known = dict.fromkeys(x) | dict(zip(consts, given, strict=True))
    return pushforward(outputs, known)


def _wide(body: Body, flags: Sequence[bool], size: int) -> Body:
    """A body for many instances, all of whose outputs have them."""
    own = list(flags)
    outputs = instances.settled(body, own, len(own), 0, size)
    return body_of(outputs, instances.parameters(body, own, size))


# ---------------------------------------------------------------------------- linear systems


def _build_solve(
    consts: Sequence[Node],
    b: Sequence[Node],
    matvec: Body,
    solver: Body,
    back: Body | None,
    symmetric: bool,
) -> Node:
    """matvec: (consts, x) -> b. solver: (consts, b) -> x. back: the same for the transpose.
    symmetric: whether the transpose is the system itself."""
    args = (*consts, *b)
    params = (len(consts), matvec, solver, back, symmetric)
    return make(linear_solve, args, params, _infer_solve((), params))


def _infer_solve(types: tuple[Type, ...], params: Any) -> TupleType:
    return TupleType(tuple(strong(node.type) for node in params[2].outputs))


def _evaluate_solve(node: Node) -> Callable[..., Any]:
    run = runner(node.params[2])
    return lambda *values: tuple(run(values))


def _push_solve(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    count, *rest = node.params
    consts, b = node.args[:count], node.args[count:]
    x = [item(node, k) for k in range(len(b))]
    moved = _moved(rest[0], consts, x, tangents[:count])
    sides = [
        linear.add(t, linear.negative(m)) for t, m in zip(tangents[count:], moved, strict=True)
    ]
    if all(side is None for side in sides):
        return None
    held = linear_solve(consts, [written(s, y) for s, y in zip(sides, b, strict=True)], *rest)
    return tuple(item(held, k) for k in range(len(b)))


def _transpose_solve(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    count, matvec, solver, back, symmetric = node.params
    if back is None:
        raise NotDifferentiable(
            "reverse mode through custom_linear_solve solves the transposed system: give it "
            "transpose_solve, or symmetric=True where the matrix is symmetric"
        )
    sides = [written(ct, b) for ct, b in zip(cts, node.args[count:], strict=True)]
    vecmat = matvec if symmetric else turned(matvec, count)
    held = linear_solve(node.args[:count], sides, vecmat, back, solver, symmetric)
    return (*[None] * count, *(item(held, k) for k in range(len(sides))))


def _batch_solve(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    count, matvec, solver, back, symmetric = node.params
    flags = [*batched[:count], *[True] * (len(args) - count)]
    whole = instances.repeated(args, batched, flags, size)
    wide = [None if body is None else _wide(body, flags, size) for body in (matvec, solver, back)]
    return linear_solve(whole[:count], whole[count:], *wide, symmetric)


linear_solve: Op = define(
    "linear_solve",
    family="holder",
    build=_build_solve,
    infer=_infer_solve,
    evaluate=_evaluate_solve,
    pushforward=_push_solve,
    transpose=_transpose_solve,
    batch=_batch_solve,
    sparsity=relating.solving,
    label="linear solve",
    domain=None,
)


# -------------------------------------------------------------------------------------- roots


def _build_root(
    consts: Sequence[Node],
    start: Sequence[Node],
    residual: Body,
    solver: Body,
    tangent: Body,
    back: Body,
) -> Node:
    """residual: (consts, x) -> r. solver: (consts, x0) -> (x, further results, which have no
    derivative). tangent: (consts, x, y) -> v with (∂r/∂x) v = y; back: the same transposed."""
    args = (*consts, *start)
    params = (len(consts), residual, solver, tangent, back)
    return make(root, args, params, _infer_root((), params))


def _infer_root(types: tuple[Type, ...], params: Any) -> TupleType:
    return TupleType(tuple(strong(node.type) for node in params[2].outputs))


def _push_root(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    count, residual, _, tangent, back = node.params
    consts = node.args[:count]
    x = [item(node, k) for k in range(len(residual.outputs))]
    moved = _moved(residual, consts, x, tangents[:count])
    if all(m is None for m in moved):
        return None
    sides = [written(linear.negative(m), own) for m, own in zip(moved, x, strict=True)]
    held = linear_solve([*consts, *x], sides, jacobian_of(residual, count), tangent, back, False)
    rest = len(node.type.items) - len(x)
    return (*(item(held, k) for k in range(len(x))), *[None] * rest)


def _batch_root(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    count, residual, solver, tangent, back = node.params
    x = [True] * (len(args) - count)
    flags = [*batched[:count], *x]
    whole = instances.repeated(args, batched, flags, size)
    return root(
        whole[:count],
        whole[count:],
        *(_wide(body, flags, size) for body in (residual, solver)),
        *(_wide(body, [*flags, *x], size) for body in (tangent, back)),
    )


root: Op = define(
    "root",
    family="holder",
    build=_build_root,
    infer=_infer_root,
    evaluate=_evaluate_solve,
    pushforward=_push_root,
    transpose=NOT_LINEAR,
    batch=_batch_root,
    sparsity=relating.rooted,
    label="root",
    domain=None,
)


# ---------------------------------------------------------------------------------- running


def solved(outputs: Sequence[Node], given: Sequence[Node] = ()) -> list[Node]:
    """The outputs with solvers in place of what they solve, as a program runs them: derivatives
    have been taken by then. given: nodes whose values the caller has."""
    known, stop = list(outputs), set(given)
    while True:
        order = topological(known, stop=stop)
        if all(node.op is not linear_solve and node.op is not root for node in order):
            return known
        new: dict[Node, Node] = {}
        for node in order:
            args = tuple(new.get(arg, arg) for arg in node.args)
            if node.op is linear_solve or node.op is root:
                new[node] = pack(*node.params[2](args))
            elif args != node.args:
                new[node] = item(args[0], *node.params) if node.op is item else rebuild(node, args)
        known = [new.get(node, node) for node in known]
