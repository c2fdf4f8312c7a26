"""A function with examples of its arguments, and its derivatives as functions of such arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wengert.derivatives.gradients import grad
from wengert.derivatives.jacobians import hessian, hvp
from wengert.explaining.closed.lifting import leaf_parameters
from wengert.explaining.closed.problem import Problem
from wengert.explaining.closed.scope import Opened
from wengert.explaining.closed.terms import Symbol
from wengert.tracing.trees import Spec, flatten, unflatten


@dataclass(frozen=True, slots=True)
class Call:
    """f at examples, as a function of the leaves of its arguments.

    names: of the leaves; places: of the problem's arguments among them; place: of the variable.
    held: places of leaves whose values are part of the formulas: what is no array, exponents.
        (A number that is read and is no symbol of the function was taken by its value.)
    """

    f: Callable[..., Any]
    problem: Problem
    leaves: list[Any]
    spec: Spec
    names: list[str]
    places: list[int]
    place: int
    held: tuple[int, ...]

    @classmethod
    def of(cls, f: Callable[..., Any], examples: Sequence[Any], problem: Problem) -> Call:
        leaves, spec = flatten(tuple(examples))
        names = leaf_parameters(f, tuple(examples))
        places = [names.index(named.symbol.name) for named in problem.arguments]
        place = names.index(problem.variable.name)
        leaves[place] = _floating(leaves[place])
        read = problem.function.free.union(*(z.arguments for z in problem.intermediates))
        numbers = [one.symbol.name for one in problem.arguments if one.symbol not in read]
        held = tuple(
            k
            for k, name in enumerate(names)
            if k != place and (k not in places or (name in numbers and not np.ndim(leaves[k])))
        )
        return cls(f, problem, leaves, spec, names, places, place, held)

    def with_outside(self, values: Mapping[Symbol, Any]) -> Call:
        """The same where f reads other arrays from outside."""
        moved = {
            id(named.value): values[named.symbol]
            for named in self.problem.constants
            if named.is_outside
        }
        opened = Opened(lambda name, value: moved.get(id(value), value))
        return replace(self, f=opened.callable(self.f))

    def __call__(self, *leaves: Any) -> Any:
        """f of the leaves, as a number."""
        return np.reshape(self.f(*unflatten(self.spec, list(leaves))), ())

    @property
    def of_matrix(self) -> bool:
        return 1 not in self.problem.variable.shape

    def remarks(self) -> Iterator[str]:
        """What the source holds for."""
        shapes = [
            f"{self.names[k]} {np.shape(self.leaves[k])}".replace(",)", ")")
            for k in self.places
            if np.ndim(self.leaves[k])
        ]
        if shapes:
            yield f"For arrays of these shapes: {', '.join(shapes)}."
        for k in self.held:
            yield f"{self.names[k]} is held at {self.leaves[k]!r}."

    def of_arguments(self, name: str, formula: Callable[..., Any] | None) -> Callable[..., Any]:
        """A derivative as a function of arguments like those of f, with V after them for a matrix:
        by the formula where it holds, else by automatic differentiation."""
        numeric = self._numeric(name)

        def of_arguments(*args: Any) -> Any:
            directed = self.of_matrix and name == "hessian"
            args = arrays_for_lists(args)
            args, last = (args[:-1], args[-1:]) if directed else (args, ())
            leaves, spec = flatten(args)
            if formula is not None and spec == self.spec and self._like_examples(leaves):
                return formula(*leaves, *last)
            leaves[self.place] = _floating(leaves[self.place])
            return numeric(*leaves, *last)

        of_arguments.__name__ = of_arguments.__qualname__ = name
        return of_arguments

    def _like_examples(self, leaves: Sequence[Any]) -> bool:
        if self.problem.branched:
            return False
        return all(np.shape(leaves[k]) == np.shape(self.leaves[k]) for k in self.places) and all(
            type(leaves[k]) is type(self.leaves[k]) and np.all(leaves[k] == self.leaves[k])
            for k in self.held
        )

    def _numeric(self, name: str) -> Callable[..., Any]:
        """A derivative by automatic differentiation, as a function of the leaves."""
        if name == "gradient":
            return grad(self, argnums=self.place)
        return self.along if self.of_matrix else self._square

    def _square(self, *leaves: Any) -> Any:
        """The Hessian with two axes, as formulas have it, also where the variable is (n, 1)."""
        found = hessian(self, argnums=self.place)(*leaves)
        size = np.size(leaves[self.place])
        return np.reshape(found, (size, size) if size > 1 else ())

    def along(self, *leaves_and_direction: Any) -> Any:
        """The derivative of the gradient in a direction."""
        *leaves, direction = leaves_and_direction

        def moved(variable: Any) -> Any:
            return self(*leaves[: self.place], variable, *leaves[self.place + 1 :])

        return hvp(moved, leaves[self.place], direction)


def arrays_for_lists(args: Sequence[Any]) -> tuple[Any, ...]:
    """A list of numbers, or of rows of numbers, is meant as an array; what else there is, as is."""
    return tuple(_array(arg) if isinstance(arg, list) else arg for arg in args)


def _array(numbers: list[Any]) -> Any:
    try:
        return np.asarray(numbers, float)
    except (TypeError, ValueError):
        return numbers


def _floating(leaf: Any) -> Any:
    return np.asarray(leaf, float)[()] if np.asarray(leaf).dtype.kind in "iu" else leaf
