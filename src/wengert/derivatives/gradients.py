"""`grad` and `value_and_grad`: reverse mode for functions of one scalar output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.derivatives.function import DerivativeFunction
from wengert.derivatives.marking import (
    Argnums,
    Marked,
    mark,
    scalar_output,
    split_aux,
    traced,
)
from wengert.derivatives.within import gradient_within
from wengert.errors import WengertTypeError
from wengert.execution.border import deliver, entered
from wengert.execution.budget.amounts import Amount, in_bytes
from wengert.graph.node import Node
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten


def grad(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    memory: Amount | None = None,
) -> Callable[..., Any]:
    """The gradient of a scalar function, by reverse mode.

    Parameters
    ----------
    fun
        A function written with NumPy that returns one real scalar. Arguments are arrays, numbers,
        or structures of them (tuples, lists, dicts, dataclasses, named tuples).
    argnums
        Position or positions of the arguments to differentiate by, by default the first.
    has_aux
        Whether `fun` returns a pair (output, aux); aux is returned beside the gradient.
    holomorphic
        Whether `fun` is a holomorphic function of complex arguments, whose complex derivative is
        returned. Without it, the gradient of a real function of z = x + iy is ∂f/∂x − i ∂f/∂y.
    memory
        A budget of bytes, as a number or a text ("200MB", "1.5 GiB"): values of the function are
        then computed again rather than kept, as few as need be, so that the arrays that are there
        at one time (arguments, captured arrays, results, and all in between) take no more. See
        `memory_plan` for what it costs. Inside another transformation the budget of the outermost
        one counts.

    Returns
    -------
    A function with the arguments of `fun` that returns the gradient: the structure, shapes and
    dtypes of the argument (a tuple of them where `argnums` is a tuple), or a pair (gradient, aux).

    Raises
    ------
    WengertTypeError
        Where an argument has no derivatives (integers, strings), or the output is no real scalar.
    MemoryBudgetError
        Where no way is found to hold to the budget. Its `smallest` is the smallest one found.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.grad(lambda x: np.sum(np.sin(x) * x))(np.array([0.0, 1.0]))
    array([0.        , 1.38177329])
    >>> wg.grad(lambda w, b: w["a"] ** 2 * b, argnums=(0, 1))({"a": 3.0}, 2.0)
    ({'a': np.float64(12.0)}, np.float64(9.0))

    Notes
    -----
    At kinks a subgradient: 0 for abs and norms at 0, ties of max and min shared evenly.
    Source: Speelpenning 1980; Griewank & Walther 2008, *Evaluating Derivatives*, chapter 3.
    """
    options = {
        "argnums": argnums,
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "memory": None if memory is None else in_bytes(memory),
        "name": "grad",
    }
    return DerivativeFunction(_grad, fun, options)


def value_and_grad(
    fun: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    memory: Amount | None = None,
) -> Callable[..., Any]:
    """The value and the gradient of a scalar function, computed together.

    The arguments are those of `grad`. The function returned gives (value, gradient), or
    ((value, aux), gradient) with `has_aux`.

    >>> import wengert as wg
    >>> wg.value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))
    """
    options = {
        "argnums": argnums,
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "memory": None if memory is None else in_bytes(memory),
        "name": "value_and_grad",
    }
    return DerivativeFunction(_value_and_grad, fun, options)


def _grad(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    (_, aux), gradients = _both(fun, options, args, kwargs, with_value=False)
    return (gradients, aux) if options["has_aux"] else gradients


def _value_and_grad(fun: Any, options: Any, args: Any, kwargs: Any) -> Any:
    (value, aux), gradients = _both(fun, options, args, kwargs, with_value=True)
    return ((value, aux), gradients) if options["has_aux"] else (value, gradients)


def _both(
    fun: Any, options: Any, args: Any, kwargs: Any, with_value: bool
) -> tuple[tuple[Any, Any], Any]:
    """((value, aux), gradient); the value is None where nobody asks for it."""
    what = options["name"]
    call = entered(flatten((args, kwargs))[0])
    with call as session:
        marked = mark(session, args, options["argnums"], what)
        _check_domain(marked, options["holomorphic"], what)
        value, aux = split_aux(fun(*marked.args, **kwargs), options["has_aux"], what)
        output = scalar_output(value, session, what)
        _check_output(output, options["holomorphic"], what)
        budget = options["memory"] if call.owner else None
        output, nodes = gradient_within(output, marked.nodes, budget, with_value)
        shown = Tracer(output, session) if with_value else None
        result = ((shown, aux), traced(session, marked.spec, nodes))
        delivered: tuple[tuple[Any, Any], Any] = deliver(
            session, call.owner, result, marked.concrete, budget
        )
        return delivered


def _check_domain(marked: Marked, holomorphic: bool, what: str) -> None:
    for node in marked.nodes:
        if holomorphic and node.dtype.kind != "c":
            raise WengertTypeError(
                f"{what} with holomorphic=True needs complex arguments, not {node.type}; convert "
                "them with .astype(complex)"
            )


def _check_output(output: Node, holomorphic: bool, what: str) -> None:
    if holomorphic and output.dtype.kind != "c":
        raise WengertTypeError(
            f"{what} with holomorphic=True needs a complex output, not {output.type}"
        )
    if not holomorphic and output.dtype.kind == "c":
        raise WengertTypeError(
            f"{what} needs a real output, but the function returned {output.type}: take its real "
            "part or absolute value, or say holomorphic=True for a holomorphic function"
        )
