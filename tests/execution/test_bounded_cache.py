"""The cache behind programs and derivatives: least recently used goes first."""

from __future__ import annotations

import threading

from wengert.execution.cache import BoundedCache


def test_the_least_recently_used_goes_first():
    cache = BoundedCache(entries=3, weight=100)
    for key in "abc":
        cache.put(key, key.upper(), 1)
    assert cache.find("a") == "A"
    cache.put("d", "D", 1)
    assert cache.find("b") is None
    assert [cache.find(key) for key in "acd"] == ["A", "C", "D"]
    assert len(cache) == 3


def test_the_weight_is_bounded():
    cache = BoundedCache(entries=100, weight=10)
    for k in range(20):
        cache.put(k, k, 3)
    assert len(cache) == 3
    assert [cache.find(k) for k in (16, 17, 18, 19)] == [None, 17, 18, 19]
    cache.put("heavy", "h", 50)  # alone, and held
    assert len(cache) == 1
    assert cache.find("heavy") == "h"
    cache.put("light", "l", 1)
    assert (cache.find("heavy"), cache.find("light")) == (None, "l")


def test_a_key_put_again_counts_once():
    cache = BoundedCache(entries=10, weight=10)
    for _ in range(10):
        cache.put("a", 1, 4)
    cache.put("b", 2, 6)
    assert (cache.find("a"), cache.find("b")) == (1, 2)
    cache.clear()
    assert len(cache) == 0
    cache.put("c", 3, 10)
    cache.put("a", 1, 0)
    assert (cache.find("a"), cache.find("c")) == (1, 3)


def test_threads_may_share_it():
    cache = BoundedCache(entries=50, weight=1000)

    def work(start):
        for k in range(2000):
            cache.put((start + k) % 97, k, 1 + k % 5)
            cache.find(k % 97)

    threads = [threading.Thread(target=work, args=(k * 13,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < len(cache) <= 50
    assert cache._total == sum(weight for _, weight in cache._held.values())
