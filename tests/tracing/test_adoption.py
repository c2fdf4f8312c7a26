"""Code that nobody wrote for traced arrays: modules that would drop them are adopted."""

from __future__ import annotations

import types

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
