"""`wengert explain`: every step of a function, in the terminal or as a page to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from wengert.cli.arguments import bound
from wengert.cli.asking import check_endings, takes_function, takes_wrt
from wengert.cli.programs import loaded, running
from wengert.cli.telling import is_finite, plain, say, say_json, working
from wengert.explaining import table
from wengert.explaining.report import Report, explained
from wengert.explaining.steps import Step

EPILOG = """\b
Examples:
  wengert explain program.py:L --at w1=2,w2=3
  wengert explain program.py:L --at w1=2,w2=3 --mode reverse
  wengert explain program.py:L --at w1=2,w2=3 --wrt w1
  wengert explain program.py:L --at w1=2,w2=3 --html out.html
  wengert explain program.py:loss --at "x=np.linspace(0, 1, 5)" --cost --why-slow
  wengert explain program.py:L --at w1=2,w2=3 --json
"""
_TABLES = {"forward": table.forward, "reverse": table.reverse}
_ABOUT = ("function", "inputs", "output", "outputs", "source", "first_line")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog=EPILOG)
@takes_function
@takes_wrt
@click.option("--html", type=_FILE, help="Write a page that steps through both modes to a file.")
@click.option("--svg", type=_FILE, help="Write the graph as a picture to a file.")
@click.option("--png", type=_FILE, help="Write the graph as a picture to a file.")
@click.option("--latex", is_flag=True, help="Print the steps as LaTeX.")
@click.option("--cost", is_flag=True, help="Print operations, bytes and memory, step by step.")
@click.option("--why-slow", is_flag=True, help="Print what costs most, and what to do about it.")
@click.option(
    "--mode",
    type=click.Choice(["both", "forward", "reverse"]),
    default="both",
    show_default=True,
    help="The table or the picture of one mode alone, in the order in which it computes.",
)
def explain(
    target: str,
    at: tuple[str, ...],
    as_json: bool,
    wrt: str | None,
    html: Path | None,
    svg: Path | None,
    png: Path | None,
    latex: bool,
    cost: bool,
    why_slow: bool,
    mode: str,
) -> None:
    """Show every elementary operation of a function.

    A table with a row for each operation: its value, its tangent in the direction of each input
    (forward mode), and its adjoint (reverse mode), with the chain rule written out. --html writes
    one file that needs no network, in which the steps of both modes can be gone through.
    """
    check_endings(html=html, svg=svg, png=png)
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    chosen = arguments.chosen(wrt)
    with (
        running(program.file, quiet=as_json),
        working("tracing", quiet=as_json) as now,
        np.errstate(divide="ignore", invalid="ignore"),  # what is not finite is told at the end
    ):
        report = explained(arguments.function, arguments.values, {}, wrt=chosen)
        written = []
        for path, what in ((html, "html"), (svg, "svg"), (png, "png")):
            if path is not None:
                now(f"drawing {path}")
                _write(report, what, path, None if mode == "both" else mode)
                written.append(str(path))
        document = _document(report, cost, why_slow, written) if as_json else {}
        if as_json and latex:
            document["latex"] = report.latex()
        shown: list[Any] = []
        if latex and not as_json:
            shown.append(report.latex())
        if cost:
            shown.append(report.cost)
        if why_slow:
            shown.append(report.why_slow)
        if not shown and not written:
            shown.append(report if mode == "both" else _TABLES[mode](report.steps))
    if as_json:
        say_json(document)
    else:
        say(*shown)
        for name in written:
            click.echo(f"wrote {name}")
    for line in _not_finite(report):
        click.echo(line, err=True)


def _not_finite(report: Report) -> Iterator[str]:
    """What is said of the first value, or else of the first derivative, that is not finite."""
    debug = "`with wengert.debug_nans():` around the derivative says where it comes from"
    for step in report.steps:
        if not is_finite(step.value):
            yield f"note: the value of {step.name} ({step.op}) is not finite; {debug}"
            return
    steps = tuple(report.steps)
    spoilt = [step for step in steps if not is_finite(step.tangents)]
    spoilt += [step for step in steps[::-1] if not is_finite(step.adjoint)]
    for step in spoilt[:1]:
        yield f"note: a derivative at {step.name} ({step.op}) is not finite; {debug}"


def _write(report: Report, what: str, path: Path, mode: str | None) -> None:
    try:
        if what == "svg":
            path.write_text(report.svg(mode), encoding="utf-8")
        elif what == "png":
            report.png(path, mode)
        else:
            report.html(path)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _step(step: Step) -> dict[str, Any]:
    """A step, its line with what it says."""
    found: dict[str, Any] = plain(step)
    if step.place is not None:
        found["place"]["text"] = step.place.text
    return found


def _document(report: Report, cost: bool, why_slow: bool, written: list[str]) -> dict[str, Any]:
    steps = report.steps
    found: dict[str, Any] = {
        **{name: getattr(steps, name) for name in _ABOUT},
        "steps": [_step(step) for step in steps],
        "forward": steps.forward,
        "reverse": steps.reverse,
        "written": written,
    }
    if cost:
        found["cost"] = report.cost
    if why_slow:
        found["why_slow"] = report.why_slow
    return found
