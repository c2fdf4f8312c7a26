"""Questions about dtypes and memory, which are answered at once: nothing is traced."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy.dispatch import implements, tracers
from wengert.tracing.forcing import force, guard_array
from wengert.tracing.tracer import Tracer

_PYTHON = {"b": False, "i": 0, "f": 0.0, "c": 0j}


def _stand_in(x: Any) -> Any:
    """Something of the type of a traced value: a Python number where that is what it was."""
    if type(x) is not Tracer:
        return x
    return _PYTHON[x.dtype.kind] if x.node.type.weak else np.empty(0, x.dtype)


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return bool(tracers(x)[0].dtype.kind == "c")


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    return not iscomplexobj(x)


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*map(_stand_in, arrays_and_dtypes))


@implements(np.can_cast)
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    source = from_.dtype if type(from_) is Tracer else from_
    return bool(np.can_cast(source, to.dtype if type(to) is Tracer else to, casting))


@implements(np.min_scalar_type)
def min_scalar_type(a: Any, /) -> Any:
    """Of a scalar it depends on the value, which is forced."""
    (x,) = tracers(a)
    if x.ndim:
        return x.dtype
    guard_array(x)
    return np.min_scalar_type(force(x))


@implements(np.common_type)
def common_type(*arrays: Any) -> Any:
    return np.common_type(*[np.empty(0, x.dtype) if type(x) is Tracer else x for x in arrays])


def _layouts(a: Any, b: Any) -> tuple[Any, Any] | None:
    """Both as views of one array, where they are views of one traced array."""
    if type(a) is not Tracer or type(b) is not Tracer:
        return None
    roots = [x if x.link is None or x.link.root is None else x.link.root for x in (a, b)]
    if roots[0] is not roots[1]:
        return None
    memory = np.empty(roots[0].shape, np.bool_)
    found = []
    for x in (a, b):
        layout = memory
        for step in () if x.link is None else x.link.path:
            layout = step.layout(layout)
        found.append(layout)
    return found[0], found[1]


@implements(np.shares_memory)
def shares_memory(a: Any, b: Any, /, max_work: int = -1) -> bool:
    layouts = _layouts(a, b)
    return layouts is not None and bool(np.shares_memory(*layouts, max_work=max_work))


@implements(np.may_share_memory)
def may_share_memory(a: Any, b: Any, /, max_work: int = 0) -> bool:
    layouts = _layouts(a, b)
    return layouts is not None and bool(np.may_share_memory(*layouts, max_work=max_work))
