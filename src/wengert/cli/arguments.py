"""`--at w1=2,w2=3`: values for the parameters of a function."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import click
import numpy as np

from wengert.cli.values import BadValue, value_of
from wengert.tracing.trees import flatten

_OPENING, _CLOSING = "([{", ")]}"
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call.

    function: what is called, which has the keywords already. values: by position. names: of the
    parameters, one each. given: the positions of those that stood on the command line; the others
    have their defaults.
    """

    function: Callable[..., Any]
    values: tuple[Any, ...]
    names: tuple[str, ...]
    given: tuple[int, ...]

    def chosen(self, wrt: str | None) -> tuple[int, ...]:
        """The positions to differentiate by: those that were named, or else all that were given and
        hold floats."""
        if wrt is None:
            found = tuple(k for k in self.given if _differentiable(self.values[k]))
            if not found:
                raise click.UsageError(
                    "there is nothing to differentiate by: no argument holds a float"
                    + self._whole_numbers()
                )
            return found
        positions = []
        for name in wrt.split(","):
            if name.strip() not in self.names:
                raise click.BadParameter(
                    f"{name.strip()!r} is no argument here: "
                    f"there {'is' if len(self.names) == 1 else 'are'} "
                    f"{', '.join(self.names)}{nearest(name, self.names)}",
                    param_hint="--wrt",
                )
            positions.append(self.names.index(name.strip()))
        return tuple(positions)

    def _whole_numbers(self) -> str:
        """What to write where numbers were given, but whole ones."""
        for k in self.given:
            kinds = {np.asarray(leaf).dtype for leaf in flatten(self.values[k])[0]}
            if any(kind.kind in "iu" for kind in kinds):
                types = ", ".join(sorted(map(str, kinds)))
                return (
                    f" ({self.names[k]} holds {types}: write it as floats, [1, 2] or 1.0, or with "
                    "dtype=float)"
                )
        return ""

    def argnums(self, wrt: str | None) -> int | tuple[int, ...]:
        """The same as `grad` takes them: a number where it is one."""
        positions = self.chosen(wrt)
        return positions[0] if len(positions) == 1 else positions

    def restricted(self, wrt: str | None) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The function of those arguments alone that are differentiated by, and their values."""
        positions = self.chosen(wrt)
        if len(positions) == len(self.values):
            return self.function, self.values

        @functools.wraps(self.function)
        def of_chosen(*chosen: Any) -> Any:
            values = list(self.values)
            for position, value in zip(positions, chosen, strict=True):
                values[position] = value
            return self.function(*values)

        return of_chosen, tuple(self.values[k] for k in positions)


def bound(function: Callable[..., Any], name: str, texts: Sequence[str]) -> Arguments:
    """The arguments of `function` (called `name` in messages) that the texts of `--at` give."""
    parameters = _parameters(function)
    given: dict[str, Any] = {}
    for text in texts:
        for key, value in pairs(text):
            if key in given:
                raise click.BadParameter(f"{key} is given twice", param_hint="--at")
            if parameters is not None:
                _check_known(name, key, parameters)
            given[key] = _as_annotated(_evaluated(key, value), (parameters or {}).get(key))
    if parameters is None:
        return Arguments(function, tuple(given.values()), tuple(given), tuple(range(len(given))))
    _check_complete(name, parameters, given)
    keywords = {key: value for key, value in given.items() if _by_keyword(parameters.get(key))}
    return _in_order(_with(function, keywords), parameters, given)


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of `w1=2,x=[1, 2]`; commas inside brackets and quotes do not part.

    >>> list(pairs("w1=2, x=np.full((2, 2), 1)"))
    [('w1', '2'), ('x', 'np.full((2, 2), 1)')]
    """
    for part in parts(text):
        name, equals, value = part.partition("=")
        if not equals or not name.strip().isidentifier() or not value.strip():
            raise click.BadParameter(
                f"{part.strip()!r} is no NAME=VALUE: write, for example, --at w1=2,w2=3",
                param_hint="--at",
            )
        yield name.strip(), value.strip()


def parts(text: str) -> Iterator[str]:
    """The text between those commas that stand in no bracket and no quotes."""
    depth, quote, start = 0, "", 0
    for k, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[k - 1] != "\\" else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
        elif letter == "," and depth == 0:
            yield text[start:k]
            start = k + 1
    if text[start:].strip() or not start:
        yield text[start:]


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the name that was meant, where one is near."""
    by_letters = {one.casefold(): one for one in names}
    found = difflib.get_close_matches(name.strip().casefold(), by_letters, n=1)
    return f". Did you mean {by_letters[found[0]]}?" if found else ""


# ---------------------------------------------------------------------------------------------


def _parameters(function: Callable[..., Any]) -> dict[str, Parameter] | None:
    """None for functions of C's that do not tell: they take what they are given, in order."""
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None


def _check_known(name: str, key: str, parameters: dict[str, Parameter]) -> None:
    takes_any = any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values())
    if key not in parameters and not takes_any:
        there = ", ".join(parameters) or "none"
        raise click.BadParameter(
            f"{name} has no argument {key!r}: it takes {there}{nearest(key, parameters)}",
            param_hint="--at",
        )


def _check_complete(name: str, parameters: dict[str, Parameter], given: dict[str, Any]) -> None:
    optional = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    missing = [
        key
        for key, one in parameters.items()
        if key not in given and one.default is Parameter.empty and one.kind not in optional
    ]
    if missing:
        example = ",".join(f"{key}=1" for key in missing)
        raise click.UsageError(
            f"{name}({', '.join(parameters)}) needs a value for {', '.join(missing)}, "
            f"for example --at {example}"
        )


def _evaluated(name: str, text: str) -> Any:
    try:
        return value_of(text)
    except BadValue as error:
        short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        raise click.BadParameter(f"{name}={short}: {error}", param_hint="--at") from error


def _as_annotated(value: Any, parameter: Parameter | None) -> Any:
    """A whole number where the function says that it wants one."""
    whole = parameter is not None and parameter.annotation in (int, "int")
    return int(value) if whole and type(value) is float and value.is_integer() else value


def _by_keyword(parameter: Parameter | None) -> bool:
    """Whether what has this parameter, or none, is given by its name."""
    return parameter is None or parameter.kind is Parameter.KEYWORD_ONLY


def _with(function: Callable[..., Any], keywords: dict[str, Any]) -> Callable[..., Any]:
    if not keywords:
        return function

    @functools.wraps(function)
    def with_keywords(*values: Any) -> Any:
        return function(*values, **keywords)

    return with_keywords


def _in_order(
    function: Callable[..., Any], parameters: dict[str, Parameter], given: dict[str, Any]
) -> Arguments:
    values: list[Any] = []
    names: list[str] = []
    positions: list[int] = []
    for key, one in parameters.items():
        if one.kind is Parameter.VAR_POSITIONAL:
            several = list(given.get(key, ()))
            positions += range(len(values), len(values) + len(several))
            values += several
            names += [f"{key}[{k}]" for k in range(len(several))]
        elif one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            if key in given:
                positions.append(len(values))
            values.append(given.get(key, one.default))
            names.append(key)
    last = max(positions, default=-1) + 1  # what follows has its default by itself
    return Arguments(function, tuple(values[:last]), tuple(names[:last]), tuple(positions))


def _differentiable(value: Any) -> bool:
    return any(np.asarray(leaf).dtype.kind in "fc" for leaf in flatten(value)[0])
