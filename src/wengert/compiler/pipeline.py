"""From a graph to machine code: simplified, lowered, loaded.

    compiled(outputs, inputs)    the machine code of a graph
    loaded(text)                 that of a module
    is_native(node)              whether an op has a native rule for its dtypes
    why_host_call(node)          why it has none

The graphs given here are native throughout; `wengert.execution.compiled` cuts out what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter

from wengert.compiler import disk
from wengert.compiler.code import Code
from wengert.compiler.machine import Loaded, object_code
from wengert.compiler.native import Native
from wengert.compiler.nests.forms import FORMS
from wengert.compiler.nests.program import Module, nest_module
from wengert.compiler.pool import most_parts
from wengert.compiler.scalars.program import ScalarProgram, scalar_program
from wengert.compiler.symbols import table
from wengert.compiler.values import lanes
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import Absent, Op
from wengert.graph.types import ArrayType, DType
from wengert.graph.walk import topological
from wengert.logging import logger
from wengert.ops.native import Pointwise, Reduction, Statement, View

MOST_ELEMENTS, MEAN_ELEMENTS = 64, 24
"""Elements of the arrays that become single numbers: the most, and on the average."""
FEW_NODES, MOST_NUMBERS = 300, 600
"""A program of so few nodes becomes single numbers if they are not more than that."""

LONG = 200_000
"""Points of work from which a call lets other Python threads run."""


def compiled(outputs: Sequence[Node], inputs: Sequence[Node]) -> Native:
    """The machine code of outputs as functions of inputs (leaves or other nodes given)."""
    start = perf_counter()
    key = disk.key_of_graph(outputs, inputs)
    kept = disk.find(key)
    text = ""
    if kept is None:
        module = module_of(outputs, inputs)
        text = module.text
        written = perf_counter()
        code = object_code(text, module.level)
        kept = disk.Kept(code, module.arena_bytes, module.table, module.work)
        now = perf_counter()
        disk.keep(key, kept, now - start)
        logger.debug(
            "compiled %d outputs in %.1f ms (%.1f of them LLVM): %s, %d bytes of arena",
            len(outputs),
            1e3 * (now - start),
            1e3 * (now - written),
            module.what,
            module.arena_bytes,
        )
        program = Loaded(kept.code)
    else:
        program = Loaded(kept.code)
        elapsed = 1e3 * (perf_counter() - start)
        logger.debug("found %d outputs in the cache in %.1f ms", len(outputs), elapsed)
    return Native(
        tuple(node.type for node in inputs),
        tuple(node.type for node in outputs),
        kept.arena_bytes,
        table(kept.table),
        kept.work >= LONG,
        program,
        text,
    )


def module_of(outputs: Sequence[Node], inputs: Sequence[Node]) -> ScalarProgram | Module:
    """The program of a graph as text: of operations on single numbers, or of loop nests."""
    if is_small(topological(outputs, stop=set(inputs)), outputs):
        small = scalar_program(outputs, inputs)
        if small is not None:
            return small
    return nest_module(outputs, inputs, most_parts())


def is_small(nodes: Sequence[Node], outputs: Sequence[Node]) -> bool:
    """Whether a graph is best compiled as operations on single numbers: a few numbers in all, or a
    long program of short arrays, as an unrolled recurrence. Of long inputs it may pick elements."""
    elements = 0
    for node in (*nodes, *outputs):
        if not isinstance(node.type, ArrayType) or node.type.size > MOST_ELEMENTS:
            return False
        elements += node.type.size
        if node.op.family != "movement":
            for arg in node.args:
                if not isinstance(arg.type, ArrayType) or arg.type.size > MOST_ELEMENTS:
                    return False
    if len(nodes) <= FEW_NODES and elements > MOST_NUMBERS:
        return False
    return elements <= MEAN_ELEMENTS * max(len(nodes), FEW_NODES)


def loaded(text: str) -> Loaded:
    """The machine code of a module that is given as text and refers to nothing outside itself."""
    key = disk.key_of_text(text)
    kept = disk.find(key)
    if kept is None:
        start = perf_counter()
        kept = disk.Kept(object_code(text, level=0))
        disk.keep(key, kept, perf_counter() - start)
    return Loaded(kept.code)


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
        return _emits(node.op, tuple(arg.dtype for arg in node.args), node.dtype)
    if isinstance(native, Reduction):
        return _reduces(native.kind, node.dtype, node.args[0].dtype)
    if isinstance(native, Statement) and native.name in FORMS:
        return node.op.name != "contract" or _reduces("sum", node.dtype, node.dtype)
    return False


def why_host_call(node: Node) -> str:
    """Why a node that is not native is none."""
    native = node.op.native
    if isinstance(native, Absent) and node.op is not full:
        return native.reason
    types = ", ".join(dict.fromkeys(str(own.type) for own in (*node.args, node)))
    return f"its native rule does not take {types}"


@lru_cache(maxsize=4_096)
def _emits(op: Op, dtypes: tuple[DType, ...], result: DType) -> bool:
    """Whether a pointwise rule takes these dtypes: tried on one element."""
    code = Code()
    try:
        ins = [lanes(code, dtype, 1) for dtype in dtypes]
        values = [own.const(1) for own in ins]
        op.native.rule(ins, lanes(code, result, 1), *values)
    except (AttributeError, NotImplementedError, KeyError):
        return False
    return True


@lru_cache(maxsize=256)
def _reduces(kind: str, dtype: DType, own: DType) -> bool:
    """Whether a dtype has what a reduction needs."""
    if own != dtype and kind not in ("any", "all"):
        return False
    needed = {
        "sum": "add",
        "prod": "multiply",
        "max": "maximum",
        "min": "minimum",
        "any": "truth",
        "all": "truth",
    }
    try:
        return hasattr(lanes(Code(), own, 1), needed[kind])
    except KeyError:
        return False
