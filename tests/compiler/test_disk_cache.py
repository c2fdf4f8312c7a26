"""Compiled programs on disk: what is found again, what is not, and what is refused."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from wengert.compiler import disk, pipeline
from wengert.execution.calling import portable
from wengert.graph.literals import full
from wengert.graph.node import make
from wengert.graph.registry import find as op
from wengert.graph.types import array_type
from wengert.ops.leaves import input

FLOAT, SINGLE = np.dtype(np.float64), np.dtype(np.float32)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache that keeps everything."""
    monkeypatch.setattr(disk, "_IMPORTED", np.inf)  # whoever edits the source meanwhile
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(disk, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(disk, "_sizes", {})
    forget()
    yield tmp_path / "cache"
    forget()


def forget():
    disk._checked.cache_clear()
    disk.surroundings.cache_clear()


def leaf(k=0, shape=(5,), dtype=FLOAT):
    return input(k, array_type(shape, dtype))


def graph(x, constant=3.0):
    return [op("multiply")(op("sin")(x), full(constant, x.dtype, x.shape))]


def run(native, *values):
    return portable.run(native, [np.asarray(value) for value in values])


def forbidden(*args, **kwargs):
    raise AssertionError("a program that is in the cache was compiled")


# --------------------------------------------------------------------------- in one process


def test_what_was_kept_is_not_compiled_again(place, monkeypatch):
    x = leaf()
    values = np.linspace(-1.0, 1.0, 5)
    (first,) = run(pipeline.compiled(graph(x), [x]), values)
    assert len(list(place.iterdir())) == 1
    monkeypatch.setattr(pipeline, "nest_module", forbidden)
    monkeypatch.setattr(pipeline, "object_code", forbidden)
    native = pipeline.compiled(graph(x), [x])
    (second,) = run(native, values)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(second, 3 * np.sin(values), rtol=1e-15)
    assert native.inputs == (x.type,)
    with pytest.raises(AssertionError):
        pipeline.compiled(graph(x, 4.0), [x])


def test_what_is_compiled_quickly_is_not_kept(place, monkeypatch):
    monkeypatch.setattr(disk, "LEAST_SECONDS", 1e9)
    pipeline.compiled(graph(leaf()), [leaf()])
    assert list(place.iterdir()) == []


KEYS = {
    "the graph": lambda: (graph(leaf()), [leaf()]),
    "another constant": lambda: (graph(leaf(), 4.0), [leaf()]),
    "the constant 0": lambda: (graph(leaf(), 0.0), [leaf()]),
    "the constant -0": lambda: (graph(leaf(), -0.0), [leaf()]),
    "another shape": lambda: (graph(leaf(shape=(6,))), [leaf(shape=(6,))]),
    "another rank": lambda: (graph(leaf(shape=(5, 1))), [leaf(shape=(5, 1))]),
    "another dtype": lambda: (graph(leaf(dtype=SINGLE)), [leaf(dtype=SINGLE)]),
    "another op": lambda: ([op("cos")(leaf())], [leaf()]),
    "an op more": lambda: ([op("cos")(graph(leaf())[0])], [leaf()]),
    "another parameter": lambda: ([op("sum")(leaf(shape=(3, 3)), (0,))], [leaf(shape=(3, 3))]),
    "another parameter again": lambda: (
        [op("sum")(leaf(shape=(3, 3)), (1,))],
        [leaf(shape=(3, 3))],
    ),
    "another order of the args": lambda: ([op("divide")(leaf(0), leaf(1))], [leaf(0), leaf(1)]),
    "another order of the inputs": lambda: ([op("divide")(leaf(0), leaf(1))], [leaf(1), leaf(0)]),
    "an output twice": lambda: (graph(leaf()) * 2, [leaf()]),
    "an input more": lambda: (graph(leaf()), [leaf(), leaf(1)]),
}


def test_keys_tell_graphs_apart(place):
    keys = {name: disk.key_of_graph(*make()) for name, make in KEYS.items()}
    assert None not in keys.values()
    assert len(set(keys.values())) == len(keys), keys
    assert keys == {name: disk.key_of_graph(*make()) for name, make in KEYS.items()}


def test_names_of_inputs_make_no_difference(place):
    assert disk.key_of_graph(graph(leaf(0)), [leaf(0)]) == disk.key_of_graph(
        graph(leaf(7)), [leaf(7)]
    )


@pytest.mark.parametrize(
    "values",
    [
        [1, True, 1.0, 1 + 0j, "1", b"1", (1,), ((1,),), (1, None)],
        [0.0, -0.0, np.nan, -np.nan, np.inf, None, "", b"", (), ((),)],
        [FLOAT, SINGLE, "float64", "<f8", array_type((), FLOAT), array_type((), FLOAT, True)],
        [slice(1, 2), slice(1, 2, None), (1, 2, None), slice(1, 2, 1)],
        [("a", "b"), ("a,b",), ("a','b",), "('a','b')"],
    ],
)
def test_parameters_are_written_without_confusion(values):
    written = [disk._written(value) for value in values]
    same = [(a, b) for k, a in enumerate(values) for b in values[:k] if a is not b]
    expected = len(values) - sum(type(a) is slice and type(b) is slice and a == b for a, b in same)
    assert len(set(written)) == expected


def test_a_parameter_that_has_no_text_is_not_cached(place):
    x = leaf()
    strange = make(op("alias"), (x,), (frozenset({1, 2}),), x.type)
    outputs = graph(strange)
    assert disk.key_of_graph(outputs, [x]) is None
    (found,) = run(pipeline.compiled(outputs, [x]), np.ones(5))
    np.testing.assert_allclose(found, 3 * np.sin(1.0), rtol=1e-15)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    "what, value",
    [
        ("host", lambda: "another processor"),
        ("version", lambda name: "99" if name == "numpy" else "1"),
        ("_source", lambda: "another compiler"),
        ("sys", type("sys", (), {"version": "4.0", "platform": sys.platform})),
    ],
)
def test_keys_rest_on_what_is_around(place, monkeypatch, what, value):
    x = leaf()
    before = disk.key_of_graph(graph(x), [x])
    text = disk.key_of_text("text")
    monkeypatch.setattr(disk, what, value)
    assert disk.key_of_graph(graph(x), [x]) == before
    disk.surroundings.cache_clear()
    assert disk.key_of_graph(graph(x), [x]) != before
    assert disk.key_of_text("text") != text


def test_source_that_changed_since_it_was_imported_is_not_cached(place, monkeypatch):
    monkeypatch.setattr(disk, "_IMPORTED", 0.0)
    assert disk.key_of_graph(graph(leaf()), [leaf()]) is None
    assert disk.key_of_text("text") is None


# ----------------------------------------------------------------------------- damaged files


def test_damaged_files_are_ignored_and_written_anew(place, caplog):
    caplog.set_level(logging.DEBUG, "wengert")
    x = leaf()
    pipeline.compiled(graph(x), [x])
    (file,) = place.iterdir()
    whole = file.read_bytes()
    assert disk.find(file.name) is not None
    lengths = {0, 1, 7, 8, 39, 40, len(whole) // 2, len(whole) - 1}
    flipped = [whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :] for k in range(0, len(whole), 13)]
    for damaged in [*(whole[:k] for k in lengths), *flipped, whole + b"\0", b"\0" * len(whole)]:
        file.write_bytes(damaged)
        assert disk.find(file.name) is None
    assert "is damaged" in caplog.text
    (found,) = run(pipeline.compiled(graph(x), [x]), np.ones(5))
    np.testing.assert_allclose(found, 3 * np.sin(1.0), rtol=1e-15)
    assert disk.find(file.name).code == disk._unpacked(file.name, whole).code


def test_a_file_is_good_under_its_own_name_alone(place):
    x = leaf()
    pipeline.compiled(graph(x), [x])
    (file,) = place.iterdir()
    other = "0" * len(file.name)
    file.rename(place / other)
    assert disk.find(other) is None


def test_a_file_that_cannot_be_read_is_ignored(place):
    key = disk.key_of_text("text")
    (place / key).mkdir()
    assert disk.find(key) is None
    disk.keep(key, disk.Kept(b"code"), 1.0)
    assert [path.name for path in place.iterdir()] == [key]


# ------------------------------------------------------------------------------ the directory

OWNERS = pytest.mark.skipif(os.name == "nt", reason="the mode of a file says nothing here")


@OWNERS
def test_the_directory_is_its_owners(place):
    before = os.umask(0)
    try:
        assert disk.directory() == place
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    pipeline.compiled(graph(leaf()), [leaf()])
    (file,) = place.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="the place of Linux")
@pytest.mark.parametrize("xdg", ["", "caches"])
def test_the_directory_is_in_the_users_caches(place, tmp_path, monkeypatch, xdg):
    monkeypatch.delenv("WENGERT_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / xdg) if xdg else "")
    assert disk.directory() == tmp_path / (xdg or ".cache") / "wengert"
    assert stat.S_IMODE(disk.directory().stat().st_mode) == 0o700


@OWNERS
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o770, 0o777, 0o1777])
def test_a_directory_that_others_can_write_is_refused(place, mode, caplog):
    place.mkdir()
    place.chmod(mode)
    x = leaf()
    for _ in range(3):
        pipeline.compiled(graph(x), [x])
    assert list(place.iterdir()) == []
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "can be written by others" in record.getMessage()


@OWNERS
def test_a_directory_that_others_can_read_is_taken(place, caplog):
    place.mkdir()
    place.chmod(0o755)
    assert disk.directory() == place
    assert not caplog.records


@OWNERS
def test_a_directory_of_someone_else_is_refused(place, monkeypatch, caplog):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert disk.directory() is None
    assert "belongs to someone else" in caplog.text


@OWNERS
def test_a_link_is_refused(place, tmp_path, caplog):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "elsewhere")
    assert disk.directory() is None
    assert "a link to one" in caplog.text


def test_no_directory_no_cache(place, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "file" / "cache"))
    assert disk.directory() is None
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    run(pipeline.compiled(graph(leaf()), [leaf()]), np.ones(5))


@pytest.mark.parametrize("off", ["off", "OFF", "0", "no"])
def test_off_keeps_nothing(tmp_path, monkeypatch, off):
    monkeypatch.setenv("WENGERT_CACHE", off)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(disk, "LEAST_SECONDS", 0.0)
    assert disk.directory() is None
    run(pipeline.compiled(graph(leaf()), [leaf()]), np.ones(5))
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_files_go_first(place, monkeypatch):
    monkeypatch.setattr(disk, "MOST_BYTES", 20_000)
    keys = [f"{k:064}" for k in range(40)]
    for k, key in enumerate(keys):
        disk.keep(key, disk.Kept(bytes(1_000)), 1.0)
        os.utime(place / key, (k, k))
        if k >= 5:
            assert disk.find(keys[5]) is not None  # in use: it stays
        assert sum(path.stat().st_size for path in place.iterdir()) <= 20_000
    left = {path.name for path in place.iterdir()}
    assert {keys[5], keys[39], keys[38]} <= left
    assert not left & {*keys[:5], *keys[6:20]}


# ------------------------------------------------------------------------- several processes

PROGRAM = """
import sys
import numpy as np
import wengert as wg
from wengert.compiler import disk

disk.LEAST_SECONDS = 0.0
wg.logging.show()

def f(x):
    if x[0] > 100:
        return np.sum(x)
    return np.sum(np.exp(-x**2) * np.sin(x))

x = np.linspace(0.0, 1.0, 64)
value, gradient = wg.jit(wg.value_and_grad(f))(x)
a = np.add.outer(x, -x)
product = wg.jit(np.matmul)(a, a)  # by BLAS, whose address is another in each process
np.testing.assert_allclose(product, a @ a, rtol=1e-13, atol=1e-13)
print(value.hex(), gradient.tobytes().hex(), product.tobytes().hex())
"""

NO_COMPILER = """
from wengert.compiler import pipeline

def forbidden(*args):
    raise AssertionError("a program that is in the cache was compiled")

pipeline.nest_module = pipeline.object_code = forbidden
"""


def process(text, place, **env):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", text],
        env={**os.environ, "WENGERT_CACHE": str(place), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(running):
    out, log = running.communicate()
    assert running.returncode == 0, log
    return out, log


def contents(place):
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_a_second_process_compiles_nothing(tmp_path):
    place = tmp_path / "cache"
    first, log = finish(process(PROGRAM, place, PYTHONHASHSEED="1"))
    assert "compiled" in log
    assert "in the cache" not in log
    kept = contents(place)
    assert kept
    second, log = finish(process(NO_COMPILER + PROGRAM, place, PYTHONHASHSEED="2"))
    assert "in the cache" in log
    assert "compiled" not in log
    assert first == second
    assert contents(place) == kept


def test_what_is_kept_holds_no_addresses(tmp_path):
    """Where the system puts libraries and objects differs from process to process."""
    places = tmp_path / "one", tmp_path / "other"
    running = [process(PROGRAM, place, PYTHONHASHSEED=str(k)) for k, place in enumerate(places)]
    first, second = [finish(own)[0] for own in running]
    assert first == second
    assert len(contents(places[0])) > 1
    assert contents(places[0]) == contents(places[1])


WRITER = """
import logging
import sys
from wengert.compiler import disk

disk.LEAST_SECONDS = 0.0
logging.basicConfig(level=logging.DEBUG)
key = "a" * 64
whole = disk.Kept(bytes(range(256)) * 2_000, 64, ("dgemm",), 7)
found = 0
for _ in range(200):
    disk.keep(key, whole, 1.0)
    own = disk.find(key)
    assert own == whole, own and own.table
"""


def test_several_processes_may_write_at_once(tmp_path):
    place = tmp_path / "cache"
    running = [process(WRITER, place) for _ in range(3)]
    for own in running:
        _, log = finish(own)
        assert "damaged" not in log
        assert "could not be written" not in log
    assert list(contents(place)) == ["a" * 64]


def test_the_same_program_compiled_at_once(tmp_path):
    place = tmp_path / "cache"
    running = [process(PROGRAM, place) for _ in range(2)]
    (first, _), (second, _) = map(finish, running)
    assert first == second
    third, _ = finish(process(NO_COMPILER + PROGRAM, place))
    assert third == first
