"""A page that is open in a browser, and what the tests ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
READY = '.wg-explanation[data-state="ready"]'

BUDGETS = """JSON.parse(document.querySelector('.wg-explanation script').textContent)
    .schedules.map((way) => way.budget).filter((budget) => budget !== null)"""


@dataclass
class Opened:
    """A page that is open, and all that it said or asked for."""

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def again(self) -> None:
        """The page as it was when it was opened."""
        self.messages.clear()
        self.requests.clear()
        self.page.reload()
        self.page.wait_for_selector(READY)

    def part(self, name: str, nth: int = 0) -> Any:
        """The element of a fragment that has this part: a button, the graph, a card."""
        return self.page.locator(f'[data-part="{name}"]').nth(nth)

    def node(self, name: str) -> Any:
        """The box of a step."""
        return self.page.locator(f'.node:has(.called:text-is("{name}"))')

    def mode(self, name: str, nth: int = 0) -> None:
        self.page.locator(f'.wg-choice input[value="{name}"]').nth(nth).check()

    def choose(self, schedule: Any) -> None:
        """A schedule of memory, by its name or by the slider of budgets."""
        ways = self.part("ways")
        if schedule.budget is None:
            ways.get_by_role("radio", name=schedule.name).check()
            return
        ways.get_by_role("radio", name="a budget of").check()
        if ways.locator("[type=range]").count():
            budgets = self.page.evaluate(BUDGETS)
            ways.locator("[type=range]").fill(str(budgets.index(schedule.budget)))

    def quiet(self) -> bool:
        """Whether nothing was said on the console, nothing raised, nothing fetched but the page."""
        return not self.messages and len(self.requests) == 1
