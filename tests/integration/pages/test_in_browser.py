"""Every page in a real browser, with something of everything on it: no barrier, no error, nothing that the content
security policy stops, nothing that reaches over the edge; in both themes, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ViewportSize, expect

from executions.models import Approval, Execution
from listener.models import Gap, Subscription
from tests.integration.pages.conftest import RECIPIENT, WATCHED, attempted, ended, landed, parked, pending
from tests.integration.pages.test_every_page import addresses
from tests.people import Person
from tests.reading import DESK, PHONE, Reader
from tests.stack import Stack
from workflows.models import Channel, Signer, Workflow
from workflows.services import workflow_pause
from workflows.services.channel_health import channel_switch_off

pytestmark = pytest.mark.django_db(transaction=True)

# What answers with a file, or not as a page of ours.
NO_PAGES = {"workflows:export-all", "workflows:export"}
LOGS = ["Program 11111111111111111111111111111111 invoke [1]", "Program log: paid", "Program failed: custom error: 0x1"]
TRACE = {"op": "gte", "field": "event.lamports_delta", "value": 10, "saw": 9, "met": False}


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
