"""Its presence makes `support` importable from the tests in the folders beside it."""

import os

os.environ["WENGERT_CACHE"] = "off"  # what an earlier run compiled says nothing about this one
