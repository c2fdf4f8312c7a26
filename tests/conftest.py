"""Its presence makes `support` importable from the tests in the folders beside it."""
