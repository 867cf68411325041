"""The newcomer's story in a real browser: sign in, make what a workflow needs, see it run."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from executions.models import Execution
from tests.executing import SOL, new_address
from tests.stack import Stack
from tests.story import PATIENCE_MS, Story
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000


def make_workflow(page: Page, definition: str, signer: str) -> None:
    """First with a mistake, which the form shows where it is, then right."""
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


def enable(page: Page) -> None:
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("What happens from now on runs it")).to_be_visible()
    expect(page.get_by_text("Listening", exact=True)).to_be_visible()


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
    make_workflow(page, json.dumps(definition, indent=2), signer)
    enable(page)

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
