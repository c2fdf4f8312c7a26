"""`trace` and `diagonal` of a matrix that is known by its products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.estimate.operators import WIDTH, Operator, is_count, operator_of
from wengert.estimate.probes import PROBES, Draw, generator, rademacher, sphere
from wengert.estimate.progress import Bar
from wengert.estimate.results import Estimate, Moments, estimate, exact
from wengert.estimate.samplers import Hutchinson, HutchPlusPlus, Sampler, XTrace
from wengert.estimate.unit_vectors import exact_diagonal, gives_diagonal

METHODS = ("auto", "hutchinson", "hutch++", "xtrace")
SAMPLES = 100
"""Products where neither their number nor a tolerance is asked for."""
FIRST = 24
"""Products before a tolerance is first looked at: fewer say too little about the error."""
GROWTH = 1.5
"""By how much the number of products grows between two looks. A look at every product would stop
too often at an error that is small by chance."""


def trace(
    A: Any,
    n: int | None = None,
    *,
    x: Any = None,
    args: tuple[Any, ...] = (),
    method: str = "auto",
    samples: int | None = None,
    rtol: float | None = None,
    rng: Any = None,
    probes: str = "rademacher",
    progress: bool | None = None,
) -> Estimate:
    """The trace of a matrix, from products with random vectors.

    Parameters
    ----------
    A
        A real square matrix: an array, a SciPy sparse matrix or LinearOperator; a function v ↦ Av
        of vectors of length n; or, where x is given, a scalar function written with NumPy, whose
        Hessian at x is meant.
    n
        The length of the vectors, where A is a function v ↦ Av.
    x, args
        The point, an array or a structure of arrays, and further arguments of the function. The
        Hessian is never formed: blocks of vectors go through the linearised gradient in one pass.
    method
        "hutchinson": for matrices with many eigenvalues of like size, and for those with a heavy
        diagonal (a diagonal matrix is exact with one product). "xtrace" and "hutch++": where few
        eigenvalues make most of the trace; a matrix of rank r is exact with 2(r + 1) and with 3r
        products. "auto": a sixth of the products serves XTrace and Hutchinson both, with as many
        more for XTrace; then the one with the smaller error at equal cost goes on.
    samples
        The largest number of products, by default 100, or with `rtol` what it takes. From n
        products on every unit vector is multiplied, and the result is exact; for a Hessian with
        zeros by structure, from as many on as its pattern has colours.
    rtol
        Stop where half of the 95 % interval is at most rtol times the value. Without `samples` this
        is always reached, at the latest by the exact value.
    rng
        A NumPy Generator, a seed, or None.
    probes
        The random vectors of Hutchinson's method: "rademacher" (signs), "gaussian", "sphere".
    progress
        Whether to show a bar; by default where it takes long and stderr is a terminal.

    Returns
    -------
    Estimate
        With `value`, `stderr`, `interval`, `products`, `method`, `converged`. Rounding
        errors are not in the standard error.

    Raises
    ------
    WengertTypeError, WengertValueError
        For complex, traced or not square matrices, products that are not finite, and numbers of
        samples that are too small for the method.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.estimate.trace(np.diag([1.0, 2.0, 3.0]), samples=2).value
    6.0
    >>> f = lambda x: np.sum(x**2) ** 2  # the Hessian is 4‖x‖² I + 8 x xᵀ
    >>> found = wg.estimate.trace(f, x=np.ones(1000) / 10, samples=60, rng=0)
    >>> found.products
    60
    >>> found.interval[0] <= 40_080 <= found.interval[1]
    True

    Sources: Hutchinson 1990; Meyer, Musco, Musco and Woodruff 2021 (Hutch++); Epperly, Tropp and
    Webber 2024 (XTrace).
    """
    if probes not in PROBES:
        raise WengertValueError(f"probes must be one of {', '.join(PROBES)}, not {probes!r}")
    return _estimated("trace", A, n, x, args, method, samples, rtol, rng, PROBES[probes], progress)


def diagonal(
    A: Any,
    n: int | None = None,
    *,
    x: Any = None,
    args: tuple[Any, ...] = (),
    method: str = "auto",
    samples: int | None = None,
    rtol: float | None = None,
    rng: Any = None,
    progress: bool | None = None,
) -> Estimate:
    """The diagonal of a matrix, from products with random vectors.

    The arguments are those of `trace`. The value, its standard error and the ends of the interval
    are arrays of shape (n,), or structures like x. `rtol` is about the Euclidean norms of the half
    intervals and of the diagonal. "hutchinson" is the mean of z ⊙ Az over signs z; "hutch++" and
    "xtrace" are Diag++ and XDiag, which profit from falling eigenvalues where A is symmetric.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.estimate.diagonal(lambda v: np.arange(5.0) * v, n=5).value
    array([0., 1., 2., 3., 4.])
    >>> f = lambda p: np.sum(p["w"] ** 3) + 2 * p["b"] ** 2
    >>> wg.estimate.diagonal(f, x={"w": np.array([1.0, 2.0]), "b": 3.0}).value
    {'w': array([ 6., 12.]), 'b': np.float64(4.0)}

    Sources: Bekas, Kokiopoulou and Saad 2007; Baston and Nakatsukasa 2022 (Diag++); Epperly, Tropp
    and Webber 2024 (XDiag).
    """
    return _estimated("diagonal", A, n, x, args, method, samples, rtol, rng, rademacher, progress)


def _estimated(
    what: str,
    A: Any,
    n: int | None,
    x: Any,
    args: tuple[Any, ...],
    method: str,
    samples: int | None,
    rtol: float | None,
    rng: Any,
    draw: Draw,
    progress: bool | None,
) -> Estimate:
    if method not in METHODS:
        raise WengertValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    limit = check_budget(samples, rtol, SAMPLES)
    random = generator(rng)
    with Bar(progress, what) as bar:
        operator = operator_of(A, n, x, args, what, bar)
        is_diagonal = what == "diagonal"
        most = operator.n if limit is None else limit
        bar.total = min(most, operator.n) if rtol is None else None
        if gives_diagonal(operator, FIRST if limit is None else limit):
            return _exact(operator, is_diagonal)
        sampler = _start(operator, random, is_diagonal, method, most, rtol, draw)
        found = sampler.found()
        while rtol is not None and not found.reaches(rtol):
            step = min(int(operator.products * (GROWTH - 1)), most - operator.products)
            enough = step >= sampler.least
            if limit is None and (not enough or _hopeless(operator, found, rtol, sampler)):
                return _exact(operator, is_diagonal)
            if not enough:
                break
            sampler.spend(step)
            found = sampler.found()
        converged = rtol is None or found.reaches(rtol)
        unravel = _unravelled(operator, is_diagonal)
        return estimate(found, operator.products, sampler.name, converged, unravel)


def check_budget(samples: int | None, rtol: float | None, default: int) -> int | None:
    """The largest number of samples; None where the tolerance alone says when to stop."""
    if rtol is not None and not rtol > 0:
        raise WengertValueError(f"rtol must be positive, not {rtol!r}")
    if samples is not None:
        if not is_count(samples):
            raise WengertValueError(f"samples must be a positive int, not {samples!r}")
        return int(samples)
    return default if rtol is None else None


def _exact(operator: Operator, is_diagonal: bool) -> Estimate:
    entries = exact_diagonal(operator)
    found = exact(entries if is_diagonal else np.asarray(np.sum(entries)))
    unravel = _unravelled(operator, is_diagonal)
    return estimate(found, operator.products, "exact", True, unravel)


def _unravelled(operator: Operator, is_diagonal: bool) -> Callable[[Any], Any] | None:
    return operator.unravel if is_diagonal else None


def _hopeless(operator: Operator, found: Moments, rtol: float, sampler: Sampler) -> bool:
    """Whether the exact value will take fewer products than the tolerance: errors of Hutchinson's
    method fall with the square root of their number, and no faster."""
    if not isinstance(sampler, Hutchinson):
        return False
    size = float(np.linalg.norm(found.value))
    excess = float(np.linalg.norm(found.half_width)) / rtol
    return operator.products * (excess**2 - size**2) > operator.n * size**2


def _start(
    operator: Operator,
    rng: np.random.Generator,
    is_diagonal: bool,
    method: str,
    most: int,
    rtol: float | None,
    draw: Draw,
) -> Sampler:
    """The sampler, after its first products; after all of them where there is no tolerance."""
    first = most if rtol is None else min(FIRST, most)
    sampler: Sampler
    if method == "hutchinson" or (method == "auto" and first < 2 * XTrace.least):
        sampler = Hutchinson(operator, rng, is_diagonal, draw)
    elif method == "hutch++":
        sampler = HutchPlusPlus(operator, rng, is_diagonal)
    elif method == "xtrace":
        spherical = not is_diagonal
        sampler = XTrace(operator, rng, is_diagonal, sphere if spherical else rademacher, spherical)
    else:
        sampler = _better(operator, rng, is_diagonal, first)
        first -= operator.products
        if _rounded(operator, sampler.found()):
            return sampler
    if sampler.least > most and method != "auto" and method != "hutchinson":
        raise WengertValueError(
            f"{method} needs at least {sampler.least} products, and samples is {most}; "
            "method='hutchinson' does with fewer"
        )
    sampler.spend(first)
    return sampler


def _better(operator: Operator, rng: np.random.Generator, is_diagonal: bool, first: int) -> Sampler:
    """XTrace or Hutchinson, whichever has the smaller error for the same number of products.

    The same probes serve both. XTrace has spent twice as many products then, with which
    Hutchinson's error would be smaller by √2. From there on XTrace's error falls at least as fast.
    The probes are signs, with which diagonal matrices are exact.
    """
    count = min(max(first // 6, 4), WIDTH)
    probes = rademacher(rng, operator.n, count)
    images = operator(probes)
    plain = Hutchinson(operator, rng, is_diagonal, rademacher)
    plain.take(probes, images)
    if _rounded(operator, plain.found()):
        return plain
    leaving = XTrace(operator, rng, is_diagonal, rademacher, spherical=False)
    leaving.take(probes, images)
    error = float(np.linalg.norm(plain.found().stderr))
    if float(np.linalg.norm(leaving.found().stderr)) <= error / np.sqrt(2):
        return leaving
    return plain


def _rounded(operator: Operator, found: Moments) -> bool:
    """Whether nothing but rounding is left of the error."""
    size = float(np.linalg.norm(found.value))
    return float(np.linalg.norm(found.stderr)) <= 10 * operator.eps * size
