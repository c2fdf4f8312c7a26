"""What the commands that take a function have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

_ENDINGS = ("html", "svg", "png", "pdf", "jpg")
Command = TypeVar("Command", bound=Callable[..., Any])


def takes_function(command: Command) -> Command:
    """The argument PROGRAM:FUNCTION and the options --at and --json."""
    for decorate in (
        click.option("as_json", "--json", is_flag=True, help="One JSON document on stdout."),
        click.option(
            "at",
            "--at",
            multiple=True,
            metavar="NAME=VALUE,…",
            help="The arguments of the function; may be given several times.",
        ),
        click.argument("target", metavar="PROGRAM.py:FUNCTION", shell_complete=_files),
    ):
        command = decorate(command)
    return command


def takes_wrt(command: Command) -> Command:
    """The option --wrt."""
    return click.option(
        "--wrt",
        metavar="NAME,…",
        help="The arguments to differentiate by.  [default: all of --at that hold floats]",
    )(command)


def check_endings(**paths: Path | None) -> None:
    """Refuse to write one kind of file under the ending of another. paths: kind -> file."""
    for kind, path in paths.items():
        ending = None if path is None else path.suffix.lower().removeprefix(".")
        if ending in _ENDINGS and ending != kind:
            other = f": write --{ending} {path}" if ending in paths else ""
            raise click.BadParameter(
                f"{path} would hold {kind.upper()}{other}", param_hint=f"--{kind}"
            )


def _files(_context: Any, _parameter: Any, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]
