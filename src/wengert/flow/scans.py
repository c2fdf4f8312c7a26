"""Loops of known length: `scan` and `fori_loop`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.control.scanning import scan as scan_op
from wengert.control.segmenting import scan_within
from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import deliver, entered
from wengert.execution.budget.amounts import in_bytes
from wengert.flow.bodies import check_same, same_structure, settled, shaped, traced
from wengert.flow.whiles import while_loop
from wengert.graph.body import body_of, invariant
from wengert.graph.node import Node
from wengert.graph.types import ArrayType
from wengert.ops.arithmetic import convert
from wengert.ops.leaves import item
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
    memory: int | str | None = None,
) -> tuple[Any, Any]:
    """A loop that carries a value and collects results: one operation, however many steps.

    Parameters
    ----------
    f
        The step: (carry, x) -> (carry, y), of arrays or structures of them. The carry keeps its
        structure and shapes. It may read traced values from outside.
    init
        The first carry.
    xs
        What the steps are given: a structure of arrays whose first axes are the steps, or None.
    length
        The number of steps, needed where `xs` has no arrays.
    reverse
        Whether the steps run from the last to the first.
    unroll
        Accepted for programs written for JAX; the compiler decides.
    memory
        What reverse mode may keep of the steps at most, in bytes or as "200MB"; by default all that
        it reads. Within a limit it keeps carries at some steps, and computes others again, as few
        as can be (see `checkpoint`).

    Returns
    -------
    (the last carry, ys): the ys of all steps, stacked along a new first axis.

    Raises
    ------
    WengertTypeError
        Where the carry changes its structure or shape, or Python asks for a value inside the step.
    WengertValueError
        Where arrays in `xs` differ in length, or nothing fits into `memory`; the error says what
        would.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 1., 3.]))
    >>> wg.grad(lambda a: wg.scan(lambda c, _: (a * c, None), 1.0, length=3)[0])(2.0)
    np.float64(12.0)

    A thousand steps, of which no more than 2 kB are kept:

    >>> def orbit(a):
    ...     return wg.scan(lambda c, _: (np.sin(a * c), None), 1.0, length=1000, memory="2kB")[0]
    >>> wg.grad(orbit)(2.0)
    np.float64(-0.1845814...)
    """
    steps, xs_spec = flatten(xs)
    count = number_of_steps(steps, length)
    start, spec = flatten(init)
    call = entered([*start, *steps])
    with call as session:
        given = [lift(leaf, session) for leaf in steps]

        def trace(types: Sequence[ArrayType]) -> tuple[Any, Sequence[Node]]:
            kinds = [*types, *map(shaped, given)]
            found = traced(session, lambda c, x: _pair(f(c, x)), (spec, xs_spec), kinds)
            carry_spec = found.spec.child(0)
            same_structure(spec, carry_spec, "scan")
            return found, found.outputs[: len(start)]

        begin, found, carry = settled([lift(leaf, session) for leaf in start], trace)
        outputs = [*check_same(begin, carry, "scan"), *found.outputs[len(begin) :]]
        free = invariant(outputs, found.params)
        body = body_of(outputs, [*free, *found.params], found.params)
        held = scan_op(body, free, begin, given, count, bool(reverse))
        nodes = [item(held, k) for k in range(len(outputs))]
        if memory is not None and count > 0:
            nodes = scan_within(held, in_bytes(memory))
        pair = unflatten(found.spec, [Tracer(node, session) for node in nodes])
        return deliver(session, call.owner, pair)


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise WengertTypeError(
            "the function given to scan must return a pair (carry, y), not "
            f"{type(result).__name__}: return (carry, None) where there is nothing to collect"
        )
    return result[0], result[1]


def number_of_steps(steps: Sequence[Any], length: int | None) -> int:
    """The number of steps."""
    for leaf in steps:
        if np.ndim(leaf) == 0:
            raise WengertValueError("scan maps over the first axis of xs, and a leaf has no axes")
    found = {np.shape(leaf)[0] for leaf in steps}
    if length is not None:
        found.add(int(length))
    if len(found) != 1:
        what = f"lengths {sorted(found)}" if found else "no length"
        raise WengertValueError(
            f"scan is given {what}: the arrays in xs, and `length`, must agree on one"
        )
    (count,) = found
    if count < 0:
        raise WengertValueError(f"length must not be negative, as {count} is")
    return int(count)


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`for i in range(lower, upper): value = body_fun(i, value)` as one operation.

    Parameters
    ----------
    lower, upper
        Integers; traced ones make a loop of unknown length.
    body_fun
        (i, value) -> value, of the same structure and shapes.
    init_val
        The first value.

    Examples
    --------
    >>> import wengert as wg
    >>> wg.grad(lambda x: wg.fori_loop(0, 3, lambda i, v: v * x, 1.0))(2.0)
    np.float64(12.0)
    """
    if isinstance(lower, Tracer) or isinstance(upper, Tracer):
        last = while_loop(
            lambda state: state[0] < upper,
            lambda state: (state[0] + 1, body_fun(_counter(state[0]), state[1])),
            (lower, init_val),
        )
        return last[1]
    steps = np.arange(int(lower), max(int(lower), int(upper)))
    return scan(lambda value, i: (body_fun(_counter(i), value), None), init_val, steps)[0]


def _counter(i: Tracer) -> Tracer:
    """The number of a step, which leaves the dtype of what it meets as Python's own does."""
    return Tracer(convert(i.node, i.dtype, weak=True), i.session)
