"""Structures at the border: tuples, lists, dicts, named tuples and dataclasses of arrays (pytrees).

optree does the work. Dataclasses are registered when they are first met: each field is a child.
None is part of the structure and not a leaf.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
import optree

from wengert.errors import WengertTypeError
from wengert.tracing.tracer import Tracer

Spec: TypeAlias = optree.PyTreeSpec
NAMESPACE = "wengert"

_LEAF: Spec = optree.treespec_leaf(namespace=NAMESPACE)
_PLAIN = frozenset({Tracer, np.ndarray, float, int, complex, bool, np.float64})


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves of a structure, and what puts them back together."""
    if type(tree) in _PLAIN:
        return [tree], _LEAF
    while True:
        leaves, spec = optree.tree_flatten(tree, namespace=NAMESPACE)
        unknown = {
            type(leaf)
            for leaf in leaves
            if dataclasses.is_dataclass(leaf) and not isinstance(leaf, type)
        }
        if not unknown:
            return leaves, spec
        for cls in unknown:
            _register(cls)


def unflatten(spec: Spec, leaves: Sequence[Any]) -> Any:
    """The structure with these leaves."""
    return leaves[0] if spec is _LEAF else optree.tree_unflatten(spec, leaves)


def paths(tree: Any) -> list[str]:
    """How each leaf is reached, as Python would write it: `['weights'][0]`."""
    flatten(tree)
    accessors = optree.tree_accessors(tree, namespace=NAMESPACE)
    return [accessor.codify("") for accessor in accessors]


def leaf_name(arguments: Mapping[str, Any], index: int) -> str:
    """How a message calls a leaf, counted through all arguments: `the leaf ['w'] of argument 1`."""
    for name, tree in arguments.items():
        inner = paths(tree)
        if index < len(inner):
            return f"the leaf {inner[index]} of {name}" if inner[index] else name
        index -= len(inner)
    raise IndexError("no argument has this leaf")


def match(tree: Any, spec: Spec, what: str, other: str) -> list[Any]:
    """The leaves of a structure that must be like another one."""
    leaves, found = flatten(tree)
    if found != spec:
        raise WengertTypeError(
            f"{what} must have the same structure as {other}: expected {_show(spec)}, "
            f"got {_show(found)}"
        )
    return leaves


def _show(spec: Spec) -> str:
    text = str(spec).removeprefix("PyTreeSpec(").removesuffix(")")
    return text.removesuffix(f", namespace={NAMESPACE!r}")


_registered: set[type] = set()
_registering = Lock()


def _register(cls: type) -> None:
    names = tuple(field.name for field in dataclasses.fields(cls))

    def take_apart(instance: Any) -> tuple[Any, Any, Any]:
        return [getattr(instance, name) for name in names], None, names

    def put_together(_: Any, children: Any) -> Any:
        instance: Any = object.__new__(cls)
        for name, child in zip(names, children, strict=True):
            object.__setattr__(instance, name, child)
        return instance

    with _registering:
        if cls not in _registered:  # another thread may have been faster
            optree.register_pytree_node(
                cls,
                take_apart,
                put_together,
                path_entry_type=optree.GetAttrEntry,
                namespace=NAMESPACE,
            )
            _registered.add(cls)
