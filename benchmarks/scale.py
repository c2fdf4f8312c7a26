"""Derivatives at scale: sparse matrices, mixed mode, curvature, memory, estimators, optimisation.

    python benchmarks/scale.py [--only sparse,mixed] [--quick] [--write] [--json FILE]
                               [--processor-time]

Each entry compares interleaved runs; peers that are not installed are left out. What fails is
reported, and the rest goes on. With --write, also writes results/scale.md and results/scale.json,
and the tables between the markers of benchmarks/README.md. The exit status is 1 where results
disagree or something of ours fails; a goal that is missed is no failure.
"""

from __future__ import annotations

from yardstick import fair  # isort: skip
import argparse
import importlib
import traceback
from pathlib import Path

from rich.console import Console
from scaling.entry import FULL, QUICK, Entry
from scaling.report import markdown, said, saved, summary, written
from yardstick.peers import versions
from yardstick.timing import Clock

HERE = Path(__file__).resolve().parent
THEMES = ("sparse", "mixed", "curvature", "memory", "estimators", "optimisation")


def themes(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := [theme for theme in chosen if theme not in THEMES]:
        raise argparse.ArgumentTypeError(f"no theme {unknown[0]!r}: {', '.join(THEMES)}")
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", type=themes, default=list(THEMES), help="themes, separated by commas"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--write", action="store_true", help="write the results and the README")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    parser.add_argument(
        "--processor-time", action="store_true", help="not the clock's time: for busy machines"
    )
    chosen = parser.parse_args()
    if chosen.processor_time:
        Clock.use_processor_time()
    console = Console(soft_wrap=True)
    found: dict[str, list[Entry]] = {}
    failed = []
    for theme in chosen.only:
        found[theme] = []
        try:
            parts = importlib.import_module(f"scaling.{theme}").PARTS
        except Exception:
            failed.append(theme)
            console.print(
                f"{theme} FAILED\n{traceback.format_exc()}", highlight=False, markup=False
            )
            continue
        for part in parts:
            try:
                for entry in part(QUICK if chosen.quick else FULL):
                    found[theme].append(entry)
                    console.print(said(entry), highlight=False, markup=False)
            except Exception:
                name = f"{theme}, {part.__name__}"
                failed.append(name)
                text = f"{name} FAILED\n{traceback.format_exc()}"
                console.print(text, highlight=False, markup=False)
    entries = [entry for part in found.values() for entry in part]
    console.print(summary(entries), highlight=False, markup=False)
    about = {
        "conditions": fair.CONDITIONS,
        "versions": {name: version for name, version in versions().items() if version},
        "time": "of the processor" if chosen.processor_time else "of the clock",
        "quick": chosen.quick,
        "failed": failed,
    }
    if chosen.json is not None:
        saved(chosen.json, found, about)
    if chosen.write:
        written(HERE, markdown(found))
        saved(HERE / "results" / "scale.json", found, about)
    wrong = [f"{entry.name} ({who})" for entry in entries for who in entry.wrong]
    if failed or wrong:
        raise SystemExit(
            "error: "
            + "; ".join(
                f"{what}: {', '.join(names)}"
                for what, names in (("results disagree", wrong), ("failed", failed))
                if names
            )
        )


if __name__ == "__main__":
    main()
