"""A traced function as a term: its graph, read from the output down.

What cannot be read gets a name, z₁ = cumsum(x), and is a symbol from there on: there is always a
term. Nodes are interned, so that SciPy's log-sum-exp and softmax are recognised by building them
again on what they were given: the same nodes come out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertTypeError, WengertValueError
from wengert.execution.border import as_input
from wengert.execution.interpreter import evaluate
from wengert.execution.retrying import retried
from wengert.explaining.closed.algebra import hadamard, power
from wengert.explaining.closed.assuming import assumptions, check_facts
from wengert.explaining.closed.computing import computation
from wengert.explaining.closed.describing import described, is_real
from wengert.explaining.closed.functions import apply
from wengert.explaining.closed.patterns import Plan, is_condition, masked, plan_of
from wengert.explaining.closed.problem import Named, Problem
from wengert.explaining.closed.reading import constant, known_array, rational, shape_of
from wengert.explaining.closed.recognising import recognised
from wengert.explaining.closed.scope import Names, Opened, leaf_names
from wengert.explaining.closed.sums import transpose
from wengert.explaining.closed.terms import Symbol, Term
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.types import ArrayType
from wengert.graph.walk import dependents, topological
from wengert.ops.leaves import LEAVES, capture, seed, slot
from wengert.tracing.lifting import lift as node_of
from wengert.tracing.session import Session, outermost
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, paths, unflatten
from wengert.transforms.pushforward import pushforward

_MASK = frozenset({"zero or one"})
_LONGEST = 80
"""Terms of more symbols than this get names: nobody reads them."""
MOST_OPERATIONS = 500
"""Longer functions have no formula that could be read, and would take minutes."""


@retried
def lift(
    f: Callable[..., Any],
    examples: Sequence[Any],
    wrt: str | int | None = None,
    assume: Mapping[str, Any] | None = None,
) -> Problem:
    """Trace a function on examples of its arguments and read its graph as a term.

    wrt: the argument by which it is differentiated, by name or place; by default the first that is
        an array or number of floats.
    assume: name -> what holds of an argument or captured array, a string or several ("symmetric",
        "diagonal", "orthogonal", "positive definite", "idempotent", "signs", "positive").

    Raises
    ------
    WengertTypeError
        Where the function returns no real array, or an argument cannot be traced.
    WengertValueError
        Where a name in `wrt` or `assume` is none, an example contradicts what is assumed, or the
        function is too long for a formula.
    """
    leaves, spec = flatten(tuple(examples))
    parameters = leaf_parameters(f, tuple(examples))
    chosen = _chosen(wrt, parameters, leaves)
    if wrt is None:
        _need_one(chosen, examples, parameters, leaves)
    given = _Given(f, leaves, spec, parameters, chosen, assumptions(assume or {}))
    try:
        return given.problem(opened=True)
    except (WengertValueError, RecursionError):
        raise
    except Exception:  # what the function reads from outside cannot be traced: as it is, then
        return given.problem(opened=False)


@dataclass(frozen=True, slots=True)
class _Given:
    """What `lift` is given. chosen: the place of the variable among the leaves."""

    f: Callable[..., Any]
    leaves: Sequence[Any]
    spec: Spec
    parameters: Sequence[str]
    chosen: int
    assumed: Mapping[str, frozenset[str]]

    def problem(self, opened: bool) -> Problem:
        """Trace and read. opened: whether what f reads from outside is traced, too."""
        with outermost(guarded=True) as session:
            lifter = _Lifter(session, self.parameters, self.assumed)
            values = list(self.leaves)
            for k, leaf in enumerate(self.leaves):
                if k == self.chosen or _is_array(leaf):
                    values[k] = lifter.argument(k, leaf, k == self.chosen)
            f = Opened(lifter.outside).callable(self.f) if opened else self.f
            output = _output(f(*unflatten(self.spec, values)), session)
            function = lifter.lifted(output)
            lifter.check_names()
            inside = function.free.union(*(z.arguments for z in lifter.intermediates))
            return Problem(
                function=function,
                variable=lifter.variable,
                arguments=tuple(lifter.arguments),
                constants=tuple(c for c in lifter.constants if c.symbol in inside),
                intermediates=tuple(lifter.intermediates),
                name=getattr(self.f, "__name__", "f"),
                shape=output.shape,
                branched=lifter.branched(),
            )


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, float | np.ndarray | np.generic)


def _chosen(wrt: str | int | None, parameters: Sequence[str], leaves: Sequence[Any]) -> int:
    """The place of the variable among the leaves of the arguments."""
    if wrt is not None and not isinstance(wrt, str | int):
        raise WengertTypeError(
            f"wrt={wrt!r}: closed_form derives by one argument, named or numbered; for several, "
            "call it once for each"
        )
    if isinstance(wrt, str):
        if wrt not in parameters:
            raise WengertValueError(
                f"wrt={wrt!r} is no argument: the function has {', '.join(parameters) or 'none'}"
            )
        return parameters.index(wrt)
    if wrt is not None:
        if not -len(leaves) <= wrt < len(leaves):
            raise WengertValueError(f"wrt={wrt} is out of range: there are {len(leaves)} arguments")
        return wrt % len(leaves)
    floats = [k for k, leaf in enumerate(leaves) if _is_array(leaf) and _kind(leaf) == "f"]
    numbers = [k for k, leaf in enumerate(leaves) if _kind(leaf) in "fiu"]
    if not floats and not numbers:
        if any(_kind(leaf) == "c" for leaf in leaves):
            raise WengertTypeError(
                "closed_form has no rules for complex numbers: write real and imaginary parts as "
                "arguments of their own, or take wengert.grad"
            )
        raise WengertTypeError(
            "closed_form needs an example of an argument to differentiate by: pass an array or a "
            "number of floats, as closed_form(f, np.ones(3))"
        )
    return (floats or numbers)[0]


def _need_one(
    chosen: int, examples: Sequence[Any], parameters: Sequence[str], leaves: Sequence[Any]
) -> None:
    """An error where the variable is one of several arrays of one argument, and none was named."""
    end = 0
    for example in examples:
        begin, end = end, end + len(flatten(example)[0])
        if begin <= chosen < end:
            several = [parameters[k] for k in range(begin, end) if _kind(leaves[k]) == "f"]
            if len(several) > 1:
                raise WengertValueError(
                    f"the argument to differentiate by holds {', '.join(several)}: say by which, "
                    f"as wrt={several[0]!r}"
                )


def _kind(leaf: Any) -> str:
    try:
        return np.asarray(leaf).dtype.kind
    except (TypeError, ValueError):
        return "O"


def leaf_parameters(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """A name for each leaf of the arguments."""
    try:
        bound = inspect.signature(f).bind(*args).arguments
    except ValueError:  # some built-in functions tell nothing
        bound = {f"x{k}": arg for k, arg in enumerate(args, start=1)}
    names: list[str] = []
    for name, value in bound.items():
        for leaf in leaf_names(name, paths(value)):
            while leaf in names:
                leaf += "_"
            names.append(leaf)
    return names


def _output(result: Any, session: Session) -> Node:
    leaves, _ = flatten(result)
    if len(leaves) != 1:
        raise WengertTypeError(
            f"closed_form needs a function that returns one number or array, not {len(leaves)}"
        )
    node = node_of(leaves[0], session)
    if not isinstance(node.type, ArrayType) or node.dtype.kind != "f":
        raise WengertTypeError(
            f"closed_form needs a function of real numbers, but it returned {node.type}"
        )
    return node


class _Lifter:
    """Reads nodes as terms, and keeps what symbols stand for."""

    def __init__(
        self, session: Session, parameters: Sequence[str], assumed: Mapping[str, frozenset[str]]
    ) -> None:
        self.session = session
        self.parameters = parameters
        self.assumed = assumed
        self.names = Names()
        self.terms: dict[Node, Term] = {}
        self.floats: dict[Node, float] = {}
        """Python numbers from outside: in exponents they stand as numbers."""
        self.arguments: list[Named] = []
        self.constants: list[Named] = []
        self.intermediates: list[Named] = []
        self._outside: dict[Hashable, Tracer] = {}
        self._unread: dict[Node, tuple[str, Any]] = {}
        """What the function may read from outside, until it does: names are given in that order."""

    # -------------------------------------------------------------------------------- symbols

    def argument(self, k: int, leaf: Any, is_variable: bool) -> Tracer:
        """An argument as a traced symbol."""
        name = self.parameters[k]
        value = np.asarray(leaf, float) if is_variable else leaf
        tracer = as_input(self.session, value, f"the argument {name}")
        role = "variable" if is_variable else "constant"
        symbol = self._symbol(name, tracer.node, role, value)
        self.arguments.append(Named(symbol, value, tracer.node.shape))
        if is_variable:
            self.variable, self.root = symbol, tracer.node
        elif isinstance(value, float):
            self.floats[tracer.node] = float(value)
        return tracer

    def outside(self, name: str, value: Any) -> Tracer:
        """An array or a float that the function reads from outside, as a traced symbol."""
        key = (name, value) if isinstance(value, float) else id(value)
        known = self._outside.get(key)
        if known is not None:
            return known
        tracer = as_input(self.session, value, name)
        self._outside[key] = tracer
        self._unread[tracer.node] = (name, value)
        if isinstance(value, float):
            self.floats[tracer.node] = float(value)
        return tracer

    def _constant(self, name: str, node: Node, value: Any, *, is_outside: bool) -> None:
        symbol = self._symbol(name, node, "constant", value)
        if node.dtype.kind == "b":
            symbol, value = replace(symbol, facts=_MASK), np.asarray(value, float)
            self._standing(node, symbol)
        self.constants.append(Named(symbol, value, node.shape, is_outside=is_outside))

    def _symbol(self, name: str, node: Node, role: str, value: Any) -> Symbol:
        facts = self.assumed.get(name, frozenset())
        if facts:
            check_facts(name, facts, value, role == "variable")
        name = self.names.unique(name)
        return self._standing(node, Symbol(_upright(node.shape), name, role, facts))

    def _standing(self, node: Node, symbol: Symbol) -> Symbol:
        """Let the symbol be the term of the node: a row is the transpose of a column."""
        self.terms[node] = symbol if symbol.shape == shape_of(node.shape) else transpose(symbol)
        return symbol

    def check_names(self) -> None:
        """An error for a name in `assume` that is none."""
        known = [named.symbol.name for named in (*self.arguments, *self.constants)]
        for name in self.assumed:
            if name not in known:
                raise WengertValueError(
                    f"assume: the function has no {name}; it has {', '.join(known)}"
                )

    def branched(self) -> bool:
        """Whether control flow of Python's depended on the variable."""
        return any(self.root in topological([node]) for node, _ in self.session.guards)

    # ------------------------------------------------------------------------------- reading

    def lifted(self, output: Node) -> Term:
        """The term of a node; the walk goes down only where a term is needed."""
        order = topological([output])
        if len(order) > MOST_OPERATIONS:
            raise WengertValueError(
                f"closed_form reads functions of up to {MOST_OPERATIONS} operations, and this has "
                f"{len(order):,}, perhaps a loop: wengert.grad differentiates it, and "
                "wengert.explain shows its steps"
            )
        self.moving = dependents(order, [self.root])
        self.recognised = recognised(order, self.session)
        self._made = _made(order)
        stack = [output]
        plans: dict[Node, Plan | None] = {}
        while stack:
            node = stack[-1]
            if node in self.terms:
                stack.pop()
                continue
            if node not in plans:
                plans[node] = self._plan(node)
            plan = plans[node]
            missing = [] if plan is None else [n for n in plan.needs if n not in self.terms]
            if missing:
                stack.extend(reversed(missing))
                continue
            if node not in self.terms:  # a leaf has its symbol already
                term = self._read(node, plan)
                if term is None:
                    inputs = described(node)[1]
                    if any(n not in self.terms for n in inputs):
                        plans[node] = Plan(inputs, _unread)
                        continue
                    term = self._intermediate(node)
                self.terms[node] = term
            stack.pop()
        return self.terms[output]

    def _plan(self, node: Node) -> Plan | None:
        if node in self.recognised:
            return self.recognised[node]
        if node in self._unread:
            name, value = self._unread.pop(node)
            self._constant(name, node, value, is_outside=True)
            return None
        if node.op is capture:
            return self._captured(node, self.session.values[node])
        if node in self._made and node.op is not full:
            return self._captured(node, evaluate(self.session, [node])[0])
        if node.op is slot:
            value = constant(float(self.session.values[node]))
            return Plan((), lambda: value)
        if node.op.name == "power":
            given = self.floats.get(_unrepeated(node.args[1]))
            if given is not None:
                return Plan(node.args[:1], lambda u: power(u, rational(given)))
            base, exponent = node.args
            if exponent in self.moving and base.op is not full:  # differentiable at a base > 0
                return Plan(node.args, lambda u, v: apply("exp", hadamard(v, apply("log", u))))
        if node.op.name == "stop_gradient" and node.args[0] not in self.moving:
            return Plan(node.args, lambda u: u)
        plan = plan_of(node)
        if plan is None and node.op.name == "select":
            (mask, *_), moving = node.args, self.moving
            if mask not in moving or is_condition(mask):
                plan = Plan(node.args, masked)
        if plan is not None and all(map(is_real, plan.needs)):
            return plan
        return Plan(described(node)[1], _unread)

    def _read(self, node: Node, plan: Plan | None) -> Term | None:
        """The term of a node whose needs are there; None where there is none to be read."""
        if plan is None:
            return None
        try:
            term = plan.build(*[self.terms[n] for n in plan.needs])
        except ZeroDivisionError:  # 0 to a negative power: whatever NumPy makes of it
            return None
        if term is None or term.size > _LONGEST:
            return None
        if term.shape != shape_of(node.shape):
            raise AssertionError(f"{node} was read as a term of shape {term.shape}")
        return term

    def _captured(self, node: Node, value: Any) -> Plan | None:
        """An array that the function made itself: as a known term, else with a name."""
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiu":
            known = known_array(np.asarray(value))
            if known is not None:
                return Plan((), lambda: known)
        letter = "C" if len(node.shape) == 2 else "c"
        self._constant(self.names.counted(letter), node, value, is_outside=False)
        return None

    def _is_linear(self, node: Node) -> bool:
        """Whether the derivative of a node by the variable does not depend on it."""
        (tangent,) = pushforward([node], {self.root: seed(self.root)})
        return tangent is not None and self.root not in topological([tangent])

    def _intermediate(self, node: Node) -> Term:
        """A name for a node that has no term."""
        if not isinstance(node.type, ArrayType) or node.dtype.kind == "c":
            raise Unsupported(f"closed forms are of real arrays: {node.op.name} gives {node.type}")
        frozen = node.op.name == "stop_gradient" or node not in self.moving
        shape = _upright(node.shape)
        name = self.names.unique(self.names.counted("Z" if 1 not in shape else "z"))
        facts = frozenset({"linear"}) if not frozen and self._is_linear(node) else frozenset()
        symbol = Symbol(shape, name, "constant" if frozen else "intermediate", facts)
        leaves = [leaf for leaf in topological([node]) if leaf.op in LEAVES and leaf.op is not full]
        for leaf in leaves:
            if leaf not in self.terms:
                self._plan(leaf)
        operation, given = described(node)
        inputs = [n for n in given if n in self.terms] or [n for n in leaves if n in self.terms]
        arguments = tuple(
            dict.fromkeys(s for leaf in leaves if leaf in self.terms for s in self.terms[leaf].free)
        )
        self.intermediates.append(
            Named(
                symbol,
                None,
                node.shape,
                formula=operation.format(", ".join(self.terms[n].key for n in inputs)),
                arguments=arguments,
                compute=computation(node, leaves, self.terms, arguments, self.session.values),
                operation=operation,
                inputs=tuple(self.terms[n] for n in inputs),
            )
        )
        self._standing(node, symbol)
        return self.terms[node]


def _made(order: Sequence[Node]) -> set[Node]:
    """The nodes that are computed from nothing but numbers in the code, as np.tri(3) is."""
    made: set[Node] = set()
    for node in order:
        if node.op is full or (node.op not in LEAVES and made.issuperset(node.args)):
            made.add(node)
    return made


def _unread(*terms: Term) -> None:
    """What nodes are read as that have no term."""


def _upright(shape: tuple[int, ...]) -> tuple[int, int]:
    """The shape of the symbol of an array: rows are columns."""
    rows, columns = shape_of(shape)
    return (columns, 1) if rows == 1 else (rows, columns)


def _unrepeated(node: Node) -> Node:
    return node.args[0] if node.op.name == "broadcast_to" else node
