"""The tables of scale as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yardstick.report import between_markers, duration

from scaling.entry import OURS, Entry


def said(entry: Entry) -> str:
    """An entry in a few lines."""
    ours = entry.seconds.get(OURS)
    times = ", ".join(
        f"{name} {duration(seconds)}"
        + (f" ({seconds / ours:.3g} ×)" if ours and name != OURS else "")
        for name, seconds in entry.seconds.items()
    )
    lines = [f"{entry.name}: {times}" if times else entry.name]
    lines += [f"    {name}: {fact}" for name, fact in entry.facts.items()]
    lines += [f"    {name} DISAGREES by {error:.2g}" for name, error in entry.wrong.items()]
    lines += [
        f"    {'reached' if goal.reached else 'MISSED '}  {goal.text}: {goal.found}"
        for goal in entry.goals
    ]
    return "\n".join(lines)


def markdown(found: Mapping[str, Sequence[Entry]]) -> str:
    """All entries and goals as tables of Markdown."""
    lines = []
    for theme, entries in found.items():
        lines += [f"### {theme.capitalize()}", "", "| | time | others, as a multiple | |"]
        lines += ["|---|---|---|---|"]
        for entry in entries:
            ours = entry.seconds.get(OURS)
            others = ", ".join(
                f"{name} {seconds / ours:.3g}" if ours else f"{name} {duration(seconds)}"
                for name, seconds in entry.seconds.items()
                if name != OURS
            )
            told = [f"{name}: {fact}" for name, fact in entry.facts.items()]
            told += [f"{name} disagrees by {error:.2g}" for name, error in entry.wrong.items()]
            facts = "; ".join(told)
            lines.append(f"| {entry.name} | {duration(ours)} | {others} | {facts} |")
        lines += ["", "| goal | found | |", "|---|---|---|"]
        lines += [
            f"| {goal.text} | {goal.found} | {'reached' if goal.reached else 'missed'} |"
            for entry in entries
            for goal in entry.goals
        ]
        lines.append("")
    return "\n".join(lines)


def summary(entries: Sequence[Entry]) -> str:
    goals = [goal for entry in entries for goal in entry.goals]
    return f"Goals reached: {sum(goal.reached for goal in goals)} of {len(goals)}."


def saved(path: Path, found: Mapping[str, Sequence[Entry]], about: Mapping[str, Any]) -> None:
    """Everything as JSON."""
    path.parent.mkdir(exist_ok=True)
    themes = {theme: [asdict(entry) for entry in entries] for theme, entries in found.items()}
    path.write_text(json.dumps({**about, "themes": themes}, indent=1, default=str) + "\n")


def written(folder: Path, text: str) -> None:
    """Into results/scale.md, and between the markers of the README."""
    (folder / "results").mkdir(exist_ok=True)
    (folder / "results" / "scale.md").write_text(text)
    between_markers(folder / "README.md", text, "scale")
