"""A workflow that keeps failing pauses itself, once, and says so."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.actors import Actor
from accounts.models import AuditEntry
from executions import streaks
from executions.completion import Outcome, complete
from executions.models import Delivery, Execution, Reservation
from executions.pipeline import advance
from executions.states import Status
from tests.executing import balance_event, execution, new_address, settled, take_events
from workflows.models import Channel, Workflow
from workflows.services import channel_create, workflow_pause, workflow_resume, workflow_update

pytestmark = pytest.mark.django_db(transaction=True)

DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"


@pytest.fixture
def channels(actor: Actor) -> list[Channel]:
    return [
        channel_create(actor=actor, name=name, type="discord", config={"webhook_url": DISCORD_URL})
        for name in ("ops", "money")
    ]


@pytest.fixture
def workflow(make_workflow: Callable[..., Workflow], channels: list[Channel]) -> Workflow:
    """It tells one channel of failures, twice, and the other of successes only."""
    ops, money = channels
    notifications = [
        {"channel": str(ops.id), "on": ["failed"], "title": "Oh no"},
        {"channel": str(ops.id), "on": ["throttled"]},
        {"channel": str(money.id), "on": ["success"]},
    ]
    return make_workflow(new_address(), [], parts={"notifications": notifications}, pause_after_failures=3)


def ids(workflow: Workflow, count: int, first_slot: int = 10) -> list[int]:
    watched = workflow.version.definition["trigger"]["address"]
    return take_events(workflow, [balance_event(watched, first_slot + number) for number in range(count)])


def outcomes(workflow: Workflow, story: str, first_slot: int, code: str = "build_failed") -> list[Outcome]:
    """How new executions end: `f` fails, `s` succeeds, `x` is filtered out."""
    kinds = {"f": Status.FAILED, "s": Status.SUCCESS, "x": Status.FILTERED}
    return [
        Outcome(row_id, None, kinds[kind], error_code=code if kind == "f" else "", error_detail=f"at {row_id}")
        for row_id, kind in zip(ids(workflow, len(story), first_slot), story, strict=True)
    ]


def end(workflow: Workflow, story: str, first_slot: int = 10, code: str = "build_failed") -> None:
    """End new executions as one batch."""
    rows = outcomes(workflow, story, first_slot, code)
    with transaction.atomic():
        complete(rows, held=True)


def streak(workflow: Workflow) -> tuple[int, bool]:
    workflow.refresh_from_db()
    return workflow.failures_in_row, workflow.paused_at is not None


def told() -> list[str]:
    return [one.channel.name for one in Delivery.objects.filter(outcome="paused").select_related("channel")]


def test_the_failure_that_is_one_too_many_pauses_the_workflow_and_tells_every_channel_once(workflow: Workflow) -> None:
    end(workflow, "ff")
    assert streak(workflow) == (2, False) and told() == []
    end(workflow, "f", 20)
    last = Execution.objects.latest("id")
    assert streak(workflow) == (3, True)
    assert workflow.paused_reason == f"paused after 3 failures in a row; the last: build_failed: at {last.id}"
    assert sorted(told()) == ["money", "ops"]
    assert {one.execution_id for one in Delivery.objects.filter(outcome="paused")} == {last.id}
    entry = AuditEntry.objects.get(action="workflow_paused")
    assert (entry.actor, entry.target_name) == ("system:worker", workflow.name)
    assert entry.detail["reason"] == workflow.paused_reason


def test_the_listeners_hear_of_the_pause(workflow: Workflow) -> None:
    with psycopg.connect(settings.DATABASE_DIRECT_URL, autocommit=True) as listening:
        listening.execute("LISTEN solflow_workflows")
        end(workflow, "ff")
        end(workflow, "f", 20)
        heard = [note.payload for note in listening.notifies(timeout=1, stop_after=2)]
    assert heard == [str(workflow.id)]


def test_failures_after_the_pause_neither_change_its_reason_nor_tell_again(workflow: Workflow) -> None:
    end(workflow, "fff")
    workflow.refresh_from_db()
    reason = workflow.paused_reason
    end(workflow, "ff", 20)
    assert streak(workflow) == (5, True)
    assert workflow.paused_reason == reason and len(told()) == 2
    assert AuditEntry.objects.filter(action="workflow_paused").count() == 1


def test_a_persons_pause_keeps_its_reason(workflow: Workflow, actor: Actor) -> None:
    workflow_pause(actor=actor, workflow=workflow, reason="moving house")
    end(workflow, "fff")
    assert streak(workflow) == (3, True) and workflow.paused_reason == "moving house" and told() == []


@pytest.mark.parametrize(("story", "after"), [("ffs", 0), ("ffsf", 1), ("ffxf", 3), ("s", 0), ("x", 0)])
def test_a_batch_counts_in_the_order_of_its_outcomes(workflow: Workflow, story: str, after: int) -> None:
    end(workflow, story)
    assert streak(workflow)[0] == after


def test_a_success_sets_back_to_zero_in_a_batch_of_its_own(workflow: Workflow) -> None:
    end(workflow, "ff")
    end(workflow, "sx", 20)
    assert streak(workflow) == (0, False)


def test_failures_that_outsiders_can_cause_do_not_count(workflow: Workflow) -> None:
    for number, code in enumerate(sorted(streaks.NOT_COUNTED)):
        end(workflow, "f", 10 + number, code)
    assert streak(workflow) == (0, False)


def test_a_workflow_that_never_pauses_itself_goes_on_failing(workflow: Workflow, actor: Actor) -> None:
    workflow_update(actor=actor, workflow=workflow, changes={"pause_after_failures": None})
    end(workflow, "ffffff")
    assert streak(workflow) == (6, False)


def test_lifting_the_pause_and_a_new_version_begin_to_count_anew(workflow: Workflow, actor: Actor) -> None:
    end(workflow, "fff")
    workflow_resume(actor=actor, workflow=workflow)
    assert streak(workflow) == (0, False)
    end(workflow, "ff", 20)
    workflow.refresh_from_db()
    definition = {**workflow.version.definition, "notifications": []}
    workflow_update(actor=actor, workflow=workflow, changes={"definition": definition})
    assert streak(workflow) == (0, False)


def test_a_change_of_the_settings_alone_keeps_the_count(workflow: Workflow, actor: Actor) -> None:
    end(workflow, "ff")
    workflow_update(actor=actor, workflow=workflow, changes={"max_executions_per_hour": 5})
    assert streak(workflow) == (2, False)


def test_counting_does_not_look_like_somebodys_change_of_the_workflow(workflow: Workflow) -> None:
    before = Workflow.objects.get(pk=workflow.pk).updated_at
    end(workflow, "ff")
    end(workflow, "s", 20)
    assert Workflow.objects.get(pk=workflow.pk).updated_at == before


def test_an_execution_that_was_not_this_callers_to_end_does_not_count(workflow: Workflow) -> None:
    (row_id,) = ids(workflow, 1)
    outcome = Outcome(row_id, None, Status.FAILED, error_code="build_failed")
    for _ in range(3):
        with transaction.atomic():
            complete([outcome], held=True)
    assert streak(workflow) == (1, False)


def test_failures_of_transactions_at_once_are_all_counted_and_pause_once(workflow: Workflow) -> None:
    rows = ids(workflow, 6)
    together = Barrier(len(rows))

    def fail(row_id: int) -> None:
        try:
            together.wait(10)
            with transaction.atomic():
                complete([Outcome(row_id, None, Status.FAILED, error_code="build_failed")], held=True)
        finally:
            connection.close()

    threads = [Thread(target=fail, args=(row_id,)) for row_id in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert streak(workflow) == (6, True)
    assert len(told()) == 2 and AuditEntry.objects.filter(action="workflow_paused").count() == 1
    assert workflow.paused_reason is not None and "after 3 failures" in workflow.paused_reason


def statements(workflow: Workflow, story: str, first_slot: int) -> int:
    """How many statements follow the one that ends the batch, which goes through a cursor that nothing counts."""
    rows = outcomes(workflow, story, first_slot)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        complete(rows, held=True)
    return len(queries)


def test_successes_and_filtered_events_cost_no_statement_more(make_workflow: Callable[..., Workflow]) -> None:
    workflow = make_workflow(new_address(), [])
    assert statements(workflow, "sxs" * 5, 10) == 0
    assert statements(workflow, "ff", 100) > 0 and streak(workflow) == (2, False)
    assert statements(workflow, "sxs", 200) == 0 and streak(workflow) == (0, False)


def test_the_pause_holds_what_comes_after_it(workflow: Workflow) -> None:
    end(workflow, "fff")
    (row_id,) = ids(workflow, 1, 50)
    advance([row_id])
    assert execution(row_id).waiting_for == "pause"


def test_real_failures_of_the_pipeline_pause_the_workflow(make_workflow: Callable[..., Workflow]) -> None:
    """Paying more than the simulation finds in the signer, until it is enough."""
    watched = new_address()
    actions = [{"type": "transfer_sol", "to": new_address(), "lamports": 900_000_000_000}]
    workflow = make_workflow(watched, actions, pause_after_failures=2, max_lamports_per_tx=10**15)
    rows = take_events(workflow, [balance_event(watched, slot) for slot in (10, 11, 12)])
    for row_id in rows:
        advance([row_id])
    assert [execution(row_id).status for row_id in rows] == ["failed", "failed", "pending"]
    assert streak(workflow) == (2, True)


def test_spending_more_than_was_reserved_pauses_and_tells_the_channels_too(
    make_workflow: Callable[..., Workflow], channels: list[Channel]
) -> None:
    """The reservation shrinks behind its back, as if the chain had charged more than the simulation said."""
    watched = new_address()
    workflow = make_workflow(
        watched,
        [{"type": "transfer_sol", "to": new_address(), "lamports": 900_000}],
        parts={"notifications": [{"channel": str(channels[0].id), "on": ["failed"]}]},
    )
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    advance([row_id])
    Reservation.objects.filter(execution_id=row_id).update(lamports=1)

    assert settled(row_id).status == "success"

    assert streak(workflow) == (0, True)
    assert workflow.paused_reason is not None and "more than was reserved" in workflow.paused_reason
    assert told() == ["ops"]


def refuse(*_: Any, **__: Any) -> None:
    raise RuntimeError("the worker died here")


def test_a_worker_that_dies_before_the_commit_has_counted_and_paused_nothing(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(workflow, "ff")
    rows = ids(workflow, 1, 30)
    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr("executions.automatic_pauses.spec_of", refuse)
        with transaction.atomic():
            complete([Outcome(rows[0], None, Status.FAILED, error_code="build_failed")], held=True)
    assert streak(workflow) == (2, False) and execution(rows[0]).status == "pending" and told() == []
