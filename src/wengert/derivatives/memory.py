"""`memory_plan`: what a gradient within a budget of memory keeps, repeats and takes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wengert import settings
from wengert.derivatives.marking import Argnums, mark, need_function, scalar_output
from wengert.derivatives.within import gradient_within
from wengert.execution.border import entered
from wengert.execution.budget.amounts import Amount, in_bytes, in_words
from wengert.execution.budget.drawing import as_svg, as_text
from wengert.execution.budget.problem import recorded_peak
from wengert.execution.retrying import retried
from wengert.graph.node import Node
from wengert.lazy import module
from wengert.tracing.trees import flatten

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wengert.execution.budget.native import NativeBudgeted
    from wengert.execution.budget.program import Interpreted

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the program: the operation that gives it, its type, its bytes, and how often it is
    computed."""

    operation: str
    type: str
    bytes: int
    times: int


@dataclass(frozen=True, slots=True, repr=False)
class MemoryPlan:
    """What a gradient takes. It prints as a page, in colour where `rich` prints it.

    budget: bytes that were asked for, None where none were. peak: the most bytes that are there at
    one time, with `inputs` for the arrays that the program reads, and `reserve` for what running
    takes beside all arrays (at least 16 KiB). unplanned: the peak of the same program in
    the order in which it was recorded, with nothing repeated. smallest: the smallest budget found.
    overhead: the repeated work, as a share of the work without repetition.
    kept: what lives from the first part of the program to the rest, where most of it does.
    repeated: what is computed more than once. live: bytes while each step runs. steps: the
    operation of each step. native: whether the steps are machine code.
    """

    budget: int | None
    peak: int
    inputs: int
    reserve: int
    unplanned: int
    smallest: int
    overhead: float
    kept: tuple[Value, ...]
    repeated: tuple[Value, ...]
    live: tuple[int, ...]
    steps: tuple[str, ...]
    native: bool

    def __rich__(self) -> RenderableType:
        group: RenderableType = module("rich.console").Group(self._table(), self._drawing())
        return group

    def __repr__(self) -> str:
        page = io.StringIO()
        console = module("rich.console").Console(
            file=page, width=_WIDTH, color_system=None, force_jupyter=False
        )
        console.print(self)
        return "\n".join(line.rstrip() for line in page.getvalue().rstrip().splitlines())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{name}</td><td>{text}</td></tr>" for name, text in self._rows())
        return f"<table>{rows}</table>{as_svg(self.live, self.budget)}"

    def _rows(self) -> list[tuple[str, str]]:
        repeated = sum(value.times - 1 for value in self.repeated)
        kept = sum(value.bytes for value in self.kept)
        budget = "none" if self.budget is None else in_words(self.budget)
        return [
            ("budget", budget),
            ("peak", in_words(self.peak)),
            ("of it, inputs", in_words(self.inputs)),
            ("of it, no arrays", f"{in_words(self.reserve)}: a fixed sum for what running takes"),
            ("unplanned", in_words(self.unplanned)),
            ("smallest found", in_words(self.smallest)),
            ("kept at the turn", f"{len(self.kept)} values, {in_words(kept)}"),
            ("repeated", f"{repeated} of {len(self.steps)} steps, {self.overhead:.1%} more work"),
        ]

    def _table(self) -> Any:
        table = module("rich.table").Table(
            box=None, show_header=False, pad_edge=False, title="memory of a gradient",
            title_justify="left",
        )  # fmt: skip
        table.add_column(style="bold")
        table.add_column()
        for name, text in self._rows():
            table.add_row(name, text)
        return table

    def _drawing(self) -> Any:
        text = as_text(self.live, self.budget, self.inputs + self.reserve)
        return module("rich.text").Text("\nlive bytes, step by step\n" + text, style="cyan")


def memory_plan(
    fun: Callable[..., Any],
    *args: Any,
    memory: Amount | None = None,
    argnums: Argnums = 0,
    **kwargs: Any,
) -> MemoryPlan:
    """What `grad(fun, argnums, memory=memory)` takes for these arguments, without running it.

    Parameters
    ----------
    fun
        A function written with NumPy that returns one real scalar. It is traced; only what Python
        asks for is computed.
    args, kwargs
        Its arguments.
    memory
        The budget: a number of bytes or a text such as "200MB". Without it, the plan is the one of
        the lowest peak that repeats nothing.
    argnums
        The arguments to differentiate by.

    Returns
    -------
    A report that prints as a page: the peak, what is kept, what is repeated and how much more work
    that is, and a drawing of the live bytes over the steps. Its fields hold the same as data. What
    counts are the arrays: what is read (arguments and captured arrays), results, and all in between
    with the workspaces of operations; for machine code the arenas.

    Raises
    ------
    MemoryBudgetError
        Where no way is found to hold to the budget.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> def f(x):
    ...     for _ in range(50):
    ...         x = np.sin(x) * 1.1
    ...     return np.sum(x)
    >>> plan = wg.memory_plan(f, np.ones(10_000), memory="1MB")
    >>> plan.peak <= 1_000_000 < plan.unplanned, plan.overhead < 0.7
    (True, True)

    Source: Griewank & Walther 2000, *Algorithm 799: Revolve*, for chains; see
    `wengert.execution.budget` for the rest.
    """
    need_function(fun, "memory_plan")
    budget = None if memory is None else in_bytes(memory)
    return _planned(fun, args, kwargs, argnums, budget)


@retried
def _planned(
    fun: Callable[..., Any], args: Any, kwargs: Any, argnums: Argnums, budget: int | None
) -> MemoryPlan:
    with entered(flatten((args, kwargs))[0]) as session:
        marked = mark(session, args, argnums, "memory_plan")
        output = scalar_output(fun(*marked.args, **kwargs), session, "memory_plan")
        _, plain = gradient_within(output, marked.nodes, None, with_value=False)
        _, nodes = gradient_within(output, marked.nodes, budget, with_value=False)
        return _report(nodes, plain, budget)


def _report(nodes: Sequence[Node], plain: Sequence[Node], budget: int | None) -> MemoryPlan:
    tiers = module("wengert.execution.budget.tiers")

    def program_of(nodes: Sequence[Node], budget: int) -> Interpreted | NativeBudgeted:
        found: Interpreted | NativeBudgeted
        found = tiers.Budgeted(nodes, (), budget, settings.native).program
        return found

    free = program_of(plain, tiers.WITHOUT_END)
    program = free if budget is None else program_of(nodes, budget)
    facts = module("wengert.execution.budget.facts").facts(program)
    cost = free.plan.least_cost
    return MemoryPlan(
        budget=budget,
        peak=program.plan.peak,
        inputs=program.problem.base - program.problem.reserve,
        reserve=program.problem.reserve,
        unplanned=recorded_peak(free.problem),
        smallest=facts.smallest,
        overhead=max(0.0, program.plan.cost / cost - 1) if cost else 0.0,
        kept=tuple(Value(*value) for value in facts.kept),
        repeated=tuple(Value(*value) for value in facts.repeated),
        live=facts.live,
        steps=facts.steps,
        native=facts.native,
    )
