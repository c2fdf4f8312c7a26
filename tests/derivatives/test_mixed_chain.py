"""The programme of chains finds the least work of all bracketings."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from wengert.derivatives.mixed.chain import Bracket, Segment, cheapest


def plain_segment(
    columns: int,
    rows: int,
    tangent: float,
    adjoint: float,
    column_colours: int | None = None,
    row_colours: int | None = None,
) -> Segment:
    """A segment whose Jacobian is dense, or sparse with so many colours of columns and rows: they
    are its widths then."""
    across = columns if column_colours is None else min(columns, column_colours)
    down = rows if row_colours is None else min(rows, row_colours)
    return Segment(columns, rows, tangent, adjoint, across * tangent, down * adjoint)


def least_by_trying(segments: list[Segment]) -> float:
    """The least work, over all ways to make the Jacobian, written out without the programme.

    A Jacobian of segments j..i is one of a single segment, or is made from one of j..k and one of
    k+1..i; or it is one of j..k whose columns are pushed through k+1..i one segment after another,
    or one of k+1..i whose rows are pulled back.
    """

    @cache
    def all_costs(j: int, i: int) -> frozenset[float]:
        if i == j:
            return frozenset({segments[i].forward, segments[i].reverse})
        columns, rows = segments[j].columns, segments[i].rows
        found = set()
        for k in range(j, i):
            for early in all_costs(j, k):
                pushed = early
                for part in segments[k + 1 : i + 1]:
                    pushed += columns * part.tangent
                found.add(pushed)
                for late in all_costs(k + 1, i):
                    found.add(early + late + rows * segments[k].rows * columns)
            for late in all_costs(k + 1, i):
                pulled = late
                for part in segments[j : k + 1]:
                    pulled += rows * part.adjoint
                found.add(pulled)
        return frozenset(found)

    return min(all_costs(0, len(segments) - 1))


def drawn(rng: np.random.Generator, count: int) -> list[Segment]:
    widths = rng.integers(1, 60, count + 1)
    return [
        plain_segment(
            int(widths[k]),
            int(widths[k + 1]),
            float(rng.integers(1, 2000)),
            float(rng.integers(1, 2000)),
            column_colours=int(rng.integers(1, 10)) if rng.random() < 0.2 else None,
            row_colours=int(rng.integers(1, 10)) if rng.random() < 0.2 else None,
        )
        for k in range(count)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_least_of_all_bracketings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    segments = drawn(rng, int(rng.integers(1, 6)))
    assert cheapest(segments).cost == least_by_trying(segments)


@pytest.mark.parametrize("seed", range(40))
def test_never_dearer_than_a_single_mode(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    segments = drawn(rng, 6)
    best = cheapest(segments)
    forward = segments[0].columns * sum(part.tangent for part in segments)
    reverse = segments[-1].rows * sum(part.adjoint for part in segments)
    assert best.cost <= min(forward, reverse)


def cost_of(bracket: Bracket, segments: list[Segment]) -> float:
    """The work of a bracket, counted anew."""
    columns, rows = segments[bracket.first].columns, segments[bracket.last].rows
    early, late = bracket.early, bracket.late
    if bracket.kind == "forward":
        return segments[bracket.first].forward
    if bracket.kind == "reverse":
        return segments[bracket.first].reverse
    if bracket.kind == "push":
        rest = segments[early.last + 1 : bracket.last + 1]
        return cost_of(early, segments) + columns * sum(part.tangent for part in rest)
    if bracket.kind == "pull":
        rest = segments[bracket.first : late.first]
        return cost_of(late, segments) + rows * sum(part.adjoint for part in rest)
    assert early.last + 1 == late.first
    inner = segments[early.last].rows
    return cost_of(early, segments) + cost_of(late, segments) + rows * inner * columns


@pytest.mark.parametrize("seed", range(20))
def test_the_bracket_costs_what_it_says(seed: int) -> None:
    segments = drawn(np.random.default_rng(2000 + seed), 7)
    best = cheapest(segments)
    assert (best.first, best.last) == (0, 6)
    assert cost_of(best, segments) == best.cost


def test_a_waist_is_reached_in_reverse_and_left_forward() -> None:
    segments = [plain_segment(500, 5, 1e4, 1e4), plain_segment(5, 500, 1e4, 1e4)]
    best = cheapest(segments)
    assert str(best) == "(forward 2) · (reverse 1)"
    assert best.multiplications == 500 * 5 * 500
    assert best.cost == 2 * 5 * 1e4 + 500 * 5 * 500


def test_colours_are_widths() -> None:
    """A diagonal segment costs one column; through the dense one its 100 rows are pulled, which
    takes no product."""
    segments = [plain_segment(100, 100, 1e6, 1e6), plain_segment(100, 100, 1e6, 1e6, 1, 1)]
    best = cheapest(segments)
    assert str(best) == "pull 1 of (forward 2)"
    assert best.cost == 1e6 + 100e6


def test_a_push_beats_a_product_where_columns_are_few() -> None:
    segments = [plain_segment(2, 80, 10.0, 10.0), plain_segment(80, 80, 100.0, 100.0)]
    best = cheapest(segments)
    assert str(best) == "push 2 of (forward 1)"
    assert best.cost == 20 + 200


def test_a_pull_beats_a_product_where_rows_are_few() -> None:
    segments = [plain_segment(80, 80, 100.0, 100.0), plain_segment(80, 2, 10.0, 10.0)]
    best = cheapest(segments)
    assert str(best) == "pull 1 of (reverse 2)"
    assert best.cost == 20 + 200


def test_what_a_product_writes_and_its_overhead_count() -> None:
    segments = [plain_segment(500, 5, 1e4, 1e4), plain_segment(5, 500, 1e4, 1e4)]
    plain = cheapest(segments).cost
    assert cheapest(segments, overhead=7.0, written=2.0).cost == plain + 7 + 2 * 500 * 500
