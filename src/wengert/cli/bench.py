"""`wengert bench`: what a function and its derivatives take."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any, TextIO

import click
import numpy as np

from wengert.cli.arguments import bound
from wengert.cli.asking import takes_function, takes_wrt
from wengert.cli.programs import loaded, running
from wengert.cli.telling import is_finite, say, say_json, working
from wengert.derivatives.gradients import grad, value_and_grad
from wengert.derivatives.jacobians import jacobian
from wengert.execution.jit import jit
from wengert.lazy import module
from wengert.tracing.trees import flatten

EPILOG = """\b
Examples:
  wengert bench program.py:loss --at "x=np.linspace(0, 1, 1000)"
  wengert bench program.py:L --at w1=2,w2=3 --quick --json

\b
The project's own yardstick, with its peers, is run in a checkout by `make bench`.
"""
_ENOUGH = {False: (21, 0.5), True: (3, 0.0)}
"""Rounds at the most, and the seconds after which no further one begins, if three are done."""
_LEAST_ROUND, _MOST_CALLS = 1e-3, 1000
_PARTS = 6
"""How many things are timed."""
_TOO_LONG = 2.0
"""Seconds of differences that nobody waits for: they are estimated from one evaluation."""


@click.command(epilog=EPILOG)
@takes_function
@takes_wrt
@click.option("--quick", is_flag=True, help="A few rounds only.")
def bench(target: str, at: tuple[str, ...], as_json: bool, wrt: str | None, quick: bool) -> None:
    """Time a function and its derivatives.

    The function, its gradient, both compiled, and differences: medians over several calls, for
    arguments that stay what they are. For a function that returns no single number, the Jacobian
    stands in the place of the gradient.
    """
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    argnums = arguments.argnums(wrt)
    function, values = arguments.function, arguments.values
    with (
        running(program.file, quiet=as_json),
        working("timing", as_json, _PARTS) as now,
        contextlib.ExitStack() as aside,
        np.errstate(divide="ignore", invalid="ignore"),  # what is not finite is told at the end
    ):
        kind = "gradient" if _is_number(function(*values)) else "Jacobian"
        # what the function prints has been seen once
        aside.enter_context(contextlib.redirect_stdout(aside.enter_context(_nowhere())))
        calls = _calls(function, argnums, kind)
        finite = is_finite(calls[kind](*values))
        seconds: dict[str, float] = {}
        for name, call in calls.items():
            now(f"timing: {name}")
            if "compiled" in name:
                seconds[f"{name}, first call"] = _once(call, values)
            seconds[name] = _median(call, values, quick)
        now("timing: differences")
        of, point = arguments.restricted(wrt)
        evaluations = 2 * sum(np.size(leaf) for leaf in flatten(point)[0])
        name = f"{kind} by differences, {evaluations} evaluations"
        if evaluations * seconds["function"] > _TOO_LONG:
            seconds[f"{name}, estimated"] = evaluations * seconds["function"]
        elif finite:  # differences refuse what is not
            seconds[name] = _median(lambda *at: _differences(of, at), point, quick)
    if as_json:
        names = [arguments.names[k] for k in arguments.chosen(wrt)]
        say_json({"function": program.name, "wrt": names, "seconds": seconds})
    else:
        say(_table(program.name, seconds))
        if seconds[kind] < seconds["function"]:
            click.echo(
                f"The {kind} takes less time than the function, which Python runs step by step: "
                "derivatives run as machine code from the second call on."
            )
    if not finite:
        click.echo(
            f"note: the {kind} is not finite, so there are no differences; "
            "`with wengert.debug_nans():` around it says where that comes from",
            err=True,
        )


def _calls(
    function: Callable[..., Any], argnums: int | tuple[int, ...], kind: str
) -> dict[str, Callable[..., Any]]:
    """What is timed, but for the differences."""
    found = {"function": function, "function, compiled": jit(function)}
    if kind == "gradient":
        both = value_and_grad(function, argnums)
        found["gradient"] = grad(function, argnums)
        found["value and gradient"] = both
        found["value and gradient, compiled"] = jit(value_and_grad(function, argnums))
    else:
        found["Jacobian"] = jacobian(function, argnums)
        found["Jacobian, compiled"] = jit(jacobian(function, argnums))
    return found


def _nowhere() -> TextIO:
    """Where a program may print what nobody reads."""
    return open(os.devnull, "w", encoding="utf-8")


def _is_number(value: Any) -> bool:
    leaves = flatten(value)[0]
    return len(leaves) == 1 and np.ndim(leaves[0]) == 0


def _differences(function: Callable[..., Any], point: tuple[Any, ...]) -> Any:
    differences_of = module("wengert.zeroth").finite_difference
    return differences_of(lambda at: function(*at), point).value


def _once(call: Callable[..., Any], values: tuple[Any, ...]) -> float:
    start = time.perf_counter()
    call(*values)
    return time.perf_counter() - start


def _median(call: Callable[..., Any], values: tuple[Any, ...], quick: bool) -> float:
    """Of several rounds, each of so many calls that the clock's own time does not count."""
    rounds, enough = _ENOUGH[quick]
    _once(call, values)  # what is made once, as a program that is kept, is not counted
    calls = max(1, min(_MOST_CALLS, int(_LEAST_ROUND / max(_once(call, values), 1e-9))))
    begun, times = time.perf_counter(), []
    while len(times) < 3 or (len(times) < rounds and time.perf_counter() - begun < enough):
        start = time.perf_counter()
        for _ in range(calls):
            call(*values)
        times.append((time.perf_counter() - start) / calls)
    return median(times)


def _table(name: str, seconds: dict[str, float]) -> Any:
    table = module("rich.table").Table(
        title=f"{name}, medians", title_justify="left", box=module("rich.box").SIMPLE_HEAD
    )
    table.add_column("")
    table.add_column("time", justify="right")
    table.add_column("as a multiple of the function", justify="right")
    for what, time_ in seconds.items():
        table.add_row(what, duration(time_), multiple(time_ / seconds["function"]))
    return table


def multiple(ratio: float) -> str:
    """A ratio in digits, of which three count.

    >>> multiple(0.0123), multiple(2.345), multiple(391234.0)
    ('0.0123', '2.35', '391,000')
    """
    return f"{float(f'{ratio:.3g}'):,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def duration(seconds: float) -> str:
    """A time in the unit that fits it.

    >>> duration(3.2e-6), duration(0.25)
    ('3.2 µs', '250 ms')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
