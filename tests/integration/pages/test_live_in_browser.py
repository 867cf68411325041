"""Pages that are open follow what happens, in a real browser, and take nothing away from who reads them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from executions.live import tell
from executions.models import Execution
from tests.integration.pages.conftest import ended, landed
from tests.people import Person
from tests.reading import Reader
from tests.stack import Stack
from workflows.models import Channel, Workflow
from workflows.services import channel_create, workflow_pause

pytestmark = pytest.mark.django_db(transaction=True)

FOCUSED = "document.activeElement.href"
PLACE = "Math.round(document.activeElement.getBoundingClientRect().top)"


@pytest.fixture
def reader(chromium: Browser, alice: Person, stack: Stack) -> Reader:
    stack.start("web")
    somebody = Reader(chromium, stack)
    somebody.sign_in("alice")
    return somebody


def told(execution: Execution) -> Execution:
    tell([execution.pk])
    return execution


def test_the_overview_follows_what_happens_without_asking_by_the_clock(
    make: Callable[..., Workflow], channel: Channel, alice: Person, reader: Reader
) -> None:
    page = reader.page
    page.goto("/")
    expect(page.get_by_text("first workflow")).not_to_have_count(0)
    workflow = make("Pay rent")
    # Nobody tells of a workflow that was made: it is found by looking.
    expect(page.locator("#feed")).to_contain_text("Nothing has run yet")
    told(landed(workflow, channel))
    expect(page.locator("#feed li .what a")).to_have_count(1)
    expect(page.locator("#stats")).to_contain_text("1 in 24 h")
    workflow_pause(actor=alice.actor, workflow=workflow, reason="Rent is due later")
    expect(page.locator("#attention")).to_contain_text("Rent is due later")
    assert reader.wrong == []


def test_what_comes_leaves_focus_and_place(workflow: Workflow, reader: Reader) -> None:
    for number in range(20):
        ended(workflow, "filtered" if number % 2 else "failed")
    page = reader.page
    page.set_viewport_size({"width": 1000, "height": 500})
    for url, links, row in (("/", "#feed .what a", 6), ("/executions/", "#execution-rows .rowlink", 14)):
        page.goto(url)
        link = page.locator(links).nth(row)
        link.focus()
        focused, at = page.evaluate(FOCUSED), page.evaluate(PLACE)
        told(ended(workflow, "success"))
        expect(page.locator(".fresh")).to_have_count(1)
        assert (page.evaluate(FOCUSED), page.evaluate(PLACE)) == (focused, at), url
    assert reader.wrong == []


def test_a_page_goes_on_by_itself_after_the_server_was_away(
    workflow: Workflow, channel: Channel, reader: Reader, stack: Stack
) -> None:
    page = reader.page
    page.goto("/")
    stack.web.kill()
    expect(page.locator("#connection")).to_be_visible()
    landed(workflow, channel)
    stack.start("web")
    expect(page.locator("#feed li .what a")).to_have_count(1)
    expect(page.locator("#connection")).to_be_hidden()


def test_a_test_message_is_followed_to_its_end(alice: Person, reader: Reader, stack: Stack) -> None:
    channel = channel_create(
        actor=alice.actor, name="team", type="discord", config={"webhook_url": stack.receiver.discord_url()}
    )
    page = reader.page
    page.goto(f"/channels/{channel.id}/")
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator(".delivery .status")).to_have_text("On its way")
    stack.start("worker")
    expect(page.locator(".delivery .status")).to_have_text("Delivered")


def test_the_inbox_follows_what_arrives(reader: Reader, stack: Stack) -> None:
    page = reader.page
    page.goto("/inbox/")
    expect(page.get_by_text("No message yet")).to_be_visible()
    assert page.request.post("/inbox/api/webhooks/1/token", data={"content": "Paid"}).ok
    expect(page.locator("#messages li")).to_have_count(1)
