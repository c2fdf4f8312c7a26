"""`wengert bench`: times of everything, and none that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result

from wengert.cli.bench import duration


def test_times(run_json: Callable[..., Any]) -> None:
    found = run_json("bench", "program.py:loss", "--at", "x=np.linspace(0, 1, 50)", "--quick")
    assert list(found["seconds"]) == [
        "function",
        "function, compiled, first call",
        "function, compiled",
        "gradient",
        "value and gradient",
        "value and gradient, compiled, first call",
        "value and gradient, compiled",
        "gradient by differences, 100 evaluations",
    ]
    assert all(seconds > 0 for seconds in found["seconds"].values())
    first = found["seconds"]["value and gradient, compiled, first call"]
    assert first > 10 * found["seconds"]["value and gradient, compiled"]


def test_the_jacobian_of_arrays(run: Callable[..., Result]) -> None:
    text = run("bench", "program.py:waves", "--at", "x=[1, 2, 3]", "--quick").stdout
    assert "Jacobian, compiled" in text
    assert "Jacobian by differences, 6 evaluations" in text


def test_long_differences_are_estimated(run_json: Callable[..., Any], program: Any) -> None:
    (program.parent / "slow.py").write_text(
        "import time\nimport numpy as np\n"
        "def f(x):\n    time.sleep(0.002)\n    return np.sum(x * x)\n"
    )
    line = ("bench", "slow.py:f", "--at", "x=np.ones(1000)", "--quick")
    seconds = run_json(*line)["seconds"]
    estimated = seconds["gradient by differences, 2000 evaluations, estimated"]
    assert estimated == 2000 * seconds["function"]


def test_durations() -> None:
    assert [duration(s) for s in (2.0, 0.25, 3.21e-6, 5e-9)] == ["2 s", "250 ms", "3.21 µs", "5 ns"]


def test_what_the_function_prints_is_seen_once(run: Callable[..., Result]) -> None:
    line = ("bench", "program.py:noisy", "--at", "x=1.5", "--quick")
    assert run(*line).stdout.count("noise on stdout") == 1


def test_a_gradient_that_is_nan_is_told(run: Callable[..., Result]) -> None:
    line = ("bench", "program.py:L", "--quick", "--at")
    assert "note: the gradient is not finite" in run(*line, "w1=-1,w2=3").stderr
    assert "note" not in run(*line, "w1=2,w2=3").stderr


def test_a_gradient_that_is_faster_than_its_function(
    run: Callable[..., Result], program: Any
) -> None:
    (program.parent / "steps.py").write_text(
        "import time\nimport numpy as np\n"
        "def f(x):\n"
        "    if type(x) is np.ndarray:\n        time.sleep(0.01)\n"
        "    return np.sum(x * x)\n"
    )
    text = run("bench", "steps.py:f", "--at", "x=np.ones(3)", "--quick").stdout
    assert "The gradient takes less time than the function" in text
    assert "e+" not in text
