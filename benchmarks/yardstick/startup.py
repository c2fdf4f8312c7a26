"""Whole processes: Python started, the library imported, the gradient of a small function."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

FUNCTION = "lambda x: np.sum(np.sin(x) * x)"
PROGRAMS = {
    "wengert": f"import numpy as np, wengert as wg; wg.grad({FUNCTION})(np.ones(3))",
    "jax": f"import jax, jax.numpy as np; jax.jit(jax.grad({FUNCTION}))(np.ones(3))",
    "torch": "import torch; x = torch.ones(3, requires_grad=True); (x.sin() * x).sum().backward()",
    "autograd": f"import autograd, autograd.numpy as np; autograd.grad({FUNCTION})(np.ones(3))",
}


def startup(peers: list[str], rounds: int) -> dict[str, float | None]:
    """The median seconds of a process of each; None where it failed."""
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS if name in peers}
    failed: dict[str, float | None] = {}
    for turn in range(rounds + 1):
        for name in list(found):
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", PROGRAMS[name]], capture_output=True)
            if done.returncode:
                del found[name]
                failed[name] = None
            elif turn:  # the first round reads files from the disk
                found[name].append(time.perf_counter() - start)
    return failed | {name: statistics.median(times) for name, times in found.items()}
