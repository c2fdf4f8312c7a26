"""`checkpoint`: a function that keeps nothing for its derivative, and is computed again there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.control.checkpointing import checkpoint as holder
from wengert.errors import WengertTypeError
from wengert.execution.border import deliver, entered
from wengert.flow.closures import There, held
from wengert.graph.body import body_of, is_constant, read_by
from wengert.graph.node import Node
from wengert.ops.arithmetic import convert
from wengert.ops.leaves import item
from wengert.tracing.forcing import check_inside
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten
from wengert.tracing.wrapping import Wrapped


def checkpoint(
    fun: Callable[..., Any], *, prevent_cse: bool = True, static_argnums: Sequence[int] | int = ()
) -> Callable[..., Any]:
    """A function whose intermediate values are not kept for its derivative, but computed again.

    Reverse mode keeps what a function computes until its derivative has read it. Of a function
    under `checkpoint` it keeps the arguments alone, and runs it again when its derivative is due:
    less memory, for the time of one more run.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays or structures of them, of any shapes and dtypes,
        and of whatever else it takes. It may read traced values from outside.
    prevent_cse, static_argnums
        Accepted for programs written for JAX: what is computed again is never taken for what was
        computed before, and arguments that are no arrays need not be named.

    Returns
    -------
    The function, with the same values and derivatives of all orders and modes. Outside of
    transformations it is called as it is.

    Raises
    ------
    WengertTypeError
        Where `fun` writes into an array that it is given or that is from outside, and its caller
        would not see it; or is no function.

    Notes
    -----
    Of a chain of n functions, √n groups of √n functions under `checkpoint` need memory for about
    2 √n of them instead of n. Groups may be nested; so may loops (`scan`), and the other way round.

    Source: Griewank & Walther 2008, *Evaluating Derivatives*, chapter 12.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> @wg.checkpoint
    ... def layer(w, x):
    ...     return np.tanh(w @ x)
    >>> w = np.eye(2) / 2
    >>> wg.grad(lambda x: np.sum(layer(w, layer(w, x))))(np.zeros(2))
    array([0.25, 0.25])
    """
    if not callable(fun):
        raise WengertTypeError(
            f"checkpoint needs a function, not {type(fun).__name__}: write checkpoint(f)(x), not "
            "checkpoint(f(x))"
        )
    return Checkpointed(fun)


class Checkpointed(Wrapped):
    """What `checkpoint` makes of a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, spec = flatten((args, kwargs))
        outside = held([self._function, leaves])
        if not outside:
            return self._function(*args, **kwargs)
        call = entered(outside)
        with call as session:
            return deliver(session, call.owner, self._traced(session, leaves, spec, outside))

    def _traced(
        self, session: Session, leaves: Sequence[Any], spec: Any, outside: Sequence[Tracer]
    ) -> Any:
        """The function is traced as it would be without `checkpoint`, on what it is given, so that
        Python sees the same values; what it made then becomes a body."""
        there = There(session, outside)
        before = [tracer.node for tracer in outside]
        own = [Tracer(x.node, session) if type(x) is Tracer else x for x in leaves]
        given = [x.node for x in own if type(x) is Tracer]
        args, kwargs = unflatten(spec, list(own))
        nested, session.running = session.running, True
        try:
            results, out_spec = flatten(self._function(*args, **kwargs))
        finally:
            session.running = nested
            inside = [x for x in own if type(x) is Tracer]
            self._refuse_writes([*outside, *inside], [*before, *given])
        nodes = [x.node for x in results if type(x) is Tracer]
        check_inside(session, nodes)
        made = [n for n in dict.fromkeys(nodes) if n.args and n not in there and not is_constant(n)]
        read = read_by(made, there, ())
        inputs = [*(n for n in dict.fromkeys(given) if n in read)]
        inputs += [n for n in read if n not in inputs]
        known: dict[Node, Node] = {}
        if inputs:
            one = holder(inputs, body_of(made, inputs))
            known = {node: _like(item(one, k), node) for k, node in enumerate(made)}
        found = [
            Tracer(known.get(x.node, x.node), session) if type(x) is Tracer else x for x in results
        ]
        return unflatten(out_spec, found)

    def _refuse_writes(self, tracers: Sequence[Tracer], before: Sequence[Node]) -> None:
        written = [
            (tracer, node)
            for tracer, node in zip(tracers, before, strict=True)
            if tracer.node is not node
        ]
        for tracer, node in written:
            tracer.node = node
        if written:
            raise WengertTypeError(
                f"{self.__name__} is under checkpoint and writes into a traced array "
                f"({written[0][1].type}) that it is given or that is from outside, which its "
                "caller would not see: let it copy the array first, and return it"
            )

    def _made_from(self) -> tuple[Any, ...]:
        return checkpoint, (self._function,)

    def __repr__(self) -> str:
        return f"<checkpoint of {getattr(self, '__qualname__', self.__name__)}>"


def _like(value: Node, node: Node) -> Node:
    """The value, as weak as the node: a Python number leaves the dtype of what it meets."""
    return convert(value, node.dtype, weak=True) if node.type.weak else value
