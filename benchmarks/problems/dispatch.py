"""sum(sin(x) x) of few elements: what a call costs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorCall, FloorLibrary
from yardstick.problem import Arguments, Problem
from yardstick.timing import timer

# Calls in C for each from Python.
LOOP = 1000


def arguments(n: int) -> Arguments:
    return (np.random.default_rng(0).uniform(0.1, 1.0, n),)


def function(np: Any) -> Callable[..., Any]:
    def f(x: Any) -> Any:
        return np.sum(np.sin(x) * x)

    return f


def by_hand(x: np.ndarray) -> Any:
    s = np.sin(x)
    return s @ x, s + np.cos(x) * x


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    """Timed by a loop in C: a call from Python would cost more than the work."""
    (x,) = arguments
    moving, g = x.copy(), np.empty_like(x)
    pointer = [a.ctypes.data_as(ctypes.c_void_p) for a in (x, moving, g)]
    size = ctypes.c_int(x.size)
    for name in ("sinx_f", "sinx_fg", "loop_f", "loop_fg"):
        getattr(floors, name).restype = ctypes.c_double

    loop_f = timer(lambda: floors.loop_f(0, pointer[1], size, LOOP))
    loop_fg = timer(lambda: floors.loop_fg(0, pointer[1], pointer[2], size, LOOP))

    return Floor(
        FloorCall(lambda: floors.sinx_f(pointer[0], size), lambda times: loop_f(times) / LOOP),
        FloorCall(
            lambda: (floors.sinx_fg(pointer[0], pointer[2], size), g),
            lambda times: loop_fg(times) / LOOP,
        ),
    )


PROBLEMS = tuple(
    Problem(
        name=f"dispatch-{n}",
        arguments=partial(arguments, n),
        small=partial(arguments, n),
        function=function,
        by_hand=by_hand,
        floor=floor,
    )
    for n in (3, 100)
)
