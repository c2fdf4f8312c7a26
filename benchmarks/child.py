"""One contender on one row in a fresh process; prints a line of JSON.

    python benchmarks/child.py mds wengert

`first` is the time from the library's import to the first value and gradient, `compile` that of the
first call less one of a later call, `memory` the growth of the peak of resident memory meanwhile.
"""

from __future__ import annotations

from yardstick import fair  # isort: skip
import json
import sys
import time
from pathlib import Path

from problems import PROBLEMS
from yardstick.peers import PEERS

LIBRARY = {"wengert": "wengert", "jax": "jax", "torch": "torch", "autograd": "autograd"}


def resident(field: str) -> int:
    """Bytes, of this process: VmRSS now, VmHWM at the peak; 0 where there is no /proc."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def main() -> None:
    row, peer = sys.argv[1:]
    (problem,) = (problem for problem in PROBLEMS if problem.name == row)
    arguments = problem.arguments()
    start = time.perf_counter()
    if peer in LIBRARY:
        __import__(LIBRARY[peer])
    imported = time.perf_counter()
    before = resident("VmRSS")
    _, g = PEERS[peer](problem, arguments)
    assert g is not None
    g()
    first = time.perf_counter()
    later = []
    for _ in range(3):
        begin = time.perf_counter()
        g()
        later.append(time.perf_counter() - begin)
    print(
        json.dumps(
            {
                "first": first - start,
                "compile": max(first - imported - min(later), 0.0),
                "memory": max(resident("VmHWM") - before, 0),
                "conditions": fair.CONDITIONS,
            }
        )
    )


if __name__ == "__main__":
    main()
