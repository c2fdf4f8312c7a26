"""The text of an LLVM function under construction.

Text, and not objects: a kernel is some thousand lines, and building objects for them costs several
times what LLVM's parser does.
"""

from __future__ import annotations

from typing import Any


class Code:
    """The body of one function, its stack slots, and what it declares.

    lines: instructions in order. entry: instructions of the entry block (stack slots).
    declared: declarations of the functions called, shared by a module's functions.
    block: the label of the block that is being filled.
    known: what calls without effects have given in that block.
    """

    __slots__ = ("block", "count", "declared", "entry", "known", "lines")

    def __init__(self, declared: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.entry: list[str] = []
        self.declared: dict[str, str] = {} if declared is None else declared
        self.count = 0
        self.block = "entry"
        self.known: dict[object, Any] = {}

    def fresh(self, prefix: str = "%t") -> str:
        """A name that is not in use."""
        self.count += 1
        return f"{prefix}{self.count}"

    def put(self, text: str) -> None:
        """An instruction without a result."""
        self.lines.append(text)

    def let(self, text: str) -> str:
        """An instruction with a result, whose name is returned."""
        self.count += 1
        name = f"%t{self.count}"
        self.lines.append(f"{name} = {text}")
        return name

    def call(self, name: str, result: str, *typed: tuple[str, str]) -> str:
        """A call with a result of a function that is declared as it is called."""
        self._declare(name, result, typed)
        args = ", ".join(f"{type} {value}" for type, value in typed)
        return self.let(f"call {result} @{name}({args})")

    def call_void(self, name: str, *typed: tuple[str, str]) -> None:
        """A call without a result."""
        self._declare(name, "void", typed)
        args = ", ".join(f"{type} {value}" for type, value in typed)
        self.put(f"call void @{name}({args})")

    def _declare(self, name: str, result: str, typed: tuple[tuple[str, str], ...]) -> None:
        if name not in self.declared:
            self.declared[name] = f"declare {result} @{name}({', '.join(t for t, _ in typed)})"

    def label(self, name: str) -> None:
        """Begin the block `name`; the block before it ends here with a branch of its own."""
        self.lines.append(f"{name}:")
        self.block = name
        self.known.clear()

    def slot(self, type: str, align: int = 64) -> str:
        """A stack slot."""
        name = self.fresh("%s")
        self.entry.append(f"{name} = alloca {type}, align {align}")
        return name
