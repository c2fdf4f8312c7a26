"""What is differentiated by: argnums, aux, structures, keyword arguments, integers."""

from __future__ import annotations

import collections
import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

from wengert import float0, grad, hessian, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp

JACOBIANS = [jacobian, jacfwd, jacrev]


def product(x, y, z):
    return x * y**2 * z**3


SLOPES = (4 * 125.0, 2 * 3.0 * 2 * 125, 3 * 3.0 * 4 * 25)
POINT = (3.0, 2.0, 5.0)


@pytest.mark.parametrize("transform", [grad, jacobian, jacfwd, jacrev])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_argnums_is_a_position(transform, k):
    for number in (k, k - 3, np.int64(k)):
        assert transform(product, argnums=number)(*POINT) == SLOPES[k]


@pytest.mark.parametrize("transform", [grad, jacobian, jacfwd, jacrev])
@pytest.mark.parametrize("several", [(0,), (2, 0), (-1, 1), [0, 1, 2], range(3), ()])
def test_argnums_is_several_positions(transform, several):
    got = transform(product, argnums=several)(*POINT)
    assert type(got) is tuple
    assert got == tuple(SLOPES[k] for k in several)


def test_second_derivatives_by_several_arguments():
    (xx, xy), (yx, yy) = hessian(lambda x, y: np.sum(x**2) * y**3, argnums=(0, 1))(
        np.array([1.0, 2.0]), 2.0
    )
    np.testing.assert_array_equal(xx, 16 * np.eye(2))
    np.testing.assert_array_equal(xy, [24.0, 48.0])
    np.testing.assert_array_equal(yx, [24.0, 48.0])
    assert yy == 5 * 6 * 2


@pytest.mark.parametrize(
    "argnums, error, says",
    [
        (3, ValueError, "was asked for argument 3, but was called with 3 positional arguments"),
        (-4, ValueError, "was asked for argument -4"),
        ((0, -3), ValueError, "names an argument twice"),
        ("x", TypeError, "argnums of grad must be an int or a tuple of ints, not 'x'"),
        (1.0, TypeError, "must be an int or a tuple of ints, not 1.0"),
        (None, TypeError, "must be an int or a tuple of ints, not None"),
        (True, TypeError, "must be an int or a tuple of ints, not True"),
        ((0, 1.5), TypeError, "must be an int or a tuple of ints"),
    ],
)
def test_argnums_that_are_none(argnums, error, says):
    with pytest.raises(error, match=says):
        grad(product, argnums=argnums)(*POINT)


def test_differentiated_arguments_are_passed_by_position():
    with pytest.raises(ValueError, match=r"0 positional arguments.*must be passed by position"):
        grad(lambda x: x)(x=1.0)


def test_keyword_arguments_are_constants():
    f = lambda x, y=1.0, *, scale, names=(): x * y * scale
    assert grad(f)(2.0, scale=5.0) == 5.0
    assert grad(f)(2.0, y=3.0, scale=np.float64(5), names="abc") == 15.0
    assert jacobian(f)(np.ones(2), scale=2.0).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert grad(lambda t: grad(f)(2.0, scale=t))(3.0) == 1.0


# ------------------------------------------------------------------------------------- aux


def test_aux_comes_out_as_it_is():
    def f(x):
        return x**2, {"x": x, "n": 3, "name": "f", "none": None, "deep": [(x * 2,), np.ones(2)]}

    gradient, aux = grad(f, has_aux=True)(2.0)
    assert gradient == 4.0
    assert (aux["x"], aux["n"], aux["name"], aux["none"]) == (2.0, 3, "f", None)
    assert aux["deep"][0] == (4.0,)
    assert aux["deep"][1].tolist() == [1.0, 1.0]
    assert type(aux["x"]) is np.float64
    (value, same), gradient = value_and_grad(f, has_aux=True)(2.0)
    assert (value, same["x"], gradient) == (4.0, 2.0, 4.0)


@pytest.mark.parametrize("transform", JACOBIANS)
def test_jacobians_have_aux(transform):
    matrix, aux = transform(lambda x: (x**2, np.sum(x)), has_aux=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(matrix, [[2.0, 0.0], [0.0, 4.0]])
    assert aux == 3.0


def test_hessians_jvps_and_vjps_have_aux():
    x = np.array([1.0, 2.0])
    matrix, aux = hessian(lambda x: (np.sum(x**3), x * 2), has_aux=True)(x)
    np.testing.assert_array_equal(matrix, [[6.0, 0.0], [0.0, 12.0]])
    np.testing.assert_array_equal(aux, [2.0, 4.0])
    value, slope, aux = jvp(lambda x: (np.sum(x**2), x[0]), (x,), (x,), has_aux=True)
    assert (value, slope, aux) == (5.0, 10.0, 1.0)
    value, pullback, aux = vjp(lambda x: (np.sum(x**2), x[0]), x, has_aux=True)
    assert (value, aux) == (5.0, 1.0)
    assert pullback(1.0)[0].tolist() == [2.0, 4.0]


@pytest.mark.parametrize("result", [lambda x: x, lambda x: (x, x, x), lambda x: [x, x]])
def test_aux_needs_a_pair(result):
    with pytest.raises(TypeError, match=r"has_aux=True needs a function that returns a pair"):
        grad(result, has_aux=True)(1.0)


# ------------------------------------------------------------------------------ structures


class Pair(NamedTuple):
    u: object
    v: object


@dataclasses.dataclass
class Layer:
    weights: object
    bias: object


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    inner: Layer
    scale: object = 1.0


def same_structure(got, like):
    assert type(got) is type(like)
    if isinstance(like, dict):
        assert list(got) == list(like)
        for key in like:
            same_structure(got[key], like[key])
    elif isinstance(like, tuple | list | collections.deque):
        assert len(got) == len(like)
        for a, b in zip(got, like, strict=True):
            same_structure(a, b)
    elif dataclasses.is_dataclass(like):
        for field in dataclasses.fields(like):
            same_structure(getattr(got, field.name), getattr(like, field.name))


STRUCTURES = [
    (np.float64(3.0),),
    [np.float64(3.0), np.float64(1.0)],
    {"b": np.float64(3.0), "a": np.float64(1.0)},
    Pair(np.float64(3.0), (np.float64(1.0), [])),
    Layer(np.array([3.0, 1.0]), np.float64(2.0)),
    Frozen(Layer(np.array([[3.0]]), {"x": np.float64(1.0)}), np.float64(2.0)),
    collections.OrderedDict(z=np.float64(3.0), a=np.float64(1.0)),
    collections.defaultdict(list, {"a": np.float64(3.0)}),
    collections.deque([np.float64(3.0), np.float64(2.0)]),
    [{"a": (np.float64(3.0), None)}, Pair(Layer(np.float64(1.0), None), ())],
    (),
    {},
    None,
]


def leaves(tree):
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves(tree[key])]
    if isinstance(tree, tuple | list | collections.deque):
        return [leaf for part in tree for leaf in leaves(part)]
    if dataclasses.is_dataclass(tree):
        return [leaf for f in dataclasses.fields(tree) for leaf in leaves(getattr(tree, f.name))]
    return [tree]


def weighed(tree):
    """Σ_k (k + 1) Σ leaf_k³."""
    total = 0.0
    for k, leaf in enumerate(leaves(tree)):
        total = total + (k + 1) * np.sum(leaf**3)
    return total


@pytest.mark.parametrize("tree", STRUCTURES, ids=str)
def test_a_gradient_has_the_structure_of_its_argument(tree):
    gradient = grad(weighed)(tree)
    same_structure(gradient, tree)
    for k, (slope, leaf) in enumerate(zip(leaves(gradient), leaves(tree), strict=True)):
        np.testing.assert_allclose(slope, 3 * (k + 1) * leaf**2, rtol=1e-15)
        assert np.shape(slope) == np.shape(leaf)
    value, (pulled,) = vjp(weighed, tree)[0], vjp(weighed, tree)[1](1.0)
    same_structure(pulled, tree)
    assert jvp(weighed, (tree,), (gradient,))[1] == pytest.approx(
        sum(float(np.sum(np.square(slope))) for slope in leaves(gradient)), rel=1e-14, abs=0
    )
    assert value == pytest.approx(float(weighed(tree)), rel=1e-15)


@pytest.mark.parametrize("transform", JACOBIANS)
def test_jacobians_of_structures(transform):
    def f(p, q):
        return {"sum": p.u + q["x"].sum(), "outer": Pair(p.u * q["x"], [p.v])}

    p, q = Pair(2.0, np.ones(2)), {"x": np.arange(3.0)}
    got = transform(f, argnums=(0, 1))(p, q)
    by_p, by_q = got["sum"]
    assert by_p.u == 1.0
    np.testing.assert_array_equal(by_p.v, np.zeros(2))
    np.testing.assert_array_equal(by_q["x"], np.ones(3))
    by_p, by_q = got["outer"].u
    np.testing.assert_array_equal(by_p.u, np.arange(3.0))
    np.testing.assert_array_equal(by_p.v, np.zeros((3, 2)))
    np.testing.assert_array_equal(by_q["x"], 2 * np.eye(3))
    by_p, by_q = got["outer"].v[0]
    np.testing.assert_array_equal(by_p.v, np.eye(2))
    np.testing.assert_array_equal(by_q["x"], np.zeros((2, 3)))


def test_hessians_of_structures_are_structures_of_structures():
    tree = {"a": np.array([1.0, 2.0]), "b": 3.0}
    got = hessian(lambda t: np.sum(t["a"] ** 2) * t["b"])(tree)
    np.testing.assert_array_equal(got["a"]["a"], 6 * np.eye(2))
    np.testing.assert_array_equal(got["a"]["b"], [2.0, 4.0])
    np.testing.assert_array_equal(got["b"]["a"], [2.0, 4.0])
    assert got["b"]["b"] == 0.0


def test_a_function_may_change_the_structure_that_it_is_given():
    def f(tree):
        tree["a"] *= 2
        tree["new"] = tree["a"]
        return np.sum(tree["new"] ** 2)

    tree = {"a": np.array([1.0, 2.0])}
    assert grad(f)(tree)["a"].tolist() == [8.0, 16.0]
    assert list(tree) == ["a"]
    assert tree["a"].tolist() == [1.0, 2.0]


# -------------------------------------------------------------------------------- integers


def test_a_python_int_is_taken_as_a_float():
    assert grad(lambda x: x**2)(3) == 6.0
    assert grad(lambda x: x**-2)(2) == -0.25
    assert jvp(lambda x: x * 2, (3,), (1,)) == (6.0, 2.0)
    assert grad(lambda p: p["a"] * p["b"])({"a": 2, "b": 3.0}) == {"a": 3.0, "b": 2.0}
    assert type(grad(lambda x: x**2)(3)) is np.float64


@pytest.mark.parametrize("x", [np.arange(3), np.array([True]), True, np.int64(3), np.uint8([1])])
@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, jacfwd, jacrev, hessian])
def test_integer_arrays_have_no_gradient(transform, x):
    name = transform.__name__
    says = rf"argument 1 of the function given to {name} has dtype \w+, .*x\.astype\(float\)"
    with pytest.raises(TypeError, match=says):
        transform(lambda y, x: np.sum(x * y), argnums=1)(1.0, x)


def test_integers_have_tangents_of_float0():
    n, x = np.arange(3), np.array([1.0, 2.0, 4.0])
    nothing = np.zeros(3, float0)
    value, slope = jvp(lambda n, x: n * x, (n, x), (nothing, np.ones(3)))
    assert (value.tolist(), slope.tolist()) == ([0.0, 2.0, 8.0], [0.0, 1.0, 2.0])
    by_n, by_x = vjp(lambda n, x: n * x, n, x)[1](np.ones(3))
    assert (by_n.dtype, by_n.shape) == (float0, (3,))
    assert by_x.tolist() == [0.0, 1.0, 2.0]


def test_integer_results_have_tangents_of_float0():
    (value, flag, count), slopes = jvp(lambda x: (x * 2, x > 0, 3), (1.0,), (1.0,))
    assert (value, bool(flag), int(count)) == (2.0, True, 3)
    assert slopes[0] == 2.0
    assert [slope.dtype for slope in slopes[1:]] == [float0, float0]
    pullback = vjp(lambda x: (x * 2, x > 0), np.ones(2))[1]
    assert pullback((np.ones(2), np.zeros(2, float0)))[0].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("transform", JACOBIANS)
def test_integer_results_have_jacobian_zero(transform):
    np.testing.assert_array_equal(transform(lambda x: x > 0)(np.ones(2)), np.zeros((2, 2)))


# ---------------------------------------------------------------------------- empty things


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 3)])
def test_arrays_without_elements(shape):
    x = np.zeros(shape)
    assert grad(lambda x: np.sum(x**2))(x).shape == shape
    for transform in JACOBIANS:
        assert transform(lambda x: x * 2)(x).shape == shape * 2
        assert transform(lambda x: np.sum(x))(x).shape == shape
        assert transform(lambda y: y * np.ones(shape))(2.0).shape == shape
    assert hessian(lambda x: np.sum(x**2))(x).shape == shape * 2
    assert jvp(lambda x: x * 2, (x,), (x,))[1].shape == shape


def test_arrays_without_axes():
    x = np.array(3.0)
    for got in (grad(lambda x: x**2)(x), jacfwd(lambda x: x**2)(x), jacrev(lambda x: x**2)(x)):
        assert got == 6.0
        assert type(got) is np.float64
    assert hessian(lambda x: x**3)(x) == 18.0
