"""`trace_function` and `logdet`: traces of functions of a symmetric matrix, by stochastic Lanczos
quadrature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertTypeError, WengertValueError
from wengert.estimate.lanczos import Lanczos, Quadrature
from wengert.estimate.operators import WIDTH, Operator, is_count, operator_of
from wengert.estimate.probes import generator, rademacher
from wengert.estimate.progress import Bar
from wengert.estimate.results import Estimate, Moments, estimate, exact, moments
from wengert.estimate.traces import GROWTH, check_budget
from wengert.estimate.unit_vectors import exact_matrix

Array: TypeAlias = NDArray[np.float64]

VECTORS = 32
"""Random vectors where neither their number nor a tolerance is asked for."""
STEPS = 150
"""The most steps of Lanczos' method where their number is not given."""
SHARE = 0.1
"""Which part of the standard error the quadrature may be off by when it is left as it is."""
SLOWEST = 0.9
"""Changes of the quadrature that fall more slowly than by this are not summed to the end."""
DENSE = 4096
"""The largest matrix that is formed because a tolerance takes more products than its order."""
ROOM = 2**25
"""How many numbers the bases of one block may have: 256 MB."""


def trace_function(
    A: Any,
    function: Callable[[Array], Any],
    n: int | None = None,
    *,
    x: Any = None,
    args: tuple[Any, ...] = (),
    samples: int | None = None,
    steps: int | None = None,
    rtol: float | None = None,
    rng: Any = None,
    progress: bool | None = None,
) -> Estimate:
    """tr f(A) = Σ f(λᵢ) for a symmetric matrix, from products with vectors.

    Parameters
    ----------
    A, n, x, args
        A symmetric matrix, as in `trace`.
    function
        f: an array of eigenvalues to the array of its values.
    samples
        How many random vectors, at most; by default 32, or with `rtol` what it takes. Where n is no
        larger than this or than `steps`, all eigenvalues are computed and the result is exact.
    steps
        Steps of Lanczos' method for each vector. By default until the quadrature is off by less
        than a tenth of the standard error, as far as its last changes tell; at most 150.
    rtol
        Stop where half of the 95 % interval is at most rtol times the value. Without `samples` all
        eigenvalues are computed where that takes fewer products, up to n = 4096.
    rng, progress
        As in `trace`.

    Returns
    -------
    Estimate
        The standard error counts in how far the quadrature may be off, as its last changes tell.
        `products` is about samples times steps.

    Raises
    ------
    WengertTypeError, WengertValueError
        As `trace`; also for matrices that are seen not to be symmetric, and where the function is
        infinite or NaN on the spectrum.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> A = np.diag(np.linspace(0.0, 1.0, 400))
    >>> found = wg.estimate.trace_function(A, np.exp, rng=0)
    >>> bool(abs(found.value / np.sum(np.exp(np.diag(A))) - 1) < 1e-12)  # exact on diagonals
    True

    Source: Ubaru, Chen and Saad 2017, *Fast estimation of tr(f(A)) via stochastic Lanczos
    quadrature*.
    """
    return _estimated(
        "trace_function", A, function, n, x, args, samples, steps, rtol, rng, progress
    )


def logdet(
    A: Any,
    n: int | None = None,
    *,
    x: Any = None,
    args: tuple[Any, ...] = (),
    samples: int | None = None,
    steps: int | None = None,
    rtol: float | None = None,
    rng: Any = None,
    progress: bool | None = None,
) -> Estimate:
    """log det A = tr log A for a symmetric positive definite matrix, from products with vectors.

    The arguments and errors are those of `trace_function`. A matrix that is seen not to be positive
    definite, by a Ritz value that is not positive, is an error.

    Examples
    --------
    >>> import scipy.sparse, wengert as wg
    >>> A = scipy.sparse.diags([-1.0, 2.5, -1.0], [-1, 0, 1], shape=(10_000, 10_000))
    >>> found = wg.estimate.logdet(A, rtol=0.01, rng=0)
    >>> round(found.value, -2)  # n log 2, and a little
    6900.0
    """
    return _estimated("logdet", A, _logarithm, n, x, args, samples, steps, rtol, rng, progress)


def _logarithm(values: Array) -> Array:
    smallest = float(np.min(values))
    if smallest <= 0:
        raise WengertValueError(
            f"logdet needs a positive definite matrix, and this one has an eigenvalue of at most "
            f"{smallest:.3g}: add a multiple of the identity, or take log |det A| by "
            "trace_function(A, lambda t: np.log(abs(t)))"
        )
    return np.log(values)


def _estimated(
    what: str,
    A: Any,
    function: Callable[[Array], Any],
    n: int | None,
    x: Any,
    args: tuple[Any, ...],
    samples: int | None,
    steps: int | None,
    rtol: float | None,
    rng: Any,
    progress: bool | None,
) -> Estimate:
    limit = check_budget(samples, rtol, VECTORS)
    check_steps(steps)
    random = generator(rng)
    with Bar(progress, what) as bar:
        operator = operator_of(A, n, x, args, what, bar)
        if operator.n <= max(limit or VECTORS, steps or STEPS):
            values = _applied(function, eigenvalues(operator), what)
            return estimate(exact(np.asarray(np.sum(values))), operator.products, "exact", True)
        sampler = _Sampler(operator, random, function, steps, rtol, what)
        most = operator.n if limit is None else limit
        sampler.spend(most if rtol is None else min(most, WIDTH), limit)
        while rtol is not None and not sampler.found().reaches(rtol):
            count = len(sampler.values)
            more = min(int(count * GROWTH) - count, most - count)
            if limit is None and (more <= 0 or sampler.hopeless(rtol)) and operator.n <= DENSE:
                values = _applied(function, eigenvalues(operator), what)
                return estimate(exact(np.asarray(np.sum(values))), operator.products, "exact", True)
            if more <= 0:
                break
            sampler.spend(more, limit)
        found = sampler.found()
        converged = rtol is None or found.reaches(rtol)
        return estimate(found, operator.products, "lanczos", converged)


def check_steps(steps: int | None) -> None:
    if steps is not None and not is_count(steps):
        raise WengertValueError(f"steps must be a positive int, not {steps!r}")


def eigenvalues(operator: Operator) -> Array:
    """All of them, of a symmetric matrix that is small enough to be formed."""
    matrix = exact_matrix(operator)
    size = float(np.max(np.abs(matrix)))
    if np.max(np.abs(matrix - matrix.T)) > 1e-5 * size:
        raise WengertValueError("A is not symmetric, and functions of it are not what they seem")
    return np.asarray(np.linalg.eigvalsh((matrix + matrix.T) / 2), float)


def block_width(operator: Operator, steps: int) -> int:
    """How many start vectors go together."""
    return max(1, min(WIDTH, ROOM // (operator.n * steps)))


def _applied(function: Callable[[Array], Any], points: Array, what: str) -> Array:
    values = np.asarray(function(points))
    if values.shape != points.shape:
        raise WengertValueError(
            f"the function given to {what} must map an array of eigenvalues to an array of that "
            f"shape, and mapped {points.shape} to {values.shape}"
        )
    if values.dtype.kind not in "biuf":
        raise WengertTypeError(
            f"the function given to {what} must map eigenvalues to real numbers, and returned "
            f"dtype {values.dtype}: take its real or imaginary part"
        )
    if not np.all(np.isfinite(values)):
        at = points[~np.isfinite(values)][0]
        raise WengertValueError(f"the function given to {what} is infinite or NaN at {at:.6g}")
    return values


class _Sampler:
    """One value n Σ τⱼ f(θⱼ) for each random vector.

    The first block decides how many steps are enough, unless that was said; the others follow it.
    """

    def __init__(
        self,
        operator: Operator,
        rng: np.random.Generator,
        function: Callable[[Array], Any],
        steps: int | None,
        rtol: float | None,
        what: str,
    ) -> None:
        self._operator, self._rng, self._function = operator, rng, function
        self._steps, self._rtol, self._what = steps, rtol, what
        self._off = 0.0
        self.values: list[float] = []

    def spend(self, vectors: int, total: int | None) -> None:
        """So many vectors more, of a total that is known or not."""
        while vectors:
            limit = min(self._steps or STEPS, self._operator.n)
            width = min(vectors, block_width(self._operator, limit))
            probes = rademacher(self._rng, self._operator.n, width)
            lanczos = Lanczos(self._operator, probes, limit)
            if self._steps is None:
                self._steps = self._enough(lanczos, total)
            while not lanczos.ended and lanczos.steps < self._steps:
                lanczos.step()
            if not self.values:
                self._off = self._unsettled(lanczos)
            self.values.extend(self._read(lanczos.quadratures()))
            vectors -= width

    def found(self) -> Moments:
        found = moments(np.array(self.values))
        return Moments(found.value, np.hypot(found.stderr, self._off), found.degrees)

    def hopeless(self, rtol: float) -> bool:
        """Whether the whole matrix takes fewer products than the tolerance will."""
        found = self.found()
        aim = rtol * abs(float(found.value))
        wanted = self._operator.products * float(found.half_width) ** 2
        return wanted > (self._operator.products + self._operator.n) * aim**2

    def _read(self, quadratures: list[Quadrature]) -> Array:
        return np.array(
            [
                self._operator.n * (q.weights @ _applied(self._function, q.nodes, self._what))
                for q in quadratures
            ]
        )

    def _enough(self, lanczos: Lanczos, total: int | None) -> int:
        """Steps until the quadrature has settled, beside the statistical error."""
        while True:
            until = max(6, int(lanczos.steps * GROWTH))
            while not lanczos.ended and lanczos.steps < until:
                lanczos.step()
            values = self._read(lanczos.quadratures())
            allowed = max(SHARE * self._aim(values, total), 1e-12 * abs(float(np.mean(values))))
            if lanczos.ended or self._unsettled(lanczos) <= allowed:
                return lanczos.steps

    def _unsettled(self, lanczos: Lanczos) -> float:
        """How far the quadrature may be off: its last change, or what the changes to come add up to
        where they go on to fall as the last two did, as a geometric series."""
        if lanczos.is_exact:
            return 0.0
        if lanczos.steps == 1:
            return np.inf  # there is nothing to compare it with
        counts = lanczos.steps, _earlier(lanczos.steps), _earlier(_earlier(lanczos.steps))
        now, before, first = (float(np.mean(self._read(lanczos.quadratures(k)))) for k in counts)
        last, previous = abs(now - before), abs(before - first)
        ratio = min(last / previous, SLOWEST) if previous else 0.0
        return last * max(1.0, ratio / (1 - ratio))

    def _aim(self, values: Array, total: int | None) -> float:
        """The statistical error that is expected in the end."""
        if self._rtol is not None:
            return self._rtol * abs(float(np.mean(values))) / 2
        if len(values) == 1 or total is None:
            return 0.0
        return float(np.std(values, ddof=1) / np.sqrt(total))


def _earlier(steps: int) -> int:
    """With how many steps the quadrature is compared."""
    return max(1, (3 * steps) // 4)
