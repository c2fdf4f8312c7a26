"""The cities' map, the network, and the time of a Jacobian by each mode."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from wengert.cli.report.figures import figure
from wengert.cli.report.markup import SPACE, Section, duration, number, paragraph, percent, table


def cities(program: ModuleType, found: Any) -> Section:
    """program: examples/cities.py. found: its `Result`."""
    enlarged = 100
    drawn = figure(
        program.picture(found, enlarged),
        "cities",
        f"Two maps of {len(found.names)} cities of Europe side by side, the true one and the one "
        "found from distances; at this size they look the same",
        f"Left, the true places; right, those that were found, with red lines as long as "
        f"{enlarged} times the error.",
    )
    rows = [
        ["found by gradient descent", number(found.off, 3)],
        ["by the closed form, classical scaling", number(found.classical_off, 3)],
        ["by gradient descent, were the Earth flat", number(found.flat_off, 2)],
    ]
    return Section(
        "cities",
        "A map from nothing but distances",
        paragraph(
            f"Given are the distances between {len(found.names)} cities, and no coordinates. "
            "Gradient descent on L(W) = Σ (‖Wᵢ − Wⱼ‖² − Dᵢⱼ)² finds places that have them, from a "
            f"random start, in {found.steps} steps. The Earth is round and the map is flat, so "
            "that no map has them all; the last row shows how much of the error is the Earth's."
        )
        + table("Places off by, root mean square", ["map", "km"], rows)
        + drawn,
        (f"{number(found.off, 2)}{SPACE}km", f"off the true places of {len(found.names)} cities"),
    )


def network(program: ModuleType, reached: float, epochs: int) -> Section:
    """program: examples/network.py. reached: the accuracy on images that it has not seen."""
    images, unseen, *_ = program.load()
    return Section(
        "network",
        "A network that reads handwritten digits",
        paragraph(
            f"A network of {len(program.SIZES) - 1} layers is trained on {len(images)} images of "
            "digits by stochastic gradient descent with momentum, its gradient taken by reverse "
            f"mode. After {epochs} epochs it reads {percent(reached, 1)} of the {len(unseen)} "
            "images rightly that it has not seen."
        ),
        (percent(reached, 1), f"of unseen digits read rightly after {epochs} epochs"),
    )


def modes(program: ModuleType, points: list[Any]) -> Section:
    """program: examples/forward_or_reverse.py. points: what it measured."""
    first, last = points[0].seconds, points[-1].seconds
    rows = [
        [
            str(point.outputs),
            *(duration(point.seconds[name]) for name in program.LABELS),
            point.chosen,
        ]
        for point in points
    ]
    drawn = figure(
        program.picture(points),
        "modes",
        "Time against the number of outputs, both on logarithmic scales: the line of reverse mode "
        "is the lower one for few outputs, that of forward mode for many, and the one that is "
        "chosen follows the lower of the two",
        f"A Jacobian of {program.INPUTS} inputs: a column for each input by forward mode, a row "
        "for each output by reverse mode.",
    )
    return Section(
        "modes",
        "Forward or reverse",
        paragraph(
            f"The Jacobian of f(x) = A x, of {program.INPUTS} inputs. Its columns come from "
            "forward mode, its rows from reverse mode, and which is cheaper depends on how many "
            f"there are. For {points[0].outputs} output reverse mode takes "
            f"{duration(first['reverse'])} and forward mode {duration(first['forward'])}; for "
            f"{points[-1].outputs} outputs it is {duration(last['reverse'])} and "
            f"{duration(last['forward'])}. <code>wengert.jacobian</code> estimates both and takes "
            "the cheaper one; of this function it even sees that the Jacobian is A."
        )
        + table(
            "Times, medians on one core",
            ["outputs", "forward", "reverse", "the one chosen", "jacobian itself", "chosen"],
            rows,
            words=(5,),
        )
        + drawn,
        (
            f"{number(first['forward'] / first['reverse'], 2)}{SPACE}×",
            f"faster by reverse mode for {points[0].outputs} output of {program.INPUTS} inputs",
        ),
    )
