"""Steps of descent for structures of parameters: `sgd`, `momentum`, `adam`.

Each is a small record with two functions of plain arrays, which run under `jit`, `scan` and `vmap`
as any other:

    state = method.init(parameters)
    parameters, state = method.step(gradient, parameters, state)

A state is a structure of arrays too. The rate of a step may be a traced number, a schedule say:
`replace(method, rate=...)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from wengert.tracing.trees import flatten, match, unflatten


def mapped(fun: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A function applied to structures, leaf by leaf; the others are like the first."""
    leaves, spec = flatten(tree)
    columns = [match(other, spec, "a gradient or a state", "the parameters") for other in others]
    return unflatten(spec, [fun(*row) for row in zip(leaves, *columns, strict=True)])


@dataclass(frozen=True, slots=True)
class sgd:
    """Gradient descent, w ← w − η g; stochastic where the gradient is.

    Parameters
    ----------
    rate
        The length η of a step, for a gradient of length one.

    Examples
    --------
    >>> import wengert as wg
    >>> from wengert.optimize import sgd
    >>> method, w = sgd(rate=0.5), {"a": 4.0}
    >>> state = method.init(w)
    >>> method.step(wg.grad(lambda w: w["a"] ** 2 / 2)(w), w, state)
    ({'a': np.float64(2.0)}, ())
    """

    rate: Any = 0.01

    def init(self, parameters: Any) -> tuple[()]:
        """The state before the first step: there is none."""
        return ()

    def step(self, gradient: Any, parameters: Any, state: tuple[()]) -> tuple[Any, tuple[()]]:
        """(the parameters after a step, the state)."""
        return mapped(lambda w, g: w - self.rate * g, parameters, gradient), state


@dataclass(frozen=True, slots=True)
class momentum:
    """Gradient descent with momentum, u ← μ u − η g, w ← w + u.

    With nesterov=True, w ← w + μ u − η g by the new u: the gradient at the point that the momentum
    leads to, in the variables of that point.

    Parameters
    ----------
    rate, decay
        The length η of a step, and the part μ that is left of the last one.
    nesterov
        Whether it is the accelerated form.

    Sources: Polyak 1964, *Some methods of speeding up the convergence of iteration methods*;
    Nesterov 1983; in this form Sutskever, Martens, Dahl and Hinton 2013.

    >>> from wengert.optimize import momentum
    >>> method = momentum(rate=0.1, decay=0.5)
    >>> w, u = method.step(1.0, 0.0, method.init(0.0))
    >>> w, u = method.step(1.0, w, u)
    >>> round(w, 12), round(u, 12)
    (-0.25, -0.15)
    """

    rate: Any = 0.01
    decay: Any = 0.9
    nesterov: bool = False

    def init(self, parameters: Any) -> Any:
        """The state before the first step: no velocity."""
        return mapped(lambda w: 0 * w, parameters)

    def step(self, gradient: Any, parameters: Any, state: Any) -> tuple[Any, Any]:
        """(the parameters after a step, the velocity)."""
        velocity = mapped(lambda u, g: self.decay * u - self.rate * g, state, gradient)
        if self.nesterov:
            ahead = mapped(lambda u, g: self.decay * u - self.rate * g, velocity, gradient)
            return mapped(lambda w, u: w + u, parameters, ahead), velocity
        return mapped(lambda w, u: w + u, parameters, velocity), velocity


class AdamState(NamedTuple):
    """How many steps there were, and the moving means of the gradient and of its square."""

    count: Any
    mean: Any
    square: Any


@dataclass(frozen=True, slots=True)
class adam:
    """Descent by moving means of the gradient and of its square.

        m ← β₁ m + (1 − β₁) g       v ← β₂ v + (1 − β₂) g²
        w ← w − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) − η λ w

    Parameters
    ----------
    rate, beta1, beta2, epsilon
        η, β₁, β₂ and ε.
    weight_decay
        λ, apart from the gradient (AdamW).

    Sources: Kingma and Ba 2015, *Adam: a method for stochastic optimization*; Loshchilov and Hutter
    2019, *Decoupled weight decay regularization*.

    >>> from wengert.optimize import adam
    >>> method = adam(rate=0.1)
    >>> w, state = method.step(3.0, 1.0, method.init(1.0))
    >>> round(float(w), 6), state.count
    (0.9, 1)
    """

    rate: Any = 0.001
    beta1: Any = 0.9
    beta2: Any = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def init(self, parameters: Any) -> AdamState:
        """The state before the first step."""
        zero = mapped(lambda w: 0 * w, parameters)
        return AdamState(0, zero, zero)

    def step(self, gradient: Any, parameters: Any, state: AdamState) -> tuple[Any, AdamState]:
        """(the parameters after a step, the state)."""
        one, two, count = self.beta1, self.beta2, state.count + 1
        mean = mapped(lambda m, g: one * m + (1 - one) * g, state.mean, gradient)
        square = mapped(lambda v, g: two * v + (1 - two) * g * g, state.square, gradient)

        def moved(w: Any, m: Any, v: Any) -> Any:
            direction = m / (1 - one**count)
            size = np.sqrt(v / (1 - two**count)) + self.epsilon
            return w - self.rate * (direction / size + self.weight_decay * w)

        return mapped(moved, parameters, mean, square), AdamState(count, mean, square)
