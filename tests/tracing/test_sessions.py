"""Whose trace a value belongs to: threads, generators, coroutines, exceptions, leaks."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from wengert import WengertError, grad, jit, jvp, linearize, value_and_grad, vjp
from wengert.tracing.session import current_session

# ------------------------------------------------------------------------- helper threads


def test_helper_threads_take_part_in_the_trace_of_their_values():
    def f(x):
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(lambda t: t * grad(lambda y: y * y * t)(t), [x, 2 * x]))

    # t · 2t² at x and 2x: 2x³ + 16x³ -> 54x²
    assert grad(f)(3.0) == pytest.approx(486.0, rel=1e-15)


def test_two_threads_may_differentiate_at_once():
    found = {}
    barrier = threading.Barrier(4)

    def work(k):
        barrier.wait()
        found[k] = [grad(lambda x: x**k * grad(lambda y: y * x)(x))(2.0) for _ in range(40)]

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, values in found.items():
        assert values == [(k + 1) * 2.0**k] * 40


def test_two_traces_do_not_mix():
    """A thread without traced arguments that reads a traced value of another trace."""
    caught = []

    def f(x):
        def work():
            try:
                grad(lambda y: y * x)(2.0)
            except WengertError as error:
                caught.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return x

    assert grad(f)(3.0) == 1.0
    (error,) = caught
    assert isinstance(error, RuntimeError)
    assert "another trace" in str(error)
    assert "Pass it as an argument" in str(error)


# ------------------------------------------------------- generators, coroutines, contexts


def test_generators_take_part_in_the_trace():
    def f(x):
        def parts():
            for k in range(3):
                yield x * k, grad(lambda y: y * x)(x)

        return sum(a * b for a, b in parts())

    assert grad(f)(3.0) == pytest.approx(18.0, rel=1e-15)  # (0 + 1 + 2) x²


def test_coroutines_inside_a_trace():
    async def part(x):
        await asyncio.sleep(0)
        return x * grad(lambda y: y * y * x)(2.0)

    async def both(x):
        return sum(await asyncio.gather(part(x), part(2 * x)))

    assert grad(lambda x: asyncio.run(both(x)))(3.0) == pytest.approx(120.0, rel=1e-15)  # 20 x²


def test_tasks_that_differentiate_in_turn():
    async def one(x):
        await asyncio.sleep(0)
        first = grad(lambda y: y**3)(x)
        await asyncio.sleep(0)
        return first + grad(lambda y: y**2)(x)

    async def all_of_them():
        return await asyncio.gather(*[one(float(k)) for k in range(5)])

    assert asyncio.run(all_of_them()) == [3 * k**2 + 2 * k for k in range(5)]


def test_a_copied_context_outlives_its_trace():
    kept = []

    def f(x):
        kept.append(contextvars.copy_context())
        return x * x

    assert grad(f)(3.0) == 6.0
    assert kept[0].run(current_session) is None
    assert kept[0].run(grad(lambda x: x**3), 2.0) == 12.0


# ------------------------------------------------------------------------------ exceptions


class Broken(Exception):
    pass


@pytest.mark.parametrize("transform", [grad, jit, lambda f: lambda x: jvp(f, (x,), (x,))])
def test_an_exception_in_mid_trace_ends_it(transform):
    def f(x):
        raise Broken

    with pytest.raises(Broken):
        transform(f)(1.0)
    assert current_session() is None
    assert grad(lambda x: x * x)(3.0) == 6.0


def test_a_caught_exception_of_an_inner_trace():
    def broken(y):
        raise Broken

    def f(x):
        with contextlib.suppress(Broken):
            grad(broken)(x)
        return x * x

    assert grad(f)(3.0) == 6.0


def test_the_garbage_collector_is_left_as_it_was():
    before = gc.get_threshold()
    inside = []
    grad(lambda x: inside.append(gc.get_threshold()) or x)(1.0)
    with pytest.raises(Broken):
        grad(lambda x: (_ for _ in ()).throw(Broken))(1.0)
    assert gc.get_threshold() == before
    assert inside[0][0] >= before[0]


# ----------------------------------------------------------------------------------- leaks


class Holder:
    value = None


def leaked():
    def f(x):
        Holder.value = x
        return x * x

    grad(f)(2.0)
    return Holder.value


USES = {
    "operator": lambda t: t + 1.5,
    "ufunc": lambda t: np.sin(t),
    "function": lambda t: np.sum(t),
    "bool": lambda t: bool(t > 1),
    "float": lambda t: float(t),
    "format": lambda t: f"{t:.2f}",
    "in another trace": lambda t: grad(lambda x: x * t)(3.0),
    "returned": lambda t: grad(lambda x: t)(3.0),
    "in a result": lambda t: value_and_grad(lambda x: (x, t), has_aux=True)(3.0),
    "returned by jit": lambda t: jit(lambda x: (x, t))(3.0),
    "argument of grad": lambda t: grad(lambda x: x)(t),
    "argument of jvp": lambda t: jvp(lambda x: x, (t,), (1.0,)),
    "tangent of jvp": lambda t: jvp(lambda x: x, (1.0,), (t,)),
    "pullback": lambda t: vjp(lambda x: x, 1.0)[1](t),
}


@pytest.mark.parametrize("use", USES)
def test_a_leaked_value_is_refused(use):
    with pytest.raises(WengertError, match="after its trace has ended") as caught:
        USES[use](leaked())
    assert isinstance(caught.value, RuntimeError)
    assert "Return it from that function instead" in str(caught.value)
    assert __file__ in str(caught.value)


def test_a_leaked_value_can_be_shown():
    assert repr(leaked()) == str(leaked()) == "Traced(float64[]*, of a trace that has ended)"


def test_the_same_function_does_not_read_the_last_calls_argument():
    """Input nodes are the same at each call; a value that leaked is not today's argument."""
    kept = []

    def f(x):
        kept.append(x)
        return x * kept[0]

    assert grad(f)(2.0) == 4.0
    with pytest.raises(WengertError, match="after its trace has ended"):
        grad(f)(5.0)


@pytest.mark.parametrize("make", [vjp, linearize])
def test_a_linear_map_of_a_traced_point_ends_with_the_trace(make):
    kept = []

    def f(x):
        kept.append(make(lambda y: y * x, x)[1])
        return x

    grad(f)(2.0)
    with pytest.raises(WengertError, match="after its trace has ended"):
        kept[0](1.0)


def test_a_generator_that_outlives_its_trace():
    kept = []

    def f(x):
        def parts():
            yield x
            yield x * 2.5

        iterator = parts()
        next(iterator)
        kept.append(iterator)
        return x

    grad(f)(1.0)
    with pytest.raises(WengertError, match="after its trace has ended"):
        next(kept[0]) + 1.0
