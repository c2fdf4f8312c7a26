"""The tangent of a basis of the space that is orthogonal to given vectors.

The basis U₂ that LAPACK completes U with is arbitrary. The least change that keeps it orthogonal to
U is

    U̇₂ = −U U̇ᴴ U₂

and a function of the space alone has the derivative that this gives (Roberts and Roberts 2020, *QR
and LQ decomposition matrix backpropagation algorithms for square, wide, and deep matrices*). A
function of the single vectors has none. In reverse mode it can be told: its cotangent C has a skew
part of U₂ᵀ C that does not vanish, and `agreed` raises an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import NotDifferentiable
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.ops import linear, sparsity
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define
from wengert.ops.linalg.coincidence import NOISE
from wengert.ops.linalg.gaps import batched_as, half, same_type
from wengert.ops.linalg.matrices import adjoint, after, times


def least_turn(u: Node, u_dot: Node, rest: Node) -> Node:
    """−U U̇ᴴ U₂, linear in U̇."""
    turned = after(u, times(adjoint(u_dot), rest))
    return linear.pointwise(lambda v: agreed(v, rest, False), linear.negative(turned))


def _build(x: Node, rest: Node, checked: bool) -> Node:
    return make(agreed, (x, rest), (checked,), same_type((x.type,), None))


def _evaluate(node: Node) -> Callable[..., Any]:
    (checked,) = node.params

    def run(x: Any, rest: Any) -> Any:
        if checked and rest.shape[-1] > 1 - (rest.dtype.kind == "c"):
            z = np.swapaxes(rest, -1, -2) @ x
            size = np.linalg.norm(x, axis=(-2, -1), keepdims=True)
            eps = np.finfo(x.dtype).eps
            if np.any(np.abs(half(z, -1)) > NOISE * x.shape[-2] * eps * size):
                raise NotDifferentiable(
                    "the derivative depends on the individual vectors that complete an orthonormal "
                    "basis, which are arbitrary. Differentiate a function of the space that they "
                    "span, such as the projection Q₂ Q₂ᴴ, or ask for the reduced factors "
                    "(full_matrices=False, mode='reduced')"
                )
        return x

    return run


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """Of a cotangent that was checked, the change is not one of vectors: it goes through."""
    if tangents[0] is None or node.params[0]:
        return tangents[0]
    rest = node.args[1]
    return linear.pointwise(lambda v: agreed(v, rest, False), tangents[0])


def _transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (checked,) = node.params
    rest = node.args[1]
    if linear.is_masked(ct):  # what the mask hides is not to be read by the check
        return linear.masked(ct.args[0], agreed(ct, rest, not checked)), None
    return agreed(ct, rest, not checked), None


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    x = normal(rng, dtype, 3, 1)
    yield [x, np.linalg.qr(normal(rng, dtype, 3, 1))[0].astype(dtype)], (False,)
    yield [normal(rng, dtype, 2, 3, 0), normal(rng, dtype, 2, 3, 0)], (False,)


agreed: Op = define(
    "agreed",
    family="spectral",
    build=_build,
    infer=lambda types, params: types[0],
    evaluate=_evaluate,
    pushforward=_push,
    transpose=_transpose,
    batch=batched_as("agreed"),
    sparsity=sparsity.SPECTRAL,
    label="{0}",
    domain=Cases(_draw, kinds="f"),
)
