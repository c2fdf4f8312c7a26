"""Bundle adjustment of ADBench: the Jacobians of 10,000 reprojection errors, each by a camera of 11
numbers, a point of 3 and a weight.

Function and Jacobian are written for one observation and mapped over all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
from yardstick.floor import Floor, FloorCall, FloorLibrary, bind
from yardstick.problem import Arguments, Problem

OBSERVATIONS = 10_000


def arguments(observations: int) -> Arguments:
    """Cameras, points, weights, and where each point was seen."""
    rng = numpy.random.default_rng(0)
    return (
        0.1 * rng.normal(size=(observations, 11)),
        rng.normal(size=(observations, 3)) + numpy.array([0.0, 0.0, 5.0]),
        rng.normal(size=observations),
        rng.normal(size=(observations, 2)),
    )


def function(np: Any) -> Callable[..., Any]:
    """The error of one observation, of two numbers, times its weight."""

    def cross(a: Any, b: Any) -> Any:
        return np.stack(
            [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        )

    def error(camera: Any, point: Any, weight: Any, seen: Any) -> Any:
        rotation, centre, focal = camera[:3], camera[3:6], camera[6]
        offset, radial = camera[7:9], camera[9:]
        angle = np.sqrt(np.sum(rotation * rotation))
        axis = rotation / angle
        x = point - centre
        cosine, sine = np.cos(angle), np.sin(angle)
        y = x * cosine + cross(axis, x) * sine + axis * (np.sum(axis * x) * (1 - cosine))
        u = y[:2] / y[2]
        square = np.sum(u * u)
        distorted = u * (1 + radial[0] * square + radial[1] * square * square)
        return weight * (distorted * focal + offset - seen)

    return error


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    cameras, points, weights, seen = arguments
    count = len(weights)
    own = numpy.arange(count, dtype=numpy.int32)
    errors, of_weights = numpy.empty((count, 2)), numpy.empty(count)
    jacobian, of_weight = numpy.empty((count, 2, 15)), numpy.empty(count)
    given = (count, cameras, points, weights, own, own, seen, errors, of_weights)
    value = numpy.empty(1)
    f = bind(floors, "ba_f", given, value=value)
    g = bind(floors, "ba_fg", (*given, jacobian, of_weight), value=value)

    def f_call() -> Any:
        f.call()
        return errors

    def g_call() -> Any:
        g.call()
        return jacobian[:, :, :11], jacobian[:, :, 11:14], jacobian[:, :, 14]

    return Floor(FloorCall(f_call, f.seconds), FloorCall(g_call, g.seconds))


ONE_BY_ONE = "it has no map over instances"

PROBLEMS = (
    Problem(
        name="bundle",
        arguments=partial(arguments, OBSERVATIONS),
        small=partial(arguments, 7),
        function=function,
        argnums=(0, 1, 2),
        derivative="jacobians",
        floor=floor,
        without={"numpy": ONE_BY_ONE, "autograd": ONE_BY_ONE},
    ),
)
