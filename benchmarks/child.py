"""One contender on one row in a fresh process; prints a line of JSON.

    python benchmarks/child.py mds wengert
    python benchmarks/child.py mds wengert warm

Cold, `first` is the time from the library's import to the first value and gradient, and `memory`
the growth of the peak of resident memory meanwhile and over three more calls. Warm, when the
library has compiled another function before, `compile` is the time of the first call less that of
a later one.
"""

from __future__ import annotations

from yardstick import fair  # isort: skip  # noqa: F401
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from problems import PROBLEMS
from yardstick.peers import PEERS
from yardstick.problem import Problem

OTHER = replace(PROBLEMS[0], arguments=lambda: (np.ones(7),))


def resident(field: str) -> int:
    """Bytes, of this process: VmRSS now, VmHWM at the peak; 0 where there is no /proc."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def derivative(problem: Problem, peer: str) -> Callable[[], Any]:
    _, g = PEERS[peer](problem, problem.arguments())
    assert g is not None
    return g


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cold(problem: Problem, peer: str) -> dict[str, float]:
    problem.arguments()
    before = resident("VmRSS")
    start = time.perf_counter()
    g = derivative(problem, peer)
    g()
    first = time.perf_counter() - start
    for _ in range(3):
        g()
    return {"first": first, "memory": max(resident("VmHWM") - before, 0)}


def warm(problem: Problem, peer: str) -> dict[str, float]:
    derivative(OTHER, peer)()
    g = derivative(problem, peer)
    first = seconds(g)
    return {"compile": max(first - min(seconds(g) for _ in range(3)), 0.0)}


def main() -> None:
    row, peer, *mode = sys.argv[1:]
    (problem,) = (problem for problem in PROBLEMS if problem.name == row)
    print(json.dumps((warm if mode else cold)(problem, peer)))


if __name__ == "__main__":
    main()
