"""The rows of the table, one module a family."""

from __future__ import annotations

from yardstick.problem import Problem

from problems import (
    bundle,
    dispatch,
    elementwise,
    factorisations,
    gmm,
    joints,
    kalman,
    logistic,
    lstm,
    mds,
    mlp,
    recurrences,
    softmax,
    stencils,
    student,
)

FAMILIES = (
    dispatch,
    elementwise,
    mds,
    gmm,
    student,
    softmax,
    stencils,
    joints,
    mlp,
    logistic,
    recurrences,
    lstm,
    kalman,
    bundle,
    factorisations,
)
PROBLEMS: tuple[Problem, ...] = tuple(p for family in FAMILIES for p in family.PROBLEMS)


def named(names: str) -> list[Problem]:
    """The rows whose names begin with one of these, separated by commas; all rows for ''."""
    starts = tuple(names.split(","))
    found = [problem for problem in PROBLEMS if problem.name.startswith(starts)]
    if not found:
        every = ", ".join(problem.name for problem in PROBLEMS)
        raise SystemExit(f"no row begins with {names}; there are {every}")
    return found
