"""One row: its contenders made, their results compared, their times taken."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yardstick.floor import FloorLibrary
from yardstick.peers import PEERS
from yardstick.problem import Problem, disagreement
from yardstick.timing import Timer, interleaved, timer

CHILD = Path(__file__).resolve().parents[1] / "child.py"
CHILD_SECONDS = 300


@dataclass(slots=True)
class Row:
    """Seconds by contender; errors are relative to the largest element of the reference."""

    name: str
    f: dict[str, float] = field(default_factory=dict)
    g: dict[str, float] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)
    error: dict[str, float] = field(default_factory=dict)
    tolerance: float = 0.0
    reference: str = ""
    # Of fresh processes: seconds until the first result, of compiling, bytes at the peak.
    fresh: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        """Whether all who gave a result gave the same."""
        return all(error <= self.tolerance for error in self.error.values())


def measure(
    problem: Problem,
    peers: list[str],
    floors: FloorLibrary | None,
    rounds: int,
    fresh: tuple[str, ...],
    say: Callable[[str], None],
) -> Row:
    row = Row(problem.name, tolerance=problem.tolerance)
    arguments = problem.arguments()
    calls: dict[str, dict[str, Callable[[], Any]]] = {"f": {}, "g": {}}
    timers: dict[str, dict[str, Timer]] = {"f": {}, "g": {}}
    if problem.floor is not None and floors is not None and "c" in peers:
        floor = problem.floor(floors, arguments)
        timers["g"]["c"], calls["g"]["c"] = floor.g.seconds, floor.g.call
        if floor.f is not None:
            timers["f"]["c"], calls["f"]["c"] = floor.f.seconds, floor.f.call
    for name in peers:
        if name == "c":
            continue
        if name in problem.without:
            row.notes[name] = problem.without[name]
            continue
        say(f"{problem.name}: {name}")
        try:
            f, g = PEERS[name](problem, arguments)
            # Both run once here, so that whoever cannot do it is left out of the timing.
            for work in (f, g):
                if work is not None:
                    work()
        except Exception as error:
            row.notes[name] = traceback.format_exception_only(error)[-1].strip()[:200]
            continue
        if f is not None:
            timers["f"][name], calls["f"][name] = timer(f), f
        if g is not None:
            timers["g"][name], calls["g"][name] = timer(g), g
    _compare(row, calls)
    beside = {} if problem.beside is None else problem.beside(arguments)
    every = {("f", name): seconds for name, seconds in timers["f"].items()}
    every |= {("g", name): seconds for name, seconds in timers["g"].items()}
    every |= {("beside", name): timer(work) for name, work in beside.items()}
    say(f"{problem.name}: timing")
    for (what, name), seconds in interleaved(every, rounds).items():
        getattr(row, what)[name] = seconds
    for name in fresh:
        if name in calls["g"]:
            say(f"{problem.name}: {name} in a fresh process")
            _fresh(row, name)
    return row


def _compare(row: Row, calls: Mapping[str, Mapping[str, Callable[[], Any]]]) -> None:
    """Both f and g, against what was derived by hand where that is there, else the first peer's."""
    order = ("numpy", "c", "jax", "torch", "autograd", "casadi", "wengert")
    names = [name for name in order if name in calls["g"]]
    if not names:
        return
    row.reference = names[0]
    for same in calls.values():
        if row.reference not in same:
            continue
        expected = same[row.reference]()
        for name in (name for name in order if name in same and name != row.reference):
            try:
                error = disagreement(same[name](), expected)
            except ValueError as mismatch:
                error, row.notes[name] = float("inf"), str(mismatch)
            row.error[name] = max(error, row.error.get(name, 0.0))


def _fresh(row: Row, name: str) -> None:
    for mode in ((), ("warm",)):
        command = [sys.executable, str(CHILD), row.name, name, *mode]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_SECONDS)
        except subprocess.TimeoutExpired:
            row.notes[name] = f"no first result within {CHILD_SECONDS} s in a fresh process"
            return
        if done.returncode:
            row.notes[name] = "fresh process: " + done.stderr.strip().splitlines()[-1][:200]
            return
        row.fresh.setdefault(name, {}).update(json.loads(done.stdout.splitlines()[-1]))
