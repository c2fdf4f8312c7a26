"""How SciPy's sparse matrices and LinearOperators meet tracers: `A @ x` with a constant A.

SciPy makes an array of whatever it is multiplied with. For a sparse matrix, an object array is its
sign that the other side shall do the product. A LinearOperator has no such way out, so its product
methods are wrapped, once SciPy's module is loaded, to hand traced arguments over.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from wengert.graph.registry import FUNCTIONS

_PRODUCTS = {
    "dot": "operator_times",
    "matvec": "operator_times",
    "matmat": "operator_times",
    "rmatvec": "adjoint_times",
    "rmatmat": "adjoint_times",
}


def asked_by_sparse_product(frame: FrameType) -> bool:
    """Whether this frame is SciPy's product of a sparse matrix with something that is no array."""
    return frame.f_code.co_name == "_matmul_dispatch" and frame.f_globals.get(
        "__name__", ""
    ).startswith("scipy.sparse")


def teach_linear_operators() -> None:
    """Let SciPy's LinearOperators multiply traced arrays. Nothing is imported for it."""
    module = sys.modules.get("scipy.sparse.linalg")
    cls = getattr(module, "LinearOperator", None)
    if cls is None or hasattr(cls.dot, "__wrapped__"):
        return
    for name, function in _PRODUCTS.items():
        setattr(cls, name, _handing_over(getattr(cls, name), function))


def _handing_over(method: Callable[..., Any], function: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def product(self: Any, x: Any) -> Any:
        if FUNCTIONS["is_traced"](x):
            return FUNCTIONS[function](self, x)
        return method(self, x)

    return product
