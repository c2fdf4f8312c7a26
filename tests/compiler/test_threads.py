"""Big loops in several threads: the same results, in a fixed order, through forks and exits."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import wengert as wg
from wengert import settings
from wengert.compiler import pool
from wengert.compiler.pipeline import compiled
from wengert.graph.registry import find as op
from wengert.graph.types import array_type
from wengert.ops.leaves import input

pytestmark = pytest.mark.skipif(not pool.HAS_THREADS, reason="loops run in one thread here")

RNG = np.random.default_rng(20)
VECTOR = RNG.normal(size=800_003)
MATRIX, TARGET = RNG.normal(size=(4_003, 203)), RNG.normal(size=4_003)


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Threads as they were; BLAS is left alone, since all tests of the process share it."""
    before = settings.threads
    monkeypatch.setattr(pool, "limit_blas", lambda: None)
    yield
    wg.set_threads(before)
    settings.threads_were_set = False


def chain(x):
    return np.sin(x) * np.exp(-x * x) + np.tanh(x)


def total(x):
    return np.sum(chain(x))


def largest(x):
    return np.max(x) - np.min(x * x)


def student(w):
    return np.sum(np.log1p((TARGET - MATRIX @ w) ** 2 / 4.0))


def columns(a):
    return np.sum(np.exp(a), axis=0)


def rows(a):
    return np.sum(np.exp(a), axis=1)


def softmax(a):
    shifted = np.exp(a - np.max(a, axis=1, keepdims=True))
    return shifted / np.sum(shifted, axis=1, keepdims=True)


def joined(x):
    return np.concatenate([x[:5], np.stack([x, np.sin(x), x * x], axis=-1).ravel(), np.cos(x)])


WEIGHTS = RNG.normal(size=203)
CASES = {
    "chain": (chain, VECTOR),
    "joined": (joined, VECTOR),
    "single": (chain, VECTOR.astype(np.float32)),
    "integers": (lambda x: np.sum(x * x + x), np.arange(700_001)),
    "any": (lambda x: np.any(x * x > 30.0), VECTOR),
    "total": (total, VECTOR),
    "largest": (largest, VECTOR),
    "gradient": (wg.grad(total), VECTOR),
    "student": (wg.grad(student), WEIGHTS),
    "columns": (columns, MATRIX),
    "columns of the transpose": (lambda a: columns(a.T), MATRIX),
    "rows": (rows, MATRIX),
    "softmax": (softmax, MATRIX),
    "two": (lambda a: (columns(a) @ WEIGHTS, rows(a)), MATRIX),
    "convolution": (lambda x: x[2:] - 2.0 * x[1:-1] + x[:-2], VECTOR),
}


def same_bits(a, b):
    a, b = (v if isinstance(v, tuple) else (v,) for v in (a, b))
    return all(
        np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("name", CASES)
def test_threads_change_the_last_bits_at_most(name):
    f, x = CASES[name]
    wg.set_threads(1)
    serial = wg.jit(f)(x)
    for n in (2, 3, 4):
        wg.set_threads(n)
        threaded = wg.jit(lambda *args: f(*args))
        first = threaded(x)
        assert all(same_bits(first, threaded(x)) for _ in range(20))
        pairs = zip(first, serial, strict=True) if isinstance(first, tuple) else [(first, serial)]
        for own, other in pairs:
            scale = np.max(np.abs(np.asarray(other, float)))
            np.testing.assert_allclose(own, other, rtol=0, atol=1e-13 * scale)
        wg.set_threads(1)
        assert same_bits(threaded(x), serial)


def tables(n, f="exp", size=1_000_000):
    """The table of the program of one big loop, compiled for n threads."""
    wg.set_threads(n)
    x = input(0, array_type((size,), np.dtype(float)))
    return compiled([op(f)(x)], [x]).table


def test_only_big_loops_of_several_threads_use_the_pool():
    assert tables(1) is None
    assert tables(2) is not None
    assert tables(2, size=10_000) is None


def test_several_python_threads_may_use_the_pool_at_once():
    wg.set_threads(2)
    f = wg.jit(wg.grad(total))
    expected = f(VECTOR)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(f, [VECTOR] * 40):
            assert same_bits(found, expected)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, None, "2", True])
def test_a_number_of_threads_is_checked(wrong):
    with pytest.raises(wg.WengertError, match="set_threads takes a whole number"):
        wg.set_threads(wrong)


def run(text, **env):
    """A process of its own; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", "import os, numpy as np, wengert as wg\n" + text],
        env={**os.environ, "WENGERT_CACHE": "off", **env},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


CALL = """
f = wg.jit(lambda x: np.sum(np.sin(x) * np.exp(x)))
x = np.linspace(0.0, 1.0, 900_001)
before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
first = f(x)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
@pytest.mark.parametrize("n, workers", [("1", 0), ("3,2", 2), ("2", 1)])
def test_the_environment_says_how_many_threads(n, workers):
    text = CALL + "[f(x) for _ in range(50)]; print(len(os.listdir('/proc/self/task')) - before)"
    assert int(run(text, OMP_NUM_THREADS=n)) == workers


def test_a_forked_child_has_a_pool_of_its_own():
    text = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
for _ in range(5):
    child = os.fork()
    if not child:
        same = all(f(x) == first for _ in range(20))
        os._exit(0 if same else 1)
    assert f(x) == first
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    run(CALL + text, OMP_NUM_THREADS="3")


def test_blas_is_told_the_number_of_threads():
    text = """
import scipy.linalg.cython_blas, threadpoolctl
wg.set_threads(1)
print({own["num_threads"] for own in threadpoolctl.threadpool_info() if own["user_api"] == "blas"})
"""
    assert run(text, OMP_NUM_THREADS="2").strip() == "{1}"
