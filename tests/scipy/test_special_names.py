"""Every public function of scipy.special is traced, or refused by name with a reason."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.errors import Unsupported
from wengert.graph.registry import NUMPY, UFUNCS
from wengert.scipy import special as ours
from wengert.scipy.special.refused import REFUSALS, REFUSED

NOT_FUNCTIONS = {"geterr", "seterr"}
"""They set how SciPy reports errors."""

FUNCTIONS = {
    name: getattr(special, name)
    for name in special.__all__
    if callable(getattr(special, name))
    and not isinstance(getattr(special, name), type)
    and name not in NOT_FUNCTIONS
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_traced_or_refused(name: str) -> None:
    function = FUNCTIONS[name]
    assert function in UFUNCS or function in NUMPY, f"{name} is neither traced nor refused"
    assert (name in REFUSED) == (NUMPY.get(function) in REFUSALS)
    assert getattr(ours, name) is not function, f"wengert.scipy.special.{name} is SciPy's own"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_functions_say_why(name: str) -> None:
    if not hasattr(special, name):
        pytest.skip("younger than the SciPy that is installed")
    assert len(REFUSED[name]) > 20
    arity = getattr(FUNCTIONS[name], "nin", 1)
    with pytest.raises(Unsupported, match=r"scipy\.special.* cannot be traced: "):
        wg.grad(lambda x: getattr(ours, name)(*[x] * arity))(1.5)


def test_untraced_calls_are_scipys() -> None:
    assert ours.expit(0.3) == special.expit(0.3)
    assert ours.zeta(2.0) == special.zeta(2.0)
    assert ours.roots_legendre(3)[0].tolist() == special.roots_legendre(3)[0].tolist()
    assert ours.SpecialFunctionError is special.SpecialFunctionError


def test_scipys_ufuncs_take_tracers_without_our_namespace() -> None:
    program = (
        "import sys, wengert as wg; assert 'scipy.special' not in sys.modules\n"
        "from scipy import special\n"
        "print(float(wg.grad(special.expit)(0.0)), float(wg.grad(special.airy_ai)(0.5)))"
    ).replace("special.airy_ai", "lambda x: special.airy(x)[0]")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    slope, airy = map(float, run.stdout.split())
    assert slope == 0.25
    assert airy == pytest.approx(special.airy(0.5)[1], rel=1e-15)


def test_unknown_ufuncs_are_refused() -> None:
    strange: Any = np.frompyfunc(lambda x: x, 1, 1)
    with pytest.raises(Unsupported, match="cannot be traced"):
        wg.grad(lambda x: strange(x))(1.0)
