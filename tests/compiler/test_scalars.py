"""Programs of small arrays as operations on single numbers, as straight code.

Without contraction every operation rounds as NumPy's does, so that results must be the
interpreter's own; those of elementary functions may differ in the last places.
"""

import numpy as np
import pytest
from scalar_graphs import assert_same_bits, traced

import wengert as wg
from wengert.compiler.scalars.program import scalar_program

SHAPES = [(), (3,), (2, 3)]


def exact(function, *args):
    """Straight code gives the interpreter's bits."""
    graph = traced(function, *args)
    found = graph.run(graph.native(graph.program(roll=False), contract=False))
    assert_same_bits(found, graph.interpreted())


def random_program(seed):
    """A function of a (2, 3) array by operations that NumPy rounds correctly. What is summed is
    plain in memory: else NumPy sums in the order of the memory."""

    def run(x):
        rng = np.random.default_rng(seed)
        known = [x, x[0], x[1, 2], x[:, 0], x.T]

        def pick():
            return known[rng.integers(len(known))]

        def alike():
            a = pick()
            return a, [b for b in known if b.shape in (a.shape, ())][rng.integers(1)]

        choices = [
            lambda: np.add(*alike()),
            lambda: np.multiply(*alike()),
            lambda: np.subtract(*alike()),
            lambda: np.divide(pick(), 3.0),
            lambda: np.sqrt(np.abs(pick()) + 1),
            lambda: np.maximum(*alike()),
            lambda: np.where(pick() > 0, 2.0, -1.0),
            lambda: np.sum(pick().ravel()),
            lambda: np.stack([pick().ravel()[-1], pick().ravel()[0]]),
            lambda: np.concatenate([pick().ravel(), pick().ravel()])[1:5],
            lambda: pick().reshape(-1)[::-1],
            lambda: -pick(),
        ]
        for _ in range(40):
            known.append(choices[rng.integers(len(choices))]())
        return sum(np.sum((own * 0.25).ravel()) for own in known[-8:])

    return run


@pytest.mark.parametrize("seed", range(25))
def test_random_programs(seed):
    x = np.random.default_rng(seed).normal(size=(2, 3))
    exact(wg.value_and_grad(random_program(seed)), x)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "all"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2)])
def test_reductions(name, axis):
    x = np.random.default_rng(3).integers(-3, 4, (2, 3, 4)).astype(float)
    exact(lambda x: getattr(np, name)(x, axis=axis), x)


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all"])
def test_reductions_of_nothing(name):
    exact(lambda x: getattr(np, name)(x, axis=0), np.ones((0, 2)))
    exact(lambda x: getattr(np, name)(x, axis=0), np.ones((2, 0)))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 20, 128])
def test_sums_are_ordered_as_those_of_numpy(count):
    x = np.random.default_rng(count).normal(size=count)
    graph = traced(np.sum, x)
    assert_same_bits(
        graph.run(graph.native(graph.program(roll=False), contract=False)), [np.sum(x)]
    )


@pytest.mark.parametrize(
    "spec, a, b",
    [
        ("i,i->", (4,), (4,)),
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ji,kj->ik", (3, 2), (4, 3)),
        ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
        ("i,j->ij", (2,), (3,)),
        ("ij,jk->ik", (2, 0), (0, 3)),
    ],
)
@pytest.mark.parametrize("dtype", [float, np.float32, int, complex])
def test_products_of_matrices(spec, a, b, dtype):
    """Of whole numbers, which every order of summation sums exactly."""
    rng = np.random.default_rng(0)
    args = [rng.integers(-4, 5, shape).astype(dtype) for shape in (a, b)]
    exact(lambda a, b: np.einsum(spec, a, b), *args)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_structural_zeros_keep_the_rules_of_ieee_754():
    x = np.array([-0.0, np.inf, np.nan, 2.0])
    exact(lambda x: np.stack([x[0], 0.0, 1.0]) * np.stack([0.0, x[1], x[2]]), x)
    exact(lambda x: np.stack([x[0], x[0], x[1]]) + np.stack([0.0, -0.0, 0.0]), x)
    exact(lambda x: (np.stack([x[0], 0.0]) + np.stack([0.0, x[3]])) + np.stack([0.0, 0.0]), x)
    exact(lambda x: np.stack([x[0], x[3]]) - np.stack([0.0, -0.0]), x)
    exact(lambda x: np.stack([x[0], x[3]]) / np.stack([1.0, 1.0]), x)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint16, np.int64, np.bool_])
def test_dtypes(dtype):
    x = (
        np.array([0, 1, 1, 0], dtype)
        if dtype is np.bool_
        else np.array([3, -5, 100, 7]).astype(dtype)
    )
    exact(lambda x: (x + x[0], x * x, x > x[3], np.where(x, x, x[1]), x.astype(np.float64)), x)


def test_inputs_and_literals_may_be_outputs():
    exact(lambda x, n: (x, n, x.T, x * 0 + 3, np.stack([n, 1.0])), np.ones((2, 2)), 2.0)


def test_an_output_may_be_given_twice():
    exact(lambda x: (x + 1, x + 1, (x + 1)[0]), np.arange(3.0))


@pytest.mark.parametrize("copies", [2, 40])
@pytest.mark.parametrize("name", ["exp", "log1p", "sin", "tanh", "arctan", "cbrt"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_elementary_functions(name, copies, dtype):
    """In place where they are few, as functions that are called where they are many."""
    x = np.random.default_rng(1).uniform(0.1, 3, copies).astype(dtype)
    function = getattr(np, name)
    graph = traced(lambda x: np.stack([function(x[k]) for k in range(copies)]), x)
    program = graph.program(roll=False)
    assert ("@rule" in program.text) == (copies > 8)
    (found,) = graph.run(graph.native(program))
    np.testing.assert_array_max_ulp(found, function(x), 3)


def test_code_longer_than_a_function():
    """Values cross from piece to piece."""

    def run(x):
        path = [x[0], x[1], x[2]]
        for k in range(1_700):
            path.append(path[-1] * path[(7 * k) % len(path)] - path[(k * k) % len(path)] * 0.5)
        return path[-1] + path[850]

    x = np.array([0.2, -0.3, 0.4])
    exact(run, x)
    exact(wg.value_and_grad(run), x)


def test_contraction_changes_only_the_rounding():
    """A sum of n products differs by n units of the sum of their absolute values at most."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    graph = traced(lambda a, b: np.sum(a * b), a, b)
    (found,) = graph.run(graph.native(graph.program()))
    assert abs(found - np.sum(a * b)) <= 50 * np.finfo(float).eps * np.sum(abs(a * b))


def test_what_is_not_taken():
    for function in (np.sort, lambda x: x[np.argmax(x[0])]):
        graph = traced(function, np.eye(2) + 1)
        assert scalar_program(graph.outputs, graph.leaves) is None
    graph = traced(lambda x: np.exp(x) + 1, np.ones(3))
    assert scalar_program(graph.outputs, graph.leaves) is not None


def test_elementary_functions_in_loops():
    """The same function in place, called, and in a loop gives the same bits."""

    def run(x):
        for _ in range(100):
            x = np.tanh(1.3 * x) + np.exp(-x * x)
        return x

    graph = traced(wg.value_and_grad(run), 0.4)
    straight, loops = graph.program(roll=False), graph.program()
    assert loops.loops
    assert "@rule" in straight.text
    assert "@rule" not in loops.text
    found = graph.run(graph.native(loops, contract=False))
    assert_same_bits(found, graph.run(graph.native(straight, contract=False)))
    np.testing.assert_allclose(  # errors decay: the map is contracting
        found[0], graph.interpreted()[0], rtol=10 * np.finfo(float).eps
    )
