"""The contenders: how each library makes f and its derivative of one problem.

Each entry of PEERS takes a problem and its arguments and gives two callables without arguments: the
function and its derivative. A library that is not installed raises ImportError.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

from yardstick.problem import Arguments, Problem

Pair = tuple[Callable[[], Any] | None, Callable[[], Any] | None]


def wengert(problem: Problem, arguments: Arguments) -> Pair:
    import wengert as wg

    fun = problem.otherwise.get("wengert", problem.function)(np)
    made = {
        "value_and_grad": lambda: wg.value_and_grad(fun, problem.argnums),
        "hvp": lambda: lambda x, v, *rest: wg.hvp(fun, x, v, *rest),
        "hessian": lambda: wg.hessian(fun, problem.argnums),
        "jacobians": lambda: wg.vmap(wg.jacrev(fun, problem.argnums)),
    }[problem.derivative]()
    if problem.derivative == "jacobians":
        fun = wg.vmap(fun)
    f, g = wg.jit(fun), wg.jit(made)
    of_function = problem.of_function(arguments)
    return lambda: f(*of_function), lambda: g(*arguments)


def numpy(problem: Problem, arguments: Arguments) -> Pair:
    fun, by_hand = problem.function(np), problem.by_hand
    of_function = problem.of_function(arguments)
    return lambda: fun(*of_function), by_hand and (lambda: by_hand(*arguments))


def jax(problem: Problem, arguments: Arguments) -> Pair:
    import jax
    import jax.numpy as jnp

    fun = problem.otherwise.get("jax", problem.function)(jnp)

    def hvp(x: Any, v: Any, *rest: Any) -> Any:
        return jax.jvp(lambda x: jax.grad(fun)(x, *rest), (x,), (v,))[1]

    made = {
        "value_and_grad": lambda: jax.value_and_grad(fun, problem.argnums),
        "hvp": lambda: hvp,
        "hessian": lambda: jax.hessian(fun, problem.argnums),
        "jacobians": lambda: jax.vmap(jax.jacrev(fun, problem.argnums)),
    }[problem.derivative]()
    if problem.derivative == "jacobians":
        fun = jax.vmap(fun)
    f, g = jax.jit(fun), jax.jit(made)
    arguments = jax.tree.map(jnp.asarray, arguments)
    of_function = problem.of_function(arguments)
    wait = jax.block_until_ready
    return lambda: wait(f(*of_function)), lambda: wait(g(*arguments))


class TorchNamespace:
    """PyTorch under NumPy's names, as far as the problems need it."""

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.torch, name)

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.torch.sum(x) if axis is None else self.torch.sum(x, axis, keepdim=keepdims)

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.torch.amax(x) if axis is None else self.torch.amax(x, axis, keepdim=keepdims)


def torch(problem: Problem, arguments: Arguments) -> Pair:
    import torch

    torch.set_num_threads(1)
    fun = problem.otherwise.get("torch", problem.function)(TorchNamespace())
    tensors = [_tensors(argument) for argument in arguments]
    argnums = (problem.argnums,) if isinstance(problem.argnums, int) else problem.argnums
    wanted = [leaf for k in argnums for leaf in _flat(tensors[k])]
    of_function = problem.of_function(tuple(tensors))
    mapped = problem.derivative == "jacobians"

    def f() -> Any:
        with torch.no_grad():
            return (torch.vmap(fun) if mapped else fun)(*of_function)

    def value_and_grad() -> Any:
        value = fun(*of_function)
        return value.detach(), torch.autograd.grad(value, wanted)

    def hvp() -> Any:
        gradients = torch.autograd.grad(fun(*of_function), wanted, create_graph=True)
        return torch.autograd.grad(gradients, wanted, _flat(tensors[1]))

    def hessian() -> Any:
        return torch.func.hessian(fun, problem.argnums)(*of_function)

    def jacobians() -> Any:
        return torch.vmap(torch.func.jacrev(fun, problem.argnums))(*of_function)

    for leaf in wanted:
        leaf.requires_grad_(problem.derivative in ("value_and_grad", "hvp"))
    made = {
        "value_and_grad": value_and_grad,
        "hvp": hvp,
        "hessian": hessian,
        "jacobians": jacobians,
    }
    return f, made[problem.derivative]


def _tensors(argument: Any) -> Any:
    import torch

    if isinstance(argument, list | tuple):
        return [_tensors(part) for part in argument]
    return torch.tensor(argument)


def _flat(argument: Any) -> list[Any]:
    return list(argument) if isinstance(argument, list) else [argument]


def autograd(problem: Problem, arguments: Arguments) -> Pair:
    import autograd
    import autograd.numpy as anp

    fun = problem.otherwise.get("autograd", problem.function)(anp)
    of_function = problem.of_function(arguments)
    g = {
        "value_and_grad": lambda: autograd.value_and_grad(fun, problem.argnums),
        "hvp": lambda: lambda x, v, *rest: autograd.make_hvp(lambda x: fun(x, *rest))(x)[0](v),
        "hessian": lambda: autograd.hessian(fun, problem.argnums),
    }[problem.derivative]()
    return lambda: fun(*of_function), lambda: g(*arguments)


def casadi(problem: Problem, arguments: Arguments) -> Pair:
    import casadi  # noqa: F401

    return (None, None) if problem.casadi is None else problem.casadi(arguments)


PEERS: dict[str, Callable[[Problem, Arguments], Pair]] = {
    "wengert": wengert,
    "numpy": numpy,
    "jax": jax,
    "torch": torch,
    "autograd": autograd,
    "casadi": casadi,
}


def versions() -> dict[str, str | None]:
    """Of each library; None where it is not installed."""
    found: dict[str, str | None] = {}
    for name in PEERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
