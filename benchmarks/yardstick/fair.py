"""The same conditions for every contender. Import this before NumPy.

One thread for everybody. Some machines export a choice of OpenBLAS kernels that costs it 40 %; it
is taken out of the environment for all.
"""

from __future__ import annotations

import os

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_ENABLE_X64": "1",
    "JAX_PLATFORMS": "cpu",
}
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

os.environ.update(ONE_THREAD)
for _name in UNSET:
    os.environ.pop(_name, None)

CONDITIONS = f"one thread for every contender; {' and '.join(UNSET)} unset for all"
