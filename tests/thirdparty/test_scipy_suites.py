"""SciPy's own tests of `optimize` and `stats`, as they are and with those packages adopted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import scipy

pytestmark = pytest.mark.long

SCIPY = Path(scipy.__file__).parent
SUITES = {
    "optimize": [
        *("test_zeros", "test__root", "test_linesearch", "test_trustregion", "test_constraints"),
        *("test_lsq_linear", "test_nonlin", "test_slsqp"),
        *("test_optimize.py::TestOptimizeSimple", "test_optimize.py::TestRosen"),
        *("test_optimize.py::TestOptimizeScalar", "test_optimize.py::TestNewtonCg"),
        *("test_optimize.py::TestBrute", "test_optimize.py::TestOptimizeResultAttributes"),
    ],
    "stats": [
        *("test_morestats", "test_multivariate", "test_binned_statistic", "test_rank"),
        *("test_kdeoth", "test_entropy", "test_variation", "test_discrete_distns"),
        *("test_contingency", "test_mstats_basic"),
        *(f"test_distributions.py::Test{name}" for name in ("Norm", "Gamma", "Beta", "Expon")),
        *(f"test_distributions.py::Test{name}" for name in ("Binom", "Poisson", "SkewNorm")),
    ],
}
AT_LEAST = {"optimize": 400, "stats": 1500}


def outcomes(package: str, adopted: str, folder: Path) -> dict[str, dict[str, str]]:
    """What becomes of each test; the packages named in `adopted` are."""
    tests = SCIPY / package / "tests"
    files = [str(tests / (name if "::" in name else f"{name}.py")) for name in SUITES[package]]
    report = folder / f"outcomes-{len(adopted)}.json"
    config = folder / "pytest.ini"  # SciPy's tests are run by SciPy's habits, not by ours
    config.write_text("[pytest]\n", encoding="utf-8")
    settings = {
        "WENGERT_ADOPTED": adopted,
        "WENGERT_OUTCOMES": str(report),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    options = [
        "-q",
        "-p",
        "suite_plugin",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not xslow",
        "-c",
        str(config),
    ]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert report.exists(), run.stdout + run.stderr
    assert run.returncode in (0, 1), run.stdout[-4000:]
    return json.loads(report.read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", SUITES)
def test_the_same_tests_pass(package: str, tmp_path: Path) -> None:
    before = outcomes(package, "", tmp_path)["outcomes"]
    found = outcomes(package, "scipy.optimize scipy.stats", tmp_path)
    stand_ins, modules = found["adopted"][f"scipy.{package}"]
    assert stand_ins == modules > 10
    assert len(before) >= AT_LEAST[package]
    assert {name for name, outcome in before.items() if outcome == "failed"} == set()
    assert found["outcomes"] == before
