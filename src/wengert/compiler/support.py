"""Which nodes become machine code: the dtypes that the native rules of the ops take."""

from __future__ import annotations

from functools import lru_cache

from wengert.compiler.code import Code
from wengert.compiler.nests.forms import FORMS
from wengert.compiler.values import lanes
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import Absent, Op
from wengert.graph.registry import find
from wengert.graph.types import BOOL, ArrayType, DType
from wengert.ops.native import COMBINING, Pointwise, Reduction, Statement, View


def is_native(node: Node) -> bool:
    """Whether the op of a node has a native rule for its dtypes."""
    native = node.op.native
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


def why_host_call(node: Node) -> str:
    """Why a node that is not native is none."""
    native = node.op.native
    if isinstance(native, Absent) and node.op is not full:
        return native.reason
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
