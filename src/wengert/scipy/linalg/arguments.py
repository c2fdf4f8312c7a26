"""Arguments of the functions of `scipy.linalg`, as traced arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.types import FLOAT
from wengert.numpy.dispatch import apply, nodes
from wengert.tracing.tracer import Tracer


def arrays(*values: Any) -> list[Any]:
    """The values, of which one is traced at least, as traced arrays in dtypes of LAPACK. None stays
    None."""
    given = [value for value in values if value is not None]
    session, lifted = nodes(*given)
    found = iter([Tracer(node, session) for node in lifted])
    result = [None if value is None else next(found) for value in values]
    return [x if x is None or x.dtype.kind in "fc" else x.astype(FLOAT) for x in result]


def adjoint(x: Any) -> Any:
    """Each matrix transposed and conjugated."""
    return np.conj(np.swapaxes(x, -1, -2))


def check_square(x: Any, what: str) -> None:
    """Raise where x does not hold square matrices."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise WengertValueError(
            f"{what} must hold square matrices in its last two axes, not be of shape {x.shape}"
        )


def check_matrices(x: Any, what: str) -> None:
    """Raise where x has fewer than two axes."""
    if x.ndim < 2:
        raise WengertValueError(f"{what} must have at least two axes, not the shape {x.shape}")


def vector_or_matrix(b: Any) -> tuple[Any, bool]:
    """A right side as matrices, and whether it was one vector."""
    if not b.ndim:
        raise WengertValueError("a right side must have at least one axis")
    return (b[:, np.newaxis], True) if b.ndim == 1 else (b, False)


def as_given(x: Any, was_vector: bool) -> Any:
    """A solution in the form of the right side that `vector_or_matrix` took."""
    return x[..., 0] if was_vector else x


def refuse_complex_transpose(function: str, a: Any, transposed: bool) -> None:
    """SciPy's error."""
    if transposed and a.dtype.kind == "c":
        raise Unsupported(
            f"scipy.linalg.{function} can currently not solve a^T x = b or a^H x = b for complex "
            "matrices"
        )


def results(name: str, count: int, *values: Any, **parameters: Any) -> tuple[Any, ...]:
    """The results of an op that has several."""
    found = apply(name, *values, **parameters)
    return tuple(apply("item", found, k=k) for k in range(count))
