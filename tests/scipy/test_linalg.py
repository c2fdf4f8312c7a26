"""`scipy.linalg` on tracers: SciPy's values under a trace, gradients as differences have them."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg as sl

import wengert as wg
import wengert.scipy.linalg as wsl
from support import leaves, numeric_grad, same, weighed
from wengert.graph.registry import NUMPY

NOTHING_TO_TRACE = {
    "dft": "of a number",
    "find_best_blas_type": "finds routines",
    "get_blas_funcs": "finds routines",
    "get_lapack_funcs": "finds routines",
    "hadamard": "of a number",
    "helmert": "of a number",
    "hilbert": "of a number",
    "invhilbert": "of a number",
    "invpascal": "of a number",
    "pascal": "of a number",
}


def functions() -> list[str]:
    """SciPy's public functions of linear algebra."""
    return [
        name
        for name in sl.__all__
        if callable(getattr(sl, name))
        and not isinstance(getattr(sl, name), type | types.ModuleType)
    ]


rng = np.random.default_rng(0)


def real(*shape: int) -> Any:
    return rng.standard_normal(shape)


def cplx(*shape: int) -> Any:
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def near(x: Any) -> Any:
    """Matrices near the identity: their spectra are away from the negative axis."""
    return np.eye(x.shape[-1]) + 0.2 * x


def definite(x: Any) -> Any:
    return x @ np.conj(np.swapaxes(x, -1, -2)) / 4 + np.eye(x.shape[-1])


Call = Callable[..., Any]
CASES: dict[str, list[tuple[Call, tuple[Any, ...]]]] = {}


def case(name: str, *args: Any, call: Call | None = None, **keywords: Any) -> None:
    """A call that is checked. `call(f, *args)` says how the function is called, or its result
    taken, where that is not plain."""

    def plain(*inner: Any, f: Any) -> Any:
        return f(*inner, **keywords)

    CASES.setdefault(name, []).append((call or plain, args))


def hermitian_case(
    name: str, *args: Any, taken: Call = lambda parts: parts, **keywords: Any
) -> None:
    """Of square arguments, the Hermitian parts: along these alone differences have a meaning."""

    def call(*inner: Any, f: Any) -> Any:
        whole = [
            x + np.conj(np.swapaxes(x, -1, -2)) if x.ndim > 1 and len(x) == len(x.T) else x
            for x in inner
        ]
        return taken(f(*whole, **keywords))

    case(name, *args, call=call)


def _sizes(parts: Any) -> Any:
    """What does not depend on the phases of vectors."""
    return tuple(x if x.ndim < 2 else np.real(x * np.conj(x)) for x in parts)


def _projector(basis: Any) -> Any:
    return basis @ np.conj(basis.T)


M, C, N, D = real(3, 3), cplx(3, 3), near(real(3, 3)), definite(real(3, 3))
H = definite(cplx(3, 3))

for name in ("expm", "cosm", "sinm", "tanm", "sinhm", "coshm", "tanhm"):
    case(name, 0.5 * M)
    case(name, 0.5 * C)
    case(name, 0.5 * real(2, 2, 2))
for name in ("logm", "sqrtm"):
    case(name, N)
    case(name, near(C))
    case(name, near(real(2, 2, 2)))
    case(name, 1j * N)
case("sqrtm", np.diag([-1.0, 2.0, 3.0]) + 0.1 * M)
case("logm", np.diag([-1.0, 2.0, 3.0]) + 0.1 * M)
case("signm", np.diag([-2.0, 2.0, 3.0]) + 0.3 * M)
case("signm", np.diag([-2.0, 2.0, 3.0]) + 0.3 * C)
case("fractional_matrix_power", near(C), call=lambda A, f: f(A, 0.4))
case("fractional_matrix_power", D, call=lambda A, f: f(A, 0.4))
case("fractional_matrix_power", N, call=lambda A, f: f(A, -2))
case("expm_frechet", M, real(3, 3))
case("expm_frechet", M, real(3, 3), compute_expm=False)
case("solve_sylvester", N, near(real(2, 2)), real(3, 2))
case("solve_sylvester", near(C), near(cplx(2, 2)), real(3, 2))
case("solve_continuous_lyapunov", N, real(3, 3))
case("solve_lyapunov", near(C), cplx(3, 3))
case("solve_discrete_lyapunov", 0.3 * M, real(3, 3))
case("solve_discrete_lyapunov", 0.3 * C, cplx(3, 3), method="bilinear")


def symmetric_are(*args: Any, f: Any) -> Any:
    """Of matrices that differences move, the Hermitian parts."""
    a, b, q, r, *rest = args
    e = rest[0] if rest else None
    s = rest[1] if len(rest) > 1 else None
    q, r = (x + np.conj(x.T) for x in (q, r))
    return f(a, b, q, r, e, s, balanced=e is None)  # SciPy's balancing fails for some e


for name in ("solve_continuous_are", "solve_discrete_are"):
    case(name, 0.3 * M, real(3, 2), D, definite(real(2, 2)), call=symmetric_are)
    case(name, 0.3 * C, cplx(3, 1), H, definite(cplx(1, 1)), call=symmetric_are)
    case(
        name,
        *(0.2 * M, real(3, 2), D, definite(real(2, 2)), 0.5 * N, 0.05 * real(3, 2)),
        call=symmetric_are,
    )

for name in ("toeplitz", "hankel"):
    case(name, real(3))
    case(name, real(3), real(4))
    case(name, cplx(2), real(3))
case("toeplitz", cplx(3))
case("toeplitz", real(2, 3), real(2))
case("circulant", real(4))
case("circulant", real(2, 3))
case("block_diag", real(2, 2), real(1, 3), real(2))
case("block_diag", real(2, 2, 2), cplx(1, 1))
case("companion", 1 + real(4) ** 2)
case("companion", 1 + real(2, 3) ** 2)
for n in (2, 3, 4, 5, 6):
    case("fiedler_companion", 1 + real(n) ** 2)
case("fiedler", real(3))
case("leslie", real(3), real(2))
case("leslie", real(2, 3), real(2))
for mode in ("full", "same", "valid"):
    case("convolution_matrix", real(3), 5, mode=mode)
    case("convolution_matrix", real(4), 2, mode=mode)
case("convolution_matrix", real(2, 3), 4)
case("khatri_rao", real(2, 3), real(4, 3))
case("khatri_rao", real(2, 2, 3), real(1, 3))
case("diagsvd", real(2), 2, 4)
case("diagsvd", real(2), 3, 2)
case(
    "cdf2rdf",
    *sl.eig(np.array([[1.0, 2, 0.1], [-3, 1, 0.2], [0.3, 0.1, 4]])),
    call=lambda w, v, f: f(np.stack((w[0], w[1], np.real(w[2]) + 0j * w[2])), v),
)
case("matmul_toeplitz", (real(3), real(3)), real(3, 2), call=lambda c, x, f: f((c[0], c[1]), x))

for kind in (None, "general", "upper triangular", "lower triangular", "diagonal"):
    case("solve", N, real(3, 2), assume_a=kind)
    if kind != "diagonal":
        case("inv", N, assume_a="gen" if kind == "general" else kind)
case("solve", N, real(3), transposed=True)
case("solve", N, real(3), assume_a="tridiagonal")
for lower in (False, True):
    hermitian_case("solve", near(C), cplx(3), assume_a="hermitian", lower=lower)
    hermitian_case("solve", H, cplx(3, 2), assume_a="pos", lower=lower)
    hermitian_case("solve", D, real(3), assume_a="symmetric", lower=lower)
    case("solve", near(C), cplx(3), call=lambda a, b, f: f(a + a.T, b, assume_a="symmetric"))
hermitian_case("solve", D, real(3), assume_a="positive definite")
hermitian_case("inv", D, assume_a="pos")
hermitian_case("inv", near(C), assume_a="her", lower=True)
case("solve", near(real(2, 3, 3)), real(3, 1))
case("solve", near(real(2, 3, 3)), real(3))
case("inv", near(C))
case("inv", real(3), call=lambda d, f: f(d * np.eye(3), assume_a="diagonal"))
case("det", M)
case("det", C)
case("det", real(2, 3, 3))
for trans in (0, 1, 2, "C"):
    for lower in (False, True):
        case("solve_triangular", near(C), cplx(3), trans=trans, lower=lower)
case("solve_triangular", N, real(3, 2), unit_diagonal=True)
for order in (None, "fro", 1, -1, np.inf, -np.inf, 2, "nuc"):
    case("norm", M, ord=order)
case("norm", real(4))
case("norm", cplx(2, 3), axis=1)
BULK, WIDE = np.array([[0.0], [4], [0]]), np.array([[0.0], [5], [0], [0]])
case("solve_banded", near(M), real(3), call=lambda ab, b, f: f((1, 1), ab + BULK, b))
case("solve_banded", real(2, 3, 3), real(3), call=lambda ab, b, f: f((1, 1), ab + BULK, b))
case("solve_banded", real(4, 5), real(5, 2), call=lambda ab, b, f: f((2, 1), ab + WIDE, b))
BAND = np.array([[0.3, 0.4, -0.2, 0.1], [0.5, -0.3, 0.2, 0.2], [3.0, 4, 3, 5]])
for lower in (False, True):
    for band in (BAND, BAND[1:], BAND + 0.1j * np.array([[1], [2], [0]])):
        rows = band[::-1] if lower else band
        case("solveh_banded", rows, real(4), lower=lower)
        case("solveh_banded", rows, real(4, 2), lower=lower)
        case("cholesky_banded", rows, lower=lower)
        case("eigvals_banded", rows, lower=lower)
        case("eig_banded", rows, lower=lower, eigvals_only=True)
    case(
        "cho_solve_banded",
        *(sl.cholesky_banded(BAND[::-1] if lower else BAND, lower=lower), real(4)),
        call=lambda c, b, f, lower=lower: f((c, lower), b),
    )
case("eigh_tridiagonal", real(4), real(3), eigvals_only=True)
case("eigvalsh_tridiagonal", real(4), real(3), select="i", select_range=(1, 2))
case("solve_toeplitz", 4 + real(3), real(3))
case(
    "solve_toeplitz",
    *(np.array([4.0, 1, 2]), real(3), real(3, 2)),
    call=lambda c, r, b, f: f((c, r), b),
)
case("solve_circulant", np.array([4.0, 1, 2]), real(3))
case("solve_circulant", np.array([4.0, 1, 2]), real(3, 2))
case("solve_circulant", np.array([[4.0, 1, 2], [3, 1, 0]]), real(3), baxis=-1, outaxis=-1)

for lower in (False, True):
    case("cholesky", D, lower=lower, call=lambda a, f, lower=lower: f(a + a.T, lower=lower))
    case("cholesky", H, call=lambda a, f, lower=lower: f(a + np.conj(a.T), lower=lower))
    case("cho_factor", D, call=lambda a, f, lower=lower: f(a + a.T, lower=lower)[0])
    case(
        "cho_solve",
        *(sl.cho_factor(H, lower=lower)[0], cplx(3)),
        call=lambda c, b, f, lower=lower: f((c, lower), b),
    )
for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 3)):
    case("lu", real(*shape))
    case("lu", cplx(*shape), permute_l=True)
    case("lu", real(*shape), p_indices=True)
case("lu_factor", M)
case("lu_factor", real(2, 3, 3))
for trans in (0, 1, 2):
    case(
        "lu_solve",
        *(near(C), cplx(3)),
        call=lambda a, b, f, trans=trans: f((a, np.array([1, 2, 2])), b, trans=trans),
    )
for mode in ("full", "economic", "r"):
    case("qr", M, mode=mode)
    case("qr", M, mode=mode, pivoting=True)
    case("rq", M, mode=mode)
    case("rq", real(2, 3) if mode != "full" else M, mode=mode)
case("qr", real(4, 2), mode="economic")
case("qr", cplx(4, 2), mode="economic")
case("qr", real(4, 2), mode="r")
case("rq", cplx(2, 4), mode="economic")
case("rq", cplx(4, 2), mode="economic")
case("rq", real(4, 2), mode="full")
case("qr_multiply", real(4, 2), real(3, 4))
case("qr_multiply", real(4, 2), real(2, 3), mode="left")
case("qr_multiply", M, real(3), mode="left", pivoting=True)

case("svd", real(3, 2), compute_uv=False)
case("svdvals", cplx(3, 2))
case("svd", real(3, 2), call=lambda a, f: _sizes(f(a, full_matrices=False)))
case("polar", M)
case("polar", cplx(3, 2), side="left")
case("orth", real(3, 2), call=lambda a, f: _projector(f(a)))
case("null_space", real(2, 4), call=lambda a, f: _projector(f(a)))
case("subspace_angles", real(4, 2), real(4, 2))
case("subspace_angles", np.eye(4)[:, :2] + 0.1 * real(4, 2), real(4, 1))
case("orthogonal_procrustes", real(3, 3), real(3, 3))
case("pinv", real(4, 2))
case("pinv", cplx(2, 3))
hermitian_case("pinvh", D)
case("lstsq", real(4, 2), real(4))
case("lstsq", real(4, 2), real(4, 2))
case("lstsq", cplx(2, 3), cplx(2))
hermitian_case("eigvalsh", D)
hermitian_case("eigvalsh", D, lower=False, subset_by_index=[1, 2])
hermitian_case("eigvalsh", M, subset_by_value=[-1.0, 10.0])
for kind in (1, 2, 3):
    hermitian_case("eigvalsh", H, definite(cplx(3, 3)), type=kind)
    hermitian_case("eigh", M, D, taken=_sizes, type=kind)
hermitian_case("eigh", H, taken=_sizes)
hermitian_case("eigh", H, definite(cplx(3, 3)), taken=_sizes, lower=False)
case("eig", M, call=lambda a, f: _sizes(f(a)))
case("eig", C, near(real(3, 3)), call=lambda a, b, f: _sizes(f(a, b)))
case("eig", C, near(real(3, 3)), call=lambda a, b, f: _sizes(f(a, b, left=True, right=True)))
case("eigvals", C)
case("eigvals", M, N)


ALL = [
    pytest.param(name, k, id=f"{name}-{k}")
    for name, cases in CASES.items()
    for k in range(len(cases))
]


def test_every_function_is_traced_refused_or_has_nothing_to_trace() -> None:
    for name in functions():
        function = getattr(sl, name)
        places = [name in CASES, name in wsl.REFUSED, name in NOTHING_TO_TRACE]
        assert sum(places) == 1, name
        assert (function in NUMPY) == (name not in NOTHING_TO_TRACE), name


def _values(result: Any) -> list[Any]:
    """The results as arrays; an eigenvalue problem has them in any order."""
    return [np.asarray(leaf) for leaf in leaves(result) if not isinstance(leaf, int)]


@pytest.mark.parametrize(("name", "k"), ALL)
def test_value_and_gradient(name: str, k: int) -> None:
    call, args = CASES[name][k]
    theirs, ours = getattr(sl, name), getattr(wsl, name)

    def traced(*inner: Any) -> Any:
        return call(*inner, f=ours)

    def plain(*inner: Any) -> Any:
        return call(*inner, f=theirs)

    floating = [i for i, arg in enumerate(args) if np.asarray(arg).dtype.kind in "fc"]
    expected = _values(plain(*args))
    found: list[Any] = []

    def scalar(*inner: Any) -> Any:
        result = traced(*inner)
        found[:] = [x for x in leaves(result) if not isinstance(x, int)]
        return weighed(plain, args)(*inner) if not found else _weigh(found)

    value, gradient = wg.value_and_grad(
        lambda *inner: (scalar(*inner), tuple(found)), argnums=tuple(floating), has_aux=True
    )(*args)
    for mine, other in zip(value[1], expected, strict=True):
        if np.iscomplexobj(other) != np.iscomplexobj(mine):
            other = other.real  # SciPy's dtype is complex, its imaginary part zero
        same(mine, other, 1e-11)
    for i, slope in zip(floating, gradient, strict=True):
        numeric = numeric_grad(
            lambda x, i=i: _weigh(_values(plain(*args[:i], x, *args[i + 1 :]))), args[i]
        )
        same(slope, numeric, 1e-6)


def _weigh(parts: list[Any]) -> Any:
    """A real scalar of floating results."""
    total: Any = 0.0
    for part in parts:
        if np.dtype(part.dtype).kind in "fc" and part.size:
            weights = np.random.default_rng(part.size).uniform(0.5, 2, part.shape)
            turned = weights * (1 + (0.5j if np.dtype(part.dtype).kind == "c" else 0))
            total = total + np.sum(np.real(part * turned))
    return total
