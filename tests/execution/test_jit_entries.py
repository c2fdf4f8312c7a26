"""jit with call entries: all that holds of jit holds of it, and Python runs no more than needed.

The programs are the interpreter under the calling convention of machine code.
"""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref

import numpy as np
import pytest
import test_jit_calls
from calling_programs import hosted
from test_jit_calls import Counted, Layer, Point, X, smooth

from wengert import grad, jit, primitive
from wengert.execution import paths
from wengert.execution.jit import Jitted
from wengert.execution.paths import MOST_FORMS


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """The programs that were made, in order."""
    made = []

    def remembered(outputs, inputs):
        made.append(hosted(outputs, inputs))
        return made[-1]

    monkeypatch.setattr(paths, "machine_code", remembered)
    return made


globals().update(
    {name: test for name, test in vars(test_jit_calls).items() if name.startswith("test_")}
)


def doubled(tree):
    if isinstance(tree, dict):
        return {key: doubled(part) for key, part in tree.items()}
    if isinstance(tree, Point):
        return Point(*map(doubled, tree))
    if isinstance(tree, tuple | list):
        return type(tree)(map(doubled, tree))
    if isinstance(tree, Layer):
        return Layer(doubled(tree.weights), doubled(tree.bias))
    return None if tree is None else tree * 2


def only_entries(f):
    """What the entries of a function do not answer is traced anew."""
    f._paths.clear()
    return f


@pytest.mark.parametrize(
    "args",
    [
        (X,),
        (2.0,),
        (np.float32(2),),
        ([X, 2.0],),
        ({"b": X, "a": (2.0, None)},),
        (Point(X, 1.0),),
        (X, [1, 1j, True]),
    ],
    ids=str,
)
def test_known_calls_run_no_python(args, programs):
    f = Counted(lambda *trees: [doubled(tree) for tree in trees])
    compiled = jit(f)
    first = compiled(*args)
    (program,) = programs
    for k in range(1, 4):
        assert repr(only_entries(compiled)(*args)) == repr(first)
        assert (f.runs, program.code.runs) == (1, k + 1)


def test_results_of_other_structures():
    f = Counted(lambda x: Layer(x * 2, {"k": np.ones(2), "p": Point(x, None)}))
    compiled = jit(f)
    compiled(X)
    found = only_entries(compiled)(X + 1)
    assert f.runs == 1
    assert type(found) is Layer
    assert found.weights.tolist() == [4.0, 6.0, 8.0]
    assert found.bias["k"].tolist() == [1.0, 1.0]
    assert found.bias["p"].x.tolist() == [2.0, 3.0, 4.0]
    assert found.bias["k"] is not compiled(X).bias["k"]


def test_arguments_of_other_structures_run_the_program(programs):
    f = Counted(lambda layer: layer.weights * layer.bias)
    compiled = jit(f)
    for k in range(3):
        assert compiled(Layer(X, 2.0 + k)).tolist() == (X * (2.0 + k)).tolist()
    assert f.runs == 1
    assert programs[0].code.runs == 3


@pytest.mark.parametrize("kind", ["strided", "swapped", "read-only", "subclass"])
def test_arrays_that_no_entry_takes_run_the_program(kind, programs):
    x = np.arange(6.0).reshape(2, 3)
    other = {
        "strided": np.asfortranarray(x),
        "swapped": x.astype(">f8"),
        "read-only": np.broadcast_to(x[:1], (2, 3)),
        "subclass": x.view(type("Own", (np.ndarray,), {})),
    }[kind]
    f = Counted(lambda x: x * 3)
    compiled = jit(f)
    compiled(x)
    for _ in range(2):
        assert compiled(other).tolist() == (x * 3 if kind != "read-only" else other * 3).tolist()
    assert f.runs == (2 if kind == "swapped" else 1)  # another byte order, another signature
    assert sum(program.code.runs for program in programs) == 3


def test_guards_choose_the_path(programs):
    f = Counted(lambda x: x * 2 if x > 0 else -x)
    compiled = jit(f)
    compiled(1.0), compiled(-1.0)
    only_entries(compiled)
    assert [compiled(x) for x in (3.0, -3.0, 4.0, 0.0)] == [6.0, 3.0, 8.0, 0.0]
    assert f.runs == 2
    assert np.isnan(compiled(float("nan")))
    assert f.runs == 2  # nan > 0 is False, as for a negative number
    assert len(programs) == 2


def test_captured_arrays_are_read_at_each_call():
    held = np.array([1.0, 2.0])
    f = Counted(lambda x: x * held)
    compiled = jit(f)
    compiled(1.0)
    held[:] = 5
    assert only_entries(compiled)(2.0).tolist() == [10.0, 10.0]
    assert f.runs == 1


def test_captured_arrays_that_no_entry_takes():
    held = np.arange(6.0).reshape(2, 3)
    f = Counted(lambda x: x * held.T)
    compiled = jit(f)
    for x in (1.0, 2.0):
        assert compiled(x).tolist() == (x * held.T).tolist()
    held[:] = 1
    assert compiled(2.0).tolist() == np.full((3, 2), 2.0).tolist()
    assert f.runs == 1


def test_static_arguments_known_again_and_anew():
    f = Counted(lambda x, c, mode: x * c if mode == "times" else x + c)
    compiled = jit(f, static_argnums=1, static_argnames="mode")
    constant = 3.5
    for _ in range(3):
        assert compiled(2.0, constant, mode="times") == 7.0
    only_entries(compiled)
    assert compiled(3.0, constant, mode="times") == 10.5
    assert f.runs == 1
    for _ in range(3 * MOST_FORMS):
        assert compiled(2.0, float("3.5"), mode="times") == 7.0
        assert compiled(2.0, constant, mode="".join(["pl", "us"])) == 5.5
    assert f.runs == 3


def test_methods():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @jit
        def of_arrays(self, x):
            return self * x

        apply = jit(lambda self, x: self.scale * x, static_argnums=0)

    one, two = Model(2.0), Model(3.0)
    for _ in range(3):
        assert (one.apply(X) == 2 * X).all()
        assert (two.apply(X) == 3 * X).all()
    assert (Model.of_arrays(X, X) == X * X).all()
    assert (Model.of_arrays.__get__(X)(X) == X * X).all()


def test_inside_a_trace():
    compiled = jit(smooth)
    exact = np.sin(2 * X)
    compiled(X)
    np.testing.assert_allclose(grad(compiled)(X), exact, rtol=1e-13)
    f = grad(lambda x: np.sum(x * compiled(X)))
    np.testing.assert_allclose(f(X), np.full(3, smooth(X)), rtol=1e-15)


@primitive
def root(x):
    if x < 0:
        raise ValueError("negative")
    return np.float64(x**0.5)


def test_errors_come_from_the_function():
    def f(x):
        if x > 100:
            raise KeyError("large")
        return root(x)

    compiled = jit(f)
    for _ in range(2):
        assert compiled(4.0) == 2.0
        with pytest.raises(KeyError, match="large"):
            compiled(200.0)
        with pytest.raises(ValueError, match="negative"):
            compiled(-1.0)


def cubed(x, /, *, scale=1.0):
    """The third power."""
    return scale * x**3


jitted = jit(cubed)


def test_the_object_stands_for_the_function():
    assert type(jitted) is Jitted
    assert repr(jitted) == "<jit of cubed>"
    assert (jitted.__name__, jitted.__doc__) == ("cubed", "The third power.")
    assert (jitted.__module__, jitted.__wrapped__) == (__name__, cubed)
    assert str(inspect.signature(jitted)) == "(x, /, *, scale=1.0)"
    again = pickle.loads(pickle.dumps(jitted))
    assert type(again) is Jitted
    assert again(2.0, scale=2.0) == 16.0
    assert copy.deepcopy(jitted) is jitted
    assert Jitted.__module__ == "wengert.execution.jit"
    assert "under `jit`" in Jitted.__doc__


def test_a_function_and_what_it_captured_are_let_go():
    def make():
        held = np.ones(3)
        compiled = jit(lambda x: x + held)
        assert compiled(X).tolist() == compiled(X).tolist() == [2.0, 3.0, 4.0]
        return weakref.ref(held), weakref.ref(compiled)

    gone = make()
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
