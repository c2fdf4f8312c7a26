"""wengert.trace: what it shows is what `jit` compiles."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import wengert as wg
from wengert import settings
from wengert.compiler import pipeline
from wengert.errors import WengertTypeError
from wengert.graph.text import parse

X = np.linspace(0.1, 1.0, 1000)
A = np.linspace(-1.0, 1.0, 200 * 30).reshape(200, 30)
B = np.linspace(-1.0, 1.0, 200 * 64).reshape(200, 64)


def chain(x):
    return np.sum(np.sin(x) * np.exp(-(x**2)))


def softmax(a):
    return np.sum(np.log(np.sum(np.exp(a), axis=1)))


def products(a):
    return a.T @ a, a @ a.T


def pairs(p):
    d = p[:, None, :] - p[None]
    return np.sum(np.sqrt(np.sum(d * d, axis=-1) + 1.0))


def recurrence(x):
    for _ in range(50):
        x = x + 0.01 * np.stack([x[1] - x[0], x[0] * x[2], x[1]])
    return np.sum(x)


PROGRAMS = {
    "a chain": (chain, X),
    "its gradient": (wg.value_and_grad(chain), X),
    "softmax": (wg.grad(softmax), A[:, :10]),
    "products": (products, B),
    "pairs": (wg.grad(pairs), A[:, :3]),
    "shifts": (wg.grad(lambda x: np.sum((x[1:] - x[:-1]) ** 2)), X),
    "gathers": (wg.grad(lambda x, k: np.sum(x[k] ** 2)), X, np.arange(40) % 7),
    "a recurrence": (wg.grad(recurrence), np.ones(3)),
    "control flow": (lambda x: np.sum(np.cos(x)) if x[0] < 1 else x, X),
    "an argument that is not used": (lambda x, y: np.cos(y), X, X[:500]),
    "structures": (lambda d: {"sum": d["a"] + d["b"][0]}, {"a": X, "b": (X,)}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_shows_what_is_compiled(name, monkeypatch):
    f, *args = PROGRAMS[name]
    texts, arenas = [], []
    own, native = pipeline.object_code, pipeline.Native

    def object_code(text, passes=()):
        texts.append(text)
        return own(text)

    def made(*parts):
        arenas.append(parts[2])
        return native(*parts)

    monkeypatch.setattr(pipeline, "object_code", object_code)
    monkeypatch.setattr(pipeline, "Native", made)
    wg.jit(f)(*args)
    monkeypatch.undo()
    found = wg.trace(f, *args)
    assert found.host_calls == ()
    assert [program.llvm for program in found.programs] == texts[:1]
    assert [program.arena_bytes for program in found.programs] == arenas[:1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_arrays_of_the_arena_fill_it(name, monkeypatch):
    monkeypatch.setattr(settings, "threads", 1)  # each part of a shared loop has copies
    f, *args = PROGRAMS[name]
    (program,) = wg.trace(f, *args).programs
    padded = sum(-(-room.nbytes // 64) * 64 + 64 for room in program.rooms)
    assert bool(program.rooms) == bool(program.arena_bytes)
    assert max((room.nbytes for room in program.rooms), default=0) <= program.arena_bytes
    assert program.arena_bytes <= padded


def test_kernels_are_loops_with_statements():
    lines = wg.trace(wg.value_and_grad(chain), X).kernels.splitlines()
    assert lines[0] == "nest 0:"
    assert lines[1].startswith("    for i in range(1000), ")
    assert lines[1].endswith(" at a time:")
    statements = [line.split(" = ")[1] for line in lines if line.startswith("        %")]
    assert statements.count("sin(in0[i])") == 1
    assert any(text.startswith("sum over i of %") for text in statements)
    assert any(line.startswith("        out1[i] = %") for line in lines)
    assert lines[-1].startswith("    out0[0] = %")


@pytest.mark.parametrize(
    "name, text",
    [
        ("softmax", "= pack(in0[10*i + j])"),
        ("softmax", "= sum over"),
        ("products", "out0 = in0 (64×200) @ in0 (200×64), by BLAS"),
        ("products", "out1 = in0 (200×64) @ in0 (64×200), by BLAS"),
        ("shifts", "in0[i - 1] if 1 <= i < 1000 else 0)"),
        ("gathers", "check %"),
        ("gathers", "= in0[%"),
        ("gathers", "] += %"),
        ("a recurrence", " operations on single numbers, "),
        ("control flow", "= sum over i of %"),
        ("an argument that is not used", "= cos(in1[i])"),
    ],
)
def test_statements_of_all_kinds(name, text):
    f, *args = PROGRAMS[name]
    assert text in wg.trace(f, *args).kernels


def test_graphs_can_be_read_back():
    found = wg.trace(wg.grad(softmax), A)
    for text in (found.graph, found.simplified):
        assert [str(node.type) for node in parse(text)] == ["float64[200,30]"]
    assert len(found.simplified) < len(found.graph)


def test_values_that_control_flow_asked_for_are_outputs():
    found = wg.trace(lambda x: np.sum(x) if x[0] < 1 and x[1] > 0 else x, X)
    assert found.guards == 2
    assert found.graph.splitlines()[-1].count("%") == 3
    assert wg.trace(chain, X).guards == 0


def test_host_calls_and_their_reasons(caplog):
    caplog.set_level(logging.DEBUG, "wengert")
    found = wg.trace(lambda x: np.exp(np.sort(np.sin(x))), X)
    names = [name for name, _ in found.host_calls]
    assert "argsort" in names
    assert len(found.programs) == 2
    assert "program 0\nnest 0:" in found.kernels
    assert "program 1\nnest 0:" in found.kernels
    for name, reason in found.host_calls:
        assert f"{name} is a host call: {reason}" in caplog.text
        assert f"    {name}: {reason}" in repr(found)


def test_a_dtype_that_a_rule_does_not_take_is_named():
    found = wg.trace(np.cumsum, X.astype(np.complex128))
    for _, reason in found.host_calls:
        assert "complex128[1000]" in reason or "no native rule" in reason


def test_llvm_and_assembly():
    found = wg.trace(chain, X)
    assert "define i64 @program(ptr %inputs, ptr %outputs, ptr %arena, ptr %table)" in found.llvm
    assert "program:" in found.assembly
    parts = str(found).split("\n\n")
    assert [part.splitlines()[0] for part in parts] == [
        "chain, simplified:",
        "kernels:",
        "scratch memory:",
    ]


def test_functions_without_a_program():
    found = wg.trace(lambda x: 3.0, X)
    assert found.programs == ()
    assert found.kernels == found.memory == found.llvm == found.assembly == ""
    assert "kernels" not in str(found)


def test_what_cannot_be_traced_is_refused():
    with pytest.raises(WengertTypeError, match="argument 1 of chain"):
        wg.trace(chain, X, "text")


def test_nothing_stays_traced():
    wg.trace(chain, X)
    assert wg.jit(chain)(X) == pytest.approx(chain(X), rel=1e-14)
