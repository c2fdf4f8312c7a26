"""Which nodes become machine code: the dtypes that the native rules of the ops take."""

from __future__ import annotations

from functools import lru_cache

from wengert.compiler.code import Code
from wengert.compiler.nests import matrices
from wengert.compiler.nests.forms import FORMS
from wengert.compiler.values import lanes
from wengert.graph.body import Body, bodies
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import Absent, Op
from wengert.graph.registry import find
from wengert.graph.types import BOOL, ArrayType, DType, TapeType, TupleType, Type
from wengert.graph.walk import topological
from wengert.ops.leaves import item
from wengert.ops.native import COMBINING, Pointwise, Reduction, Statement, View
from wengert.transforms.simplify import simplify


def is_native(node: Node) -> bool:
    """Whether the op of a node has a native rule for its dtypes."""
    native = node.op.native
    if node.op is item:
        return is_native(node.args[0])
    if isinstance(native, Statement) and native.name in matrices.FORMS:
        return matrices.takes(node)
    if node.op.family == "holder":
        return _is_native_holder(node)
    if not isinstance(node.type, ArrayType):
        return False
    if node.op is full or isinstance(native, View):
        return True
    if not all(isinstance(arg.type, ArrayType) for arg in node.args):
        return False
    if isinstance(native, Pointwise):
        return emits(node.op, tuple(arg.dtype for arg in node.args), node.dtype)
    if isinstance(native, Reduction):
        return reduces(native.kind, node.args[0].dtype)
    if isinstance(native, Statement) and native.name in FORMS:
        return node.op.name != "contract" or reduces("sum", node.dtype)
    return False


def _is_native_holder(node: Node) -> bool:
    """Whether a loop or a branch becomes machine code: all of its bodies do, and nothing that goes
    in or out is empty."""
    native = node.op.native
    if not isinstance(native, Statement) or native.name not in FORMS:
        return False
    types = [arg.type for arg in node.args]
    types += node.type.items if isinstance(node.type, TupleType) else [node.type]
    held = bodies(node.params)
    return all(map(_is_full, types)) and all(_body_is_native(body) for body in held)


def _is_full(type: Type) -> bool:
    array = type.step if isinstance(type, TapeType) else type
    return isinstance(array, ArrayType) and array.size > 0


@lru_cache(maxsize=1_024)
def _body_is_native(body: Body) -> bool:
    nodes = topological(simplify(body.outputs, body.params), stop=body.params)
    outer = (*body.params, *body.outputs)
    return all(map(is_native, nodes)) and all(_is_full(node.type) for node in outer)


def why_host_call(node: Node) -> str:
    """Why a node that is not native is none."""
    native = node.op.native
    if isinstance(native, Absent) and node.op is not full:
        return native.reason
    for body in bodies(node.params):
        for inner in topological(body.outputs, stop=body.params):
            if not is_native(inner) and inner.op is not item:
                return f"it calls {inner.op.name}: {why_host_call(inner)}"
    if isinstance(native, Statement) and native.name in matrices.FORMS:
        return (
            "LAPACK is called through SciPy, but for stacks of small real matrices "
            f"(of order {matrices.MOST_ORDER} at most)"
        )
    types = ", ".join(dict.fromkeys(str(own.type) for own in (*node.args, node)))
    return f"its native rule does not take {types}"


@lru_cache(maxsize=4_096)
def emits(op: Op, args: tuple[DType, ...], dtype: DType) -> bool:
    """Whether a pointwise op takes these dtypes: tried on constants."""
    code = Code()
    try:
        ins = [lanes(code, own, 1) for own in args]
        op.native.rule(ins, lanes(code, dtype, 1), *[own.const(1) for own in ins])
    except (AttributeError, NotImplementedError, KeyError):
        return False
    return True


def reduces(kind: str, dtype: DType) -> bool:
    """Whether a reduction takes this dtype."""
    own = BOOL if kind in ("any", "all") else dtype
    if dtype != own and not emits(find("convert"), (dtype,), own):
        return False
    return emits(find(COMBINING[kind]), (own, own), own)
