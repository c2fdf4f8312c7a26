"""Derivatives at scale: sparse matrices, mixed mode, curvature, memory, estimators, optimisation.

    python benchmarks/scale.py [--only sparse,mixed] [--quick] [--write]

Each entry compares interleaved runs; peers that are not installed are left out. With --write, also
writes results/scale.md, and the tables between the markers of benchmarks/README.md.
"""

from __future__ import annotations

from yardstick import fair  # isort: skip  # noqa: F401
import argparse
import importlib
from pathlib import Path

from rich.console import Console
from scaling.report import markdown, said, written

HERE = Path(__file__).resolve().parent
THEMES = ("sparse", "mixed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(THEMES), help="themes, separated by commas")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--write", action="store_true", help="write the results and the README")
    chosen = parser.parse_args()
    console = Console()
    found = {}
    for theme in chosen.only.split(","):
        module = importlib.import_module(f"scaling.{theme}")
        found[theme] = []
        for entry in module.entries(chosen.quick):
            found[theme].append(entry)
            console.print(said(entry), highlight=False, markup=False)
    if chosen.write:
        written(HERE, markdown(found))


if __name__ == "__main__":
    main()
