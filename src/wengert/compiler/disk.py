"""Compiled programs on disk: a program that any process compiled before is not compiled again.

What is kept is an object file that may be loaded anywhere, and what calling it takes. It holds no
address: inputs, outputs and scratch memory are arguments, and what it calls comes through a table
that is filled when it is loaded. Its name is the hash of all that it rests on: the graph (or the
text of the module), the source of the compiler, the versions of what it works with, the processor.

The directory belongs to its owner alone, since what lies in it is executed. It is WENGERT_CACHE, or
`wengert` in the user's directory of caches; WENGERT_CACHE=off keeps nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import Any

import numpy as np

from wengert.compiler.machine import host
from wengert.compiler.pool import most_parts
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TapeType, TupleType
from wengert.graph.walk import topological
from wengert.logging import logger
from wengert.settings import is_off

LEAST_SECONDS = 0.005
"""What was compiled faster than this is not kept: reading it back takes a millisecond."""
MOST_BYTES = 2**29
"""What the directory may hold; the files that were used least recently go first."""

_MAGIC = b"wengert\x01"
_DIGEST = 32

# --------------------------------------------------------------------------------- what is kept


@dataclass(frozen=True, slots=True)
class Kept:
    """An object file, and what a `Native` takes beside it."""

    code: bytes
    arena_bytes: int = 0
    table: tuple[str, ...] = ()
    work: int = 0


def find(key: str | None) -> Kept | None:
    """What was kept under a key. What is damaged is taken for missing."""
    place = directory()
    if key is None or place is None:
        return None
    try:
        data = (place / key).read_bytes()
        kept = _unpacked(key, data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.debug("the cache's file %s is not used: %s", key, error)
        return None
    with suppress(OSError):  # a directory that can only be read
        os.utime(place / key)
    return kept


def keep(key: str | None, kept: Kept, seconds: float) -> None:
    """Keep what took so long to compile. Another process sees the whole file or none."""
    place = directory()
    if key is None or place is None or seconds < LEAST_SECONDS:
        return
    temporary = None
    try:
        data = _packed(key, kept)
        handle, temporary = tempfile.mkstemp(dir=place, prefix=".")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, place / key)
        _bound(place, len(data))
    except OSError as error:
        logger.debug("the cache could not be written: %s", error)
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _packed(key: str, kept: Kept) -> bytes:
    """Magic, the digest of what follows, a line of JSON, the object file. The key is part of the
    digest, so that a file is good under its own name alone."""
    facts = {name: value for name, value in asdict(kept).items() if name != "code"}
    body = json.dumps(facts).encode() + b"\n" + kept.code
    return _MAGIC + _digest(key, body) + body


def _unpacked(key: str, data: bytes) -> Kept:
    start = len(_MAGIC) + _DIGEST
    body = data[start:]
    if data[:start] != _MAGIC + _digest(key, body):
        raise ValueError("it is damaged")
    facts, _, code = body.partition(b"\n")
    known = json.loads(facts)
    return Kept(code, known["arena_bytes"], tuple(known["table"]), known["work"])


def _digest(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + body).digest()


_sizes: dict[Path, int] = {}
"""About how many bytes each directory holds: counted once, then added to."""


def _bound(place: Path, written: int) -> None:
    """Remove the oldest files where there are too many: down to three quarters, so that this is
    seldom done."""
    if place in _sizes:
        _sizes[place] += written
        if _sizes[place] <= MOST_BYTES:
            return
    found = []
    with os.scandir(place) as entries:
        for entry in entries:
            with suppress(OSError):  # another process removed it
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode):
                    found.append((facts.st_mtime_ns, facts.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    if total > MOST_BYTES:
        for _, size, path in sorted(found):
            with suppress(OSError):
                os.unlink(path)
            total -= size
            if total <= MOST_BYTES * 3 // 4:
                break
    _sizes[place] = total


# ------------------------------------------------------------------------------- the directory


def directory() -> Path | None:
    """Where programs are kept; None where nothing is."""
    if is_off("WENGERT_CACHE"):
        return None
    return _checked(os.environ.get("WENGERT_CACHE", ""))


@cache
def _checked(named: str) -> Path | None:
    """The directory, made where it is missing, if it is safe to run what lies in it."""
    try:
        place = Path(named).expanduser().absolute() if named else _users_caches() / "wengert"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        fault = _fault(place.lstat())
    except (OSError, RuntimeError) as error:  # no home, no permission, no room
        logger.debug("compiled programs are not cached: %s", error)
        return None
    if fault:
        logger.warning(
            "compiled programs are not cached: %s %s. Run `chmod 700` on a directory of your own, "
            "or set WENGERT_CACHE to another one or to off",
            place,
            fault,
        )
        return None
    return place


def _fault(facts: os.stat_result) -> str:
    """What makes a directory unsafe."""
    if not stat.S_ISDIR(facts.st_mode):
        return "is no directory, or a link to one"
    if os.name == "nt":  # the permissions of the profile, which the mode does not show
        return ""
    if facts.st_uid != os.geteuid():
        return "belongs to someone else"
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written by others"
    return ""


def _users_caches() -> Path:
    """The directory of caches of the user, as the platform has it."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if os.name == "nt" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"])
    return Path.home() / ".cache"


# ------------------------------------------------------------------------------------- the keys


def key_of_graph(outputs: Sequence[Node], inputs: Sequence[Node]) -> str | None:
    """The key of the program of a graph, for a number of threads; None where it cannot be written
    down, or nothing is kept.

    Graphs of the same ops, parameters, types and edges have the same key, in any process.
    """
    if directory() is None:
        return None
    try:
        text = _listing(outputs, inputs)
    except _NotWritten as error:
        logger.debug("a program is not cached: %s", error)
        return None
    return _key("graph", f"{text}\nin {most_parts()} threads")


def _listing(outputs: Sequence[Node], inputs: Sequence[Node]) -> str:
    """A graph as text."""
    number = {node: k for k, node in enumerate(inputs)}
    known: dict[int, str] = {}
    lines = [_typed(node.type, known) for node in inputs]
    for node in topological(outputs, stop=number):
        params = node.params
        lines.append(
            f"{node.op.name}{'' if params is None else _written(params)}"
            f"{[number[arg] for arg in node.args]}{_typed(node.type, known)}"
        )
        number[node] = len(number)
    lines.append(f"{[number[node] for node in outputs]}")
    return "\n".join(lines)


def key_of_text(text: str) -> str | None:
    """The key of a module given as text; None where nothing is kept."""
    return None if directory() is None else _key("text", text)


def _key(kind: str, text: str) -> str | None:
    around = surroundings()
    if around is None:
        return None
    return hashlib.sha256(f"{kind}\n{around}\n{text}".encode()).hexdigest()


@cache
def surroundings() -> str | None:
    """What a compiled program rests on beside its graph; None where that cannot be told."""
    source = _source()
    if source is None:
        return None
    versions = [f"{name} {version(name)}" for name in ("numpy", "scipy", "llvmlite")]
    python = f"{platform.python_implementation()} {sys.version}"
    return "\n".join([source, python, *versions, host()])


def _source() -> str | None:
    """The hash of the source of the compiler and of what it reads: wengert's version, and more.

    None where there is no source, or it is not what this process runs, since it was changed.
    """
    package = Path(__file__).parents[1]
    found = hashlib.sha256()
    newest = 0.0
    for part in ("compiler", "graph", "ops", "transforms"):
        for path in sorted((package / part).rglob("*.py")):
            found.update(f"{path.relative_to(package).as_posix()}\n".encode())
            found.update(path.read_bytes())
            newest = max(newest, path.stat().st_mtime)
    return found.hexdigest() if 0 < newest < _IMPORTED else None


_IMPORTED = time()


class _NotWritten(Exception):
    """A parameter has no text that stands for it and nothing else."""


def _typed(type: Any, known: dict[int, str]) -> str:
    """The text of a type; types are interned, so that it is made once."""
    found = known.get(id(type))
    if found is None:
        if not isinstance(type, ArrayType | TupleType | TapeType):
            raise _NotWritten(f"{type} is no type of arrays")
        found = known[id(type)] = f":{type}"
    return found


def _written(value: Any) -> str:
    """The text of a parameter: two have the same text only if they are the same."""
    if type(value) in _PLAIN:
        return repr(value)
    if type(value) is tuple:
        return f"({','.join(map(_written, value))})"
    return "".join(_other(value))


_PLAIN = frozenset({int, bool, str, bytes, type(None)})


def _other(value: Any) -> Iterator[str]:
    if type(value) is slice:
        yield f"slice{_written((value.start, value.stop, value.step))}"
    elif type(value) in (float, complex):
        yield f"{type(value).__name__} {np.asarray(value).tobytes().hex()}"
    elif isinstance(value, np.dtype) and value.names is None:
        yield f"dtype {value.str}"
    elif isinstance(value, ArrayType):
        yield f"type {value}"
    elif isinstance(value, Body):
        yield f"body {_listing(value.outputs, value.params)} end"
    else:
        raise _NotWritten(f"a parameter is of type {type(value).__name__}")
