"""Products of matrices that are large enough for BLAS: transposed, sliced, many at once."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 64, 70)), RNG.normal(size=(4, 70, 80))
X, Y = RNG.normal(size=(100, 60)), RNG.normal(size=(60, 90))
TEXTS = {
    "one": (lambda x, y: x @ y, X, Y),
    "transposed": (lambda x, y: y.T @ x.T, X, Y),
    "sliced": (lambda x, y: x[10:90, 5:] @ y[5:, ::-1], X, Y),
    "of what is computed": (lambda x, y: np.tanh(x) @ (2 * y), X, Y),
    "many": (lambda a, b: a @ b, A, B),
    "many, turned": (lambda a, b: np.einsum("bij,bjk->kbi", a, b), A, B),
    "many by one": (lambda a, y: a[:, :, :60] @ y, A, Y),
    "many by their transposes": (lambda a, b: a.transpose(0, 2, 1) @ a, A, B),
    "over two axes": (lambda a, b: np.einsum("bij,kij->bk", a, a), np.tile(A, (15, 1, 1)), B),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("name", TEXTS)
def test_products_by_blas(name, dtype):
    f, *args = TEXTS[name]
    args = [array.astype(dtype) for array in args]
    if dtype is np.complex128:
        args = [array + 0.5j * array[..., ::-1] for array in args]
    expected = f(*args)
    bound = f(*[np.abs(array) for array in args]).real  # Σ|terms|, but for tanh, which is less
    found = wg.jit(f)(*args)
    assert found.dtype == expected.dtype
    terms = 4 * 70 * np.finfo(dtype).eps
    np.testing.assert_array_less(np.abs(found - expected), terms * np.abs(bound) + terms)
    assert "call void %" in wg.trace(f, *args).llvm  # through the table: it is BLAS
