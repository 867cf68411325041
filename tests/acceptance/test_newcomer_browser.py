"""The newcomer's story in a real browser: sign in, make what a workflow needs, see it run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.services import user_ensure
from executions.models import Execution
from tests.executing import SOL, new_address
from tests.stack import PASSWORD, Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAYMENT = 900_000
PATIENCE_MS = 20_000
# The answer to a form with errors; browsers log every such status.
EXPECTED = re.compile("status of 422")


@pytest.fixture
def chromium(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH: install it (Debian: apt-get install chromium) to run the browser's story")
    # Playwright's loop runs in this thread, and Django then thinks that its own calls would block one.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Story:
    """One person's tab, and everything that the browser complained about while they used it."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self.stack = stack
        self.complaints: list[str] = []
        self.page: Page = browser.new_context(base_url=stack.url).new_page()
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

    def make_workflow(self, definition: str, signer: str) -> None:
        """First with a mistake, which the form shows where it is, then right."""
        page = self.page
        page.goto("/workflows/")
        page.get_by_role("link", name="New workflow").click()
        page.get_by_role("link", name="From JSON").click()
        page.get_by_label("Name", exact=True).fill("Answer deposits")
        page.get_by_label("Signer").select_option(label=signer)
        field = page.get_by_label("Definition as JSON")
        field.fill(definition.replace('"lamports"', '"lamprots"'))
        page.get_by_role("button", name="Create workflow").click()
        problems = page.get_by_label("Problems in the definition")
        expect(problems).to_contain_text("did you mean lamports?")
        problems.get_by_role("link", name="Line").first.click()
        expect(field).to_be_focused()
        field.fill(definition)
        page.get_by_role("button", name="Create workflow").click()
        expect(page.get_by_text("It watches nothing until you enable it")).to_be_visible()

    def enable(self) -> None:
        self.page.get_by_role("button", name="Enable").click()
        expect(self.page.get_by_text("What happens from now on runs it")).to_be_visible()
        expect(self.page.get_by_text("Listening", exact=True)).to_be_visible()


def test_a_newcomer_makes_a_workflow_and_sees_it_pay_and_tell(chromium: Browser, stack: Stack) -> None:
    """Nothing is reloaded by hand: the overview's feed and the execution's page follow what happens."""
    stack.start()
    story, watched, recipient = Story(chromium, stack), new_address(), new_address()
    page = story.page
    story.sign_in()
    signer, channel = story.make_signer(), story.make_channel()
    definition = {
        "schema": 1,
        "trigger": {"type": "balance_change", "address": watched, "direction": "increase"},
        "filter": {"field": "event.lamports_delta", "op": "gte", "value": SOL},
        "actions": [{"type": "transfer_sol", "to": recipient, "lamports": PAYMENT}],
        "notifications": [{"channel": channel, "on": ["success"]}],
    }
    story.make_workflow(json.dumps(definition, indent=2), signer)
    story.enable()

    page.goto("/")
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    stack.chain.airdrop(watched, 2 * SOL)
    page.locator("#feed").get_by_role("link", name="Answer deposits").click()

    expect(page.locator(".xhead .status")).to_have_text("Succeeded", timeout=PATIENCE_MS)
    expect(page.locator(".delivery .status")).to_have_text("Delivered", timeout=PATIENCE_MS)
    expect(page.locator("#execution")).to_contain_text("Signed and stored")
    expect(page.locator("#execution")).to_contain_text("Filter passed")
    assert stack.chain.balance(recipient) == PAYMENT
    assert wait_for(lambda: len(stack.receiver.requests) == 2, 20, "the test message and the one about the payment")
    assert Execution.objects.get().status == "success"
    for title in ("Overview", "Workflows", "Executions", "Signers", "Channels", "Demo inbox", "Audit log"):
        page.locator("#nav [data-key]").filter(has_text=title).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert story.complaints == []
