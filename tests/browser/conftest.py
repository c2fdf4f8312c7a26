"""A headless Chromium, one for all tests of a module, and pages in it that tell what goes wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import READY, Opened

ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser. Without one these tests are skipped, but in CI they fail."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if path is None:
        missing = "there is no chromium on the PATH: on Debian, apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from playwright.sync_api import sync_playwright

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # who must not have a sandbox
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if is_root else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opening(chromium: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """A function that opens a page of HTML, with options of the browser's context."""
    contexts = []

    def open_page(html: str, **options: Any) -> Opened:
        file = tmp_path_factory.mktemp("pages") / "page.html"
        file.write_text(html, encoding="utf-8")
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.set_default_timeout(30_000)  # the machine may be busy
        found.page.on("console", lambda message: found.messages.append(message.text))
        found.page.on("pageerror", lambda error: found.messages.append(str(error)))
        found.page.on("dialog", lambda dialog: found.messages.append("a dialog"))
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.goto(file.as_uri())
        found.page.wait_for_selector(READY)
        return found

    yield open_page
    for context in contexts:
        context.close()
