"""Views and writes: arrays that share memory, though nodes never change.

A view knows its root and the steps from there; the root holds weak references to its views. A write
runs the steps from the root's node, puts the new value back, rebinds the root, and recomputes the
nodes of the live views. Reads cost nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import DType
from wengert.tracing.forcing import check_alive
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

Get: TypeAlias = Callable[[Node], Node]
Put: TypeAlias = Callable[[Node, Node], Node]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a view: how to read it from what it views, and how to write it back.

    put: (old base, new value of the view) -> new base; None where NumPy's view is read-only.
    layout: the same step on a NumPy array, which tells when NumPy would copy.
    """

    get: Get
    put: Put | None
    layout: Callable[[Any], Any]


class Link:
    """What a tracer shares memory with, as NumPy's views do.

    root: the tracer that is viewed, or None for an array of its own.
    path: the steps from the root to this view.
    views: weak references to the views of this tracer, which a write must refresh.
    """

    __slots__ = ("path", "root", "views")

    def __init__(self, root: Tracer | None = None, path: tuple[Step, ...] = ()) -> None:
        self.root = root
        self.path = path
        self.views: list[weakref.ref[Tracer]] = []


def own(node: Node, session: Session) -> Tracer:
    """A traced array that owns its memory; one without axes too can be written to."""
    result = Tracer(node, session)
    if not node.shape:
        result.link = Link()
    return result


def is_scalar(tracer: Tracer) -> bool:
    """Whether this is what NumPy has as a scalar: it has no memory that a write could change."""
    return tracer.link is None and not tracer.node.shape


def view(of: Tracer, get: Get, put: Put | None, layout: Callable[[Any], Any]) -> Tracer:
    """A tracer that shares memory with another one, as NumPy's views do (see `Step`)."""
    return view_by(of, Step(get, put, layout))


def view_by(of: Tracer, step: Step, node: Node | None = None) -> Tracer:
    """A view by a step that was made before; `node` is what it reads, where that is known.

    What is made of a scalar is no view, but an array (or scalar) of its own.
    """
    result = Tracer(step.get(of.node) if node is None else node, of.session)
    if is_scalar(of) and step.put is not None:
        return result
    if of.link is None:
        of.link = Link()
    root = of if of.link.root is None else of.link.root
    result.link = Link(root, (*of.link.path, step))
    assert root.link is not None
    views = root.link.views
    views.append(weakref.ref(result))
    if len(views) > 8 and len(views) & (len(views) - 1) == 0:  # prune at powers of two
        views[:] = [ref for ref in views if ref() is not None]
    return result


def memory_layout(tracer: Tracer) -> np.ndarray[Any, Any]:
    """An array that lies in memory as NumPy's would: for asking whether an operation copies."""
    link = tracer.link
    root = tracer if link is None or link.root is None else link.root
    layout = np.empty(root.shape, np.bool_)
    for step in () if link is None else link.path:
        layout = step.layout(layout)
    return layout


def write(tracer: Tracer, value: Node) -> None:
    """Overwrite a traced array: rebind it, what it is a view of, and the views of that.

    Nodes do not change. The value is converted to the dtype of the array and broadcast, as NumPy
    does on assignment.
    """
    check_alive(tracer)
    value = find("broadcast_to")(assignable(value, tracer.dtype), tracer.shape)
    link = tracer.link
    if link is None:
        tracer.node = value
        return
    root = tracer if link.root is None else link.root
    bases = [root.node]
    for step in link.path:
        bases.append(step.get(bases[-1]))
    for step, base in zip(reversed(link.path), reversed(bases[:-1]), strict=True):
        if step.put is None:
            raise WengertValueError("assignment destination is read-only")
        value = step.put(base, value)
    root.node = value
    assert root.link is not None
    alive = []
    for ref in root.link.views:
        other = ref()
        if other is not None:
            alive.append(ref)
            node = root.node
            assert other.link is not None
            for step in other.link.path:
                node = step.get(node)
            other.node = node
    root.link.views[:] = alive


def assignable(value: Node, dtype: DType) -> Node:
    """A value about to be written into a traced array of this dtype."""
    have = value.dtype
    if have.kind == "c" and dtype.kind != "c":
        raise WengertTypeError(
            f"complex values would be assigned into a traced {dtype} array and lose their "
            "imaginary part; take .real, or make the array complex"
        )
    if have.kind in "fc" and dtype.kind in "iub":
        raise WengertTypeError(
            f"floating values would be assigned into a traced {dtype} array and be rounded; make "
            "the array with a floating dtype"
        )
    return find("convert")(value, dtype)
