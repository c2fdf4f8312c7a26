"""The text of an entry under construction, and the memory that its code reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.compiler.code import Code
from wengert.execution.calling import layout, state

_PARAMETERS = "ptr %self, ptr %args, i64 %count, ptr %names, ptr %state"


class Writer:
    """The code of an entry, and the words of its state.

    words: addresses of objects and functions. kept: what must live as long as they do.
    held: inputs to which the call takes a reference of its own. owned: stack slots with a reference
        each, or null, which a failing call gives back.
    """

    def __init__(self) -> None:
        self.code = Code()
        self.words = [0] * state.COMMON_WORDS
        self.kept: list[Any] = []
        self.held: list[str] = []
        self.owned: list[str] = []

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

    def need_either(self, first: str, second: Callable[[], str]) -> None:
        """Hand the call on unless a condition holds, or else another one, which costs more."""
        more, both = self.code.fresh("more"), self.code.fresh("both")
        self.code.put(f"br i1 {first}, label %{both}, label %{more}")
        self.code.label(more)
        self.code.put(f"br i1 {second()}, label %{both}, label %miss")
        self.code.label(both)

    def own(self, value: str) -> str:
        """A new reference, or NULL with an error set: to be given back if the call fails."""
        self.code.put(f"store ptr {value}, ptr {self.owned_slot()}")
        self.go_on_if(self.code.let(f"icmp ne ptr {value}, null"), "error")
        return value

    def owned_slot(self) -> str:
        slot = self.code.slot("ptr", 8)
        self.code.entry.append(f"store ptr null, ptr {slot}")
        self.owned.append(slot)
        return slot

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
        body = "\n  ".join(
            ["entry:", *self.code.entry, "br label %start", "start:", *self.code.lines]
        )
        declared = "\n".join(self.code.declared.values())
        return f"define ptr @enter({_PARAMETERS}) uwtable {{\n{body}\n}}\n{declared}\n"
