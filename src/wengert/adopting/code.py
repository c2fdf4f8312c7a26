"""Calls of types in code that has been compiled: `float(x)`, `np.float64(x)`.

The name `float` means a type in `dtype=float` and `isinstance(x, float)`, and a function in
`float(x)`. Only the last loses derivatives. A name in the module cannot tell them apart, but the
bytecode can: it says of a name that is loaded whether it is called next. Such loads are given
another name, in a copy of the code object that is otherwise the same, line numbers included.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType

from wengert.adopting.pythons import CASTS, SCALARS

CALLED = {name: f"__wengert_{name}__" for name in CASTS}
"""A builtin type -> the global name under which its calls look for it."""
CALLED_SCALARS = "__wengert_scalars__"
"""The global name for `np` where a scalar type of it is called."""


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def with_own_calls(code: CodeType, numpy: frozenset[str], shadowed: frozenset[str]) -> CodeType:
    """The code with its calls of number types under our names; itself where it has none.

    numpy: the global names that mean NumPy. shadowed: names that the module has given to something
        of its own.
    """
    consts = tuple(
        with_own_calls(c, numpy, shadowed) if isinstance(c, CodeType) else c for c in code.co_consts
    )
    loads = dict(_loads(code, numpy, shadowed))
    names = list(code.co_names)
    raw = bytearray(code.co_code)
    for offset, name in loads.items():
        if name not in names:
            names.append(name)
        place = names.index(name) << 1 | raw[offset + 1] & 1
        if place < 256:  # a larger one would need another instruction in front
            raw[offset + 1] = place
    if not loads and all(a is b for a, b in zip(consts, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=consts, co_names=tuple(names), co_code=bytes(raw))


def _loads(
    code: CodeType, numpy: frozenset[str], shadowed: frozenset[str]
) -> Iterator[tuple[int, str]]:
    """(offset, our name) of each load of a global that is called as a number type."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("CACHE", "PRECALL")]
    for k, step in enumerate(steps):
        if step.opname != "LOAD_GLOBAL" or step.arg is None or step.arg > 255:
            continue
        if step.argval in CALLED and step.argval not in shadowed and step.arg & 1:
            yield step.offset, CALLED[step.argval]
        elif step.argval in numpy and k + 2 < len(steps):
            after, then = steps[k + 1], steps[k + 2]
            if after.argval in SCALARS and _is_called(step, after, then):
                yield step.offset, CALLED_SCALARS


def _is_called(load: dis.Instruction, attribute: dis.Instruction, then: dis.Instruction) -> bool:
    """Whether the attribute of the global that is loaded is called next."""
    if attribute.opname == "LOAD_METHOD" or then.opname == "PUSH_NULL":
        return True
    if attribute.opname != "LOAD_ATTR" or load.arg is None or attribute.arg is None:
        return False
    return bool((load.arg if sys.version_info < (3, 12) else attribute.arg) & 1)
