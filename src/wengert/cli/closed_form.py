"""`wengert closed-form`: gradient and Hessian as formulas."""

from __future__ import annotations

from typing import Any

import click

from wengert.cli.arguments import bound, nearest
from wengert.cli.asking import takes_function
from wengert.cli.programs import loaded, running
from wengert.cli.telling import say, say_json, working
from wengert.errors import WengertValueError
from wengert.lazy import module

EPILOG = """\b
Examples:
  wengert closed-form program.py:residual --at "x=[1, 2]"
  wengert closed-form program.py:quadratic --at "x=[1, 2],P=np.eye(2)" --assume P=symmetric
  wengert closed-form program.py:residual --at "x=[1, 2]" --latex
  wengert closed-form program.py:residual --at "x=[1, 2]" --numpy
  wengert closed-form program.py:residual --at "x=[1, 2]" --json
"""


@click.command("closed-form", epilog=EPILOG)
@takes_function
@click.option(
    "--wrt", metavar="NAME", help="The argument to differentiate by.  [default: the first]"
)
@click.option(
    "assumed",
    "--assume",
    multiple=True,
    metavar="NAME=PROPERTY",
    help="What is known of an array, as P=symmetric or y=signs; may be given several times.",
)
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@click.option("--numpy", "as_numpy", is_flag=True, help="Print NumPy source that runs.")
def closed_form(
    target: str,
    at: tuple[str, ...],
    as_json: bool,
    wrt: str | None,
    assumed: tuple[str, ...],
    latex: bool,
    as_numpy: bool,
) -> None:
    """Derive gradient and Hessian as formulas.

    The function is traced, differentiated by differentials, and brought to its shortest form. What
    is printed has been compared with automatic differentiation at random points.
    """
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    known: dict[str, tuple[str, ...]] = {}
    for name, what in map(_assumption, assumed):
        known[name] = (*known.get(name, ()), what)
    if wrt is not None:
        arguments.chosen(wrt)
    with running(program.file, quiet=as_json), working("deriving", quiet=as_json):
        closed = module("wengert.explaining.closed.form")
        try:
            form = closed.closed_form(
                arguments.function, *arguments.values, wrt=wrt, assume=known or None
            )
        except WengertValueError as error:
            about, _, message = str(error).partition("\n  at ")[0].partition("assume: ")
            if about:
                raise
            facts = module("wengert.explaining.closed.facts").FACTS
            wrong = [one for some in known.values() for one in some if one not in facts]
            hint = nearest(wrong[0], facts) if wrong else ""
            raise click.BadParameter(message + hint, param_hint="--assume") from error
    if as_json:
        say_json(_document(form))
    elif latex or as_numpy:
        say(*([form.latex] if latex else []), *([form.numpy] if as_numpy else []))
    else:
        say(form)


def _assumption(text: str) -> tuple[str, str]:
    name, equals, what = (part.strip() for part in text.partition("="))
    if not (equals and name and what):
        raise click.BadParameter(
            f"{text!r} is no NAME=PROPERTY: write, for example, --assume P=symmetric",
            param_hint="--assume",
        )
    return name, what


def _document(form: Any) -> dict[str, Any]:
    parts = {
        name: None if part is None else str(part)
        for name, part in (("gradient", form.gradient), ("hessian", form.hessian))
    }
    return {
        "function": str(form.function),
        **parts,
        "steps": [str(step) for step in form.steps],
        "text": form.text,
        "latex": form.latex,
        "numpy": form.numpy,
    }
