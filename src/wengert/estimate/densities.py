"""`spectral_density`: how the eigenvalues of a symmetric matrix are spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertValueError
from wengert.estimate.lanczos import Lanczos, Quadrature
from wengert.estimate.operators import operator_of
from wengert.estimate.probes import generator, rademacher
from wengert.estimate.progress import Bar
from wengert.estimate.quadrature import block_width, check_steps, eigenvalues
from wengert.estimate.results import exact, moments
from wengert.estimate.traces import check_budget

Array: TypeAlias = NDArray[np.float64]

VECTORS = 16
STEPS = 80
POINTS = 512


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """A spectral density on a grid.

    Attributes
    ----------
    points
        Where it is given, (m,).
    density
        (1/n) Σᵢ g(t − λᵢ) at the points t, with g the normal density of standard deviation `width`;
        its integral over all t is 1.
    stderr
        Its standard error at each point.
    interval
        The lower and upper end of the intervals that cover 95 %, by Student's t.
    width
        The broadening.
    products
        How many vectors A was multiplied with.
    method
        "lanczos", or "exact" where all eigenvalues were computed.
    """

    points: Array
    density: Array
    stderr: Array
    interval: tuple[Array, Array]
    width: float
    products: int
    method: str

    def __repr__(self) -> str:
        return (
            f"Density({len(self.points)} points from {self.points[0]:.4g} to "
            f"{self.points[-1]:.4g}, width={self.width:.2g}, "
            f"largest stderr={np.max(self.stderr):.2g}, products={self.products}, "
            f"method={self.method!r})"
        )


def spectral_density(
    A: Any,
    n: int | None = None,
    *,
    x: Any = None,
    args: tuple[Any, ...] = (),
    points: Any = None,
    width: float | None = None,
    samples: int | None = None,
    steps: int = STEPS,
    rng: Any = None,
    progress: bool | None = None,
) -> Density:
    """The density of the eigenvalues of a symmetric matrix, from products with vectors.

    Parameters
    ----------
    A, n, x, args
        A symmetric matrix, as in `trace`.
    points
        Where the density is wanted, an increasing array; by default 512 points that cover the
        spectrum.
    width
        The standard deviation of the normal density that stands for each eigenvalue, by default the
        width of the spectrum divided by `steps`: finer detail is not resolved.
    samples
        How many random vectors, by default 16. Where n is no larger than this or than `steps`, all
        eigenvalues are computed and the density is exact.
    steps
        Steps of Lanczos' method for each vector.
    rng, progress
        As in `trace`.

    Returns
    -------
    Density

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> found = wg.estimate.spectral_density(lambda v: np.linspace(0, 1, 1000) * v, n=1000, rng=0)
    >>> bool(abs(np.trapezoid(found.density, found.points) - 1) < 1e-3)
    True
    >>> inside = (found.points > 0.1) & (found.points < 0.9)
    >>> bool(np.all(abs(found.density[inside] - 1) < 0.2))  # uniform on [0, 1]
    True

    Sources: Lin, Saad and Yang 2016, *Approximating spectral densities of large matrices*;
    Ghorbani, Krishnan and Xiao 2019 (of Hessians of networks).
    """
    count = check_budget(samples, None, VECTORS)
    assert count is not None
    check_steps(steps)
    if width is not None and not width > 0:
        raise WengertValueError(f"width must be positive, not {width!r}")
    random = generator(rng)
    with Bar(progress, "spectral_density") as bar:
        operator = operator_of(A, n, x, args, "spectral_density", bar)
        found: list[Quadrature] = []
        if operator.n <= max(count, steps):
            values = eigenvalues(operator)
            found.append(Quadrature(values, np.full(len(values), 1 / len(values))))
        else:
            bar.total = count * steps
            while len(found) < count:
                together = min(count - len(found), block_width(operator, steps))
                lanczos = Lanczos(operator, rademacher(random, operator.n, together), steps)
                while not lanczos.ended:
                    lanczos.step()
                found += lanczos.quadratures()
    low = min(float(q.nodes[0]) for q in found)
    high = max(float(q.nodes[-1]) for q in found)
    if width is None:
        width = (high - low) / steps or 0.01 * max(1.0, abs(high))
    grid = _grid(points, low - 5 * width, high + 5 * width)
    each = np.stack([_broadened(q, grid, width) for q in found])
    sure = operator.n <= max(count, steps)
    result = exact(each[0]) if sure else moments(each)
    half = result.half_width
    return Density(
        grid,
        result.value,
        result.stderr,
        (result.value - half, result.value + half),
        float(width),
        operator.products,
        "exact" if sure else "lanczos",
    )


def _grid(points: Any, low: float, high: float) -> Array:
    if points is None:
        return np.linspace(low, high, POINTS)
    grid = np.asarray(points, float)
    if grid.ndim != 1 or not grid.size or np.any(np.diff(grid) <= 0):
        raise WengertValueError("points must be an increasing array of one axis")
    return grid


def _broadened(quadrature: Quadrature, grid: Array, width: float) -> Array:
    """Σⱼ τⱼ g(t − θⱼ)."""
    away = (grid[:, None] - quadrature.nodes) / width
    return np.asarray(np.exp(-(away**2) / 2) @ quadrature.weights / (width * np.sqrt(2 * np.pi)))
