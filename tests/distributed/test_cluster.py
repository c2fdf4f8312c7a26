"""Sums over shards on a real cluster of processes, one of which is killed."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import wengert as wg
from wengert import distributed
from wengert.errors import WengertTypeError

dask_array = pytest.importorskip("dask.array")
dask_distributed = pytest.importorskip("distributed")

ROWS, COLUMNS, SHARDS, MANY = 50, 4, 7, 50

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def loss(w, x, y):
    return np.sum(np.log1p(np.exp(-y * (x @ w))))


def data(count=SHARDS):
    rng = np.random.default_rng(1)
    return [
        (rng.standard_normal((ROWS, COLUMNS)), np.sign(rng.standard_normal(ROWS)))
        for _ in range(count)
    ]


POINT = np.array([0.5, -1.0, 2.0, 0.1])


@pytest.fixture(scope="module")
def client():
    for name in ("distributed.scheduler", "distributed.nanny", "distributed.worker"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    cluster = dask_distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", processes=True
    )
    with cluster, dask_distributed.Client(cluster) as made:
        yield made


def same(found, expected):
    value, gradient = found
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


def here():
    return distributed.value_and_grad(loss, shards=data())(POINT)


def collections(count=SHARDS):
    """The shards as Dask arrays, which can be computed again."""
    x = dask_array.from_array(np.concatenate([x for x, _ in data(count)]), chunks=(ROWS, 2))
    y = dask_array.from_array(np.concatenate([y for _, y in data(count)]), chunks=ROWS)
    return x, y


def kill(client, count=1):
    for pid in list(client.run(os.getpid).values())[:count]:
        os.kill(pid, signal.SIGKILL)


def test_a_cluster_gives_the_bits_of_one_process(client):
    expected = here()
    shards = distributed.scatter(data(), client)
    same(distributed.value_and_grad(loss, shards=shards, client=client)(POINT), expected)
    same(distributed.value_and_grad(loss, shards=collections(), client=client)(POINT), expected)
    futures = client.scatter(data(), hash=False)
    same(distributed.value_and_grad(loss, shards=futures, client=client)(POINT), expected)
    v = np.arange(4.0)
    np.testing.assert_array_equal(
        distributed.hvp(loss, shards=shards, client=client)(POINT, v),
        distributed.hvp(loss, shards=data())(POINT, v),
    )
    rows = distributed.jacobian(lambda w, x, y: x @ w - y, shards=shards, client=client)(POINT)
    np.testing.assert_array_equal(rows, np.concatenate([x for x, _ in data()]))


def test_a_function_is_traced_once_a_worker(client, tmp_path: Path):
    log = tmp_path / "traces"

    def noted(w, x):
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return np.sum(np.sin(x * w))

    fun = distributed.value_and_grad(noted, shards=[np.ones(3)] * 8, client=client)
    for k in range(4):
        fun(float(k))
    traces = log.read_text().split()
    assert 1 <= len(traces) == len(set(traces)) <= 2


def test_an_error_of_the_function_is_the_callers(client):
    fun = distributed.value_and_grad(lambda w, x: w @ x, shards=[np.ones(3)], client=client)
    with pytest.raises(ValueError, match="shape"):
        fun(np.ones(2))


def slow(w, x, y):
    return wg.fori_loop(0, 60_000, lambda k, s: np.sin(s) + 1e-3 * loss(w * s, x, y), 1.0)


def test_traced_arguments_are_refused(client):
    fun = distributed.value_and_grad(loss, shards=data(2), client=client)
    with pytest.raises(WengertTypeError, match="call it outside of grad"):
        wg.grad(lambda w: fun(w)[0])(POINT)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["arrays", "collections"])
def test_a_worker_that_dies_in_the_middle_costs_time_alone(client, kind):
    shards = data(MANY) if kind == "arrays" else collections(MANY)
    fun = distributed.value_and_grad(slow, shards=shards, client=client)
    expected = distributed.value_and_grad(slow, shards=data(MANY))(POINT)
    same(fun(POINT), expected)
    begun = time.perf_counter()
    fun(POINT)
    assert time.perf_counter() - begun > 0.6, "too fast to be killed in the middle"
    killer = threading.Timer(0.3, kill, (client,))
    killer.start()
    same(fun(POINT), expected)
    killer.join()
    same(fun(POINT), expected)


@pytest.mark.long
def test_scattered_shards_that_are_lost_are_an_error_that_says_so(client):
    futures = client.scatter(data(), hash=False)
    fun = distributed.value_and_grad(loss, shards=futures, client=client)
    same(fun(POINT), here())
    kill(client, 2)
    with pytest.raises(distributed.ShardLostError, match="cannot compute it again"):
        fun(POINT)


@pytest.mark.long
def test_a_bar_counts_the_shards(client, capsys, monkeypatch):
    monkeypatch.setattr("wengert.distributed.calls.PATIENCE", 0.0)
    fun = distributed.value_and_grad(slow, shards=data(), client=client, progress=True)
    same(fun(POINT), distributed.value_and_grad(slow, shards=data())(POINT))
    assert "shards" in capsys.readouterr().err
