"""How the site of the documentation is built: `make docs`.

Nothing is fetched, neither when it is built nor when it is read: formulas are Unicode, and the
theme brings its own styles and scripts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

import wengert

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "wengert"
author = "the wengert authors"
project_copyright = author
version = release = wengert.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docstrings",
    "outside",
]
exclude_patterns = ["_build"]

# ---------------------------------------------------------------------------
# Markdown
# ---------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
myst_url_schemes = {
    "http": None,
    "https": None,
    "source": "source/{{path}}.html",  # the pages of programs, see outside.py
}
myst_all_links_external = False

# ---------------------------------------------------------------------------
# Docstrings: NumPy's sections
# ---------------------------------------------------------------------------

default_role = "name"
add_module_names = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_custom_sections = [("Returns", "prose")]  # a sentence, not a list of names and types

# ---------------------------------------------------------------------------
# Pages
# ---------------------------------------------------------------------------

html_theme = "furo"
html_title = f"wengert {version}"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def trim(app: Sphinx, docname: str, source: list[str]) -> None:
    """Examples end in an empty line, as doctest wants it in a file; readers do not."""
    source[0] = re.sub(r"\n\n```$", "\n```", source[0], flags=re.MULTILINE)


def setup(app: Sphinx) -> None:
    app.connect("source-read", trim, priority=900)
