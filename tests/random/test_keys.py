"""The generator and its keys: the published numbers, and the same ones on every way."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert import random
from wengert.errors import WengertTypeError, WengertValueError
from wengert.ops.random import BLOCK, threefry

KNOWN = [
    (0, 0, 0x6B20015999BA4EFE),
    (2**64 - 1, 2**64 - 1, 0x1CB996FCBB002BE7),
    (0x13198A2E03707344, 0x243F6A8885A308D3, 0xC4923A9C483DF7A0),
]
"""Key, counter and result of Threefry-2x32 with 20 rounds, from the authors' library."""


@pytest.mark.parametrize("key, counter, expected", KNOWN)
def test_known_answers(key: int, counter: int, expected: int) -> None:
    assert int(threefry(np.uint64(key), np.uint64(counter))) == expected


def test_blocks_make_no_difference() -> None:
    counters = np.arange(2 * BLOCK + 5, dtype=np.uint64)
    together = threefry(np.uint64(3), counters)
    apart = [threefry(np.uint64(3), counters[k : k + 1])[0] for k in (0, BLOCK - 1, BLOCK, -1 % 9)]
    assert [together[k] for k in (0, BLOCK - 1, BLOCK, 8)] == apart


def test_key_and_its_errors() -> None:
    assert random.key(3) == np.uint64(3)
    assert random.key(-1) == np.uint64(2**64 - 1)
    assert random.key(np.int32(7)).dtype == np.uint64
    for seed in (1.5, "one", True, np.zeros(2, int)):
        with pytest.raises(WengertTypeError, match="integer"):
            random.key(seed)
    with pytest.raises(WengertTypeError, match=r"wengert\.random\.key\(seed\)"):
        random.normal(42, (2,))  # type: ignore[arg-type]
    with pytest.raises(WengertValueError, match=r"wengert\.vmap"):
        random.normal(random.split(random.key(0), 3), (2,))
    with pytest.raises(WengertTypeError, match="integer"):
        random.fold_in(random.key(0), 0.5)


def test_split_and_fold_in_agree() -> None:
    key = random.key(5)
    keys = random.split(key, (2, 3))
    assert keys.shape == (2, 3)
    assert keys.dtype == np.uint64
    assert len(np.unique(keys)) == 6
    assert [random.fold_in(key, k) for k in range(6)] == keys.ravel().tolist()


def test_keys_are_traced() -> None:
    @wg.jit
    def draw(key: np.uint64, step: int) -> tuple[np.ndarray, ...]:
        first, second = random.split(random.fold_in(key, step))
        return random.bits(first, (5,)), random.bits(second, (2, 3), np.uint8)

    for step in (0, 1, 7):
        first, second = random.split(random.fold_in(random.key(9), step))
        words, octets = draw(random.key(9), step)
        assert words.tolist() == random.bits(first, (5,)).tolist()
        assert octets.tolist() == random.bits(second, (2, 3), np.uint8).tolist()
        assert octets.dtype == np.uint8


def test_a_longer_draw_begins_with_a_shorter_one() -> None:
    key = random.key(2)
    for draw in (random.uniform, random.normal, random.gumbel):
        assert draw(key, (7,)).tolist() == draw(key, (100,))[:7].tolist()


def test_bits_are_fair() -> None:
    words = random.bits(random.key(11), (40_000,))
    places = np.arange(64, dtype=np.uint64)
    ones = ((words[:, None] >> places) & np.uint64(1)).sum(axis=0)
    assert np.abs(ones.astype(int) - 20_000).max() < 5 * 100  # five standard deviations
    with pytest.raises(WengertTypeError, match="unsigned"):
        random.bits(random.key(0), (), np.int64)


def test_drawing_by_numpy_in_a_trace_names_this_module() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(wg.WengertError, match=r"wengert\.random"):
        wg.grad(lambda m: np.sum(rng.normal(m, 1.0, 3)))(0.5)
    with pytest.raises(wg.WengertError, match=r"wengert\.random"):
        wg.grad(lambda m: np.sum(np.random.normal(m, 1.0, 3)))(0.5)
