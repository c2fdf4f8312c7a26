"""The function in somebody's file, and what is said when it raises."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import click

from wengert.cli.arguments import nearest
from wengert.errors import WengertError

_PACKAGE = str(Path(__file__).parents[1])
_MOST_NAMES = 12


class ProgramFailed(click.ClickException):
    """The program raised, or cannot be differentiated."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Program:
    """A function of a program. file: where the program is, as it was named; None for a module that
    has no file of Python's."""

    function: Callable[..., Any]
    name: str
    file: str | None


def loaded(target: str, quiet: bool = False) -> Program:
    """The function that `program.py:f`, or `package.module:f`, names.

    The file is run as a module is that is imported: what stands under `if __name__ == "__main__"`
    is not run, and the modules beside it can be imported. quiet: what it prints goes to stderr.
    """
    place, _, name = target.rpartition(":")
    if not place or name.endswith(".py") or "/" in name:
        place, name = target, ""
    is_file = place.endswith(".py") or Path(place).exists()
    module = _from_file(Path(place), quiet) if is_file else _from_module(place, quiet)
    if not name:
        raise click.UsageError(
            f"{target} names no function: write {place}:FUNCTION.{_there(module)}"
        )
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            hint = nearest(name, _functions(module))
            raise click.UsageError(f"{place} has no function {name}.{_there(module)}{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise click.UsageError(
            f"{name} in {place} is no function: it is {type(found).__name__}.{_there(module)}"
        )
    if isinstance(found, type):
        raise click.UsageError(
            f"{name} in {place} is a class: name a function, or an instance that can be called."
            f"{_there(module)}"
        )
    return Program(found, name, getattr(module, "__file__", None))


@contextlib.contextmanager
def running(file: str | None, quiet: bool = False) -> Iterator[None]:
    """What happens inside runs somebody's program: its exceptions become one message, with the line
    of the program; `quiet` sends what it prints to stderr."""
    elsewhere = contextlib.redirect_stdout(sys.stderr) if quiet else contextlib.nullcontext()
    try:
        with elsewhere:
            yield
    except click.ClickException:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, WengertError) and isinstance(error, ImportError):
            raise click.ClickException(_own(error)) from error  # a package of wengert's extras
        raise ProgramFailed(_message(error, file)) from error


def line_of(error: BaseException, file: str | None) -> str | None:
    """`program.py:3 in f: return 1 / x`: the last line of the file in a traceback; where it does
    not reach the file, the last line that belongs to no package."""
    frames = list(_frames(error.__traceback__))
    own = [at for at in frames if at[0].f_code.co_filename == file]
    others = [at for at in frames if not _is_package(at[0].f_code.co_filename)]
    if not own and not others:
        return None
    frame, number = (own or others)[-1]
    name = frame.f_code.co_filename
    text = linecache.getline(name, number).strip()
    function = frame.f_code.co_name
    inside = "" if function == "<module>" else f" in {function}"
    return f"{_short(name)}:{number}{inside}" + (f": {text}" if text else "")


# ---------------------------------------------------------------------------------------------


def _from_file(path: Path, quiet: bool) -> ModuleType:
    if not path.is_file():
        beside = [one.name for one in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise click.UsageError(f"there is no file {path}{nearest(path.name, beside)}")
    path = path.resolve()
    spec = importlib.util.spec_from_file_location(_free(path.stem), path)
    if spec is None or spec.loader is None:
        raise click.UsageError(f"{_short(str(path))} is no program of Python's: its name must end "
                               "with .py")  # fmt: skip
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    with running(str(path), quiet):
        spec.loader.exec_module(module)
    return module


def _free(name: str) -> str:
    """A name for the module that no other has."""
    while name in sys.modules or name in sys.stdlib_module_names:
        name += "_"
    return name


def _from_module(name: str, quiet: bool) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise click.UsageError(f"there is no file {name}, and it is no name of a module")
    sys.path.insert(0, str(Path.cwd()))
    with running(None, quiet):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # the module is there, and one that it imports is not
            raise click.UsageError(
                f"there is no module {name}: name a function as program.py:f or package.module:f"
            ) from error


def _functions(module: ModuleType) -> list[str]:
    """What the module defines; where that is nothing, what it holds."""
    held = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    own = [
        name
        for name, value in held.items()
        if callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", None) in (module.__name__, "wengert", None)
    ]
    return own or [name for name, value in held.items() if isinstance(value, FunctionType)]


def _there(module: ModuleType) -> str:
    names = _functions(module)
    if not names:
        return " There is none in it."
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f" There {'is' if len(names) == 1 else 'are'} {', '.join(names[:_MOST_NAMES])}{more}"


def _message(error: BaseException, file: str | None) -> str:
    if isinstance(error, SyntaxError):
        return (
            f"{_short(error.filename or '?')}:{error.lineno} is no Python: {error.msg}"
            + (f"\n  {error.text.strip()}" if error.text else "")
        )  # fmt: skip
    line = line_of(error, file)
    if isinstance(error, WengertError):
        text = _own(error)
    elif isinstance(error, SystemExit):
        text = "the program ended itself (SystemExit)"
    else:
        text = f"the program raised {type(error).__name__}"
        text += f": {error}" if str(error) else ""
    text += "" if line is None else f"\n  at {line}"
    if isinstance(error, TypeError) and "integer" in str(error):
        text += "\n(a whole number in --at is taken as a float: write n=int(3) for a whole one)"
    return text


def _own(error: WengertError) -> str:
    """What wengert says, without the place, which is said once and with its line."""
    return str(error).partition("\n  at ")[0]


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _is_package(name: str) -> bool:
    """Whether a file belongs to wengert, to another package, or to Python."""
    return (
        name.startswith((_PACKAGE, "<frozen", str(Path(contextlib.__file__).parent)))
        or "site-packages" in name
        or "dist-packages" in name
    )


def _short(name: str) -> str:
    """A path as seen from here, where that is shorter."""
    with contextlib.suppress(ValueError):
        return str(Path(name).relative_to(Path.cwd()))
    return name
