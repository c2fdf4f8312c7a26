"""The project's yardstick: every row of the table, against its peers and a floor in C.

    python benchmarks/run.py [--rows gmm,mds] [--peers c,jax] [--quick] [--write]

Checks that all results agree, interleaves the runs, prints the table and the goals. With --write,
also writes benchmarks/results and the tables between the markers of the READMEs.
"""

from __future__ import annotations

from yardstick import fair  # isort: skip
import argparse

from problems import named
from rich.console import Console
from yardstick import floor
from yardstick.measure import measure
from yardstick.peers import PEERS, versions
from yardstick.report import table

FRESH = ("wengert", "jax", "torch")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="beginnings of names, separated by commas")
    parser.add_argument("--peers", default="", help=f"of c,{','.join(PEERS)}; wengert is always in")
    parser.add_argument("--quick", action="store_true", help="few rounds, no fresh processes")
    parser.add_argument("--write", action="store_true", help="write the results and the READMEs")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    everyone = ["c", *PEERS]
    peers = [
        name
        for name in everyone
        if not chosen.peers or name in chosen.peers.split(",") or name == "wengert"
    ]
    console = Console()
    conditions = {
        "conditions": fair.CONDITIONS,
        "c": floor.description(),
        "versions": {name: found for name, found in versions().items() if name in peers},
    }
    console.print(fair.CONDITIONS)
    console.print(f"C: {conditions['c']}", highlight=False)
    console.print(f"versions: {conditions['versions']}", highlight=False)
    floors = floor.library()
    rows = []
    with console.status("") as status:
        for problem in named(chosen.rows):
            row = measure(
                problem,
                peers,
                floors,
                rounds=5 if chosen.quick else 21,
                fresh=() if chosen.quick else tuple(p for p in FRESH if p in peers),
                say=status.update,
            )
            rows.append(row)
    console.print(table(rows, peers))
    for row in rows:
        for name, note in row.notes.items():
            console.print(f"{row.name}, {name}: {note}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
