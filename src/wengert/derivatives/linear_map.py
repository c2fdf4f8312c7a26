"""A linear function that outlives the trace which made it: the pullback of `vjp`, and its kin.

It holds the linear part of a graph and the values of its residuals: those primal nodes that the
linear part reads. Called with arrays it runs as a program; called with traced values, in whatever
trace, its graph is substituted into that one, so that it differentiates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import entered
from wengert.execution.programs import program
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import OpaqueType, float0, is_inexact
from wengert.graph.walk import dependents, substitute, topological
from wengert.lazy import module
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, match, paths, unflatten


class LinearMap:
    """A linear function of tangents or cotangents.

    domain: (what its arguments are called, the nodes that they belong to, their seeds, structure).
    codomain: (the nodes that its results belong to, the results as nodes of the seeds, structure).
    unpacked: whether it takes one positional argument an entry of the structure.
    memory: the budget in bytes that a call of it holds to, if any.
    """

    def __init__(
        self,
        name: str,
        domain: tuple[str, Sequence[Node], Sequence[Tangent], Spec],
        codomain: tuple[Sequence[Node], Sequence[Tangent], Spec],
        unpacked: bool,
        memory: int | None = None,
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self._noun, self._like, self._seeds, self._spec = domain
        self._results_like, self._results, self._result_spec = codomain
        self._unpacked = unpacked
        self._memory = memory
        present = [node for node in self._results if node is not None]
        self.residuals = residuals(present, [s for s in self._seeds if s is not None])
        self._held: list[Any] = []

    def part(self, outputs: Sequence[Node]) -> None:
        """Choose the residuals so that computing them with the outputs, and a call, each hold to
        the budget of memory; what is not kept is computed again."""
        assert self._memory is not None
        seeds = [s for s in self._seeds if s is not None]
        present = [node for node in self._results if node is not None]
        parted = module("wengert.execution.budget.parting").parted
        found, self.residuals = parted(outputs, present, seeds, self._memory)
        again = iter(found)
        self._results = [None if node is None else next(again) for node in self._results]

    def hold(self, values: Sequence[Any]) -> None:
        """Keep the values of the residuals (or their tracers, inside a trace)."""
        self._held = list(values)

    def __call__(self, *args: Any) -> Any:
        given = args if self._unpacked else self._only(args)
        leaves = match(given, self._spec, f"the {self._noun} given to {self.__name__}", "the value")
        seeds, values = [], []
        for k, (leaf, like, seed) in enumerate(zip(leaves, self._like, self._seeds, strict=True)):
            value = checked(leaf, like, Place(f"the {self._noun}", given, k))
            if seed is not None:
                seeds.append(seed)
                values.append(value)
        inputs = [*seeds, *self.residuals]
        values += self._held
        present = [node for node in self._results if node is not None]
        if any(type(value) is Tracer for value in values):
            found = self._in_trace(present, inputs, values)
        else:
            planned = program(present, inputs, memory=self._memory)
            found = planned.run(dict(zip(inputs, values, strict=True)))
        return unflatten(self._result_spec, self._filled(iter(found)))

    def _in_trace(
        self, results: Sequence[Node], inputs: Sequence[Node], values: Sequence[Any]
    ) -> list[Any]:
        """The results as part of the trace that the traced values belong to."""
        with entered(values) as session:
            nodes = [
                session.capture_operator(value)
                if isinstance(node.type, OpaqueType) and type(value) is not Tracer
                else lift(value, session)
                for node, value in zip(inputs, values, strict=True)
            ]
            found = substitute(results, dict(zip(inputs, nodes, strict=True)))
            return [Tracer(node, session) for node in found]

    def _filled(self, found: Iterator[Any]) -> list[Any]:
        """One entry a leaf: what was found, zeros, or float0."""
        return [
            np.zeros(like.shape, float0)
            if not is_inexact(like.dtype)
            else (np.zeros(like.shape, like.dtype) if like.shape else like.dtype.type(0))
            if result is None
            else next(found)
            for like, result in zip(self._results_like, self._results, strict=True)
        ]

    def _only(self, args: tuple[Any, ...]) -> Any:
        if len(args) != 1:
            raise WengertTypeError(
                f"{self.__name__} takes one argument, a {self._noun} of the structure of the "
                f"output, not {len(args)}"
            )
        return args[0]

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


def residuals(results: Sequence[Node], seeds: Sequence[Node]) -> list[Node]:
    """The nodes that the linear part reads and that do not depend on its seeds.

    Constants stay in the graph. A result that does not depend on the seeds is a residual itself.
    """
    order = topological(results)
    linear = dependents(order, seeds)
    found: dict[Node, None] = {}
    for node in order:
        if node in linear:
            for arg in node.args:
                if arg not in linear and not _is_constant(arg):
                    found[arg] = None
    for node in results:
        if node not in linear and not _is_constant(node):
            found[node] = None
    return list(found)


def _is_constant(node: Node) -> bool:
    """Whether a node needs no value from outside."""
    return node.op.name in ("full", "iota")


class Place:
    """Names a leaf when an error needs it."""

    __slots__ = ("index", "noun", "structure")

    def __init__(self, noun: str, structure: Any, index: int) -> None:
        self.noun = noun
        self.structure = structure
        self.index = index

    def __str__(self) -> str:
        path = paths(self.structure)[self.index]
        return f"{self.noun} at {path}" if path else self.noun


def checked(value: Any, like: Node, place: object) -> Any:
    """A tangent or cotangent from outside, for the value that `like` names: an array or tracer of
    its shape and dtype, or None where there is no derivative."""
    shape, dtype = like.shape, like.dtype
    if not is_inexact(dtype):
        if type(value) is not Tracer and np.asarray(value).dtype == float0:
            return None
        raise WengertTypeError(
            f"{place} must have dtype float0, as the value that it belongs to has dtype {dtype} "
            f"and no derivative: write np.zeros({shape}, wengert.float0)"
        )
    if type(value) is not Tracer:
        value = np.asarray(value)
    if value.dtype.kind not in "biufc":
        raise WengertTypeError(
            f"{place} has dtype {value.dtype}, and the value that it belongs to {dtype}"
        )
    if value.shape != shape:
        raise WengertValueError(
            f"{place} has shape {value.shape}, and the value that it belongs to {shape}"
        )
    if value.dtype.kind == "c" and dtype.kind != "c":
        raise WengertTypeError(f"{place} is complex, and the value that it belongs to is {dtype}")
    if type(value) is Tracer:
        return Tracer(find("convert")(value.node, dtype), value.session)
    return value.astype(dtype, copy=False)
