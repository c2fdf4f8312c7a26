"""The elementary operations of a scalar function with their tangents and adjoints, step by step.

    forward    v̇ᵢ = Σⱼ ∂vᵢ/∂vⱼ v̇ⱼ     over the inputs vⱼ of step i
    reverse    v̄ⱼ = Σᵢ v̄ᵢ ∂vᵢ/∂vⱼ     over the steps i that use vⱼ;  v̄ of the output is 1

The table is read off the graph that runs: its nodes are the steps, and their records give formulas
and derivatives. Source: Wengert 1964; Griewank & Walther 2008, *Evaluating Derivatives*, chapters
2 and 3.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from wengert.derivatives.marking import scalar_output, written
from wengert.errors import NotDifferentiable
from wengert.execution.border import as_input
from wengert.execution.programs import run
from wengert.execution.retrying import retried
from wengert.explaining.notation import formula, number, subscripted
from wengert.graph.literals import constant, full, literal
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.types import ArrayType, TupleType, is_inexact
from wengert.graph.walk import dependents, topological
from wengert.ops import linear
from wengert.ops.leaves import capture, item, seed, slot
from wengert.tracing.session import Session, outermost
from wengert.tracing.trees import flatten, paths, unflatten
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One elementary operation, or an input, or an array that the function reads from outside.

    name: v₁, v₂, …; an input has the name of its parameter; an array from outside is c₁, c₂, ….
    formula: the operation in terms of the names of other steps, None for an input.
    value: what it computes.
    tangents: its derivative in the direction of each of `Steps.inputs`, in their order; None where
        the function uses a rule that was given for reverse mode alone.
    adjoint: the derivative of the output by it, None where it rests on no input.
    terms: (the name of a step i that uses it, v̄ᵢ ∂vᵢ/∂v), whose sum the adjoint is.
    """

    name: str
    formula: str | None
    value: Any
    tangents: tuple[Any, ...]
    adjoint: Any
    terms: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a function at a point: the inputs, then the operations, each after its inputs.

    function: its name.
    inputs: the names of the inputs that have derivatives. The tangents are in the direction of 1
        in every element of one of them: for a number, the derivative by it.
    output: the name of the step that is the value of the function.
    """

    function: str
    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    output: str

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, name: str) -> Step:
        """The step of this name; `w1` finds w₁ too."""
        for step in self.steps:
            if step.name in (name, subscripted(name)):
                return step
        raise KeyError(f"no step is called {name!r}")


@retried
def steps(f: Callable[..., Any], *args: Any) -> Steps:
    """Trace a function of one real scalar output, and differentiate each step of it.

    args: numbers, arrays, or structures of them.
    Raises WengertTypeError where the output is no real scalar or an argument cannot be traced.
    """
    leaves, spec = flatten(args)
    parameters = _parameters(f, args)
    with outermost() as session:
        tracers = [
            as_input(session, leaf, f"the argument {name} of explain", integers_as_floats=True)
            for leaf, name in zip(leaves, parameters, strict=True)
        ]
        output = scalar_output(f(*unflatten(spec, tracers)), session, "explain")
        inputs = {t.node: name for t, name in zip(tracers, parameters, strict=True)}
        others = (node for node in topological([output]) if node not in inputs)
        order = [*inputs, *sorted(others, key=lambda node: bool(node.args))]  # leaves first
        names = _names(session, order, inputs)
        shown = [node for node in order if node in inputs or node.op is capture or node.args]
        active = [node for node in inputs if is_inexact(node.dtype)]
        columns = [_tangents(session, shown, node) for node in active]
        adjoints, terms = _adjoints(order, output, active)
        of_nodes = Steps(
            function=getattr(f, "__name__", "f"),
            inputs=tuple(names[node] for node in active),
            output=names[output],
            steps=tuple(
                Step(
                    name=names[node],
                    formula=formula(node, [names[arg] for arg in node.args]) if node.args else None,
                    value=_items(node),
                    tangents=tuple(tangents),
                    adjoint=adjoints.get(node),
                    terms=tuple((names[user], term) for user, term in terms.get(node, ())),
                )
                for node, *tangents in zip(shown, *columns, strict=True)
            ),
        )
        return _evaluated(session, of_nodes)


def _tangents(session: Session, shown: Sequence[Node], towards: Node) -> list[Any]:
    """Values of the tangents in the direction of 1 in one input."""
    tangents = pushforward(shown, {towards: constant(1, towards)})
    column = [_written(tangent, node) for tangent, node in zip(tangents, shown, strict=True)]
    try:
        return _evaluated(session, column)
    except NotDifferentiable:  # a rule that a user gave for reverse mode alone
        return [None] * len(shown)


def _adjoints(
    order: Sequence[Node], output: Node, active: Sequence[Node]
) -> tuple[dict[Node, Tangent], dict[Node, list[tuple[Node, Tangent]]]]:
    """One reverse sweep that keeps what it finds: adjoints, and the terms that they are sums of."""
    involved = dependents(order, active)
    adjoints: dict[Node, Tangent] = {output: constant(1, output)}
    terms: dict[Node, list[tuple[Node, Tangent]]] = {}
    with deriving():
        for user in reversed(order):
            for node in dict.fromkeys(user.args):
                if node in involved:
                    term = _pulled_back(user, node, adjoints.get(user))
                    if term is not None:
                        terms.setdefault(node, []).insert(0, (user, term))
                        adjoints[node] = linear.add(adjoints.get(node), term)
    return {node: _written(adjoints.get(node), node) for node in involved}, terms


def _pulled_back(user: Node, node: Node, cotangent: Tangent) -> Tangent:
    """v̄ᵢ ∂vᵢ/∂vⱼ for one input vⱼ of step i: the transpose of its pushforward by vⱼ alone."""
    if cotangent is None or not _has_tangents(node):
        return None
    seeds = _seeds(node)
    (moved,) = pushforward([user], {arg: seeds if arg is node else None for arg in user.args})
    if moved is None:
        return None
    inputs, spec = flatten(seeds)
    outputs = moved if isinstance(moved, tuple) else (moved,)
    cotangents = cotangent if isinstance(cotangent, tuple) else (cotangent,)
    found = transpose(outputs, inputs, cotangents)
    return None if all(part is None for part in found) else unflatten(spec, found)


def _evaluated(session: Session, of_nodes: T) -> T:
    """The same structure with the values of the nodes in their places."""
    leaves, spec = flatten(of_nodes)
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Node)]
    for k, value in zip(places, run(session, [leaves[k] for k in places]), strict=True):
        leaves[k] = value
    evaluated: T = unflatten(spec, leaves)
    return evaluated


# ------------------------------------------------------------------ nodes of one or several results


def _items(node: Node) -> Any:
    """The results of a node as nodes; None for an object that is no array."""
    if isinstance(node.type, TupleType):
        return tuple(item(node, k) for k in range(len(node.type.items)))
    return node if isinstance(node.type, ArrayType) else None


def _has_tangents(node: Node) -> bool:
    """Whether any of the results of a node has a derivative."""
    types = node.type.items if isinstance(node.type, TupleType) else (node.type,)
    return any(isinstance(type, ArrayType) and is_inexact(type.dtype) for type in types)


def _seeds(node: Node) -> Any:
    """A seed for each result of a node that has derivatives."""
    if isinstance(node.type, TupleType):
        return tuple(seed(part) if is_inexact(part.dtype) else None for part in _items(node))
    return seed(node)


def _written(tangent: Tangent, node: Node) -> Tangent:
    """The derivative of an array, with a structural zero written out."""
    if isinstance(node.type, ArrayType) and is_inexact(node.dtype):
        return written(tangent, node)
    return tangent


# ---------------------------------------------------------------------------------------- names


def _parameters(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """A name for each leaf of the arguments: of its parameter, and of its place in a structure."""
    try:
        signature = inspect.signature(f)
    except ValueError:  # some built-in functions tell nothing
        arguments: dict[str, Any] = {f"x{k}": arg for k, arg in enumerate(args, start=1)}
    else:
        arguments = signature.bind(*args).arguments
    return [name + path for name, value in arguments.items() for path in paths(value)]


def _names(session: Session, order: Sequence[Node], inputs: dict[Node, str]) -> dict[Node, str]:
    """What each node is called: constants by their value, operations and captures by number."""
    names = {node: subscripted(name) for node, name in inputs.items()}
    taken = "".join(names.values())
    step, outside = (next(c for c in letters if c not in taken) for letters in ("vzuq𝓋", "ckaℓ𝒸"))
    counts = {step: 0, outside: 0}
    for node in order:
        if node in names:
            continue
        if node.op is full or node.op is slot:
            value = literal(node) if node.op is full else session.values[node]
            text = number(value)
            names[node] = f"({text})" if text.startswith("−") or text.endswith("j") else text
        elif node.args or node.op is capture:
            letter = step if node.args else outside
            counts[letter] += 1
            names[node] = subscripted(f"{letter}{counts[letter]}")
        else:
            names[node] = node.op.label
    return names
