"""A person in a real browser, on a running SolFlow, and everything that the browser complained about meanwhile."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, Page, expect

from accounts.services import user_ensure
from tests.executing import SOL
from tests.stack import PASSWORD, Stack

PATIENCE_MS = 20_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# The answer to a form with errors; browsers log every such status.
EXPECTED = re.compile("status of 422")


class Story:
    """One person's tab, and everything that the browser complained about while they used it."""

    def __init__(self, browser: Browser, stack: Stack, **options: Any) -> None:
        self.stack = stack
        self.complaints: list[str] = []
        self.page: Page = browser.new_context(base_url=stack.url, **options).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        # Violations of the content security policy are errors of the console too.
        if kind in ("error", "warning") and not EXPECTED.search(text):
            self.complaints.append(f"{self.page.url}: {text}")

    def sign_in(self) -> None:
        user_ensure(username="admin", password=PASSWORD)
        self.page.goto("/executions/")
        self.page.get_by_label("Username").fill("admin")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Nothing has run yet")).to_be_visible()

    def begin_workflow(self, name: str, *, trigger: str) -> None:
        """A draft in the builder, with its trigger's form open."""
        self.page.goto("/workflows/new/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("What starts it").select_option(trigger)
        self.page.get_by_role("button", name="Build it").click()

    def make_signer(self) -> str:
        """A signer with 10 SOL; its name."""
        self.page.goto("/")
        self.page.get_by_role("link", name="1. A signer").click()
        self.page.get_by_role("link", name="New signer").click()
        self.page.get_by_label("Name").fill("Treasury")
        self.page.get_by_role("button", name="Create signer").click()
        said = self.page.get_by_text("It pays from").inner_text()
        address = re.search(r"It pays from (\w+)\.", said)[1]
        self.stack.chain.wait_for_status(self.stack.chain.airdrop(address, 10 * SOL))
        return "Treasury"

    def make_channel(self) -> str:
        """A channel to the test's receiver; its id."""
        self.page.goto("/channels/")
        self.page.get_by_role("link", name="New channel").click()
        self.page.get_by_label("Name", exact=True).fill("Team")
        self.page.get_by_label("Webhook URL").fill(self.stack.receiver.discord_url())
        self.page.get_by_role("button", name="Create channel").click()
        self.page.get_by_role("button", name="Send a test").click()
        expect(self.page.get_by_text("A test message is on its way")).to_be_visible()
        action = self.page.locator("form[action*='/test/']").get_attribute("action")
        return action.split("/")[2]
