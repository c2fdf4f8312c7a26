"""`plan`: the ways to make a Jacobian, what each would cost, and which `jacobian` takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wengert.derivatives.function import DerivativeFunction
from wengert.derivatives.marking import Argnums, mark, output_nodes, split_aux
from wengert.derivatives.mixed.planning import MODES, Candidate, planned
from wengert.errors import WengertValueError
from wengert.execution.border import entered
from wengert.tracing.trees import flatten


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """How a Jacobian is made. It prints as a table.

    rows, columns: the elements of the outputs and of the arguments.
    candidates: every way that was looked at, with its name (the mode), the estimated work in
        multiplications, how many columns are pushed forward and rows pulled back, the
        multiplications of the products of Jacobians in it, and what it is in words.
    chosen: the one taken.
    """

    rows: int
    columns: int
    candidates: tuple[Candidate, ...]
    chosen: Candidate

    def __repr__(self) -> str:
        heads = ("", "multiplications", "passes", "products", "")
        table = [
            (
                f"{'→' if one is self.chosen else ' '} {one.name}",
                f"{one.cost:.3g}",
                str(one.passes),
                str(one.products),
                one.what,
            )
            for one in self.candidates
        ]
        widths = [max(len(row[k]) for row in (heads, *table)) for k in range(4)]
        sides = f"{_count(self.rows, 'output')} by {_count(self.columns, 'input')}"
        lines = [f"Jacobian of {sides}: {self.chosen.name}"]
        for row in (heads, *table):
            numbers = (text.rjust(width) for text, width in zip(row[1:4], widths[1:], strict=True))
            lines.append("  ".join((row[0].ljust(widths[0]), *numbers, row[4])).rstrip())
        return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def plan(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, mode: str = "auto"
) -> Callable[..., Plan]:
    """How `jacobian` would make the Jacobian of a function, and what the other ways would cost.

    Parameters
    ----------
    fun, argnums, has_aux, mode
        As in `jacobian`.

    Returns
    -------
    A function with the arguments of `fun`. It traces `fun`, evaluates nothing that the trace does
    not ask for, and returns a report: printed, a table with a line for each way; `.candidates` and
    `.chosen` are records of the same. The work is an estimate, in multiplications; an element that
    is written, moved or added counts as four. The choice is that of `jit`: a small Jacobian that is
    not compiled is planned with less care, by estimates from the program alone and without colours.

    Raises
    ------
    WengertValueError
        For an unknown mode, or "elimination" where the function is no small program of numbers.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> A, B = np.ones((3, 400)), np.ones((500, 3))
    >>> wg.plan(lambda x: np.sin(B @ np.tanh(A @ np.cumsum(x))))(np.ones(400)).chosen.name
    'mixed'

    Source: minimum vertex cuts and the chain programme of Naumann 2020; vertex elimination after
    Griewank & Reese 1991.
    """
    if mode not in MODES:
        raise WengertValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    options = {"argnums": argnums, "has_aux": has_aux, "mode": mode, "name": "plan"}
    return DerivativeFunction(_plan, fun, options)


def _plan(fun: Any, options: Any, args: Any, kwargs: Any) -> Plan:
    with entered(flatten((args, kwargs))[0]) as session:
        marked = mark(session, args, options["argnums"], "plan")
        value, _ = split_aux(fun(*marked.args, **kwargs), options["has_aux"], "plan")
        outputs, _ = output_nodes(value, session, "plan")
        mode = options["mode"]
        choice = planned(outputs, marked.nodes, mode)
        return Plan(
            sum(node.size for node in outputs),
            sum(node.size for node in marked.nodes),
            choice.candidates,
            choice.chosen,
        )
