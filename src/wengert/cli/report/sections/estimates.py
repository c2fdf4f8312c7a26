"""What a gradient is worth, and what random products tell of a Hessian."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from wengert.cli.report.figures import figure
from wengert.cli.report.markup import SPACE, Section, number, paragraph, percent, table


def zero_order(program: ModuleType, found: dict[int, Any], accuracy: float) -> Section:
    """program: examples/zero_order.py. found: what `compare` returned."""
    rows = [
        [
            str(n),
            str(gradients.steps),
            str(evaluations.steps),
            number(evaluations.steps / gradients.steps, 3),
            number(evaluations.steps / gradients.steps / n, 2),
        ]
        for n, (gradients, evaluations) in found.items()
    ]
    most = max(found)
    gradients, evaluations = found[most]
    ratio = evaluations.steps / gradients.steps
    drawn = figure(
        program.picture(found),
        "zero-order",
        "The function's value against steps, on logarithmic scales: the curves with gradients lie "
        "on one another, those without lie further to the right by about the factor n",
        "Dashed with gradients, solid without; f as a part of what it was at the start.",
    )
    return Section(
        "zero-order",
        "With and without gradients",
        paragraph(
            "Gradient descent on a least-squares problem, and the same where f can only be "
            "evaluated: the difference along a random direction estimates the gradient without "
            "bias, with n times its square as variance, so that steps must be n times shorter. "
            f"Until f has fallen to {percent(accuracy)}, {most} variables take {evaluations.steps} "
            f"steps without gradients and {gradients.steps} with them. Reverse mode gives the "
            "gradient for the price of a few evaluations, whatever n is."
        )
        + table(
            f"Steps until f is {percent(accuracy)} of what it was",
            ["n", "with gradients", "without", "ratio", "ratio / n"],
            rows,
        )
        + drawn,
        (f"{number(ratio, 3)}{SPACE}×", f"as many steps without gradients in {most} variables"),
    )


def hutchinson(program: ModuleType, found: Any, repetitions: int) -> Section:
    """program: examples/hutchinson.py. found: what `errors` returned."""
    rows = [
        [
            str(products),
            percent(found.predicted[k], 1),
            *(percent(found.measured[method][k], 1) for method in program.METHODS),
        ]
        for k, products in enumerate(found.products)
    ]
    drawn = figure(
        program.picture(found),
        "hutchinson",
        "Relative error against the number of products, on logarithmic scales: Hutchinson's "
        "estimate follows the dashed line of its variance, XTrace falls faster",
        "The dashed line is what the variance of Hutchinson's estimate says.",
    )
    most, last = found.products[-1], len(found.products) - 1
    return Section(
        "hutchinson",
        "The trace of a Hessian from random products",
        paragraph(
            f"The Hessian of a network's loss by its {found.n} parameters is never formed: "
            "products with random signs v estimate its trace, E vᵀHv = tr H (Hutchinson 1990), "
            "each for a small multiple of the price of a gradient. The error falls as 1/√V with "
            "the number V of products. Hutch++ and XTrace make more of the same products where few "
            "eigenvalues are large."
        )
        + table(
            f"Relative errors, root mean square over {repetitions} repetitions; "
            f"tr H = {number(found.exact, 5)}",
            ["products", "as the variance says", "Hutchinson", "Hutch++", "XTrace"],
            rows,
        )
        + drawn,
        (
            percent(found.measured["xtrace"][last], 1),
            f"off the trace of {found.n} × {found.n} after {most} products, by XTrace",
        ),
    )
