"""The rows of the table, one module a family."""

from __future__ import annotations

from yardstick.problem import Problem

from problems import (
    dispatch,
    elementwise,
    mds,
)

PROBLEMS: tuple[Problem, ...] = (
    *dispatch.PROBLEMS,
    *elementwise.PROBLEMS,
    *mds.PROBLEMS,
)


def named(names: str) -> list[Problem]:
    """The rows whose names begin with one of these, separated by commas; all rows for ''."""
    if not names:
        return list(PROBLEMS)
    starts = tuple(names.split(","))
    found = [problem for problem in PROBLEMS if problem.name.startswith(starts)]
    if not found:
        raise SystemExit(
            f"no row begins with {names}; there are {', '.join(p.name for p in PROBLEMS)}"
        )
    return found
