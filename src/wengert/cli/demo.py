"""`wengert demo`: what wengert does, in four programs."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click

from wengert.cli.telling import working
from wengert.lazy import module

_PACKAGE = Path(__file__).parents[1]
_NEEDED = {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}
_ENOUGH = 0.95
_QUICK_EPOCHS = 4
_RESULTS = Path("benchmarks", "results", "results.json")
"""What `make bench` writes in a checkout."""


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="The folder that the report and the pictures are written to.",
)
@click.option(
    "--quick", is_flag=True, help="Train the network for a moment only, and measure less."
)
def demo(out: Path, quick: bool) -> None:
    """Show what wengert does, in four programs and a report.

    The step table of a small function, with every tangent and adjoint; the time of a Jacobian by
    forward and by reverse mode, against the number of outputs; the map of Europe, recovered from
    the distances between its cities by gradient descent; and a network that learns to read
    handwritten digits. They are the files of the folder examples/, run as they stand. At the end it
    writes report.html, one page with all of this and more: closed forms with their derivations,
    descent without gradients, the trace of a Hessian, memory against time.
    """
    missing = [package for name, package in _NEEDED.items() if not _is_there(name)]
    if missing:
        raise click.ClickException(
            f"the demonstration needs {' and '.join(missing)}: run  pip install 'wengert[demo]'"
        )
    begun = time.perf_counter()
    with _timed("Every step of a function, forward and backward"):
        _example("step_table").main()
    with _timed("Forward or reverse"):
        modes = _example("forward_or_reverse").main(out)
    with _timed("A map from nothing but distances"):
        cities = _example("cities").main(out)
    with _timed("A network that reads handwritten digits"):
        network = _example("network")
        epochs = _QUICK_EPOCHS if quick else network.EPOCHS
        reached = network.main(epochs)
    with _timed("The report: closed forms, estimates, memory, and all of the above"):
        writing = module("wengert.cli.report.writing")
        found = writing.Found(cities, modes, reached, epochs, time.perf_counter() - begun)
        path = out / "report.html"
        with working("the report", parts=writing.PARTS) as now:
            writing.write(path, found, _example, _folder().parent / _RESULTS, quick, now)
        click.echo(f"The report is {path}")
    if not quick and reached < _ENOUGH:
        raise click.ClickException(f"the network reached {reached:.1%}, less than {_ENOUGH:.0%}")


@contextmanager
def _timed(title: str) -> Iterator[None]:
    """A heading before, and the wall time after."""
    console = module("rich.console").Console()
    console.rule(f"[bold]{title}", align="left")
    start = time.perf_counter()
    yield
    console.print(f"[dim]{time.perf_counter() - start:.1f} s[/]\n")


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _folder() -> Path:
    """examples/, of the installed package, or of the checkout around it."""
    installed = _PACKAGE / "_examples"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "examples"


def _example(name: str) -> ModuleType:
    """The program examples/<name>.py."""
    path = _folder() / f"{name}.py"
    if not path.is_file():
        raise click.ClickException(f"the program {path} is missing: install wengert anew")
    spec = importlib.util.spec_from_file_location(f"examples.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = program
    spec.loader.exec_module(program)
    return program
