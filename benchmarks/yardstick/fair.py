"""The same conditions for every contender. Import this before NumPy.

One thread for everybody, and no compiled code from earlier processes. Some machines export a choice
of OpenBLAS kernels that costs it 40 %; it is taken out of the environment for all.
"""

from __future__ import annotations

import os

SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_ENABLE_X64": "1",
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_COMPILATION_CACHE": "0",
    "WENGERT_CACHE": "off",
}
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

os.environ.update(SETTINGS)
for _name in UNSET:
    os.environ.pop(_name, None)

CONDITIONS = (
    "one thread for every contender, no compiled code kept on disk; "
    f"{' and '.join(UNSET)} unset for all"
)
