"""Sums over shards in this process: values, structures, the tree, errors."""

from __future__ import annotations

from functools import reduce as folded
from operator import add

import numpy as np
import pytest

import wengert as wg
from wengert import distributed, estimate
from wengert.distributed.trees import joined
from wengert.errors import WengertTypeError, WengertValueError


def loss(params, x, y):
    return np.sum(np.log1p(np.exp(-y * (x @ params["w"] + params["b"]))))


def data(rows=(3, 5, 2, 4, 1), n=3):
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal((m, n)), np.where(rng.standard_normal(m) > 0, 1.0, -1.0)) for m in rows
    ]


PARAMS = {"w": np.array([0.5, -1.0, 2.0]), "b": 0.25}


def whole(params):
    return folded(add, (loss(params, x, y) for x, y in data()))


def test_value_and_gradient_are_those_of_the_sum():
    value, gradient = distributed.value_and_grad(loss, shards=data())(PARAMS)
    expected, by_hand = wg.value_and_grad(whole)(PARAMS)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    assert set(gradient) == {"w", "b"}
    np.testing.assert_allclose(gradient["w"], by_hand["w"], rtol=1e-13)
    np.testing.assert_allclose(gradient["b"], by_hand["b"], rtol=1e-13)


def test_the_mean_is_that_over_all_rows():
    def mean_loss(params, x, y):
        return loss(params, x, y) / len(y)

    total, gradient = distributed.value_and_grad(loss, shards=data())(PARAMS)
    mean, slope = distributed.value_and_grad(mean_loss, shards=data(), reduce="mean")(PARAMS)
    np.testing.assert_allclose(mean, total / 15, rtol=1e-14)
    np.testing.assert_allclose(slope["w"], gradient["w"] / 15, rtol=1e-13)
    v = {"w": np.ones(3), "b": 1.0}
    curved = distributed.hvp(mean_loss, shards=data(), reduce="mean")(PARAMS, v)
    expected = distributed.hvp(loss, shards=data())(PARAMS, v)
    np.testing.assert_allclose(curved["w"], expected["w"] / 15, rtol=1e-13)
    fun = distributed.value_and_grad(lambda w, x: w * x, shards=[2.0, 3.0], reduce="mean")
    with pytest.raises(WengertTypeError, match="weighs each shard by its rows"):
        fun(1.0)


def test_hessian_products_and_operator():
    v = {"w": np.array([1.0, 0.0, -1.0]), "b": 2.0}
    found = distributed.hvp(loss, shards=data())(PARAMS, v)
    expected = wg.hvp(whole, PARAMS, v)
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-12)
    np.testing.assert_allclose(found["b"], expected["b"], rtol=1e-12)
    operator = distributed.hessian_operator(loss, PARAMS, shards=data())
    assert operator.shape == (4, 4)
    matrix = operator @ np.eye(4)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12)
    # leaves in optree's order: b before w
    np.testing.assert_allclose(
        matrix @ [2.0, 1.0, 0.0, -1.0], [found["b"], *found["w"]], rtol=1e-12
    )


def test_the_trace_of_the_operator_is_estimated():
    operator = distributed.hessian_operator(loss, PARAMS, shards=data())
    exact = np.trace(operator @ np.eye(4))
    np.testing.assert_allclose(estimate.trace(operator, samples=4).value, exact, rtol=1e-12)


def test_rows_of_the_jacobian_stand_in_the_order_of_the_shards():
    def residuals(w, x, y):
        return np.tanh(x @ w) - y

    w = np.array([0.1, 0.2, 0.3])
    found = distributed.jacobian(residuals, shards=data())(w)
    expected = np.concatenate([wg.jacobian(residuals)(w, x, y) for x, y in data()])
    assert found.shape == (15, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_an_operator_keeps_its_point_and_takes_complex_vectors_and_none():
    point, shards = np.array([0.5, -1.0, 2.0]), [x for x, _ in data()]
    operator = distributed.hessian_operator(lambda w, x: np.sum((x @ w) ** 3), point, shards=shards)
    exact = wg.hessian(lambda w: np.sum((np.concatenate(shards) @ w) ** 3))(point.copy())
    v = np.array([1.0, 2j, 3.0 - 1j])
    point[:] = 0
    np.testing.assert_allclose(operator @ v, exact @ v, rtol=1e-12)
    assert (operator @ np.zeros((3, 0))).shape == (3, 0)
    with pytest.raises(WengertValueError, match="no Hessian"):
        distributed.hessian_operator(lambda w, x: np.sum(x), (), shards=shards)


def test_shards_may_be_lists():
    as_lists = [[x, y] for x, y in data()]
    found = distributed.value_and_grad(loss, shards=as_lists)(PARAMS)[0]
    assert found == distributed.value_and_grad(loss, shards=data())(PARAMS)[0]


@pytest.mark.parametrize("structure", [lambda y: (y, y), lambda y: {"a": y}, lambda y: [y]])
def test_several_outputs_of_a_jacobian_are_refused(structure):
    rows = distributed.jacobian(lambda w, x: structure(x @ w), shards=[x for x, _ in data()])
    with pytest.raises(WengertTypeError, match="must return one array"):
        rows(np.ones(3))
    for option in ("has_aux", "sparse", "argnums"):
        with pytest.raises(WengertTypeError, match=f"takes mode and holomorphic, not {option}"):
            distributed.jacobian(loss, shards=data(), **{option: True})


def test_the_tree_is_that_of_joining_neighbours():
    def neighbours(count):
        level = [str(k) for k in range(count)]
        while len(level) > 1:
            pairs = [f"({a}{b})" for a, b in zip(level[::2], level[1::2], strict=False)]
            level = pairs + level[2 * len(pairs) :]
        return level[0]

    for count in range(1, 34):
        assert joined(count, str, lambda a, b: f"({a}{b})") == neighbours(count)


def test_errors_say_what_to_write():
    with pytest.raises(WengertValueError, match="at least one"):
        distributed.value_and_grad(loss, shards=[])
    with pytest.raises(WengertTypeError, match="list of arrays"):
        distributed.value_and_grad(loss, shards=np.ones((3, 2)))
    with pytest.raises(WengertValueError, match='"sum" or "mean"'):
        distributed.value_and_grad(loss, shards=data(), reduce="median")
    with pytest.raises(WengertTypeError, match="returned a number"):
        distributed.jacobian(lambda w, x: np.sum(w * x), shards=[np.ones(2)])(np.ones(2))
    with pytest.raises(WengertTypeError, match=r"client must be a distributed\.Client, not str"):
        distributed.value_and_grad(loss, shards=data(), client="tcp://here")


def test_without_dask_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("wengert.distributed.shards.module", missing)
    with pytest.raises(WengertTypeError, match=r"pip install 'wengert\[distributed\]'"):
        distributed.value_and_grad(loss, shards=data(), client=object())
    assert distributed.value_and_grad(loss, shards=data())(PARAMS)[0] > 0
