"""The Python array API standard on tracers: the namespace, devices, DLPack, kinds of numbers.

`wengert.numpy` follows the standard as far as NumPy does: it has every function of version 2025.12,
and `wengert.numpy.__array_api_version__` is the version that NumPy declares. Functions are found by
NumPy's name; here is what the standard asks of arrays themselves, and what NumPy does not dispatch.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.registry import FUNCTIONS
from wengert.numpy.creation import check_device
from wengert.tracing.tracer import METHODS, Tracer

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
"""The versions of the standard that may be asked for: those whose functions are all there."""


def _namespace(x: Tracer, *, api_version: str | None = None) -> Any:
    """`wengert.numpy`, for code that asks its arrays for their functions."""
    if api_version is not None and api_version not in VERSIONS:
        raise WengertValueError(
            f'Version "{api_version}" of the Array API Standard is not supported.'
        )
    return sys.modules["wengert.numpy"]


FUNCTIONS["__array_namespace__"] = _namespace


def _to_device(x: Tracer, device: Any, /, *, stream: Any = None) -> Tracer:
    """x itself: there is one device."""
    if stream is not None:
        raise WengertValueError("The stream argument to to_device() is not supported")
    if device != "cpu":
        raise WengertValueError(f"Unsupported device: {device}")
    return x


METHODS["to_device"] = _to_device


def _device_of_dlpack(x: Tracer) -> tuple[int, int]:
    """The CPU, by DLPack's numbers."""
    return (1, 0)


def _no_capsule(x: Tracer, **options: Any) -> Any:
    raise Unsupported(
        "a traced array has no memory that __dlpack__ could share: wengert.numpy.from_dlpack takes "
        "it as it is; wengert.stop_gradient(x) first where the derivative shall be zero"
    )


METHODS["__dlpack_device__"] = _device_of_dlpack
METHODS["__dlpack__"] = _no_capsule


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """np.from_dlpack; a traced array is returned as it is, or copied where `copy` asks for it."""
    if type(x) is not Tracer:
        return np.from_dlpack(x, device=device, copy=copy)
    check_device(device)
    return FUNCTIONS["copy"](x) if copy else x


def _dtype(x: Any) -> Any:
    return x.dtype if isinstance(x, Tracer | np.ndarray | np.generic) else x


def finfo(type: Any, /) -> Any:
    """np.finfo of a dtype, or of an array's."""
    return np.finfo(_dtype(type))


def iinfo(type: Any, /) -> Any:
    """np.iinfo of a dtype, or of an array's."""
    return np.iinfo(_dtype(type))


NAMES: dict[str, Any] = {"from_dlpack": from_dlpack, "finfo": finfo, "iinfo": iinfo}
"""What `wengert.numpy` offers in place of what NumPy does not dispatch."""
