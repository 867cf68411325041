"""The builder in a real browser, on a running SolFlow: with a mouse, on a phone, and by keyboard alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from executions.models import Execution
from tests.executing import SOL, new_address
from tests.stack import Stack
from tests.story import PATIENCE_MS, PHONE, Story
from tests.waiting import wait_for
from workflows.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True)

MOST_TABS = 150


def use_template(page: Page, signer: str, **answers: str) -> None:
    """Choose the template that forwards a share of a payment, and fill it in."""
    page.goto("/workflows/templates/")
    page.get_by_role("link", name="Thank for a payment and forward a share").click()
    for label, value in answers.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    page.get_by_label("Channel", exact=True).select_option(label="Team")
    page.get_by_label("Signer").select_option(label=signer)
    page.get_by_role("button", name="Create workflow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank for a payment and forward a share")


def see_it_run(page: Page, stack: Stack, watched: str, name: str) -> None:
    """Cause the event, and follow it from the overview's live feed to its end without reloading anything."""
    page.goto("/")
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    stack.chain.airdrop(watched, 2 * SOL)
    page.locator("#feed").get_by_role("link", name=name).click()
    expect(page.locator(".xhead .status")).to_have_text("Succeeded", timeout=PATIENCE_MS)
    expect(page.locator(".delivery .status")).to_have_text("Delivered", timeout=PATIENCE_MS)


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_template_is_tried_changed_published_and_seen_to_pay(
    options: dict[str, Any], chromium: Browser, stack: Stack
) -> None:
    stack.start()
    story, watched, recipient = Story(chromium, stack, **options), new_address(), new_address()
    page, is_phone = story.page, bool(options)
    story.sign_in()
    signer, _ = story.make_signer(), story.make_channel()
    use_template(page, signer, Receiving_account=watched, Forward_to=recipient, At_most_per_transaction="0.5 SOL")

    page.get_by_role("link", name="Transfer SOL").click()
    amount = page.get_by_label("Amount", exact=True)
    amount.fill("{{ event.lamports_delta * 10 // }}")
    expect(page.locator(".error")).to_contain_text("wrong template")
    expect(page.locator("#publish")).to_be_disabled()
    amount.fill("{{ event.lamports_delta * 20 // 100 }}")
    expect(page.locator(".error")).to_have_count(0)
    assert fits(page)

    page.get_by_role("link", name="Test and JSON" if is_phone else "Test run").first.click()
    page.get_by_role("button", name="Run the test").click()
    expect(page.locator(".outcome")).to_contain_text("Would act")
    expect(page.locator("#pane-test")).to_contain_text("+0.2 SOL")
    expect(page.locator("#pane-test .discord")).to_contain_text("Payment received")
    assert fits(page) and not Execution.objects.exists()

    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is published")).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("What happens from now on runs it")).to_be_visible()
    see_it_run(page, stack, watched, "Thank for a payment")
    assert fits(page)
    assert stack.chain.balance(recipient) == 2 * SOL * 20 // 100
    assert Execution.objects.get().status == "success"
    assert story.complaints == []


class Keyboard:
    """Somebody who has no mouse: goes on by Tab until what they want has the focus."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go_to(self, wanted: Locator) -> None:
        """Tab, and back from the end to the beginning, until the element has the focus and shows it."""
        expect(wanted).to_be_visible()
        for _ in range(MOST_TABS):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{wanted} cannot be reached by Tab")

    def write(self, label: str, text: str) -> None:
        self.go_to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, wanted: Locator, option: str) -> None:
        """By the first letters of the option, as a select takes them."""
        self.go_to(wanted)
        self.page.keyboard.type(option)

    def press(self, role: Any, name: str) -> None:
        self.go_to(self.page.get_by_role(role, name=name, exact=True).first)
        self.page.keyboard.press("Enter")


def test_a_workflow_is_built_from_nothing_by_keyboard_alone(chromium: Browser, stack: Stack) -> None:
    stack.start()
    story, watched, recipient = Story(chromium, stack), new_address(), new_address()
    page, keyboard = story.page, Keyboard(story.page)
    story.sign_in()
    story.make_signer()
    story.make_channel()
    stack.chain.airdrop(recipient, SOL)
    page.goto("/workflows/new/")
    keyboard.write("Name", "Answer deposits")
    keyboard.choose(page.get_by_label("Signer"), "Treasury")
    keyboard.press("button", "Build it")

    heading = page.locator("#inspector-title")
    expect(heading).to_have_text("Balance changes")
    keyboard.write("Address", watched)
    keyboard.choose(page.get_by_label("Direction"), "Incr")
    expect(page.locator(".node").first).to_contain_text("Balance increases")
    keyboard.press("link", "Every event passes")
    expect(heading).to_be_focused()
    keyboard.press("button", "Condition")
    keyboard.write("Value for event.lamports_delta", "1 SOL")
    expect(page.locator(".cond .v")).to_have_text("1 SOL")
    keyboard.press("button", "Action")
    keyboard.press("button", "Transfer SOL")
    expect(heading).to_be_focused()
    expect(heading).to_have_text("Transfer SOL")
    expect(page.locator("#add-action")).to_be_hidden()
    keyboard.write("To", recipient)
    keyboard.write("Amount", "0.0005")
    keyboard.press("button", "Notification")
    expect(heading).to_have_text("Channel not chosen yet")
    keyboard.choose(page.get_by_label("Channel", exact=True), "Team")
    expect(page.locator(".told .discord")).to_be_visible()

    page.keyboard.press("Control+Enter")
    expect(page.locator("#run-test")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".outcome")).to_contain_text("Would act")
    keyboard.press("button", "Publish")
    expect(page.get_by_text("Version 2 is published")).to_be_visible()
    keyboard.press("button", "Enable")
    expect(page.get_by_text("What happens from now on runs it")).to_be_visible()
    see_it_run(page, stack, watched, "Answer deposits")
    assert stack.chain.balance(recipient) == SOL + 500_000
    assert story.complaints == []


def test_the_button_of_a_test_run_works_from_the_moment_it_is_there(chromium: Browser, stack: Stack) -> None:
    """Pressed before htmx knew it, it was a plain button of the form: the draft was saved, and nothing ran."""
    stack.start("web")
    story = Story(chromium, stack)
    page = story.page
    story.sign_in()
    story.begin_workflow("At once", trigger="schedule")
    page.get_by_label("When (cron)").fill("0 9 * * *")
    expect(page.get_by_role("button", name="Publish")).to_be_enabled()
    page.evaluate(
        """() => new MutationObserver((_, observer) => {
            const button = document.querySelector("#run-test:enabled");
            if (button) { observer.disconnect(); button.click(); }
        }).observe(document.querySelector("#main"), { childList: true, subtree: true })"""
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator(".outcome")).to_be_visible()
    assert story.complaints == []


def test_form_and_json_follow_each_other_while_both_are_open(chromium: Browser, stack: Stack) -> None:
    stack.start("web")
    story = Story(chromium, stack)
    page = story.page
    story.sign_in()
    story.begin_workflow("Both", trigger="schedule")
    page.get_by_label("When (cron)").fill("0 9 * * *")
    page.get_by_role("link", name="JSON", exact=True).click()
    text = page.get_by_label("Definition as JSON")
    expect(text).to_have_value(re.compile(re.escape('"cron": "0 9 * * *"')))
    text.fill(text.input_value().replace("0 9", "30 7"))
    expect(page.get_by_label("When (cron)")).to_have_value("30 7 * * *")
    page.get_by_label("When (cron)").fill("15 6 * * 1")
    expect(text).to_have_value(re.compile(re.escape('"cron": "15 6 * * 1"')))
    text.fill("{ not json")
    expect(page.get_by_label("Problems in the definition")).to_contain_text("Line 1")
    expect(text).to_have_value("{ not json")
    assert story.complaints == []


def test_what_is_typed_is_never_lost_to_an_answer_that_comes_late(chromium: Browser, stack: Stack) -> None:
    """Fast typing over several fields, while every pause of the typist is saved and answered."""
    stack.start("web")
    story = Story(chromium, stack)
    page = story.page
    story.sign_in()
    story.begin_workflow("Typed", trigger="token_receipt")
    wallet, mint = new_address(), new_address()
    for label, text in (("Wallet optional", wallet), ("Token (mint)", mint)):
        page.get_by_label(re.compile(f"^{re.escape(label)}")).click()
        for part in (text[:9], text[9:25], text[25:]):
            with page.expect_response(re.compile("/builder/$")):
                page.keyboard.type(part, delay=15)
    page.get_by_label("At least", exact=True).fill("3.5")
    page.get_by_role("link", name="Every event passes").click()
    expect(page.locator("#inspector-title")).to_have_text("Every event passes")

    def trigger() -> Any:
        return (Workflow.objects.get().draft or {}).get("trigger")

    expected = {"type": "token_receipt", "wallet": wallet, "mint": mint, "min_amount": "3.5"}
    assert wait_for(lambda: trigger() == expected, 10, f"{trigger()} to be {expected}")
    assert story.complaints == []
