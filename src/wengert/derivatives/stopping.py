"""`stop_gradient`: a value whose derivative is declared to be zero."""

from __future__ import annotations

from typing import Any

from wengert.ops.leaves import stop_gradient as stop
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten


def stop_gradient(x: Any) -> Any:
    """The same value, with derivative zero; structures are taken leaf by leaf.

    Outside of a trace it returns its argument.

    >>> import wengert as wg
    >>> wg.grad(lambda x: x * wg.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    leaves, spec = flatten(x)
    if not any(type(leaf) is Tracer for leaf in leaves):
        return x
    return unflatten(
        spec,
        [
            Tracer(stop(leaf.node), leaf.session) if type(leaf) is Tracer else leaf
            for leaf in leaves
        ],
    )
