"""Gradient, Hessian and the lines of their derivation, by differentials.

    1. df, by the rules over kinds of terms           differentiating
    2. df = ⟨∇f, dx⟩: what stands at dx               extracting
    3. dx held, d again: d²f = dx₁ᵀ [H] dx            both once more, on the gradient
    4. the shorter of expanded and factored           factoring

Sources: Magnus & Neudecker, *Matrix Differential Calculus*; Minka 2000, *Old and New Matrix Algebra
Useful for Statistics*.
"""

from __future__ import annotations

from collections.abc import Iterator

from wengert.explaining.closed.algebra import (
    hadamard,
    multiply,
    total,
)
from wengert.explaining.closed.differentiating import Differentials, NoDifferential
from wengert.explaining.closed.extracting import Extraction, NotLinear
from wengert.explaining.closed.factoring import factored
from wengert.explaining.closed.lifting import lift
from wengert.explaining.closed.problem import Derivation, Line, Problem
from wengert.explaining.closed.sums import (
    transpose,
)
from wengert.explaining.closed.terms import (
    SCALAR,
    Jacobian,
    Pairing,
    Quadratic,
    Symbol,
    Term,
    is_zero,
    zero,
)

__all__ = ["derive", "lift"]

_MOST_LINES = 4
_LONGEST = 250
"""Gradients of more symbols than this have no second derivative that anybody would read."""


def derive(problem: Problem) -> Derivation:
    """The derivatives of a lifted function."""
    return _Deriving(problem).derivation()


class _Deriving:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.function = problem.function
        self.variable = problem.variable
        self.is_matrix = 1 not in self.variable.shape
        self.taken = {
            named.symbol.name
            for named in (*problem.arguments, *problem.constants, *problem.intermediates)
        }
        self.dx = self._differential("d" + self.variable.name)

    def _differential(self, name: str, shape: tuple[int, int] | None = None) -> Symbol:
        while name in self.taken:
            name += "_"
        return Symbol(shape or self.variable.shape, name, "differential")

    def _differentials(self, dx: Symbol) -> tuple[Differentials, Extraction]:
        """d(·), and the reading off, for one differential of the variable."""
        symbols: dict[Symbol, Term] = {self.variable: dx}
        others: dict[Symbol, Symbol] = {}
        for named in self.problem.intermediates:
            z = named.symbol
            if z.role == "intermediate":
                if 1 in z.shape and not self.is_matrix:
                    column = z.shape if z.shape[1] == 1 else z.shape[::-1]
                    jacobian = Jacobian((column[0], self.variable.shape[0]), z, self.variable)
                    moved = multiply(jacobian, dx)
                    symbols[z] = moved if z.shape[1] == 1 else transpose(moved)
                else:
                    dz = self._differential("d" + z.name, z.shape)
                    symbols[z], others[dz] = dz, z
        return Differentials(self.variable, symbols), Extraction(self.variable, dx, others)

    def derivation(self) -> Derivation:
        d, extraction = self._differentials(self.dx)
        df = d.of(self.function)
        if self.function.shape != SCALAR:
            return self._of_column(df, extraction)
        gradient = extraction.gradient(df)
        hessian = second = mapped = direction = None
        dg = None
        try:
            if gradient.size > _LONGEST:
                raise NoDifferential("the second derivative would be too long to be read")
            if self.is_matrix:
                direction = self._direction()
                d_v, _ = self._differentials(direction)
                mapped = d_v.of(gradient)
                if any(s.role == "differential" and s != direction for s in mapped.free):
                    raise NoDifferential("a named intermediate has a second derivative here")
                second = factored(total(hadamard(mapped, direction)))
                mapped = factored(mapped)
            else:
                dg = d.of(gradient)
                hessian = factored(extraction.matrix(dg))
        except (NoDifferential, NotLinear):
            hessian = second = mapped = direction = None
        gradient = factored(gradient)
        return Derivation(
            problem=self.problem,
            function=self.function,
            gradient=gradient,
            jacobian=None,
            hessian=hessian,
            second=second,
            hessian_map=mapped,
            direction=direction,
            lines=tuple(self._lines(d, df, gradient, hessian, second, direction)),
        )

    def _direction(self) -> Symbol:
        for name in ("V", "H", "U", "K", "d" + self.variable.name + "1"):
            if name not in self.taken:
                return Symbol(self.variable.shape, name, "differential")
        return self._differential("V_")

    def _of_column(self, df: Term, extraction: Extraction) -> Derivation:
        """The Jacobian of a column by a column or a number."""
        jacobian: Term | None = None
        if self.function.shape[1] == 1 and not self.is_matrix:
            try:
                jacobian = factored(extraction.matrix(df))
            except NotLinear:
                jacobian = None
        lines = [Line("f", self.function, "")]
        if jacobian is not None:
            lines.append(Line("df", factored(df), "differentials"))
        return Derivation(
            self.problem, self.function, None, jacobian, None, None, None, None, tuple(lines)
        )

    # --------------------------------------------------------------------------------- lines

    def _lines(
        self,
        d: Differentials,
        df: Term,
        gradient: Term,
        hessian: Term | None,
        second: Term | None,
        direction: Symbol | None,
    ) -> Iterator[Line]:
        yield Line("f", self.function, "")
        for term in self._expansions(d, self.function, df):
            yield Line("df", term, "rules of differentials")
        yield Line("df", Pairing(SCALAR, gradient, self.dx), "the gradient stands at dx")
        if hessian is not None:
            yield from self._second_lines(df, hessian)
        elif second is not None and direction is not None:
            yield Line("d²f", second, f"d again, dX = {direction.name} both times")

    def _held(self) -> str:
        """dx₁, the differential of x that is held; δx₁ where x₁ is the variable."""
        name = self.variable.name
        return f"δ{name}" if "_" in name or name[-1].isdigit() else f"d{name}1"

    def _expansions(self, d: Differentials, term: Term, full: Term) -> list[Term]:
        """The differential with one rule after the other worked out, to the whole."""
        found: list[Term] = []
        for depth in range(1, _MOST_LINES + 2):
            line = d.of(term, depth)
            if line == full:
                break
            if not found or line != found[-1]:
                found.append(line)
        shorter = factored(full)
        return [*found[: _MOST_LINES - 1], full, *([] if shorter == full else [shorter])]

    def _second_lines(self, df: Term, hessian: Term) -> Iterator[Line]:
        dx1 = self._differential(self._held())
        d, _ = self._differentials(dx1)
        try:
            d2f = d.of(df)
        except NoDifferential:  # a named intermediate amid a chain
            d2f = zero(SCALAR)
        if not is_zero(d2f):
            yield Line("d²f", d2f, "d again, dx held")
        yield Line("d²f", Quadratic(SCALAR, dx1, hessian, self.dx), "the Hessian stands between")
