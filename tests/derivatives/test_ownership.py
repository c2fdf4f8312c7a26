"""Results are arrays of their own: writing to one changes nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wengert import grad, hessian, hvp, jacobian, jit, jvp, linearize, value_and_grad, vjp

CAPTURED = np.array([1.0, 2.0, 3.0])


def many(x):
    """Values that share memory in NumPy, or are the same array."""
    y = x * 2
    return {
        "x": x,
        "again": x,
        "view": x[1:],
        "back": x[::-1],
        "y": y,
        "y again": y,
        "transposed": y.T,
        "flat": y.reshape(3, 1),
        "captured": x * 0 + CAPTURED,
        "wide": np.broadcast_to(x[0], (3,)),
        "real": np.real(y),
    }


def tree_leaves(tree):
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in tree_leaves(value)]
    if isinstance(tree, tuple | list):
        return [leaf for value in tree for leaf in tree_leaves(value)]
    return [tree]


CALLS = {
    "jit": lambda x: jit(many)(x),
    "aux of grad": lambda x: grad(lambda x: (np.sum(x), many(x)), has_aux=True)(x),
    "value of jvp": lambda x: jvp(many, (x,), (x,)),
    "vjp": lambda x: vjp(many, x)[0],
    "linearize": lambda x: linearize(many, x)[0],
    "pullback": lambda x: [vjp(lambda x: (x, x), x)[1]((x, x)), x[:0] * 1],
    "pushforward": lambda x: linearize(many, x)[1](x),
    "linear function": lambda x: jvp(lambda x: x, (x,), (x,)),
    "gradient": lambda x: grad(lambda x, y: np.sum(x * y), argnums=(0, 1))(x, x),
    "value_and_grad": lambda x: value_and_grad(lambda x: np.sum(x**2) / 2)(x),
    "jacobian": lambda x: jacobian(lambda x: (x * 2, x * 2))(x),
    "hessian": lambda x: hessian(lambda a, b: np.sum(a * b * x), argnums=(0, 1))(x, x),
    "hvp": lambda x: hvp(lambda y: np.sum(y**2) / 2, x, x),
}


@pytest.mark.parametrize("name", CALLS)
def test_results_share_no_memory(name):
    x = np.array([5.0, 7.0, 11.0])
    results = [leaf for leaf in tree_leaves(CALLS[name](x)) if isinstance(leaf, np.ndarray)]
    assert results
    for result in results:
        assert type(result) is np.ndarray
        assert result.flags.writeable
        assert result.base is None
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, CAPTURED)
    for a, b in itertools.combinations(results, 2):
        assert not np.shares_memory(a, b)


def test_writing_to_results_changes_no_later_result():
    x = np.array([5.0, 7.0, 11.0])
    compiled = jit(many)
    for call in (compiled, lambda x: jvp(many, (x,), (x,))[0]):
        first = call(x)
        expected = {key: np.array(value) for key, value in first.items()}
        for value in first.values():
            value[...] = -1.0
        second = call(x)
        for key, value in expected.items():
            np.testing.assert_array_equal(second[key], value)
    np.testing.assert_array_equal(x, [5.0, 7.0, 11.0])
    np.testing.assert_array_equal(CAPTURED, [1.0, 2.0, 3.0])


def test_a_constant_that_a_compiled_function_returns():
    compiled = jit(lambda x: (x, np.zeros(2)))
    compiled(1.0)[1][:] = 5.0
    assert compiled(1.0)[1].tolist() == [0.0, 0.0]


def test_arguments_are_not_written_to():
    def f(x):
        x += 1
        x[0] = 100.0
        x[1:] *= 2
        return np.sum(x**2)

    x = np.array([1.0, 2.0, 3.0])
    for call in (grad(f), jit(f), hessian(f), jit(grad(f))):
        for _ in range(2):
            call(x)
    np.testing.assert_array_equal(x, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(grad(f)(x), [0.0, 8 * 3.0, 8 * 4.0])
    assert jit(f)(x) == 100.0**2 + 6.0**2 + 8.0**2


def test_strided_and_read_only_arguments():
    x = np.arange(12.0)[::-3]
    np.testing.assert_array_equal(jit(lambda x: x * 2)(x), x * 2)
    np.testing.assert_array_equal(grad(lambda x: np.sum(x**2))(x), 2 * x)
    frozen = np.ones(3)
    frozen.flags.writeable = False
    assert grad(lambda x: np.sum(x**2))(frozen).flags.writeable
