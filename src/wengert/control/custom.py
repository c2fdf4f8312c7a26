"""`custom_jvp`, `custom_vjp` and `primitive`: functions that state their own derivatives.

Called on plain values, the function is simply called. On traced ones it is traced with its inputs
cut off (`stop_gradient`), and a `custom` node ties what it made to its inputs by its rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from wengert.control.rules import Identity, UserRule
from wengert.errors import WengertTypeError
from wengert.graph.types import array_type, supported_dtype
from wengert.ops.holders import custom, host_call
from wengert.ops.leaves import item, stop_gradient
from wengert.tracing.forcing import depends_on_input, sample
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session, untraced
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten
from wengert.tracing.wrapping import Wrapped


class WithRules(Wrapped):
    """A function with a derivative of its own; the common part of the decorators.

    nondiff_argnums: positions of arguments that are not arrays, or not differentiated.
    pushforward: (fixed, primals, tangents) -> (output, tangent of the output), or None.
    pullback: (fixed, args, cotangent, needed) -> cotangents of the arguments, or None.
    forward_arguments, reverse_arguments: the positions by which each of them knows the derivative;
        None is all of them.
    stated: "fwd" and "rev" -> the functions that the user gave as rules, for messages.
    """

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        if not callable(function):
            raise WengertTypeError(
                f"{type(self).__name__} needs a function, not {type(function).__name__}"
            )
        super().__init__(function)
        self.function = function
        self.nondiff_argnums = tuple(nondiff_argnums)
        self.pushforward: Callable[..., Any] | None = None
        self.pullback: Callable[..., Any] | None = None
        self.forward_arguments: frozenset[int] | None = None
        self.reverse_arguments: frozenset[int] | None = None
        self.stated: dict[str, tuple[Callable[..., Any], ...]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {getattr(self, '__qualname__', self.__name__)}>"

    def _made_from(self) -> NoReturn:
        raise WengertTypeError(
            f"{self.__name__} has a custom derivative and cannot be pickled, as its rules would be "
            "lost: define it at the top of a module, under its own name"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = self._positional(args, kwargs)
        given = tuple(a for k, a in enumerate(args) if k not in self.nondiff_argnums)
        leaves, spec = flatten(given)
        session = next((leaf.session for leaf in leaves if type(leaf) is Tracer), None)
        if session is None:
            return self.function(*args)
        inputs = [lift(leaf, session) for leaf in leaves]
        stopped = [stop_gradient(node) for node in inputs]
        cut = [Tracer(node, session) for node in stopped]
        parts = iter(unflatten(spec, cut))
        merged = [a if k in self.nondiff_argnums else next(parts) for k, a in enumerate(args)]
        results, out_spec = flatten(self._primal(session, merged))
        if any(tracer.node is not node for tracer, node in zip(cut, stopped, strict=True)):
            raise WengertTypeError(
                f"{self.__name__} has a custom derivative and writes into an argument, which its "
                "caller would not see: let it copy the argument first"
            )
        outs = [lift(leaf, session) for leaf in results]
        if any(depends_on_input(node) for node in outs):
            raise WengertTypeError(
                f"{self.__name__} has a custom derivative and reads a traced value from outside, "
                "whose derivative would be lost: pass it as an argument"
            )
        fixed = Identity(tuple(args[k] for k in self.nondiff_argnums))
        rule = UserRule(self, spec, out_spec, tuple(node.type for node in outs), fixed)
        held = custom(*outs, *inputs, rule=rule, count=len(outs))
        return unflatten(out_spec, [Tracer(item(held, k), session) for k in range(len(outs))])

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if not kwargs:
            return args
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise WengertTypeError(
                f"{self.__name__} takes keyword-only arguments ({', '.join(bound.kwargs)}), which "
                "a function with a custom derivative cannot: make them positional"
            )
        return bound.args

    def _primal(self, session: Session, args: Sequence[Any]) -> Any:
        return self.function(*args)


class custom_jvp(WithRules):
    """A function with its own forward-mode rule; reverse mode follows by transposition.

    Parameters
    ----------
    function
        A function of arrays or structures of them.
    nondiff_argnums
        Positions of arguments that are not arrays or not differentiated; rules get them first.

    Notes
    -----
    The rule, given with `defjvp`, takes (primals, tangents), both tuples, and returns (output,
    tangent of the output). It must be linear in the tangents.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> @wg.custom_jvp
    ... def f(x):
    ...     return np.log1p(np.exp(x))
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return f(x), t / (1 + np.exp(-x))
    >>> wg.grad(f)(100.0)
    np.float64(1.0)
    """

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule (primals, tangents) -> (output, tangent). Returns it."""
        self.pushforward = lambda fixed, primals, tangents: rule(*fixed, primals, tangents)
        self.stated["fwd"] = (rule,)
        return rule

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Give a reverse-mode rule, as well or alone: see `custom_vjp`."""

        def pullback(
            fixed: tuple[Any, ...], args: tuple[Any, ...], cotangent: Any, needed: Sequence[bool]
        ) -> Any:
            merged = list(args)
            for position, value in sorted(zip(self.nondiff_argnums, fixed, strict=True)):
                merged.insert(position, value)
            pair = forward(*merged)
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise WengertTypeError(
                    f"the forward rule of {self.__name__} must return a pair (output, residuals), "
                    f"not {type(pair).__name__}"
                )
            return backward(*fixed, pair[1], cotangent)

        self.pullback = pullback
        self.stated["rev"] = (forward, backward)


class custom_vjp(custom_jvp):
    """A function with its own reverse-mode rule.

    The rule is a pair, given with `defvjp(forward, backward)`: `forward(*args)` returns (output,
    residuals), `backward(residuals, cotangent)` a tuple with one cotangent an argument (None is
    zero). Forward mode refuses such a function by name, unless `defjvp` gives it a rule too.

    >>> import numpy as np, wengert as wg
    >>> @wg.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1, 1),))
    >>> wg.grad(lambda x: 5 * clipped(x))(2.0)
    np.float64(1.0)
    """


# ------------------------------------------------------------------------------- primitive


@dataclass(frozen=True, slots=True)
class OpaqueCall:
    """A function of structures of plain arrays, as a function of their leaves.

    It gets copies, as it may overwrite them, and what it returns is copied, as it may do its work
    in the same memory at each call.
    """

    function: Callable[..., Any]
    spec: Spec
    name: str

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        return self.with_structure(values)[0]

    def with_structure(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], Spec]:
        """(the results, their structure)."""
        own = [np.array(value)[()] for value in values]
        with untraced():
            leaves, spec = flatten(self.function(*unflatten(self.spec, own)))
        return tuple(np.array(leaf) for leaf in leaves), spec


class primitive(WithRules):
    """An opaque function: it gets plain arrays, and its derivatives are stated by hand.

    For code that cannot be traced (SciPy's Fortran, compiled extensions). As in autograd, rules
    are given with `defjvp` (forward) or `defvjp` (reverse), and may call primitives themselves, on
    tangents and cotangents too. The function runs while tracing, to learn the types of its results
    (on ones for a tangent, which has no value then), and again in the program: it must be pure.

    >>> import numpy as np, wengert as wg
    >>> from scipy.special import gammaln, digamma
    >>> log_gamma, psi = wg.primitive(gammaln), wg.primitive(digamma)
    >>> wg.defvjp(log_gamma, lambda y, x: lambda g: g * psi(x))
    >>> bool(np.isclose(wg.grad(log_gamma)(3.0), digamma(3.0)))
    True
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self.forward_arguments = self.reverse_arguments = frozenset()

    def _primal(self, session: Session, args: Sequence[Any]) -> Any:
        leaves, spec = flatten(tuple(args))
        nodes = tuple(leaf.node for leaf in leaves)
        call = OpaqueCall(self.function, spec, self.__name__)
        known = session.memo.get((call, nodes))
        if known is None:
            found = [sample(session, node) for node in nodes]
            results, out_spec = call.with_structure([value for value, _ in found])
            types = tuple(
                array_type(
                    result.shape,
                    supported_dtype(result.dtype, f"the result of {self.__name__}"),
                )
                for result in results
            )
            held = host_call(*nodes, call=call, types=types)
            if all(own for _, own in found):
                session.values[held] = tuple(result[()] for result in results)
            known = session.memo[call, nodes] = held, out_spec
        held, out_spec = known
        count = len(held.type.items)
        return unflatten(out_spec, [Tracer(item(held, k), session) for k in range(count)])


def defjvp(
    function: primitive, *rules: Callable[..., Any] | None, argnums: Sequence[int] | None = None
) -> None:
    """Forward rules of a primitive: for each argument (tangent, answer, *args) -> tangent.

    argnums: the positions that the rules belong to, by default 0, 1, …
    A rule of None says that the derivative by that argument is zero.

    >>> import math
    >>> import numpy as np, wengert as wg
    >>> error = wg.primitive(math.erf)
    >>> wg.defjvp(error, lambda t, y, x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)) * t)
    >>> wg.jvp(error, (0.0,), (1.0,))
    (np.float64(0.0), np.float64(1.1283791670955126))
    """
    by_argument = _by_argument(function, rules, argnums, "defjvp")

    def pushforward(
        fixed: tuple[Any, ...], primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        answer = function(*primals)
        total: Any = None
        for k, rule in by_argument.items():
            if k < len(primals) and rule is not None:
                part = rule(tangents[k], answer, *primals)
                total = part if total is None else total + part
        return answer, np.zeros_like(answer) if total is None else total

    function.pushforward = pushforward
    function.forward_arguments = frozenset(by_argument)
    function.stated["fwd"] = tuple(rule for rule in by_argument.values() if rule is not None)


def defvjp(
    function: primitive, *makers: Callable[..., Any] | None, argnums: Sequence[int] | None = None
) -> None:
    """Reverse rules of a primitive: for each argument (answer, *args) -> (cotangent -> cotangent).

    argnums: the positions that the makers belong to, by default 0, 1, …
    A maker of None says that the derivative by that argument is zero.

    >>> import numpy as np, wengert as wg
    >>> solve = wg.primitive(np.linalg.solve)
    >>> wg.defvjp(
    ...     solve,
    ...     lambda x, A, b: lambda g: -np.outer(solve(A.T, g), x),
    ...     lambda x, A, b: lambda g: solve(A.T, g),
    ... )
    >>> A, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    >>> wg.grad(lambda b: np.sum(solve(A, b)))(b)
    array([0.4, 0.2])
    """
    by_argument = _by_argument(function, makers, argnums, "defvjp")

    def pullback(
        fixed: tuple[Any, ...], args: tuple[Any, ...], cotangent: Any, needed: Sequence[bool]
    ) -> tuple[Any, ...]:
        answer = function(*args)
        makers = [by_argument.get(k) if flag else None for k, flag in enumerate(needed)]
        return tuple(None if make is None else make(answer, *args)(cotangent) for make in makers)

    function.pullback = pullback
    function.reverse_arguments = frozenset(by_argument)
    function.stated["rev"] = tuple(make for make in by_argument.values() if make is not None)


def _by_argument(
    function: Any, rules: Sequence[Any], argnums: Sequence[int] | None, what: str
) -> dict[int, Any]:
    if not isinstance(function, primitive):
        raise WengertTypeError(
            f"{what} takes a function decorated with wengert.primitive, not {function!r:.80}"
        )
    positions = range(len(rules)) if argnums is None else argnums
    return dict(zip(positions, rules, strict=True))
