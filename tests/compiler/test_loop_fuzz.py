"""Random programs with loops and branches, and their derivatives: machine code gives what the
interpreter gives, and what the program gives that Python's own loops write out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import law_loop_programs as programs
import numpy as np
import optree
import pytest

import wengert as wg
from support import interpreted

CHUNKS, CHUNK = 10, 40
FLOATS = (0, 1, 2, 3)
"""The arguments that derivatives are taken by."""


def _gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    return wg.value_and_grad(programs.total(f), FLOATS)


def _forward(f: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        def inner(*floats: Any) -> Any:
            return tuple(y for y in f(*floats, *args[4:]) if y.dtype.kind in "fc")

        return wg.jvp(inner, args[:4], tuple(0.5 + 0 * x for x in args[:4]))

    return run


def _second(f: Callable[..., Any]) -> Callable[..., Any]:
    def slope(*args: Any) -> Any:
        return sum(np.sum(g) for g in wg.grad(programs.total(f), FLOATS)(*args))

    return wg.grad(slope, (0, 1))


def _mapped(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: wg.vmap(f)(*map(_many, args))


def _mapped_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: wg.vmap(wg.grad(programs.total(f), FLOATS))(*map(_many, args))


def _gradient_of_mapped(f: Callable[..., Any]) -> Callable[..., Any]:
    def mean(*args: Any) -> Any:
        return np.mean(wg.vmap(programs.total(f))(*map(_many, args)))

    return wg.grad(mean, FLOATS)


def _many(x: Any) -> Any:
    """Three instances that differ."""
    kind = x.dtype.kind
    if kind in "fc":
        return np.stack([x, x * np.float32(0.5), x - np.float32(1)])
    return np.stack([x, x[::-1], x])


WHICH: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "value": lambda f: f,
    "gradient": _gradient,
    "forward": _forward,
    "second": _second,
    "mapped": _mapped,
    "mapped gradient": _mapped_gradient,
    "gradient of mapped": _gradient_of_mapped,
}
UNROLLED = ("value", "gradient", "forward", "second")
"""Of these, Python's loops are the oracle: they need no value that differs between instances."""


def differs(found: Any, expected: Any, rtol: float) -> str | None:
    """Where two results differ."""
    ours, theirs = optree.tree_leaves(found), optree.tree_leaves(expected)
    if len(ours) != len(theirs):
        return f"{len(ours)} results and not {len(theirs)}"
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        a, b = np.asarray(a), np.asarray(b)
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"result {k} is {a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        scale = 1 + np.max(np.abs(b), initial=0, where=np.isfinite(b))
        if not np.allclose(a, b, rtol=rtol, atol=rtol * scale, equal_nan=True):
            return f"result {k} is\n{a}\nand not\n{b}"
    return None


def check_program(seed: int, which: str) -> str | None:
    """What is wrong with the program of a seed."""
    args = programs.arguments(seed)
    make = WHICH[which]
    with np.errstate(all="ignore"):
        with interpreted():
            expected = wg.jit(make(programs.program(seed)))(*args)
            if which in UNROLLED:
                plain = make(programs.program(seed, programs.Unrolled))
                wrong = differs(expected, plain(*args), 1e-4)
                if wrong is not None:
                    return f"seed {seed}, {which}, loop against Python: {wrong}"
        jitted = wg.jit(make(programs.program(seed)))
        for _ in range(2):
            wrong = differs(jitted(*args), expected, 1e-4)
            if wrong is not None:
                return f"seed {seed}, {which}, machine code: {wrong}"
    return None


def _which(seed: int) -> str:
    return list(WHICH)[seed % len(WHICH)]


@pytest.mark.parametrize("seed", range(35))
def test_some_programs(seed: int) -> None:
    wrong = check_program(seed, _which(seed))
    assert wrong is None, wrong


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_many_programs(chunk: int) -> None:
    wrong = []
    for seed in range(1_000 + chunk * CHUNK, 1_000 + (chunk + 1) * CHUNK):
        try:
            found = check_program(seed, _which(seed))
        except Exception as error:  # all of them, each with its seed
            found = f"seed {seed}, {_which(seed)}: {type(error).__name__}: {str(error)[:300]}"
        if found is not None:
            wrong.append(found)
    assert not wrong, f"{len(wrong)} of {CHUNK}\n" + "\n".join(wrong[:5])


@pytest.mark.parametrize("seed", range(100, 107))
def test_programs_are_printed_and_explained(seed: int) -> None:
    function, args = programs.program(seed), programs.arguments(seed)
    with np.errstate(all="ignore"):
        assert "return" in str(wg.trace(WHICH[_which(seed)](function), *args))
        assert "adjoint" in str(wg.explain(programs.total(function), *args))
