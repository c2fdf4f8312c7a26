"""Docstrings as they are written here, in reStructuredText."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.roles import XRefRole

import wengert

_FIELD = re.compile(r"([a-z]\w*(?:, [a-z]\w*)*): (.*)")
_BAR = re.compile(r"(?<!\\)\|(?=\S)")
_STARRED = re.compile(r"(?<=[(\s])(\*{1,2})(?=[a-z_][\w.]*[,)])")


def escape(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """|x| is an absolute value and *args are arguments, which reST would take for its own."""
    for k, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            starred = _STARRED.sub(lambda stars: stars[0].replace("*", "\\*"), line)
            lines[k] = _BAR.sub(r"\\|", starred)


def fields(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """The fields of a record, "name: text" up to an empty line, as definitions."""
    if what not in ("class", "exception"):
        return
    found: list[str] = []
    inside = False
    for line in lines:
        field = _FIELD.match(line)
        if field and (inside or not found or not found[-1]):
            found += [*([""] if inside else []), field[1], f"    {field[2]}"]
            inside = True
        else:
            inside = inside and bool(line)
            found.append(f"    {line.strip()}" if inside else line)
    lines[:] = found


class NameRole(XRefRole):
    """`name`: code, and a link where it is a public name."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if self.target.removeprefix("wengert.") in wengert.__all__:
            self.target = f"wengert.{self.target.removeprefix('wengert.')}"
            self.refdomain, self.reftype, self.classes = "py", "obj", ["xref", "py", "py-obj"]
            return self.create_xref_node()
        return [nodes.literal(self.rawtext, self.text, classes=["code"])], []


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", escape)
    app.connect("autodoc-process-docstring", fields)
    app.add_role("name", NameRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
