"""`jit`: trace once for each signature, then run the program without Python.

Where the trace asked for a value (`if x > 0`), the program carries a guard: the node that was asked
and the answer that it gave. A later call runs the most recent path first; if all its guards give
the same answers, what it computed stands, and so does an exception. Otherwise the next path is
tried, and at last the function is traced anew.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import MethodType
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.execution.border import as_input
from wengert.execution.programs import program
from wengert.graph.node import Node
from wengert.logging import logger
from wengert.tracing.linear_operators import teach_linear_operators
from wengert.tracing.session import Session, current_session, outermost
from wengert.tracing.tracer import Tracer, check_alive
from wengert.tracing.trees import Spec, flatten, unflatten

MOST_PATHS = 16


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Iterable[int] = (),
    static_argnames: str | Iterable[str] = (),
) -> Any:
    """A function that is traced once for each signature and then runs as a program.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays, numbers and structures of them.
    static_argnums, static_argnames
        Arguments that are not traced: any hashable objects. Each value of them is another
        signature.

    Returns
    -------
    A function of the same arguments and results. Shapes, dtypes, structures and static arguments
    make the signature. Control flow on values is guarded: other values, another trace (at most 16
    of a signature; then it says so and traces at each call).

    Notes
    -----
    The function must be pure: Python runs only while tracing, so that printing, appending to
    lists, reading globals and drawing random numbers happen once. Arrays that it reads from outside
    are read again at each call; numbers are not. Inside another trace (`grad(jit(f))`) the function
    is inlined.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> @wg.jit
    ... def f(x):
    ...     return np.sum(x**2) if x[0] > 0 else np.sum(x)
    >>> f(np.array([1.0, 2.0])), f(np.array([-1.0, 2.0]))
    (np.float64(5.0), np.float64(1.0))
    """
    if fun is None:
        return functools.partial(
            jit, static_argnums=static_argnums, static_argnames=static_argnames
        )
    if not callable(fun):
        raise WengertTypeError(f"jit needs a function, not {type(fun).__name__}")
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    return Jitted(fun, numbers, names)


@dataclass(frozen=True, slots=True)
class Path:
    """One way through the function: what it computes, and the answers under which it holds.

    bound: captured objects (read at each call) and numbers that were slots.
    """

    inputs: tuple[Node, ...]
    guards: tuple[Node, ...]
    answers: tuple[Any, ...]
    outputs: tuple[Node, ...]
    places: tuple[int, ...]
    leaves: tuple[Any, ...]
    spec: Spec
    bound: tuple[tuple[Node, Any], ...]

    def run(self, values: Sequence[Any]) -> tuple[bool, Any]:
        """(whether all guards gave their answers, the result)."""
        given = dict(self.bound)
        given.update(zip(self.inputs, values, strict=True))
        try:
            found = program((*self.guards, *self.outputs)).run(given)
        except Exception:
            if self._holds(given):
                raise
            return False, None
        if not self._agree(found[: len(self.guards)]):
            return False, None
        leaves = [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in self.leaves]
        for place, value in zip(self.places, found[len(self.guards) :], strict=True):
            leaves[place] = value
        return True, unflatten(self.spec, leaves)

    def _holds(self, given: dict[Node, Any]) -> bool:
        """Whether the guards hold where the program as a whole raised."""
        try:
            return self._agree(program(self.guards).run(given))
        except Exception:
            return False

    def _agree(self, found: Sequence[Any]) -> bool:
        return all(
            np.array_equal(a, b, equal_nan=np.asarray(b).dtype.kind in "fc")
            for a, b in zip(found, self.answers, strict=True)
        )


class Jitted:
    """A function under `jit`."""

    __name__: str

    def __init__(
        self,
        function: Callable[..., Any],
        static_argnums: tuple[int, ...],
        static_argnames: tuple[str, ...],
    ) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._static_argnums = static_argnums
        self._static_argnames = static_argnames
        self._paths: dict[Any, list[Path]] = {}
        self._said_full = False
        self._parameters = _positional_names(function)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return Jitted, (self._function, self._static_argnums, self._static_argnames)

    def __repr__(self) -> str:
        return f"<jit of {getattr(self._function, '__qualname__', self._function)!s}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if current_session() is not None:
            return self._function(*args, **kwargs)
        traced, static = self._split(args, kwargs)
        fixed = {k for k, *_ in static[0]}
        leaves, spec = flatten(traced)
        if any(type(leaf) is Tracer for leaf in leaves):
            return self._function(*args, **kwargs)
        key = (spec, tuple(map(_signature, leaves)), static)
        try:
            known = self._paths.get(key)
        except TypeError as error:
            raise WengertTypeError(
                f"the static arguments of {self.__name__} must be hashable: {error}"
            ) from None
        if known is None:
            known = self._paths[key] = []
        values = [np.asarray(leaf) for leaf in leaves]
        for k, path in enumerate(known):
            holds, result = path.run(values)
            if holds:
                if k:
                    known.insert(0, known.pop(k))
                return result
        path, result = self._trace(args, kwargs, fixed, leaves, spec)
        if len(known) < MOST_PATHS:
            known.insert(0, path)
        elif not self._said_full:
            self._said_full = True
            logger.warning(
                "%s has been traced along %d paths for one signature (control flow on values); it "
                "is traced at each call from now on. np.where, or a static argument, avoids this",
                self.__name__,
                MOST_PATHS,
            )
        return result

    def _split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """((traced arguments by position, by name), what is static of them)."""
        count = len(args)
        names = self._static_argnames
        positions = {k % count for k in self._static_argnums if -count <= k < count}
        positions |= {k for k, name in enumerate(self._parameters[:count]) if name in names}
        traced = tuple(None if k in positions else arg for k, arg in enumerate(args))
        static_kwargs = {
            name: value
            for name, value in kwargs.items()
            if name in names
            or (name in self._parameters and self._parameters.index(name) in self._static_argnums)
        }
        named = {name: value for name, value in kwargs.items() if name not in static_kwargs}
        static = (
            tuple((k, _Exactly(args[k])) for k in sorted(positions)),
            tuple((name, _Exactly(static_kwargs[name])) for name in sorted(static_kwargs)),
        )
        return (traced, named), static

    def _trace(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        fixed: set[int],
        leaves: Sequence[Any],
        spec: Spec,
    ) -> tuple[Path, Any]:
        teach_linear_operators()
        with outermost(guarded=True) as session:
            what = f"an argument of {self.__name__}"
            tracers = [as_input(session, leaf, what) for leaf in leaves]
            inputs = tuple(tracer.node for tracer in tracers)
            by_position, by_name = unflatten(spec, tracers)
            call_args = [args[k] if k in fixed else by_position[k] for k in range(len(args))]
            call_kwargs = {name: by_name.get(name, value) for name, value in kwargs.items()}
            result = self._function(*call_args, **call_kwargs)
            logger.debug("traced %s for %s", self.__name__, [str(n.type) for n in inputs])
            path = self._path(session, inputs, result)
            values = [session.values[node] for node in inputs]
        holds, value = path.run(values)
        if not holds:  # tiers differ in the last bits; the trace itself stands
            value = replace(path, guards=(), answers=()).run(values)[1]
        return path, value

    def _path(self, session: Session, inputs: tuple[Node, ...], result: Any) -> Path:
        leaves, spec = flatten(result)
        places = [k for k, leaf in enumerate(leaves) if type(leaf) is Tracer]
        for k in places:
            check_alive(leaves[k])
        guards: dict[Node, Any] = {}
        for node, answer in session.guards:
            guards.setdefault(node, answer)
        outputs = tuple(leaves[k].node for k in places)
        rest = tuple(None if type(leaf) is Tracer else leaf for leaf in leaves)
        bound = session.read_later()
        bound += [(node, session.values[node]) for node in session.slots]
        return Path(
            inputs,
            tuple(guards),
            tuple(guards.values()),
            outputs,
            tuple(places),
            rest,
            spec,
            tuple(bound),
        )


class _Exactly:
    """A static argument as a key: equal to one of the same type and, for numbers, the same bits.

    Python holds 0.0 == -0.0 and 1 == 1.0 == True, NaN != NaN; tuples are compared entry by entry.
    """

    __slots__ = ("bits", "hash")

    def __init__(self, value: Any) -> None:
        self.bits = _exactly(value)
        self.hash = hash(self.bits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Exactly) and self.bits == other.bits

    def __hash__(self) -> int:
        return self.hash


def _exactly(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return kind, value.hex()
    if kind is complex:
        return kind, value.real.hex(), value.imag.hex()
    if kind is tuple:
        return kind, *map(_exactly, value)
    return kind, value


def _signature(leaf: Any) -> Any:
    """What a program depends on of a leaf: not its value."""
    if isinstance(leaf, np.ndarray):
        return leaf.shape, leaf.dtype
    return leaf.dtype if isinstance(leaf, np.generic) else type(leaf)


def _positional_names(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in parameters if p.kind in kinds)
