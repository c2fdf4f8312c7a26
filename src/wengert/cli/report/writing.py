"""The page: its heading, what is to be seen at a glance, and the sections."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from wengert.cli.report.markup import Section
from wengert.cli.report.sections.benchmarks import benchmarks
from wengert.cli.report.sections.elementary import elementary
from wengert.cli.report.sections.estimates import hutchinson, zero_order
from wengert.cli.report.sections.formulas import formulas
from wengert.cli.report.sections.memory import memory
from wengert.cli.report.sections.programs import cities, modes, network
from wengert.cli.report.style import STYLE
from wengert.explaining.report import explain
from wengert.lazy import module

PARTS = 6
"""How often `write` tells of a part that begins."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the programs of the demonstration returned, and how long they took in seconds."""

    cities: Any
    modes: list[Any]
    accuracy: float
    epochs: int
    seconds: float


def write(
    path: Path,
    found: Found,
    example: Callable[[str], ModuleType],
    results: Path,
    quick: bool,
    now: Callable[[str], None] = lambda part: None,
) -> None:
    """Run what the report shows besides, and write it.

    example: a program of examples/ by its name. results: what `make bench` wrote, if it is there.
    quick: with less of everything. now: told of each of `PARTS` parts when it begins.
    """
    begun = time.perf_counter()
    # Small matrices: threads of BLAS would wait for one another, and times would not compare.
    with module("threadpoolctl").threadpool_limits(1):
        sections = list(_sections(found, example, results, quick, now))
    seconds = found.seconds + time.perf_counter() - begun
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(sections, seconds), encoding="utf-8")


def _sections(
    found: Found,
    example: Callable[[str], ModuleType],
    results: Path,
    quick: bool,
    now: Callable[[str], None],
) -> Iterator[Section]:
    now("steps")
    table = example("step_table")
    yield elementary(table, explain(table.L, 2.0, 3.0))

    now("closed forms")
    yield formulas(example("closed_forms"))

    now("what has been found")
    yield cities(example("cities"), found.cities)
    yield network(example("network"), found.accuracy, found.epochs)
    yield modes(example("forward_or_reverse"), found.modes)

    now("descent without gradients")
    descent, accuracy = example("zero_order"), 0.05 if quick else 0.02
    compared = descent.compare([10, 100] if quick else [10, 100, 1000], accuracy)
    yield zero_order(descent, compared, accuracy)

    now("the trace of a Hessian")
    traces = example("hutchinson")
    products, repetitions = ([12, 48], 5) if quick else ([12, 24, 48, 96, 192], 50)
    yield hutchinson(traces, traces.errors(products, repetitions), repetitions)

    now("memory against time")
    budgets = example("memory_budget")
    layers, parts = (20, budgets.PARTS[:3]) if quick else (budgets.LAYERS, budgets.PARTS)
    yield memory(budgets, budgets.compare(layers, parts), layers)

    if (measured := benchmarks(results)) is not None:
        yield measured


def page(sections: list[Section], seconds: float) -> str:
    """The document. seconds: how long the run took."""
    tiles = "".join(
        f'<li><a href="#{one.id}"><strong>{escape(one.glance[0])}</strong>'
        f"<span>{escape(one.glance[1])}</span></a></li>"
        for one in sections
        if one.glance is not None
    )
    links = " · ".join(f'<a href="#{one.id}">{escape(one.title)}</a>' for one in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What wengert does</title>
<style>{STYLE}</style>
</head>
<body>
<div class="page">
<header>
<h1>What wengert does</h1>
<p class="lead">Automatic differentiation for people who write NumPy, in one run of
<code>wengert demo</code>.</p>
<p class="about">{escape(_about(seconds))}</p>
<nav aria-label="Contents"><p class="about">{links}</p></nav>
<ul class="glance" aria-label="At a glance">{tiles}</ul>
</header>
<main>
{"".join(map(str, sections))}
</main>
<footer><p class="about">Written by wengert {escape(version("wengert"))}. This page is one file and
loads nothing else.</p></footer>
</div>
</body>
</html>
"""


def _about(seconds: float) -> str:
    parts = ", ".join(f"{name} {version(name.lower())}" for name in ("NumPy", "SciPy"))
    return (
        f"wengert {version('wengert')}, Python {platform.python_version()}, {parts}; "
        f"{_processor()}, {os.cpu_count()} cores; the run took {seconds:.0f} s."
    )


def _processor() -> str:
    """The processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
