"""What a function costs as a compiled program, step by step and in all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.errors import WengertValueError
from wengert.explaining.cost import Cost

N = 1000


def cost(f: Any, *args: Any) -> Cost:
    found: Cost = wg.explain(f, *args).cost
    return found


def test_elementwise_operations_count_one_an_element() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        z = y * x
        return np.sum(z)

    found = cost(f, np.linspace(0, 1, N))
    by_name = {step.name: step for step in found.steps}
    assert [by_name[name].operations for name in ("y", "z")] == [N, N]
    assert found.forward.operations == 3 * N
    # forward and backward: sin, cos, x cos x, their sum with sin x, the product, the sum
    assert found.gradient is not None
    assert found.gradient.operations == 6 * N
    assert found.ratio == 2
    assert by_name["x"].operations == 0
    assert by_name["y"].source == "y = np.sin(x)"
    assert by_name["y"].place.rpartition(":")[0] == __file__


def test_elementwise_operations_and_their_sum_share_one_loop_that_reads_the_input_once() -> None:
    found = cost(lambda x: np.sum(np.sin(x) * x), np.linspace(0, 1, N))
    (kernel,) = found.kernels
    assert kernel.what == "loop nest"
    assert kernel.steps == ("v₁", "v₂", "v₃")
    assert found.fused == (("v₁", "v₂", "v₃"),)
    assert (kernel.read, kernel.written) == (8 * N, 8)
    assert found.forward.scratch == 0
    assert found.forward.peak == 8 * N + 8
    assert found.gradient is not None
    assert found.gradient.peak == 16 * N + 8


@pytest.mark.parametrize(
    ("f", "shapes", "expected"),
    [
        (lambda a, b: a @ b, [(30, 40), (40, 50)], 2 * 30 * 40 * 50),
        (lambda a, b: a @ b, [(N,), (N,)], 2 * N),
        (lambda a, b: a @ b, [(30, 40), (40,)], 2 * 30 * 40),
        (lambda a, b: a @ b, [(5, 30, 40), (5, 40, 50)], 5 * 2 * 30 * 40 * 50),
        (np.outer, [(30,), (40,)], 30 * 40),
        (lambda a: np.transpose(a)[::2], [(30, 40)], 0),
        (lambda a: np.linalg.cholesky(a @ a.T), [(30, 30)], 2 * 30**3 + 30**3 // 3),
        (np.linalg.inv, [(30, 30)], 2 * 30**3),
        (np.linalg.solve, [(30, 30), (30, 7)], 2 * 30**3 // 3 + 2 * 30**2 * 7),
        (lambda a: np.real(np.fft.fft(1j * a)), [(1024,)], 1024 + 5 * 1024 * 10),
        (lambda a: np.real(np.fft.fft(1j * a, axis=0)), [(64, 16)], 1024 + 5 * 1024 * 6),
        (lambda a: np.real(np.fft.fft2(1j * a)), [(32, 32)], 1024 + 5 * 1024 * 10),
        (lambda a: np.real(np.fft.rfft(a)), [(1024,)], 5 * 512 * 10),
        (lambda a: np.fft.irfft(a * 1j, n=64), [(33,)], 33 + 5 * 32 * 6),
        (lambda a, b: np.einsum("ij,ij->", a, b), [(30, 40), (30, 40)], 2 * 30 * 40),
    ],
)
def test_known_counts(f: Any, shapes: list[tuple[int, ...]], expected: int) -> None:
    args = [np.random.default_rng(0).normal(size=shape) for shape in shapes]
    assert cost(f, *args).forward.operations == expected


@pytest.mark.parametrize("f", [np.linalg.det, lambda a: np.linalg.slogdet(a)[1]])
def test_a_determinant_takes_little_more_than_its_factors(f: Any) -> None:
    found = cost(f, np.random.default_rng(0).normal(size=(4, 30, 30))).forward.operations
    factors = 4 * 2 * 30**3 // 3
    assert factors < found < 1.02 * factors


def test_a_loop_that_only_copies_belongs_to_the_step_that_it_writes() -> None:
    (kernel,) = cost(lambda a: a.T, np.ones((30, 40))).kernels
    assert (kernel.what, kernel.steps, kernel.operations) == ("loop nest", ("v₁",), 0)


def test_a_loop_counts_its_steps() -> None:
    def f(x: Any) -> Any:
        return wg.scan(lambda c, _: (np.sin(c) * 1.1, None), x, None, length=20)[0]

    assert cost(f, np.ones(100)).forward.operations == 20 * 2 * 100


def test_the_operations_of_the_steps_are_those_of_the_program() -> None:
    def f(x: Any, a: Any) -> Any:
        y = a @ np.exp(x * 1.0)  # a step that is folded into others has none
        return np.sum(y * y) + np.log(np.sum(x))

    found = cost(f, np.ones(20), np.ones((30, 20)))
    assert sum(step.operations for step in found.steps) == found.forward.operations
    assert sum(kernel.operations for kernel in found.kernels) == found.forward.operations
    assert found.forward.kernels == len(found.kernels)


def test_a_product_by_blas_is_a_kernel_of_its_own_between_loops() -> None:
    found = cost(lambda a: np.sum(np.exp(np.sin(a) @ np.cos(a))), np.ones((300, 300)))
    kinds = [kernel.what for kernel in found.kernels]
    assert kinds.count("library call") == 1
    product = found.kernels[kinds.index("library call")]
    assert product.steps == ("v₃",)
    assert product.operations == 2 * 300**3
    assert (product.read, product.written) == (2 * 8 * 300**2, 8 * 300**2)
    assert found.forward.scratch >= 2 * 8 * 300**2


def test_a_host_call_is_found_with_its_reason_and_its_line() -> None:
    def f(a: Any, b: Any) -> Any:
        x = np.linalg.solve(a, b)
        return np.sum(x**2)

    found = cost(f, 3 * np.eye(100), np.ones(100))
    assert found.forward.host_calls == len(found.host_calls) >= 1
    assert "LAPACK" in found.host_calls[0].reason
    name = found.host_calls[0].steps[0]
    step = next(step for step in found.steps if step.name == name)
    assert step.source == "x = np.linalg.solve(a, b)"
    assert not cost(lambda x: np.sum(x**2), np.ones(5)).host_calls


def test_small_programs_are_straight_code_on_numbers() -> None:
    found = cost(lambda x, y: y * np.log(x) + np.sqrt(y * np.log(x)), 2.0, 3.0)
    (kernel,) = found.kernels
    assert kernel.what == "numbers"
    assert kernel.steps == ("v₁", "v₂", "v₃", "v₄")
    assert found.forward.operations == 4


def test_a_function_of_integers_has_no_gradient() -> None:
    found = cost(lambda n: np.sum(n) * 1.5, np.arange(5))
    assert found.gradient is None
    assert found.ratio is None


def test_several_results_and_structures() -> None:
    def f(p: Any) -> Any:
        return {"a": np.sin(p["w"]), "b": (p["c"] ** 2,)}

    found = cost(f, {"w": np.ones(N), "c": 2.0})
    assert found.forward.operations == N + 1
    assert found.forward.results == 8 * N + 8
    assert found.gradient is not None


def test_it_is_data_and_prints() -> None:
    found = cost(lambda a: np.sum(np.linalg.inv(a)), 2 * np.eye(80))
    data = json.loads(json.dumps(found.as_dict()))
    assert data["forward"]["operations"] == found.forward.operations
    assert data["kernels"][0]["steps"]
    text = repr(found)
    for said in ("operations", "peak memory", "host call", "what is fused with what", "line"):
        assert said in text
    assert "<table" in found._repr_html_() or "<pre" in found._repr_html_()


def test_the_times_are_those_of_compiled_programs() -> None:
    runs = []

    def f(x: Any) -> Any:
        runs.append(1)
        return np.sum(np.sin(x) * x)

    found = cost(f, np.linspace(0, 1, N))
    before = len(runs)
    times = found.measured()
    assert len(runs) <= before + 2  # one trace of each; the calls that are timed run no Python
    assert times.gradient is not None
    assert 0 < times.function < 0.1
    assert times.ratio == times.gradient / times.function
    assert "under jit" in repr(times)


def test_what_jit_has_recorded_has_a_cost_without_arguments() -> None:
    f = wg.jit(lambda x: np.sum(np.sin(x) * x))
    with pytest.raises(WengertValueError, match="has not been called"):
        _ = wg.explain(f).cost
    f(np.ones(N))
    found = wg.explain(f).cost
    assert found.forward.operations == 3 * N
    assert found.fused == (("v₁", "v₂", "v₃"),)
    assert found.gradient is None
    with pytest.raises(WengertValueError, match="keeps no values"):
        found.measured()


def test_cost_is_that_of_an_explanation() -> None:
    assert wg.cost(np.sin, np.ones(N)).forward.operations == N


def test_a_long_program_of_numbers_has_a_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left as it is where it ends in one number, and not where every step is asked for."""
    monkeypatch.setattr("wengert.execution.compiled.LONG_PROGRAM", 50)

    def f(x: Any) -> Any:
        total = 0.0
        for k in range(len(x)):
            total = total + np.sin(x[k]) * x[k - 1]
        return total

    found = cost(f, np.linspace(0, 1, 80))
    assert found.forward.operations == 240
    assert sum(step.operations for step in found.steps) == 240
