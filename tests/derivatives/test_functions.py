"""What the transformations return: functions that keep their name, bind, copy and pickle."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle

import numpy as np
import pytest

from wengert import (
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    linear_transpose,
    linearize,
    primitive,
    value_and_grad,
    vjp,
)

TRANSFORMS = [grad, value_and_grad, jacobian, jacfwd, jacrev, hessian, jit, custom_jvp, custom_vjp]


def square(x: float, scale: float = 1.0) -> float:
    """Scale times x squared."""
    return scale * x**2


@pytest.mark.parametrize("transform", [*TRANSFORMS, primitive])
def test_names_and_documentation_are_kept(transform):
    f = transform(square)
    assert f.__name__ == f.__qualname__ == "square"
    assert f.__doc__ == "Scale times x squared."
    assert f.__module__ == __name__
    assert f.__wrapped__ is square
    assert inspect.signature(f) == inspect.signature(square)
    assert transform.__name__ in repr(f)
    assert "square" in repr(f)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_functions_without_a_name(transform):
    f = transform(functools.partial(square, scale=2.0))
    assert isinstance(f.__name__, str)
    repr(f)

    class Callable:
        def __call__(self, x):
            return x**2

    assert transform(Callable()).__name__ == "Callable"


# --------------------------------------------------------------------------------- methods


class Model:
    def __init__(self, scale):
        self.scale = scale

    def loss(self, x):
        return self.scale * x**3

    @functools.partial(grad, argnums=1)
    def slope(self, x):
        return self.scale * x**3

    @functools.partial(jit, static_argnums=0)
    def compiled(self, x):
        return self.scale * x**3

    @staticmethod
    @grad
    def fixed(x):
        return x**3

    @classmethod
    @functools.partial(grad, argnums=1)
    def of_class(cls, x):
        return x**3


def test_decorated_methods_bind():
    model = Model(2.0)
    assert model.slope(3.0) == 54.0
    assert model.compiled(3.0) == 54.0
    assert Model(1.0).compiled(3.0) == 27.0
    assert Model.fixed(3.0) == model.fixed(3.0) == 27.0
    assert model.of_class(3.0) == 27.0
    assert Model.slope(model, 3.0) == 54.0


def test_bound_methods_are_functions():
    model = Model(2.0)
    assert grad(model.loss)(3.0) == 54.0
    assert jit(model.loss)(3.0) == 54.0
    assert hessian(model.loss)(3.0) == 36.0
    assert grad(model.loss).__name__ == "loss"


# ------------------------------------------------------------------------- copies, pickles


@jit
def compiled_square(x):
    return x**2


@grad
def slope_of_square(x):
    return x**2


@custom_jvp
def with_rule(x):
    return x


with_rule.defjvp(lambda primals, tangents: (primals[0], 5 * tangents[0]))


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, jacfwd, hessian, jit])
@pytest.mark.parametrize(
    "f", [square, compiled_square, with_rule, np.square], ids=lambda f: f.__name__
)
def test_a_transformed_function_pickles_when_its_function_does(transform, f):
    transformed = transform(f)
    again = pickle.loads(pickle.dumps(transformed))
    assert type(again) is type(transformed)
    assert again(3.0) == transformed(3.0)
    nested = pickle.loads(pickle.dumps(grad(transform(f)) if transform is grad else transformed))
    assert nested(3.0) is not None


@pytest.mark.parametrize(
    "f", [compiled_square, slope_of_square, with_rule], ids=lambda f: f.__name__
)
def test_a_decorated_function_pickles_by_its_name(f):
    assert pickle.loads(pickle.dumps(f)) is f


def test_options_are_pickled():
    f = grad(square, argnums=(1,), has_aux=False)
    assert pickle.loads(pickle.dumps(f))(3.0, 2.0) == (9.0,)
    g = jit(lambda_free, static_argnames="n")
    assert pickle.loads(pickle.dumps(g))(2.0, n=3) == 8.0


def lambda_free(x, n):
    return x**n


def test_rules_are_not_lost_in_a_pickle():
    f = custom_jvp(square)
    f.defjvp(lambda primals, tangents: (primals[0], tangents[0]))
    with pytest.raises(TypeError, match="its rules would be lost"):
        pickle.dumps(f)


@pytest.mark.parametrize(
    "f", [compiled_square, slope_of_square, with_rule, grad(square)], ids=lambda f: f.__name__
)
def test_functions_are_copied_as_functions_are(f):
    assert copy.copy(f) is f
    assert copy.deepcopy({"f": f})["f"] is f


# ----------------------------------------------------------------------------- no function


@pytest.mark.parametrize("transform", [*TRANSFORMS, primitive])
@pytest.mark.parametrize("thing", [3.0, np.ones(2), "f"], ids=str)
def test_what_is_no_function_is_refused(transform, thing):
    with pytest.raises(TypeError, match=rf"{transform.__name__} needs a function.*not"):
        transform(thing)


def test_direct_transformations_refuse_what_is_no_function():
    for call in (
        lambda: jvp(3.0, (1.0,), (1.0,)),
        lambda: vjp(3.0, 1.0),
        lambda: linearize(3.0, 1.0),
        lambda: linear_transpose(3.0, 1.0),
        lambda: hvp(3.0, 1.0, 1.0),
    ):
        with pytest.raises(TypeError, match=r"\w+ needs a function as its first argument, not flo"):
            call()
