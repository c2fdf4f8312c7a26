"""A traced value that would silently become a plain one: an error that names place and cure."""

from __future__ import annotations

import cmath
import math
import pickle

import numpy as np
import pytest

from wengert import WengertError, grad

X = np.array([0.3, 0.5, 0.7])
EYE = np.eye(3)


def put(t):
    array = np.zeros(3)
    array[0] = t[0]
    return np.sum(array)


def put_slice(t):
    array = np.zeros(3)
    array[:] = t
    return np.sum(array)


def put_all(t):
    array = np.zeros((2, 3))
    array[...] = t
    return np.sum(array)


def add_to(t):
    array = np.zeros(3)
    array += t
    return np.sum(array)


def multiply_element(t):
    array = np.ones(3)
    array[1] *= t[1]
    return np.sum(array)


def filled(t):
    array = np.zeros(3)
    array.fill(t[0])
    return np.sum(array)


ARRAYS = {
    "asarray": lambda t: np.sum(np.asarray(t)),
    "asarray of a list": lambda t: np.sum(np.asarray([t[0], 1.0])),
    "array": lambda t: np.sum(np.array(t)),
    "array of a list": lambda t: np.sum(np.array([t[0], t[1]])),
    "array of arrays": lambda t: np.sum(np.array([t, t])),
    "float array": lambda t: np.sum(np.array([t[0]], dtype=float)),
    "object array": lambda t: np.sum(np.array([t[0], t[1]], dtype=object)),
    "full": lambda t: np.sum(np.full(3, t[0])),
    "sum of a list": lambda t: np.sum([t[0], t[1]]),
    "mean of a list": lambda t: np.mean([t[0], 1.0]),
    "vectorize": lambda t: np.sum(np.vectorize(lambda v: v * v)(t)),
    "vectorize in part": lambda t: np.sum(np.vectorize(lambda v, w: v * w)(np.ones(3), t[0])),
    "np.float64": lambda t: np.float64(t[0]),
    "dot of an array": lambda t: np.sum(EYE.dot(t)),
    "put by slice": put_slice,
    "put everywhere": put_all,
    "einsum of objects": lambda t: np.einsum("i,i", np.array([t[0], 1.0], object), np.ones(2)),
    "normal": lambda t: np.random.normal(t[0]),
    "generator": lambda t: np.sum(np.random.default_rng(0).normal(t, 1.0)),
    "frompyfunc": lambda t: np.sum(np.asarray([t[0] ** 2, t[1]])),
    "masked array": lambda t: np.sum(np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]) * t),
    "searchsorted": lambda t: np.sum(np.arange(3.0).searchsorted(t)),
}
OUTPUTS = {
    "add to": add_to,
    "out": lambda t: np.sum(np.add(t, 1.0, out=np.zeros(3))),
    "out of a sum": lambda t: np.sum(t, out=np.zeros(())),
    "out of exp": lambda t: np.sum(np.exp(t, out=np.empty(3))),
    "add.at": lambda t: np.add.at(np.zeros(3), [0], t[0]),
}
NUMBERS = {
    "float": lambda t: float(t[0]),
    "complex": lambda t: complex(t[0]),
    "math.sin": lambda t: math.sin(t[0]),
    "math.pow": lambda t: math.pow(t[0], 2),
    "math.hypot": lambda t: math.hypot(t[0], t[1]),
    "math.fsum": lambda t: math.fsum(t),
    "cmath.exp": lambda t: cmath.exp(t[0]).real,
}


@pytest.mark.parametrize("use", ARRAYS)
def test_into_plain_arrays(use):
    with pytest.raises(WengertError, match="derivative would be lost") as caught:
        grad(ARRAYS[use])(X)
    assert isinstance(caught.value, TypeError)
    message = str(caught.value)
    assert f"{__file__}:" in message
    for cure in ("wengert.numpy.array", "A @ x", "loc=m", "stop_gradient", "a = a + x"):
        assert cure in message


@pytest.mark.parametrize("use", [put, multiply_element, filled])
def test_into_an_element_numpy_does_not_hide_the_error_behind_its_own(use):
    with pytest.raises(WengertError, match=r"derivative (would be )?lost") as caught:
        grad(use)(X)
    assert isinstance(caught.value, TypeError)
    assert f"{__file__}:" in str(caught.value)
    assert "wengert.numpy" in str(caught.value)


@pytest.mark.parametrize("use", OUTPUTS)
def test_into_outputs(use):
    with pytest.raises(WengertError, match="would have to hold a traced value") as caught:
        grad(OUTPUTS[use])(X)
    assert isinstance(caught.value, TypeError)
    assert f"{__file__}:" in str(caught.value)
    assert "a = a + traced" in str(caught.value)


@pytest.mark.parametrize("use", NUMBERS)
def test_into_python_numbers(use):
    with pytest.raises(WengertError, match="its derivative lost") as caught:
        grad(NUMBERS[use])(X)
    assert isinstance(caught.value, TypeError)
    assert f"{__file__}:" in str(caught.value)
    assert "np.sin for math.sin" in str(caught.value)
    assert "stop_gradient" in str(caught.value)


def test_a_caught_drop_keeps_its_meaning():
    def f(t):
        try:
            return float(t)
        except TypeError:
            return t**2

    assert grad(f)(3.0) == 6.0


def test_object_arrays_are_refused():
    box = np.empty(2, object)
    with pytest.raises(NotImplementedError, match="object arrays") as caught:
        grad(lambda t: np.sum(box * t))(np.ones(2))
    assert isinstance(caught.value, WengertError)


def test_object_arrays_of_traced_values_are_refused():
    def f(t):
        box = np.empty(2, object)
        box[:] = [t[0], t[1]]
        return np.sum(box * t[:2])

    with pytest.raises(WengertError):
        grad(f)(X)


def test_traced_values_have_no_hash_and_no_pickle():
    with pytest.raises(TypeError, match="unhashable"):
        grad(lambda t: {t: 1})(1.0)
    with pytest.raises(WengertError, match="cannot be pickled"):
        grad(lambda t: pickle.dumps(t))(1.0)


@pytest.mark.parametrize("use", [memoryview, bytes])
def test_buffers_are_refused(use):
    with pytest.raises(TypeError):
        grad(lambda t: use(t))(X)


def test_foreign_operands_get_their_turn():
    class Money:
        def __radd__(self, other):
            return ("radd", type(other).__name__)

        def __rmul__(self, other):
            return ("rmul", type(other).__name__)

    seen = []
    grad(lambda t: seen.extend([t + Money(), t * Money()]) or t)(1.0)
    assert seen == [("radd", "Tracer"), ("rmul", "Tracer")]
    with pytest.raises(TypeError):
        grad(lambda t: t + "1")(1.0)
    with pytest.raises(TypeError):
        grad(lambda t: t + None)(1.0)
    assert grad(lambda t: t if t != "one" and t != None else 0.0)(1.0) == 1.0  # noqa: E711


@pytest.mark.parametrize("name", ["tobytes", "ctypes", "data", "tofile"])
def test_attributes_that_cannot_be_traced_say_so(name):
    with pytest.raises(AttributeError, match=rf"\.{name} cannot be traced") as caught:
        grad(lambda t: getattr(t, name))(X)
    assert isinstance(caught.value, WengertError)
    assert not grad(lambda t: hasattr(t, name) * t[0] + t[1])(X)[0]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("at", r"write y\[0\] = "),
        ("block_until_ready", "leave it out"),
        ("detach", "stop_gradient"),
    ],
)
def test_attributes_of_other_libraries_say_what_to_write(name: str, instead: str) -> None:
    def f(x):
        assert not hasattr(x, name)
        return getattr(x, name)

    with pytest.raises(AttributeError, match=f"NumPy's arrays have no .{name}: .*{instead}"):
        grad(f)(np.ones(2))
