"""Executions by people: the list, the detail, run again, stop everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Installation
from executions.figures import short
from executions.models import Attempt, Execution
from tests.integration.pages.conftest import (
    WATCHED,
    attempted,
    browser,
    ended,
    landed,
    parked,
    paying,
    pending,
    text_of,
)
from tests.local_chain import LocalChain
from tests.people import Person
from workflows.models import Channel, Signer, Workflow
from workflows.services import workflow_disable, workflow_update


def ids(response: Any) -> list[str]:
    return [execution.execution_id for execution in response.context["executions"]]


def detail(execution: Execution) -> str:
    return reverse("executions:detail", args=[execution.execution_id])


def test_the_list_is_narrowed_by_status_workflow_and_what_one_searches(
    make: Callable[..., Workflow], channel: Channel, pages: Client
) -> None:
    one, other = make("One"), make("Other")
    success, failed, filtered = landed(one, channel), ended(other, "failed"), ended(other, "filtered")
    signature = Attempt.objects.get().signature

    def found(**query: Any) -> set[str]:
        return set(ids(pages.get("/executions/", query)))

    assert found() == {success.execution_id, failed.execution_id, filtered.execution_id}
    assert found(status="failed") == {failed.execution_id}
    assert found(workflow=other.id) == {failed.execution_id, filtered.execution_id}
    assert found(workflow=other.id, status="filtered") == {filtered.execution_id}
    assert found(q=signature) == {success.execution_id}
    assert found(q=signature[:20]) == {success.execution_id}
    assert found(q=failed.execution_id[:10]) == {failed.execution_id}
    assert found(q=WATCHED[:6]) == found(q="other") | found(q="one") == found()
    assert found(q=WATCHED) == found()
    assert found(q="nothing like it") == found(status="nonsense") == found(workflow="nonsense") == set()


def test_the_list_is_narrowed_to_a_stretch_of_time(workflow: Workflow, pages: Client) -> None:
    now = timezone.now()
    ages = {"minutes": 5, "hours": 60 * 5, "days": 60 * 24 * 3, "weeks": 60 * 24 * 30}
    rows = {name: ended(workflow, "filtered") for name in ages}
    for name, minutes in ages.items():
        Execution.objects.filter(pk=rows[name].pk).update(created_at=now - timedelta(minutes=minutes))

    def found(**query: Any) -> set[str]:
        shown = set(ids(pages.get("/executions/", query)))
        return {name for name, row in rows.items() if row.execution_id in shown}

    long_ago = (now - timedelta(days=30)).date().isoformat()
    assert found(range="hour") == {"minutes"}
    assert found(range="day") == {"minutes", "hours"}
    assert found(range="week") == {"minutes", "hours", "days"}
    assert found(range="dates", **{"from": long_ago, "to": long_ago}) == {"weeks"}
    assert found(range="dates", to=long_ago) == {"weeks"}
    assert found(range="dates") == set(rows)
    for wrong in ({"range": "ever"}, {"range": "dates", "from": "tomorrow"}, {"range": "dates", "to": "9999-12-31"}):
        assert found(**wrong) == set()


def test_marked_executions_are_run_again_after_one_page_that_says_what_will_happen(
    workflow: Workflow, bob: Person
) -> None:
    failed, throttled, landing = ended(workflow, "failed"), ended(workflow, "throttled"), ended(workflow, "failed")
    attempted(landing, status="unknown")
    client, marked = browser(bob), [row.execution_id for row in (failed, throttled, landing)]
    assert text_of(client.get("/executions/")).count('name="execution"') == 3
    asked = client.post("/executions/retry/", {"execution": marked, "filters": "?status=failed"})
    assert "Retry 2 executions?" in text_of(asked) and "may still land; a retry could pay twice" in text_of(asked)
    assert set(Execution.objects.values_list("status", flat=True)) == {"failed", "throttled"}
    done = client.post(
        "/executions/retry/", {"execution": marked, "filters": "?status=failed", "confirmed": "yes"}, follow=True
    )
    assert done.redirect_chain == [("/executions/?status=failed", 302)]
    assert "2 executions run again." in text_of(done) and "Not run again: transaction" in text_of(done)
    assert dict(Execution.objects.values_list("execution_id", "status")) == {
        failed.execution_id: "pending",
        throttled.execution_id: "pending",
        landing.execution_id: "failed",
    }
    assert AuditEntry.objects.filter(action="execution_retried").count() == 2


def test_marks_of_another_team_or_of_nothing_change_nothing(workflow: Workflow, charlie: Person) -> None:
    failed = ended(workflow, "failed")
    client = browser(charlie)
    asked = client.post("/executions/retry/", {"execution": [failed.execution_id]})
    assert "Nothing to retry" in text_of(asked) and failed.workflow.name not in text_of(asked)
    done = client.post("/executions/retry/", {"execution": [failed.execution_id], "confirmed": "yes"}, follow=True)
    assert "Not run again: there is no such execution." in text_of(done)
    assert "Mark the executions" in text_of(client.post("/executions/retry/", follow=True))
    too_many = {"execution": [f"{number:064x}" for number in range(201)]}
    assert "At most 200" in text_of(client.post("/executions/retry/", too_many, follow=True))
    failed.refresh_from_db()
    assert failed.status == "failed"


def test_a_viewer_marks_nothing(workflow: Workflow, carol: Person) -> None:
    ended(workflow, "failed")
    assert 'name="execution"' not in text_of(browser(carol).get("/executions/"))


def test_the_counts_beside_the_statuses_are_those_of_everything_or_absent(
    workflow: Workflow, channel: Channel, pages: Client
) -> None:
    landed(workflow, channel)
    ended(workflow, "failed")
    counts = pages.get("/executions/").context["status_counts"]
    assert (counts["success"], counts["failed"], counts["pending"]) == (1, 1, 0)
    assert pages.get("/executions/", {"q": "x"}).context["status_counts"] is None


def test_the_list_goes_on_by_cursor_even_among_rows_of_one_instant(
    workflow: Workflow, pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.views.listing.PAGE_SIZE", 3)
    rows = [pending(workflow) for _ in range(8)]
    Execution.objects.update(created_at=rows[0].created_at)
    seen, cursor = [], None
    while True:
        response = pages.get("/executions/", {"before": cursor} if cursor else {})
        seen += ids(response)
        cursor = response.context["next_cursor"]
        if cursor is None:
            break
    assert seen == [row.execution_id for row in reversed(rows)]


def test_a_success_shows_transaction_message_steps_and_what_it_cost(
    workflow: Workflow, channel: Channel, pages: Client
) -> None:
    response = pages.get(detail(landed(workflow, channel)))
    shown = text_of(response)
    assert response.context["spent_lamports"] == 905_000
    assert "explorer.solana.com/tx/" in shown and "Finalized" in shown and "Delivered" in shown
    assert "Detected" in shown and "treasury" in shown and "0.000005" in shown


def test_lists_and_details_say_which_changes_they_follow(workflow: Workflow, channel: Channel, pages: Client) -> None:
    execution = landed(workflow, channel)
    assert f'data-live="execution:{execution.id}"' in text_of(pages.get(detail(execution)))
    assert f'data-live="workflow:{workflow.id}"' in text_of(pages.get(f"/executions/?workflow={workflow.id}"))
    for url in ("/executions/?status=failed", "/notifications/"):
        assert 'data-live="executions"' in text_of(pages.get(url)), url
    for url in ("/", "/workflows/"):
        assert 'data-live="executions standing"' in text_of(pages.get(url)), url
    assert 'data-live="measures standing"' in text_of(pages.get("/endpoints/"))
    assert 'data-live="inbox"' in text_of(pages.get("/inbox/"))
    # Older rows stay as they are while somebody reads them.
    assert 'data-live="' not in text_of(pages.get("/executions/?before=x"))


def test_a_filtered_event_shows_what_each_condition_saw(workflow: Workflow, pages: Client) -> None:
    condition = {"field": "event.lamports_delta", "op": "gte", "value": 2_000_000_000, "met": False}
    trace = {"met": False, "all": [{**condition, "saw": 1_000_000_000}]}
    shown = text_of(pages.get(detail(ended(workflow, "filtered", filter_trace=trace))))
    assert "event.lamports_delta at least 2,000,000,000 (2 SOL)" in shown
    assert "1,000,000,000 (1 SOL)" in shown


def test_what_the_chain_wrote_is_never_markup(workflow: Workflow, pages: Client) -> None:
    execution = ended(workflow, "failed", error_code="x", error_detail="<b>bold</b>\u202e")
    event = execution.event | {"line": "<script>alert(1)</script>"}
    Execution.objects.filter(pk=execution.pk).update(event=event, simulation={"logs": ["<img src=x>"]})
    for url in (detail(execution), "/executions/", "/"):
        shown = text_of(pages.get(url))
        assert "<b>bold" not in shown and "<script>alert" not in shown and "<img" not in shown, url
        assert "\u202e" not in shown, url


def test_a_failed_execution_is_retried_by_an_operator(workflow: Workflow, bob: Person) -> None:
    execution = ended(workflow, "failed", error_code="build_failed", error_detail="no such account")
    client = browser(bob)
    assert client.get(detail(execution)).context["can_retry"]
    response = client.post(reverse("executions:retry", args=[execution.execution_id]), follow=True)
    execution.refresh_from_db()
    assert execution.status == "pending" and "runs again" in text_of(response)


def test_a_retry_that_could_pay_twice_is_neither_offered_nor_done_and_the_page_says_why(
    workflow: Workflow, bob: Person
) -> None:
    execution = ended(workflow, "failed", error_code="x")
    attempted(execution, status="unknown")
    client = browser(bob)
    shown = client.get(detail(execution))
    assert not shown.context["can_retry"] and "A retry is not possible now: transaction" in text_of(shown)
    response = client.post(reverse("executions:retry", args=[execution.execution_id]), follow=True)
    execution.refresh_from_db()
    assert execution.status == "failed" and "may still land" in text_of(response)


def test_a_replay_is_a_new_execution_that_names_its_origin(workflow: Workflow, channel: Channel, bob: Person) -> None:
    execution = landed(workflow, channel)
    response = browser(bob).post(reverse("executions:replay", args=[execution.execution_id]), follow=True)
    replay = Execution.objects.exclude(pk=execution.pk).get()
    assert replay.replay_of == execution.execution_id
    assert response.context["execution"] == replay and "replay of" in text_of(response)


def test_a_viewer_is_offered_neither_retry_nor_replay(workflow: Workflow, carol: Person) -> None:
    context = browser(carol).get(detail(ended(workflow, "failed"))).context
    assert (context["can_retry"], context["can_replay"]) == (False, False)


def test_pausing_everything_is_one_post_and_every_page_says_so_until_it_is_lifted(bob: Person) -> None:
    client = browser(bob)
    client.post("/pause/", {"reason": "odd payments"})
    assert Installation.objects.get().paused_reason == "odd payments"
    for page in ("/", "/workflows/", "/executions/", "/signers/", "/channels/", "/audit/"):
        assert "All signing is paused" in text_of(client.get(page)), page
    client.post("/resume/")
    assert Installation.objects.get().paused_at is None
    assert "All signing is paused" not in text_of(client.get("/audit/"))


def test_every_pause_says_which_transactions_may_still_land(
    make: Callable[..., Workflow], signer: Signer, bob: Person
) -> None:
    workflow, quiet = make("One"), make("Quiet")
    sent = [attempted(pending(workflow)) for _ in range(2)]
    named = f"2 transactions were sent before and may still land: {', '.join(short(one.signature) for one in sent)}."
    client = browser(bob)

    def said(url: str) -> str:
        return text_of(client.post(url, {"reason": "odd"}, follow=True))

    assert named in said("/pause/")
    assert f"One is paused. {named}" in said(reverse("workflows:pause", args=[workflow.id]))
    assert "Quiet is paused. Nothing is on its way." in said(reverse("workflows:pause", args=[quiet.id]))
    assert f"treasury is paused. {named}" in said(reverse("signers:pause", args=[signer.id]))


def test_a_pause_names_no_more_transactions_than_one_reads(workflow: Workflow, bob: Person) -> None:
    for _ in range(8):
        attempted(pending(workflow))
    assert " and 3 more." in text_of(browser(bob).post("/pause/", follow=True))


def test_a_parked_execution_explains_itself_and_what_each_choice_brings(workflow: Workflow, bob: Person) -> None:
    execution = parked(workflow)
    shown = text_of(browser(bob).get(detail(execution)))
    assert "This needs your decision" in shown and "Needs a decision" in shown
    assert "0.000905 SOL reserved" in shown and "If you are wrong, this pays twice" in shown
    for choice in ("landed", "sign_again", "give_up"):
        assert f'name="choice" value="{choice}"' in shown
    assert "This needs your decision" not in text_of(browser(bob).get(detail(pending(workflow))))


def test_a_viewer_sees_that_a_decision_is_needed_and_is_offered_none(workflow: Workflow, carol: Person) -> None:
    shown = text_of(browser(carol).get(detail(parked(workflow))))
    assert "This needs your decision" in shown and "An operator or an admin can decide" in shown
    assert 'name="choice"' not in shown


@pytest.mark.parametrize(
    ("choice", "status", "said"),
    [
        ("landed", "success", "Recorded: the transaction has landed"),
        ("sign_again", "pending", "A new transaction will be signed"),
        ("give_up", "failed", "Given up. What was reserved for it is free again"),
    ],
)
def test_an_operator_decides_what_became_of_a_parked_execution(
    workflow: Workflow, bob: Person, chain: LocalChain, choice: str, status: str, said: str
) -> None:
    execution = parked(workflow)
    chain.warp(200)
    response = browser(bob).post(
        reverse("executions:resolve", args=[execution.execution_id]), {"choice": choice}, follow=True
    )
    execution.refresh_from_db()
    assert (execution.status, execution.waiting_for) == (status, None)
    assert said in text_of(response) and "Decided by a person" in text_of(response)
    assert AuditEntry.objects.get(action="execution_resolved").actor == "user:bob"


@pytest.mark.parametrize("choice", ["landed", "", "nonsense"])
def test_without_the_chain_or_a_choice_nothing_is_decided_and_the_page_says_why(
    workflow: Workflow, bob: Person, choice: str
) -> None:
    execution = parked(workflow)
    url = reverse("executions:resolve", args=[execution.execution_id])
    shown = text_of(browser(bob).post(url, {"choice": choice}, follow=True))
    execution.refresh_from_db()
    assert (execution.status, execution.waiting_for) == ("processing", "person")
    assert ("nothing was decided" if choice == "landed" else "say whether it landed") in shown


def test_a_replay_may_run_the_version_that_the_execution_ran(
    workflow: Workflow, channel: Channel, alice: Person
) -> None:
    execution = landed(workflow, channel)
    workflow_update(actor=alice.actor, workflow=workflow, changes={"definition": paying()})
    client, url = browser(alice), reverse("executions:replay", args=[execution.execution_id])
    assert "Version 1, which this execution ran" in text_of(client.get(detail(execution)))
    for version, number in (("same", 1), ("current", 2)):
        assert client.post(url, {"version": version}, follow=True).context["execution"].version.number == number


def test_an_execution_of_a_disabled_workflow_says_why_it_is_not_replayed(
    workflow: Workflow, channel: Channel, alice: Person
) -> None:
    execution = landed(workflow, channel)
    workflow_disable(actor=alice.actor, workflow=workflow)
    shown = browser(alice).get(detail(execution))
    assert not shown.context["can_replay"]
    assert "A replay is not possible now: the workflow is not enabled" in text_of(shown)
