"""Automatic differentiation beside what it is taken for: differences, symbolic algebra, one mode.

    python benchmarks/what_ad_is_not.py           print the tables
    python benchmarks/what_ad_is_not.py --write   write them into docs/what-ad-is-not.md

in the environment of `make bench`, with SymPy. What does not depend on the machine (errors, numbers
of evaluations, operations and passes) is computed by `exact()`, which tests compute again; what was
timed is kept as ratios in results/what_ad_is_not.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import wengert as wg
from wengert.execution.programs import clear_caches

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "what_ad_is_not.json"
PAGE = ROOT / "docs" / "what-ad-is-not.md"

Expression = Any
"""A number, a name, or (operator, left, right)."""


# ------------------------------------------------------------------------------------ differences


def runge(x: float) -> float:
    """1/(1 + 25 x²): elementary arithmetic alone, which is the same on every machine."""
    return 1 / (1 + 25 * x * x)


def errors(x: float = 0.3) -> dict[str, Any]:
    """|derivative − f′|/|f′| at x, with f′ = −50 x/(1 + 25 x²)² computed in rational numbers."""
    exact = -50 * Fraction(x) / (1 + 25 * Fraction(x) ** 2) ** 2

    def error(found: float) -> float:
        return float(f"{abs(float(Fraction(float(found)) / exact - 1)):.1e}")

    rows = []
    for k in range(1, 16):
        h = 10.0**-k
        forward = (runge(x + h) - runge(x)) / h
        central = (runge(x + h) - runge(x - h)) / (2 * h)
        rows.append({"step": k, "forward": error(forward), "central": error(central)})
    wg.set_native(False)  # machine code may round a product and a sum at once
    automatic = error(wg.grad(runge)(x))
    wg.set_native(True)
    return {"rows": rows, "automatic": automatic}


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def evaluations(n: int) -> dict[str, int]:
    """How often a function of n numbers is evaluated for a gradient by differences."""
    x = np.linspace(0.5, 1.5, n)
    count = {
        method: wg.zeroth.finite_difference(rosenbrock, x, method=method).evaluations
        for method in ("forward", "central")
    }
    return {"n": n, **count}


def gradient_time(n: int) -> float:
    """The time of a value and gradient in reverse mode, in times of the function."""
    x = np.linspace(0.5, 1.5, n)
    f, both = wg.jit(rosenbrock), wg.jit(wg.value_and_grad(rosenbrock))
    return seconds(lambda: both(x)) / seconds(lambda: f(x))


# --------------------------------------------------------------------------------------- symbolic


def product(x: Any) -> Any:
    """Speelpenning's example, x₁ x₂ ⋯ xₙ."""
    result = x[0]
    for factor in x[1:]:
        result = result * factor
    return result


def logistic(x: Any, steps: int) -> Any:
    """The logistic map l ← 4 l (1 − l), iterated."""
    for _ in range(steps):
        x = 4 * x * (1 - x)
    return x


def textbook(e: Expression, x: str) -> Expression:
    """The derivative by x by the rules of sums and products; zeros and ones are left out."""
    if not isinstance(e, tuple):
        return 1 if e == x else 0
    operator, u, v = e
    du, dv = textbook(u, x), textbook(v, x)
    if operator == "*":
        return _plus("+", _times(du, v), _times(u, dv))
    return _plus(operator, du, dv)


def _times(u: Expression, v: Expression) -> Expression:
    if u == 0 or v == 0:
        return 0
    return v if u == 1 else u if v == 1 else ("*", u, v)


def _plus(operator: str, u: Expression, v: Expression) -> Expression:
    if v == 0:
        return u
    return v if u == 0 and operator == "+" else (operator, u, v)


def size(e: Expression) -> int:
    """How many operations an expression has when it is written down."""
    return 1 + size(e[1]) + size(e[2]) if isinstance(e, tuple) else 0


class Written:
    """An expression that grows as it is computed with."""

    def __init__(self, e: Expression) -> None:
        self.e = e

    def __mul__(self, other: Any) -> Written:
        return Written(("*", self.e, _expression(other)))

    def __rmul__(self, other: Any) -> Written:
        return Written(("*", _expression(other), self.e))

    def __rsub__(self, other: Any) -> Written:
        return Written(("-", _expression(other), self.e))


def _expression(value: Any) -> Expression:
    return value.e if isinstance(value, Written) else value


_LEAVES = ("input", "full", "alias", "capture", "slot")


def operations(f: Callable[..., Any], *args: Any) -> int:
    """The operations of the program that wengert makes of a function."""
    lines = re.findall(r"^%\d+ = (\w+)", wg.trace(f, *args).simplified, re.MULTILINE)
    return sum(op not in _LEAVES for op in lines)


def product_sizes(n: int) -> dict[str, int]:
    names = [f"x{k}" for k in range(n)]
    e = product([Written(name) for name in names]).e
    x = [1.0 + k / n for k in range(n)]
    return {
        "n": n,
        "function": operations(product, x),
        "textbook": sum(size(textbook(e, name)) for name in names),
        "wengert": operations(wg.grad(product), x),
    }


def logistic_sizes(n: int) -> dict[str, int]:
    def f(x: Any) -> Any:
        return logistic(x, n)

    return {
        "n": n,
        "function": operations(f, 0.2),
        "textbook": size(textbook(f(Written("x")).e, "x")),
        "wengert": operations(wg.grad(f), 0.2),
    }


def determinant_sizes(n: int) -> dict[str, int]:
    """Operations of wengert's are operations on matrices: one factorisation, one solve."""
    return {"n": n, "wengert": operations(wg.grad(np.linalg.det), np.eye(n) + 1)}


def by_sympy(name: str, n: int) -> dict[str, float]:
    """SymPy's gradient: operations, also after common subexpressions were found; times in those of
    wengert, to derive it (wengert's: a first call, with its tracing and its run on NumPy) and to
    evaluate it."""
    import sympy

    if name == "product":
        symbols = list(sympy.symbols(f"x:{n}"))
        expression, f = product(symbols), product
        at: Any = np.linspace(1.0, 1.5, n)
        by = symbols
    elif name == "logistic":
        symbols = by = [sympy.Symbol("x")]
        expression, f, at = logistic(by[0], n), lambda x: logistic(x, n), 0.2
    else:
        matrix = sympy.Matrix(n, n, lambda i, j: sympy.Symbol(f"a{i}_{j}"))
        symbols = by = list(matrix)
        expression, f = matrix.det(method="berkowitz").expand(), np.linalg.det
        at = np.eye(n) + 1

    def derive() -> list[Any]:
        return [sympy.diff(expression, one) for one in by]

    gradient = derive()
    shared, rest = sympy.cse(gradient)
    evaluate = sympy.lambdify([symbols], gradient, "math")
    numbers = np.ravel(at).tolist()
    compiled = wg.jit(wg.grad(f))
    assert np.allclose(evaluate(numbers), np.ravel(compiled(at)))

    def ours() -> Any:
        return wg.grad(f)(at)

    deriving = fresh(derive, sympy.core.cache.clear_cache) / fresh(ours, clear_caches)
    return {
        "sympy": int(sum(sympy.count_ops(e) for e in gradient)),
        "shared": int(sum(sympy.count_ops(e) for _, e in shared))
        + int(sum(sympy.count_ops(e) for e in rest)),
        "deriving": deriving,
        "evaluating": seconds(lambda: evaluate(numbers)) / seconds(lambda: compiled(at)),
    }


# ------------------------------------------------------------------------------------------ modes


@cache
def jacobians() -> dict[str, tuple[Callable[..., Any], Any]]:
    """Functions of different shapes, each with a point."""
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(size=(500, 500)) / 20, rng.normal(size=(5, 500)) / 20

    def layers(x: Any) -> Any:
        return np.tanh(wide @ np.tanh(wide @ np.tanh(wide @ x)))

    def one_output(x: Any) -> Any:
        return np.sum(layers(x))[None]

    def one_input(t: Any) -> Any:
        return layers(t[0] * np.ones(500))

    def waist(x: Any) -> Any:
        return np.tanh(wide @ np.tanh(narrow.T @ np.tanh(narrow @ np.tanh(wide @ x))))

    def neighbours(x: Any) -> Any:
        return np.pad(x[1:], (0, 1)) * x - np.pad(x[:-1], (1, 0)) ** 2

    point = np.linspace(-1.0, 1.0, 500)
    return {
        "500 → 1": (one_output, point),
        "1 → 500": (one_input, np.ones(1)),
        "500 → 5 → 500": (waist, point),
        "500 → 500, neighbours": (neighbours, point),
    }


def passes(name: str) -> dict[str, Any]:
    """How many directions go through the program in each mode."""
    f, x = jacobians()[name]
    how = wg.plan(f)(x)
    by_name = {candidate.name: candidate for candidate in how.candidates}
    return {
        "shape": name,
        "forward": by_name["forward"].passes,
        "reverse": by_name["reverse"].passes,
        "chosen": how.chosen.name,
        "passes": how.chosen.passes,
        "sparse": wg.sparsity(f)(x).products,
    }


def mode_times(name: str) -> dict[str, float]:
    """The time of the Jacobian by a single mode, in times of the one that is chosen."""
    f, x = jacobians()[name]
    programs = {mode: wg.jit(wg.jacobian(f, mode=mode)) for mode in ("forward", "reverse", "auto")}
    taken = dict.fromkeys(programs, np.inf)
    for _ in range(5):  # in turn, so that all share what else the machine does
        for mode, program in programs.items():
            taken[mode] = min(taken[mode], seconds(lambda program=program: program(x)))
    return {mode: taken[mode] / taken["auto"] for mode in ("forward", "reverse")}


def orders(order: int) -> dict[str, int]:
    """Operations of the derivative of this order along a direction: gradients of gradients, and
    Taylor mode."""

    def f(x: Any) -> Any:
        return np.sin(np.exp(x) * x)

    nested = f
    for _ in range(order):
        nested = wg.grad(nested)

    def taylor(x: Any) -> Any:
        return wg.directional_derivative(f, x, 1.0, order=order)

    assert np.isclose(nested(0.3), taylor(0.3))
    return {"order": order, "nested": operations(nested, 0.3), "taylor": operations(taylor, 0.3)}


# ------------------------------------------------------------------------------------------- all


def exact() -> dict[str, Any]:
    """What every machine finds alike."""
    return {
        "errors": errors(),
        "evaluations": [evaluations(n) for n in (10, 100, 1000, 10_000)],
        "product": [product_sizes(n) for n in (5, 10, 20, 50)],
        "logistic": [logistic_sizes(n) for n in (1, 2, 4, 6, 8, 10)],
        "determinant": [determinant_sizes(n) for n in (2, 3, 4, 5, 6)],
        "passes": [passes(name) for name in jacobians()],
        "orders": [orders(k) for k in (1, 2, 3, 4, 5, 6)],
    }


def measured(found: dict[str, Any]) -> dict[str, Any]:
    """What was timed, as ratios, and SymPy's expressions."""
    return {
        "evaluations": [gradient_time(row["n"]) for row in found["evaluations"]],
        **{
            name: [by_sympy(name, row["n"]) for row in found[name]]
            for name in ("product", "logistic", "determinant")
        },
        "passes": [mode_times(row["shape"]) for row in found["passes"]],
    }


def timed(call: Callable[[], Any], calls: int = 1) -> float:
    """The time of the processor that a call takes, which other programs do not change much."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls


def fresh(call: Callable[[], Any], forget: Callable[[], None]) -> float:
    """The least time of a call before which everything that was kept is forgotten."""
    best, spent, calls = np.inf, 0.0, 0
    while spent < 0.1 or (calls < 3 and spent < 5):
        forget()
        taken = timed(call)
        best, spent, calls = min(best, taken), spent + taken, calls + 1
    return float(best)


def seconds(call: Callable[[], object], rounds: int = 7) -> float:
    """The least time of a call in several rounds, each of 5 ms at least."""
    call()
    call()  # what is seen twice is compiled
    calls = 1
    while calls * timed(call, calls) < 0.005:
        calls *= 2
    return min(timed(call, calls) for _ in range(rounds))


# ----------------------------------------------------------------------------------------- tables


def times(value: float) -> str:
    """A ratio with two significant digits."""
    return f"{float(f'{value:.2g}'):,.{0 if value >= 10 else 1 if value >= 1 else 2}f} ×"


def power(exponent: int) -> str:
    """A power of ten."""
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def curve(errors: dict[str, Any]) -> str:
    """The errors over the steps, on logarithmic axes, as a drawing in SVG."""

    def x(exponent: float) -> float:
        return 60 + 34 * (exponent + 15)

    def y(error: float) -> float:
        return 20 - 15 * float(np.log10(max(error, 1e-17)))

    parts = [
        '<figure class="diagram">',
        '<svg viewBox="0 0 640 320" role="img" aria-label="The error of difference quotients over '
        'their step is a V; that of automatic differentiation is a line at the bottom.">',
        '<rect x="60" y="20" width="476" height="255" />',
    ]
    for k in range(-15, 0, 2):
        parts.append(f'<text x="{x(k):.0f}" y="294" class="small">{power(k)}</text>')
    for k in range(-16, 1, 4):
        parts.append(f'<text x="36" y="{y(10.0**k) + 4:.0f}" class="small">{power(k)}</text>')
    for name, style, below in (("forward", "forward", -2), ("central", "backward", 12)):
        points = [f"{x(-row['step']):.0f},{y(row[name]):.0f}" for row in errors["rows"]]
        parts.append(f'<path class="{style}" d="M{" L".join(points)}" />')
        at = y(errors["rows"][0][name])
        parts.append(
            f'<text x="{x(-1) + 62:.0f}" y="{at + below:.0f}" class="{style}">{name}</text>'
        )
    at = y(errors["automatic"])
    parts.append(f'<line class="automatic" x1="60" x2="536" y1="{at:.0f}" y2="{at:.0f}" />')
    parts.append(f'<text x="588" y="{at + 4:.0f}">automatic</text>')
    parts.append('<text x="298" y="314" class="small">step h, and the relative error</text>')
    return "\n".join([*parts, "</svg>", "</figure>"])


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The tables of the page, by the names of their places."""
    found, taken = results["exact"], results["measured"]
    errors = found["errors"]
    rows = {
        "errors": [
            ("step h", "forward difference", "central difference", "automatic"),
            *(
                (power(-row["step"]), *(f"{row[k]:.0e}" for k in ("forward", "central")), "")
                for row in errors["rows"]
            ),
            ("none", "", "", f"{errors['automatic']:.0e}"),
        ],
        "evaluations": [
            ("n", "forward differences", "central differences", "reverse mode"),
            *(
                (
                    f"{row['n']:,}",
                    f"{row['forward']:,} ×",
                    f"{row['central']:,} ×",
                    times(ratio),
                )
                for row, ratio in zip(found["evaluations"], taken["evaluations"], strict=True)
            ),
        ],
        **{name: _symbolic(found[name], taken[name]) for name in ("product", "logistic")},
        "determinant": [
            ("n", "SymPy", "with sharing", "wengert", "time to derive", "to evaluate"),
            *(
                (
                    str(row["n"]),
                    f"{ratio['sympy']:,}",
                    f"{ratio['shared']:,}",
                    str(row["wengert"]),
                    times(ratio["deriving"]),
                    times(ratio["evaluating"]),
                )
                for row, ratio in zip(found["determinant"], taken["determinant"], strict=True)
            ),
        ],
        "passes": [
            ("shape", "forward", "reverse", "chosen", "time, forward", "time, reverse"),
            *(
                (
                    row["shape"],
                    f"{row['forward']} passes",
                    f"{row['reverse']} passes",
                    f"{row['chosen']}, {row['passes']}",
                    times(ratio["forward"]),
                    times(ratio["reverse"]),
                )
                for row, ratio in zip(found["passes"], taken["passes"], strict=True)
            ),
        ],
        "orders": [
            ("order", "gradients of gradients", "Taylor mode"),
            *((str(r["order"]), f"{r['nested']:,}", f"{r['taylor']:,}") for r in found["orders"]),
        ],
    }
    made = {name: _markdown(lines) for name, lines in rows.items()}
    made["curve"] = curve(errors)
    made["versions"] = (
        f"Measured on {results['date']}: {results['versions']}. Time of the processor, one thread."
    )
    return made


def _symbolic(found: list[dict[str, Any]], taken: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    heads = ("n", "function", "by the rules", "SymPy", "with sharing", "wengert")
    return [
        (*heads, "time to derive", "to evaluate"),
        *(
            (
                *(f"{row[k]:,}" for k in ("n", "function", "textbook")),
                f"{ratio['sympy']:,}",
                f"{ratio['shared']:,}",
                f"{row['wengert']:,}",
                times(ratio["deriving"]),
                times(ratio["evaluating"]),
            )
            for row, ratio in zip(found, taken, strict=True)
        ),
    ]


def _markdown(rows: list[tuple[str, ...]]) -> str:
    head, *rest = rows
    lines = [head, ("---:",) * len(head), *rest]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def filled(page: str, made: dict[str, str]) -> str:
    """The page with the tables in their places, which comments mark."""
    for name, text in made.items():
        place = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- /measured -->)", re.S)
        page, count = place.subn(lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page)
        if count != 1:
            raise ValueError(f"{PAGE.name} has {count} places for {name!r}")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the results and the page")
    options = parser.parse_args()
    wg.set_threads(1)
    found = exact()
    packages = ("wengert", "numpy", "sympy")
    results = {
        "date": date.today().isoformat(),
        "versions": ", ".join(f"{name} {version(name)}" for name in packages)
        + f", Python {platform.python_version()}",
        "exact": found,
        "measured": measured(found),
    }
    made = tables(results)
    print("\n\n".join(f"{name}\n{text}" for name, text in made.items()))
    if options.write:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(filled(PAGE.read_text("utf-8"), made), "utf-8")


if __name__ == "__main__":
    main()
