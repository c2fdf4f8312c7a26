"""What shares memory with what: writes reach exactly what they reach in NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert.numpy as wnp
from support import same
from wengert import grad, jit, jvp

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def agrees(f: Callable[[Any], tuple[Any, ...]], x: Any) -> None:
    """f gives what it gives on NumPy's own arrays, plainly and under jit, and leaves x alone."""
    expected = f(copy.copy(x))
    before = np.array(x)
    for found in (jvp(f, (x,), (np.ones_like(x),))[0], jit(f)(x)):
        for ours, numpys in zip(found, expected, strict=True):
            same(ours, numpys)
    assert np.array_equal(before, x)


FLATTEN: dict[str, Callable[[Any], Any]] = {
    "ravel": lambda a: a.ravel(),
    "np.ravel": np.ravel,
    "reshape": lambda a: a.reshape(-1),
    "np.reshape": lambda a: np.reshape(a, -1),
}


@pytest.mark.parametrize("flatten", FLATTEN.values(), ids=FLATTEN)
def test_a_copy_made_for_one_layout_is_not_remembered_for_another(flatten):
    def f(a):
        scattered = flatten(a.T)  # copies
        packed = a.T.copy()
        flatten(packed)[0] = 5.0 * a[1, 1]  # a view
        return scattered, packed

    for _ in range(2):
        agrees(f, X)


ARRAYS_OF_SCALARS: dict[str, Callable[[Any], Any]] = {
    "atleast_1d": np.atleast_1d,
    "atleast_3d": np.atleast_3d,
    "reshape": lambda s: np.reshape(s, (1, 1)),
    "expand_dims": lambda s: np.expand_dims(s, 0),
    "None": lambda s: s[None],
    "...": lambda s: s[...],
    "ravel": np.ravel,
    "asarray": wnp.asarray,
}


@pytest.mark.parametrize("make", ARRAYS_OF_SCALARS.values(), ids=ARRAYS_OF_SCALARS)
def test_an_array_made_of_a_scalar_is_no_view_of_it(make):
    def f(a):
        scalar = np.sum(a)
        array = make(scalar)
        other_name = array
        array += 1.0
        array[...] *= 2.0
        return scalar, array, other_name

    agrees(f, X)
    agrees(f, np.float64(3.0))


SCALARS_OF_SCALARS: dict[str, Callable[[Any], Any]] = {
    "squeeze": np.squeeze,
    "T": lambda s: s.T,
    "transpose": np.transpose,
    "moveaxis": lambda s: np.moveaxis(s, [], []),
    "reshape": lambda s: np.reshape(s, ()),
}


@pytest.mark.parametrize("make", SCALARS_OF_SCALARS.values(), ids=SCALARS_OF_SCALARS)
def test_adding_in_place_to_what_was_made_of_a_scalar_leaves_it_alone(make):
    def f(a):
        scalar = np.sum(a)
        other = make(scalar)
        other += 1.0
        return scalar, other

    agrees(f, X)


@pytest.mark.parametrize("take", [lambda a: a.item(), lambda a: a.tolist()])
def test_adding_in_place_to_an_item_leaves_the_array_alone(take):
    def f(a):
        number = take(a)
        number += 1.0
        return a, number

    agrees(f, np.array(2.0))


def test_adding_in_place_to_the_item_of_an_array_of_one_leaves_the_array_alone():
    def f(a):
        number = a.item()
        number += 1.0
        return a * number

    assert grad(lambda a: f(a)[0])(np.array([3.0])) == 7.0


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": lambda a: a.copy(),
    "np.copy": np.copy,
    "astype": lambda a: a.astype(float),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "where": lambda a: np.where(a > 0, a, 1.0),
}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copy_without_axes_is_an_array_that_is_written_in_place(duplicate):
    def f(a):
        array = duplicate(a)
        other_name, seen = array, array.reshape(1)
        array += 1.0
        return a, array, other_name, seen

    agrees(f, np.array(2.0))


ITSELF: dict[str, Callable[[Any], Any]] = {
    "real": np.real,
    "conj": lambda a: a.conj(),
    "conjugate": lambda a: a.conjugate(),
    "real_if_close": np.real_if_close,
    "einsum, same order": lambda a: np.einsum("ij->ij", a),
    "einsum, axes swapped": lambda a: np.einsum("ij->ji", a),
    "einsum, diagonal": lambda a: np.einsum("ii->i", a[:, :2]),
}


@pytest.mark.parametrize("made", ITSELF.values(), ids=ITSELF)
def test_writes_pass_through_what_copies_nothing(made):
    def f(a):
        seen = made(a)
        seen *= 2.0
        seen[0] = 7.0 * a[1, 1]
        return a, seen

    agrees(f, X)


def test_writes_pass_through_the_parts_of_complex_arrays():
    def f(z):
        real, imag = np.real(z), np.imag(z)
        real *= 2.0
        imag += real
        return z, real, imag

    agrees(f, np.array([1 + 2j, 3 - 1j]))


@pytest.mark.xfail(strict=True, reason="results are taken to lie in memory row by row")
def test_results_keep_the_order_of_columns():
    def f(a):
        turned = a.T * 2.0
        turned.ravel()[0] = 5.0  # a copy in NumPy
        return (turned,)

    agrees(f, X)


@pytest.mark.xfail(strict=True, reason="arguments are taken to lie in memory row by row")
def test_arguments_keep_the_order_of_columns():
    def f(a):
        a = a + 0.0
        a.ravel()[0] = 5.0  # a copy in NumPy
        return (a,)

    agrees(f, np.asfortranarray(X))
