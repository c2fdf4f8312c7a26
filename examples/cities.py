"""A map from nothing but distances: multidimensional scaling by gradient descent.

Given are the distances between 32 cities of Europe, and no coordinates. Wanted are points Wᵢ in the
plane with these distances. They minimise

    L(W) = Σ_{i<j} (‖Wᵢ − Wⱼ‖² − Dᵢⱼ)²,

where D holds the *squares* of the distances. With squares on both sides, L is a polynomial of
degree four in the coordinates, smooth even where two points meet, where ‖Wᵢ − Wⱼ‖ has a kink. (This
is the criterion S-STRESS; Takane, Young & de Leeuw 1977.) No distance changes when the map is
moved, turned or mirrored, so it is found up to that, and laid over the true one by a rotation or
reflection (Procrustes; Schönemann 1966).

The distances are great circles on a sphere, and no flat map has them all. How much of the error is
the Earth's, and how much the descent's, is seen in two ways: the distances of a flat map of the
same cities are given to the same descent, which then is off by next to nothing; and classical
scaling, the closed form by eigenvectors (Torgerson 1952), is off by as much on the true ones.

Topic: gradient descent on a function of a matrix.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import wengert as wg

Points = NDArray[np.float64]  # (cities, 2), in units of 1000 km
Matrix = NDArray[np.float64]

EARTH = 6.3710088  # mean radius in units of 1000 km
DATA = Path(__file__).parent / "data" / "cities.csv"


# --------------------------------------------------------------------------------- the cities


def load() -> tuple[list[str], Matrix]:
    """The names, and (latitude, longitude) in degrees, to about 0.01°."""
    with DATA.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    angles = np.array([[float(row["latitude"]), float(row["longitude"])] for row in rows])
    return [row["name"] for row in rows], angles


def great_circles(angles: Matrix) -> Matrix:
    """Distances on the sphere, by the haversine formula."""
    latitude, longitude = np.radians(angles).T
    across = np.cos(latitude)[:, None] * np.cos(latitude)
    haversine = (
        np.sin(np.subtract.outer(latitude, latitude) / 2) ** 2
        + across * np.sin(np.subtract.outer(longitude, longitude) / 2) ** 2
    )
    return 2 * EARTH * np.arcsin(np.sqrt(haversine))


def true_map(angles: Matrix) -> Points:
    """The cities on a flat map: distances and directions from the middle of them are true.

    The azimuthal equidistant projection (Snyder 1987, *Map Projections*, p. 195).
    """
    latitude, longitude = np.radians(angles).T
    towards = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ]
    )
    x, y, z = np.mean(towards, axis=1)
    middle, meridian = np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)
    turn = longitude - meridian
    angle = np.arccos(
        np.sin(middle) * np.sin(latitude) + np.cos(middle) * np.cos(latitude) * np.cos(turn)
    )
    east = np.cos(latitude) * np.sin(turn)
    north = np.cos(middle) * np.sin(latitude) - np.sin(middle) * np.cos(latitude) * np.cos(turn)
    return EARTH * (angle / np.sin(angle) * np.stack([east, north])).T


# ------------------------------------------------------------------------------- the descent


def squared_distances(W: Points) -> Matrix:
    """‖Wᵢ − Wⱼ‖² for all pairs."""
    differences = W[:, None, :] - W[None, :, :]
    return np.sum(differences**2, axis=2)


def stress(W: Points, D: Matrix) -> float:
    """L(W): every pair i < j stands twice in the matrix, and the diagonal is zero."""
    return np.sum((squared_distances(W) - D) ** 2) / 2


def descend(D: Matrix, start: Points, tolerance: float = 1e-8) -> Iterator[Points]:
    """Gradient descent on L, until the gradient is `tolerance` of what it was.

    The length of each step is found by trial: twice the last one, then halved until L falls by at
    least half of what the slope promises (Armijo 1966).
    """
    W, step = start, 1.0
    value, gradient = wg.value_and_grad(stress)(W, D)
    enough = tolerance * np.linalg.norm(gradient)
    while np.linalg.norm(gradient) > enough:
        step *= 2
        slope = np.sum(gradient**2)
        while stress(W - step * gradient, D) > value - step * slope / 2:
            step /= 2
        W = W - step * gradient
        value, gradient = wg.value_and_grad(stress)(W, D)
        yield W


# ------------------------------------------------------------- how good is the map, and the figure


def classical_scaling(D: Matrix) -> Points:
    """The closed form: −½ JDJ is the Gram matrix of the centred points; its two greatest parts."""
    centring = np.eye(len(D)) - 1 / len(D)
    values, vectors = np.linalg.eigh(-centring @ D @ centring / 2)
    return vectors[:, -2:] * np.sqrt(values[-2:])


def laid_over(W: Points, truth: Points) -> Points:
    """W moved, turned and mirrored (not stretched), to lie as near to the truth as it can."""
    middle, centre = np.mean(W, axis=0), np.mean(truth, axis=0)
    left, _, right = np.linalg.svd((W - middle).T @ (truth - centre))
    return (W - middle) @ left @ right + centre


def off_by(W: Points, truth: Points) -> float:
    """The root mean square of how far the cities are from their true places, in km."""
    return 1e3 * np.sqrt(np.mean(np.sum((laid_over(W, truth) - truth) ** 2, axis=1)))


def distances_off_by(W: Points, distances: Matrix) -> float:
    """The root mean square of the errors of all distances on the map, in km."""
    pairs = np.triu_indices(len(W), k=1)
    on_map = np.sqrt(squared_distances(W)[pairs])
    return 1e3 * np.sqrt(np.mean((on_map - distances[pairs]) ** 2))


class Result(NamedTuple):
    """What was found, and how far it is off."""

    names: list[str]
    truth: Points
    found: Points
    steps: int
    off: float  # km, the map found by descent
    distances_off: float  # km, the distances on it
    classical_off: float  # km, the map of the closed form
    flat_off: float  # km, the map found by descent if the Earth were flat


def recover(seed: int = 0) -> Result:
    """Find the map from a random start."""
    names, angles = load()
    truth, distances = true_map(angles), great_circles(angles)
    start = np.random.default_rng(seed).normal(size=truth.shape)
    *_, (steps, W) = enumerate(descend(distances**2, start), start=1)
    *_, flat = descend(squared_distances(truth), start)
    return Result(
        names=names,
        truth=truth,
        found=laid_over(W, truth),
        steps=steps,
        off=off_by(W, truth),
        distances_off=distances_off_by(W, distances),
        classical_off=off_by(classical_scaling(distances**2), truth),
        flat_off=off_by(flat, truth),
    )


def picture(result: Result, enlarged: int = 100) -> Figure:
    """The true map, and beside it the one that was found, with its errors enlarged."""
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    true_axes, found_axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, points, title in (
        (true_axes, result.truth, "True places"),
        (found_axes, result.found, f"Found from distances (red: the errors, ×{enlarged})"),
    ):
        axes.plot(*points.T, "o", color="tab:blue", markersize=4)
        for name, point in zip(result.names, points, strict=True):
            axes.annotate(name, point, xytext=(4, 3), textcoords="offset points", fontsize=8)
        axes.set(title=title, xlabel="east (1000 km)", aspect="equal")
        axes.margins(x=0.1)
    true_axes.set_ylabel("north (1000 km)")
    for truth, found in zip(result.truth, result.found, strict=True):
        ends = np.stack([found, found + enlarged * (truth - found)])
        found_axes.plot(*ends.T, "-", color="tab:red", linewidth=1)
    return figure


def main(folder: Path = Path("demo")) -> Result:
    result = recover()
    path = folder / "cities.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(result).savefig(path, dpi=120)
    print(
        f"{len(result.names)} cities from their distances alone, by {result.steps} steps of descent"
    )
    print(f"  places off by {result.off:.2f} km, distances by {result.distances_off:.2f} km (rms)")
    print("The Earth is round and the map is flat; the descent is not to blame:")
    print(f"  on the distances of a flat Earth it is off by {1e6 * result.flat_off:.0f} mm")
    print(f"  on the true ones the closed form is off by {result.classical_off:.2f} km")
    print(f"The map is {path}")
    return result


if __name__ == "__main__":
    main()
