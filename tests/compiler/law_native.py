"""The law of machine code: what it gives differs from the interpreter's by rounding alone.

How far rounding may reach is found by Monte Carlo arithmetic (D. S. Parker, *Monte Carlo
Arithmetic*, 1997): the graph runs several times with each rounded result moved by some units in the
last place, sums by n·eps·Σ|terms|, and what comes out spreads as rounding makes it spread. Where
nothing is rounded, nothing spreads and the values must be equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.execution.compiled import Compiled
from wengert.execution.interpreter import Program
from wengert.graph.node import Node
from wengert.graph.text import show
from wengert.graph.types import ArrayType
from wengert.graph.walk import topological

Array = np.ndarray[Any, Any]

UNITS = 4
"""What a rule may be off by, in units in the last place; the same for the interpreter's."""
RUNS, MARGIN = (7, 70), 4
"""Noisy runs, and how many times their spread the difference may be. More of them are run where a
difference is larger: few noisy runs cross a jump, as where two numbers are the least."""

EXACT = frozenset(
    {
        *("negative", "positive", "absolute", "fabs", "copysign", "sign", "select"),
        *("maximum", "minimum", "fmax", "fmin", "floor", "ceil", "rint", "trunc"),
        *("real", "imag", "conjugate", "join", "spacing", "nextafter", "heaviside"),
    }
)
"""Elementwise functions whose results are not rounded, unless they make complex numbers real."""


def compare(outputs: Sequence[Node], values: Mapping[Node, Any]) -> str | None:
    """What is wrong with the machine code of these outputs for these values; None if nothing."""
    kept = {node: _copy(value) for node, value in values.items()}
    with np.errstate(all="ignore"):
        expected = Program(outputs).run(values)
        found = Compiled(outputs).run(values)
    for node, before in kept.items():
        if (
            isinstance(before, np.ndarray)
            and before.tobytes() != np.asarray(values[node]).tobytes()
        ):
            return f"{node!r} was overwritten"
    wrong = _differs(outputs, expected, found, [np.zeros(np.shape(b)) for b in expected])
    for runs in RUNS:
        if wrong is None:
            break
        spread = spreads(outputs, values, expected, runs)
        wrong = _differs(outputs, expected, found, spread)
    return wrong


def _differs(
    outputs: Sequence[Node], expected: Sequence[Any], found: Sequence[Any], spread: Sequence[Array]
) -> str | None:
    """The first output that is off by more than rounding and MARGIN times the spread."""
    for k, (node, a, b) in enumerate(zip(outputs, found, expected, strict=True)):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"output {k} is {a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        bound = MARGIN * spread[k]
        wrong = ~_within(a, b, bound) if a.dtype.kind in "fc" else (a != b) & (bound == 0)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            return (
                f"output {k} ({node!r}) at {at}: {a[at]!r}, not {b[at]!r}"
                f" (spread {spread[k][at]:.1e}; {int(wrong.sum())} of {a.size} wrong)"
            )
    return None


def check(outputs: Sequence[Node], values: Mapping[Node, Any], what: str) -> None:
    """Fail with the text of the graph where its machine code is wrong."""
    wrong = compare(outputs, values)
    assert wrong is None, f"{what}: {wrong}\n{show(outputs)}"


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _within(a: Array, b: Array, bound: Array) -> Array:
    """Whether a is as near to b as rounding and the bound say; what is not finite is equal."""
    eps, tiny = np.finfo(b.dtype).eps, np.finfo(b.dtype).tiny
    with np.errstate(all="ignore"):
        near = np.abs(a - b) <= bound + UNITS * eps * np.abs(b) + UNITS * eps * tiny
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return same | near | ~np.isfinite(bound)


def spreads(
    outputs: Sequence[Node], values: Mapping[Node, Any], expected: Sequence[Any], runs: int
) -> list[Array]:
    """How far each element of the outputs moves under noise; infinite where it becomes another
    infinity or NaN."""
    rng = np.random.default_rng(0)
    found = [np.zeros(np.shape(b)) for b in expected]
    for _ in range(runs):
        noisy = _noisy(outputs, values, rng)
        for k, (a, b) in enumerate(zip(noisy, expected, strict=True)):
            with np.errstate(all="ignore"):
                wide = np.complex128 if np.asarray(b).dtype.kind == "c" else np.float64
                moved = np.abs(np.asarray(a, wide) - np.asarray(b, wide))
                same = (a == b) | ((a != a) & (b != b))
            moved = np.where(same, 0.0, np.where(np.isfinite(moved), moved, np.inf))
            found[k] = np.maximum(found[k], moved)
    return found


def _noisy(
    outputs: Sequence[Node], values: Mapping[Node, Any], rng: np.random.Generator
) -> list[Any]:
    """Values of the outputs, each rounded result moved by noise."""
    known = {node: value for node, value in values.items() if not node.args}
    with np.errstate(all="ignore"):
        for node in topological(outputs, stop=known):
            args = [known[arg] for arg in node.args]
            value = node.op.evaluate(node)(*args)
            size = _noise(node, args, value)
            if size is not None:
                size = np.where(np.isfinite(size) & np.isfinite(value), size, 0)
                noise = _signed(node.shape, rng)
                if node.dtype.kind == "c":
                    noise = noise + 1j * _signed(node.shape, rng)
                value = np.asarray(value + size * noise, node.dtype)
            known[node] = value
    return [known[node] for node in outputs]


def _signed(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.uniform(0.3, 1, shape) * rng.choice([-1, 1], shape)


def _noise(node: Node, args: Sequence[Any], value: Any) -> Any:
    """How far the result of a node may lie from the exact one; None where it is exact."""
    if not isinstance(node.type, ArrayType) or node.dtype.kind not in "fc":
        return None
    eps, tiny = np.finfo(node.dtype).eps, np.finfo(node.dtype).smallest_subnormal
    name = node.op.name
    if name in ("sum", "prod", "cumsum", "contract", "scatter_add", "add_along_axis"):
        sizes = [np.abs(arg) if np.asarray(arg).dtype.kind in "fc" else arg for arg in args]
        terms = max(np.size(args[0]) / max(node.size, 1), 1.0)
        if name == "contract":
            terms = math.prod(np.shape(args[0])[axis] for axis in node.params[0][0])
        total = np.asarray(_real(node, sizes))
        return (terms + UNITS) * eps * total + tiny
    if name in ("congruent_diagonal", "congruent_sum") and node.dtype.kind == "f" and node.size:
        return eps * _of_congruence(name, *args)
    if name in SYSTEMS and node.dtype.kind == "f" and node.size:
        return eps * _of_system(node, args, value)
    if node.op.family != "elementwise" or _is_exact(node):
        return None
    size = UNITS * eps * np.abs(value) + tiny
    if name in ("add", "subtract"):
        products = [np.abs(a) for arg, a in zip(node.args, args, strict=True) if _product(arg)]
        return sum((eps * a for a in products), size)
    return size


SYSTEMS = frozenset({"cholesky", "triangular_solve", "solve", "inverse"})


def _of_system(node: Node, args: Sequence[Any], value: Array) -> Any:
    """In units of eps, how far the solution of a system may be off: n times the condition of the
    matrix times the largest element (Higham, theorems 8.5, 9.4 and 10.3)."""
    of_matrix = node.op.name in ("cholesky", "triangular_solve")
    matrix = np.asarray(args[0] if of_matrix else args[1], np.float64)
    if node.op.name == "triangular_solve":
        lower, _, unit = node.params
        matrix = np.tril(matrix) if lower else np.triu(matrix)
        if unit:
            places = np.arange(matrix.shape[-1])
            matrix[..., places, places] = 1
    largest = np.max(np.abs(value), axis=(-2, -1), keepdims=True)
    condition = np.linalg.cond(matrix)[..., None, None]
    return np.broadcast_to(matrix.shape[-1] * condition * largest, np.shape(value))


def _of_congruence(name: str, factor: Array, inner: Array) -> Array:
    """In units of eps, how far W X Wᵀ and Wᵀ diag(d) W with W = L⁻¹ may be off: by substitution
    |δW| ≤ n eps |W| |L| |W| (Higham, *Accuracy and Stability of Numerical Algorithms*, 14.2), and
    that product is no smaller than |W|, so that it covers the products with W too."""
    n = factor.shape[-1]
    inverse = np.abs(np.linalg.inv(np.asarray(factor, np.float64)))
    moved = n * inverse @ np.abs(factor) @ inverse
    if name == "congruent_diagonal":
        terms = np.abs(inner) + np.swapaxes(np.abs(inner), -1, -2)
        return np.asarray(np.sum((moved @ terms) * inverse, axis=-1))
    product = np.swapaxes(moved, -1, -2) @ (np.abs(inner)[..., :, None] * inverse)
    return np.asarray(product + np.swapaxes(product, -1, -2))


def _product(node: Node) -> bool:
    """Whether a sum may take a value as a product that is not rounded (fused multiply-add)."""
    while node.op.family == "movement" or node.op.name == "negative":
        node = node.args[0]
    return node.op.name in ("multiply", "square", "power", "contract", "convert")


def _is_exact(node: Node) -> bool:
    own = node.args[0].dtype
    if node.op.name == "convert":
        return np.can_cast(own, node.dtype)
    return node.op.name in EXACT and (own.kind != "c" or node.op.name not in ("absolute", "sign"))


def _real(node: Node, sizes: Sequence[Any]) -> Any:
    """The op of a node on the sizes of its inputs."""
    dtype = np.float32 if node.dtype.char in "fF" else np.float64
    like = [np.asarray(s, dtype) if np.asarray(s).dtype.kind in "fc" else s for s in sizes]
    return np.abs(node.op.evaluate(node)(*like))
