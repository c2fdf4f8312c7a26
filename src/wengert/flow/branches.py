"""`cond` and `switch`: branches of which one runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.control.branching import branch
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import deliver, entered
from wengert.flow.bodies import Traced, common, same_structure, strong, traced
from wengert.flow.closures import There
from wengert.graph.body import body_of, read_by
from wengert.graph.node import Node
from wengert.graph.types import INT
from wengert.ops.arithmetic import convert
from wengert.ops.leaves import item
from wengert.tracing.forcing import as_bool
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
) -> Any:
    """`true_fun(*operands) if pred else false_fun(*operands)` where the program decides.

    Parameters
    ----------
    pred
        A boolean or number without axes.
    true_fun, false_fun
        Functions of the operands that return the same structure, of the same shapes. They may read
        traced values from outside. Only the chosen one runs.
    operands
        Arrays, numbers, or structures of them.

    Returns
    -------
    What the chosen function returns.

    Notes
    -----
    Under `vmap` with a `pred` that differs, both run, and each instance takes its own.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> f = wg.jit(lambda x: wg.cond(x > 0, np.log, lambda x: -x, x))
    >>> f(1.0), wg.grad(f)(2.0), wg.grad(f)(-2.0)
    (np.float64(0.0), np.float64(0.5), np.float64(-1.0))
    """
    if np.shape(pred) != ():
        raise WengertTypeError(
            f"cond needs one truth value, and pred has the shape {np.shape(pred)}: use np.where "
            "for a choice element by element, or vmap"
        )
    return _choose("cond", pred, (false_fun, true_fun), operands)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)` where the program decides; an index out of range means the first
    or the last.

    >>> import numpy as np, wengert as wg
    >>> wg.switch(1, [np.sin, np.cos, np.exp], 0.0)
    np.float64(1.0)
    """
    if not branches:
        raise WengertValueError("switch needs at least one branch")
    if np.shape(index) != () or np.asarray(getattr(index, "dtype", index)).dtype.kind in "fc":
        raise WengertTypeError("switch needs an integer index without axes")
    return _choose("switch", index, tuple(branches), operands)


def _choose(
    what: str, index: Any, functions: Sequence[Callable[..., Any]], operands: Sequence[Any]
) -> Any:
    leaves, spec = flatten(tuple(operands))
    call = entered([index, *leaves])
    with call as session:
        given = [strong(lift(leaf, session)) for leaf in leaves]
        chosen = lift(index, session)
        chosen = as_bool(chosen) if what == "cond" else chosen
        there = There(session, functions)
        found = [
            traced(session, function, spec.children(), [node.type for node in given])
            for function in functions
        ]
        for other in found[1:]:
            same_structure(found[0].spec, other.spec, what)
        outputs = _alike(found, what)
        free = list(
            dict.fromkeys(
                node
                for own, nodes in zip(found, outputs, strict=True)
                for node in read_by(nodes, there, own.params)
            )
        )
        bodies = [
            body_of(nodes, [*free, *own.params], own.params)
            for own, nodes in zip(found, outputs, strict=True)
        ]
        chosen_one = branch(convert(chosen, INT), [*free, *given], *bodies)
        results = [Tracer(item(chosen_one, k), session) for k in range(len(outputs[0]))]
        return deliver(session, call.owner, unflatten(found[0].spec, results))


def _alike(found: Sequence[Traced], what: str) -> list[list[Node]]:
    """The results of all functions, of common dtypes."""
    columns = []
    for k, column in enumerate(zip(*(own.outputs for own in found), strict=True)):
        if len({node.shape for node in column}) > 1:
            kinds = ", ".join(str(node.type) for node in column)
            raise WengertTypeError(
                f"the functions given to {what} must return the same shapes; leaf {k}: {kinds}"
            )
        dtype = common([node.type for node in column], column[0].shape).dtype
        columns.append([convert(node, dtype) for node in column])
    return [list(row) for row in zip(*columns, strict=True)] or [[] for _ in found]
