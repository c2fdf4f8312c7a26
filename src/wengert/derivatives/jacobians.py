"""Whole derivative matrices: `jacfwd`, `jacrev`, `jacobian`, `hessian`, and `hvp`.

A Jacobian is a pushforward or a pullback batched over the unit vectors of its seeds: one pass with
matrix products where a single direction has matrix–vector products. Forward mode costs as many
directions as the input has elements, reverse mode as many as the output has, mixed mode about as
many as the narrowest place between them has; `jacobian` takes the cheapest one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.derivatives.derive import forward, gradient, once
from wengert.derivatives.directional import tangent_nodes
from wengert.derivatives.function import DerivativeFunction
from wengert.derivatives.marking import (
    Argnums,
    mark,
    need_function,
    output_nodes,
    scalar_output,
    split_aux,
    traced,
    written,
)
from wengert.derivatives.mixed.evaluating import Blocks
from wengert.derivatives.mixed.planning import MODES, blocks_by, planned, without_plan
from wengert.derivatives.mixed.single import by_single_mode, shaped
from wengert.derivatives.sparse import SPARSE_MODES, matrix_of, sparse_result
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import deliver, entered
from wengert.execution.retrying import retried
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import is_inexact
from wengert.sparse.detecting import commute
from wengert.tracing.session import need_session
from wengert.tracing.trees import flatten, unflatten


def jacobian(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    mode: str = "auto",
    sparse: bool | str = False,
    pattern: Any = None,
    probe: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function of arrays, dense or sparse, by the cheapest mode.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays or structures of them, returning the same.
    argnums
        Position or positions of the arguments to differentiate by.
    has_aux
        Whether `fun` returns a pair (output, aux).
    holomorphic
        Whether `fun` is holomorphic, of complex arguments.
    mode
        "forward", "reverse", "mixed", "elimination", or "auto". Mixed mode goes through what is
        narrower than the arguments and the outputs, where the function has such a waist.
        Elimination is for programs of a few hundred numbers. "auto" takes these where they are
        estimated at less than half of the better single mode, and else the single mode whose
        program is less work: under `jit`, and where there is much to do, the programs of both are
        compared. `plan` shows what is chosen, and why.

        For sparse results: "forward" (columns are coloured), "reverse" (rows), "bidirectional", or
        "auto".
    sparse
        True for a `scipy.sparse.csr_array` of shape (outputs, inputs): all elements of the outputs
        one after another, by all elements of the arguments. "values" for its values alone, at the
        places of `pattern`, row by row: they can be traced, as by `jit`.
    pattern
        Where the Jacobian may be nonzero: what `sparsity` returned, a SciPy sparse matrix, an array
        of booleans, or (rows, columns). By default it is found from the graph. A pattern that is
        given is probed with a random direction where it meets a program for the first time, but for
        calls inside another transformation, which has no values: call it once outside of `jit`.
    probe
        Whether a sparse Jacobian is probed at each call, at the cost of one more pushforward.

    Returns
    -------
    A function with the arguments of `fun`. Its result has the structure of the output, each leaf
    replaced by the structure of the argument (or a tuple of them), each leaf of which is an array
    of shape output.shape + argument.shape; or it is one sparse matrix.

    Raises
    ------
    WengertValueError
        Where a pattern has another shape than the Jacobian, or misses a place and is probed.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.jacobian(lambda x: np.stack([x[0] * x[1], x[0] ** 2, x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [4., 0.],
           [0., 1.]])
    >>> wg.jacobian(np.diff, sparse=True)(np.arange(1000.0))
    <Compressed Sparse Row sparse array of dtype 'float64'
        with 1998 stored elements and shape (999, 1000)>

    Source: Griewank & Walther 2008, *Evaluating Derivatives*, sections 3 and 8.
    """
    modes = SPARSE_MODES if sparse else MODES
    if mode not in modes:
        raise WengertValueError(f"mode must be one of {', '.join(modes)}, not {mode!r}")
    options = {
        "argnums": argnums,
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "mode": mode,
        "sparse": _checked_sparse(sparse, pattern, probe),
        "pattern": pattern,
        "probe": probe,
        "name": "jacobian",
    }
    return DerivativeFunction(_jacobian, fun, options)


def jacfwd(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian by forward mode: for functions of few inputs. See `jacobian`.

    >>> import numpy as np, wengert as wg
    >>> wg.jacfwd(lambda t: np.stack([np.cos(t), np.sin(t)]))(0.0)
    array([0., 1.])
    """
    return _pure("jacfwd", "forward", fun, argnums, has_aux, holomorphic)


def jacrev(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian by reverse mode: for functions of few outputs. See `jacobian`.

    >>> import numpy as np, wengert as wg
    >>> wg.jacrev(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    return _pure("jacrev", "reverse", fun, argnums, has_aux, holomorphic)


def hessian(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    sparse: bool | str = False,
    pattern: Any = None,
    probe: bool = False,
) -> Callable[..., Any]:
    """The Hessian of a scalar function: forward mode over reverse mode.

    The arguments are those of `jacobian`. For an argument of shape s the result has shape s + s;
    for structures it is a structure of structures, as in JAX. A sparse Hessian is one `csr_array`
    of shape (n, n), from as many products with vectors as a star colouring of its pattern has
    colours.

    >>> import numpy as np, wengert as wg
    >>> wg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    >>> wg.hessian(lambda x: np.sum(np.diff(x) ** 4), sparse=True)(np.arange(3.0)).toarray()
    array([[ 12., -12.,   0.],
           [-12.,  24., -12.],
           [  0., -12.,  12.]])

    Source: Gebremedhin, Tarafdar, Manne, Pothen 2007, *New acyclic and star coloring algorithms
    with application to computing Hessians*.
    """
    options = {
        "argnums": argnums,
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "mode": "auto",
        "sparse": _checked_sparse(sparse, pattern, probe),
        "pattern": pattern,
        "probe": probe,
        "name": "hessian",
    }
    return DerivativeFunction(_hessian, fun, options)


def _checked_sparse(sparse: bool | str, pattern: Any, probe: bool) -> bool | str:
    if not isinstance(sparse, bool) and sparse != "values":
        raise WengertValueError(f'sparse must be True, False or "values", not {sparse!r}')
    if not sparse and (pattern is not None or probe):
        raise WengertValueError('a pattern, and its probe, are for sparse=True or "values"')
    return sparse


def _pure(
    name: str,
    mode: str,
    fun: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    holomorphic: bool,
) -> Callable[..., Any]:
    options = {
        "argnums": argnums,
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "mode": mode,
        "sparse": False,
        "name": name,
    }
    return DerivativeFunction(_jacobian, fun, options)


def _jacobian(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    what = options["name"]
    call = entered(flatten((args, kwargs))[0])
    with call as session:
        marked = mark(session, args, options["argnums"], what)
        value, aux = split_aux(fun(*marked.args, **kwargs), options["has_aux"], what)
        outputs, spec = output_nodes(value, session, what)
        _check_kinds(marked.nodes, outputs, options["holomorphic"])
        if options["sparse"]:
            matrix = matrix_of(session, marked, value, "jacobian", what)
            return sparse_result(call, marked, matrix, aux, options)
        blocks = _blocks(outputs, marked.nodes, options["mode"])
        result = unflatten(spec, [traced(session, marked.spec, row) for row in blocks])
        full = (result, aux) if options["has_aux"] else result
        return deliver(session, call.owner, full, marked.concrete)


def _hessian(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    call = entered(flatten((args, kwargs))[0])
    with call as session:
        marked = mark(session, args, options["argnums"], "hessian")
        value, aux = split_aux(fun(*marked.args, **kwargs), options["has_aux"], "hessian")
        outputs, spec = output_nodes(value, session, "hessian")
        _check_kinds(marked.nodes, outputs, options["holomorphic"])
        inputs = marked.nodes
        if options["sparse"]:
            matrix = matrix_of(session, marked, value, "hessian", "hessian")
            return sparse_result(call, marked, matrix, aux, options)
        slopes = [slope for row in _blocks(outputs, inputs, "reverse") for slope in row]
        is_scalar = [output.shape for output in outputs] == [()]
        symmetric = is_scalar and commute(outputs)
        blocks = _blocks(slopes, inputs, "auto" if is_scalar else "forward", symmetric)
        rows = [traced(session, marked.spec, row) for row in blocks]
        count = len(inputs)
        parts = [
            unflatten(marked.spec, rows[k * count : (k + 1) * count]) for k in range(len(outputs))
        ]
        result = unflatten(spec, parts)
        full = (result, aux) if options["has_aux"] else result
        return deliver(session, call.owner, full, marked.concrete)


def _check_kinds(inputs: Sequence[Node], outputs: Sequence[Node], holomorphic: bool) -> None:
    """Which complex Jacobians mean something: of holomorphic functions."""
    is_complex = any(node.dtype.kind == "c" for node in (*inputs, *outputs))
    if holomorphic and not all(node.dtype.kind == "c" for node in (*inputs, *outputs)):
        raise WengertTypeError("holomorphic=True needs complex arguments and complex outputs")
    if is_complex and not holomorphic:
        raise WengertTypeError(
            "the Jacobian of a function with complex arguments or outputs is defined by a complex "
            "matrix only where the function is holomorphic: say holomorphic=True, or differentiate "
            "the real and imaginary parts"
        )


def _blocks(
    outputs: Sequence[Node], inputs: Sequence[Node], mode: str, symmetric: bool = False
) -> list[list[Node]]:
    """One array of shape output.shape + input.shape for every output and input.

    symmetric: whether the outputs are the gradient of a function by the inputs.
    """
    closely = need_session().guarded
    count = len(inputs)

    def make() -> list[Tangent]:
        single = without_plan(outputs, inputs) if mode == "auto" else mode
        if single not in ("forward", "reverse"):
            choice = planned(outputs, inputs, mode, symmetric, closely)
            single = choice.chosen.name
            if single == "coloured":
                return []
            if single not in ("forward", "reverse"):
                return _in_order(blocks_by(choice, outputs, inputs), outputs, inputs)
        return [block for row in by_single_mode(single, outputs, inputs) for block in row]

    flat = once(("blocks", mode, symmetric, closely, *outputs, None, *inputs), make)
    if not flat and count and outputs:  # by colours, which are arrays that each trace reads anew
        choice = planned(outputs, inputs, mode, symmetric, closely)
        flat = _in_order(blocks_by(choice, outputs, inputs), outputs, inputs)
    return [flat[k * count : (k + 1) * count] for k in range(len(outputs))]


def _in_order(made: Blocks, outputs: Sequence[Node], inputs: Sequence[Node]) -> list[Tangent]:
    """The blocks of each output by each input, in its shape."""
    return [
        _like(shaped(made.get((output, node)), output, node), output)
        for output in outputs
        for node in inputs
    ]


def _like(block: Node, output: Node) -> Node:
    """In the precision of the output, as forward mode gives it."""
    if not is_inexact(output.dtype):
        return block
    found: Node = find("convert")(block, output.dtype)
    return found


@retried
def hvp(fun: Callable[..., Any], x: Any, v: Any, *args: Any) -> Any:
    """The Hessian of a scalar function at x times v, without the Hessian: forward over reverse.

    Parameters
    ----------
    fun
        A scalar function written with NumPy, of an array or a structure of them.
    x, v
        The point and the direction, of one structure and of the same shapes.
    args
        Further arguments of `fun`, held constant.

    Returns
    -------
    The product, in the structure, shapes and dtypes of x, at a small multiple of the cost of `fun`.

    >>> import numpy as np, wengert as wg
    >>> wg.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])

    Source: Pearlmutter 1994, *Fast exact multiplication by the Hessian*.
    """
    need_function(fun, "hvp")
    call = entered(flatten((x, v, args))[0])
    with call as session:
        marked = mark(session, (x, *args), 0, "hvp")
        output = scalar_output(fun(*marked.args), session, "hvp")
        directions, given = tangent_nodes(session, v, marked, "the vector of hvp")
        first = [
            written(t, n) for t, n in zip(gradient(output, marked.nodes), marked.nodes, strict=True)
        ]
        second = forward(first, marked.nodes, directions)
        nodes = [written(t, n) for t, n in zip(second, marked.nodes, strict=True)]
        return deliver(
            session, call.owner, traced(session, marked.spec, nodes), [*marked.concrete, *given]
        )
