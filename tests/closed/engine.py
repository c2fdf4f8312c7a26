"""What the tests of the engine share: a derivation, and its terms compared with differentiation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import wengert as wg
from wengert.explaining.closed.deriving import derive, lift
from wengert.explaining.closed.evaluating import Evaluator
from wengert.explaining.closed.problem import Derivation


def derived(
    f: Callable[..., Any],
    *examples: Any,
    wrt: int | str | None = None,
    assume: Mapping[str, Any] | None = None,
) -> Derivation:
    return derive(lift(f, examples, wrt, assume))


def agrees(
    f: Callable[..., Any],
    *examples: Any,
    wrt: int = 0,
    assume: Mapping[str, Any] | None = None,
) -> Derivation:
    """The derivation, after its terms were compared with `grad`, `jacobian` and `jvp` at a point
    beside the examples."""
    derivation = derived(f, *examples, wrt=wrt, assume=assume)
    problem = derivation.problem
    rng = np.random.default_rng(5)
    args = [np.asarray(example, float) for example in examples]
    args[wrt] = args[wrt] * (1 + 0.2 * rng.uniform(-1, 1, size=np.shape(args[wrt])))
    V = rng.normal(size=np.shape(args[wrt]))
    values = {named.symbol: named.value for named in (*problem.arguments, *problem.constants)}
    values[problem.variable] = args[wrt]
    if derivation.direction is not None:
        values[derivation.direction] = V
    _compare(derivation, Evaluator(values, problem.intermediates), f, args, wrt, V)
    return derivation


def _compare(
    derivation: Derivation,
    value: Evaluator,
    f: Callable[..., Any],
    args: list[Any],
    wrt: int,
    V: Any,
) -> None:
    close(value(derivation.function), f(*args))
    if derivation.jacobian is not None:
        close(value(derivation.jacobian), wg.jacobian(f, argnums=wrt)(*args))
    if derivation.gradient is None:
        return

    def gradient(x: Any) -> Any:
        return wg.grad(f, argnums=wrt)(*args[:wrt], x, *args[wrt + 1 :])

    close(value(derivation.gradient), gradient(args[wrt]))
    second = wg.jvp(gradient, (args[wrt],), (V,))[1]
    if derivation.hessian is not None:
        close(value(derivation.hessian) @ np.ravel(V), second)
    if derivation.hessian_map is not None:
        close(value(derivation.hessian_map), second)
    if derivation.second is not None:
        close(value(derivation.second), np.sum(second * V))


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=1e-8, atol=1e-10)
