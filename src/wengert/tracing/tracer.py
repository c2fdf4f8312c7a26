"""The tracer: a rebindable box around a node that behaves as an array.

Running the user's function on tracers is tracing. Operators intern nodes; whatever needs a value
(`if`, `int`, printing) forces it, and the trace goes on; whatever would lose a derivative raises.

The fast path of an operator is one look-up: the tables of nodes are keyed by the inputs as they
come, so that `x * y` of known nodes costs about 0.2 µs. Only a miss goes through promotion,
broadcasting and captures.
"""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np

from wengert.errors import (
    DroppedTracer,
    Unsupported,
    UnsupportedAttribute,
    WengertRuntimeError,
    WengertTypeError,
    WengertValueError,
    user_frame,
)
from wengert.graph.literals import full
from wengert.graph.node import Interned, Node, make_new
from wengert.graph.op import ZERO
from wengert.graph.registry import FUNCTIONS, NUMPY, evaluate, find, interned
from wengert.graph.types import BOOL, COMPLEX, FLOAT, INT, DType, Shape
from wengert.graph.walk import topological
from wengert.tracing.linear_operators import asked_by_sparse_product
from wengert.tracing.session import Session, changes

Get: TypeAlias = Callable[[Node], Node]
Put: TypeAlias = Callable[[Node, Node], Node]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a view: how to read it from what it views, and how to write it back.

    put: (old base, new value of the view) -> new base; None where NumPy's view is read-only.
    layout: the same step on a NumPy array, which tells when NumPy would copy.
    """

    get: Get
    put: Put | None
    layout: Callable[[Any], Any]


class Link:
    """What a tracer shares memory with, as NumPy's views do.

    root: the tracer that is viewed, or None for an array of its own.
    path: the steps from the root to this view.
    views: weak references to the views of this tracer, which a write must refresh.
    """

    __slots__ = ("path", "root", "views")

    def __init__(self, root: Tracer | None = None, path: tuple[Step, ...] = ()) -> None:
        self.root = root
        self.path = path
        self.views: list[weakref.ref[Tracer]] = []


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
        self.session.guard(_as_bool(self.node), value)
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
        self._refuse_drop("float() or a function of the math module")
        value = float(np.asarray(force(self)).reshape(())[()])
        self.session.guard(self.node, value)
        return value

    def __complex__(self) -> complex:
        self._need_scalar("complex")
        self._refuse_drop("complex() or a function of the cmath module")
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
            note_drop(self.session)
            raise DroppedTracer(
                f"{what} was given a traced value: the result would be a plain number and its "
                "derivative lost. Write the NumPy function (np.sin for math.sin), or "
                "wengert.stop_gradient(x) first if the derivative shall be zero"
            )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if asked_by_sparse_product(sys._getframe(1)):
            return np.array(None, np.object_)  # SciPy then gives way to our __rmatmul__
        if self.dtype.kind not in "fc" or not depends_on_input(self.node):
            value = np.array(force(self))
            guard_array(self)
            return value if dtype is None else value.astype(dtype)
        note_drop(self.session)
        raise DroppedTracer(
            "a traced array would become a plain NumPy array here, and its derivative would be "
            "lost (NumPy's array functions, an assignment into a NumPy array, a method of one, or "
            "C code). Write\n"
            "    wengert.numpy.array, .asarray, .zeros    for those of NumPy\n"
            "    a = a + x                                for a += x\n"
            "    A @ x                                    for A.dot(x)\n"
            "    m + s * rng.standard_normal(n)           for rng.normal(m, s, n)\n"
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
        return FUNCTIONS["reshape"](flat, ())

    def tolist(self) -> Any:
        """Nested lists of traced scalars."""
        return self if not self.shape else [part.tolist() for part in self]

    # ------------------------------------------------------------------- copying, pickling

    def __copy__(self) -> Tracer:
        return Tracer(self.node, self.session)

    def __deepcopy__(self, memo: Any) -> Tracer:
        return Tracer(self.node, self.session)

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
            setattr(Tracer, name, property(_refusal(name)))


def _refusal(name: str) -> Callable[[Tracer], NoReturn]:
    def refuse(tracer: Tracer) -> NoReturn:
        raise UnsupportedAttribute(f"the array attribute .{name} cannot be traced")

    return refuse


FAST: dict[Any, Callable[..., Any]] = {}
"""NumPy's ufunc -> its fast path on tracers."""


# --------------------------------------------------------------------------------- forcing


def check_alive(tracer: Tracer) -> None:
    """Raise if the trace of this tracer has ended."""
    check_open(tracer.session, tracer.node)


def check_open(session: Session, node: Node) -> None:
    """Raise if a node is used in a session that has ended."""
    if not session.alive:
        raise WengertRuntimeError(
            f"a traced value ({node.type}) is used after its trace has ended: it was "
            "probably stored in a global, an object or a generator by a function that was being "
            "differentiated. Return it from that function instead"
        )


def force(tracer: Tracer) -> Any:
    """The value of a traced array now; the trace goes on."""
    check_alive(tracer)
    session = tracer.session
    session.forces += 1
    value = session.values.get(tracer.node)
    return evaluate(session, [tracer.node])[0] if value is None else value


def guard_array(tracer: Tracer) -> None:
    """Under `jit`, the compiled program holds only while this array has this value."""
    if tracer.session.guarded:
        tracer.session.guard(tracer.node, np.asarray(force(tracer)))


def _as_bool(node: Node) -> Node:
    return node if node.dtype == BOOL else find("not_equal")(node, full(0, node.dtype, node.shape))


def depends_on_input(node: Node) -> bool:
    """Whether a value rests on an argument that may be differentiated.

    Integers, comparisons and `stop_gradient` cut the dependence: their derivative is zero.
    """
    order = topological([node], stop=_CUT)
    return any(n.op.name in ("input", "alias") and n.dtype.kind in "fc" for n in order)


class _Cut:
    """The nodes through which no derivative passes, as a container."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Node) and bool(node.args) and node.op.pushforward is ZERO


_CUT = _Cut()


def note_drop(session: Session) -> None:
    """Remember the user's frame that would have dropped a tracer (adoption looks there)."""
    frame = user_frame()
    if frame is not None:
        session.dropped.append(frame)


# --------------------------------------------------------------------------------- lifting


def is_traced(x: Any) -> bool:
    """Whether x is a tracer, or a list or tuple that holds one."""
    if type(x) is Tracer:
        return True
    return isinstance(x, list | tuple) and any(is_traced(item) for item in x)


def find_session(*values: Any) -> Session | None:
    """The session of the first tracer among the values (lists and tuples are searched)."""
    for value in values:
        if type(value) is Tracer:
            return value.session
        if isinstance(value, list | tuple):
            session = find_session(*value)
            if session is not None:
                return session
    return None


def lift(x: Any, session: Session) -> Node:
    """The node of anything that NumPy would take for an array."""
    kind = type(x)
    if kind is Tracer:
        if x.session is not session:
            _refuse_mixed(x, session)
        return x.node  # type: ignore[no-any-return]
    if kind is float:
        return session.slot(x) if changes(x) else full(x, FLOAT, (), True)
    if kind is int:
        return _lift_int(x)
    if kind is bool:
        return full(x, BOOL)
    if kind is complex:
        return full(x, COMPLEX, (), True)
    if isinstance(x, np.ndarray | np.generic):
        if x.dtype.kind == "O":
            _refuse_objects(np.asarray(x))
        if isinstance(x, np.ma.MaskedArray | np.matrix):
            raise Unsupported(
                f"a {type(x).__name__} cannot be traced; pass a plain array "
                "(np.asarray(x), or x.filled(value) for a masked one)"
            )
        return session.capture(x)
    if isinstance(x, list | tuple):
        if is_traced(x):
            stacked: Node = FUNCTIONS["array"](x).node
            return stacked
        return session.capture(np.asarray(x))
    if isinstance(x, int | float | complex):  # of a subclass: an enum, a unit
        return lift(_plain_number(x), session)
    if hasattr(x, "__array__"):
        return session.capture(np.asarray(x))
    raise WengertTypeError(
        f"a value of type {type(x).__name__} cannot be used with traced arrays: "
        f"{x!r:.100}. Numbers, arrays and nested lists of them can"
    )


def _plain_number(x: int | float | complex) -> int | float | complex:
    if isinstance(x, int):
        return int(x)
    return float(x) if isinstance(x, float) else complex(x)


def _lift_int(x: int) -> Node:
    if -(2**63) <= x < 2**63:
        return full(x, INT, (), True)
    if x < 2**64:
        return full(x, np.dtype(np.uint64))
    return full(float(x), FLOAT, (), True)


def _refuse_objects(x: np.ndarray[Any, Any]) -> NoReturn:
    if any(type(item) is Tracer for item in x.flat):
        raise WengertTypeError(
            "an object array holds traced values; NumPy works on it element by element and slowly. "
            "Build it with wengert.numpy.array, wengert.numpy.zeros or np.stack instead"
        )
    raise Unsupported("object arrays cannot be traced; convert them with .astype(np.float64)")


def _refuse_mixed(x: Tracer, session: Session) -> NoReturn:
    check_alive(x)
    raise WengertRuntimeError(
        "a traced value of another trace is used here: it was probably shared through a global or "
        "an object with another thread. Pass it as an argument instead"
    )


# ---------------------------------------------------------------------- operators and ufuncs


_new_tracer = object.__new__


def _binary(name: str, swapped: bool = False) -> Callable[[Tracer, Any], Any]:
    """A binary operator: a look-up where the node is known, else it is made.

    Nodes are known under their inputs as they came where these determine it: two nodes, or a node
    and a literal Python number. A new node of two nodes that need no broadcast nor conversion
    (`ready`) is made at once.
    """
    memory = interned(name)
    get, ready = memory.table.get, memory.ready.get

    def operator(self: Tracer, other: Any) -> Any:
        session = self.session
        if type(other) is Tracer and other.session is session:
            a, b = key = (self.node, other.node)
            ref = get(key)
            if ref is None or (node := ref()) is None:
                result_type = ready((a.type, b.type))
                if result_type is None or a.op is full or b.op is full or not session.alive:
                    node = of_nodes(session, a, b)
                else:
                    node = make_new(memory.op, key, None, result_type, key)
        elif type(other) is float or type(other) is int:
            number = (other, type(other), self.node) if swapped else (self.node, other, type(other))
            ref = get(number)
            if ref is None or (node := ref()) is None:
                node = with_number(self, other, number)
        elif _is_operand(other):
            node = with_anything(self, other)
        else:
            return NotImplemented
        result = _new_tracer(Tracer)
        result.node = node
        result.session = session
        result.link = None
        return result

    def of_nodes(session: Session, a: Node, b: Node) -> Node:
        check_open(session, a)
        result = memory.op(a, b)
        if result.args != (a, b):
            memory.remember((a, b), result)
        return result

    def with_number(self: Tracer, other: float, key: Any) -> Node:
        check_open(self.session, self.node)
        literal = lift(other, self.session)
        a, b = (literal, self.node) if swapped else (self.node, literal)
        result = memory.op(a, b)
        if literal.op is full and other == other and (other or type(other) is int):
            memory.remember(key, result)  # not under -0.0, which equals 0.0, nor under NaN
        return result

    def with_anything(self: Tracer, other: Any) -> Node:
        lifted = lift(other, self.session)
        a, b = (lifted, self.node) if swapped else (self.node, lifted)
        ref = get((a, b))
        node = None if ref is None else ref()
        return of_nodes(self.session, a, b) if node is None else node

    operator.__name__ = name
    return operator


def _is_operand(x: Any) -> bool:
    return isinstance(x, Tracer | np.ndarray | np.generic | int | float | complex | list | tuple)


def _unary(name: str) -> Callable[[Any], Any]:
    """A unary op on a tracer."""
    memory = interned(name)
    get = memory.table.get

    def operator(self: Tracer) -> Any:
        x = self.node
        ref = get((x,))
        if ref is None or (node := ref()) is None:
            check_open(self.session, x)
            node = memory.op(x)
        result = _new_tracer(Tracer)
        result.node = node
        result.session = self.session
        result.link = None
        return result

    operator.__name__ = name
    return operator


def _binary_ufunc(name: str) -> Callable[[Any, Any], Any]:
    forward, backward = _binary(name), _binary(name, swapped=True)

    def call(a: Any, b: Any) -> Any:
        if type(a) is Tracer:
            result = forward(a, b)
        else:
            result = backward(b, a)
        if result is NotImplemented:
            lift(b if type(a) is Tracer else a, Session())
        return result

    return call


def _in_place(name: str) -> Callable[[Tracer, Any], Any]:
    operator = _binary(name)

    def update(self: Tracer, other: Any) -> Any:
        if not self.node.type.shape and self.link is None:
            return NotImplemented  # a NumPy scalar is immutable: Python rebinds the name
        result = operator(self, other)
        if result is NotImplemented:
            return result
        write(self, result.node)
        return self

    return update


_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
}
for _dunder, _name in _OPERATORS.items():
    setattr(Tracer, f"__{_dunder}__", _binary(_name))
    setattr(Tracer, f"__r{_dunder}__", _binary(_name, swapped=True))
    setattr(Tracer, f"__i{_dunder}__", _in_place(_name))
for _dunder, _name in {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    setattr(Tracer, f"__{_dunder}__", _binary(_name))
for _dunder, _name in {
    "neg": "negative",
    "pos": "positive",
    "abs": "absolute",
    "invert": "invert",
}.items():
    setattr(Tracer, f"__{_dunder}__", _unary(_name))


def _matmul(self: Tracer, other: Any) -> Any:
    return FUNCTIONS["matmul"](self, other) if _is_matrix(other) else NotImplemented


def _rmatmul(self: Tracer, other: Any) -> Any:
    return FUNCTIONS["matmul"](other, self) if _is_matrix(other) else NotImplemented


def _imatmul(self: Tracer, other: Any) -> Any:
    write(self, _matmul(self, other).node)
    return self


def _is_matrix(x: Any) -> bool:
    return _is_operand(x) or hasattr(x, "matvec") or hasattr(x, "tocsr")


def _divmod(self: Tracer, other: Any) -> Any:
    return self // other, self % other


def _rdivmod(self: Tracer, other: Any) -> Any:
    return other // self, other % self


for _dunder, _function in {
    "matmul": _matmul,
    "rmatmul": _rmatmul,
    "imatmul": _imatmul,
    "divmod": _divmod,
    "rdivmod": _rdivmod,
}.items():
    setattr(Tracer, f"__{_dunder}__", _function)


def bind_fast_path(ufunc: np.ufunc, name: str) -> None:
    """Give a ufunc that is the op `name` its fast path."""
    FAST[ufunc] = _unary(name) if ufunc.nin == 1 else _binary_ufunc(name)


# ---------------------------------------------------------------------------- views, writes


def view(of: Tracer, get: Get, put: Put | None, layout: Callable[[Any], Any]) -> Tracer:
    """A tracer that shares memory with another one, as NumPy's views do (see `Step`)."""
    return view_by(of, Step(get, put, layout))


def view_by(of: Tracer, step: Step, node: Node | None = None) -> Tracer:
    """A view by a step that was made before; `node` is what it reads, where that is known."""
    result = Tracer(step.get(of.node) if node is None else node, of.session)
    if of.link is None:
        of.link = Link()
    root = of if of.link.root is None else of.link.root
    result.link = Link(root, (*of.link.path, step))
    assert root.link is not None
    views = root.link.views
    views.append(weakref.ref(result))
    if len(views) > 8 and len(views) & (len(views) - 1) == 0:  # prune at powers of two
        views[:] = [ref for ref in views if ref() is not None]
    return result


def memory_layout(tracer: Tracer) -> np.ndarray[Any, Any]:
    """An array that lies in memory as NumPy's would: for asking whether an operation copies."""
    link = tracer.link
    root = tracer if link is None or link.root is None else link.root
    layout = np.empty(root.shape, np.bool_)
    for step in () if link is None else link.path:
        layout = step.layout(layout)
    return layout


def write(tracer: Tracer, value: Node) -> None:
    """Overwrite a traced array: rebind it, what it is a view of, and the views of that.

    Nodes do not change. The value is converted to the dtype of the array and broadcast, as NumPy
    does on assignment.
    """
    check_alive(tracer)
    value = find("broadcast_to")(assignable(value, tracer.dtype), tracer.shape)
    link = tracer.link
    if link is None:
        tracer.node = value
        return
    root = tracer if link.root is None else link.root
    bases = [root.node]
    for step in link.path:
        bases.append(step.get(bases[-1]))
    for step, base in zip(reversed(link.path), reversed(bases[:-1]), strict=True):
        if step.put is None:
            raise WengertValueError("assignment destination is read-only")
        value = step.put(base, value)
    root.node = value
    assert root.link is not None
    alive = []
    for ref in root.link.views:
        other = ref()
        if other is not None:
            alive.append(ref)
            node = root.node
            assert other.link is not None
            for step in other.link.path:
                node = step.get(node)
            other.node = node
    root.link.views[:] = alive


def assignable(value: Node, dtype: DType) -> Node:
    """A value about to be written into a traced array of this dtype."""
    have = value.dtype
    if have.kind == "c" and dtype.kind != "c":
        raise WengertTypeError(
            f"complex values would be assigned into a traced {dtype} array and lose their "
            "imaginary part; take .real, or make the array complex"
        )
    if have.kind in "fc" and dtype.kind in "iub":
        raise WengertTypeError(
            f"floating values would be assigned into a traced {dtype} array and be rounded; make "
            "the array with a floating dtype"
        )
    return find("convert")(value, dtype)
