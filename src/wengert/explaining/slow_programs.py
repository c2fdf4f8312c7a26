"""What makes a compiled program slow: host calls and memory traffic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wengert.execution.budget.amounts import in_words
from wengert.explaining.cost import KernelCost
from wengert.explaining.cost_table import count
from wengert.explaining.findings import OF_PROGRAM, Finding, counted, lines

if TYPE_CHECKING:
    from wengert.explaining.report import Report

CALL_SECONDS = 2e-6
"""What a call of NumPy takes beside its work, with the way there and back."""
OPERATION, BYTE = 1 / 4e9, 1 / 1e10
"""Seconds of an operation, and of a byte that is moved from or to memory, about."""
CACHED = 2**20
"""Bytes that stay in the caches near a core: traffic of less is no matter."""
LEAST_INTENSITY = 4.0
"""Operations for each byte, below which memory takes more of the time than arithmetic does."""


def seconds(kernel: KernelCost) -> float:
    """A guess at what a kernel takes."""
    own = CALL_SECONDS if kernel.what == "host call" else 0.0
    moved = kernel.read + kernel.written
    return own + max(kernel.weighted * OPERATION, moved * BYTE if moved > CACHED else 0.0)


def host_calls(report: Report) -> Iterator[Finding]:
    """What has no machine code and runs as calls of NumPy and SciPy."""
    cost = report.cost
    total = sum(map(seconds, cost.kernels))
    by_reason: dict[str, list[KernelCost]] = {}
    for kernel in cost.host_calls:
        by_reason.setdefault(kernel.reason, []).append(kernel)
    for reason, kernels in by_reason.items():
        names = [name for kernel in kernels for name in kernel.steps]
        calls = f"{len(kernels)} calls" if len(kernels) > 1 else "a call"
        cure = "write it with operations that have machine code, or call it on larger arrays"
        if "LAPACK" in reason:
            cure = (
                "LAPACK does the work and takes as long anywhere; many systems of order 64 at most "
                "are machine code where they are stacked into one array"
            )
        elif "primitive" in reason or "calls Python" in reason:
            cure = "write the function with NumPy's operations, so that it can be traced"
        yield Finding(
            kind="host call",
            what=f"{calls} of NumPy or SciPy for {_listed(names)}: {reason}",
            cure=cure,
            share=sum(map(seconds, kernels)) / total if total else None,
            of=OF_PROGRAM,
            where=_lines(report, names),
        )


def memory_traffic(report: Report) -> Iterator[Finding]:
    """Loops that move more than they compute, with arrays that do not stay in the caches."""
    cost = report.cost
    total = sum(map(seconds, cost.kernels))
    bound = [
        kernel
        for kernel in cost.kernels
        if kernel.what == "loop nest"
        and kernel.read + kernel.written > CACHED
        and kernel.weighted < LEAST_INTENSITY * (kernel.read + kernel.written) / 8
    ]
    share = sum(map(seconds, bound)) / total if total else 0.0
    if not bound or share < 0.1:
        return
    moved = sum(kernel.read + kernel.written for kernel in bound)
    done = sum(kernel.operations for kernel in bound)
    there = {step.name for step in cost.steps if step.kernel is not None and step.written > CACHED}
    between = sorted(there.difference(_outputs(report)))
    names = [name for kernel in bound for name in kernel.steps]
    what = (
        f"{counted(len(bound), 'loop moves', 'loops move')} {in_words(moved)} for {count(done)} "
        "operations, so that memory takes the time"
    )
    cure = "float32 halves it; passes over the same array that stand side by side share one loop"
    if between:
        verb = "is" if len(between) == 1 else "are"
        what += f"; {_listed(between)} {verb} written to memory, to be read there again"
        cure = (
            "what stands between two loops (a host call, a product of matrices, a reduction that "
            "the next line needs) keeps them apart: move it before or behind both; float32 halves "
            "the rest"
        )
    yield Finding("memory traffic", what, cure, share, _lines(report, names), OF_PROGRAM)


def _outputs(report: Report) -> tuple[str, ...]:
    return report.steps.outputs if report.traced is not None else ()


def _lines(report: Report, names: list[str]) -> tuple[str, ...]:
    if report.traced is None:
        return ()
    return lines([report.steps[name].place for name in dict.fromkeys(names)])


def _listed(names: list[str], most: int = 6) -> str:
    own = list(dict.fromkeys(names))
    more = f" and {len(own) - most} more" if len(own) > most else ""
    return ", ".join(own[:most]) + more
