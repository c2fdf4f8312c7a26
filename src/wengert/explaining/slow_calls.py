"""What makes calls slow: traces, programs for each way that control flow takes, dense derivatives
of functions that have sparse ones."""

from __future__ import annotations

import inspect
import linecache
import os
from collections import Counter
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wengert.derivatives.function import DerivativeFunction
from wengert.derivatives.mixed.reporting import plan
from wengert.derivatives.sparse import sparsity
from wengert.errors import WengertError
from wengert.execution.jit import MOST_PATHS, Jitted
from wengert.explaining.cost import gradient_function
from wengert.explaining.findings import OF_CALL, Finding, lines
from wengert.explaining.recorded import Signature, recorded
from wengert.explaining.timing import in_seconds, measured
from wengert.explaining.tracing import traced
from wengert.tracing.observing import observed

if TYPE_CHECKING:
    from wengert.explaining.report import Report

MANY_SIGNATURES = 6
"""So many traces of one function are more than its kinds of arguments will be."""
LEAST_SAVED = 0.3
"""The part of a call's time that `jit` must save to be worth a word."""
LEAST_COLUMNS, FEW_PRODUCTS = 16, 0.5
"""Columns of a matrix of derivatives from which on sparsity pays, where products with vectors that
are at most such a part of them hold all of it."""


def retraces(function: Jitted) -> Iterator[Finding]:
    """Traces of a function under `jit`: one for each signature, and for each way through it."""
    try:
        found = recorded(function)
    except WengertError:
        return
    if len(found) >= MANY_SIGNATURES:
        why, cure = _differing(found)
        yield Finding(
            kind="re-traces",
            what=f"{len(found)} signatures were traced and compiled, since {why}",
            cure=cure,
        )
    full = [signature for signature in found if signature.is_full]
    if full:
        yield Finding(
            kind="re-traces",
            what=(
                f"{MOST_PATHS} ways through the function are recorded, and no more are: other ways "
                "are traced at each call"
            ),
            cure="np.where, wengert.cond or wengert.while_loop in place of control flow on values",
            share=1.0,
            of="of the calls that go another way",
        )


def _differing(found: tuple[Signature, ...]) -> tuple[str, str]:
    """(in what the signatures differ, what to do about it)."""
    if len({signature.static for signature in found}) == len(found):
        return "the static arguments differ", "pass what changes often as a traced argument"
    if len({signature.structure for signature in found}) > len(found) // 2:
        return (
            "the structures of the arguments differ",
            "pass arrays in place of lists and dicts whose lengths change",
        )
    if any(isinstance(leaf, tuple) for signature in found for leaf in signature.leaves):
        return (
            "shapes and dtypes of the arguments differ",
            "pad the arrays to a few sizes, or leave jit out where every call has another shape",
        )
    return "types of the arguments differ", "pass numbers of one type"


def guards(report: Report) -> Iterator[Finding]:
    """Control flow on values: each way that it takes is another program under `jit`."""
    function = report.function
    assert report.args is not None
    inner = function.__wrapped__ if isinstance(function, Jitted) else function
    with observed() as timeline:
        try:
            found = traced(inner, report.args, {}, report.steps.function)
        except WengertError:
            return
        places = [timeline.place(node) for node in found.guards]
    if found.guards:
        times = Counter(lines(places))
        yield _guarded(len(found.guards), tuple(times), _programs(function))


def recorded_guards(function: Callable[..., Any]) -> Iterator[Finding]:
    """The same of what a function under `jit` has recorded."""
    assert isinstance(function, Jitted)
    asked = [len(path.guards) for own in recorded(function) for path in own.paths]
    if any(asked):
        yield _guarded(max(asked), (), _programs(function))


def _guarded(count: int, where: tuple[str, ...], programs: int) -> Finding:
    asks = "asks for a value" if count == 1 else f"asks for {count} values"
    what = f"Python's control flow {asks}; under jit each way that it takes is a program"
    if programs:
        what += f", of which there are {programs} now"
    return Finding(
        kind="guards",
        what=what,
        cure=(
            "np.where or wengert.cond for a choice, wengert.while_loop for a loop until something "
            "holds; static_argnums for options"
        ),
        where=where,
    )


def _programs(function: Callable[..., Any]) -> int:
    if not isinstance(function, Jitted):
        return 0
    try:
        return sum(len(signature.paths) for signature in recorded(function))
    except WengertError:
        return 0


def traces_at_each_call(report: Report) -> Iterator[Finding]:
    """A derivative that is no `jit` function is traced at each call: what `jit` would save."""
    function, args = report.function, report.args
    assert args is not None
    if isinstance(function, Jitted):
        return
    name = report.steps.function
    is_derivative = isinstance(function, DerivativeFunction)
    derivative = function if is_derivative else gradient_function(function, args)
    if derivative is None:
        return
    name = "f" if name == "<lambda>" else name
    said = f"{name}" if is_derivative else f"value_and_grad({name})"
    try:
        now = _repeated(derivative, args)
        compiled = measured(derivative, None, args).function
    except WengertError:
        return
    saved = 1 - compiled / now
    if saved > LEAST_SAVED:
        yield Finding(
            kind="traced at each call",
            what=(
                f"{said} runs its Python at each call: measured, {in_seconds(now)} a call, and "
                f"{in_seconds(compiled)} under jit"
            ),
            cure=f"wengert.jit({said}), where the function is pure",
            share=saved,
            where=_definition(function),
            of=OF_CALL,
        )


def _definition(function: Callable[..., Any]) -> tuple[str, ...]:
    """The line that defines a function, "file:line: text"."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ()
    text = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return (f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}: {text}",)


def _repeated(call: Callable[..., Any], args: tuple[Any, ...]) -> float:
    """Seconds of a call when its graph is known and compiled: the least of some."""
    call(*args)
    call(*args)
    best = float("inf")
    for _ in range(3):
        start = perf_counter()
        call(*args)
        best = min(best, perf_counter() - start)
    return best


_DENSE = {"jacobian": "jacobian", "jacfwd": "jacobian", "jacrev": "jacobian", "hessian": "hessian"}


def dense_derivatives(report: Report) -> Iterator[Finding]:
    """A dense Jacobian or Hessian whose pattern has few colours."""
    function, args = report.function, report.args
    assert args is not None
    if isinstance(function, Jitted):
        function = function.__wrapped__
    if not isinstance(function, DerivativeFunction):
        return
    options = function.options
    of = _DENSE.get(options["name"])
    if of is None or options.get("sparse") or options.get("has_aux"):
        return
    try:
        found = sparsity(function.__wrapped__, options["argnums"], of=of)(*args)
    except WengertError:  # no pattern is found, or a dense one
        return
    dense = min(found.shape) if of == "jacobian" else found.shape[1]
    if dense < LEAST_COLUMNS or found.products > FEW_PRODUCTS * dense:
        return
    rows, columns = found.shape
    products = "one product" if found.products == 1 else f"{found.products} products"
    passes = _passes(function, args) if of == "jacobian" else dense
    more = passes is not None and passes > found.products
    made = f", and {passes} are computed" if more else ""
    zeros = 1 - found.nnz / (rows * columns)
    yield Finding(
        kind="dense derivative",
        what=(
            f"the {of} of {rows} × {columns} is dense, and {found.nnz:,} of its {rows * columns:,} "
            f"entries can be nonzero: {products} with vectors would hold them all{made}"
        ),
        cure=f"wengert.{of}(f, sparse=True), which gives a scipy.sparse array",
        share=1 - found.products / passes if passes and more else zeros,
        where=_definition(function) or (repr(function),),
        of="of the products" if passes and more else "of the entries, which are zero",
    )


def _passes(function: DerivativeFunction, args: tuple[Any, ...]) -> int | None:
    """How many products a dense Jacobian is made from; None where nobody knows."""
    options = function.options
    mode = {"jacfwd": "forward", "jacrev": "reverse"}.get(options["name"], options.get("mode"))
    try:
        return plan(function.__wrapped__, options["argnums"], mode=mode)(*args).chosen.passes
    except WengertError:
        return None
