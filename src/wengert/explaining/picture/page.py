"""Explanations as HTML: a page that is one file and needs no network, and fragments of others.

A page is a fragment and the resources that all fragments share: styles, the scripts that draw and
step, and the vendored Graphviz and Panzoom. What comes from a user's program is escaped or is JSON
in which no `<` stands.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from wengert.explaining.picture.document import Document, document
from wengert.explaining.picture.layout import PICTURE, asset, scripts

if TYPE_CHECKING:
    from wengert.explaining.report import Report

_STEPPING = (*PICTURE, "telling", "showing", "stepping", "starting")
_FIELD = re.compile(r"\{\{(\w+)\}\}")


def page(report: Report, title: str | None = None) -> str:
    """A page that steps through an explanation: one HTML file, which loads nothing else.

    title: its heading; by default, or where it is the function's name, the function and its inputs.
    """
    content = document(report)
    bare = title is None or title == content["function"]
    heading = f"{content['title']}, step by step" if bare else title
    style = asset("assets/page.css")
    return _filled(
        asset("assets/page.html"),
        policy=_policy(resources() + f"<style>{style}</style>"),
        version=version("wengert"),
        title=html.escape(heading),
        resources=resources(),
        style=style,
        fragment=_fragment_of(content, level=2),
    )


def fragment(report: Report) -> str:
    """An explanation as a part of a page, which must hold `resources()` once, anywhere.

    There may be several on a page. Their headings are of the third level.
    """
    return _fragment_of(document(report), level=3)


def _fragment_of(content: Document, level: int) -> str:
    text = _json(content)
    return _filled(
        asset("assets/fragment.html"),
        id=f"wengert-{hashlib.sha256(text.encode()).hexdigest()[:8]}",
        level=str(level),
        title=html.escape(content["title"]),
        document=text,
    )


@cache
def resources() -> str:
    """The styles and scripts that the fragments of a page share, as elements of HTML."""
    style = "".join(asset(f"assets/{name}.css") for name in ("palette", "drawing", "stepping"))
    ours = f'(() => {{\n"use strict";\n{scripts(*_STEPPING)}}})();\n'
    loaded = (asset("vendored/viz-global.js"), asset("vendored/panzoom.min.js"), ours)
    return f"<style>{style}</style>\n" + "\n".join(f"<script>{text}</script>" for text in loaded)


def _policy(markup: str) -> str:
    """A Content-Security-Policy that allows the styles and scripts of the markup, and no network.

    Graphviz is WebAssembly inside its script, which `wasm-unsafe-eval` lets compile.
    """
    scripts, styles = (
        " ".join(_hashed(text) for text in re.findall(rf"<{tag}>(.*?)</{tag}>", markup, re.S))
        for tag in ("script", "style")
    )
    return (
        f"default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(content: Document) -> str:
    """JSON that can stand in a script element: no end tag nor comment can begin in it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _filled(template: str, **fields: str) -> str:
    """The template with its {{fields}} filled in, in one pass: what fills them is not read."""
    return _FIELD.sub(lambda match: fields[match[1]], template)
