"""Pictures of an explanation: SVG, PNG, a page that steps through it, fragments of pages.

`document` makes plain data of the explanation; the scripts of `assets` make a picture of that, in a
browser or on V8 (`layout`), with the vendored Graphviz.
"""

from wengert.explaining.picture.page import fragment, page, resources
from wengert.explaining.picture.png import png
from wengert.explaining.picture.svg import svg

__all__ = ["fragment", "page", "png", "resources", "svg"]
