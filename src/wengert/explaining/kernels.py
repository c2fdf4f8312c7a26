"""What a graph becomes when it is compiled: which nodes share a loop nest, and what memory moves.

A kernel is one loop nest with the statements that stand around it, one call of a library, one call
of NumPy for an op that has no machine code, or straight code on single numbers. What a kernel reads
and writes are the arrays that lie in memory: inputs, outputs, and buffers between kernels; each is
counted once a kernel. Everything else is in registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wengert.compiler.nests.holders import Held
from wengert.compiler.nests.program import Module
from wengert.compiler.nests.statements import Memory, Statement
from wengert.compiler.nests.storage import Storage
from wengert.compiler.nests.tree import Item, Loop, flat
from wengert.compiler.pipeline import module_of
from wengert.compiler.scalars.program import ScalarProgram
from wengert.compiler.support import is_native, why_host_call
from wengert.execution.compiled import Compiled, Step
from wengert.explaining.counting import nbytes
from wengert.graph.node import Node
from wengert.graph.types import TupleType, Type
from wengert.graph.walk import topological
from wengert.ops.leaves import item


@dataclass(slots=True)
class Kernel:
    """A piece of a compiled program.

    what: "loop nest", "numbers", "library call", "loop or branch", "host call".
    nodes: what it computes. read, written: bytes in memory. reason: of a host call.
    copied: of a loop that computes nothing, the results that it writes.
    """

    what: str
    nodes: list[Node]
    read: int
    written: int
    reason: str = ""
    copied: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Made:
    """A compiled program.

    kernels: in order. arena: the bytes of scratch memory in all. crossing: those of the values that
    go from one compiled program to the next, where host calls stand between. stored: the nodes
    whose values lie in memory.
    """

    kernels: list[Kernel] = field(default_factory=list)
    arena: int = 0
    crossing: int = 0
    stored: set[Node] = field(default_factory=set)


def made_of(outputs: Sequence[Node], inputs: Sequence[Node]) -> Made:
    """What becomes of simplified outputs."""
    made = Made()
    order = topological(outputs, stop=set(inputs))
    if all(map(is_native, order)):
        if order:
            _add_program(made, outputs, inputs)
        return made
    results = set(outputs)
    for step in Compiled(outputs).steps:
        if isinstance(step, Step):
            _add_program(made, step.outputs, step.inputs)
            crossing = [node for node in step.outputs if node not in results]
        elif step.op is item or not step.args:
            continue
        else:
            read = sum(nbytes(arg.type) for arg in dict.fromkeys(step.args))
            own = nbytes(step.type)
            made.kernels.append(Kernel("host call", [step], read, own, why_host_call(step)))
            made.stored.add(step)
            crossing = [] if step in results else [step]
        made.crossing += sum(nbytes(node.type) for node in crossing)
    return made


def _add_program(made: Made, outputs: Sequence[Node], inputs: Sequence[Node]) -> None:
    module = module_of(outputs, inputs)
    made.arena = max(made.arena, module.arena_bytes)
    made.stored.update(outputs)
    nodes = [node for node in topological(outputs, stop=set(inputs)) if node.args]
    if isinstance(module, ScalarProgram):
        read = sum(nbytes(node.type) for node in inputs)
        written = sum(nbytes(node.type) for node in outputs)
        made.kernels.append(Kernel("numbers", nodes, read, written))
    else:
        made.kernels += _of_module(made, module, nodes, outputs)


def _of_module(
    made: Made, module: Module, nodes: Sequence[Node], outputs: Sequence[Node]
) -> list[Kernel]:
    groups = [group for unit in module.functions for group in _groups(unit)]
    results = [node for node in outputs for _ in range(_parts(node.type))]
    kernels = [_of_nest(group, results) for group in groups]
    owner = {
        id(statement): kernel
        for group, kernel in zip(groups, kernels, strict=True)
        for statement in flat(group)
    }
    crossing = _crossing(module, owner)
    for call in module.calls:
        what = "loop or branch" if isinstance(call.params, Held) else "library call"
        read = _bytes({e.source for e in call.args if isinstance(e.source, Memory)})
        kernel = Kernel(what, [], read, _bytes(set(call.results)))
        kernels.append(kernel)
        owner[id(call)] = kernel
    for node in nodes:
        for kernel in _makers(node, module, owner):
            kernel.nodes.append(node)
            break
        sources = module.sources.get(node, ())
        if any(isinstance(own, Memory) or id(own) in crossing for own in sources):
            made.stored.add(node)
    lost = [node for node in nodes if node not in module.sources]
    if lost and kernels:  # the rows were taken apart: which statement is whose is not known
        kernels[0].nodes = lost
    place = {node: k for k, node in enumerate(nodes)}
    kernels.sort(key=lambda kernel: min((place[node] for node in kernel.nodes), default=len(nodes)))
    return _without_trifles(kernels)


def _crossing(module: Module, owner: dict[int, Kernel]) -> set[int]:
    """The statements whose values one loop nest leaves in memory for another, which these read and
    write."""
    statements = [statement for unit in module.functions for statement in flat(unit)]
    extents: dict[int, int] = {}
    for statement in statements:
        extents.update(zip(statement.classes, statement.shape, strict=True))
    slots = Storage(module.functions, extents, module.lanes).slots
    readers: dict[int, tuple[Statement, dict[int, Kernel]]] = {}
    for statement in statements:
        for edge in statement.args:
            if isinstance(edge.source, Statement):
                reader = owner[id(statement)]
                if reader is not owner[id(edge.source)]:
                    of_source = readers.setdefault(id(edge.source), (edge.source, {}))
                    of_source[1][id(reader)] = reader
    for source, by in readers.values():
        own = slots[source.id].nbytes
        owner[id(source)].written += own
        for kernel in by.values():
            kernel.read += own
    return set(readers)


LITTLE = 64
"""Bytes that a loop nest of its own may move without a word."""


def _without_trifles(kernels: Sequence[Kernel]) -> list[Kernel]:
    """The kernels, those that only copy some numbers counted to the one before."""
    found: list[Kernel] = []
    for kernel in kernels:
        if found and not kernel.nodes and kernel.read + kernel.written <= LITTLE:
            found[-1].read += kernel.read
            found[-1].written += kernel.written
        else:
            found.append(kernel)
    return found


def _makers(node: Node, module: Module, owner: dict[int, Kernel]) -> Iterator[Kernel]:
    """The kernels that compute a node itself: none where it is a view of another."""
    below = {id(source) for arg in node.args for source in module.sources.get(arg, ())}
    for source in module.sources.get(node, ()):
        if id(source) in below:
            continue
        for maker in source.writers if isinstance(source, Memory) else (source,):
            if id(maker) in owner:
                yield owner[id(maker)]


def _groups(unit: Sequence[Item]) -> Iterator[list[Item]]:
    """The loops of a function, each with the single statements that follow it."""
    group: list[Item] = []
    looped = False
    for own in unit:
        if isinstance(own, Loop) and looped:
            yield group
            group = []
        looped |= isinstance(own, Loop)
        group.append(own)
    yield group


def _of_nest(group: Sequence[Item], results: Sequence[Node]) -> Kernel:
    """results: the node that each output of the module is a part of."""
    statements = list(flat(group))
    read = {
        edge.source
        for statement in statements
        for edge in statement.args
        if isinstance(edge.source, Memory)
    }
    written = {s.target for s in statements if s.target is not None}
    copied = [results[memory.index] for memory in written if memory.where == "output"]
    return Kernel("loop nest", [], _bytes(read), _bytes(written), copied=copied)


def _parts(type: Type) -> int:
    """How many arrays a value of this type is."""
    return sum(map(_parts, type.items)) if isinstance(type, TupleType) else 1


def _bytes(memories: set[Memory]) -> int:
    return sum(memory.nbytes for memory in memories)
