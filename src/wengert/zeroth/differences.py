"""`finite_difference`: one coordinate after another.

Forward, (f(x + hᵢeᵢ) − f(x))/hᵢ, errs by hf''/2 and by rounding of 2ε|f|/h; the sum is smallest
near h = ε^{1/2}. Central, (f(x + hᵢeᵢ) − f(x − hᵢeᵢ))/2hᵢ, errs by h²f'''/6, and h = ε^{1/3}. With
the complex step, Im f(x + ihᵢeᵢ)/hᵢ, nothing is subtracted, and h may be so small that the error is
that of f itself.

Sources: Nocedal and Wright 2006, *Numerical Optimization*, section 8.1; Squire and Trapp 1998,
*Using complex variables to estimate derivatives of real functions*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertTypeError, WengertValueError
from wengert.zeroth.black_box import BlackBox
from wengert.zeroth.results import Derivative

Array: TypeAlias = NDArray[Any]

METHODS = ("central", "forward", "complex")
TINY = 1e-100
"""The complex step: its square vanishes beside 1, and its product with a derivative does not."""


def finite_difference(
    f: Callable[..., Any],
    x: Any,
    *args: Any,
    method: str = "central",
    step: float | None = None,
) -> Derivative:
    """The derivative of a function by differences along each coordinate.

    Parameters
    ----------
    f
        A function of an array, a number or a structure of them, that returns a number or an array.
        It is only evaluated, and need not be written with NumPy.
    x, args
        The point, of n elements in all, and further arguments of f.
    method
        "central": 2n evaluations, error near ε^{2/3}. "forward": n + 1, error near ε^{1/2}.
        "complex": n and two more that check it, exact to rounding, for functions that compute
        with complex numbers and are analytic: no abs, no maximum, no conjugates, no comparisons.
    step
        The step relative to max(1, |xᵢ|), by default ε^{1/3} and ε^{1/2} with ε the rounding unit
        of x's dtype.

    Returns
    -------
    Derivative
        `value` has the structure of x; each leaf has the shape of f(x), then that of the leaf.

    Raises
    ------
    WengertTypeError
        Where the complex step is asked for, and f does not return complex numbers for complex x.
    WengertValueError
        Where the complex step and a central difference disagree, as for functions that are not
        analytic, and where f is not finite.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> found = wg.zeroth.finite_difference(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    >>> found.value, found.evaluations
    (array([ 3., 12.]), 4)
    >>> wg.zeroth.finite_difference(np.exp, 1.0, method="complex").value == np.exp(1.0)
    np.True_
    """
    if method not in METHODS:
        raise WengertValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if step is not None and not step > 0:
        raise WengertValueError(f"step must be positive, not {step!r}")
    box = BlackBox(f, x, args, "finite_difference")
    columns = {"central": _central, "forward": _forward, "complex": _complex}[method](box, step)
    value = np.stack(columns, axis=-1)
    return Derivative(
        box.delivered(value), box.delivered(np.zeros(value.shape)), box.evaluations, method
    )


def relative_step(method: str, eps: float) -> float:
    """ε^{1/2} or ε^{1/3}."""
    return float(eps ** (1 / 2 if method == "forward" else 1 / 3))


def _steps(box: BlackBox, method: str, step: float | None) -> Array:
    relative = relative_step(method, box.eps) if step is None else step
    return np.asarray(relative * np.maximum(1.0, np.abs(box.point)))


def _moved(box: BlackBox, k: int, by: float) -> Array:
    point = box.point.copy()
    point[k] += by
    point = box.rounded(point)
    check_move(abs(float(point[k] - box.point[k])))
    return point


def check_move(length: float) -> None:
    """An error where a step is lost to rounding: the difference would say nothing."""
    if not length > 0:
        raise WengertValueError(
            "the step is lost to rounding beside x, or x is not finite: give a larger step"
        )


def _forward(box: BlackBox, step: float | None) -> list[Array]:
    base = box(box.point)
    columns = []
    for k, h in enumerate(_steps(box, "forward", step)):
        point = _moved(box, k, float(h))
        columns.append((box(point) - base) / (point[k] - box.point[k]))  # the step that was made
    return columns


def _central(box: BlackBox, step: float | None) -> list[Array]:
    columns = []
    for k, h in enumerate(_steps(box, "central", step)):
        right, left = _moved(box, k, float(h)), _moved(box, k, -float(h))
        columns.append((box(right) - box(left)) / (right[k] - left[k]))
    return columns


def _complex(box: BlackBox, step: float | None) -> list[Array]:
    h = TINY if step is None else step
    columns = []
    for k in range(box.n):
        point = box.point.astype(complex)
        point[k] += 1j * h
        value = box(point)
        if value.dtype.kind != "c":
            raise WengertTypeError(
                "the function gives real values for complex x, so that the complex step finds no "
                "derivative (abs, real parts, conversions to float): use method='central'"
            )
        columns.append(value.imag / h)
    _check(box, columns)
    return columns


def _check(box: BlackBox, columns: list[Array]) -> None:
    """Compare with a central difference along one direction that no coordinate is left out of."""
    direction = np.random.default_rng(0).uniform(0.5, 1.5, box.n) / np.sqrt(box.n)
    t = relative_step("central", box.eps) * float(np.max(np.abs(box.point), initial=1.0))
    right, left = box(box.point + t * direction), box(box.point - t * direction)
    expected = (right - left) / (2 * t)
    found = np.stack(columns, axis=-1) @ direction
    # the error of the difference, with a margin for higher derivatives
    size = np.maximum(np.abs(found), np.abs(right) + np.abs(left))
    allowed = 1e-3 * np.abs(expected) + 1e3 * box.eps ** (2 / 3) * np.maximum(1.0, size)
    if np.any(np.abs(found - expected) > allowed):
        raise WengertValueError(
            f"the complex step gives {found} along a direction, and a central difference "
            f"{expected}: the function is not analytic near x (abs, maximum, conjugates, real "
            "parts); use method='central'"
        )
