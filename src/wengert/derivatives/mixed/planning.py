"""Which way a whole Jacobian is made: the candidates, what each would cost, and the choice.

Costs are estimates, in units of one multiplication (see `wengert.control.costs`). They decide only
where the difference is clear: another way than a single mode is taken where it is estimated at
less than `CLEARLY` of the better single mode. Of the single modes, the graphs that they would run
are compared, where that pays: estimates from the program alone see neither the zeros nor the
diagonals of a Jacobian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from wengert.control.costs import ELEMENT
from wengert.derivatives.compressing import dense, values_at
from wengert.derivatives.mixed.chain import Bracket, Segment, cheapest
from wengert.derivatives.mixed.elimination import Step, eliminations
from wengert.derivatives.mixed.evaluating import Blocks, by_bracket
from wengert.derivatives.mixed.linearised import KERNEL, Linearised, linearised, segment
from wengert.derivatives.mixed.numbers import MOST_VERTICES, Program, as_numbers, by_elimination
from wengert.derivatives.mixed.single import follows_rules, work_by_single_mode
from wengert.derivatives.mixed.waists import waists
from wengert.errors import WengertValueError
from wengert.execution.programs import recall, remember
from wengert.graph.node import Node, deriving
from wengert.graph.types import ArrayType
from wengert.lazy import module
from wengert.ops.domain import Box
from wengert.sparse.colouring.result import Colouring
from wengert.sparse.detecting import DensePattern, detect, detect_hessian
from wengert.sparse.pattern import Pattern
from wengert.tracing.session import need_session

MODES = ("auto", "forward", "reverse", "mixed", "coloured", "elimination")
CLEARLY = 0.5
NUMBER = 20
"""The work of an operation on numbers."""
FEW = 400
"""Numbers, and elements of a Jacobian, up to which elimination is taken without being asked for:
each is an operation of its own, which takes time to compile."""
FEW_COLUMNS = 16
"""Columns, or rows, up to which no pattern is looked for unless it is asked for."""
MOST_DENSE = 0.25
"""The part of a matrix that may be nonzero where colours are looked for."""
PRODUCT = 10 * KERNEL
"""The fixed work of a product of two Jacobians."""
CLOSE, MOST_NODES = 8.0, 400
"""Single modes are derived both and compared where estimates of them are closer than that, for
programs of no more nodes."""
LEAST_WORK = 3_000_000.0
"""The work of a Jacobian from which that pays, and to look for colours, where nothing says that it
is made many times: less takes no more time than the trace and the choice."""
EQUAL = 1.01
"""Estimates that differ by less are equal. Then reverse mode is taken: the columns of forward mode
are turned into rows at the end."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to make a Jacobian.

    name: the mode, as `jacobian` takes it.
    cost: the estimated work, in multiplications.
    passes: how many columns and rows are pushed forward or pulled back.
    products: multiplications of the products of Jacobians in it.
    what: in words.
    """

    name: str
    cost: float
    passes: int
    products: int
    what: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What was found for a graph.

    candidates: every way that was looked at.
    chosen: that which is taken.
    bracket, interfaces: how the chain is multiplied, where there is a waist.
    program, steps: how vertices are eliminated, where it is a small program of numbers.
    places, colouring: where the Jacobian may be nonzero, and the products that hold its values,
        where it is sparse.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate
    bracket: Bracket | None = None
    interfaces: tuple[tuple[Node, ...], ...] = ()
    program: Program | None = None
    steps: tuple[Step, ...] = ()
    places: Pattern | None = None
    colouring: Colouring | None = None


def planned(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    mode: str = "auto",
    symmetric: bool = False,
    closely: bool = True,
) -> Choice:
    """The ways to make the Jacobian of outputs by inputs, and the one taken.

    mode: "auto", where another way than a single mode must be clearly cheaper; "mixed", where the
        cheapest of mixed mode and the single ones is taken; "coloured"; or "elimination".
    symmetric: whether the outputs are the gradient of a function by the inputs.
    closely: whether the single modes are compared, and colours looked for, of small Jacobians too.
    """
    key = ("plan", mode, symmetric, closely, *outputs, None, *inputs)
    found: Choice | None = recall(key)
    if found is None:
        graph = linearised(outputs, inputs)
        found = _choice(graph, outputs, inputs, mode, symmetric, closely)
        remember(key, found, len(graph.order))
    return found


def without_plan(outputs: Sequence[Node], inputs: Sequence[Node]) -> str | None:
    """The mode where no plan can better it: for one column, or one row."""
    columns, rows = _width(inputs), _width(outputs)
    if min(columns, rows) > 1:
        return None
    return "forward" if columns <= rows else "reverse"


def blocks_by(choice: Choice, outputs: Sequence[Node], inputs: Sequence[Node]) -> Blocks:
    """The Jacobian in the way that was chosen, which is no single mode."""
    if choice.chosen.name == "coloured":
        assert choice.places is not None
        assert choice.colouring is not None
        session = need_session()
        with deriving():
            values = values_at(session, outputs, inputs, choice.places, choice.colouring)
            return dense(session, outputs, inputs, choice.places, values)
    if choice.chosen.name == "elimination":
        assert choice.program is not None
        return by_elimination(choice.program, choice.steps)
    assert choice.bracket is not None
    return by_bracket(choice.bracket, choice.interfaces)


def _width(nodes: Sequence[Node]) -> int:
    return sum(node.size for node in nodes)


def _choice(
    graph: Linearised,
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    mode: str,
    symmetric: bool,
    closely: bool,
) -> Choice:
    """The candidates; those that the mode allows compete."""
    columns, rows = _width(inputs), _width(outputs)
    whole = segment(graph, graph.inputs, graph.outputs)
    numbers = None
    if _is_linear(graph):
        numbers = as_numbers(graph) if mode == "elimination" else as_numbers(graph, FEW, FEW)
    closely = closely or min(whole.forward, whole.reverse) >= LEAST_WORK
    # the columns of a symmetric matrix are its rows: forward mode has nothing to turn there
    compared = closely and numbers is None and not symmetric
    forward, reverse, single = _single(graph, outputs, inputs, whole, compared)
    found = Choice((forward, reverse), single)
    if numbers is not None:
        found = _with_elimination(found, numbers)
    if _is_linear(graph):
        found = _with_chain(found, graph)
    if mode == "coloured" or (mode == "auto" and closely and min(columns, rows) > FEW_COLUMNS):
        most = _most_places(found, rows, columns, whole) if mode == "auto" else rows * columns - 1
        found = _with_colours(found, outputs, inputs, whole, symmetric, most)
    others = found.candidates[2:]
    if mode in ("forward", "reverse"):
        return replace(found, chosen=forward if mode == "forward" else reverse)
    if mode == "auto":
        limit = CLEARLY * min(forward.cost, reverse.cost)
        cheap = [one for one in others if one.cost < limit]
        return replace(found, chosen=min(cheap, key=lambda one: one.cost, default=single))
    named = [one for one in others if one.name == mode]
    if mode == "elimination" and not named:
        raise WengertValueError(
            "mode='elimination' is for programs of numbers: of at most "
            f"{MOST_VERTICES} elementary results, made by elementwise operations, indexing, sums "
            "and products of arrays. Leave the mode to be chosen (mode='auto')"
        )
    if mode == "coloured" and not named:
        raise WengertValueError(
            "mode='coloured' is for sparse Jacobians of real functions, and this one has complex "
            "elements, or few zeros that hold for all values of constants. Leave the mode to be "
            "chosen (mode='auto')"
        )
    if mode == "mixed" and not (named and named[0].cost < min(forward.cost, reverse.cost)):
        return found
    return replace(found, chosen=named[0])


def _single(
    graph: Linearised,
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    whole: Segment,
    compared: bool,
) -> tuple[Candidate, Candidate, Candidate]:
    """(forward mode, reverse mode, the better of them)."""
    columns, rows = _width(inputs), _width(outputs)
    across = ELEMENT * columns * rows  # its columns are the rows of what is returned
    costs = whole.forward + across, whole.reverse
    close = max(costs) <= CLOSE * min(costs) and len(graph.order) <= MOST_NODES
    derived = None
    if compared and close and not follows_rules(graph.order):
        derived = _derived(outputs, inputs)
    by_columns, by_rows = derived or costs
    forward = Candidate("forward", by_columns, columns, 0, "a column for each input element")
    reverse = Candidate("reverse", by_rows, rows, 0, "a row for each output element")
    if derived is not None and (by_columns or by_rows):
        return forward, reverse, forward if EQUAL * by_columns < by_rows else reverse
    usual, other = (forward, reverse) if columns <= rows else (reverse, forward)
    return forward, reverse, other if other.cost < CLEARLY * usual.cost else usual


def _derived(outputs: Sequence[Node], inputs: Sequence[Node]) -> tuple[float, float] | None:
    """The work of the graphs of both modes, where there are both."""
    forward = work_by_single_mode("forward", outputs, inputs)
    reverse = work_by_single_mode("reverse", outputs, inputs)
    return None if forward is None or reverse is None else (forward, reverse)


def _with_chain(found: Choice, graph: Linearised) -> Choice:
    """The choice with mixed mode among the candidates, where there is a waist."""
    bracket, interfaces = _chained(graph)
    if bracket is None:
        return found
    through = " and ".join(map(_in_words, interfaces[1:-1]))
    mixed = Candidate(
        "mixed",
        bracket.cost,
        _passes(bracket, interfaces),
        bracket.multiplications,
        f"{bracket}, through {through}",
    )
    candidates = (*found.candidates, mixed)
    return replace(found, candidates=candidates, bracket=bracket, interfaces=interfaces)


def _with_colours(
    found: Choice,
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    whole: Segment,
    symmetric: bool,
    most: int,
) -> Choice:
    """The choice with colours among the candidates, where no more places of the Jacobian than that
    may be nonzero.

    No values are looked at, so that the pattern holds for all calls of a program.
    """
    if most < 0 or any(node.dtype.kind != "f" for node in (*outputs, *inputs)):
        return found
    rows, columns = _width(outputs), _width(inputs)
    find_pattern = detect_hessian if symmetric else detect
    try:
        places = find_pattern(outputs, inputs, most=most).pattern
    except DensePattern:
        return found
    colouring: Colouring = module("wengert.sparse.colouring.choosing").choose(
        places, whole.tangent + 1, whole.adjoint + 1, symmetric=symmetric
    )
    passes = colouring.tangents * whole.tangent + colouring.cotangents * whole.adjoint
    coloured = Candidate(
        "coloured",
        passes + ELEMENT * (rows * columns + 2 * places.nnz),
        colouring.products,
        0,
        f"{places.nnz} places of {rows * columns}, {colouring.method}",
    )
    candidates = (*found.candidates, coloured)
    return replace(found, candidates=candidates, places=places, colouring=colouring)


def _most_places(found: Choice, rows: int, columns: int, whole: Segment) -> int:
    """With how many places colours can be clearly cheaper than the single modes: a tangent shows no
    more values than there are rows, a cotangent than there are columns."""
    limit = CLEARLY * min(one.cost for one in found.candidates[:2])
    each = 2 * ELEMENT + min(whole.tangent / max(rows, 1), whole.adjoint / max(columns, 1))
    spare = limit - ELEMENT * rows * columns
    return int(min(MOST_DENSE * rows * columns, spare / each)) if spare > 0 else -1


def _with_elimination(found: Choice, program: Program) -> Choice:
    """The choice with vertex elimination among the candidates, for a small program of numbers."""
    steps = tuple(eliminations(program.graph))
    products = sum(step.multiplications for step in steps)
    cost = float(NUMBER * (products + len(program.edges) + len(program.graph.outputs)))
    inner = len(steps)
    eliminated = Candidate(
        "elimination",
        cost,
        0,
        products,
        f"{inner} number{'s' if inner != 1 else ''} between inputs and outputs",
    )
    candidates = (*found.candidates, eliminated)
    return replace(found, candidates=candidates, program=program, steps=steps)


def _chained(graph: Linearised) -> tuple[Bracket | None, tuple[tuple[Node, ...], ...]]:
    """The cheapest bracket of the segments between waists, for one waist or two."""
    limit = min(_width(graph.inputs), _width(graph.outputs))
    narrow = any(graph.has_columns(node) and node.size < limit for node in graph.order)
    if not narrow:
        return None, ()
    found = [tuple(waist) for waist in waists(graph, limit) if waist]
    chains = [(waist,) for waist in found] + ([tuple(found)] if len(found) > 1 else [])
    best: Bracket | None = None
    through: tuple[tuple[Node, ...], ...] = ()
    for chain in chains:
        interfaces = (graph.inputs, *chain, graph.outputs)
        segments = [segment(graph, starts, ends) for starts, ends in pairwise(interfaces)]
        bracket = cheapest(segments, PRODUCT, ELEMENT)
        if best is None or bracket.cost < best.cost:
            best, through = bracket, interfaces
    return best, through


def _is_linear(graph: Linearised) -> bool:
    """Whether each step has a derivative that is linear over the numbers that the Jacobian is made
    of. Of a holomorphic function steps may be none (conj(conj(z))); then its Jacobian is no product
    of theirs."""
    if all(node.dtype.kind == "f" for node in (*graph.inputs, *graph.outputs)):
        return True
    return all(
        isinstance(node.type, ArrayType)
        and node.dtype.kind == "c"
        and (
            node.op.family in ("leaf", "name", "movement", "indexing", "contraction", "reduction")
            or (isinstance(node.op.domain, Box) and node.op.domain.holomorphic)
        )
        for node in graph.order
    )


def _passes(bracket: Bracket, interfaces: Sequence[Sequence[Node]]) -> int:
    """How many columns are pushed and rows pulled."""
    columns, rows = _width(interfaces[bracket.first]), _width(interfaces[bracket.last + 1])
    inner = sum(
        _passes(part, interfaces) for part in (bracket.early, bracket.late) if part is not None
    )
    if bracket.kind == "product":
        return inner
    return inner + (columns if bracket.kind in ("forward", "push") else rows)


def _in_words(interface: Sequence[Node]) -> str:
    """An interface as people read it."""
    size = _width(interface)
    names = list(dict.fromkeys(node.op.name for node in interface))
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{size} element{'s' if size != 1 else ''} ({shown})"
