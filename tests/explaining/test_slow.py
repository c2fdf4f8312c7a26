"""What makes a function slow: each finding where it applies, and absent where it does not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.errors import WengertValueError
from wengert.explaining.slow import WhySlow

N = 1000


def why_slow(f: Any, *args: Any) -> WhySlow:
    found: WhySlow = wg.explain(f, *args).why_slow
    return found


def plain(x: Any) -> Any:
    return np.sum(np.sin(x) * x)


def kinds(f: Any, *args: Any) -> tuple[str, ...]:
    return why_slow(f, *args).kinds


def test_a_plain_function_under_jit_has_no_finding() -> None:
    found = why_slow(wg.jit(plain), np.ones(N))
    assert len(found) == 0
    assert "nothing stands out" in repr(found)


def test_a_host_call_is_found_with_its_line_and_its_reason() -> None:
    def f(a: Any, b: Any) -> Any:
        x = np.linalg.solve(a, b)
        return np.sum(x**2)

    found = why_slow(wg.jit(f), 3 * np.eye(100), np.ones(100))["host call"]
    assert "LAPACK" in found.what
    assert found.share is not None
    assert found.share > 0.5
    (where,) = found.where
    assert where.startswith("test_slow.py:")
    assert where.endswith("x = np.linalg.solve(a, b)")


def test_control_flow_on_values_is_found_with_its_line() -> None:
    def f(x: Any) -> Any:
        if np.sum(x) > 0:
            return np.sum(x**2)
        return np.sum(x)

    found = why_slow(f, np.ones(N))["guards"]
    (where,) = found.where
    assert where.endswith("if np.sum(x) > 0:")
    jitted = wg.jit(f)
    jitted(np.ones(N))
    jitted(-np.ones(N))
    assert "2 now" in why_slow(jitted, np.ones(N))["guards"].what
    assert "2 now" in wg.explain(jitted).why_slow["guards"].what
    assert "guards" not in kinds(lambda x: np.where(np.sum(x) > 0, np.sum(x**2), 1), np.ones(N))


def test_many_signatures_are_found_and_few_are_not() -> None:
    f = wg.jit(plain)
    f(np.ones(1))
    f(np.ones(2))
    assert "re-traces" not in wg.explain(f).why_slow.kinds
    for n in range(3, 12):
        f(np.ones(n))
    found = wg.explain(f).why_slow["re-traces"]
    assert found.what.startswith("11 signatures")
    assert "shapes" in found.what
    assert "pad" in found.cure


def test_static_arguments_that_differ_at_each_call_are_found() -> None:
    f = wg.jit(lambda x, k: np.sum(x) * k, static_argnums=1)
    for k in range(8):
        f(np.ones(3), k)
    assert "static" in wg.explain(f).why_slow["re-traces"].what


def test_a_function_that_is_full_of_ways_is_found(caplog: Any) -> None:
    def f(x: Any) -> Any:
        return x * float(int(x))

    jitted = wg.jit(f)
    for k in range(20):
        jitted(k + 0.5)
    found = wg.explain(jitted).why_slow
    assert found.findings[0].kind == "re-traces"
    assert "traced at each call" in found["re-traces"].what


def test_a_derivative_that_is_traced_at_each_call_is_found_with_what_jit_would_save() -> None:
    def f(x: Any) -> Any:
        for _ in range(30):
            x = np.sin(x)
        return np.sum(x)

    for function, said in ((f, "value_and_grad(f)"), (wg.grad(f), "f runs")):
        found = why_slow(function, np.ones(5))["traced at each call"]
        assert said in found.what
        assert found.share is not None
        assert found.share > 0.5
    # of much arithmetic the trace is a small part

    def g(x: Any) -> Any:
        return np.sum(np.linalg.matrix_power(x, 3) @ np.exp(x))

    assert "traced at each call" not in kinds(g, np.eye(700))


def tridiagonal(x: Any) -> Any:
    return x[1:-1] * (x[2:] - x[:-2])


def test_a_dense_jacobian_of_a_tridiagonal_function_is_found() -> None:
    found = why_slow(wg.jacfwd(tridiagonal), np.ones(50))["dense derivative"]
    assert "48 × 50 is dense, and 144 of its 2,400 entries" in found.what
    assert "3 products with vectors would hold them all, and 50 are computed" in found.what
    assert "sparse=True" in found.cure
    assert found.share == pytest.approx(1 - 3 / 50)
    # a large one is made from the products of its colours, and is dense all the same
    large = why_slow(wg.jacobian(tridiagonal), np.ones(500))["dense derivative"]
    assert "3 products" in large.what
    assert "are computed" not in large.what
    assert (large.share or 0) > 0.99
    assert "entries" in large.of
    assert "memory traffic" not in why_slow(wg.jacobian(tridiagonal), np.ones(500)).kinds


def test_a_dense_hessian_of_a_separable_function_is_found() -> None:
    found = why_slow(wg.hessian(lambda x: np.sum(x**3)), np.ones(40))["dense derivative"]
    assert "one product with vectors would hold them all, and 40 are computed" in found.what
    assert found.share == pytest.approx(1 - 1 / 40)


def test_other_derivatives_are_not_called_dense() -> None:
    a = np.random.default_rng(0).normal(size=(30, 30))
    assert "dense derivative" not in kinds(wg.jacobian(lambda x: a @ np.sin(x)), np.ones(30))
    assert "dense derivative" not in kinds(wg.jacobian(tridiagonal), np.ones(8))
    assert "dense derivative" not in kinds(wg.grad(plain), np.ones(50))
    assert "dense derivative" not in kinds(tridiagonal, np.ones(50))


def test_memory_traffic_is_found_in_loops_over_large_arrays() -> None:
    def f(x: Any) -> Any:
        return np.sum(x * 2.0)

    found = why_slow(wg.jit(f), np.ones(2_000_000))["memory traffic"]
    assert "16 MB" in found.what
    assert found.where
    assert "memory traffic" not in kinds(wg.jit(f), np.ones(N))


def test_values_that_one_loop_leaves_for_another_are_named() -> None:
    def f(x: Any) -> Any:
        e = np.exp(x)
        return e / np.sum(e)

    found = why_slow(wg.jit(f), np.ones(300_000))["memory traffic"]
    assert "e are written to memory" in found.what or "e is written to memory" in found.what


def test_arithmetic_on_large_arrays_is_not_memory_traffic() -> None:
    def f(x: Any) -> Any:
        for _ in range(30):
            x = x * x + 0.1
        return x

    assert "memory traffic" not in kinds(wg.jit(f), np.zeros(500_000))


def test_small_matrices_one_by_one_are_no_fault() -> None:
    """They take as long as they do when they are stacked."""

    def f(a: Any) -> Any:
        return sum(np.sum(np.linalg.inv(a[k]) @ a[k]) for k in range(10))

    assert kinds(wg.jit(f), np.eye(8) + np.ones((10, 1, 1))) == ()


def test_large_captured_arrays_are_found_where_a_trace_copies_them() -> None:
    data = np.ones(200_000)

    def f(w: Any) -> Any:
        return np.sum(data * w)

    found = why_slow(f, 2.0)["captured arrays"]
    assert "1.6 MB" in found.what
    assert found.where[0].endswith("return np.sum(data * w)")
    assert "captured arrays" not in kinds(wg.jit(f), 2.0)
    assert "captured arrays" not in kinds(lambda w, data: np.sum(data * w), 2.0, data)
    data.flags.writeable = False
    assert "captured arrays" not in kinds(f, 2.0)


def test_an_unrolled_loop_is_found_with_its_line() -> None:
    def f(x: Any) -> Any:
        for _ in range(300):
            x = np.sin(x) * 1.1
        return x

    found = why_slow(wg.jit(f), 0.5)["unrolled loop"]
    assert found.where[0].endswith("x = np.sin(x) * 1.1")
    assert "300 times" in found.what
    assert found.share is not None
    assert found.share > 0.9

    def g(x: Any) -> Any:
        return wg.fori_loop(0, 300, lambda k, x: np.sin(x) * 1.1, x)

    assert "unrolled loop" not in kinds(wg.jit(g), 0.5)
    assert "unrolled loop" not in kinds(wg.jit(plain), np.ones(N))


def test_mixed_precision_is_found() -> None:
    def f(x: Any, w: Any) -> Any:
        return np.sum(x * w)

    single, double = np.ones(5000, np.float32), np.ones(5000)
    found = why_slow(wg.jit(f), single, double)["mixed precision"]
    assert "float64" in found.what
    assert found.where[0].endswith("return np.sum(x * w)")
    assert "mixed precision" not in kinds(wg.jit(f), single, single)
    assert "mixed precision" not in kinds(wg.jit(f), double, double)


def test_a_function_that_was_not_called_has_recorded_nothing() -> None:
    with pytest.raises(WengertValueError, match="has not been called"):
        _ = wg.explain(wg.jit(plain)).why_slow


def test_what_costs_most_comes_first_and_it_is_data() -> None:
    data = np.ones(200_000)

    def f(x: Any) -> Any:
        a = np.linalg.inv(x)
        return np.sum(a) * np.sum(data)

    found = why_slow(f, 2 * np.eye(100))
    shares = [finding.share or 0.0 for finding in found]
    assert shares == sorted(shares, reverse=True)
    loaded = json.loads(json.dumps(found.as_dict()))
    assert [own["kind"] for own in loaded["findings"]] == [own.kind for own in found]
    text = repr(found)
    assert "what to do" in text
    assert "host call" in text
    assert "<" in found._repr_html_()
    with pytest.raises(KeyError, match="unrolled"):
        found["unrolled loop"]


def test_functions_take_time_by_themselves() -> None:
    """A sine is several operations: a loop of them does not wait for memory."""
    assert "memory traffic" not in kinds(wg.jit(lambda x: np.sum(np.sin(x))), np.ones(200_000))
    assert "memory traffic" in kinds(wg.jit(lambda x: np.sum(x + 1.0)), np.ones(200_000))


def test_a_loop_of_fifty_is_an_unrolled_one() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for k in range(50):
            total = total + np.sin(x[k]) * x[k - 1]
        return total

    found = why_slow(f, np.linspace(0, 1, 50))
    assert "50 times" in found["unrolled loop"].what
    assert "total = total + np.sin(x[k]) * x[k - 1]" in found["unrolled loop"].where[0]
    text = repr(found)
    assert "x[k" in text  # which is no markup
    assert found["unrolled loop"].of == "of the steps"
    assert "100% of the" in text
    assert "do not add up" in text
    traced = found["traced at each call"]
    assert traced.where[0].endswith("def f(x: Any) -> Any:")
    assert traced.of == "of a call, measured"
    assert "x[k]" in repr(wg.cost(f, np.linspace(0, 1, 50)))


def test_one_is_singular_and_a_lambda_has_a_name() -> None:
    found = why_slow(wg.jit(lambda x: np.sum(x * 2.0)), np.ones(2_000_000))["memory traffic"]
    assert found.what.startswith("1 loop moves")
    single = why_slow(wg.jit(lambda x, w: np.sum(x * w)), np.ones(5000, np.float32), np.ones(5000))
    assert "1 float32 array becomes" in single["mixed precision"].what
    found = why_slow(lambda x: np.sum(np.sin(np.cos(x))), np.ones(3))["traced at each call"]
    assert "value_and_grad(f)" in found.cure
