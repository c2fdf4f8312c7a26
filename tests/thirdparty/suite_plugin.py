"""A pytest plugin for a run of SciPy's own tests: adopts SciPy, and writes down the outcomes.

WENGERT_ADOPTED: the packages to adopt, with spaces between; none for a run to compare with.
WENGERT_OUTCOMES: the file for the outcomes, as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

outcomes: dict[str, str] = {}
counts: dict[str, tuple[int, int]] = {}


def _packages():
    return os.environ["WENGERT_ADOPTED"].split()


def _counts(package):
    """How many of a package's modules have a stand-in for NumPy, and how many have NumPy at all."""
    import numpy

    modules = [m for name, m in list(sys.modules.items()) if name.startswith(f"{package}._")]
    python = [m for m in modules if str(getattr(m, "__file__", "")).endswith(".py")]
    found = [vars(m)["np"] for m in python if "np" in vars(m)]
    return sum(np is not numpy for np in found), len(found)


def pytest_collection_finish(session):
    import wengert

    for package in _packages():
        importlib.import_module(package)
    for package in _packages():
        wengert.adopt(package)
    counts.update({package: _counts(package) for package in _packages()})


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish(session):
    found = {"outcomes": outcomes, "adopted": counts}
    Path(os.environ["WENGERT_OUTCOMES"]).write_text(json.dumps(found), encoding="utf-8")
