"""`wengert check`: derivatives of a function against differences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import numpy as np

from wengert.checking.gradients import MODES, WrongDerivative, check_grads
from wengert.cli.arguments import bound
from wengert.cli.asking import takes_function, takes_wrt
from wengert.cli.programs import loaded, running
from wengert.cli.telling import plain, say_json, working

EPILOG = """\b
Examples:
  wengert check program.py:L --at w1=2,w2=3
  wengert check program.py:loss --at "x=np.linspace(0, 1, 5)" --order 1 --modes rev
  wengert check program.py:L --at w1=2,w2=3 --wrt w1 --json

\b
The exit status is 0 where all agree, and 1 where some do not.
"""
_WORDS = {"fwd": "forward mode", "rev": "reverse mode"}


def _modes(_context: Any, _parameter: Any, text: str) -> tuple[str, ...]:
    modes = tuple(one.strip() for one in text.split(","))
    if wrong := [mode for mode in modes if mode not in MODES]:
        raise click.BadParameter(f"{wrong[0]!r} is no mode: there are {' and '.join(MODES)}")
    return modes


@click.command(epilog=EPILOG)
@takes_function
@takes_wrt
@click.option(
    "--order",
    type=click.IntRange(1, 4),
    default=2,
    show_default=True,
    help="Derivatives up to this order.",
)
@click.option(
    "--modes", default="fwd,rev", show_default=True, callback=_modes, help="fwd, rev, or both."
)
@click.option("--atol", type=click.FloatRange(0), help="Absolute tolerance.")
@click.option("--rtol", type=click.FloatRange(0), help="Relative tolerance.")
def check(
    target: str,
    at: tuple[str, ...],
    as_json: bool,
    wrt: str | None,
    order: int,
    modes: tuple[str, ...],
    atol: float | None,
    rtol: float | None,
) -> None:
    """Check derivatives against differences.

    Derivatives in random directions, by forward and by reverse mode, and of higher order by all
    combinations of the two. Where one disagrees, the operation is named whose rule is wrong, or
    that has a kink or a jump at this point.
    """
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    function, point = arguments.restricted(wrt)
    found: list[dict[str, Any]] = []
    checks = list(_checks(order, modes))
    with working("differences", quiet=as_json, parts=len(checks)) as now:
        for what, upto, by in checks:
            if upto > 1 and not all(one["agrees"] for one in found):
                break  # higher orders rest on the first
            now(what)
            wrong = None
            with (
                running(program.file, quiet=as_json),
                np.errstate(all="ignore"),
            ):  # it is told below
                try:
                    check_grads(function, point, order=upto, modes=by, atol=atol, rtol=rtol)
                except WrongDerivative as error:
                    wrong = error
            found.append({"what": what, "agrees": wrong is None, **_about(wrong)})
    agree = all(one["agrees"] for one in found)
    if as_json:
        names = [arguments.names[k] for k in arguments.chosen(wrt)]
        say_json({"function": program.name, "wrt": names, "agree": agree, "checks": found})
    else:
        for one in found:
            mark, colour = ("agrees ", "green") if one["agrees"] else ("differs", "red")
            click.echo(f"{click.style(mark, colour)}  {one['what']}")
        if agree:
            click.echo(f"{program.name}: derivatives agree with differences")
        else:
            first = next(one for one in found if not one["agrees"])
            click.echo(f"{program.name}: {first['message']}", err=True)
    if not agree:
        raise SystemExit(1)


def _about(wrong: WrongDerivative | None) -> dict[str, Any]:
    """What is said of a failure, and the operation to blame, where one was found."""
    if wrong is None:
        return {"message": None, "operation": None}
    culprit = wrong.culprit
    blamed = culprit and {
        "name": culprit.op,
        "kind": culprit.kind,
        "rules": culprit.rules,
        "place": culprit.place and {**plain(culprit.place), "text": culprit.place.text},
    }
    return {"message": str(wrong).partition("\n  at ")[0], "operation": blamed}


def _checks(order: int, modes: tuple[str, ...]) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """(what it is, the order, the modes): the modes one by one first, which says more."""
    for mode in modes:
        yield f"gradient by {_WORDS[mode]}", 1, (mode,)
    for upto in range(2, order + 1):
        yield f"order {upto} by {' and '.join(_WORDS[mode] for mode in modes)}", upto, modes
