"""`two_point`: gradients from differences along random directions.

With E u uᵀ = I/n, the derivative along u gives G = n (∇f · u) u, and E G = ∇f. Its mean square is

    E ‖G‖² = n ‖∇f‖²            directions on the sphere, signs, coordinates
    E ‖G‖² = (n + 2) ‖∇f‖²      Gaussian directions

so that a descent with one sample a step takes steps smaller by 1/n, and n times as many.

Sources: Spall 1992 (signs: SPSA); Flaxman, Kalai and McMahan 2005 (sphere); Nesterov and Spokoiny
2017, *Random gradient-free minimization of convex functions* (Gaussian).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertValueError
from wengert.estimate.operators import is_count
from wengert.estimate.probes import generator
from wengert.zeroth.black_box import BlackBox
from wengert.zeroth.differences import check_move, relative_step
from wengert.zeroth.directions import DIRECTIONS
from wengert.zeroth.results import Derivative

Array: TypeAlias = NDArray[np.float64]

METHODS = ("central", "forward")


def two_point(
    f: Callable[..., Any],
    x: Any,
    *args: Any,
    directions: str = "sphere",
    samples: int = 1,
    method: str = "central",
    step: float | None = None,
    rng: Any = None,
) -> Derivative:
    """An estimate of the gradient from two evaluations a random direction.

    Parameters
    ----------
    f
        A function of an array, a number or a structure of them, that returns a number. It is only
        evaluated, and need not be written with NumPy.
    x, args
        The point, of n elements in all, and further arguments of f.
    directions
        "sphere", "gaussian", "rademacher" (signs: SPSA), or "coordinates", which are drawn without
        replacement: n samples of them are `finite_difference`.
    samples
        How many directions are averaged.
    method
        "central": (f(x + tu) − f(x − tu))/2t, 2 evaluations a sample. "forward": (f(x + tu) −
        f(x))/t, one a sample and one more.
    step
        The length of a move (for Gaussian directions in the mean square) relative to max(1, largest
        |xᵢ|), by default ε^{1/3} and ε^{1/2}.
    rng
        A NumPy Generator, a seed, or None.

    Returns
    -------
    Derivative
        The mean, its standard error (infinite for one sample, and for coordinates that were not
        drawn), and the number of evaluations.

    Raises
    ------
    WengertTypeError, WengertValueError
        Where f does not return one finite number, and for arguments that mean nothing.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> f = lambda x: np.sum(x**2)
    >>> found = wg.zeroth.two_point(f, np.ones(5), samples=2000, rng=0)
    >>> found.evaluations
    4000
    >>> bool(np.all(np.abs(found.value - 2) < 4 * found.stderr))
    True
    >>> wg.zeroth.two_point(f, np.ones(5), directions="coordinates", samples=5).value.round(6)
    array([2., 2., 2., 2., 2.])
    """
    if directions not in DIRECTIONS:
        raise WengertValueError(
            f"directions must be one of {', '.join(DIRECTIONS)}, not {directions!r}"
        )
    if method not in METHODS:
        raise WengertValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if not is_count(samples):
        raise WengertValueError(f"samples must be a positive int, not {samples!r}")
    if step is not None and not step > 0:
        raise WengertValueError(f"step must be positive, not {step!r}")
    random = generator(rng)
    box = BlackBox(f, x, args, "two_point")
    relative = relative_step(method, box.eps) if step is None else step
    t = relative * float(np.max(np.abs(box.point), initial=1.0))
    base = box.scalar(box.point) if method == "forward" else 0.0
    mean, squares = np.zeros(box.n), np.zeros(box.n)  # Σ (sample − mean)²
    seen = np.zeros(box.n, bool)
    for done, u in enumerate(islice(DIRECTIONS[directions](random, box.n), int(samples)), 1):
        point = box.point + t * u
        check_move(float(np.max(np.abs(box.rounded(point) - box.point))))
        right = box.scalar(point)
        if method == "forward":
            slope = (right - base) / t
        else:
            slope = (right - box.scalar(box.point - t * u)) / (2 * t)
        sample = box.n * slope * u
        away = sample - mean
        mean = mean + away / done
        squares = squares + away * (sample - mean)
        seen |= u != 0
    error = _standard_error(squares, int(samples), directions == "coordinates")
    stderr = box.delivered(np.where(seen, error, np.inf))
    return Derivative(box.delivered(mean), stderr, box.evaluations, f"{method}, {directions}")


def _standard_error(squares: Array, count: int, without_replacement: bool) -> Array:
    """Of the mean of count samples.

    Without replacement only the samples r that go beyond whole rounds of the n coordinates are
    random, and their mean has the variance (1 − r/n)/r of one sample (Cochran 1977, section 2.5).
    """
    n = len(squares)
    if without_replacement and count % n == 0:
        return np.zeros(n)
    if count == 1:
        return np.full(n, np.inf)
    deviation = np.sqrt(squares / (count - 1))
    if without_replacement:
        r = count % n
        return np.asarray(deviation * (np.sqrt(r * (1 - r / n)) / count))
    return np.asarray(deviation / np.sqrt(count))
