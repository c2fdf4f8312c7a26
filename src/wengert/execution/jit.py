"""`jit`: trace once for each signature, then run the program without Python.

Where the trace asked for a value (`if x > 0`), the program carries a guard: the node that was asked
and the answer that it gave. A later call runs the most recent path first; if all its guards give
the same answers, what it computed stands, and so does an exception. Otherwise the next path is
tried, and at last the function is traced anew.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import as_input
from wengert.execution.budget.amounts import Amount, in_bytes
from wengert.execution.cache import BoundedCache
from wengert.execution.calling.callable import Entered, vectorcalled
from wengert.execution.inspecting import inspector
from wengert.execution.paths import Path
from wengert.execution.retrying import retried
from wengert.execution.values import of_values
from wengert.graph.node import Node
from wengert.logging import logger
from wengert.ops.holders import ResultChanged
from wengert.tracing.forcing import check_alive, check_inside
from wengert.tracing.linear_operators import teach_linear_operators
from wengert.tracing.session import Session, current_session, outermost, watching
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, leaf_name, unflatten

MOST_PATHS = 16
MOST_SIGNATURES = 4_096


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Iterable[int] = (),
    static_argnames: str | Iterable[str] = (),
    memory: Amount | None = None,
) -> Any:
    """A function that is traced once for each signature and then runs as a program.

    Parameters
    ----------
    fun
        A function written with NumPy, of arrays, numbers and structures of them.
    static_argnums, static_argnames
        Arguments that are not traced: any hashable objects. Each value of them is another
        signature.
    memory
        A budget of bytes, as a number or a text ("200MB"), for the arrays that are there at one
        time: arguments, results and all in between. What does not fit is computed again, as little
        as need be; `MemoryBudgetError` where no way is found. Such a program runs in pieces.

    Returns
    -------
    A function of the same arguments and results. Shapes, dtypes, structures and static arguments
    make the signature. Control flow on values is guarded: other values, another trace (at most 16
    of a signature; then it says so and traces at each call).

    Notes
    -----
    The function must be pure: Python runs only while tracing, so that printing, appending to
    lists, reading globals and drawing random numbers happen once. Arrays that it reads from outside
    are read again at each call; numbers are not, nor are arrays of indices and masks. Inside
    another trace (`grad(jit(f))`) the function is inlined.

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
            jit, static_argnums=static_argnums, static_argnames=static_argnames, memory=memory
        )
    if not callable(fun):
        raise WengertTypeError(f"jit needs a function, not {type(fun).__name__}")
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    return Jitted(fun, numbers, names, memory=None if memory is None else in_bytes(memory))


@dataclass(frozen=True, slots=True)
class _Argument:
    """The description of a leaf of the arguments, put into words only when an error needs it."""

    function: str
    traced: tuple[tuple[Any, ...], dict[str, Any]]
    index: int

    def __str__(self) -> str:
        positional, named = self.traced
        arguments = {f"argument {k}": arg for k, arg in enumerate(positional)}
        arguments.update((f"argument {k}", named[k]) for k in sorted(named))
        return f"{leaf_name(arguments, self.index)} of {self.function}"


@vectorcalled
class Jitted(Entered):
    """A function under `jit`.

    patient: whether its programs run on the interpreter for as long as compiling would not have
        paid, as those that may be called a few times only.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        static_argnums: tuple[int, ...] = (),
        static_argnames: tuple[str, ...] = (),
        patient: bool = False,
        memory: int | None = None,
    ) -> None:
        super().__init__(function)
        self._memory = memory
        self._patient = patient
        self._function = function
        self._parameters = _positional_names(function)
        self._static_argnums = _checked_numbers(function, self._parameters, static_argnums)
        self._static_argnames = _checked_names(function, static_argnames)
        self._paths = BoundedCache(entries=MOST_SIGNATURES, weight=MOST_SIGNATURES)
        self._said_full = False

    def _made_from(self) -> tuple[Any, ...]:
        static = self._static_argnums, self._static_argnames
        return Jitted, (self._function, *static, self._patient, self._memory)

    def __repr__(self) -> str:
        return f"<jit of {getattr(self._function, '__qualname__', self._function)!s}>"

    def slow(self, *args: Any, **kwargs: Any) -> Any:
        """The call of a form that has no entry, or whose guards do not hold."""
        if current_session() is not None:
            return self._function(*args, **kwargs)
        traced, static = self._split(args, kwargs)
        fixed = {k for k, *_ in static[0]}
        leaves, spec = flatten(traced)
        if any(type(leaf) is Tracer for leaf in leaves):
            return self._function(*args, **kwargs)
        looking = inspector()
        if looking is not None:
            with looking.call():
                return self._trace(args, kwargs, fixed, traced, leaves, spec)[1]
        key = (spec, tuple(map(_signature, leaves)), static)
        try:
            known: list[Path] | None = self._paths.find(key)
        except TypeError as error:
            raise WengertTypeError(
                f"the static arguments of {self.__name__} must be hashable: {error}"
            ) from None
        if known is None:
            known = []
            self._paths.put(key, known, 1)
        values = [np.asarray(leaf) for leaf in leaves]
        trace = self._trace
        for k, path in enumerate(known):
            if path.trial is not None and path.trial.is_over:
                path = known[k] = path.planned()
            try:
                holds, result = path.run(values)
            except ResultChanged:  # a primitive gives another shape for these values
                continue
            except Exception as error:
                if not of_values(error):
                    raise
                trace = self._trace_watched  # the function may expect it
                continue
            if holds:
                if k:
                    known.insert(0, known.pop(k))
                self._enter(path, args, kwargs, spec)
                return result
        path, result = trace(args, kwargs, fixed, traced, leaves, spec)
        if len(known) < MOST_PATHS:
            known.insert(0, path)
            self._enter(path, args, kwargs, spec)
        elif not self._said_full:
            self._said_full = True
            logger.warning(
                "%s has been traced along %d paths for one signature (control flow on values); it "
                "is traced at each call from now on. np.where, or a static argument, avoids this",
                self.__name__,
                MOST_PATHS,
            )
        return result

    def _enter(self, path: Path, args: tuple[Any, ...], kwargs: dict[str, Any], spec: Spec) -> None:
        """Answer calls like this one without Python from now on, where that is possible."""
        if _idle:
            return
        entry = path.new_entry(args, kwargs, spec)
        if entry is not None:
            self.push_entry(entry)
            _answering.add(self)

    def forget_calls(self) -> None:
        """Answer calls through Python, until entries are made for them anew."""
        self.forget_entries()
        for _, known in self._paths.items():
            for path in known:
                path.forms.clear()

    def recorded(self) -> list[tuple[Any, list[Path]]]:
        """What it has traced: signatures and the paths of each, the most recently used last."""
        return self._paths.items()

    def _split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """((traced arguments by position, by name), what is static of them)."""
        count = len(args)
        names = self._static_argnames
        positions = {k for k in self._static_argnums if k < count}
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
            tuple((k, _exactly(args[k])) for k in sorted(positions)),
            tuple((name, _exactly(static_kwargs[name])) for name in sorted(static_kwargs)),
        )
        return (traced, named), static

    def _trace_watched(self, *given: Any) -> tuple[Path, Any]:
        with watching():
            path: tuple[Path, Any] = self._trace(*given)
        return path

    @retried
    def _trace(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        fixed: set[int],
        traced: Any,
        leaves: Sequence[Any],
        spec: Spec,
    ) -> tuple[Path, Any]:
        teach_linear_operators()
        with outermost(guarded=True) as session:
            tracers = [
                as_input(session, leaf, _Argument(self.__name__, traced, k))
                for k, leaf in enumerate(leaves)
            ]
            inputs = tuple(tracer.node for tracer in tracers)
            session.running = True
            by_position, by_name = unflatten(spec, tracers)
            call_args = [args[k] if k in fixed else by_position[k] for k in range(len(args))]
            call_kwargs = {name: by_name.get(name, value) for name, value in kwargs.items()}
            result = self._function(*call_args, **call_kwargs)
            logger.debug("traced %s for %s", self.__name__, [str(n.type) for n in inputs])
            path = self._path(session, inputs, result)
            values = [session.values[node] for node in inputs]
            if self._memory is not None:
                session.forget()
        if inspector() is not None:
            return path, path.unguarded().run(values)[1]
        path = path.planned(self._patient and self._memory is None)
        holds, value = path.run(values)
        if not holds:  # tiers differ in the last bits; the trace itself stands
            value = path.unguarded().run(values)[1]
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
        check_inside(session, outputs)
        rest = tuple(None if type(leaf) is Tracer else leaf for leaf in leaves)
        bound = session.read_later(inputs)
        return Path(
            inputs,
            tuple(guards),
            tuple(guards.values()),
            outputs,
            tuple(places),
            rest,
            spec,
            tuple(bound),
            memory=self._memory,
        )


_answering: WeakSet[Jitted] = WeakSet()
"""The functions some of whose calls are answered without Python."""
_idle: list[None] = []
"""One for each context in which no calls are."""


@contextmanager
def without_entries() -> Iterator[None]:
    """A context in which every call of a function under `jit` goes through Python, where it can be
    looked at. That holds for all threads."""
    _idle.append(None)
    while _answering:
        _answering.pop().forget_calls()
    try:
        yield
    finally:
        _idle.pop()


def _exactly(value: Any) -> Any:
    """A static argument as a key: numbers by their type and bits, since Python holds 0.0 == -0.0,
    1 == 1.0 == True and NaN != NaN."""
    kind = type(value)
    if isinstance(value, float):
        return kind, value.hex()
    if isinstance(value, complex):
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
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in _signature_of(function) if p.kind in kinds)


def _signature_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function; none where it does not tell them, as some written in C."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def _takes_any(function: Callable[..., Any], kind: Any) -> bool:
    parameters = _signature_of(function)
    return not parameters or any(p.kind is kind for p in parameters)


def _checked_numbers(
    function: Callable[..., Any], parameters: Sequence[str], numbers: tuple[int, ...]
) -> tuple[int, ...]:
    """static_argnums, counted from the front."""
    count = len(parameters)
    open_ended = _takes_any(function, inspect.Parameter.VAR_POSITIONAL)
    for number in numbers:
        if not isinstance(number, int) or isinstance(number, bool):
            raise WengertTypeError(f"static_argnums must be ints, not {number!r}")
        if number < -count or (number >= count and not open_ended):
            raise WengertValueError(
                f"static_argnums names argument {number}, but {_name(function)} has {count} "
                "positional arguments"
            )
    return tuple(n + count if n < 0 else n for n in numbers)


def _checked_names(function: Callable[..., Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """static_argnames, each of which the function must have."""
    known = {p.name for p in _signature_of(function)}
    if not _takes_any(function, inspect.Parameter.VAR_KEYWORD):
        for name in names:
            if name not in known:
                raise WengertValueError(
                    f"static_argnames names {name!r}, which is no argument of {_name(function)}"
                )
    return names


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", function))
