"""The notebooks run from top to bottom, and say what is kept of them."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
SHORT = "matrix_calculus_from_code"
MOST_BYTES = 150_000
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")

pytestmark = pytest.mark.filterwarnings("ignore")  # those of Jupyter's own packages


def refreshing() -> ModuleType:
    """`notebooks/refresh.py`, which is in no package."""
    spec = importlib.util.spec_from_file_location("refresh", FOLDER / "refresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(cell: Any) -> list[tuple[str, str]]:
    """What a cell shows: (the kind, the text) of each output; of pictures the kind alone."""
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append((output.name, output.text))
            continue
        assert output.output_type in ("execute_result", "display_data"), output
        for kind, text in sorted(output.data.items()):
            is_text = kind in ("text/plain", "text/markdown")
            shown.append((kind, text if is_text else ""))
    return shown


def same(found: str, kept: str) -> bool:
    """Whether texts agree, numbers to four digits: the last ones differ between processors."""
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (found, kept)]
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (found, kept)]
    return words[0] == words[1] and numbers[0] == pytest.approx(numbers[1], rel=1e-4, abs=1e-9)


def check_run(path: Path) -> None:
    """The notebook runs, and what its cells show is what is kept; but for cells tagged `varies`."""
    found, kept = refreshing().executed(path), nbformat.read(path, as_version=4)
    for k, (new, old) in enumerate(zip(found.cells, kept.cells, strict=True)):
        if new.cell_type != "code":
            continue
        ours, theirs = said(new), said(old)
        assert [kind for kind, _ in ours] == [kind for kind, _ in theirs], f"cell {k}"
        if "varies" not in new.metadata.get("tags", ()):
            for (kind, text), (_, before) in zip(ours, theirs, strict=True):
                assert same(text, before), f"cell {k}, {kind}:\n{text}\nand kept is\n{before}"


def test_all_are_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in PATHS]
    assert len(names) == 5
    assert re.findall(r"\((\w+\.ipynb)\)", listed) == sorted(names, key=listed.index)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_is_kept(path: Path) -> None:
    """Each is small, was run in order, checks itself, and names no place of a machine."""
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    assert sum("assert " in cell.source for cell in code) > len(code) // 2
    for cell in code:
        said(cell)
        assert not any(kind == "stderr" for kind, _ in said(cell))
    assert not re.search(r"/(home|work|tmp|usr)/", text)
    assert set(notebook.metadata) == {"kernelspec"}
    assert json.loads(text)["nbformat"] == 4


def test_texts_are_compared() -> None:
    assert same("a 1.00001 b  -2e-3", "a 1.0 b -0.002")
    assert not same("a 1.01", "a 1.0")
    assert not same("a 1", "b 1")
    assert not same("1 2", "1")


def test_a_short_one_runs() -> None:
    check_run(FOLDER / f"{SHORT}.ipynb")


@pytest.mark.long
@pytest.mark.parametrize(
    "path", [path for path in PATHS if path.stem != SHORT], ids=lambda path: path.stem
)
def test_the_others_run(path: Path) -> None:
    check_run(path)


@pytest.mark.long
def test_a_cell_that_says_something_else_is_found(tmp_path: Path) -> None:
    notebook = nbformat.read(FOLDER / f"{SHORT}.ipynb", as_version=4)
    notebook.cells = [nbformat.v4.new_code_cell("print('one', 1.0)")]
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="one 2.0\n")]
    path = tmp_path / "other.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(AssertionError, match="and kept is"):
        check_run(path)
