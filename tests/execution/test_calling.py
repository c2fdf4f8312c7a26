"""Call entries: which calls they answer, and with what; both kinds do the same."""

from __future__ import annotations

import collections
import ctypes
import enum
import functools
import os
import pickle
import subprocess
import sys
import traceback

import numpy as np
import pytest
from calling_programs import (
    KINDS,
    Machine,
    Portable,
    copying,
    identity_entry,
    native,
    numbered,
    squaring_entry,
    types_of,
)

from wengert.execution.calling.callable import MOST_ENTRIES
from wengert.execution.calling.entries import (
    Constant,
    Entry,
    Items,
    Keyed,
    Made,
    NoEntry,
    Result,
    signature,
)
from wengert.graph.types import SUPPORTED, array_type

pytestmark = pytest.mark.parametrize("kind", KINDS)
X = np.array([1.0, -2.0, 3.0])
DTYPES = sorted(SUPPORTED, key=lambda dtype: dtype.num)


def same(found, expected):
    """Equal in type, dtype, shape and bits."""
    assert type(found) is type(expected)
    if isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        same(list(found.values()), list(expected.values()))
    elif isinstance(expected, np.ndarray | np.generic):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert found.tobytes() == expected.tobytes()
    else:
        assert found == expected


# --------------------------------------------------------------------------- what is answered

NUMBERS = [1.5, -0.0, float("inf"), 0, -1, 2**63 - 1, -(2**63), 10**9, True, False, 1 - 2j]


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_python_numbers(kind, value):
    f = kind()
    f.push_entry(identity_entry((type(value)(1),)))
    same(f(value), (np.asarray(value)[()],))
    assert f.calls == []


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.char)
def test_arrays_and_scalars_of_each_dtype(kind, dtype):
    rng = np.random.default_rng(0)
    f = kind()
    for shape in [(), (1,), (3,), (0,), (2, 0, 3), (4, 5), (2, 1, 3, 2)]:
        bits = rng.integers(0, 2, (*shape, dtype.itemsize), np.uint8)
        array = bits.view(dtype)[..., 0].copy() if shape else np.array(1, dtype)
        f.push_entry(identity_entry((array,)))
        same(f(array), (array if shape else array[()],))
        assert f(array)[0] is not array
    f.push_entry(identity_entry((dtype.type(1),)))
    same(f(dtype.type(0)), (dtype.type(0),))
    assert f.calls == []


def test_what_is_equal_in_all_that_counts(kind):
    """Another object for the dtype; strides of axes of extent 1; a read-only array."""
    f = kind()
    f.push_entry(identity_entry((np.zeros((1, 3)),)))
    frozen = np.ones((1, 3))
    frozen.flags.writeable = False
    other_strides = np.ones((4, 3))[:1]
    column = np.ones((3, 1)).T
    other_dtype = np.ones((1, 3)).view(np.dtype("f8", metadata={"unit": "m"}))
    unpickled = pickle.loads(pickle.dumps(np.ones((1, 3))))
    for array in (frozen, other_strides, column, other_dtype, unpickled):
        same(f(array), (np.ones((1, 3)),))
    assert f.calls == []


Pair = collections.namedtuple("Pair", "first second")


@pytest.mark.parametrize(
    "args",
    [
        (),
        ((),),
        (X, 2.0, [], {}),
        ((X, (1.0, X[:2])), [X, [np.float32(2)]]),
        ({"b": X, "a": [1.0, {"c": (2, X)}]}, Pair(X, Pair(1.0, None))),
        (None, X, {1: X, (2, "k"): None}),
    ],
    ids=str,
)
def test_structures(kind, args):
    f = kind()
    f.push_entry(identity_entry(args))
    found = f(*args)
    assert f.calls == []
    leaves = identity_entry(args).native.inputs
    assert len(found) == len(leaves)
    by_hand = []

    def walk(tree):
        if isinstance(tree, dict):
            for key in sorted(tree, key=str):
                walk(tree[key])
        elif isinstance(tree, tuple | list):
            for part in tree:
                walk(part)
        elif tree is not None:
            by_hand.append(np.asarray(tree)[()] if np.ndim(tree) == 0 else np.asarray(tree))

    walk(args)
    same(found, tuple(by_hand))


def test_equal_strings_are_the_same_key(kind):
    f = kind()
    f.push_entry(identity_entry(({"weights": X},)))
    same(f({"".join(["wei", "ghts"]): X}), (X,))
    assert f.calls == []


def test_keyword_arguments(kind):
    f = kind()
    f.push_entry(identity_entry((X,), {"scale": 2.0, "bias": X[:1]}))
    same(f(X, scale=3.0, bias=X[1:2]), (X, X[1:2], np.float64(3)))
    same(f(X, **{"".join(["sca", "le"]): 3.0, "bias": X[:1]}), (X, X[:1], np.float64(3)))
    assert f.calls == []
    others = [
        ((X,), {"bias": X[:1], "scale": 3.0}),
        ((X,), {"scale": 3.0}),
        ((X,), {"scale": 3.0, "bias": X[:1], "more": 1}),
        ((X,), {"scale": 3.0, "other": X[:1]}),
        ((X, 3.0, X[:1]), {}),
        ((), {"x": X, "scale": 3.0, "bias": X[:1]}),
    ]
    for args, kwargs in others:
        assert f(*args, **kwargs) == "slow"
        assert f.calls[-1] == (args, kwargs)


def test_static_arguments_are_known_by_identity(kind):
    marker = object()
    args = (X, marker, "mode", 1000)
    form = signature(args, {}, ([0, None, None, None], {}))
    f = kind()
    f.push_entry(Entry(form, copying(types_of(X)), (), (), Result(0)))
    same(f(X, marker, "".join(["mo", "de"]), int("1000")), X)
    assert f.calls == []
    for other in [
        (X, object(), "mode", 1000),
        (X, marker, "node", 1000),
        (X, marker, "mode", 1001),
        (X, marker, "mode", 1000.0),
    ]:
        assert f(*other) == "slow"


@pytest.mark.parametrize("call", ["star", "map", "partial", "method", "vectorcall"])
def test_ways_of_calling(kind, call):
    f = kind()
    f.push_entry(identity_entry((X, 1.0)))
    ways = {
        "star": lambda *args: f(*args),
        "map": lambda *args: next(map(f, *[[arg] for arg in args])),
        "partial": lambda first, *rest: functools.partial(f, first)(*rest),
        "method": lambda *args: f.__call__(*args),
        "vectorcall": lambda *args: functools.reduce(f, args),
    }
    same(ways[call](X, 2.0), (X, np.float64(2)))
    assert f.calls == []
    assert ways[call](X, "other") == "slow"
    assert f.calls == [((X, "other"), {})]


@pytest.mark.parametrize("form", [Result(0), Items(list, (Result(0), Constant(None)))], ids=str)
def test_machine_code_runs_no_python(kind, form):
    f = kind()
    f.push_entry(identity_entry((X, [1, {"k": 2.0}]), form=form))
    args = (X, [1, {"k": 2.0}])
    called = []
    sys.setprofile(lambda frame, event, arg: called.append(event))
    try:
        f(*args)
    finally:
        sys.setprofile(None)
    assert ("call" in called) == (kind is Portable)
    assert f.calls == []


# ------------------------------------------------------------------------- what is not answered


class Integer(enum.IntEnum):
    ONE = 1


class OwnFloat(float):
    pass


class OwnArray(np.ndarray):
    pass


def misaligned():
    return np.frombuffer(bytearray(25), np.uint8)[1:].view(np.float64)


def others():
    matrix = np.arange(6.0).reshape(2, 3)
    floats = [2, True, None, np.float32(1), np.float64(1), np.array(1.0), OwnFloat(1), "1", [1.0]]
    yield from ((1.0, value) for value in floats)
    yield from ((1, value) for value in (1.0, True, 2**63, -(2**63) - 1, Integer.ONE, np.int64(1)))
    yield from ((True, value) for value in (1, np.True_))
    yield from ((np.float64(1), value) for value in (1.0, np.float32(1)))
    yield from (
        (matrix, value)
        for value in (
            matrix.T.copy().T,
            matrix[:, ::-1],
            matrix[:, :2],
            matrix[:1],
            matrix.T,
            matrix.ravel(),
            matrix.reshape(1, 2, 3),
            matrix.astype(np.float32),
            matrix.astype(np.int64),
            matrix.astype(">f8"),
            matrix.view(OwnArray),
            matrix.view(np.matrix),
            np.ma.array(matrix),
            np.broadcast_to(matrix[:1], (2, 3)),
            matrix.tolist(),
        )
    )
    yield np.zeros(3), misaligned()
    yield (1.0, X), [1.0, X]
    yield (1.0, X), (1.0, X, X)
    yield (1.0, X), (1.0,)
    yield (1.0, X), Pair(1.0, X)
    yield [1.0, X], (1.0, X)
    yield [1.0, X], [1.0]
    yield {"a": X}, {"b": X}
    yield {"a": X}, {}
    yield {"a": X}, {"a": X, "b": X}
    yield {"a": X, "b": 1.0}, {"b": 1.0, "a": X}
    yield {"a": X}, collections.OrderedDict(a=X)
    yield {1: X}, {1.5: X}
    yield None, 0


OTHERS = list(others())


@pytest.mark.parametrize("value, other", OTHERS, ids=[str(k) for k in range(len(OTHERS))])
def test_other_calls_go_the_slow_way_with_the_very_same_arguments(kind, value, other):
    f = kind()
    f.push_entry(identity_entry((value, X)))
    f(value, X)
    assert f.calls == []
    assert f(other, X) == "slow"
    ((found, also), named) = f.calls.pop()
    assert found is other
    assert also is X
    assert named == {}
    for args in [(), (value,), (value, X, X)]:
        assert f(*args) == "slow"
        assert len(f.calls.pop()[0]) == len(args)


def test_memory_maps_go_the_slow_way(kind, tmp_path):
    mapped = np.memmap(tmp_path / "data", np.float64, "w+", shape=(3,))
    f = kind()
    f.push_entry(identity_entry((X,)))
    assert f(mapped) == "slow"


def test_errors_of_the_slow_way_are_those_of_the_function(kind):
    def function(x, *, y):
        raise KeyError("what it says")

    f = kind(function)
    f.push_entry(identity_entry((X,)))
    with pytest.raises(KeyError, match="what it says") as caught:
        f(X, y=1)
    assert "raise KeyError" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'y'"):
        f("other")
    same(f(X), (X,))


@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_many_arguments_reach_the_slow_way(kind, count):
    f = kind(lambda *args, **kwargs: (args, kwargs))
    f.push_entry(identity_entry((X,)))
    args, kwargs = tuple(range(count)), {f"k{k}": k for k in range(count)}
    assert f(*args, **kwargs) == (args, kwargs)
    assert functools.partial(f, *args, **kwargs)(-1, z=1) == ((*args, -1), kwargs | {"z": 1})


@pytest.mark.parametrize("lent", [True, False])
def test_the_place_that_a_caller_lends_is_given_back(kind, lent):
    """PEP 590: args[-1] may be written to where the flag is set, and must then be restored."""
    call = ctypes.pythonapi["PyObject_Vectorcall"]
    call.argtypes = (ctypes.py_object, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    call.restype = ctypes.py_object
    f = kind()
    f.push_entry(identity_entry((X, X)))
    other = object()
    before = (12345, id(other), id(X), 67890)
    memory = (ctypes.c_size_t * 4)(*before)
    assert call(f, ctypes.addressof(memory) + 8, 2 | lent << 63, None) == "slow"
    assert tuple(memory) == before
    assert f.calls == [((other, X), {})]


# --------------------------------------------------------------------------- what is returned


@pytest.mark.parametrize(
    "form, expected",
    [
        (Result(0), X),
        (Result(1), np.float64(2)),
        (Result(2), np.True_),
        (Items(tuple, ()), ()),
        (Items(list, (Result(2), Result(0))), [np.True_, X]),
        (Items(Pair, (Result(1), Items(tuple, (Constant(None),)))), Pair(np.float64(2), (None,))),
        (Keyed(("b", 1), (Result(0), Result(1))), {"b": X, 1: np.float64(2)}),
        (Keyed((), ()), {}),
        (
            Keyed(("a",), (Items(list, (Keyed(("c",), (Result(0),)), Constant("s"))),)),
            {"a": [{"c": X}, "s"]},
        ),
        (Made(lambda *parts: list(parts), (Result(1), Result(0), Constant(3))), [2.0, X, 3]),
        (Constant("text"), "text"),
        (Constant(X), X),
    ],
    ids=lambda value: str(value).split(" at 0x")[0],
)
def test_forms_of_results(kind, form, expected):
    f = kind()
    f.push_entry(identity_entry((X, 2.0, True), form=form))
    first, second = f(X, 2.0, True), f(X, 2.0, True)
    if isinstance(form, Made):
        expected = [np.float64(2), X, 3]
    same(first, expected)
    same(second, expected)
    assert f.calls == []


def test_results_are_arrays_of_the_callers_own(kind):
    f = kind()
    f.push_entry(identity_entry((X, X), form=Items(tuple, (Result(0), Result(1), Constant(X)))))
    made = [array for _ in range(2) for array in f(X, X)]
    for k, array in enumerate(made):
        assert array.flags.owndata
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert not any(np.shares_memory(array, other) for other in (X, *made[:k]))
    made[0][:] = 0
    same(made[1], X)


def test_errors_of_a_made_result_propagate(kind):
    def complain(*parts):
        raise RuntimeError("cannot be made")

    f = kind()
    f.push_entry(
        identity_entry((X,), form=Items(list, (Result(0), Made(complain, (Constant(1),)))))
    )
    with pytest.raises(RuntimeError, match="cannot be made"):
        f(X)
    assert f.calls == []


def test_what_is_too_large_is_a_memory_error(kind):
    type = array_type((2**44,), X.dtype)
    f = kind()
    program = native("ret i64 0", types_of(X), (*types_of(X), type))
    form = Items(tuple, (Result(0), Result(1)))
    f.push_entry(Entry(signature((X,), {}, ([0], {})), program, (), (), form))
    with pytest.raises(MemoryError):
        f(X)
    assert f.calls == []


# ------------------------------------------------------------------- entries that give up, chains


def test_any_status_but_success_goes_on(kind):
    f = kind(lambda x: x * 2)
    f.push_entry(identity_entry((X,), form=Items(tuple, (Result(0),))))
    f.push_entry(identity_entry((X,), status="-7"))
    same(f(X), (X,))
    assert f.calls == []
    f.forget_entries()
    f.push_entry(identity_entry((X,), status="1"))
    same(f(X), X * 2)


@pytest.mark.parametrize(
    "answers, other",
    [
        ((True, 1.5), (False, 1.5)),
        ((False, 1.5), (False, 2.5)),
        ((0.0,), (-0.0,)),
        ((float("nan"),), (1.0,)),
        ((3,), (4,)),
        ((np.arange(40.0),), (np.arange(40.0)[::-1].copy(),)),
    ],
    ids=str,
)
def test_guards(kind, answers, other):
    """The first entry whose guards have their bits answers."""

    def entry(guarded, answers):
        types = types_of(*guarded, X)
        form = signature((*guarded, X), {}, numbered((*guarded, X)))
        bits = tuple(np.asarray(answer).tobytes() for answer in answers)
        label = Constant(str(answers))
        return Entry(form, copying(types), (), bits, Items(tuple, (label, Result(0))))

    f = kind()
    f.push_entry(entry(answers, other))
    assert f(*answers, X) == "slow"
    f.push_entry(entry(answers, answers))
    same(f(*answers, X), (str(answers), X))
    same(f(*other, X), (str(other), X))
    assert len(f.calls) == 1


def test_held_arrays_are_read_as_they_are_at_each_call(kind):
    held = np.array([1.0, 2.0])
    f = kind()
    program = copying(types_of(X, held, 2.5), [1, 2])
    form = Items(tuple, (Result(0), Result(1)))
    f.push_entry(Entry(signature((X,), {}, ([0], {})), program, (held, 2.5), (), form))
    same(f(X), (held, np.float64(2.5)))
    held[:] = 7
    same(f(X), (np.array([7.0, 7.0]), np.float64(2.5)))
    held.resize((3,), refcheck=False)
    assert f(X) == "slow"
    held.resize((2,), refcheck=False)
    same(f(X), (held, np.float64(2.5)))


def test_what_is_no_entry(kind):
    for args in [(object(),), ("text",), (np.zeros(2).view(OwnArray),), (np.float16(1),)]:
        with pytest.raises(NoEntry):
            identity_entry(args)
    form = signature((X,), {}, ([0], {}))
    for program, held, guards in [
        (copying(types_of(X[:2])), (), ()),
        (copying(types_of(X.astype(np.float32))), (), ()),
        (copying(types_of(X, X)), (), ()),
        (copying(types_of(X, X)), (X[::-1],), ()),
        (copying(types_of(X)), (), (b"short",)),
    ]:
        with pytest.raises(NoEntry):
            Entry(form, program, held, guards, Result(0))


def test_a_chain_is_bounded(kind):
    f = kind()
    programs = {n: identity_entry((np.zeros(n),)) for n in range(MOST_ENTRIES + 5)}
    for entry in programs.values():
        f.push_entry(entry)
    for n in programs:
        f(np.zeros(n))
    assert [len(args[0]) for args, _ in f.calls] == list(range(5))
    f.forget_entries()
    assert f(np.zeros(6)) == "slow"


@pytest.mark.parametrize("arena_bytes", [8, 800, 100_000])
@pytest.mark.parametrize("long", [False, True])
def test_scratch_memory_is_aligned_and_no_part_of_the_result(kind, arena_bytes, long):
    n = arena_bytes // 8
    f = kind()
    f.push_entry(squaring_entry(n, arena_bytes=arena_bytes, long=long))
    x = np.arange(float(n))
    found = [f(x + k) for k in range(3)]
    for k, (total, squares) in enumerate(found):
        same(squares, (x + k) ** 2)
        assert total == pytest.approx(squares.sum(), rel=1e-12)
    assert f.calls == []


# --------------------------------------------------------------------------------- the object


def test_objects_stand_for_their_function(kind):
    def function(x):
        """What it does."""
        return "slow"

    function.mark = 5
    f = kind(function)
    assert (f.__name__, f.__doc__, f.__wrapped__, f.mark) == (
        "function",
        "What it does.",
        function,
        5,
    )
    assert (f.__module__, f.__qualname__) == (function.__module__, function.__qualname__)
    assert isinstance(f, kind)
    assert (kind.__name__, kind.__module__) == (kind.__qualname__, "calling_programs")
    f.mark = 6
    assert f.mark == 6


def test_binds_as_a_method(kind):
    class Model:
        apply = kind(lambda self, x: ("slow", self, x))
        apply.push_entry(identity_entry((X, X)))

    model = Model()
    assert model.apply(1.0) == ("slow", model, 1.0)
    assert model.apply.__self__ is model
    same(Model.apply(X, X), (X, X))
    bound = Model.apply.__get__(X)
    same(bound(X), (X, X))
    assert Model.__dict__["apply"].calls == [((model, 1.0), {})]


def test_an_environment_variable_chooses_the_portable_entry(kind):
    """And no machine code is needed before there is an entry."""
    program = (
        "import sys, os\n"
        "import wengert\n"
        "f = wengert.jit(lambda x: x)\n"
        "assert 'llvmlite' not in sys.modules\n"
        "from wengert.execution.calling.layout import machine_entries\n"
        "print(machine_entries())\n"
    )
    run = functools.partial(subprocess.run, [sys.executable, "-c", program], text=True, check=True)
    if kind is Portable:
        found = run(env=os.environ | {"WENGERT_ENTRY": "portable"}, stdout=subprocess.PIPE)
        assert found.stdout == "False\n"
    else:
        assert run(stdout=subprocess.PIPE).stdout == "True\n"
    assert issubclass(Machine, Portable)
