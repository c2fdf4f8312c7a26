"""The project's yardstick: every row of the table, against its peers and a floor in C.

    python benchmarks/run.py [--rows gmm,mds] [--peers c,jax] [--quick] [--write] [--json FILE]

Checks that all results agree, interleaves the runs, prints the table and the goals. With --write,
also writes benchmarks/results and the tables between the markers of the READMEs; rows that were not
run are kept from the last time, if that was under the same conditions.
"""

from __future__ import annotations

from yardstick import fair  # isort: skip
import argparse
import platform
import sys
from pathlib import Path

from problems import PROBLEMS, named
from rich.console import Console
from yardstick import floor, report
from yardstick.goals import goals
from yardstick.measure import measure
from yardstick.peers import PEERS, versions
from yardstick.startup import startup
from yardstick.timing import Clock

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
FRESH = ("wengert", "jax")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="beginnings of names, separated by commas")
    parser.add_argument("--peers", default="", help=f"of c,{','.join(PEERS)}; wengert is always in")
    parser.add_argument("--quick", action="store_true", help="few rounds, no fresh processes")
    parser.add_argument(
        "--processor-time", action="store_true", help="not the clock's time: for busy machines"
    )
    parser.add_argument("--write", action="store_true", help="write the results and the READMEs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file")
    return parser.parse_args()


def machine() -> str:
    """The processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def main() -> None:
    chosen = options()
    wanted = chosen.peers.split(",") if chosen.peers else ["c", *PEERS]
    peers = [name for name in ("c", *PEERS) if name in wanted or name == "wengert"]
    if chosen.processor_time:
        Clock.use_processor_time()
    about = {
        "machine": machine(),
        "time": "of the processor" if chosen.processor_time else "of the clock",
        "conditions": fair.CONDITIONS,
        "c": floor.description(),
        "versions": {name: found for name, found in versions().items() if name in peers},
    }
    # Into a file the table is as wide as it must be.
    console = Console() if sys.stdout.isatty() else Console(width=180)
    for name, said in about.items():
        console.print(f"{name}: {said}", highlight=False)
    floors = floor.library()
    rows = []
    with console.status("") as status:
        for problem in named(chosen.rows):
            row = measure(
                problem,
                peers,
                floors,
                rounds=5 if chosen.quick else 21,
                fresh=() if chosen.quick else tuple(name for name in FRESH if name in peers),
                say=status.update,
            )
            rows.append(row)
            console.print(
                f"{row.name}: {report.duration(row.g.get('wengert'))}, "
                f"{report.ratio(row.g.get('wengert'), row.g.get('c'))} of C"
            )
        status.update("whole processes")
        processes = startup(peers, rounds=3 if chosen.quick else 5)
    if chosen.write:
        kept = report.load(RESULTS / "results.json", about) | {row.name: row for row in rows}
        rows = [kept[problem.name] for problem in PROBLEMS if problem.name in kept]
    found = goals(rows, processes)
    console.print(report.table(rows, peers))
    for remark in report.remarks(rows):
        console.print(remark, highlight=False, markup=False)
    console.print(report.goals_table(found))
    about["startup"] = processes
    if chosen.json is not None:
        report.save(chosen.json, rows, found, about)
    if chosen.write:
        RESULTS.mkdir(exist_ok=True)
        text = report.markdown(rows, peers, found, about)
        (RESULTS / "table.md").write_text(text)
        report.save(RESULTS / "results.json", rows, found, about)
        report.picture(RESULTS / "table.png", rows, peers)
        for readme in (HERE / "README.md", HERE.parent / "README.md"):
            report.between_markers(readme, text)
    if wrong := [row.name for row in rows if not row.agree or report.OURS not in row.g]:
        raise SystemExit(f"error: results disagree, or wengert has none: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
