"""What ended long ago and never signed anything goes, where somebody says so; its event still never runs again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import AuditEntry
from executions import retention
from executions.models import Approval, Attempt, Delivery, Execution, ExecutionKey
from executions.pipeline import advance
from executions.services import execution_retry
from executions.stats import figures
from tests.executing import balance_event, new_address, settled, take_events
from workflows.models import Workflow
from workflows.services.channel import channel_create

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(days=40)
NEVER = {"field": "event.slot", "op": "gt", "value": 10**9}


@pytest.fixture(autouse=True)
def thirty_days(settings: Any) -> None:
    settings.EXECUTION_RETENTION_DAYS = 30


@pytest.fixture
def watch(make_workflow: Callable[..., Workflow], actor: Actor) -> Callable[..., Workflow]:
    def make(*actions: dict[str, Any], **parts: Any) -> Workflow:
        url = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"
        channel = channel_create(actor=actor, name=new_address(), type="discord", config={"webhook_url": url})
        told = [{"channel": str(channel.id), "on": ["success", "failed", "filtered"]}]
        return make_workflow(new_address(), list(actions), parts={"notifications": told, **parts})

    return make


def run(workflow: Workflow, slot: int = 10) -> int:
    """An event of the workflow, brought as far as it goes at once; its row."""
    (row_id,) = take_events(workflow, [balance_event(workflow.version.definition["trigger"]["address"], slot)])
    advance([row_id])
    return row_id


def grow_old(*row_ids: int) -> None:
    then = timezone.now() - LONG_AGO
    Execution.objects.filter(id__in=row_ids).update(created_at=then, completed_at=then)
    Delivery.objects.filter(execution_id__in=row_ids).update(status="delivered")


def kept() -> set[int]:
    return set(Execution.objects.values_list("id", flat=True))


def test_old_ones_that_signed_nothing_go_with_their_messages(watch: Callable[..., Workflow]):
    filtered, done, new = run(watch(filter=NEVER)), run(watch()), run(watch())
    Approval.objects.create(
        execution_id=done,
        team_id=Execution.objects.get(id=done).team_id,
        version_id=Execution.objects.get(id=done).version_id,
        status=Approval.REFUSED,
        lamports=1,
        asked_at=timezone.now(),
        expires_at=timezone.now(),
    )
    grow_old(filtered, done)
    assert retention.prune() == 2
    assert kept() == {new}
    assert set(Delivery.objects.values_list("execution_id", flat=True)) == {new}
    assert not Approval.objects.exists()


def test_the_event_of_a_deleted_one_still_does_not_run_twice(watch: Callable[..., Workflow]):
    workflow = watch()
    row_id = run(workflow)
    execution_id = Execution.objects.get(id=row_id).execution_id
    entries = AuditEntry.objects.filter(target_id=execution_id).count()
    grow_old(row_id)
    retention.prune()
    event = balance_event(workflow.version.definition["trigger"]["address"], 10)
    assert take_events(workflow, [event]) == []
    assert ExecutionKey.objects.filter(execution_id=execution_id).exists()
    assert AuditEntry.objects.filter(target_id=execution_id).count() == entries > 0


def test_what_was_signed_is_the_ledger_and_stays(watch: Callable[..., Workflow]):
    paid = run(watch({"type": "transfer_sol", "to": new_address(), "lamports": 900_000}))
    assert settled(paid).status == "success"
    grow_old(paid)
    assert retention.prune() == 0
    assert Attempt.objects.filter(execution_id=paid).exists() and kept() == {paid}


def test_what_is_not_over_stays(watch: Callable[..., Workflow]):
    untold, pending = run(watch()), run(watch())
    grow_old(untold, pending)
    Delivery.objects.filter(execution_id=untold).update(status="pending")
    Execution.objects.filter(id=pending).delete()
    workflow = watch()
    address = workflow.version.definition["trigger"]["address"]
    (waiting,) = take_events(workflow, [balance_event(address, 11)])
    Execution.objects.filter(id=waiting).update(created_at=timezone.now() - LONG_AGO)
    assert retention.prune() == 0
    assert kept() == {untold, waiting}


def test_one_that_is_run_again_at_the_same_time_stays(make_workflow: Callable[..., Workflow], actor: Actor):
    too_much = {"type": "transfer_sol", "to": new_address(), "lamports": 10**12}
    refused = run(make_workflow(new_address(), [too_much], max_lamports_per_tx=10**13))
    assert Execution.objects.get(id=refused).status == "failed"
    grow_old(refused)
    row = Execution.objects.get(id=refused)
    execution_retry(actor=actor, execution=row)
    # As `prune` has it, who read the row while it was still failed.
    assert retention._delete([refused], timezone.now()) == 0
    assert kept() == {refused}


def test_counts_of_all_time_stay(watch: Callable[..., Workflow], actor: Actor):
    row_id = run(watch(filter=NEVER))
    before = figures(team=actor.team).executions
    grow_old(row_id)
    retention.prune()
    assert figures(team=actor.team).executions == before


def test_without_the_setting_nothing_goes(watch: Callable[..., Workflow], settings: Any):
    settings.EXECUTION_RETENTION_DAYS = 0
    row_id = run(watch())
    grow_old(row_id)
    assert retention.prune() == 0
    assert kept() == {row_id}


def test_a_long_past_goes_in_batches_past_what_stays(watch: Callable[..., Workflow], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    workflow = watch()
    rows = [run(workflow, slot) for slot in range(10, 17)]
    grow_old(*rows)
    # One that stays, in the middle.
    Delivery.objects.filter(execution_id=rows[3]).update(status="pending")
    assert retention.prune(for_s=0.0) == 2
    assert retention.prune() == 4
    assert kept() == {rows[3]}


def test_a_statement_of_it_uses_the_index_of_the_list(watch: Callable[..., Workflow], actor: Actor):
    asked = {"team": actor.team.id, "status": "filtered", "before": timezone.now(), "at": "0001-01-01T00:00Z"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {retention._PAGE}", {**asked, "id": 0, "batch": 10})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "executions_ended" in plan and "Sort" not in plan, plan
