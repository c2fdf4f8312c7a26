"""Writes docs/coverage.md: what is supported, read off the registries.

    python docs/make_coverage.py

`make docs-coverage` runs it, and tests/test_docs.py holds that the page is current. The same code
and the same NumPy give the same page.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy

import wengert as wg
import wengert.scipy as wengert_scipy
from wengert.graph.op import OPS, Absent, Op, Zero
from wengert.graph.registry import NUMPY, UFUNCS
from wengert.graph.types import SUPPORTED, array_type
from wengert.ops.families import NOT_LINEAR, batch_by_loop
from wengert.scipy.namespace import REASONS as SCIPY_REASONS
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

PAGE = Path(__file__).with_name("coverage.md")

MODULES: dict[str, ModuleType] = {
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
}

FAMILIES = {
    "leaf": "Leaves: values that a trace is given, and constants",
    "name": "Names of other values",
    "elementwise": "Elementwise",
    "movement": "Movement: shapes, axes, slices, joining",
    "indexing": "Indexing with integer arrays",
    "reduction": "Reductions and scans",
    "contraction": "Products",
    "opaque": "Integer and boolean results",
    "transform": "Transforms of Fourier's and their kin",
    "factorisation": "Factorisations, and what is computed by one",
    "spectral": "Derivatives of eigenvectors and singular vectors",
    "determinant": "Determinants",
    "linear system": "Linear systems",
    "linear solve": "Banded linear systems",
    "matrix equation": "Equations for matrices",
    "matrix function": "Functions of matrices",
    "several": "Special functions of several results",
    "sampling": "Quantiles for random draws",
    "holder": "Holders: loops, branches, solutions, rules and functions of the user's",
}

# Printing, files, settings, types, and what is made of known numbers alone.
_LEFT_OUT = """
    array2string array_repr array_str asmatrix base_repr binary_repr bmat broadcast_shapes
    busday_count busday_offset datetime_as_string datetime_data diag_indices einsum_path
    format_float_positional format_float_scientific from_dlpack frombuffer fromfile fromfunction
    fromiter frompyfunc fromregex fromstring genfromtxt get_include get_printoptions getbufsize
    geterr geterrcall identity indices info is_busday isdtype isfortran isnat isscalar issubdtype
    iterable load loadtxt mask_indices mintypecode nested_iters printoptions promote_types save
    savetxt savez savez_compressed set_printoptions setbufsize seterr seterrcall show_config
    show_runtime test tri tril_indices triu_indices typename
    bartlett blackman hamming hanning fftfreq rfftfreq
"""
NOTHING_TO_TRACE = frozenset(_LEFT_OUT.split())


def page() -> str:
    """The whole page."""
    parts = [_head(), _ops(), _functions(), _members(), _refused(), _missing(), *_scipy()]
    return "\n".join(parts)


def _head() -> str:
    version, scipys = (".".join(package.__version__.split(".")[:2]) for package in (np, scipy))
    return f"""\
# What is covered

Generated with NumPy {version} and SciPy {scipys} by `make docs-coverage`; do not edit. A function
that is not listed here is refused by name when it meets a traced value. `wengert.primitive` takes
functions that cannot be traced, with derivatives that you state.
"""


# ------------------------------------------------------------------------------------- ops


def _ops() -> str:
    lines = [
        "## Elementary operations",
        "",
        f"{len(OPS)} records. *Kinds* are the dtype kinds that the tests draw: b boolean, i and u",
        "integer, f float32 and float64, c complex64 and complex128. A derivative is a *rule*,",
        "*zero* wherever it exists, or absent with the reason. An op with a transpose is linear in",
        "at least one input. *Batch* tells how the op acts on many instances at once, for",
        "Jacobians and `vmap`: *loop* is one instance at a time. *Pattern* tells how sparsity is",
        "found: by a *rule*, or by the *union* of all inputs. *Native* ops have rules for",
        "machine code (factorisations: for small real matrices); the others are calls of NumPy or",
        "SciPy in compiled programs (leaves, and holders that give way to what they hold, need no",
        "rule).",
        "",
    ]
    unknown = {op.family for op in OPS.values()} - set(FAMILIES)
    for family, title in {**FAMILIES, **{name: name for name in sorted(unknown)}}.items():
        records = sorted((op for op in OPS.values() if op.family == family), key=_name)
        lines += [f"### {title}", ""]
        lines += _table(
            ("op", "written", "kinds", "derivative", "transpose", "batch", "pattern", "native"),
            map(_record, records),
        )
        lines.append("")
    return "\n".join(lines)


def _name(op: Op) -> str:
    return op.name


def _record(op: Op) -> tuple[str, ...]:
    kinds = getattr(op.domain, "kinds", "")
    return (
        _code(op.name),
        _code(op.label.format(*"xyzuvwpqr", k="k")),
        kinds or "–",
        _slot(op.pushforward),
        "–" if op.transpose is NOT_LINEAR else _slot(op.transpose, "yes"),
        "loop" if op.batch is batch_by_loop else _slot(op.batch, "yes"),
        "union" if isinstance(op.sparsity, Absent) else _slot(op.sparsity),
        "–" if isinstance(op.native, Absent) else "yes",
    )


def _slot(slot: Any, rule: str = "rule") -> str:
    if isinstance(slot, Absent):
        return f"absent: {slot.reason}"
    return "zero" if isinstance(slot, Zero) else rule


# ------------------------------------------------------------------------------- functions


def _functions() -> str:
    lines = ["## NumPy functions", ""]
    seen: set[Any] = set()
    undispatched: list[str] = []
    for title, module in MODULES.items():
        names = []
        for name in _public(module):
            function = getattr(module, name)
            if function in NUMPY and not isinstance(function, np.ufunc):
                seen.add(function)
                (names if hasattr(function, "_implementation") else undispatched).append(name)
        if names:
            lines += [f"### `{title}`", "", _list(names), ""]
    others = {
        f"{function.__module__}.{function.__name__}"
        for function in NUMPY
        if function not in seen and not isinstance(function, np.ufunc) and not _is_scipys(function)
    }
    if others:
        lines += ["### Elsewhere in NumPy", "", _list(others), ""]
    if undispatched:
        lines += [
            "### In `wengert.numpy`",
            "",
            "NumPy hands calls of these to nobody. The functions of the same names in",
            "`wengert.numpy` take traced values, and are NumPy's own where nothing is traced.",
            "",
            _list(undispatched),
            "",
        ]
    lines += ["### Universal functions", "", _list(map(_ufunc_name, _ufuncs())), ""]
    lines += ["With their methods:", ""]
    for method, call in UFUNC_METHODS.items():
        able = [_ufunc_name(ufunc) for ufunc in _ufuncs() if _works(ufunc, method, call)]
        lines += [*_list(able, f"- `{method}`: ").splitlines()] if able else []
    lines.append("")
    return "\n".join(lines)


def _public(module: ModuleType) -> list[str]:
    """The names of functions of a module, sorted."""
    found = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return sorted(
        name
        for name, value in found.items()
        if callable(value) and not isinstance(value, type) and not inspect.ismodule(value)
    )


def _ufuncs() -> list[Any]:
    known = {*UFUNCS, *(function for function in NUMPY if isinstance(function, np.ufunc))}
    return sorted((ufunc for ufunc in known if not _is_scipys(ufunc)), key=_ufunc_name)


def _ufunc_name(ufunc: Any) -> str:
    name: str = ufunc.__name__
    return name


def _is_scipys(function: Any) -> bool:
    if isinstance(function, np.ufunc):
        return getattr(np, function.__name__, None) is not function
    module: str | None = getattr(function, "__module__", None)
    return (module or "scipy").startswith("scipy")


UFUNC_METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "reduce": lambda ufunc, x: ufunc.reduce(x),
    "accumulate": lambda ufunc, x: ufunc.accumulate(x),
    "outer": lambda ufunc, x: ufunc.outer(x, x),
    "at": lambda ufunc, x: ufunc.at(x, [0, 0], x[:2]),
}


def _works(ufunc: Any, method: str, call: Callable[[Any, Any], Any]) -> bool:
    """Whether a ufunc method can be traced: tried on small arrays."""
    if ufunc.nin != 2 or ufunc.nout != 1 or ufunc.signature is not None:
        return False
    for dtype in "d", "l", "?":
        with outermost() as session:
            value = np.ones(3, dtype)
            x = Tracer(session.input(value, array_type(value.shape, value.dtype)), session)
            try:
                call(ufunc, x)
            except (wg.WengertError, TypeError, ValueError):
                continue
            return True
    return False


# --------------------------------------------------------------------- members, refusals


def _members() -> str:
    """Those of ndarray, by whether traced arrays have them."""
    names = [name for name in dir(np.ndarray) if not name.startswith("_")]
    refused = [name for name in names if _is_refused(name)]
    return "\n".join(
        [
            "## Methods and attributes of traced arrays",
            "",
            _list(name for name in names if name not in refused),
            "",
            "Refused by name:",
            "",
            _list(refused),
            "",
        ]
    )


def _is_refused(name: str) -> bool:
    member = inspect.getattr_static(Tracer, name, None)
    return isinstance(member, property) and "_refusal" in getattr(member.fget, "__qualname__", "")


def _refused() -> str:
    kinds = sorted({dtype.name for dtype in SUPPORTED}, key=lambda name: np.dtype(name).num)
    given: dict[str, Any] = {
        f"an array of {np.dtype(code).type.__name__}": np.ones(2, code)
        for code in "egGOSUV"
        if np.dtype(code) not in SUPPORTED
    }
    given["an array of datetime64"] = np.zeros(2, "M8[s]")
    given["an array of timedelta64"] = np.zeros(2, "m8[s]")
    given["a masked array"] = np.ma.array([1.0, 2.0])
    given["an `np.matrix`"] = np.ones((2, 2)).view(np.matrix)
    rows = [(what, _error(value)) for what, value in given.items()]
    return "\n".join(
        [
            "## Kinds of arrays",
            "",
            "Traced:",
            "",
            _list(kinds),
            "",
            "Refused by name, with an error that says how to convert them:",
            "",
            *_table(("given", "error"), rows),
            "",
        ]
    )


def _error(value: Any) -> str:
    """What `grad` raises for this argument."""
    try:
        wg.grad(lambda x: 1.0)(value)
    except wg.WengertError as error:
        return _code(type(error).__name__)
    raise AssertionError(f"{value!r} is not refused")


def _missing() -> str:
    lines = [
        "## NumPy functions without an implementation",
        "",
        "Given traced floating arrays they raise an error: `Unsupported`, which names them, or",
        "`DroppedTracer` where NumPy would make a plain array of a traced one. What has nothing to",
        "trace is left out: printing, files, settings, types, and what is made of known numbers.",
        "",
    ]
    for title, module in MODULES.items():
        names = [
            name
            for name in _public(module)
            if getattr(module, name) not in NUMPY
            and getattr(module, name) not in UFUNCS
            and name not in NOTHING_TO_TRACE
        ]
        if names:
            lines += [f"### `{title}`", "", _list(names), ""]
    return "\n".join(lines).rstrip() + "\n"


# ----------------------------------------------------------------------------------- SciPy


def _scipy() -> list[str]:
    """A section for each module of `wengert.scipy`."""
    names = sorted(info.name for info in pkgutil.iter_modules(wengert_scipy.__path__))
    pairs = [
        (importlib.import_module(f"scipy.{name}"), importlib.import_module(f"wengert.scipy.{name}"))
        for name in names
        if importlib.util.find_spec(f"scipy.{name}") is not None
    ]
    return [_scipy_module(theirs, ours) for theirs, ours in pairs]


def _scipy_module(theirs: ModuleType, ours: ModuleType) -> str:
    """What of a module of SciPy is traced, what is refused and why, and what has no rule."""
    traced, missing = [], []
    refusals: dict[str, list[str]] = {}
    for name in sorted(theirs.__all__):
        value = getattr(theirs, name)
        if not callable(value) or isinstance(value, type):
            continue
        if value in SCIPY_REASONS:
            refusals.setdefault(SCIPY_REASONS[value], []).append(name)
        elif value in NUMPY or value in UFUNCS or vars(ours).get(name, value) is not value:
            traced.append(name)
        else:
            missing.append(name)
    lines = [f"## `{theirs.__name__}`", ""]
    lines += [f"Traced, in `{ours.__name__}`:", "", _list(traced), ""]
    if refusals:
        rows = [(_names(names), reason) for reason, names in sorted(refusals.items())]
        lines += ["Refused by name:", "", *_table(("function", "reason"), rows), ""]
    if missing:
        lines += ["SciPy's own, for plain arrays alone:", "", _list(missing), ""]
    return "\n".join(lines)


# -------------------------------------------------------------------------------- Markdown


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _list(names: Iterable[str], start: str = "") -> str:
    text = _names(names)
    return textwrap.fill(
        text,
        width=100,
        initial_indent=start,
        subsequent_indent="  " if start else "",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")
