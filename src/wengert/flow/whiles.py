"""`while_loop`: a loop that runs as long as a condition on its values holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.control.repeating import repeat
from wengert.errors import WengertTypeError
from wengert.execution.border import deliver, entered
from wengert.flow.bodies import check_same, same_structure, settled, traced
from wengert.graph.body import body_of, invariant
from wengert.graph.node import Node
from wengert.graph.types import BOOL, ArrayType
from wengert.ops.leaves import item
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten


def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any
) -> Any:
    """`while cond_fun(value): value = body_fun(value)` as one operation, in both modes.

    Parameters
    ----------
    cond_fun
        value -> a boolean scalar.
    body_fun
        value -> value, of the same structure and shapes. Both may read traced values from outside.
    init_val
        The first value: an array, a number, or a structure of them.

    Returns
    -------
    The last value.

    Raises
    ------
    WengertTypeError
        Where the condition is no boolean scalar, or the value changes its structure or shape.

    Notes
    -----
    Reverse mode keeps what each step leaves for it, so that its memory grows with the number of
    steps; the derivative is that of the steps that were taken.

    Examples
    --------
    >>> import wengert as wg
    >>> wg.grad(lambda x: wg.while_loop(lambda v: v < 100, lambda v: v * x, 1.0))(3.0)
    np.float64(405.0)
    """
    start, spec = flatten(init_val)
    call = entered(start)
    with call as session:

        def trace(types: Sequence[ArrayType]) -> tuple[Any, Sequence[Node]]:
            found = traced(session, body_fun, (spec,), types)
            same_structure(spec, found.spec, "while_loop")
            return found, found.outputs

        begin, found, carry = settled([lift(leaf, session) for leaf in start], trace)
        outputs = check_same(begin, carry, "while_loop")
        asked = traced(session, cond_fun, (spec,), [node.type for node in begin])
        if len(asked.outputs) != 1 or asked.outputs[0].shape or asked.outputs[0].dtype != BOOL:
            kinds = ", ".join(str(node.type) for node in asked.outputs)
            raise WengertTypeError(
                f"the condition of while_loop must return one boolean, not ({kinds})"
            )
        of_body = invariant(outputs, found.params)
        of_condition = invariant(asked.outputs, asked.params)
        held = repeat(
            body_of(asked.outputs, [*of_condition, *asked.params], asked.params),
            body_of(outputs, [*of_body, *found.params], found.params),
            of_condition,
            of_body,
            begin,
        )
        results = [Tracer(item(held, k), session) for k in range(len(begin))]
        return deliver(session, call.owner, unflatten(spec, results))
