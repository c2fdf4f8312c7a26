"""What a call entry is: a form in which a function is called, a compiled program, what to return.

A form is the structure of the arguments down to the type, dtype and shape of each leaf. A call of
this form runs the program and gets the result without the function; any other call goes elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeAlias

import numpy as np
import optree

from wengert.compiler.native import Native
from wengert.graph.types import SUPPORTED, ArrayType, DType, Shape
from wengert.tracing.trees import Spec

# ------------------------------------------------------------------- the form of the arguments

_PYTHON = {bool: np.dtype(np.bool_), int: np.dtype(np.int64)}
_PYTHON |= {float: np.dtype(np.float64), complex: np.dtype(np.complex128)}
SCALARS: dict[type, DType] = _PYTHON | {dtype.type: dtype for dtype in SUPPORTED}
"""The types of numbers that are taken as leaves, with the dtype of what they hold."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An input of the program: an array of exactly this type, dtype and shape, or a number."""

    index: int
    kind: type
    dtype: DType
    shape: Shape


@dataclass(frozen=True, slots=True)
class Same:
    """An object that is no input: None, or a static argument. Known by identity; equal strings
    and ints are the same, too."""

    identity: int
    value: Any = field(compare=False)


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple, a list or a named tuple, of exactly this type."""

    kind: type
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A dict with these keys in this order."""

    keys: tuple[Any, ...]
    parts: tuple[Any, ...]


Form: TypeAlias = Leaf | Same | Items | Keyed


@dataclass(frozen=True, slots=True)
class Signature:
    """The form of a call: arguments by position, then by name in the order in which they came."""

    positional: tuple[Form, ...]
    names: tuple[str, ...]
    named: tuple[Form, ...]

    @property
    def parts(self) -> tuple[Form, ...]:
        return self.positional + self.named


class NoEntry(Exception):
    """What is called or returned has a form that entries do not know."""


def signature(
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    numbered: tuple[Sequence[Any], Mapping[str, Any]],
) -> Signature:
    """The form of a call.

    numbered: the arguments again, with the number of the input at each leaf and None at what is
        static. Raises NoEntry.
    """
    by_position, by_name = numbered
    return Signature(
        tuple(_form(arg, number) for arg, number in zip(args, by_position, strict=True)),
        tuple(kwargs),
        tuple(_form(arg, by_name.get(name)) for name, arg in kwargs.items()),
    )


def _form(value: Any, number: Any) -> Form:
    kind = type(value)
    if number is None:
        return Same(id(value), value)
    if type(number) is int:
        if kind is np.ndarray:
            return Leaf(number, kind, value.dtype, value.shape)
        if kind in SCALARS:
            return Leaf(number, kind, SCALARS[kind], ())
    elif is_items(kind):
        return Items(kind, tuple(map(_form, value, number)))
    elif kind is dict:
        return Keyed(tuple(value), tuple(_form(part, number[key]) for key, part in value.items()))
    raise NoEntry


def is_items(kind: type) -> bool:
    """Whether objects of a type are their items in order and nothing else: tuples, lists, and
    named tuples whose class adds nothing to them."""
    named = kind.__bases__ == (tuple,) and optree.is_namedtuple_class(kind)
    return kind is tuple or kind is list or named


def is_built_in(spec: Spec) -> bool:
    """Whether a structure is made of tuples, lists, dicts and None alone."""
    kind = spec.type
    known = kind is None or kind in (NoneType, dict) or is_items(kind)
    return known and all(map(is_built_in, spec.children()))


# ------------------------------------------------------------------------ the form of the result


@dataclass(frozen=True, slots=True)
class Result:
    """An output of the program: a fresh array, or a NumPy scalar where it has no axes."""

    index: int


@dataclass(frozen=True, slots=True)
class Constant:
    """An object that each call returns; an array is copied."""

    value: Any


@dataclass(frozen=True, slots=True)
class Made:
    """What a Python function makes of the parts: structures that are not built in."""

    function: Any
    parts: tuple[Any, ...]


ResultForm: TypeAlias = Result | Constant | Items | Keyed | Made


def result_form(tree: Any) -> ResultForm:
    """A structure made of built-in ones, with forms of results in the place of its leaves."""
    kind = type(tree)
    if kind is dict:
        return Keyed(tuple(tree), tuple(map(result_form, tree.values())))
    if is_items(kind):
        return Items(kind, tuple(map(result_form, tree)))
    return Constant(None) if tree is None else tree


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A way to answer calls of one form.

    held: the inputs that come after those of the signature: arrays that the program reads at each
        call as they are then, and numbers.
    guards: the bits of the first outputs under which the others are the result.
    result: counts its outputs after the guards.
    """

    signature: Signature
    native: Native
    held: tuple[Any, ...]
    guards: tuple[bytes, ...]
    result: ResultForm

    def __post_init__(self) -> None:
        leaves = sorted(_leaves(self.signature.parts), key=lambda leaf: leaf.index)
        given = [(leaf.shape, leaf.dtype) for leaf in leaves] + list(map(_held, self.held))
        if [leaf.index for leaf in leaves] != list(range(len(leaves))) or given != [
            (type.shape, type.dtype) for type in self.native.inputs
        ]:
            raise NoEntry
        for bits, type in zip(self.guards, self.native.outputs, strict=False):
            if len(bits) != type.nbytes or type.nbytes > MOST_GUARD_BYTES:
                raise NoEntry


MOST_GUARD_BYTES = 1_024
"""Guards are compared on the stack."""


def is_plain(array: np.ndarray[Any, Any]) -> bool:
    """Whether a program can read the memory of an array as it lies."""
    return array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative


def _held(value: Any) -> tuple[Shape, DType]:
    """The shape and dtype of an object that a program reads beside the arguments."""
    leaf = _form(value, 0)
    if not isinstance(leaf, Leaf) or (leaf.kind is np.ndarray and not is_plain(value)):
        raise NoEntry
    return leaf.shape, leaf.dtype


def _leaves(forms: Sequence[Form]) -> list[Leaf]:
    found: list[Leaf] = []
    for form in forms:
        if isinstance(form, Leaf):
            found.append(form)
        elif isinstance(form, Items | Keyed):
            found += _leaves(form.parts)
    return found


def answer_bits(answer: Any, type: ArrayType) -> bytes:
    """The bits that a guard's node has where Python was given this answer. Raises NoEntry."""
    found = np.asarray(answer)
    if found.dtype.kind == "c" and type.dtype.kind != "c":
        if np.any(found.imag):
            raise NoEntry
        found = found.real
    bits = np.array(found, type.dtype, order="C")
    if found.shape != type.shape or not np.array_equal(found, bits, equal_nan=True):
        raise NoEntry
    return bits.tobytes()
