"""What traces leave behind: nothing that grows."""

from __future__ import annotations

import dataclasses
import gc
import weakref

import numpy as np
import pytest

from wengert import grad, hessian, jit, jvp, vjp
from wengert.execution import programs
from wengert.graph.op import OPS
from wengert.tracing import lifting, session, trees


def nodes() -> int:
    """Live entries in the tables of all ops, with the bounded caches emptied."""
    programs.clear_caches()
    gc.collect()
    return sum(len(op.interned.table) for op in OPS.values())


FUNCTIONS = {
    "operators": lambda x, c: np.sin(x * c) + c / x,
    "times one": lambda x, c: ((x * c) * 1 + 0) / 1,
    "to the one": lambda x, c: (x * c) ** 1 * 1.0,
    "powers of zero": lambda x, c: (x * c) ** 0 + x,
    "reductions": lambda x, c: np.sum(np.stack([x * c, x])) + np.sum(x * c),
    "identities": lambda x, c: np.real((x * c).copy().reshape(()).T)[...],
    "elements": lambda x, c: np.stack([x * c, x])[:][0],
    "writes": lambda x, c: written(np.stack([x * c, x])),
    "branches": lambda x, c: x * c if x > c else x,
    "ints": lambda x, c: x * c * int(x + c),
    "nested": lambda x, c: grad(lambda y: y * y * c * x)(x),
    "jvp": lambda x, c: jvp(lambda y: y * c, (x,), (x * c,))[1],
    "vjp": lambda x, c: vjp(lambda y: y * c, x)[1](x * c)[0],
    "hessian": lambda x, c: hessian(lambda y: y**3 * c)(x),
    "captures": lambda x, c: x * np.float64(c) + np.sum(x * np.array([c, 1.0])),
    "jit": lambda x, c: jit(lambda y: y * c)(x),
}


def times(x, factor):
    """d/dx factor · sin(x)."""
    return grad(lambda y: np.sin(y) * factor)(x)


def written(v):
    v[0] += 1.5
    return v[0] * v[1]


def literals_only(monkeypatch):
    """Every new Python number is another graph."""
    monkeypatch.setattr(lifting, "changes", lambda value: False)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nodes_die_with_what_holds_them(name, monkeypatch):
    literals_only(monkeypatch)
    f = FUNCTIONS[name]

    def run(k: int) -> None:
        grad(lambda x: f(x, 0.1234 + k * 1e-7))(2.0)

    run(0)
    before = nodes()
    for k in range(1, 40):
        run(k)
    assert nodes() <= before + 3


def test_programs_and_derivatives_are_bounded(monkeypatch):
    literals_only(monkeypatch)
    programs.clear_caches()
    monkeypatch.setattr(programs._PROGRAMS, "entries", 20)
    monkeypatch.setattr(programs._DERIVED, "entries", 30)
    counts = []
    for k in range(2000):
        assert times(0.0, 0.25 + k) == 0.25 + k
        if k >= 1000 and k % 100 == 0:
            counts.append(sum(len(op.interned.table) for op in OPS.values()))
    assert (len(programs._PROGRAMS), len(programs._DERIVED)) == (20, 30)
    assert max(counts) <= counts[0] + 20
    programs.clear_caches()


def test_sessions_die():
    kept = []
    grad(lambda x: kept.append(x) or x * np.ones(3)[0])(2.0)
    session_of_trace = weakref.ref(kept[0].session)
    assert session_of_trace() is not None
    kept.clear()
    gc.collect()
    assert session_of_trace() is None


def test_arrays_are_let_go():
    class Array(np.ndarray):
        pass

    captured = np.ones(3).view(Array)
    argument = np.ones(3).view(Array)
    refs = [weakref.ref(captured), weakref.ref(argument)]
    weighted = lambda x, weights: grad(lambda y: np.sum(y * weights))(x)
    assert weighted(argument, captured).tolist() == [1.0] * 3
    del captured, argument
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


def test_call_sites_of_numbers_are_bounded():
    assert session._MOST_SITES <= 100_000
    assert len(session._sites) <= session._MOST_SITES + 1


def test_structures_are_registered_once():
    @dataclasses.dataclass
    class Point:
        x: float

    for _ in range(3):
        assert grad(lambda p: p.x**2)(Point(3.0)).x == 6.0
    assert sum(cls is Point for cls in trees._registered) == 1


@pytest.mark.long
def test_a_hundred_thousand_traces(monkeypatch):
    literals_only(monkeypatch)
    programs.clear_caches()
    counts = []
    for k in range(100_000):
        assert times(0.0, 0.25 + k) == 0.25 + k
        if k >= 20_000 and k % 20_000 == 0:
            gc.collect()
            counts.append(
                (len(gc.get_objects()), sum(len(op.interned.table) for op in OPS.values()))
            )
    objects, entries = zip(*counts, strict=True)
    assert max(objects) <= objects[0] * 1.01
    assert max(entries) <= entries[0] * 1.01
