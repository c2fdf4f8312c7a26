"""Its presence makes `support` importable from the tests in the folders beside it."""

import os

import pytest

os.environ["WENGERT_CACHE"] = "off"  # what an earlier run compiled says nothing about this one
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # several processes test at once


@pytest.fixture(autouse=True)
def adoption(request):
    """Modules of tests are not adopted: what they say about errors would hold for the first of them
    alone. Tests of adoption bring a fixture of the same name."""
    import wengert as wg

    with wg.adoption("off"):
        yield
