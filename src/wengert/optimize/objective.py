"""A scalar function with its derivatives at vectors, each computed once a point, and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.derivatives.gradients import value_and_grad
from wengert.derivatives.jacobians import hessian, hvp
from wengert.errors import WengertTypeError
from wengert.execution.jit import Jitted
from wengert.optimize.variables import Variables, Vector, number_of
from wengert.tracing.tracer import Tracer

Compile = Callable[[Callable[..., Any]], Callable[..., Any]]


def compiling(compiled: bool) -> Compile:
    """`jit`, patient since a solver may be done soon; or nothing, where Python shall run at every
    evaluation."""
    return (lambda fun: Jitted(fun, patient=True)) if compiled else lambda fun: fun


class Objective:
    """What a solver asks of a function, with the counts of what was computed for it.

    One program gives the value and the gradient, so that whichever a solver asks for first, the
    other is there.

    nfev, njev, nhev, nhvp: how many values, gradients, Hessians, and products of the Hessian with a
    vector have been computed.
    """

    __slots__ = (
        "_both",
        "_compile",
        "_gradient",
        "_hessian",
        "_product",
        "_value",
        "_value_at",
        "nfev",
        "nhev",
        "nhvp",
        "njev",
        "program",
    )

    def __init__(
        self,
        fun: Callable[..., Any],
        variables: Variables,
        args: tuple[Any, ...] = (),
        compiled: bool = True,
    ) -> None:
        inner = variables.restoring(fun, args)
        self.program: Callable[..., Any] = lambda x: number_of(inner(x))
        self._compile = compiling(compiled)
        self._both = self._compile(value_and_grad(self.program))
        self._hessian: Callable[..., Any] | None = None
        self._product: Callable[..., Any] | None = None
        self._value_at, self._value, self._gradient = b"", np.nan, np.zeros(0)
        self.nfev = self.njev = self.nhev = self.nhvp = 0

    def _evaluate(self, x: Vector, at: bytes) -> None:
        value, gradient = self._both(x)
        if not self.nfev:
            need_values(value)
        self.nfev += 1
        self.njev += 1
        self._value_at, self._value, self._gradient = at, value, gradient

    def value(self, x: Vector) -> Any:
        at = x.tobytes()
        if at != self._value_at:
            self._evaluate(x, at)
        return self._value

    def gradient(self, x: Vector) -> Any:
        at = x.tobytes()
        if at != self._value_at:
            self._evaluate(x, at)
        return self._gradient.copy()  # solvers may write into what they get

    def hessian(self, x: Vector) -> Any:
        if self._hessian is None:
            self._hessian = self._compile(hessian(self.program))
        self.nhev += 1
        return self._hessian(x)

    def product(self, x: Vector, v: Vector) -> Any:
        """The Hessian at x times v."""
        if self._product is None:
            self._product = self._compile(lambda x, v: hvp(self.program, x, v))
        self.nhvp += 1
        return self._product(x, np.asarray(v, x.dtype).reshape(x.shape))


class GivenGradient(Objective):
    """An objective whose gradient the caller gave: neither it nor the function is traced, but for
    second derivatives where a solver asks for them."""

    __slots__ = ("_slope",)

    def __init__(
        self, fun: Callable[..., Any], jac: Callable[..., Any], variables: Variables, args: Any
    ) -> None:
        super().__init__(fun, variables, args)
        slope = variables.restoring(jac, args)
        self._slope: Callable[..., Any] = lambda x: variables.raveled(
            slope(x), "the gradient that jac returns"
        )

    def value(self, x: Vector) -> Any:
        value = self.program(x)
        if not self.nfev:
            need_values(value)
        self.nfev += 1
        return value

    def gradient(self, x: Vector) -> Any:
        self.njev += 1
        return self._slope(x)


class GivenPair(Objective):
    """An objective whose function returns its value and its gradient."""

    __slots__ = ()

    def __init__(self, fun: Callable[..., Any], variables: Variables, args: Any) -> None:
        super().__init__(lambda *given: fun(*given)[0], variables, args)
        pair = variables.restoring(fun, args)

        def both(x: Vector) -> tuple[Any, Any]:
            value, gradient = pair(x)
            return value, variables.raveled(gradient, "the gradient that fun returns")

        self._both = both


class Counted:
    """A function that is called by a solver, with the count of its calls."""

    __slots__ = ("_program", "count")

    def __init__(self, program: Callable[..., Any]) -> None:
        self._program = program
        self.count = 0

    def __call__(self, *args: Any) -> Any:
        value = self._program(*args)
        if not self.count:
            need_values(value)
        self.count += 1
        return value


def need_values(value: Any) -> None:
    """An error where a function depends on a trace under way: its derivative would be lost."""
    if type(value) is Tracer:
        raise WengertTypeError(
            "a function given to wengert.optimize depends on a traced value from outside, and the "
            "solver runs on values: give it plain arrays, and say how its solution depends on them "
            "by wengert.custom_root"
        )
