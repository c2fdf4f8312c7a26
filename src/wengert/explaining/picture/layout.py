"""Graphviz on V8: lays graphs out and draws them, with the same code that the HTML page runs.

The scripts of `assets` and the vendored build of Graphviz are loaded once into a V8 of their own
(`mini-racer`), which has neither files nor network.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from wengert.errors import WengertError, WengertRuntimeError
from wengert.lazy import module

HERE = Path(__file__).parent
PICTURE = ("measuring", "folding", "laying", "sweeping", "drawing")
"""The scripts that make a picture of a document, in an order in which they can be loaded."""
_START = """
var viz = null, trouble = "";
Viz.instance().then((it) => { viz = it }, (it) => { trouble = String(it) });
0
"""
_PATIENCE = 30.0
"""Seconds until Graphviz must have started."""


INSTALL = (
    "pictures as SVG and PNG need mini-racer and resvg-py: run  pip install 'wengert[pictures]'  "
    "(HTML pages need neither)"
)


class NotInstalled(WengertError, ImportError):
    """A package that only pictures need is not there."""


def asset(name: str) -> str:
    """The text of a file of the package, to the byte: line ends are part of vendored code."""
    return (HERE / name).read_bytes().decode()


def scripts(*names: str) -> str:
    """Several scripts of `assets` as one, whose names are its own."""
    return "\n".join(asset(f"assets/{name}.js") for name in names)


def picture(document: dict[str, Any], **options: Any) -> str:
    """The SVG of a document (`stillPicture` of assets/still.js), as text."""
    with _turn:
        if not _engines:
            _engines.append(_started())
        return _engines[0].eval(f"stillPicture({json.dumps(document)}, viz, {json.dumps(options)})")


_engines: list[Any] = []
"""The V8 that draws, once it is there: made in about a fifth of a second. It is closed when Python
ends and never before, since the garbage collector may come to it on any thread, at any time."""
_turn = Lock()


def _forget() -> None:
    """In the child of a fork there are none of V8's threads: it draws with a V8 of its own. To
    close that of its parent would wait for them for ever, so that it gets a reference that nothing
    takes back."""
    global _turn
    _turn = Lock()
    for racer in _engines:
        atexit.unregister(racer.close)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(racer))
    _engines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _started() -> Any:
    """A V8 with Graphviz and the scripts in it.

    It is made on a thread of its own: where asyncio runs, as in notebooks, it would answer by the
    caller's event loop, and no more once that is closed.
    """
    try:
        racing = module("py_mini_racer").MiniRacer
    except ModuleNotFoundError as error:
        raise NotInstalled(INSTALL) from error
    with ThreadPoolExecutor(1) as thread:
        racer = thread.submit(racing).result()
    atexit.register(racer.close)
    racer.eval(asset("assets/engine.js") + asset("vendored/viz-global.js") + ";0")
    racer.eval(scripts(*PICTURE, "still") + ";0")
    racer.eval(_START)
    until = time.monotonic() + _PATIENCE
    while not racer.eval("viz !== null || trouble !== ''"):
        if time.monotonic() > until:
            raise WengertRuntimeError("Graphviz does not start on V8")
        time.sleep(0.005)
    trouble = racer.eval("trouble")
    if trouble:
        raise WengertRuntimeError(f"Graphviz does not start on V8: {trouble}")
    return racer
