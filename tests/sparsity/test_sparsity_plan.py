"""Patterns that users give, and plans that are saved."""

import colour_cases as patterns
import numpy as np
import pytest
import scipy.sparse

from wengert.sparse.colouring.choosing import choose
from wengert.sparse.pattern import Pattern
from wengert.sparse.plan import Sparsity, as_pattern

ROW_STARTS = np.array([0, 2, 2, 3])
MATRIX = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]])


def same(a, b):
    assert np.array_equal(a.indptr, b.indptr)
    assert np.array_equal(a.indices, b.indices)
    assert (a.shape, a.outputs, a.inputs) == (b.shape, b.outputs, b.inputs)


def plan_of(pattern, kind="jacobian", **how):
    return Sparsity(kind, pattern, choose(pattern, 1.0, 1.0, **how))


@pytest.mark.parametrize("dtype", [bool, int, np.uint8, float, np.float32])
def test_dense_patterns(dtype):
    same(as_pattern(MATRIX.astype(dtype), (3, 4)), patterns.of_matrix(MATRIX))
    same(as_pattern(MATRIX.astype(dtype).tolist(), (3, 4)), patterns.of_matrix(MATRIX))


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", [scipy.sparse.coo_array, scipy.sparse.coo_matrix])
def test_sparse_patterns(form, kind):
    given = kind(MATRIX).asformat(form)
    found = as_pattern(given, (3, 4))
    if form in ("bsr", "dia"):  # these store zeros too
        assert not np.any(MATRIX.astype(bool) & ~patterns.dense(found))
    else:
        same(found, patterns.of_matrix(MATRIX))


def test_sparse_patterns_are_what_is_stored():
    rows, columns = [0, 0, 1, 0], [2, 1, 0, 2]  # not in order, one twice
    stored = scipy.sparse.coo_array((np.array([0.0, 1, 2, 0]), (rows, columns)), shape=(2, 3))
    same(as_pattern(stored, (2, 3)), patterns.of_matrix([[0, 1, 1], [1, 0, 0]]))
    csr = scipy.sparse.csr_array((np.ones(2), np.array([2, 0]), np.array([0, 2])), shape=(1, 3))
    same(as_pattern(csr, (1, 3)), patterns.of_matrix([[1, 0, 1]]))
    assert csr.indices.tolist() == [2, 0]  # what was given is left as it was


def test_pairs_of_rows_and_columns():
    rows, columns = np.nonzero(MATRIX)
    shuffled = np.random.default_rng(0).permutation(len(rows))
    same(as_pattern((rows[shuffled], columns[shuffled]), (3, 4)), patterns.of_matrix(MATRIX))
    same(as_pattern(([0, 1], [1, 0]), (2, 2)), patterns.of_matrix([[0, 1], [1, 0]]))
    same(as_pattern(([], []), (2, 2)), patterns.of_matrix(np.zeros((2, 2))))


def test_patterns_and_plans_with_other_shapes_of_arrays():
    pattern = patterns.of_matrix(MATRIX)
    given = as_pattern(plan_of(pattern), (3, 4), ((3, 1),), ((2, 2),))
    assert (given.outputs, given.inputs) == (((3, 1),), ((2, 2),))
    same(as_pattern(pattern, (3, 4)), pattern)


@pytest.mark.parametrize(
    "given, error, message",
    [
        (np.ones((2, 3)), ValueError, "is for 2 × 3 values and the matrix has 3 × 4"),
        (scipy.sparse.eye_array(3), ValueError, "is for 3 × 3 values and the matrix has 3 × 4"),
        (np.ones(4), ValueError, "has two axes, not 1"),
        (
            ([0, 3], [0, 0]),
            ValueError,
            "has row 3 at place 1, and the rows of the matrix are 0 … 2",
        ),
        (([0, 1], [0, -1]), ValueError, "has column -1 at place 1"),
        (([0, 1], [0]), ValueError, "2 rows and 1 columns"),
        (([0, 1, 0], [2, 1, 2]), ValueError, r"has the place \(0, 2\) twice"),
        ("tridiagonal", TypeError, "not str"),
        (None, TypeError, "not NoneType"),
        ([[1], [1, 2]], TypeError, "not list"),
        (Pattern(ROW_STARTS, np.array([1, 0, 2]), (3, 4), (), ()), ValueError, "not ascending"),
        (Pattern(ROW_STARTS, np.array([1, 1, 2]), (3, 4), (), ()), ValueError, "there twice"),
        (Pattern(ROW_STARTS, np.array([1, 2, 4]), (3, 4), (), ()), ValueError, "outside of 0 … 3"),
        (Pattern(ROW_STARTS[1:], np.arange(3), (3, 4), (), ()), ValueError, "each row begins"),
    ],
)
def test_patterns_that_do_not_fit_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        as_pattern(given, (3, 4))


def test_what_a_plan_says():
    plan = plan_of(patterns.banded(10, 2))
    assert plan.shape == (10, 10)
    assert plan.nnz == 28
    assert plan.density == 0.28
    assert plan.products == 3
    assert plan.method == "forward"
    assert repr(plan) == "Sparsity(jacobian of 10 × 10, 28 places (28 %), 3 products: forward)"
    assert plan.pattern.dtype == bool
    assert np.array_equal(plan.pattern.toarray(), patterns.dense(plan.places))
    rows, columns = plan.structure
    assert np.array_equal(np.stack([rows, columns], axis=1), np.argwhere(plan.pattern.toarray()))
    rows, columns, chosen = plan.triangle()
    expected = np.argwhere(np.tril(plan.pattern.toarray()))
    assert np.array_equal(np.stack([rows, columns], axis=1), expected)
    assert np.array_equal(plan.places.rows[chosen], rows)


def test_colours_are_of_what_is_coloured():
    pattern = patterns.of_matrix(np.ones((3, 5)))
    assert plan_of(pattern).colours.shape == (3,)
    assert plan_of(pattern, method="forward").colours.shape == (5,)
    columns, rows = plan_of(patterns.arrow(6)).colours
    assert columns.shape == rows.shape == (6,)


@pytest.mark.parametrize(
    "pattern, how",
    [
        (patterns.stencil((4, 5), patterns.FIVE), {}),
        (patterns.of_matrix(np.ones((3, 5))), {}),
        (patterns.arrow(9), {}),
        (patterns.banded(9, 4), {"symmetric": True}),
        (patterns.banded(9, 4), {"symmetric": True, "substitution": True}),
        (patterns.brusselator(3, ((3, 3), (3, 3))), {}),
        (patterns.of_matrix(np.zeros((0, 4))), {}),
        (patterns.of_matrix([[1]], inputs=((),), outputs=((),)), {}),
    ],
)
def test_plans_are_saved_and_loaded(pattern, how, tmp_path):
    kind = "hessian" if how else "jacobian"
    plan = plan_of(pattern, kind, **how)
    path = tmp_path / "plan"  # the name is taken as it is
    plan.save(path)
    again = Sparsity.load(path)
    assert again.kind == kind
    assert repr(again) == repr(plan)
    same(again.places, plan.places)
    a, b = plan.colouring, again.colouring
    assert (a.method, a.tangents, a.cotangents) == (b.method, b.tangents, b.cotangents)
    for name in ("columns", "rows", "source"):
        assert np.array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    assert (a.steps is None) == (b.steps is None)
    if a.steps is not None:
        for name in ("targets", "operands", "levels"):
            assert np.array_equal(getattr(a.steps, name), getattr(b.steps, name))


def changed(path, **arrays):
    with np.load(path) as kept:
        found = {name: kept[name] for name in kept.files}
    found.update(arrays)
    np.savez(path, **{name: array for name, array in found.items() if array is not None})


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"format": np.array("other")}, "but other arrays"),
        ({"format": None}, "but other arrays"),
        ({"version": np.array(99)}, "version 99.* up to 1. Bring wengert up to date"),
        ({"kind": np.array("gradient")}, "is damaged: its kind do not fit"),
        ({"source": np.full(13, 10**6)}, "is damaged: its source do not fit"),
        ({"source": np.zeros(5, int)}, "is damaged: its source do not fit"),
        ({"columns": np.zeros(3)}, "is damaged: its columns do not fit"),
        ({"indices": np.full(13, -1)}, "is damaged: it has columns outside"),
        ({"indptr": np.zeros(2, int)}, "is damaged: indptr does not tell"),
        ({"inputs": np.array([1, 4])}, "is damaged: its inputs do not fit"),
        ({"shape": None}, "is damaged"),
    ],
)
def test_other_files_are_refused(arrays, message, tmp_path):
    path = tmp_path / "plan.npz"
    plan_of(patterns.banded(5, 2)).save(path)
    changed(path, **arrays)
    with pytest.raises(ValueError, match=message):
        Sparsity.load(path)


def test_files_that_are_none_are_refused(tmp_path):
    path = tmp_path / "plan.npz"
    with pytest.raises(FileNotFoundError):
        Sparsity.load(path)
    plan_of(patterns.banded(50, 2)).save(path)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 3] ^= 255
    pickled = np.array([{"a": 1}], object)
    for content in (b"", b"some text", whole[: len(whole) // 2], bytes(damaged)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="sparsity plan"):
            Sparsity.load(path)
    np.save(tmp_path / "array.npy", np.arange(3))
    np.save(tmp_path / "pickle.npy", pickled, allow_pickle=True)
    for name in ("array.npy", "pickle.npy"):
        with pytest.raises(ValueError, match="holds no sparsity plan"):
            Sparsity.load(tmp_path / name)
