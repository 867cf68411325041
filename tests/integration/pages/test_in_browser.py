"""Every page in a real browser, with something of everything on it: no barrier, no error, nothing that the content
security policy stops, nothing that reaches over the edge; in both themes, on a desk and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from executions.models import Approval, Execution
from listener.models import Gap, Subscription
from tests.integration.pages.conftest import RECIPIENT, WATCHED, attempted, ended, landed, parked, pending
from tests.integration.pages.test_every_page import addresses
from tests.people import Person
from tests.stack import PASSWORD, Stack
from workflows.models import Channel, Signer, Workflow
from workflows.services import workflow_pause
from workflows.services.channel_health import channel_switch_off

pytestmark = pytest.mark.django_db(transaction=True)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = (Path(__file__).parents[2] / "axe" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
# What answers with a file, or not as a page of ours.
NO_PAGES = {"workflows:export-all", "workflows:export"}
RUN_AXE = """async (tags) => {
    const found = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
    const told = (one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`);
    return found.violations.flatMap(told);
}"""
LOGS = ["Program 11111111111111111111111111111111 invoke [1]", "Program log: paid", "Program failed: custom error: 0x1"]
TRACE = {"op": "gte", "field": "event.lamports_delta", "value": 10, "saw": 9, "met": False}
# Text and controls that stick out sideways; regions that scroll by themselves do not make the page wider.
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH: install it (Debian: apt-get install chromium) to look at pages")
    # Playwright's loop runs in this thread, and Django then thinks that its own calls would block one.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        # Django keeps the connections of code under a loop apart, and a test before may have stopped PostgreSQL.
        connections.close_all()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def busy(make: Callable[..., Workflow], channel: Channel, signer: Signer, alice: Person) -> dict[str, str]:
    """A team in which everything has happened; its pages by name."""
    workflow = make("Pay rent")
    shown = landed(workflow, channel)
    of_everything = [
        shown,
        landed(workflow, channel, delivery="dead"),
        ended(workflow, "failed", error_code="simulation_failed", error_detail="custom program error 0x1"),
        ended(workflow, "throttled", error_code="limit_exceeded", error_detail="10 executions in the last hour"),
        ended(workflow, "filtered", filter_trace=TRACE),
        ended(workflow, "success", dry_run=True, simulation={"logs": LOGS, "compute_units": 450}),
        parked(workflow),
        asked(workflow),
        pending(workflow),
    ]
    attempted(ended(workflow, "failed"), status="failed", logs=LOGS, error={"InstructionError": [0, {"Custom": 1}]})
    pages = addresses(workflow, signer, channel, shown.execution_id)
    workflow_pause(actor=alice.actor, workflow=make("Paused one"), reason="Looking at it")
    make("Draft", enabled=False)
    channel_switch_off(actor=alice.actor, channel=channel, reason="404 for three days")
    subscription = Subscription.objects.create(
        digest="d", kind="account", address=WATCHED, commitment="confirmed", genesis_hash="1" * 44
    )
    for status in ("open", "lost"):
        Gap.objects.create(subscription=subscription, from_slot=1, to_slot=9, status=status, reason="restart")
    details = {f"execution {one.status} {number}": detail_of(one) for number, one in enumerate(of_everything)}
    own = {name: url for name, (_, url) in pages.items() if not name.isupper() and name not in NO_PAGES}
    return own | details | {"nowhere": "/nowhere/", "failed": "/executions/?status=failed&range=dates"}


def asked(workflow: Workflow) -> Execution:
    """An execution that waits for a person's yes."""
    execution = pending(workflow)
    Execution.objects.filter(pk=execution.pk).update(waiting_for="approval")
    Approval.objects.create(
        execution_id=execution.pk,
        team=workflow.team,
        version=execution.version,
        lamports=905_000,
        tokens={RECIPIENT: 12},
        asked_at=timezone.now(),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return execution


def detail_of(execution: Execution) -> str:
    return f"/executions/{execution.execution_id}/"


class Reader:
    """Somebody who opens pages on one screen, looks at them in both themes, and writes down what is wrong with them."""

    def __init__(self, browser: Browser, stack: Stack, screen: ViewportSize = DESK) -> None:
        self.page: Page = browser.new_context(
            base_url=stack.url,
            viewport=screen,
            reduced_motion="reduce",
            timezone_id="Asia/Tokyo",
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


@pytest.mark.timeout(600)
@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_has_a_barrier_an_error_or_anything_that_the_policy_stops(
    screen: ViewportSize, chromium: Browser, busy: dict[str, str], stack: Stack
) -> None:
    stack.start("web")
    reader = Reader(chromium, stack, screen)
    reader.sign_in("alice")
    for name, url in busy.items():
        reader.look(name, url)
    assert reader.wrong == []


def test_what_opens_on_a_page_has_no_barrier_either(chromium: Browser, busy: dict[str, str], stack: Stack) -> None:
    stack.start("web")
    reader = Reader(chromium, stack)
    reader.sign_in("alice")
    for name, key in (("palette", "Control+k"), ("shortcuts", "?")):
        reader.page.goto("/executions/")
        reader.page.keyboard.press(key)
        reader.where = name
        reader.judge()
    reader.page.goto("/executions/?status=failed")
    reader.page.locator("td.pick input").last.check()
    reader.where = "marked rows"
    reader.judge()
    reader.page.get_by_role("button", name="Retry marked").click()
    expect(reader.page.get_by_role("heading", level=1)).to_contain_text("Retry 1 execution?")
    reader.judge()
    assert reader.wrong == []


def test_times_are_the_readers_own_with_the_exact_utc_in_the_tooltip(
    chromium: Browser, workflow: Workflow, stack: Stack
) -> None:
    at = timezone.now().replace(hour=3, minute=4, second=5, microsecond=678_000) - timedelta(days=400)
    execution = ended(workflow, "filtered")
    Execution.objects.filter(pk=execution.pk).update(created_at=at)
    stack.start("web")
    reader = Reader(chromium, stack)
    reader.sign_in("alice")
    reader.page.goto(detail_of(execution))
    shown = reader.page.locator(".xhead time")
    # Tokyo is nine hours ahead and changes no clocks.
    expect(shown).to_contain_text("12:04:05")
    expect(shown).to_have_attribute("title", f"{at.day} {at:%b} {at.year}, 03:04:05.678 UTC")
    reader.page.goto("/executions/")
    expect(reader.page.locator("#execution-rows time")).to_have_text(f"{at.day} {at:%b}, 12:04")
