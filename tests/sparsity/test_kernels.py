"""Loops as machine code against the same loops in Python."""

import colour_cases as patterns
import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wengert import settings
from wengert.sparse.colouring import kernels, symmetric_kernels, translating
from wengert.sparse.colouring.choosing import choose
from wengert.sparse.colouring.translating import Array, Kernel, kernel

ALL = [
    value
    for module in (kernels, symmetric_kernels)
    for value in vars(module).values()
    if isinstance(value, Kernel)
]


@kernel
def words(numbers: Array, small: Array, n: int, out: Array) -> int:
    """Everything that a kernel can say, in no sensible order."""
    total = 0
    for k in range(n):
        if numbers[k] < 0 or (k == 3 and not small[k]):
            continue
        elif numbers[k] > 90:
            break
        total += numbers[k] * 2 - small[k]
        out[k] = numbers[k] % 7 + numbers[k] // 3
        small[k] += k & 5 | 2 ^ 1
        k = 99  # the loop goes on all the same
    left = n
    while left > 0 and total % 1000 != 7:
        left -= 1
        if left == 2:
            break
        total = total + twice(small, left)
        for q in range(left, n):
            if q > left + 2:
                break
            out[q] -= q >= 2
            if numbers[q] == 0:
                return -total
    return total


@kernel
def twice(small: Array, k: int) -> int:
    small[k] = small[k] + 1
    k = 2 * small[k]
    return k


@hypothesis.settings(deadline=None)
@given(st.lists(st.integers(-3, 100), max_size=12), st.sampled_from([np.int32, np.int64]))
def test_both_ways_of_running_a_kernel_agree(numbers, dtype):
    n = len(numbers)
    results = []
    for way in (words.interpreted, run_natively):
        small, out = (np.arange(n) % 5).astype(np.int8), np.zeros(n, np.int64)
        results.append((way(np.array(numbers, dtype), small, n, out), small, out))
    assert results[0][0] == results[1][0]
    assert np.array_equal(results[0][1], results[1][1])
    assert np.array_equal(results[0][2], results[1][2])


def run_natively(*args):
    function = words.native(args)
    assert function is not None
    return function(*(translating._passed(arg) for arg in args))


CASES = [
    (patterns.stencil((7, 8), patterns.FIVE), {}),
    (patterns.stencil((7, 8), patterns.FIVE), {"method": "reverse"}),
    (patterns.stencil((7, 8), patterns.NINE), {"symmetric": True}),
    (patterns.stencil((7, 8), patterns.NINE), {"symmetric": True, "substitution": True}),
    (patterns.arrow(30), {}),
    (patterns.of_matrix(np.random.default_rng(1).random((40, 30)) < 0.1), {}),
]


@pytest.mark.parametrize("pattern, how", CASES)
def test_colourings_are_the_same_without_machine_code(pattern, how, monkeypatch):
    monkeypatch.setattr(settings, "native", False)
    slow = choose(pattern, 1.0, 1.0, **how)
    monkeypatch.setattr(settings, "native", True)
    monkeypatch.setattr(translating, "_ENOUGH", 0)
    for each in ALL:
        monkeypatch.setattr(each, "compiled", dict(each.compiled))
    fast = choose(pattern, 1.0, 1.0, **how)
    assert slow.method == fast.method
    for name in ("columns", "rows", "source"):
        assert np.array_equal(getattr(slow, name), getattr(fast, name))
    assert (slow.steps is None) == (fast.steps is None)
    if slow.steps is not None:
        for name in ("targets", "operands", "levels"):
            assert np.array_equal(getattr(slow.steps, name), getattr(fast.steps, name))


def test_where_there_is_no_machine_code_python_runs(monkeypatch, caplog):
    def fails(*args):
        raise OSError("no source")

    monkeypatch.setattr(translating, "module_text", fails)
    monkeypatch.setattr(translating, "_ENOUGH", 0)
    alone = kernel(twice.python)
    assert alone(np.array([1, 2, 3]), 1) == 6
    assert "runs in Python: no source" in caplog.text


def test_what_a_kernel_cannot_say():
    @kernel
    def wrong(numbers: Array) -> int:
        with numbers:
            return 0

    with pytest.raises(NotImplementedError, match="a kernel cannot say with numbers"):
        translating.module_text(wrong, ("i32",))


def test_kernels_take_contiguous_arrays():
    with pytest.raises(ValueError, match="contiguous"):
        translating._passed(np.arange(10)[::2])
