"""`wengert demo`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from wengert import cli
from wengert.cli import demo
from wengert.cli.report import writing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_help_of_the_demonstration(runner: CliRunner) -> None:
    result = runner.invoke(cli.main, ["demo", "--help"])
    assert result.exit_code == 0
    assert "--out" in result.output
    assert "--quick" in result.output


def test_quick_demonstration(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(cli.main, ["demo", "--quick", "--out", "pictures"])
    assert result.exit_code == 0, result.output
    assert "√v₂" in result.output
    assert "Time of the Jacobian" in result.output
    assert "places off by" in result.output
    assert "epoch 4/4" in result.output
    for name in ("cities.png", "forward_or_reverse.png", "report.html"):
        assert (tmp_path / "pictures" / name).stat().st_size > 10_000
    assert "The report is pictures/report.html" in result.output


@pytest.mark.long
def test_full_demonstration(runner: CliRunner, tmp_path: Path) -> None:
    start = time.process_time()  # the machine may be busy
    result = runner.invoke(cli.main, ["demo"])
    assert result.exit_code == 0, result.output
    assert time.process_time() - start < 60
    assert (tmp_path / "demo" / "cities.png").is_file()
    assert (tmp_path / "demo" / "report.html").is_file()
    assert "1000 variables" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")


def test_a_network_that_did_not_learn_is_a_failure(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = demo._example

    def lazy(name: str):
        program = example(name)
        if name == "network":
            program.EPOCHS = 1
        return program

    monkeypatch.setattr(demo, "_example", lazy)
    monkeypatch.setattr(writing, "write", lambda *_: None)
    result = runner.invoke(cli.main, ["demo"])
    assert result.exit_code == 1
    assert "less than 95%" in result.output


def test_missing_packages_are_named(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_is_there", lambda name: name != "sklearn")
    result = runner.invoke(cli.main, ["demo"])
    assert result.exit_code == 1
    assert "needs scikit-learn: run  pip install 'wengert[demo]'" in result.output


@pytest.mark.long
def test_the_wheel_carries_the_programs(tmp_path: Path) -> None:
    """Built from a copy, unpacked, and run from there: the demonstration finds its files."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "setup.py", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, copy)
    for name in ("src", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.egg-info"))
    pip = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-q"]
    subprocess.run([*pip, "-w", tmp_path, copy], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)

    command = "from wengert import cli; print(cli.__file__); cli.main(['demo', '--quick'])"
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.startswith(str(installed))
    assert (tmp_path / "demo" / "cities.png").is_file()
    assert (tmp_path / "demo" / "report.html").is_file()
