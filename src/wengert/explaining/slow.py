"""`.why_slow` of an explanation: what costs, ranked, where it is, and what to do about it.

Each kind of finding has a function of its own, which finds nothing in a program without that fault.
A share is a part of what the finding says: of a call's time, which is measured, of the compiled
program's, which is estimated, or of steps, products or entries. They do not add up.
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


_CAPTION = "Shares are of different things, each named, and do not add up."


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
        text = module("rich.text").Text
        if not self.findings:
            nothing: RenderableType = text(
                f"{self.function}: nothing stands out that would make it slow"
            )
            return nothing
        table = module("rich.table").Table(
            title=text(f"what costs in {self.function}"),
            caption=text(_CAPTION) if len(self.findings) > 1 else None,
            caption_justify="left",
            box=module("rich.box").SIMPLE_HEAD,
            pad_edge=False,
            title_justify="left",
        )
        table.add_column("share", style="bold", max_width=16)
        table.add_column("what")
        table.add_column("where", style="dim", overflow="fold")
        table.add_column("what to do", style="cyan", overflow="fold")
        for finding in self.findings:
            share = "" if finding.share is None else f"{_part(finding.share)} {finding.of}".strip()
            what = f"{finding.kind}: {finding.what}"
            cells = (share, what, "\n".join(finding.where), finding.cure)
            table.add_row(*map(text, cells))  # x[i] is no markup
        found: RenderableType = table
        return found

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def _part(share: float) -> str:
    """In hundredths; 100 % is all of it."""
    return "over 99%" if 0.995 <= share < 1 else f"{share:.0%}"


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
    if any(finding.kind == "dense derivative" for finding in found):  # whose traffic it is
        found = [finding for finding in found if finding.kind != "memory traffic"]
    ranked = sorted(found, key=lambda finding: -(finding.share or 0.0))
    name = getattr(report.function, "__name__", "f")
    return WhySlow(name, tuple(ranked))
