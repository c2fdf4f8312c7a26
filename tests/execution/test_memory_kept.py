"""Calls in a row find the memory that the ones before freed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np, wengert as wg

f = wg.jit(lambda x: np.sum(x**2))
if {compiled}:
    f(np.ones(3))

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def touched():
    arrays = [np.ones(100_000) for _ in range(8)]

for _ in range(3):
    touched()
before = faults()
for _ in range(20):
    touched()
print((faults() - before) / 20)
"""


def faults(compiled: bool) -> float:
    """Pages that are handed out in a round of eight arrays of 800 kB."""
    command = [sys.executable, "-c", PROGRAM.format(compiled=compiled)]
    # Dask, for one, sets MALLOC_TRIM_THRESHOLD_ for the processes that it starts
    environment = {name: at for name, at in os.environ.items() if not name.startswith("MALLOC_")}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(found.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators learn otherwise")
def test_freed_memory_is_kept() -> None:
    assert faults(compiled=True) < 50 < faults(compiled=False)
