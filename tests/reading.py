"""Somebody who reads pages in a real browser, and writes down everything that is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.stack import PASSWORD, Stack

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
RUN_AXE = """async (tags) => {
    const found = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
    const told = (one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`);
    return found.violations.flatMap(told);
}"""
# Text and controls that stick out sideways; regions that scroll by themselves do not make the page wider.
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


class Reader:
    """Somebody who opens pages on one screen, looks at them in both themes, and writes down what is wrong with them."""

    def __init__(self, browser: Browser, stack: Stack, screen: ViewportSize = DESK, **options: Any) -> None:
        self.page: Page = browser.new_context(
            **{
                "base_url": stack.url,
                "viewport": screen,
                "reduced_motion": "reduce",
                "timezone_id": "Asia/Tokyo",
                **options,
            }
        ).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.where = ""
        self.page.on("pageerror", lambda error: self.note(f"error: {error}"))
        # Violations of the content security policy are errors of the console too.
        self.page.on("console", lambda line: line.type in ("error", "warning") and self.note(line.text))

    def note(self, text: str) -> None:
        # A page that is not there is logged as such.
        if "status of 404" not in text or not self.where.startswith("nowhere"):
            self.wrong.append(f"{self.where}: {text}")

    def sign_in(self, name: str) -> None:
        self.look("sign in", "/login/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    def look(self, name: str, url: str) -> None:
        """Open the page in both themes: colours that were on their way to the other would be of neither."""
        for theme in ("light", "dark"):
            self.where = f"{name}, {theme}"
            self.page.emulate_media(color_scheme=theme)
            self.page.goto(url)
            self.judge()

    def judge(self) -> None:
        """What stands on the page now."""
        if self.page.evaluate(TOO_WIDE):
            self.note("reaches over the edge")
        self.page.evaluate(AXE)
        for barrier in self.page.evaluate(RUN_AXE, TAGS):
            self.note(barrier)
