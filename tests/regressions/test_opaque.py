"""Functions with rules of their own that write: into their arguments, or into one result array."""

from __future__ import annotations

import numpy as np
import pytest

from support import same
from wengert import custom_jvp, custom_vjp, defvjp, grad, jit, primitive, value_and_grad
from wengert.errors import WengertTypeError


@pytest.mark.parametrize("run", [lambda f: f, jit])
def test_an_opaque_function_may_return_the_same_memory_at_each_call(run):
    workspace = np.zeros(2)

    def doubled(x):
        np.multiply(x, 2.0, out=workspace)
        return workspace

    opaque = primitive(doubled)
    defvjp(opaque, lambda answer, x: lambda g: 2 * g)

    @run
    def f(x):
        return np.sum(opaque(x) * opaque(x + 1))

    for x in (np.array([1.0, 2.0]), np.array([3.0, 5.0])):
        value, gradient = value_and_grad(f)(x)
        same(value, np.sum(4 * x * (x + 1)))
        same(gradient, 8 * x + 4)


@pytest.mark.parametrize("run", [lambda f: f, jit])
def test_an_opaque_function_may_overwrite_what_it_gets(run):
    def doubled(x):
        x *= 2.0
        return x

    opaque = primitive(doubled)
    defvjp(opaque, lambda answer, x: lambda g: 2 * g)

    @run
    def f(x):
        y = np.sin(x)
        return np.sum(opaque(x) * opaque(y) * y)

    for x in (np.array([1.0, 2.0]), np.array([3.0, 5.0])):
        before = x.copy()
        value, gradient = value_and_grad(f)(x)
        same(x, before, rtol=0)
        same(value, np.sum(4 * x * np.sin(x) ** 2))
        same(gradient, 4 * np.sin(x) ** 2 + 8 * x * np.sin(x) * np.cos(x))


@pytest.mark.parametrize("decorator", [custom_jvp, custom_vjp])
def test_a_custom_function_that_writes_into_its_argument_is_refused(decorator):
    @decorator
    def doubled(x):
        x *= 2.0
        return x

    with pytest.raises(WengertTypeError, match="writes into an argument"):
        grad(lambda x: np.sum(doubled(x)))(np.ones(2))
