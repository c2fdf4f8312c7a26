"""Run the notebooks and write them back with their outputs.

    python notebooks/refresh.py                 all of them
    python notebooks/refresh.py memory          one of them

What changes from run to run and says nothing (times of execution, versions) is left out, so that a
difference in a notebook is one in what it says.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent
SECONDS = 120
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def notebooks() -> list[Path]:
    """All of them, by name."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path) -> NotebookNode:
    """The notebook, run from top to bottom in a new kernel of this environment.

    Raises nbclient.exceptions.CellExecutionError where a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
        record_timing=False,
        coalesce_streams=True,
    )
    client.execute()
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(KERNEL))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata.pop("execution", None)
    return notebook


def main(names: list[str]) -> None:
    for path in notebooks():
        if not names or path.stem in names:
            nbformat.write(executed(path), path)
            print(f"{path.name}  {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
