"""Code that nobody wrote for traced arrays: modules that would drop them are adopted."""

from __future__ import annotations

import builtins
import copy
import math
import pickle
import types
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest

import wengert as wg
from support import numeric_grad
from wengert.adopting.adoption import adopted

X = np.array([0.3, 0.8, 1.7])


@pytest.fixture(autouse=True)
def adoption():
    with wg.adoption("on"):
        yield
    wg.unadopt()


HEADER = "import math, cmath\nimport numpy as np\nfrom numpy import array, zeros\n"


def made(source: str, name: str = "nobodys") -> types.ModuleType:
    """A module of this source, which imports NumPy first."""
    module = types.ModuleType(name)
    exec(compile(HEADER + source, f"<{name}>", "exec"), vars(module))
    return module


SOURCES = {
    "array of a list": "return np.sum(np.array([x[0] * x[1], x[2]]) ** 2)",
    "array by name": "return np.sum(array([[x[0], 1.0], [x[1], x[2]]]) @ x[:2])",
    "asarray": "return np.sum(np.asarray(x) ** 3)",
    "asarray of a dtype": "return np.sum(np.asarray(x, dtype=float) ** 3)",
    "full": "return np.prod(np.full(3, x[0]) + x)",
    "assign": "y = np.zeros(3)\n    for i in range(3): y[i] = x[i] ** i\n    return y.sum() * y[1]",
    "assign by name": (
        "y = zeros((2, 2))\n    y[0, 1:] = x[:1]\n    y += x[1]\n    return np.sum(y**2)"
    ),
    "assign into a list's array": "y = np.array([1.0, 2.0])\n    y[0] = x[1]\n    return y @ y",
    "assign into a copy": "y = np.arange(3.0)\n    y[1] = x[1]\n    return np.sum(y**2)",
    "accumulate": "y = np.empty(3)\n    y[:] = x\n    y *= x\n    return y.sum()",
    "fill": "y = np.empty(3)\n    y.fill(x[0])\n    return y @ y",
    "out": "y = np.empty(3)\n    np.exp(x, out=y)\n    return y.sum()",
    "math": "return math.sin(x[0]) * math.exp(x[1]) + math.pow(x[2], 3) + math.log(x[2], 10)",
    "math of sequences": "return math.hypot(*x) + math.fsum(x) ** 2 + math.dist(x, [1, 2, 3])",
    "special functions of math": "return math.erf(x[0]) + math.lgamma(x[1]) + math.gamma(x[2])",
    "cmath": "return abs(cmath.exp(x[0] + 1j * x[1])) + cmath.phase(complex(x[1], x[2]))",
    "questions of math": (
        "near = math.isclose(x[0], 0.3, rel_tol=0.5)\n    "
        "return x[0] if math.isfinite(x[0]) and near else x[1]"
    ),
    "float": "return float(x[0]) ** 2 * float(x[1])",
    "float among others": "y = np.zeros(2, dtype=float)\n    return float(x[0]) * np.sum(y + x[1])",
    "float of a comprehension": "return sum([float(v) ** 2 for v in x])",
    "complex": "return abs(complex(x[0], x[1])) ** 2 + complex(x[2]).real",
    "np.float64": "return np.float64(x[0]) * np.sum(np.ones(2, dtype=np.float64) * x[1])",
    "mean of a list": "return np.mean([x[0], x[1] * 2.0, 3.0]) * np.max([x[0], x[2]])",
    "ufunc of a list": "return np.sum(np.sqrt([x[0], x[1]]))",
    "norm of a list": "return np.linalg.norm([x[0], x[1], 1.0])",
    "fromiter": "return np.sum(np.fromiter((v * v for v in x), dtype=float))",
    "vectorize": "return np.sum(np.vectorize(lambda v, w: v * w if v > 0.5 else w)(x, 2.0) * x)",
    "ndenumerate": "return sum(v * (1 + i[0]) for i, v in np.ndenumerate(x))",
    "isinstance": (
        "y = np.array([x[0]])\n    return np.sum(y) if isinstance(x, np.ndarray) else 7.0 * x[0]"
    ),
    "isinstance of a scalar": (
        "v = np.array([x[0]])[0]\n    return v if isinstance(v, float) else 7 * v"
    ),
    "hasattr": "v = math.sin(x[0])\n    return v if not hasattr(v, '__len__') else v[0]",
    "isscalar": "v = math.sin(x[0])\n    return v if np.isscalar(v) else 7 * v",
    "import inside": "import numpy as qp\n    return np.sum(qp.array([x[0], x[1] ** 2]))",
    "import from inside": "from math import sin\n    return sin(x[0]) * np.sum(np.array([x[1]]))",
    "default": "def g(x, make=np.array): return make([x[0], x[1]])\n    return g(x) @ g(x)",
}


@pytest.mark.parametrize("case", SOURCES)
def test_unmodified_code_differentiates(case):
    module = made(f"def f(x):\n    {SOURCES[case]}\n")
    before = dict(vars(module))
    code = module.f.__code__
    want = numeric_grad(lambda x: np.asarray(module.f(x)).real[()], X)
    assert vars(module) == before  # NumPy alone has run so far
    value, found = wg.value_and_grad(module.f)(X)
    np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(value, module.f(X), rtol=1e-14)
    assert type(module.f(X)) in (float, np.float64)
    np.testing.assert_allclose(wg.jacfwd(module.f)(X), want, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(wg.grad(wg.jit(module.f))(X), want, rtol=1e-9, atol=1e-10)
    wg.unadopt(module.f)
    assert vars(module) == before
    assert module.f.__code__ is code
    assert adopted(vars(module)) is None


MODULES = {
    "a class": """
class Model:
    make = staticmethod(np.array)
    sine = math.sin
    def __init__(self, x): self.x = x
    def value(self, asarray=np.asarray): return np.sum(asarray([self.x[0], self.sine(self.x[1])]))
    @property
    def total(self): return self.make([self.x[0] ** 2, self.x[2]]).sum()
    @classmethod
    def of(cls, x): return cls(np.array([x[0], x[1], x[2]]))
def f(x):
    model = Model.of(x)
    return model.value() * model.total
""",
    "keyword defaults": """
def g(x, *, make=np.array): return make([x[0], x[1]])
def f(x): return g(x).sum() * g(x)[0]
""",
    "decorated": """
import functools
def twice(f):
    @functools.wraps(f)
    def wrapper(x): return f(x) + f(x)
    return wrapper
@twice
def f(x): return np.prod(np.array([x[0], math.sin(x[1])]))
""",
    "a closure": """
def make():
    import numpy as qp
    from math import cos
    def f(x): return qp.sum(qp.array([x[0], cos(x[1])]) ** 2)
    return f
f = make()
""",
    "a table": """
TABLE = {"sin": math.sin, "cos": math.cos}
ROW = [math.exp]
def f(x): return TABLE["sin"](x[0]) * TABLE["cos"](x[1]) * ROW[0](x[2])
""",
    "a helper that is given arrays": """
def fill(y, x):
    for i in range(len(x)): y[i] = x[i] ** 2
def f(x):
    y = np.zeros(3)
    fill(y, x)
    return y.sum() * y[0]
""",
    "an array that is shared": """
DATA = np.array([1.0, 2.0, 3.0])
def f(x):
    view = np.asarray(DATA)
    assert view is DATA
    y = np.zeros(3)
    y[:] = x * view
    return y @ y
""",
}


@pytest.mark.parametrize("case", MODULES)
def test_modules(case):
    module = made(MODULES[case])
    want = numeric_grad(module.f, X)
    np.testing.assert_allclose(wg.grad(module.f)(X), want, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(numeric_grad(module.f, X), want, rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------- what stays as it was


@pytest.fixture
def plain_module():
    """A module that is adopted, all of it."""
    module = made("def f(x): return isinstance(x, float) and float(x) and array([x])\n")
    wg.adopt(module)
    return module


def test_stand_ins_are_numpy_where_nothing_is_traced(plain_module):
    ours, square = plain_module.np, np.arange(6.0).reshape(2, 3)
    assert isinstance(ours, types.ModuleType)
    assert ours.__name__ == "numpy"
    assert ours is not np
    assert dir(ours) == dir(np)
    for name in ("ndarray", "float64", "dtype", "pi", "errstate", "random", "newaxis", "generic"):
        assert getattr(ours, name) is getattr(np, name)
    for name in ("mean", "add", "std", "linalg"):
        assert getattr(ours, name) is getattr(np, name)
    for name in ("array", "asarray", "zeros", "full", "arange", "fromiter"):
        assert getattr(ours, name).__name__ == name
        assert getattr(ours, name).__doc__.split()[:3] == getattr(np, name).__doc__.split()[:3]
    assert ours.asarray(square) is square
    assert type(ours.zeros(3)) is np.ndarray
    assert type(ours.array([1, 2])) is np.ndarray
    assert ours.array([1, 2]).dtype == np.array([1, 2]).dtype
    assert ours.array([[1.0]], ndmin=3, dtype=np.float32).shape == (1, 1, 1)
    assert ours.add.reduce(square) is not None
    assert ours.linalg.norm([3.0, 4.0]) == 5.0
    assert ours.vectorize(lambda v: v + 1)(square).tolist() == (square + 1).tolist()
    assert type(plain_module.math.sin(1)) is float
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        plain_module.math.sqrt(-1.0)
    with pytest.raises(TypeError):
        plain_module.math.sin("1")
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = ours.nothing_of_this_name


def test_stand_ins_pickle_and_copy(plain_module):
    for stand_in in (plain_module.array, plain_module.math.sin, plain_module.np.zeros):
        again = pickle.loads(pickle.dumps(stand_in))
        assert again is stand_in
        assert copy.deepcopy(stand_in) is stand_in
    lists = made("def f(x): return np.mean([x, x]) + np.sum([x, x])\n")
    assert wg.grad(lists.f)(1.0) == 3.0
    assert lists.np.mean is not np.mean
    assert pickle.loads(pickle.dumps(lists.np.mean))([1.0, 3.0]) == 2.0


def test_what_is_assigned_to_a_stand_in_is_assigned_to_numpy(plain_module):
    plain_module.np.of_a_test = 3
    try:
        assert np.of_a_test == 3
    finally:
        del plain_module.np.of_a_test
    assert not hasattr(np, "of_a_test")
    assert not hasattr(plain_module.np, "of_a_test")


def test_classes_keep_unbound_functions_unbound():
    module = made("class A:\n    make = np.array\n    def f(self, x): return self.make([x, x])\n")
    wg.adopt(module)
    assert module.A().f(1.0).tolist() == [1.0, 1.0]
    assert wg.grad(lambda x: np.sum(module.A().f(x)))(1.0) == 2.0
    wg.unadopt(module)
    assert module.A.make is np.array


def test_only_calls_of_float_are_replaced():
    source = """
def f(x):
    y = float(x)
    z = np.zeros(1, dtype=float)
    kinds = {float: "float", complex: "complex"}
    assert z.dtype == np.float64
    assert isinstance(1.0, float)
    assert type(1.0) is float
    assert list(map(float, [1])) == [1.0]
    return y * y, kinds[type(1.0)]
"""
    module = made(source)
    assert wg.grad(module.f, has_aux=True)(3.0) == (6.0, "float")
    assert module.f(3.0) == (9.0, "float")
    assert module.f.__code__.co_firstlineno == 5
    assert "float" not in vars(module)


def test_what_the_user_changes_meanwhile_stays():
    module = made("def f(x): return np.sum(array([x, x]))\n")
    wg.adopt(module)
    own = object()
    module.zeros = own
    wg.unadopt(module)
    assert module.zeros is own
    assert module.np is np


# ------------------------------------------------------------- when it happens, and how often


def test_one_more_trace_the_first_time_and_none_later():
    module = made(
        "calls = []\ndef f(x):\n    calls.append(1)\n    return np.sum(np.array([x, x]))\n"
    )
    gradient = wg.grad(module.f)
    assert gradient(1.0) == 2.0
    assert len(module.calls) == 2
    assert gradient(1.0) == 2.0
    assert len(module.calls) == 3


def test_an_exception_that_the_function_catches_is_its_own():
    source = """
def f(x):
    try:
        return float(x)
    except TypeError:
        return x * x
"""
    module = made(source)
    assert wg.grad(module.f)(3.0) == 6.0
    assert adopted(vars(module)) is None


def test_an_exception_raised_in_its_place_is_cured():
    source = """
def f(x):
    try:
        return float(x) ** 2
    except TypeError:
        raise ValueError("not a number")
"""
    assert wg.grad(made(source).f)(3.0) == 6.0


def test_other_exceptions_are_left_alone():
    module = made("calls = []\ndef f(x):\n    calls.append(1)\n    raise ValueError(array)\n")
    with pytest.raises(ValueError, match="built-in function array"):
        wg.grad(module.f)(3.0)
    assert len(module.calls) == 1


def test_off():
    module = made("def f(x): return math.sin(x)\n")
    with wg.adoption("off"):
        with pytest.raises(wg.WengertError, match="derivative lost") as caught:
            wg.grad(module.f)(0.0)
        assert "adoption is off" in "".join(caught.value.__notes__)
    assert wg.grad(module.f)(0.0) == 1.0
    with pytest.raises(wg.WengertError, match='"on" or "off"'):
        wg.adoption("sometimes")


@pytest.mark.parametrize("case", ["a method", "an array from outside", "C code"])
def test_what_cannot_be_cured_says_where_and_is_left_as_it_was(case, tmp_path):
    source = {
        "a method": "EYE = np.eye(3)\ndef f(x):\n    return np.sum(EYE.dot(x))\n",
        "an array from outside": "Y = np.zeros(3)\ndef f(x):\n    Y[0] = x[0]; return Y.sum()\n",
        "C code": "def f(x):\n    return np.random.default_rng(0).normal(x[0])\n",
    }[case]
    path = tmp_path / "incurable.py"
    path.write_text(HEADER + source, encoding="utf-8")
    module = types.ModuleType("incurable")
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    before = dict(vars(module))
    with pytest.raises(wg.WengertError, match=r"derivative (would be )?lost") as caught:
        wg.grad(module.f)(X)
    note = "".join(caught.value.__notes__)
    assert "adoption cannot cure this" in note
    assert f"{path}:" in note
    assert source.rstrip().split("\n")[-1].strip() in note
    assert dict(vars(module)) == before


def test_the_log_says_what_was_adopted(caplog):
    module = made("def f(x): return math.sin(x)\n", "logged")
    with caplog.at_level("INFO", "wengert"):
        wg.grad(module.f)(0.0)
    (record,) = caplog.records
    assert "adopted logged" in record.getMessage()
    assert "<logged>" in record.getMessage()


def test_opaque_functions_of_an_adopted_module_meet_plain_arrays():
    source = """
kinds = []
def inner(x):
    y = np.zeros(2)
    y[0] = x
    kinds.append(type(y))
    return float(y.sum())
def f(x):
    z = np.zeros(1)
    z[0] = opaque(x) * x
    return z[0]
"""
    module = made(source)
    module.opaque = wg.primitive(module.inner)
    wg.defjvp(module.opaque, lambda t, y, x: t)
    wg.adopt(module)
    assert wg.grad(module.f)(3.0) == 6.0
    assert wg.jit(module.f)(3.0) == 9.0
    assert set(module.kinds) == {np.ndarray}


# --------------------------------------------------------------------------------- by hand


def test_by_hand():
    module = made("calls = []\ndef f(x):\n    calls.append(1)\n    return math.sin(x)\n")
    assert wg.adopt(module.f) is module.f
    assert wg.grad(module.f)(0.0) == 1.0
    assert len(module.calls) == 1
    assert wg.unadopt(module.f) is module.f
    assert module.math is math
    for wrong in (math.sin, 3, np, wg, "wengert.numpy"):
        with pytest.raises(TypeError, match="cannot be adopted"):
            wg.adopt(wrong)
    with pytest.raises(ModuleNotFoundError):
        wg.adopt("no.such.module")


def test_code_that_asks_and_drops_nothing_is_adopted_by_hand():
    module = made("def f(x): return x[0] if isinstance(x, np.ndarray) else 7.0 * x[0]\n")
    wg.adopt(module)
    np.testing.assert_array_equal(wg.grad(module.f)(X), [1.0, 0.0, 0.0])


def test_a_wrong_turn_after_a_question_is_retried():
    module = made("def f(x):\n    if np.isscalar(x): return x * x\n    return x[0]\n")
    assert wg.grad(module.f)(3.0) == 6.0


# --------------------------------------------------------------------------------- threads


def test_threads_adopt_at_once():
    source = """
def f(x):
    from math import cos
    y = np.zeros(2)
    y[0] = math.sin(x)
    y[1] = cos(float(x))
    return np.sum(np.array([y[0], y[1], x]))
"""
    for _ in range(5):
        module = made(source)
        start = Barrier(8)

        def run(x, module=module, start=start):
            start.wait()
            return float(wg.grad(module.f)(x))

        points = [0.1 * k for k in range(8)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(run, points))
        np.testing.assert_allclose(found, [math.cos(x) - math.sin(x) + 1.0 for x in points])
        wg.unadopt(module)
        assert module.np is np
        assert builtins.__import__.__module__ == "builtins"


def test_threads_use_a_module_while_it_is_adopted():
    module = made("def f(x): return math.sin(float(x)) + np.sum(array([x, x]))\n")
    stop = Event()
    want = math.sin(0.5) + 1.0

    def use():
        results = set()
        while not stop.is_set():
            results.add(float(module.f(0.5)))
        return results

    with ThreadPoolExecutor(2) as pool:
        users = [pool.submit(use) for _ in range(2)]
        for _ in range(20):
            assert wg.grad(module.f)(0.0) == 3.0
            wg.unadopt(module)
        stop.set()
        assert all(user.result() == {want} for user in users)
