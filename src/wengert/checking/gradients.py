"""`check_grads`: derivatives against differences, along random directions, to any order.

The difference quotient is central and of fourth order,

    f'(t) ≈ (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h,

with h a thousandth in double precision: an error near 1e-11 for functions of size one.
Forward mode is compared with it; reverse mode through ⟨c, J v⟩ = ⟨Jᵀ c, v⟩ (real part, nothing
conjugated, for complex values).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.derivatives.directional import jvp, vjp
from wengert.errors import WengertError, WengertTypeError, WengertValueError
from wengert.graph.types import float0, is_inexact
from wengert.lazy import module
from wengert.tracing.trees import flatten, paths, unflatten

if TYPE_CHECKING:
    from wengert.checking.culprits import Culprit

MODES = ("fwd", "rev")


class WrongDerivative(WengertError, AssertionError):
    """A derivative does not agree with differences.

    culprit: the operation of the graph to blame (`wengert.checking.culprits.Culprit`), or None.
    """

    def __init__(self, message: str, culprit: Culprit | None = None) -> None:
        super().__init__(message)
        self.culprit = culprit

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.culprit)


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = MODES,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    rng: np.random.Generator | None = None,
) -> None:
    """Check derivatives of a function against differences; nothing happens where they agree.

    Parameters
    ----------
    f
        A function written with NumPy, smooth near `args`.
    args
        A tuple or list with its arguments: arrays or structures of them. Leaves that are not
        floating or complex are held fixed.
    order
        Derivatives up to this order are checked.
    modes
        "fwd" (`jvp`), "rev" (`vjp`) or both; with both, higher orders run through all combinations.
    atol, rtol
        Tolerances; by default those of the differences: 1e-7 in double, 2e-2 in single precision.
    eps
        The step of the differences, by default 1e-3 (double) or 3e-2 (single), relative to
        max(1, largest |x|).
    rng
        A NumPy generator for the directions; by default a fixed seed.

    Raises
    ------
    WrongDerivative
        An AssertionError that says which mode and order disagrees, and by how much; and which
        operation, on which line, disagrees with differences of itself, or near which one they do
        not converge.

    >>> import numpy as np, wengert as wg
    >>> wg.check_grads(lambda x: np.sin(x) * x, (np.array([0.5, 2.0]),), order=3)
    """
    if not isinstance(args, tuple | list):
        raise WengertTypeError(
            f"check_grads takes the arguments of f as a tuple, not {type(args).__name__}: write "
            "check_grads(f, (x,))"
        )
    if isinstance(modes, str):
        modes = (modes,)
    if not modes or any(mode not in MODES for mode in modes):
        raise WengertValueError(f"modes must be among {MODES}, not {tuple(modes)!r}")
    if order < 1:
        raise WengertValueError(f"order must be at least 1, not {order}")
    rng = np.random.default_rng(0) if rng is None else rng
    leaves, spec = flatten(tuple(args))
    leaves = [float(leaf) if type(leaf) is int else leaf for leaf in leaves]  # as `jvp` takes them
    dtypes = [np.asarray(leaf).dtype for leaf in leaves]
    if not any(map(is_inexact, dtypes)):
        raise WengertTypeError(
            f"check_grads found nothing to differentiate by among the arguments "
            f"({', '.join(paths(tuple(args)))}): none is floating or complex"
        )
    single = any(dtype.char in "fF" for dtype in dtypes)
    tolerance = 2e-2 if single else 1e-7
    step = (3e-2 if single else 1e-3) if eps is None else eps
    _check(
        f,
        unflatten(spec, leaves),
        order,
        tuple(modes),
        tolerance if atol is None else atol,
        tolerance if rtol is None else rtol,
        step,
        rng,
        "",
    )


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int,
    modes: tuple[str, ...],
    atol: float,
    rtol: float,
    eps: float,
    rng: np.random.Generator,
    of: str,
) -> None:
    direction = _random_like(args, rng)
    expected = _difference(f, args, direction, eps)
    weights = [_random(np.asarray(leaf), rng) for leaf in expected]

    def compare(got: Any, want: Any, name: str) -> None:
        """Raise where they differ, with the operation to blame."""
        message = _difference_of(got, want, atol, rtol, f"the derivative by {name}")
        if message is not None:
            h = _step(flatten(args)[0], eps)
            culprits = module("wengert.checking.culprits")
            tolerance = culprits.Tolerance(atol, rtol)
            try:
                found = culprits.culprit(f, args, direction, h, (mode,), tolerance, rng)
            except Exception as error:  # of whatever kind: it must not hide what was found
                said = f"  looking for the operation to blame failed: {error!r:.200}"
                raise WrongDerivative(f"{message}\n{said}") from error
            raise WrongDerivative(f"{message}\n{_told(found)}", found)

    for mode in modes:
        name = f"{mode}{' of ' + of if of else ''}"
        if mode == "fwd":
            found = flatten(jvp(f, args, direction)[1])[0]
            for got, want in zip(found, expected, strict=True):
                if np.asarray(got).dtype != float0:
                    compare(got, want, name)

            def derived(*xs: Any) -> Any:
                return _with_derivatives(jvp(f, xs, direction)[1])

        else:
            value, spec = flatten(f(*args))
            cotangents = unflatten(spec, _cotangents(value, weights))
            pulled = flatten(vjp(f, *args)[1](cotangents))[0]
            got = _pairing(pulled, flatten(direction)[0])
            want = _pairing(weights, expected)
            compare(got, want, name)

            def derived(*xs: Any) -> Any:
                pullback = vjp(f, *xs)[1]
                return _with_derivatives(pullback(cotangents))  # noqa: B023 (used at once)

        if order > 1:
            _check(derived, args, order - 1, modes, atol, rtol, eps, rng, name)


def _with_derivatives(tree: Any) -> list[Any]:
    """The leaves of a derivative that can be differentiated again: those that are not float0."""
    return [leaf for leaf in flatten(tree)[0] if leaf.dtype != float0]


def _difference_of(got: Any, want: Any, atol: float, rtol: float, what: str) -> str | None:
    """What is to be said where a derivative is not the one expected, None where it is."""
    got, want = np.asarray(got), np.asarray(want)
    scale = max(1.0, float(np.max(np.abs(want), initial=0.0)))
    worst = float(np.max(np.abs(got - want), initial=0.0))
    if worst <= atol + rtol * scale:  # which is false where either is NaN
        return None
    bad = [name for name, value in (("differences", want), ("it", got)) if not _is_finite(value)]
    if bad:
        return (
            f"{what} does not agree with differences: {' and '.join(bad[::-1])} "
            f"{'is' if bad == ['it'] else 'are'} not finite.\n  got      {got}\n  expected {want}"
        )
    return (
        f"{what} does not agree with differences: off by {worst:.3g} where the largest value "
        f"is {scale:.3g} (atol={atol:g}, rtol={rtol:g}).\n  got      {got}\n  expected {want}"
    )


def _is_finite(value: Any) -> bool:
    return bool(np.all(np.isfinite(value)))


def _told(found: Culprit | None) -> str:
    """What was found out about a derivative that does not agree."""
    if found is not None:
        return "\n".join(f"  {line}" for line in str(found).splitlines())
    return (
        "  each operation agrees with differences of itself: the function may be ill-conditioned\n"
        "  here, so that differences cannot tell, or Python code in it takes another way nearby:\n"
        "  try another eps, or wider tolerances where the arithmetic asks for them"
    )


def _random(leaf: Any, rng: np.random.Generator) -> Any:
    if leaf.dtype.kind not in "fc":
        return np.zeros(leaf.shape, float0)
    sample = rng.standard_normal(leaf.shape)
    if leaf.dtype.kind == "c":
        sample = sample + 1j * rng.standard_normal(leaf.shape)
    return np.asarray(sample).astype(leaf.dtype)


def _random_like(args: Any, rng: np.random.Generator) -> Any:
    leaves, spec = flatten(args)
    return unflatten(spec, [_random(np.asarray(leaf), rng) for leaf in leaves])


def _cotangents(values: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    return [
        weight if is_inexact(np.asarray(value).dtype) else np.zeros(np.shape(value), float0)
        for value, weight in zip(values, weights, strict=True)
    ]


def _difference(f: Callable[..., Any], args: Any, direction: Any, eps: float) -> list[Any]:
    """The derivative of the leaves of f along a direction, by the quotient of fourth order."""
    leaves, spec = flatten(args)
    steps, _ = flatten(direction)
    h = _step(leaves, eps)

    def at(t: float) -> list[Any]:
        moved = [
            x if np.asarray(v).dtype == float0 else (x + np.asarray(t * v).astype(v.dtype))
            for x, v in zip(leaves, steps, strict=True)
        ]
        return [_wide(leaf) for leaf in flatten(f(*unflatten(spec, moved)))[0]]

    points = [at(t) for t in (h, -h, 2 * h, -2 * h)]
    return [(8 * (a - b) - (c - d)) / (12 * h) for a, b, c, d in zip(*points, strict=True)]


def _step(leaves: Sequence[Any], eps: float) -> float:
    """The step of the quotient, relative to the largest of the values."""
    inexact = [x for x in leaves if np.asarray(x).dtype.kind in "fc"]
    return eps * max([1.0, *(float(np.max(np.abs(x), initial=1.0)) for x in inexact)])


def _wide(leaf: Any) -> Any:
    array = np.asarray(leaf)
    if array.dtype.kind in "biu" or array.dtype == float0:
        return np.zeros(array.shape)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _pairing(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Re Σ a b over the leaves that have derivatives."""
    total = 0.0
    for x, y in zip(a, b, strict=True):
        if np.asarray(x).dtype != float0 and np.asarray(y).dtype != float0:
            total += float(np.real(np.sum(np.asarray(x) * np.asarray(y))))
    return total
