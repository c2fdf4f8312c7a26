"""The tracer: a rebindable box around a node that behaves as an array.

Running the user's function on tracers is tracing. Operators (`wengert.tracing.operators`) intern
nodes; whatever needs a value (`if`, `int`, printing) forces it, and the trace goes on; whatever
would lose a derivative raises.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from wengert.errors import (
    DroppedTracer,
    Unsupported,
    UnsupportedAttribute,
    WengertTypeError,
    WengertValueError,
)
from wengert.graph.node import Interned, Node
from wengert.graph.registry import FUNCTIONS, NUMPY, find
from wengert.graph.types import DType, Shape
from wengert.tracing.forcing import (
    as_bool,
    check_alive,
    depends_on_input,
    force,
    guard_array,
)
from wengert.tracing.linear_operators import asked_by_sparse_product
from wengert.tracing.session import Session

if TYPE_CHECKING:
    from wengert.tracing.views import Link


class Tracer:
    """A traced array. Users never make one; they meet them inside a traced function."""

    __slots__ = ("__weakref__", "link", "node", "session")

    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]

    node: Node
    session: Session
    link: Link | None

    def __init__(self, node: Node, session: Session) -> None:
        self.node = node
        self.session = session
        self.link = None

    # ------------------------------------------------------------------ attributes of arrays

    @property
    def shape(self) -> Shape:
        """The extents of the axes."""
        return self.node.type.shape  # type: ignore[no-any-return]

    @shape.setter
    def shape(self, shape: Any) -> None:
        SETTERS["shape"](self, shape)

    @property
    def dtype(self) -> DType:
        """The NumPy dtype."""
        return self.node.type.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.node.type.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.node.type.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that the values take."""
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self.dtype.itemsize)

    # ----------------------------------------------------------- where Python needs a value

    def __bool__(self) -> bool:
        if self.size != 1:
            raise WengertValueError(
                "The truth value of an array with more than one element is ambiguous. "
                "Use a.any() or a.all()"
            )
        value = bool(np.asarray(force(self)).reshape(())[()])
        self.session.guard(as_bool(self.node), value)
        return value

    def __int__(self) -> int:
        self._need_scalar("int")
        if self.dtype.kind in "fc" and depends_on_input(self.node):
            # truncation is constant almost everywhere, and int() is used for control flow
            node = find("trunc")(self.node)
        else:
            node = self.node
        value = int(np.asarray(force(self)).reshape(())[()])
        self.session.guard(node, value)
        return value

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.ndim:
            raise WengertTypeError(
                f"only integer scalar arrays can be used as an index, not {self.node.type}"
            )
        return int(self)

    def __float__(self) -> float:
        self._need_scalar("float")
        self._refuse_drop("float(), a function of math, or an element of a NumPy array")
        value = float(np.asarray(force(self)).reshape(())[()])
        self.session.guard(self.node, value)
        return value

    def __complex__(self) -> complex:
        self._need_scalar("complex")
        self._refuse_drop("complex(), a function of cmath, or an element of a NumPy array")
        value = complex(np.asarray(force(self)).reshape(())[()])
        self.session.guard(self.node, value)
        return value

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None:
            return int(FUNCTIONS["rint"](self))
        return FUNCTIONS["round"](self, digits)

    def __floor__(self) -> int:
        return int(FUNCTIONS["floor"](self))

    def __ceil__(self) -> int:
        return int(FUNCTIONS["ceil"](self))

    def __trunc__(self) -> int:
        return int(self)

    def _need_scalar(self, what: str) -> None:
        if self.size != 1:
            raise WengertTypeError(
                f"{what}() needs an array of one element, not one of shape {self.shape}"
            )

    def _refuse_drop(self, what: str) -> None:
        if self.dtype.kind in "fc" and depends_on_input(self.node):
            check_alive(self)
            raise DroppedTracer(
                f"{what} was given a traced value: the result would be a plain number and its "
                "derivative lost. Write the NumPy function (np.sin for math.sin), make an array "
                "that is assigned to with wengert.numpy.zeros, or wengert.stop_gradient(x) first "
                "if the derivative shall be zero"
            )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if asked_by_sparse_product(sys._getframe(1)):
            return np.array(None, np.object_)  # SciPy then gives way to our __rmatmul__
        if self.dtype.kind not in "fc" or not depends_on_input(self.node):
            value = np.array(force(self))
            guard_array(self)
            return value if dtype is None else value.astype(dtype)
        check_alive(self)
        raise DroppedTracer(
            "a traced array would become a plain NumPy array here, and its derivative would be "
            "lost (NumPy's array functions, an assignment into a NumPy array, a method of one, or "
            "C code). Write\n"
            "    wengert.numpy.array, .asarray, .zeros    for those of NumPy, .full, .arange too\n"
            "    np.stack(xs)                             for a list xs of traced values\n"
            "    a = a + x                                for a += x\n"
            "    A @ x                                    for A.dot(x)\n"
            "    wengert.random.normal(key, n, loc=m, scale=s)  for rng.normal(m, s, n)\n"
            "    wengert.primitive(f)                     for code that cannot be traced (SciPy)\n"
            "    wengert.stop_gradient(x) first           where the derivative shall be zero"
        )

    def __repr__(self) -> str:
        if not self.session.alive:
            return f"Traced({self.node.type}, of a trace that has ended)"
        return f"Traced({np.array_repr(np.asarray(force(self)))})"

    def __str__(self) -> str:
        return str(force(self)) if self.session.alive else repr(self)

    def __format__(self, spec: str) -> str:
        value = np.asarray(force(self))
        return format(value[()] if not value.ndim else value, spec)

    def __len__(self) -> int:
        if not self.shape:
            raise WengertTypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise WengertTypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool(FUNCTIONS["any"](self == item))

    def item(self, *index: int) -> Any:
        """One element. Inside a trace it stays traced, so that its derivative is kept."""
        flat = self if self.size == 1 and not index else self[index if len(index) > 1 else ...]
        if len(index) == 1:
            return FUNCTIONS["ravel"](self)[index[0]]
        if flat.size != 1:
            raise WengertValueError("can only convert an array of size 1 to a scalar")
        return Tracer(find("reshape")(flat.node, ()), flat.session)

    def tolist(self) -> Any:
        """Nested lists of traced scalars."""
        return self.item() if not self.shape else [part.tolist() for part in self]

    # ------------------------------------------------------------------- copying, pickling

    def __copy__(self) -> Any:
        return FUNCTIONS["copy"](self)

    def __deepcopy__(self, memo: Any) -> Any:
        return FUNCTIONS["copy"](self)

    def __reduce__(self) -> NoReturn:
        raise WengertTypeError(
            "a traced value cannot be pickled: it has no value of its own. Return it from the "
            "differentiated function instead"
        )

    # ---------------------------------------------------------------------------- protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not kwargs and method == "__call__":
            fast = FAST.get(ufunc)
            if fast is not None:
                return fast(*inputs)
        return FUNCTIONS["__array_ufunc__"](ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        implementation = NUMPY.get(function)
        if implementation is None:
            name = f"{getattr(function, '__module__', 'numpy')}.{function.__name__}"
            raise Unsupported(
                f"{name} cannot be traced: wengert has no rule for it. See docs/coverage.md for "
                "what it has; wrap the code with wengert.primitive to state a derivative yourself"
            )
        return implementation(*args, **kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return FUNCTIONS["__array_namespace__"](self, api_version=api_version)

    def __getitem__(self, key: Any) -> Any:
        if type(key) is int:
            ref = _ELEMENTS.get((self.node, key))
            if ref is not None and (node := ref()) is not None:
                return Tracer(node, self.session)
        return FUNCTIONS["getitem"](self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        FUNCTIONS["setitem"](self, key, value)


ELEMENTS = Interned()
"""What basic indexing reads, known by (node, index)."""
_ELEMENTS = ELEMENTS.table

METHODS: dict[str, Callable[..., Any]] = {}
"""Methods of traced arrays by name; filled by `wengert.numpy`."""

ATTRIBUTES: dict[str, Callable[[Tracer], Any]] = {}
"""Properties of traced arrays (`T`, `real`, …); filled by `wengert.numpy`."""

SETTERS: dict[str, Callable[[Tracer, Any], None]] = {}
"""Of these, and of `shape`: how they are assigned."""


def install_members() -> None:
    """Give traced arrays the methods and properties above, once they are all registered.

    They are set on the class, and what else NumPy's arrays have is refused by name there: a
    `__getattr__` would slow down every access to an attribute.
    """
    for name, method in METHODS.items():
        setattr(Tracer, name, method)
    for name, read in ATTRIBUTES.items():
        setattr(Tracer, name, property(read, SETTERS.get(name)))
    for name in dir(np.ndarray):
        if not name.startswith("_") and not hasattr(Tracer, name):
            message = f"the array attribute .{name} cannot be traced"
            setattr(Tracer, name, property(_refusal(message)))
    for name, instead in _ELSEWHERE.items():
        setattr(Tracer, name, property(_refusal(f"NumPy's arrays have no .{name}: {instead}")))


_ELSEWHERE = {
    "at": "write y[0] = … on an array of your own (y = x.copy())",
    "block_until_ready": "leave it out, a call returns when it is done",
    "detach": "write wengert.stop_gradient(x)",
}
"""Attributes of other libraries' arrays -> what to write instead."""


def _refusal(message: str) -> Callable[[Tracer], NoReturn]:
    def refuse(tracer: Tracer) -> NoReturn:
        raise UnsupportedAttribute(message)

    return refuse


FAST: dict[Any, Callable[..., Any]] = {}
"""NumPy's ufunc -> its fast path on tracers."""
