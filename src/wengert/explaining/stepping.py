"""From a function to its steps: the trace, observed, and the records of what the sweeps find."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from wengert.derivatives.marking import output_nodes
from wengert.errors import WengertTypeError
from wengert.execution.border import as_input
from wengert.execution.retrying import retried
from wengert.explaining import partials
from wengert.explaining.binding import Bound
from wengert.explaining.formulas import Formula, of_node
from wengert.explaining.naming import names_of, outside_names
from wengert.explaining.steps import Kind, Partial, Step, Steps
from wengert.explaining.sweeping import MOST_TANGENTS, Edge, Program, Reader
from wengert.graph.body import bodies
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.types import ArrayType, TupleType, Type, is_inexact
from wengert.graph.walk import dependents, rebuild, topological
from wengert.ops.arithmetic import convert
from wengert.ops.leaves import alias
from wengert.tracing.linear_operators import teach_linear_operators
from wengert.tracing.observing import Timeline, observed
from wengert.tracing.session import Session, outermost
from wengert.tracing.trees import flatten, unflatten

MOST_NAMED = 3


@retried
def steps_of(bound: Bound) -> Steps:
    """Trace a function of real results, and differentiate each step of it.

    Raises WengertTypeError where a result is complex, or an argument cannot be traced.
    """
    f, called = bound.function, bound.names
    leaves, spec = flatten(bound.args)
    teach_linear_operators()
    with ExitStack() as session_of_its_own:
        with observed() as timeline:
            session = session_of_its_own.enter_context(outermost())
            tracers = [
                as_input(session, leaf, f"the argument {name} of explain", integers_as_floats=True)
                for leaf, name in zip(leaves, called, strict=True)
            ]
            inputs = {t.node: name for t, name in zip(tracers, called, strict=True)}
            session.running = True
            results, _ = output_nodes(f(*unflatten(spec, tracers)), session, "explain")
        _check_results(results, inputs)
        outputs, stands_for = _bare(results)
        program = Program.of(outputs, inputs, lambda node: stands_for[node][0].serial)
        variables = _variables(timeline, stands_for) | outside_names(f, session, bound.held)
        names = names_of(session, program.order, inputs, variables, program.shown)
        source, first_line = _source(f)
        return Steps(
            function=getattr(f, "__name__", "f"),
            inputs=tuple(names[node].text for node in program.active),
            steps=_records(session, program, names, inputs, timeline, stands_for),
            output=names[outputs[-1]].text,
            source=source,
            first_line=first_line,
            outputs=tuple(names[node].text for node in dict.fromkeys(outputs)),
            notes=(*_notes(program, names), *_held(bound.held)),
            nodes=tuple(program.shown),
        )


def _check_results(results: Sequence[Node], inputs: Mapping[Node, str]) -> None:
    """Errors for results that have no derivatives."""
    if not results:
        raise WengertTypeError(
            "explain needs a function that returns a number or an array, but it returned none"
        )
    for node in results:
        if node.dtype.kind == "c":
            raise WengertTypeError(
                f"explain needs real results, but the function returned {node.type}: return its "
                "np.real, np.imag or np.abs"
            )
    if not any(is_inexact(node.dtype) for node in results):
        moving = dependents(topological(results), inputs)
        if not moving.isdisjoint(results):
            raise WengertTypeError(
                f"explain needs a real floating output, but the function returned "
                f"{results[0].type}, whose derivative is zero everywhere"
            )


def _bare(outputs: Sequence[Node]) -> tuple[list[Node], dict[Node, list[Node]]]:
    """(the outputs without what is bookkeeping, each node -> those that it stands for, the oldest
    first).

    Inner transformations give values names of their own, and a bare Python number that becomes an
    array keeps its value and its dtype. Users of these take the value itself, where that leaves
    their types as they are.
    """
    new: dict[Node, Node] = {}
    plain: dict[Node, Node] = {}
    stands_for: dict[Node, list[Node]] = {}
    for node in topological(outputs):
        if node.op is alias:
            new[node] = new[node.args[0]]
        else:
            new[node] = _on(node, [plain[arg] for arg in node.args])
            if new[node].type != node.type:
                new[node] = _on(node, [new[arg] for arg in node.args])
        kept = node.op is convert and node.dtype == node.args[0].dtype
        plain[node] = plain[node.args[0]] if kept or node.op is alias else new[node]
        stands_for.setdefault(plain[node], []).append(node)
        if new[node] is not plain[node]:
            stands_for.setdefault(new[node], []).append(node)
    for nodes in stands_for.values():
        nodes.sort(key=lambda node: node.serial)
    return [plain[node] for node in outputs], stands_for


def _on(node: Node, args: Sequence[Node]) -> Node:
    same = all(arg is old for arg, old in zip(args, node.args, strict=True))
    return node if same else rebuild(node, tuple(args))


def _variables(timeline: Timeline, stands_for: Mapping[Node, Sequence[Node]]) -> dict[Node, str]:
    """The user's variables that nodes were bound to."""
    found: dict[Node, str] = {}
    for node, nodes in stands_for.items():
        for name in filter(None, map(timeline.variable, nodes)):
            found.setdefault(node, name)
    return found


def _source(f: Callable[..., Any]) -> tuple[tuple[str, ...], int]:
    """The lines of the function's source and the number of the first; none where unknown."""
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(f))
    except (OSError, TypeError):
        return (), 0
    return tuple(line.rstrip() for line in lines), first


# ------------------------------------------------------------------------------------- the records


def _records(
    session: Session,
    program: Program,
    names: Mapping[Node, Formula],
    inputs: Mapping[Node, str],
    timeline: Timeline,
    stands_for: Mapping[Node, Sequence[Node]],
) -> tuple[Step, ...]:
    slopes = program.slopes()
    adjoints, terms = program.adjoints(slopes)
    columns = program.tangents(_directions(program))
    seeds = {
        node: constant(program.outputs.count(node), node)
        for node in program.outputs
        if node in program.involved and is_inexact(node.dtype)
    }
    value = Reader(session)
    value.compute(program.shown)
    value.compute(slopes.values())
    value.compute(adjoints.values())
    value.compute([term for found in terms.values() for _, term in found])
    value.compute(seeds.values())
    for column in columns:
        value.compute(column)
    taken = {formula.text for formula in names.values()}
    variable = next(letter for letter in "hgδξ" if letter not in taken)
    empty = [None] * (len(program.active) - len(columns))
    operands: dict[Node, list[Node]] = {}
    for user, operand in program.edges():
        operands.setdefault(user, []).append(operand)
    shown = set(program.shown)
    steps = []
    for k, node in enumerate(program.shown):
        formula = of_node(node, [names[arg] for arg in node.args]) if node.args else None
        steps.append(
            Step(
                name=names[node].text,
                latex=names[node].latex,
                op=node.op.name,
                args=tuple(names[arg].text for arg in dict.fromkeys(node.args) if arg in shown),
                formula=formula and formula.text,
                formula_latex=formula and formula.latex,
                value=value(node),
                shape=node.shape if isinstance(node.type, ArrayType) else (),
                dtype=node.dtype if isinstance(node.type, ArrayType) else None,
                nbytes=_nbytes(node.type),
                partials=tuple(
                    _partial((node, operand), slopes, names, value, variable)
                    for operand in operands.get(node, ())
                ),
                tangents=tuple([value(column[k]) for column in columns] + empty),
                adjoint=value(adjoints.get(node)),
                terms=tuple((names[user].text, value(term)) for user, term in terms.get(node, ())),
                place=None if node in inputs else timeline.place(stands_for[node][0]),
                kind=_kind(node, inputs),
                seed=value(seeds.get(node)),
            )
        )
    return tuple(steps)


def _partial(
    edge: Edge,
    slopes: Mapping[Edge, Tangent],
    names: Mapping[Node, Formula],
    value: Reader,
    variable: str,
) -> Partial:
    user, operand = edge
    slope = slopes.get(edge)
    formula = partials.written(user, operand, slope, names, variable)
    number = value(slope)
    if edge in slopes and slope is None:
        number = np.zeros(user.shape, user.dtype)[()]
    back = partials.pulled_back(user, operand, names, variable)
    return Partial(names[operand].text, formula.text, formula.latex, number, back.text, back.latex)


def _directions(program: Program) -> int:
    """How many inputs have tangents in their direction."""
    return min(len(program.active), max(1, MOST_TANGENTS // max(1, len(program.shown))))


def _notes(program: Program, names: Mapping[Node, Formula]) -> tuple[str, ...]:
    """What a reader must know of the numbers."""
    notes = []
    results = [node for node in program.outputs if is_inexact(node.dtype)]
    if len(results) > 1 or any(node.shape for node in results):
        notes.append(
            "The adjoints are the derivatives of the sum of all entries of what is returned."
        )
    if any(node.shape for node in program.active):
        notes.append(
            "∂/∂x·1 is the derivative in the direction of 1 in every element of the array x."
        )
    if any(node.dtype.kind == "c" for node in program.active):
        notes.append(
            "Of a complex input z = x + iy, tangents are by x, and adjoints are ∂/∂x − i ∂/∂y, "
            "as those of grad."
        )
    directions = _directions(program)
    if directions < len(program.active):
        notes.append(
            f"The tangents are those of the first {directions} of {len(program.active)} inputs."
        )
    holders = [node for node in program.shown if bodies(node.params)]
    if holders:
        named = ", ".join(f"{names[node].text} ({node.op.name})" for node in holders[:MOST_NAMED])
        more = f" and {len(holders) - MOST_NAMED} more" if len(holders) > MOST_NAMED else ""
        notes.append(f"One step holds a whole loop, branch or function: {named}{more}.")
    return tuple(notes)


def _held(held: Mapping[str, Any]) -> Sequence[str]:
    """What a reader must know of the arguments that are passed as they are."""
    if not held:
        return ()
    found = [
        f"{name} = {value!r}" if isinstance(value, bool | int | float | str | None) else name
        for name, value in held.items()
    ]
    return (f"Held fixed, without derivatives: {', '.join(found)}.",)


def _kind(node: Node, inputs: Mapping[Node, str]) -> Kind:
    return "input" if node in inputs else "operation" if node.args else "constant"


def _nbytes(type: Type) -> int:
    if isinstance(type, TupleType):
        return sum(map(_nbytes, type.items))
    return type.nbytes if isinstance(type, ArrayType) else 0
