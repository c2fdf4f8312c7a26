"""`.why_slow` of an explanation: what costs, ranked, where it is, and what to do about it.

Each kind of finding has a function of its own, which finds nothing in a program without that fault.
Shares are estimates, from the work of `wengert.control.costs`, but where it says "measured".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from wengert.execution.jit import Jitted
from wengert.explaining import slow_calls, slow_programs, slow_values
from wengert.explaining.findings import Finding
from wengert.explaining.pages import as_html, as_text
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wengert.explaining.report import Report


@dataclass(frozen=True, slots=True, repr=False)
class WhySlow:
    """What costs, what costs most first. It prints as a table; it is empty where nothing stands
    out."""

    function: str
    findings: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, kind: str) -> Finding:
        """The first finding of a kind, such as "host call"."""
        for finding in self.findings:
            if finding.kind == kind:
                return finding
        raise KeyError(f"nothing of the kind {kind!r} was found")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of what was found, each once."""
        return tuple(dict.fromkeys(finding.kind for finding in self.findings))

    def as_dict(self) -> dict[str, Any]:
        """The same as numbers, texts, lists and dicts, which `json.dumps` takes."""
        found = [{**asdict(f), "where": list(f.where)} for f in self.findings]
        return {"function": self.function, "findings": found}

    def __rich__(self) -> RenderableType:
        if not self.findings:
            text: RenderableType = module("rich.text").Text(
                f"{self.function}: nothing stands out that would make it slow"
            )
            return text
        table = module("rich.table").Table(
            title=f"what costs in {self.function}",
            box=module("rich.box").SIMPLE_HEAD,
            pad_edge=False,
            title_justify="left",
        )
        table.add_column("share", justify="right", style="bold")
        table.add_column("what")
        table.add_column("where", style="dim")
        table.add_column("what to do", style="cyan")
        for finding in self.findings:
            share = "" if finding.share is None else f"{finding.share:.0%}"
            what = f"{finding.kind}: {finding.what}"
            table.add_row(share, what, "\n".join(finding.where), finding.cure)
        found: RenderableType = table
        return found

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def why_slow_of(report: Report) -> WhySlow:
    """What costs in what a report explains, ranked."""
    found = [*slow_programs.host_calls(report), *slow_programs.memory_traffic(report)]
    if isinstance(report.function, Jitted):
        found += slow_calls.retraces(report.function)
    if report.traced is None:
        found += slow_calls.recorded_guards(report.function)
    else:
        found += slow_calls.guards(report)
        found += slow_calls.traces_at_each_call(report)
        found += slow_calls.dense_derivatives(report)
        found += slow_values.captured(report)
        found += slow_values.unrolled(report)
        found += slow_values.mixed_precision(report)
    ranked = sorted(found, key=lambda finding: -(finding.share or 0.0))
    name = getattr(report.function, "__name__", "f")
    return WhySlow(name, tuple(ranked))
