from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from executions.models import Attempt, Execution, Reservation, StatusCount
from executions.stats import figures, fold
from tests.executing import balance_event, new_address, take_events
from tests.integration.api.conftest import manual, paying
from tests.people import Person
from workflows.models import Signer, Workflow

Create = Callable[..., dict[str, Any]]
URL = "/api/v1/executions/"


@pytest.fixture
def workflow(create: Create) -> Workflow:
    return Workflow.objects.get(pk=create("workflows", {"name": "Treasury watch", "definition": paying()})["id"])


@pytest.fixture
def signer(create: Create) -> Signer:
    return Signer.objects.get(pk=create("signers", {"name": "treasury"})["id"])


def one(workflow: Workflow, slot: int = 7, account: str | None = None) -> Execution:
    (row_id,) = take_events(workflow, [balance_event(account or new_address(), slot)])
    return Execution.objects.get(pk=row_id)


def attempt(execution: Execution, signer: Signer, signature: str, **values: Any) -> Attempt:
    defaults = {"number": 1, "raw": b"", "blockhash": "b", "last_valid_block_height": 9, "genesis_hash": "g"}
    return Attempt.objects.create(
        execution_id=execution.pk,
        signer=signer,
        signature=signature,
        signed_at=timezone.now(),
        **{**defaults, **values},
    )


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["execution_id"] for row in answer.json()["results"]]


def test_an_execution_is_shown_with_its_event_and_steps(api: APIClient, workflow: Workflow) -> None:
    execution = one(workflow)
    shown = api.get(f"{URL}{execution.execution_id}/").json()
    assert (shown["workflow"], shown["workflow_version"], shown["trigger"]) == (str(workflow.id), 1, "balance_change")
    assert (shown["status"], shown["waiting_for"], shown["transaction"], shown["error"]) == (
        "pending",
        None,
        None,
        None,
    )
    assert (shown["event"]["slot"], shown["event"]["lamports_delta"]) == (7, 1_000_000_000)
    assert [step["name"] for step in shown["steps"]] == ["detected", "queued"]
    assert (shown["notifications"], shown["replay_of"], shown["completed_at"]) == ([], None, None)


def test_a_list_row_leaves_out_event_and_steps(api: APIClient, workflow: Workflow) -> None:
    one(workflow)
    (row,) = api.get(URL).json()["results"]
    assert not {"event", "steps"} & set(row)
    assert {"execution_id", "workflow", "status", "transaction", "notifications", "error"} <= set(row)


def test_another_teams_executions_do_not_exist(charlie: Person, workflow: Workflow) -> None:
    execution = one(workflow)
    stranger = charlie.client()
    assert ids(stranger.get(URL)) == []
    assert stranger.get(f"{URL}{execution.execution_id}/").status_code == 404
    assert stranger.post(f"{URL}{execution.execution_id}/retry/").status_code == 404


def test_the_list_is_narrowed_by_workflow_status_and_time(api: APIClient, create: Create, workflow: Workflow) -> None:
    other = Workflow.objects.get(pk=create("workflows", {"name": "other", "definition": manual()})["id"])
    old, new, elsewhere = one(workflow, 1), one(workflow, 2), one(other)
    Execution.objects.filter(pk=old.pk).update(status="failed", created_at=timezone.now() - timedelta(days=2))
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    expected = {
        f"workflow={workflow.id}": [new, old],
        f"workflow={other.id}": [elsewhere],
        "status=failed": [old],
        "status=failed&status=pending": [elsewhere, new, old],
        f"workflow={workflow.id}&status=pending": [new],
    }
    for query, found in expected.items():
        assert ids(api.get(f"{URL}?{query}")) == [execution.execution_id for execution in found], query
    assert ids(api.get(URL, {"created_before": yesterday})) == [old.execution_id]
    assert ids(api.get(URL, {"created_after": yesterday})) == [elsewhere.execution_id, new.execution_id]


def test_a_time_may_have_any_offset(api: APIClient, workflow: Workflow) -> None:
    new = one(workflow, 1)
    for offset in ("+23:59", "-23:59", "+16:00"):
        assert ids(api.get(URL, {"created_after": f"2020-01-01T00:00:00{offset}"})) == [new.execution_id]


def test_an_execution_is_found_by_what_people_have_in_hand(
    api: APIClient, create: Create, workflow: Workflow, signer: Signer
) -> None:
    account, signature = new_address(), "5" * 88
    found = one(workflow, 1, account)
    other = one(Workflow.objects.get(pk=create("workflows", {"name": "other", "definition": manual()})["id"]))
    attempt(found, signer, signature)
    for text in (found.execution_id, found.execution_id[:10], account, signature, "treasury w"):
        assert ids(api.get(URL, {"search": text})) == [found.execution_id], text
    assert ids(api.get(URL, {"signature": signature})) == [found.execution_id]
    assert ids(api.get(URL, {"search": "no such thing"})) == []
    assert other.execution_id in ids(api.get(URL, {"search": ""}))


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"status": "done"}, "status"),
        ({"workflow": "x"}, "workflow"),
        ({"created_after": "yesterday"}, "created_after"),
        ({"created_after": "0001-01-01T00:00:00+14:00"}, "created_after"),
        ({"search": "a\0b"}, "search"),
        ({"signature": "\0"}, "signature"),
        ({"cursor": "x"}, "cursor"),
        ({"page_size": "0"}, "page_size"),
    ],
)
def test_a_wrong_filter_is_400_and_named(api: APIClient, query: dict[str, str], path: str) -> None:
    answer = api.get(URL, query)
    assert answer.status_code == 400
    assert path in {problem["path"].partition("[")[0] for problem in answer.json()["errors"]}


def test_running_a_workflow_starts_an_execution_with_the_data(bob: Person, api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "by hand", "definition": manual()})
    api.post(f"/api/v1/workflows/{made['id']}/enable/")
    answer = bob.client().post(f"/api/v1/workflows/{made['id']}/run/", {"data": {"amount": 5}}, format="json")
    assert answer.status_code == 202
    shown = api.get(f"{URL}{answer.json()['execution_id']}/").json()
    assert (shown["trigger"], shown["event"]["data"]) == ("manual", {"amount": 5})


def test_data_of_a_run_keeps_every_digit(api: APIClient, create: Create) -> None:
    url = f"/api/v1/workflows/{create('workflows', {'name': 'by hand', 'definition': manual()})['id']}/"
    api.post(f"{url}enable/")
    data = {"small": 2**64 - 1, "large": [2**64, -(2**63) - 1], "text": "12"}
    started = api.post(f"{url}run/", {"data": data}, format="json").json()["execution_id"]
    assert api.get(f"{URL}{started}/").json()["event"]["data"] == {
        "small": 2**64 - 1,
        "large": ["18446744073709551616", "-9223372036854775809"],
        "text": "12",
    }


@pytest.mark.parametrize(
    "value", [2**200, "x" * 70_000, [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
)
def test_data_beyond_all_bounds_is_400_with_its_path(api: APIClient, create: Create, value: Any) -> None:
    url = f"/api/v1/workflows/{create('workflows', {'name': 'by hand', 'definition': manual()})['id']}/"
    api.post(f"{url}enable/")
    answer = api.post(f"{url}run/", {"data": {"value": value}}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"].startswith("data")


def test_a_run_needs_no_body(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "by hand", "definition": manual()})
    api.post(f"/api/v1/workflows/{made['id']}/enable/")
    one, two = (api.post(f"/api/v1/workflows/{made['id']}/run/") for _ in range(2))
    assert (one.status_code, two.status_code) == (202, 202)
    assert one.json()["execution_id"] != two.json()["execution_id"]


def test_running_a_disabled_workflow_is_409(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "by hand", "definition": manual()})
    answer = api.post(f"/api/v1/workflows/{made['id']}/run/", {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "workflow_disabled")


def test_a_failed_execution_is_retried_as_the_same_row(bob: Person, workflow: Workflow) -> None:
    execution = one(workflow)
    client = bob.client()
    refused = client.post(f"{URL}{execution.execution_id}/retry/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_retryable")
    Execution.objects.filter(pk=execution.pk).update(status="failed", error_code="x")
    answer = client.post(f"{URL}{execution.execution_id}/retry/")
    assert (answer.status_code, answer.json()) == (202, {"execution_id": execution.execution_id})
    assert Execution.objects.get(pk=execution.pk).status == "pending"


def test_an_execution_whose_transaction_may_land_is_not_retried(
    api: APIClient, workflow: Workflow, signer: Signer
) -> None:
    execution = one(workflow)
    attempt(execution, signer, "5" * 88, status="sent")
    Execution.objects.filter(pk=execution.pk).update(status="failed")
    answer = api.post(f"{URL}{execution.execution_id}/retry/")
    assert (answer.status_code, answer.json()["code"]) == (409, "may_still_land")


def test_a_replay_is_a_new_execution_that_names_its_origin(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "by hand", "definition": manual()})
    api.post(f"/api/v1/workflows/{made['id']}/enable/")
    origin = api.post(f"/api/v1/workflows/{made['id']}/run/").json()["execution_id"]
    answer = api.post(f"{URL}{origin}/replay/", {"use_current": False}, format="json")
    assert answer.status_code == 202
    shown = api.get(f"{URL}{answer.json()['execution_id']}/").json()
    assert shown["replay_of"] == origin


def test_stats_count_by_status_all_time_and_of_a_day(
    api: APIClient, charlie: Person, workflow: Workflow, signer: Signer
) -> None:
    old, done, fresh = (one(workflow, slot) for slot in (1, 2, 3))
    Execution.objects.filter(pk=old.pk).update(status="failed", created_at=timezone.now() - timedelta(days=2))
    Execution.objects.filter(pk=done.pk).update(status="success")
    Execution.objects.filter(pk=fresh.pk).update(created_at=timezone.now() - timedelta(seconds=100))
    for execution, status in ((old, "released"), (done, "settled")):
        Reservation.objects.create(
            execution_id=execution.pk, workflow=workflow, signer=signer, status=status, lamports=700, at=timezone.now()
        )
    stats = api.get("/api/v1/stats/").json()
    counts = {"pending": 1, "processing": 0, "success": 1, "failed": 1, "filtered": 0, "throttled": 0}
    assert stats["executions"] == counts
    assert stats["executions_24h"] == {**counts, "failed": 0}
    assert (stats["lamports_spent_24h"], stats["parked"], stats["open_gaps"], stats["events_seen"]) == (700, 0, 0, 0)
    assert 90 <= stats["oldest_pending_s"] < 120
    assert charlie.client().get("/api/v1/stats/").json()["executions"]["success"] == 0


def test_counts_follow_every_change_of_status_and_survive_folding_and_pruning(
    api: APIClient, alice: Person, workflow: Workflow
) -> None:
    rows = [one(workflow, slot) for slot in range(1, 6)]
    Execution.objects.filter(pk__in=[row.pk for row in rows[:3]]).update(status="processing")
    Execution.objects.filter(pk=rows[0].pk).update(status="failed")
    Execution.objects.filter(pk=rows[0].pk).update(status="pending")
    Execution.objects.filter(pk=rows[1].pk).update(status="success", error_detail="no change of the count")
    Execution.objects.filter(pk=rows[1].pk).update(status="success")
    counts = {"pending": 3, "processing": 1, "success": 1, "failed": 0, "filtered": 0, "throttled": 0}
    assert figures(team=alice.actor.team).executions == counts
    fold()
    assert StatusCount.objects.count() == 3
    Execution.objects.filter(pk=rows[1].pk).delete()
    cache.clear()
    assert api.get("/api/v1/stats/").json()["executions"] == counts


def test_stats_are_counted_at_most_once_a_second(api: APIClient) -> None:
    api.get("/api/v1/stats/")
    with CaptureQueriesContext(connection) as queries:
        api.get("/api/v1/stats/")
    assert not [query for query in queries.captured_queries if "executions_" in query["sql"]]


def test_stats_without_executions_are_zeros(api: APIClient) -> None:
    stats = api.get("/api/v1/stats/").json()
    assert set(stats["executions"].values()) == {0}
    assert stats["oldest_pending_s"] == 0


def test_unknown_ids_are_404(api: APIClient) -> None:
    assert api.get(f"{URL}{'0' * 64}/").status_code == 404
    assert api.get(f"/api/v1/workflows/{uuid.uuid4()}/").status_code == 404
