"""The value of a term: every kind of term by its definition, with arrays of two axes.

This is the oracle for what is printed, and for the NumPy source: plain, and not fast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.derivatives.jacobians import hessian, jacobian
from wengert.explaining.closed.problem import Named
from wengert.explaining.closed.terms import (
    Apply,
    Curvature,
    Det,
    Diag,
    Diagonal,
    Differential,
    Hadamard,
    Identity,
    Inner,
    Inverse,
    Jacobian,
    LogDet,
    LogSumExp,
    Ones,
    Pairing,
    Product,
    Pullback,
    Quadratic,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    Unit,
)

Matrix = NDArray[Any]
CIRCLE_NUMBER = "π"

_NUMPY = (
    "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "arcsinh", "arccosh", "arctanh", "sign",
)  # fmt: skip
FUNCTIONS: dict[str, Callable[[Matrix], Matrix]] = {
    **{name: getattr(np, name) for name in _NUMPY},
    "abs": np.abs,
    "sigmoid": lambda u: np.exp(-np.logaddexp(0.0, -u)),
    "softplus": lambda u: np.logaddexp(0.0, u),
    "relu": lambda u: np.maximum(u, 0.0),
    "step": lambda u: np.heaviside(u, 0.5),
    "positive": lambda u: np.heaviside(u, 0.0),
    "nonnegative": lambda u: np.heaviside(u, 1.0),
    "erf": np.vectorize(math.erf, otypes=[float]),
}
"""Every elementwise function of terms."""


class Evaluator:
    """Values of terms where the symbols have values.

    values: of the symbols, as NumPy has them; those of intermediates are computed.
    along: the differential of a term, for lines of derivations in which d(·) stands.
    """

    def __init__(
        self,
        values: Mapping[Symbol, Any],
        intermediates: Sequence[Named],
        along: Callable[[Term], Any] | None = None,
    ) -> None:
        self.along = along
        self.arrays: dict[Symbol, Any] = dict(values)
        self.intermediates = {named.symbol: named for named in intermediates}
        self.known: dict[Term, Matrix] = {}
        for named in intermediates:
            if named.compute is not None and named.symbol not in self.arrays:
                self.arrays[named.symbol] = named.compute(*self.inputs(named))

    def inputs(self, named: Named) -> list[Any]:
        return [self.arrays[symbol] for symbol in named.arguments]

    def __call__(self, term: Term) -> Matrix:
        """The value, of the term's shape: (1, 1) for a number."""
        if term not in self.known:
            self.known[term] = np.broadcast_to(self._value(term), term.shape)
        return self.known[term]

    def _value(self, term: Term) -> Any:
        match term:
            case Symbol(name=name):
                value = np.pi if name == CIRCLE_NUMBER and term not in self.arrays else None
                return np.reshape(self.arrays[term] if value is None else value, term.shape)
            case Sum(parts=parts):
                return sum(map(self, parts), start=np.zeros(term.shape))
            case Product(coefficient=coefficient, scalars=scalars, factors=factors):
                front = float(coefficient)
                for base, power in scalars:
                    front = front * self(base) ** float(power)
                return front * self._chain(factors) if factors else front
            case Identity():
                return np.eye(term.shape[0])
            case Ones():
                return np.ones(term.shape)
            case Unit(index=index):
                return np.eye(term.shape[0])[:, index : index + 1]
            case Transposed(of=of):
                return self(of).T
            case Inverse(of=of):
                return np.linalg.inv(self(of))
            case Diag(of=of):
                return np.diag(self(of)[:, 0])
            case Diagonal(of=of):
                return np.diag(self(of))[:, None]
            case Hadamard(powers=powers):
                return reduce(np.multiply, [self(base) ** float(power) for base, power in powers])
            case Apply(function=function, of=of):
                return FUNCTIONS[function](self(of))
            case Inner(factors=factors):
                return self._chain(factors)
            case Trace(factors=factors):
                return np.trace(self._chain(factors))
            case Det(of=of):
                return np.linalg.det(self(of))
            case LogDet(of=of):
                return np.linalg.slogdet(self(of))[1]
            case LogSumExp(of=of):
                return self._log_sum_exp(self(of))
            case Softmax(of=of):
                return np.exp(self(of) - self._log_sum_exp(self(of)))
        return self._derivative(term)

    def _derivative(self, term: Term) -> Any:
        match term:
            case Jacobian(of=of, by=by):
                named = self.intermediates[of]
                place = named.arguments.index(by)
                found = jacobian(named.compute, argnums=place)(*self.inputs(named))
                return np.reshape(found, term.shape)
            case Curvature(of=of, by=by, weight=weight):
                named = self.intermediates[of]
                place, weights = named.arguments.index(by), self(weight).ravel()

                def weighted(*arrays: Any) -> Any:
                    return weights @ np.reshape(named.compute(*arrays), -1)  # type: ignore[misc]

                return np.reshape(hessian(weighted, argnums=place)(*self.inputs(named)), term.shape)
            case Pullback(of=of, by=by, weight=weight):
                sizes = (math.prod(of.shape), math.prod(by.shape))
                matrix = self(Jacobian(sizes, of, by))
                return np.reshape(self(weight).ravel() @ matrix, term.shape)
            case Differential(of=of) if self.along is not None:
                return self.along(of)
            case Pairing(left=left, right=right):
                return np.sum(self(left) * self(right))
            case Quadratic(left=left, of=of, right=right):
                return self(left).T @ self(of) @ self(right)
        raise TypeError(f"{type(term).__name__} has no value")

    def _chain(self, factors: Sequence[Term]) -> Matrix:
        return reduce(np.matmul, map(self, factors))

    @staticmethod
    def _log_sum_exp(u: Matrix) -> Any:
        """Of a column a number; of each row of a matrix."""
        if u.shape[1] == 1:
            return np.logaddexp.reduce(u[:, 0])
        return np.logaddexp.reduce(u, axis=1)[:, None]
