"""Gradients within a budget: the peak of memory against the budget, and what it costs in time.

The chain is a network of equal layers, of which all share their weights: its gradient keeps nearly
nothing but the states of the layers, one *slot* of memory each. k slots are room for the input, for
k − 1 more states, and for what the smallest gradient needs. Functions are called without `jit`,
whose programs keep their memory for the next call.
"""

from __future__ import annotations

import ctypes
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import wengert as wg
from scaling.entry import OURS, Effort, Entry, Work, at_most, available, compared, present
from scaling.peers import in_jax, in_torch
from wengert.errors import MemoryBudgetError

LIMITS = {10: 1.45, 20: 1.26}


def chain(np: Any, length: int, x: Any) -> Callable[[Any], Any]:
    def f(w: Any) -> Any:
        state = x
        for _ in range(length):
            state = np.tanh(state @ w)
        return np.sum(state**2)

    return f


def in_blocks(np: Any, keep: Callable[..., Any], length: int, x: Any) -> Callable[[Any], Any]:
    """The chain in √n blocks, each of which is computed again in reverse."""
    size = round(length**0.5)

    def block(state: Any, w: Any) -> Any:
        for _ in range(size):
            state = np.tanh(state @ w)
        return state

    def f(w: Any) -> Any:
        state = x
        for _ in range(length // size):
            state = keep(block)(state, w)
        return np.sum(state**2)

    return f


def chains(effort: Effort) -> Iterator[Entry]:
    length, width = effort.of(16, 100, 100), effort.of(64, 192, 512)
    slots = {3: 2.0} if not effort.size else LIMITS
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(width, width)) / width**0.5, rng.normal(size=(width, width))
    f = chain(np, length, x)
    free = wg.grad(f)
    smallest = _smallest(f, w)
    budgets = {k: smallest + (k - 1) * x.nbytes for k in slots}
    held = {k: wg.grad(f, memory=budget) for k, budget in budgets.items()}
    in_ours = wg.grad(in_blocks(np, wg.checkpoint, length, x))

    def plain(jax: Any, captured: Sequence[Any]) -> Callable[..., Any]:
        return jax.grad(chain(jax.numpy, length, captured[0]))

    def by_jax(jax: Any, captured: Sequence[Any]) -> Callable[..., Any]:
        return jax.grad(in_blocks(jax.numpy, jax.checkpoint, length, captured[0]))

    def by_scan(jax: Any, captured: Sequence[Any]) -> Callable[..., Any]:
        return jax.grad(_scanned(jax, length, captured[0]))

    works: dict[str, Work] = {OURS: lambda: free(w)}
    works |= {f"{k} slots": lambda k=k: held[k](w) for k in slots}
    works["√n blocks"] = lambda: in_ours(w)
    peers = {
        "jax": in_jax(plain, (w,), (x,)),
        "jax, √n blocks": in_jax(by_jax, (w,), (x,)),
        "jax, √n blocks by scan": in_jax(by_scan, (w,), (x,)),
        "torch": in_torch(_in_torch(length, False), (w,), (x,)),
        "torch, √n blocks": in_torch(_in_torch(length, True), (w,), (x,)),
    }
    facts: dict[str, Any] = {
        "peak without a budget": _in_slots(traced_peak(works[OURS]), x),
        "smallest budget": _in_slots(smallest - w.nbytes - x.nbytes, x),
    }
    goals = []
    for k, budget in budgets.items():
        # What was there before, the inputs, is in the budget and not in the peak.
        peak = traced_peak(works[f"{k} slots"]) + w.nbytes + x.nbytes
        facts[f"peak with {k} slots"] = _in_slots(peak - w.nbytes - x.nbytes, x)
        planned = wg.memory_plan(f, w, memory=budget).peak
        facts[f"plan of {k} slots"] = _in_slots(planned - w.nbytes - x.nbytes, x)
        goals.append(at_most(f"{k} slots: peak ≤ 1.05 × the planned one", peak / planned, 1.05))
    if available("jax"):
        for name, build in (("", plain), (", √n blocks", by_jax), (", by scan", by_scan)):
            facts[f"temporaries of jax{name}"] = _in_slots(_temporaries(build, w, x), x)
    for who in ("torch", "torch, √n blocks"):
        # XLA's threads have memory of their own, of which the system cannot tell what is in use.
        grown = resident_peak(peers[who]()) if available("torch") else None
        if grown is not None:
            facts[f"growth of resident memory, {who}"] = _in_slots(grown, x)
    yield compared(
        f"gradient of {length} layers, {width} × {width}",
        works,
        effort,
        peers,
        long=effort.of(False, False, True),
        facts=facts,
        goals=lambda seconds: present(
            *goals,
            *[
                at_most(
                    f"{k} slots: time ≤ {limit} × without a budget",
                    seconds[f"{k} slots"] / seconds[OURS],
                    limit,
                )
                for k, limit in slots.items()
            ],
        ),
    )


def _scanned(jax: Any, length: int, x: Any) -> Callable[[Any], Any]:
    """The blocks as loops: in a line of them, XLA takes the second computation for the first."""
    size = round(length**0.5)

    def f(w: Any) -> Any:
        def layer(state: Any, _: Any) -> Any:
            return jax.numpy.tanh(state @ w), None

        @jax.checkpoint
        def block(state: Any, _: Any) -> Any:
            return jax.lax.scan(layer, state, None, length=size)

        state, _ = jax.lax.scan(block, x, None, length=length // size)
        return jax.numpy.sum(state**2)

    return f


def _smallest(f: Callable[[Any], Any], w: Any) -> int:
    """The smallest budget that is found where one is looked for: `memory_plan` without a budget
    gives one that is found on the way."""
    try:
        wg.memory_plan(f, w, memory=1)
    except MemoryBudgetError as error:
        return int(error.smallest)
    raise AssertionError("a gradient within one byte")


def _in_slots(size: int, state: Any) -> str:
    return f"{size / state.nbytes:.1f} slots"


def traced_peak(work: Work) -> int:
    """How many bytes more than before are there at one time, by Python's allocators and NumPy's."""
    work()
    tracemalloc.start()
    try:
        work()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def resident_peak(work: Work) -> int | None:
    """By how many bytes resident memory grows; None where the system does not tell (not Linux)."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    work()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        reset.write_text("5")
        before = _resident(status, "VmRSS")
        work()
        return _resident(status, "VmHWM") - before
    except (OSError, AttributeError):
        return None


def _resident(status: Path, name: str) -> int:
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _temporaries(build: Callable[..., Callable[..., Any]], w: Any, x: Any) -> int:
    """Bytes beside arguments and results, as XLA plans them."""
    import jax

    compiled = jax.jit(build(jax, [jax.numpy.asarray(x)])).lower(w).compile()
    return int(compiled.memory_analysis().temp_size_in_bytes)


def _in_torch(length: int, blocks: bool) -> Callable[[Any, Sequence[Any]], Callable[..., Any]]:
    def build(torch: Any, captured: Sequence[Any]) -> Callable[..., Any]:
        from torch.utils.checkpoint import checkpoint

        def keep(block: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *args: checkpoint(block, *args, use_reentrant=False)

        if blocks:
            f = in_blocks(torch, keep, length, captured[0])
        else:
            f = chain(torch, length, captured[0])

        def gradient(w: Any) -> Any:
            at = w.detach().requires_grad_()
            return torch.autograd.grad(f(at), at)[0]

        return gradient

    return build


PARTS = (chains,)
