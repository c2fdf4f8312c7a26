"""Derivative matrices as SciPy `LinearOperator`s, for solvers that ask for products alone:
`jacobian_operator`, `hessian_operator`, `gauss_newton_operator`.

The function is traced and differentiated once. What the linear part reads of the function, its
residuals, is computed then and held; each product runs the linear part on flat vectors, as machine
code from its second time on. Products with many vectors are one run of its batched form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.derivatives.curvature import gauss_newton
from wengert.derivatives.derive import forward, gradient, reverse, seeds
from wengert.derivatives.linear_map import residuals
from wengert.derivatives.marking import (
    distinct,
    mark,
    need_function,
    output_nodes,
    scalar_output,
    written,
)
from wengert.errors import WengertTypeError
from wengert.execution.border import deliver, entered
from wengert.execution.inspecting import keeping
from wengert.execution.programs import program, recall, remember
from wengert.execution.retrying import retried
from wengert.graph.node import Node, deriving
from wengert.graph.node import mark as serial
from wengert.graph.op import Tangent
from wengert.graph.types import DType, array_type, is_inexact
from wengert.graph.walk import substitute
from wengert.lazy import module
from wengert.ops.arithmetic import convert
from wengert.ops.leaves import input as leaf
from wengert.ops.movement import concatenate, index, reshape
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten
from wengert.transforms.batch import batch

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


@retried
def jacobian_operator(
    fun: Callable[..., Any], x: Any, *args: Any, holomorphic: bool = False
) -> LinearOperator:
    """The Jacobian of a function at x as a SciPy `LinearOperator`, without the matrix.

    Parameters
    ----------
    fun
        A function written with NumPy, of an array or a structure of them, returning the same.
    x
        The point. Its elements, leaf after leaf, are the n columns; those of the output the m rows.
    args
        Further arguments of `fun`, held constant.
    holomorphic
        Whether `fun` is holomorphic, of complex x.

    Returns
    -------
    A `scipy.sparse.linalg.LinearOperator` of shape (m, n): J v by forward mode, Jᴴ u by reverse
    mode, and both for the columns of a matrix in one pass. `.T` and `.H` are its transpose and its
    adjoint. It holds what it needs of `fun` at x and does not call `fun` again.

    Raises
    ------
    WengertTypeError
        Where something is complex and `fun` is not said to be holomorphic, or x is traced.

    Examples
    --------
    >>> import numpy as np, scipy.sparse.linalg as sla, wengert as wg
    >>> J = wg.jacobian_operator(
    ...     lambda x: np.stack([x[0] * x[1], x[0] + x[1], x[1] ** 2]), np.array([2.0, 3.0])
    ... )
    >>> J.shape, J @ np.array([1.0, 0.0]), J.T @ np.array([1.0, 0.0, 1.0])
    ((3, 2), array([3., 1., 0.]), array([3., 8.]))
    >>> sla.lsmr(J, np.array([5.0, 2.0, 6.0]))[0]
    array([1., 1.])
    """
    what = "jacobian_operator"
    need_function(fun, what)
    call = entered(flatten((x, args))[0])
    with call as session:
        marked = mark(session, (x, *args), 0, what)
        nodes, _ = output_nodes(fun(*marked.args), session, what)
        nodes = distinct(session, nodes)
        _check_kinds(what, (*marked.nodes, *nodes), holomorphic)
        given, back = seeds(marked.nodes), seeds(nodes)
        moved, pulled = forward(nodes, marked.nodes, given), reverse(nodes, marked.nodes, back)
        dtype = _common_dtype((*marked.nodes, *nodes))
        push = Products(dtype, (marked.nodes, given), (nodes, moved))
        pull = Products(dtype, (nodes, back), (marked.nodes, pulled))
        _hold(call, session, what, marked.concrete, push, pull)
    return _operator(push, pull)


@retried
def hessian_operator(fun: Callable[..., Any], x: Any, *args: Any) -> LinearOperator:
    """The Hessian of a scalar function at x as a SciPy `LinearOperator`, without the matrix.

    Parameters
    ----------
    fun
        A scalar function written with NumPy, of a real array or a structure of them.
    x
        The point. Its elements, leaf after leaf, are the n rows and columns.
    args
        Further arguments of `fun`, held constant.

    Returns
    -------
    A symmetric `scipy.sparse.linalg.LinearOperator` of shape (n, n), for `cg`, `minres`, `eigsh`
    and their kin: each product is forward mode over reverse mode. It does not call `fun` again.

    Raises
    ------
    WengertTypeError
        Where something is complex, the output is no scalar, or x is traced.

    >>> import numpy as np, scipy.sparse.linalg as sla, wengert as wg
    >>> H = wg.hessian_operator(lambda x: np.sum(x**2) + np.sum(x) ** 2, np.zeros(3))
    >>> H @ np.array([1.0, 0.0, 0.0])
    array([4., 2., 2.])
    >>> sla.eigsh(H, k=1, return_eigenvectors=False)
    array([8.])
    """
    what = "hessian_operator"
    need_function(fun, what)
    call = entered(flatten((x, args))[0])
    with call as session:
        marked = mark(session, (x, *args), 0, what)
        output = scalar_output(fun(*marked.args), session, what)
        _check_kinds(what, (*marked.nodes, output), False)
        slopes = [
            written(t, n) for t, n in zip(gradient(output, marked.nodes), marked.nodes, strict=True)
        ]
        given = seeds(marked.nodes)
        moved = forward(slopes, marked.nodes, given)
        push = Products(_common_dtype(marked.nodes), (marked.nodes, given), (marked.nodes, moved))
        _hold(call, session, what, marked.concrete, push)
    return _operator(push, push)


@retried
def gauss_newton_operator(
    residual: Callable[..., Any],
    x: Any,
    *args: Any,
    loss: Callable[..., Any] | None = None,
) -> LinearOperator:
    """The Gauss–Newton matrix Jᵀ (∇²loss) J at x as a SciPy `LinearOperator`, without the matrix.

    The arguments but v are those of `gauss_newton_vp`. Returns a symmetric `LinearOperator` of
    shape (n, n), positive semidefinite for a convex loss. Raises WengertTypeError where something
    is complex or x is traced.

    >>> import numpy as np, scipy.sparse.linalg as sla, wengert as wg
    >>> residual = lambda x: np.stack([x[0] - 1, 2 * (x[1] - x[0] ** 2)])
    >>> G = wg.gauss_newton_operator(residual, np.array([1.0, 1.0]))
    >>> G @ np.eye(2)
    array([[17., -8.],
           [-8.,  4.]])
    """
    what = "gauss_newton_operator"
    need_function(residual, what)
    call = entered(flatten((x, args))[0])
    with call as session:
        marked = mark(session, (x, *args), 0, what)
        nodes, spec = output_nodes(residual(*marked.args), session, what)
        given = seeds(marked.nodes)
        moved = gauss_newton(session, nodes, spec, marked.nodes, given, loss)
        push = Products(_common_dtype(marked.nodes), (marked.nodes, given), (marked.nodes, moved))
        _hold(call, session, what, marked.concrete, push)
    return _operator(push, push)


class Products:
    """A linear graph at a point, as a map of flat vectors, and of many at once.

    dtype: of the vectors.
    domain: the nodes that its arguments belong to, and their seeds.
    codomain: the nodes that its results belong to, and the results as nodes of the seeds.
    """

    def __init__(
        self,
        dtype: DType,
        domain: tuple[Sequence[Node], Sequence[Tangent]],
        codomain: tuple[Sequence[Node], Sequence[Tangent]],
    ) -> None:
        likes, names = domain
        results_like, results = codomain
        self.dtype = dtype
        self.columns = sum(node.size for node in likes)
        self.rows = sum(node.size for node in results_like)
        present = [node for node in results if node is not None]
        self.residuals = residuals(present, [name for name in names if name is not None])
        self._flat = leaf(("flat", 0), array_type((self.columns,), dtype))
        self._names = [leaf(("held", k), node.type) for k, node in enumerate(self.residuals)]
        self._result = self._joined(likes, names, results_like, results)
        self._held: dict[Node, Any] = {}

    def _joined(
        self,
        likes: Sequence[Node],
        names: Sequence[Tangent],
        results_like: Sequence[Node],
        results: Sequence[Tangent],
    ) -> Node:
        """The results end to end, of the arguments end to end."""
        start, parts = 0, dict(zip(self.residuals, self._names, strict=True))
        with deriving():
            for like, name in zip(likes, names, strict=True):
                if name is not None:
                    part = index(self._flat, ((start, like.size, 1),))
                    parts[name] = convert(reshape(part, like.shape), like.dtype)
                start += like.size
            whole = [written(node, like) for node, like in zip(results, results_like, strict=True)]
            found = substitute(whole, parts)
            pieces = [
                convert(reshape(node, (like.size,)), self.dtype)
                for node, like in zip(found, results_like, strict=True)
            ]
            return concatenate(*pieces, axis=0)

    def hold(self, values: Sequence[Any]) -> None:
        """Keep the values of the residuals."""
        self._held = dict(zip(self._names, values, strict=True))

    def vector(self, v: Any) -> Any:
        """The product with one vector."""
        v = np.asarray(v).reshape(self.columns)
        return self._run(self._result, self._flat, v)

    def matrix(self, v: Any) -> Any:
        """The products with the columns of a matrix, as columns."""
        v = np.asarray(v)
        count = v.shape[1]
        if not count:
            return np.zeros((self.rows, 0), self.dtype)
        rows = leaf(("flat rows", count), array_type((count, self.columns), self.dtype))
        return self._run(self._for_rows(rows, count), rows, v.T).T

    def _for_rows(self, rows: Node, count: int) -> Node:
        """The results of many arguments at once, derived once for each number of them."""
        key = ("products", count, self._result)
        result: Node | None = recall(key)
        if result is None:
            start = serial()
            with deriving():
                (result,) = batch([self._result], {self._flat: rows}, count)
            remember(key, result, serial() - start)
        assert result is not None
        return result

    def _run(self, result: Node, argument: Node, value: Any) -> Any:
        if value.dtype.kind == "c" and self.dtype.kind != "c":
            real, imaginary = (
                self._run(result, argument, part) for part in (value.real, value.imag)
            )
            return real + 1j * imaginary
        value = np.ascontiguousarray(value, self.dtype)
        (found,) = program((result,)).run({**self._held, argument: value})
        return found


def _hold(
    call: entered, session: Session, what: str, concrete: Sequence[Node], *products: Products
) -> None:
    """Compute the residuals of all products in one run, and let them keep theirs."""
    nodes = [node for each in products for node in each.residuals]
    with keeping(nodes):
        values = deliver(session, call.owner, [Tracer(node, session) for node in nodes], concrete)
    if any(type(value) is Tracer for value in values):
        raise WengertTypeError(
            f"{what} makes an operator for SciPy, which computes with plain arrays, but what it is "
            "given rests on a traced value: use jvp, vjp, hvp or gauss_newton_vp, and "
            "wengert.custom_linear_solve to differentiate through a solver"
        )
    start = 0
    for each in products:
        each.hold(values[start : start + len(each.residuals)])
        start += len(each.residuals)


def _operator(push: Products, pull: Products) -> LinearOperator:
    """SciPy's operator of a product and that of the transpose."""

    def adjoint(product: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if push.dtype.kind != "c":
            return product
        return lambda u: np.conj(product(np.conj(u)))

    operator: LinearOperator = module("scipy.sparse.linalg").LinearOperator(
        (push.rows, push.columns),
        matvec=push.vector,
        rmatvec=adjoint(pull.vector),
        matmat=push.matrix,
        rmatmat=adjoint(pull.matrix),
        dtype=push.dtype,
    )
    return operator


def _common_dtype(nodes: Sequence[Node]) -> DType:
    return np.result_type(*[node.dtype for node in nodes if is_inexact(node.dtype)])


def _check_kinds(what: str, nodes: Sequence[Node], holomorphic: bool) -> None:
    kinds = {node.dtype.kind for node in nodes}
    if holomorphic and kinds != {"c"}:
        raise WengertTypeError("holomorphic=True needs complex arguments and complex outputs")
    if "c" in kinds and not holomorphic:
        cure = " say holomorphic=True, or" if what == "jacobian_operator" else ""
        raise WengertTypeError(
            f"{what} is a complex matrix only where the function is holomorphic:{cure} write the "
            "function as one of the real and the imaginary part"
        )
