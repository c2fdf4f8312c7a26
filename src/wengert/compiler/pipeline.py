"""From a graph to machine code: from the cache on disk, or written as a module and compiled.

    compiled(outputs, inputs)     the machine code of a graph
    module_of(outputs, inputs)    the module that it is made from
    is_small(nodes, …)            whether that is one of operations on single numbers
    loaded(text)                  the machine code of a module given as text

The graphs given here are simplified, and native throughout: `wengert.execution.compiled` sees to
both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from time import perf_counter

from wengert.compiler import disk
from wengert.compiler.machine import INLINING, Loaded, object_code
from wengert.compiler.native import Native
from wengert.compiler.nests.holders import parts
from wengert.compiler.nests.program import Module, nest_module
from wengert.compiler.pool import most_parts
from wengert.compiler.scalars.program import ScalarProgram, scalar_program
from wengert.compiler.symbols import table
from wengert.graph.body import body_of
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, Type
from wengert.graph.walk import topological
from wengert.logging import logger
from wengert.transforms.simplify import simplify
from wengert.transforms.spread import spread

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
    if kept is None:
        module = module_of(outputs, inputs)
        written = perf_counter()
        code = object_code(module.text, module.passes)
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
    else:
        elapsed = 1e3 * (perf_counter() - start)
        logger.debug("found %d outputs in the cache in %.1f ms", len(outputs), elapsed)
    return Native(
        tuple(type for node in inputs for type in parts(node.type)),
        tuple(type for node in outputs for type in parts(node.type)),
        kept.arena_bytes,
        table(kept.table),
        kept.work >= LONG,
        Loaded(kept.code),
    )


def module_of(
    outputs: Sequence[Node], inputs: Sequence[Node], threads: int | None = None
) -> ScalarProgram | Module:
    """The program of a graph as text: of operations on single numbers, or of loop nests.

    threads: as many at most run its loops, by default all that there are.
    """
    threads = most_parts() if threads is None else threads
    if is_small(topological(outputs, stop=set(inputs)), outputs, inputs):
        small = scalar_program(outputs, inputs)
        if small is not None:
            return small
    apart = spread(outputs, inputs)
    if apart is not None:
        body = body_of(apart, inputs)  # nothing looks at what its inputs are made of
        outputs, inputs = simplify(body.outputs), body.params
    return nest_module(outputs, inputs, _of_body, threads)


def _of_body(
    outputs: Sequence[Node], params: Sequence[Node], threads: int
) -> ScalarProgram | Module:
    """The program of a body."""
    return module_of(simplify(outputs, params), params, threads)


def is_small(nodes: Sequence[Node], outputs: Sequence[Node], inputs: Sequence[Node]) -> bool:
    """Whether the nodes between inputs and outputs are best compiled as operations on single
    numbers: a few numbers in all, or a long program of short arrays, as an unrolled recurrence. Of
    long inputs it may pick elements."""
    types = Counter(map(_type, (*nodes, *outputs)))
    if not all(map(_is_short, types)):
        return False
    long = {node for node in inputs if not _is_short(node.type)}
    if long and any(n.op.family != "movement" and not long.isdisjoint(n.args) for n in nodes):
        return False
    elements = sum(type.size * count for type, count in types.items())
    if len(nodes) <= FEW_NODES and elements > MOST_NUMBERS:
        return False
    return elements <= MEAN_ELEMENTS * max(len(nodes), FEW_NODES)


def _is_short(type: Type) -> bool:
    return isinstance(type, ArrayType) and type.size <= MOST_ELEMENTS


_type = attrgetter("type")


def loaded(text: str, passes: Sequence[str] = INLINING) -> Loaded:
    """The machine code of a module that is given as text and refers to nothing outside itself."""
    key = disk.key_of_text(text if passes == INLINING else f"{text}; {' '.join(passes)}")
    kept = disk.find(key)
    if kept is None:
        start = perf_counter()
        kept = disk.Kept(object_code(text, passes))
        disk.keep(key, kept, perf_counter() - start)
    return Loaded(kept.code)
