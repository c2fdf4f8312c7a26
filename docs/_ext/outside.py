"""Pages of the repository that are pages of the site as well, and programs that pages link to.

README files beside the code, the change log and the guide for contributors stay where people look
for them. Here they are read in the place of stubs; links between them and the pages of docs/ lead
to pages of the site, and links to programs lead to a page that shows the program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

PAGES = {
    "contributing": ROOT / "CONTRIBUTING.md",
    "changelog": ROOT / "CHANGELOG.md",
    "examples": ROOT / "examples" / "README.md",
    "notebooks": ROOT / "notebooks" / "README.md",
    "benchmarks": ROOT / "benchmarks" / "README.md",
}
_SITE = {file: DOCS / f"{name}.md" for name, file in PAGES.items()}
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)(#[^)]*)?\)")


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the outside page in the place of its stub, and lead links to where things are here."""
    file = PAGES.get(docname, DOCS / f"{docname}.md")
    if docname in PAGES:
        app.env.note_dependency(str(file))
        source[0] = file.read_text(encoding="utf-8")

    shown = set()

    def led(link: re.Match[str]) -> str:
        target = (file.parent / link[1]).resolve()
        if target.suffix == ".py" and target.is_file():
            name = target.relative_to(ROOT).as_posix()
            shown.add(name)
            return f"](source:{name})"
        here = _SITE.get(target, target)
        return f"]({os.path.relpath(here, (DOCS / docname).parent)}{link[2] or ''})"

    source[0] = _LINK.sub(led, source[0])
    if shown and "/" in docname:  # the scheme `source` has one address, that as seen from the top
        raise ExtensionError(f"{docname}: only pages at the top of docs/ may link to programs")
    linked(app)[docname] = shown


def linked(app: Sphinx) -> dict[str, set[str]]:
    """The programs that each page links to, kept with what Sphinx keeps from build to build."""
    return app.env.__dict__.setdefault("programs", {})


def programs(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each program that is linked to."""
    for name in sorted(set().union(*linked(app).values())):
        code = app.builder.highlighter.highlight_block(  # type: ignore[attr-defined]
            (ROOT / name).read_text(encoding="utf-8"), "python"
        )
        yield f"source/{name}", {"title": name, "body": f"<h1>{name}</h1>\n{code}"}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", read)
    app.connect("html-collect-pages", programs)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
