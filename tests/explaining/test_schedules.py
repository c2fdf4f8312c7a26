"""Schedules: which values are held at each moment of a gradient."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.explaining.schedules import Schedule, schedules, schedules_of, tasks_of
from wengert.explaining.sweeps import Task


def chain(count: int, nbytes: int = 8) -> list[Task]:
    """xₖ = sin xₖ₋₁: each reverse step reads the operand."""
    tasks = [Task("x0", nbytes=nbytes, is_given=True)]
    for k in range(1, count + 1):
        before = (f"x{k - 1}",)
        tasks.append(Task(f"x{k}", before, before, nbytes, is_output=k == count))
    return tasks


def drawn(seed: int, most: int = 30, near: int = 100) -> list[Task]:
    """A random program: operations on what came shortly before, of random sizes, with random
    residuals."""
    draw = random.Random(seed)
    tasks = [Task("a", nbytes=80, is_given=True), Task("c", is_given=True, active=False)]
    for k in range(draw.randint(most // 30, most)):
        args = tuple({draw.choice(tasks[-near:]).name for _ in range(draw.randint(1, 3))})
        name = f"v{k}"
        active = any(task.active for task in tasks if task.name in args)
        reads = tuple(other for other in (*args, name) if active and draw.random() < 0.5)
        is_view = len(args) == 1 and draw.random() < 0.2
        size = 8 * draw.randint(1, 20)
        cost = float(draw.randint(1, 9))
        tasks.append(Task(name, args, reads, size, cost, active, is_view=is_view))
    # what nobody reads is a result
    used = {arg for task in tasks for arg in task.args}
    fields = ("name", "args", "reads", "nbytes", "work", "active", "is_given", "is_view")
    return [
        Task(*(getattr(task, field) for field in fields), task.name not in used and bool(task.args))
        for task in tasks
    ]


def drawn_long(seed: int) -> list[Task]:
    """A random program that is too long for the planner."""
    tasks = drawn(seed, 600, 20)
    assert len(tasks) > 200
    return tasks


def check(tasks: list[Task], schedule: Schedule) -> None:
    """The laws of every schedule."""
    by_name = {task.name: task for task in tasks}
    before: set[str] = {task.name for task in tasks if task.is_given}
    held: set[str] = set()
    seen: set[str] = set()
    reversed_: list[str] = []
    for moment in schedule.moments:
        task = by_name[moment.step]
        held = (held | set(moment.added)) - set(moment.dropped)
        assert {t.name for t in tasks if t.is_given} <= held
        if moment.action == "reverse":
            assert held <= before, "a reverse step computes no value"
            assert set(task.reads) <= held, "a reverse step finds what it reads"
            assert task.name in moment.adjoints
            assert {arg for arg in task.args if by_name[arg].active} <= set(moment.adjoints)
            reversed_.append(task.name)
        else:
            views = {name for name in held if by_name[name].is_view}
            assert held <= before | views | {task.name}, "nothing comes from nowhere"
            assert {task.name, *task.args} <= held, "a step finds its operands"
            assert (moment.action == "recompute") == (task.name in seen)
            seen.add(task.name)
        for name in held:  # what a view is of stays as long as the view
            if by_name[name].is_view:
                assert by_name[name].args[0] in held
        values = sum(by_name[name].nbytes for name in held if not by_name[name].is_view)
        assert moment.bytes == values + sum(by_name[name].nbytes for name in moment.adjoints)
        before = held
    assert schedule.peak_bytes == max(moment.bytes for moment in schedule.moments)
    operations = [task for task in tasks if not task.is_given]
    assert reversed_ == [task.name for task in reversed(operations) if task.active]
    if schedule.budget is not None:
        assert schedule.peak_bytes <= schedule.budget


@pytest.mark.parametrize("seed", range(25))
def test_random_programs_obey_the_laws(seed: int) -> None:
    tasks = drawn(seed)
    found = schedules_of(tasks)
    if not any(task.active and not task.is_given for task in tasks):
        assert found == ()
        return
    for schedule in found:
        check(tasks, schedule)
    stored, recomputed, checkpointed, *budgets = found
    assert stored.name == "store everything"
    assert recomputed.name == "recompute everything"
    assert checkpointed.name == "√n checkpoints"
    assert stored.work == 1
    assert not any(moment.action == "recompute" for moment in stored.moments)
    assert recomputed.peak_bytes <= stored.peak_bytes
    assert budgets
    assert budgets[0].peak_bytes <= min(recomputed.peak_bytes, checkpointed.peak_bytes)
    assert budgets[-1].work <= 1
    assert [b.budget for b in budgets] == sorted(b.budget or 0 for b in budgets)


def test_what_is_stored_waits_for_its_own_reverse_step() -> None:
    stored = schedules_of(chain(4))[0]
    assert [(m.action, m.step) for m in stored.moments] == [
        *[("forward", f"x{k}") for k in (1, 2, 3, 4)],
        *[("reverse", f"x{k}") for k in (4, 3, 2, 1)],
    ]
    assert stored.moments[4].held == ("x0", "x1", "x2", "x3", "x4")
    assert stored.moments[5].held == ("x0", "x1", "x2", "x3")
    assert stored.moments[4].adjoints == ("x4", "x3")


def test_a_chain_recomputed_from_its_input_takes_no_more_than_a_few_values() -> None:
    for count in (8, 16):
        recomputed = schedules_of(chain(count))[1]
        assert recomputed.peak_bytes <= 5 * 8
        again = sum(moment.action == "recompute" for moment in recomputed.moments)
        assert again == sum(range(count))


@pytest.mark.parametrize("count", [16, 100, 225])
def test_checkpoints_of_a_chain_take_the_root_of_it(count: int) -> None:
    checkpointed = next(way for way in schedules_of(chain(count)) if way.name == "√n checkpoints")
    assert checkpointed.peak_bytes <= 8 * (2 * math.isqrt(count) + 5)
    assert checkpointed.work < 2
    check(chain(count), checkpointed)


def test_budgets_lie_between_the_smallest_and_all_that_is_needed() -> None:
    stored, recomputed, checkpointed, *budgets = schedules_of(chain(16))
    assert len(budgets) >= 4
    assert budgets[0].peak_bytes == recomputed.peak_bytes
    assert budgets[0].work <= recomputed.work
    assert budgets[-1].work == 1 == stored.work
    works = [way.work for way in budgets]
    assert works == sorted(works, reverse=True)
    # Revolve is at least as good as equal parts
    fitting = [way.work for way in budgets if way.peak_bytes >= checkpointed.peak_bytes]
    assert fitting[0] <= checkpointed.work


def test_a_sum_needs_nothing_held() -> None:
    tasks = [Task("x", nbytes=800, is_given=True)]
    for k in range(6):
        tasks.append(Task(f"v{k}", (tasks[-1].name,), (), 800, is_output=k == 5))
    *_, last = schedules_of(tasks)
    reverse = [moment for moment in last.moments if moment.action == "reverse"]
    assert all(set(moment.held) <= {"x", "v5"} for moment in reverse)


def test_long_programs_are_not_recomputed_for_each_step() -> None:
    names = [way.name for way in schedules_of(chain(210))]
    assert "recompute everything" not in names
    assert names[:2] == ["store everything", "√n checkpoints"]


def test_a_program_without_derivatives_has_no_schedules() -> None:
    tasks = [Task("n", is_given=True, active=False), Task("m", ("n",), active=False)]
    assert schedules_of(tasks) == ()


@pytest.mark.parametrize("tasks", [chain(300), drawn_long(3), drawn_long(4)])
def test_long_programs_obey_the_laws_too(tasks: list[Task]) -> None:
    stored, checkpointed, *budgets = (
        way for way in schedules_of(tasks) if way.name != "recompute everything"
    )
    for schedule in (stored, checkpointed, *budgets):
        check(tasks, schedule)
    assert (stored.name, checkpointed.name) == ("store everything", "√n checkpoints")
    assert budgets[-1].work <= 1
    assert len(budgets) >= 3
    assert [b.budget for b in budgets] == sorted(b.budget or 0 for b in budgets)


def test_a_page_of_many_steps_has_its_schedules_soon() -> None:
    tasks = chain(2_000)
    begin = time.process_time()
    schedules_of(tasks)
    assert time.process_time() - begin < 1.5  # half a second, but for a busy machine


def narrow(x: float, y: float) -> float:
    """Eight operations: the best schedules of so few take the planner a second to prove."""
    a = np.sin(x)
    b = a * y
    c = np.exp(b)
    d = c + a
    e = np.log(d)
    return (e * b + c) * e


def wide(x: float, y: float) -> float:
    a = np.sin(x) * y
    b = np.exp(a) + x
    c = np.log(b) * a
    d = c * b + y * a
    e = np.cos(d) * c
    return e + d * np.tanh(a)


@pytest.mark.parametrize("f", [narrow, wide])
def test_a_page_of_few_steps_has_its_schedules_at_once(f: Callable[..., float]) -> None:
    steps = wg.explain(f, 0.5, 0.7).steps
    begin = time.process_time()
    _, recomputed, _, lowest, *_ = schedules(steps)
    assert time.process_time() - begin < 0.3
    assert lowest.peak_bytes <= recomputed.peak_bytes
    assert lowest.work < 0.6 * recomputed.work


def test_moments_say_what_has_changed() -> None:
    for schedule in schedules_of(drawn(2)):
        there: set[str] = set()
        for moment in schedule.moments:
            assert there.isdisjoint(moment.added)
            assert there.issuperset(moment.dropped)
            there = (there | set(moment.added)) - set(moment.dropped)
            assert there == set(moment.held)
            assert len(there) == len(moment.held)


def test_steps_of_integers_have_no_reverse_step() -> None:
    def f(x: Any) -> Any:
        whole = (3.0 * x).astype(int)
        return x * whole

    @wg.primitive
    def opaque(x: Any) -> Any:
        return np.sin(x)

    wg.defvjp(opaque, lambda result, x: lambda ct: ct * np.cos(x))
    for function in (f, lambda x: opaque(x) * x):
        steps = wg.explain(function, 2.0).steps
        for schedule in schedules(steps):
            check(tasks_of(steps), schedule)
