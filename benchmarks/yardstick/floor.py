"""The C floor: floors.c compiled on the spot, its functions called through ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from yardstick.timing import Timer, timer

SOURCE = Path(__file__).resolve().parents[1] / "floors.c"
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fno-math-errno", "-shared", "-fPIC")
# libmvec has the vector versions of the elementary functions, where glibc has it.
LIBRARIES = (("-lmvec", "-lm"), ("-lm",))

FloorLibrary = ctypes.CDLL


@dataclass(frozen=True, slots=True)
class FloorCall:
    """`call` gives the results; `seconds(k)` the time of one call, the mean of k."""

    call: Callable[[], Any]
    seconds: Timer


@dataclass(frozen=True, slots=True)
class Floor:
    f: FloorCall | None
    g: FloorCall


def compiler() -> str | None:
    """The C compiler, if there is one."""
    return next(
        (cc for name in (os.environ.get("CC"), "cc", "gcc") if name and (cc := shutil.which(name))),
        None,
    )


def description() -> str:
    """The compiler's version and the flags."""
    cc = compiler()
    if cc is None:
        return "no C compiler"
    version = subprocess.run([cc, "--version"], capture_output=True, text=True, check=True)
    return f"{version.stdout.splitlines()[0]}; {' '.join(FLAGS + LIBRARIES[0])}"


def library() -> FloorLibrary | None:
    """floors.c as a shared library, compiled if this version of it has not been yet."""
    cc = compiler()
    if cc is None:
        return None
    digest = hashlib.sha256(SOURCE.read_bytes() + description().encode()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"wengert-floors-{os.getuid()}-{digest}.so"
    if not built.exists():
        for libraries in LIBRARIES:
            making = built.with_suffix(f".{os.getpid()}")
            command = [cc, *FLAGS, str(SOURCE), "-o", str(making), *libraries]
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode == 0:
                making.replace(built)
                break
        else:
            raise RuntimeError(f"{cc} cannot compile {SOURCE.name}:\n{made.stderr}")
    return ctypes.CDLL(str(built))


def bind(
    floors: FloorLibrary,
    name: str,
    arguments: Sequence[Any],
    gradients: Any = (),
    value: np.ndarray | None = None,
) -> FloorCall:
    """A call of a C function. It returns the value, unless it writes it into `value`.

    What ctypes takes for the call, measured on an empty function of the same arguments, is not
    counted as the floor's time.
    """
    function = getattr(floors, name)
    function.restype = ctypes.c_double if value is None else None
    converted = [_convert(argument) for argument in arguments]
    empty = floors.nothing
    empty.restype = None

    def call() -> Any:
        returned = function(*converted)
        return (returned if value is None else float(value[0]), gradients)

    full, overhead = timer(lambda: function(*converted)), timer(lambda: empty(*converted))

    def seconds(times: int) -> float:
        return max(full(times) - overhead(times), 1e-12)

    # The arrays must outlive their addresses.
    call.arguments = arguments  # type: ignore[attr-defined]
    return FloorCall(call, seconds)


def _convert(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        assert argument.flags.c_contiguous
        return argument.ctypes.data_as(ctypes.c_void_p)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    return ctypes.c_long(argument)
