"""Sparse Jacobians and Hessians: pattern from the graph, colours, values; and `sparsity`.

    graph --detect--> pattern --choose--> colouring --compressed--> values --> csr_array

The pattern and the colouring are found once for a graph, and used again as long as what they rest
on (the nonzeros of constant matrices, index arrays) is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.derivatives.compressing import values_at
from wengert.derivatives.derive import forward, gradient
from wengert.derivatives.function import DerivativeFunction
from wengert.derivatives.marking import (
    Argnums,
    Marked,
    mark,
    output_nodes,
    scalar_output,
    split_aux,
    written,
)
from wengert.derivatives.mixed.linearised import linearised, segment
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import deliver, entered
from wengert.execution.programs import recall, remember
from wengert.graph.body import bodies
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, is_inexact
from wengert.graph.walk import topological
from wengert.lazy import module
from wengert.ops.leaves import capture
from wengert.sparse.colouring.result import Colouring
from wengert.sparse.detecting import (
    MOST_PLACES,
    DensePattern,
    Facts,
    commute,
    detect,
    detect_hessian,
)
from wengert.sparse.pattern import Pattern
from wengert.sparse.plan import Sparsity, as_pattern, contents_of
from wengert.sparse.recovery import probe
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten

SPARSE_MODES = ("auto", "forward", "reverse", "bidirectional")
METHODS = (*SPARSE_MODES, "symmetric")


def sparsity(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    of: str = "jacobian",
    method: str = "auto",
    substitution: bool = False,
    limit: int | None = None,
) -> Callable[..., Sparsity]:
    """The sparsity pattern of a Jacobian or Hessian, with the colours that compute it.

    Parameters
    ----------
    fun, argnums, has_aux
        As in `jacobian`.
    of
        "jacobian", or "hessian" of a scalar function.
    method
        "forward" (columns are coloured), "reverse" (rows), "bidirectional", "symmetric" (for a
        Hessian), or "auto": the cheapest, by what a pushforward and a pullback cost in this
        program.
    substitution
        For a Hessian: whether fewer products may hold sums of values, which are taken apart one
        after another (acyclic colouring); rounding then adds up.
    limit
        How many places the pattern may have, by default 2²⁸.

    Returns
    -------
    A function with the arguments of `fun`. It returns a `Sparsity`: `.pattern`, a `csr_array` of
    booleans of shape (outputs, inputs); `.structure`, (rows, columns), as IPOPT wants them of a
    Jacobian, and `.triangle()`, those of the lower triangle, as it wants them of a Hessian;
    `.products`, how many products of the derivative with vectors give all values; `.save(path)` and
    `wengert.Sparsity.load(path)`. Give it to `jacobian` or `hessian` as `pattern`.

    Rows and columns are the elements of the arrays in order; those of structures leaf by leaf,
    dicts by their sorted keys.

    Notes
    -----
    The pattern holds for all values of what is differentiated by that take the same way through
    Python's `if` and `while`, with the same index arrays, and with other arguments and captured
    matrices that are zero where they are now.

    Raises
    ------
    DensePattern
        A WengertValueError, where the pattern has more places than `limit`.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> found = wg.sparsity(lambda x: x[1:] * x[:-1])(np.zeros(1000))
    >>> found.products, found.pattern.nnz
    (2, 1998)

    Source: Hill and Dalle 2025, *Sparser, Better, Faster, Stronger: sparsity detection for
    efficient automatic differentiation*, TMLR.
    """
    if of not in ("jacobian", "hessian"):
        raise WengertValueError(f'of must be "jacobian" or "hessian", not {of!r}')
    if method not in METHODS:
        raise WengertValueError(f"the method must be one of {', '.join(METHODS)}, not {method!r}")
    options = {
        "argnums": argnums,
        "has_aux": has_aux,
        "of": of,
        "method": method,
        "substitution": substitution,
        "limit": MOST_PLACES if limit is None else limit,
        "name": "sparsity",
    }
    return DerivativeFunction(_sparsity, fun, options)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of derivatives to be computed: of the outputs by the inputs.

    kind: "jacobian", or "hessian"; then the outputs are the gradient.
    symmetric: whether it is for certain.
    """

    session: Session
    outputs: list[Node]
    inputs: list[Node]
    kind: str
    symmetric: bool

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return sum(n.size for n in self.outputs), sum(n.size for n in self.inputs)


def _sparsity(fun: Any, options: Any, args: Any, kwargs: Any) -> Sparsity:
    call = entered(flatten((args, kwargs))[0])
    with call as session:
        marked = mark(session, args, options["argnums"], "sparsity")
        value, _ = split_aux(fun(*marked.args, **kwargs), options["has_aux"], "sparsity")
        matrix = matrix_of(session, marked, value, options["of"], "sparsity")
        known = _known(session, marked, call.owner)
        return found_sparsity(
            matrix, options["method"], known, options["substitution"], options["limit"]
        )


def matrix_of(session: Session, marked: Marked, value: Any, kind: str, what: str) -> Matrix:
    """The Jacobian, or the Hessian, of what a function returned, by the marked leaves."""
    if kind == "jacobian":
        outputs, _ = output_nodes(value, session, what)
        if not outputs:
            raise WengertTypeError(
                f"{what} of a function that returns no array: is a return missing?"
            )
        return Matrix(session, outputs, marked.nodes, kind, False)
    output = scalar_output(value, session, what)
    slopes = gradient(output, marked.nodes)
    nodes = [written(slope, node) for slope, node in zip(slopes, marked.nodes, strict=True)]
    return Matrix(session, nodes, marked.nodes, kind, commute([output]))


def _known(session: Session, marked: Marked, owner: bool) -> Mapping[Node, Any] | None:
    """What patterns may rest on: values that hold for this call, those differentiated by aside.
    None inside another trace, whose program will meet other ones."""
    if not owner:
        return None
    mine = set(marked.nodes)
    return {node: value for node, value in session.values.items() if node not in mine}


def found_sparsity(
    matrix: Matrix,
    method: str,
    known: Mapping[Node, Any] | None,
    substitution: bool = False,
    most: int = MOST_PLACES,
) -> Sparsity:
    """Pattern and colours, from the cache where the graph and the facts are those of before."""
    how = (method, substitution, most, known is None, matrix.symmetric)
    key = ("sparsity", how, *matrix.outputs, None, *matrix.inputs)
    kept: tuple[Facts, Sparsity | str] | None = recall(key)
    if kept is None or (known is not None and not _is_right(*kept, known)):
        kept = _found(matrix, method, known, substitution, most)
        remember(key, kept, 1)
    facts, found = kept
    if isinstance(found, str):
        raise DensePattern(found, facts)
    return found


def _is_right(facts: Facts, found: Sparsity | str, known: Mapping[Node, Any]) -> bool:
    """Whether what was found is right for other constants: a pattern may have more places than
    there are nonzeros, but that there are too many of them must be so again."""
    return facts.stay(known) if isinstance(found, str) else facts.hold(known)


def _found(
    matrix: Matrix, method: str, known: Mapping[Node, Any] | None, substitution: bool, most: int
) -> tuple[Facts, Sparsity | str]:
    """What the pattern rests on, and the pattern with colours, or why there is none."""
    find_pattern = detect_hessian if matrix.symmetric else detect
    try:
        detected = find_pattern(matrix.outputs, matrix.inputs, known, most)
    except DensePattern as error:
        return error.facts, error.said
    return detected.facts, _coloured(matrix, detected.pattern, method, substitution)


@dataclass(slots=True, eq=False)
class Given:
    """A pattern that a user gave for a graph.

    pattern, contents: it, and what it held, where it may be changed.
    found: with colours: those that it came with, or new ones.
    probed: whether a product has shown that no place is missing.
    """

    pattern: Any
    contents: tuple[Any, ...]
    found: Sparsity
    probed: bool = False

    def holds(self, pattern: Any) -> bool:
        """Whether this is the same pattern, unchanged."""
        if self.pattern is not pattern:
            return False
        seen = contents_of(pattern)
        return len(seen) == len(self.contents) and all(map(np.array_equal, seen, self.contents))


def given_sparsity(matrix: Matrix, method: str, pattern: Any) -> Given:
    """The pattern that a user gives, with colours."""
    key = ("given", id(pattern), method, matrix.symmetric, *matrix.outputs, None, *matrix.inputs)
    kept: Given | None = recall(key)
    if kept is not None and kept.holds(pattern):
        return kept
    shapes = [tuple(node.shape for node in nodes) for nodes in (matrix.outputs, matrix.inputs)]
    places = as_pattern(pattern, matrix.shape, *shapes)
    # colours of a Hessian read one of two values that are the same there, and not in a Jacobian
    is_plan = isinstance(pattern, Sparsity) and pattern.kind in (matrix.kind, "jacobian")
    found = pattern if is_plan else _coloured(matrix, places, method, False)
    kept = Given(pattern, tuple(map(np.copy, contents_of(pattern))), found)
    remember(key, kept, 1)
    return kept


def _check_while_tracing(matrix: Matrix, given: Given) -> None:
    """An error where a pattern that was found lacks places of the program that is being traced: of
    another branch, or of index arrays that may be others at each call. Nothing is computed there
    that could be probed."""
    if given.probed:
        return
    session, mine = matrix.session, set(matrix.inputs)
    known = {
        node: value
        for node, value in session.values.items()
        if node not in mine and not node.args and (node.op is capture or is_inexact(node.dtype))
    }
    places = given.found.places
    find_pattern = detect_hessian if matrix.symmetric else detect
    try:
        own = find_pattern(matrix.outputs, matrix.inputs, known, places.nnz).pattern
        lacking = np.setdiff1d(_numbered(own), _numbered(places))
        row = None if not len(lacking) else int(lacking[0]) // max(places.shape[1], 1)
    except DensePattern:
        row = -1
    if row is not None:
        where = f"such as one of row {row}" if row >= 0 else "since it has more of them"
        raise WengertValueError(
            f"the pattern lacks places that this program may have, {where}: it was found for "
            "another branch of the function, or with index arrays that are arguments here, so that "
            "they may be others at each call. Find a pattern that holds for all calls (join those "
            "of the branches: a.pattern + b.pattern), and let the function capture its index arrays"
        )
    given.probed = True


def _numbered(places: Pattern) -> Any:
    """Each place as one number, ascending."""
    return places.rows.astype(np.int64) * places.shape[1] + places.indices


def _coloured(matrix: Matrix, places: Pattern, method: str, substitution: bool) -> Sparsity:
    """The cheapest colours, by the work of one pushforward and of one pullback."""
    graph = linearised(matrix.outputs, matrix.inputs)
    whole = segment(graph, graph.inputs, graph.outputs)
    colouring: Colouring = module("wengert.sparse.colouring.choosing").choose(
        places,
        whole.tangent + 1,
        whole.adjoint + 1,
        symmetric=matrix.symmetric,
        method=method,
        substitution=substitution,
    )
    for array in (colouring.columns, colouring.rows, colouring.source):
        array.flags.writeable = False  # nobody writes to them, so that no trace copies them
    return Sparsity(matrix.kind, places, colouring)


def sparse_result(
    call: entered, marked: Marked, matrix: Matrix, aux: Any, options: Mapping[str, Any]
) -> Any:
    """The sparse matrix, or its values, as `jacobian` and `hessian` return them, with the aux."""
    session, pattern, method = matrix.session, options["pattern"], options["mode"]
    only_values, given = options["sparse"] == "values", None
    if pattern is not None:
        given = given_sparsity(matrix, method, pattern)
        plan = given.found
        if isinstance(pattern, Sparsity) and not call.owner:
            _check_while_tracing(matrix, given)
    elif only_values:
        raise WengertValueError(
            'sparse="values" gives the values at the places of a pattern: say which, with '
            "pattern=wengert.sparsity(f)(x)"
        )
    else:
        plan = found_sparsity(matrix, method, _known(session, marked, call.owner))
    is_new = given is not None and not given.probed
    checked = _probe(matrix) if call.owner and (options["probe"] or is_new) else []
    values = values_at(
        session, matrix.outputs, matrix.inputs, plan.places, plan.colouring, method == "auto"
    )
    nodes = [Tracer(node, session) for node in (values, *checked)]
    found, aux = deliver(session, call.owner, (nodes, aux), marked.concrete)
    if checked:
        _compare(matrix, plan, *found)
        if given is not None:
            given.probed = True
    result = found[0]
    if not only_values:
        if type(result) is Tracer:
            raise WengertTypeError(
                "a SciPy matrix cannot be a value inside another transformation: take its values, "
                'with sparse="values" and pattern=wengert.sparsity(f)(x)'
            )
        result = plan.places.matrix(result)
    return (result, aux) if options["has_aux"] else result


def _probe(matrix: Matrix) -> list[Node]:
    """A random direction, and the product of the matrix with it."""
    rng = np.random.default_rng()
    session = matrix.session
    directions: list[Node] = []
    for node in matrix.inputs:
        v = rng.uniform(0.5, 1.5, node.shape) * rng.choice([-1.0, 1.0], node.shape)
        directions.append(session.capture(np.asarray(v, node.dtype)))
    found = forward(matrix.outputs, matrix.inputs, directions)
    products = [written(t, n) for t, n in zip(found, matrix.outputs, strict=True)]
    return [*directions, *products]


def _compare(matrix: Matrix, plan: Sparsity, values: Any, *parts: Any) -> None:
    """An error where the sparse matrix does not give the product that the program gives."""
    count = len(plan.places.inputs)
    v = np.concatenate([np.ravel(part) for part in parts[:count]])
    product = np.concatenate([np.ravel(part) for part in parts[count:]])
    unit = _coarsest([*matrix.outputs, *matrix.inputs])
    probe(plan.places, values, v, product, plan.kind.title(), unit)


def _coarsest(nodes: Sequence[Node]) -> float:
    """The unit of the coarsest precision that a program computes in."""
    unit = 0.0
    for node in topological(nodes):
        if isinstance(node.type, ArrayType) and is_inexact(node.dtype):
            unit = max(unit, float(np.finfo(node.dtype).eps))
        for body in bodies(node.params):
            unit = max(unit, _coarsest(body.outputs))
    return unit
