"""The text of an entry under construction, and the memory that its code reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.compiler.code import Code
from wengert.execution.calling import helpers, layout, state

_PARAMETERS = "ptr %self, ptr %args, i64 %count, ptr %names, ptr %state"
_MEMSET = "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"


class Writer:
    """The code of an entry, and the words of its state.

    words: addresses of objects and functions. kept: what must live as long as they do.
    held: objects to which the call takes a reference of its own. owned: how many references the
        stack holds at %owned, or null, which a failing call gives back.
    helpers: the texts of functions that the code calls.
    """

    def __init__(self) -> None:
        self.code = Code()
        self.words = [0] * state.COMMON_WORDS
        self.kept: list[Any] = []
        self.held: list[str] = []
        self.owned = 0
        self.helpers: set[str] = set()

    def word(self, address: int) -> str:
        """An address, from the state."""
        if address not in self.words[state.COMMON_WORDS :]:
            self.words.append(address)
        return self.load("%state", 8 * self.words.index(address, state.COMMON_WORDS))

    def object(self, value: Any) -> str:
        """The address of an object that the entry keeps alive."""
        self.kept.append(value)
        return self.word(id(value))

    def load(self, base: str, offset: int, type: str = "ptr") -> str:
        return self.code.let(f"load {type}, ptr {self.at(base, offset)}")

    def at(self, base: str, offset: int) -> str:
        return self.code.let(f"getelementptr i8, ptr {base}, i64 {offset}")

    def call(self, name: str, result: str, *typed: str) -> str:
        """A call of a function of CPython or NumPy."""
        function = self.word(layout.api(name))
        text = f"call {result} {function}({', '.join(typed)})"
        if result != "void":
            return self.code.let(text)
        self.code.put(text)
        return ""

    def slot(self, type: str, initial: str | None = None) -> str:
        """A stack slot, set where the code is now."""
        name = self.code.slot(type, 16)
        if initial is not None:
            self.code.put(f"store {initial}, ptr {name}")
        return name

    def go_on_if(self, condition: str, otherwise: str) -> None:
        label = self.code.fresh("go")
        self.code.put(f"br i1 {condition}, label %{label}, label %{otherwise}")
        self.code.label(label)

    def need(self, type: str, found: str, expected: str | int) -> None:
        """Hand the call on unless two values are equal."""
        self.go_on_if(self.code.let(f"icmp eq {type} {found}, {expected}"), "miss")

    def own(self, value: str) -> str:
        """A new reference, or NULL with an error set: to be given back if the call fails."""
        self.owned += 1
        self.code.put(f"store ptr {value}, ptr {self.at('%owned', 8 * (self.owned - 1))}")
        self.go_on_if(self.code.let(f"icmp ne ptr {value}, null"), "error")
        return value

    def last_owned(self) -> str:
        """The slot of the reference that was owned last."""
        return self.at("%owned", 8 * (self.owned - 1))

    def each(self, function: str, first: str, count: int) -> None:
        """Py_IncRef or Py_DecRef of pointers in a row."""
        if count:
            self.helpers.add(helpers.EACH)
            called = self.word(layout.api(function))
            self.code.put(f"call void @each(ptr {first}, i64 {count}, ptr {called})")

    def take(self, slot: str) -> str:
        """The reference in a slot, which is null from now on."""
        value = self.code.let(f"load ptr, ptr {slot}")
        self.code.put(f"store ptr null, ptr {slot}")
        return value

    def table(self, values: Sequence[str]) -> str:
        """Pointers in a row on the stack."""
        start = self.code.slot(f"[{len(values)} x ptr]", 16)
        for k, value in enumerate(values):
            self.code.put(f"store ptr {value}, ptr {self.at(start, 8 * k)}")
        return start

    def text(self) -> str:
        """The module."""
        owned = max(self.owned, 1)
        entry = [
            f"%owned = alloca [{owned} x ptr], align 16",
            f"call void @llvm.memset.p0.i64(ptr %owned, i8 0, i64 {8 * owned}, i1 false)",
            *self.code.entry,
            "br label %start",
        ]
        body = "\n  ".join(["entry:", *entry, "start:", *self.code.lines])
        enter = f"define ptr @enter({_PARAMETERS}) uwtable {{\n{body}\n}}\n"
        return "\n".join([enter, *sorted(self.helpers), *self.code.declared.values(), _MEMSET, ""])
