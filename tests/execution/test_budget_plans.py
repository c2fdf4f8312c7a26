"""Plans of abstract problems: within the budget, against Revolve and against an exact oracle."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from budget_problems import chain, layers, oracle

from wengert.control.revolving import advances
from wengert.execution.budget.chains import best_revolved, chains
from wengert.execution.budget.evict import evicting
from wengert.execution.budget.improve import with_more_kept
from wengert.execution.budget.orders import low_peak_orders
from wengert.execution.budget.problem import Problem, followed, peak_of, total, without_idle
from wengert.execution.budget.search import TooSmall, _Search, planned, smallest, unbounded


def valid(problem: Problem, runs: list[int] | tuple[int, ...], budget: int) -> None:
    """A schedule computes everything from what is there, within the budget: a plain simulation."""
    last = {k: step for step, k in enumerate(runs)}
    live: dict[int, int] = {}
    for step, k in enumerate(runs):
        assert set(problem.reads[k]) <= live.keys()
        live[k] = problem.size[k]
        assert problem.base + sum(live.values()) + problem.extra[k] <= budget
        for v in list(live):
            later = [s for s in range(step + 1, len(runs)) if v in problem.reads[runs[s]]]
            again = [s for s in range(step + 1, len(runs)) if runs[s] == v]
            reads_first = bool(later) and (not again or later[0] < again[0])
            if not reads_first and not (v in problem.outputs and last[v] <= step):
                del live[v]
    assert set(problem.outputs) <= live.keys()


@pytest.mark.parametrize("length, slots", [(20, 3), (50, 5), (100, 10), (100, 20), (300, 6)])
def test_chains_cost_no_more_than_revolves_optimum(length, slots):
    problem = chain(length)
    # x is one slot; the step under way has its state, the next one, and the adjoint
    budget = slots + 3
    plan = planned(problem, budget)
    assert plan.peak <= budget
    # f1 … fl and the l steps of the reverse; fl is one more step than Revolve's l - 1
    assert plan.cost - length <= advances(length, slots) + 1


def test_revolve_alone_gives_the_binomial_numbers():
    problem = chain(100)
    (order, *_) = low_peak_orders(problem)
    for slots in (2, 3, 5, 10, 20):
        runs = max(
            (best_revolved(problem, order, c, slots + 3)[0] for c in chains(problem, order)),
            key=lambda runs: runs is not None,
        )
        assert total(problem, runs) - 100 <= advances(100, slots) + 1


@pytest.mark.parametrize("slots, most", [(10, 1.42), (20, 1.27)])
def test_a_hundred_layers_take_little_more_time(slots, most):
    length = 100
    times = chain(length)
    # the reverse of a step costs twice the step
    costs = tuple(1.0 if k < length else 2.0 for k in range(2 * length))
    problem = Problem(times.reads, times.size, costs, times.extra, times.outputs, times.base)
    plan = planned(problem, slots + 3)
    assert plan.cost / plan.least_cost <= most


@pytest.mark.parametrize("seed", range(6))
def test_small_problems_are_planned_exactly(seed):
    problem = layers(6, random.Random(seed))
    peak = unbounded(problem).peak
    for share in (0.9, 0.75, 0.6, 0.5):
        budget = int(share * peak)
        best = oracle(problem, budget)
        if best is None:
            with pytest.raises(TooSmall) as caught:
                planned(problem, budget)
            assert caught.value.proved
            assert oracle(problem, caught.value.smallest.peak) is not None
            assert oracle(problem, caught.value.smallest.peak - 1) is None
        else:
            plan = planned(problem, budget)
            valid(problem, plan.runs, budget)
            assert plan.cost == best


def test_the_search_without_the_oracle_comes_close():
    ratios, refused = [], 0
    for seed in range(8):
        problem = layers(6, random.Random(100 + seed))
        peak = unbounded(problem).peak
        for share in (0.9, 0.8, 0.7):
            budget = int(share * peak)
            best = oracle(problem, budget)
            if best is not None:
                search = _Search(problem, budget, 0.05)
                search.search()
                if search.best is None:
                    refused += 1
                    continue
                valid(problem, search.best[1], budget)
                ratios.append(search.best[0] / best)
    assert np.mean(ratios) <= 1.05
    assert refused <= 0.1 * len(ratios)


@pytest.mark.parametrize("seed", range(4))
def test_larger_plans_hold_to_their_budgets(seed):
    rng = random.Random(seed)
    problem = layers(rng.randint(15, 40), rng)
    peak, low = unbounded(problem).peak, smallest(problem).peak
    costs = []
    for budget in sorted({low, (low + peak) // 2, (low + 3 * peak) // 4, peak}):
        plan = planned(problem, budget)
        valid(problem, plan.runs, budget)
        assert plan.peak == peak_of(problem, plan.runs) == followed(problem, plan.runs).peak
        assert plan.cost == total(problem, plan.runs)
        costs.append(plan.cost)
    assert costs[-1] == plan.least_cost


def test_a_smaller_budget_never_raises_the_peak():
    problem = layers(25, random.Random(5))
    peak, low = unbounded(problem).peak, smallest(problem).peak
    for budget in range(low, peak + 1, max(1, (peak - low) // 5)):
        assert planned(problem, budget).peak <= budget


def abstract(reads, size, outputs, extra=None, cost=None, base=0):
    count = len(reads)
    return Problem(
        tuple(reads), tuple(size), tuple(cost or (1.0,) * count),
        tuple(extra or (0,) * count), tuple(outputs), base,
    )  # fmt: skip


def test_a_budget_of_nothing_is_refused_with_the_smallest():
    problem = chain(30)
    with pytest.raises(TooSmall) as caught:
        planned(problem, 0)
    # x, the state, the one after it, and the adjoint
    assert caught.value.smallest.peak == smallest(problem).peak == 4


def test_everything_pinned():
    count = 20
    problem = abstract([(), *[(k,) for k in range(count - 1)]], [3] * count, range(count))
    assert planned(problem, 60).runs == tuple(range(count))
    with pytest.raises(TooSmall) as caught:
        planned(problem, 59)
    assert caught.value.smallest.peak == 60


def test_a_diamond_and_two_outputs():
    problem = abstract([(), (0,), (0,), (1, 2), (0, 3)], [4, 2, 2, 1, 1], [3, 4])
    for budget in (8, 9, 10):
        best = oracle(problem, budget)
        assert planned(problem, budget).cost == best


def test_one_value_read_a_thousand_times():
    reads = [(), (0,)] + [(0, k) for k in range(1, 1001)]
    problem = abstract(reads, [1] * len(reads), [len(reads) - 1])
    plan = planned(problem, 3)
    assert plan.runs == tuple(range(len(reads)))


def test_values_of_no_bytes_are_never_repeated():
    reads = [()] + [(k,) for k in range(40)] + [(40 - k, 40 + k - 1) for k in range(1, 40)]
    size = [0 if k % 3 == 0 else 1 for k in range(len(reads))]
    problem = abstract(reads, size, [len(reads) - 1])
    low = smallest(problem)
    plan = planned(problem, low.peak + 2)
    assert all(plan.runs.count(k) == 1 for k in set(plan.runs) if size[k] == 0)


def test_nothing_to_compute():
    problem = abstract([], [], [], base=10)
    assert planned(problem, 10).runs == ()
    with pytest.raises(TooSmall):
        planned(problem, 9)


def test_what_there_is_room_for_is_kept():
    problem = chain(60)
    (order, *_) = low_peak_orders(problem)
    runs = without_idle(problem, evicting(problem, order, 12, 1.0))
    better = with_more_kept(problem, runs, 30)
    valid(problem, better, 30)
    assert total(problem, better) < total(problem, runs)


def test_temporaries_count_while_a_step_runs():
    problem = abstract([(), (0,), (1,)], [2, 2, 2], [2], extra=[0, 5, 0])
    assert planned(problem, 9).peak == 9
    with pytest.raises(TooSmall):
        planned(problem, 8)


@pytest.mark.long
@pytest.mark.parametrize("count, seconds", [(500, 0.1), (5_000, 1.5)])
def test_plans_are_made_in_time(count, seconds):
    """Twice as many entries, at twice the goal, since the machine may be busy."""
    problem = chain(count)
    times = []
    for share in (2, 5, 10):
        start = time.perf_counter()
        planned(problem, count // share)
        times.append(time.perf_counter() - start)
    assert min(times) <= seconds


def test_what_is_found_late_counts(monkeypatch):
    """A plan that fits, and is come upon only in looking for the lowest peak, is taken."""
    problem = chain(60)
    for way in ("search", "fits"):  # as if the time were up at once
        monkeypatch.setattr(_Search, way, lambda *_: False)
    plan = planned(problem, 2 * problem.least())
    assert plan.peak <= 2 * problem.least()
    valid(problem, plan.runs, 2 * problem.least())
