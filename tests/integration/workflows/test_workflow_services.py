from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts.actors import Actor
from accounts.errors import Invalid, Missing, Refused
from accounts.models import AuditEntry
from tests.integration.workflows.conftest import DISCORD_URL, RECIPIENT, WATCHED, paying
from workflows.models import Channel, Signer, Workflow, WorkflowVersion
from workflows.services import (
    channel_delete,
    signer_create,
    signer_delete,
    workflow_create,
    workflow_delete,
    workflow_disable,
    workflow_enable,
    workflow_pause,
    workflow_publish,
    workflow_resume,
    workflow_update,
)
from workflows.specs import served

Make = Callable[..., Workflow]


def problems(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {problem.path: problem.code for problem in error.value.errors}


def actions_of(workflow: Workflow) -> list[str]:
    entries = AuditEntry.objects.filter(target_type="workflow", target_id=str(workflow.id))
    return list(entries.order_by("id").values_list("action", flat=True))


def test_a_new_workflow_has_the_contracts_defaults_and_is_not_enabled(make: Make) -> None:
    workflow = make()
    workflow.refresh_from_db()
    assert (workflow.enabled, workflow.version.number, workflow.trigger_type) == (False, 1, "balance_change")
    assert (workflow.commitment, workflow.dry_run, workflow.ordered) == ("confirmed", False, False)
    assert (workflow.max_lamports_per_tx, workflow.max_executions_per_hour) == (1_000_000, 10)
    assert (workflow.max_lamports_per_day, workflow.approval_above_lamports) == (None, None)
    assert (workflow.allowed_recipients, workflow.allowed_programs, workflow.approval_expires_s) == (None, None, 3600)
    assert (workflow.max_tokens_per_tx, workflow.max_tokens_per_day) == ({}, {})


def test_the_definition_is_stored_normalised(make: Make) -> None:
    workflow = make(paying(trigger={"type": "balance_change", "address": WATCHED, "min_change": "0.5 SOL"}))
    trigger = workflow.version.definition["trigger"]
    assert trigger["min_change"] == 500_000_000
    assert trigger["direction"] == "any"


def test_all_problems_of_definition_settings_and_signer_are_told_at_once(alice: Actor) -> None:
    definition = paying(actions=[{"type": "transfer_sol", "to": "nobody", "lamprots": 1}])
    with pytest.raises(Invalid) as error:
        workflow_create(
            actor=alice, definition=definition, settings={"max_lamports_per_tx": 1.5}, signer_id=uuid.uuid4()
        )
    found = problems(error)
    assert found["definition.actions[0].lamprots"] == "unknown_key"
    assert found["definition.actions[0].to"] == "not_an_address"
    assert found["max_lamports_per_tx"] == "float_amount"
    assert found["name"] == "required"
    assert found["signer"] == "not_found"


def test_a_literal_above_the_workflows_own_limit_is_refused_when_it_is_saved(make: Make) -> None:
    with pytest.raises(Invalid) as error:
        make(max_lamports_per_tx=999)
    assert problems(error) == {"definition.actions[0].lamports": "above_limit"}


def test_lowering_a_limit_below_a_literal_is_refused(make: Make, alice: Actor) -> None:
    workflow = make()
    with pytest.raises(Invalid) as error:
        workflow_update(actor=alice, workflow=workflow, changes={"max_lamports_per_tx": 999})
    assert problems(error) == {"definition.actions[0].lamports": "above_limit"}


def test_channels_lists_and_idls_that_the_team_does_not_have_are_named_by_path(make: Make) -> None:
    somewhere = str(uuid.uuid4())
    definition = paying(
        filter={"any": [{"field": "event.account", "op": "in_list", "value": somewhere}]},
        notifications=[{"channel": somewhere, "on": ["success"]}],
    )
    with pytest.raises(Invalid) as error:
        make(definition)
    assert problems(error) == {
        "definition.filter.any[0].value": "not_found",
        "definition.notifications[0].channel": "not_found",
    }


def test_another_teams_signer_and_channel_do_not_exist(charlie: Actor, signer: Signer, channel: Channel) -> None:
    definition = paying(notifications=[{"channel": str(channel.id), "on": ["success"]}])
    with pytest.raises(Invalid) as error:
        workflow_create(actor=charlie, definition=definition, settings={"name": "x"}, signer_id=signer.id)
    assert problems(error) == {"signer": "not_found", "definition.notifications[0].channel": "not_found"}


def test_a_changed_definition_is_a_new_version_and_the_old_one_stays(make: Make, alice: Actor) -> None:
    workflow = make()
    changed = workflow_update(actor=alice, workflow=workflow, changes={"definition": paying(actions=[])})
    assert changed.version.number == 2
    assert [version.number for version in WorkflowVersion.objects.filter(workflow=workflow).order_by("number")] == [
        1,
        2,
    ]
    assert WorkflowVersion.objects.get(workflow=workflow, number=1).definition["actions"][0]["lamports"] == 1000


def test_the_same_definition_written_differently_is_no_new_version(make: Make, alice: Actor) -> None:
    workflow = make()
    same = paying(actions=[{"type": "transfer_sol", "to": RECIPIENT, "lamports": "0.000001 SOL"}])
    assert workflow_update(actor=alice, workflow=workflow, changes={"definition": same}).version.number == 1
    assert actions_of(workflow) == ["workflow_created"]


def test_settings_that_are_not_named_stay(make: Make, alice: Actor, signer: Signer) -> None:
    workflow = make(signer=signer, max_lamports_per_day=7_000, description="first")
    changed = workflow_update(actor=alice, workflow=workflow, changes={"description": "second"})
    changed.refresh_from_db()
    assert (changed.max_lamports_per_day, changed.description, changed.signer_id) == (7_000, "second", signer.id)


def test_the_audit_log_says_what_changed(make: Make, alice: Actor) -> None:
    workflow = make()
    workflow_update(actor=alice, workflow=workflow, changes={"max_lamports_per_tx": "0.002 SOL", "name": "new"})
    entry = AuditEntry.objects.filter(action="workflow_updated").get()
    assert entry.detail["changed"] == {
        "name": {"from": "pay", "to": "new"},
        "max_lamports_per_tx": {"from": 1_000_000, "to": 2_000_000},
    }
    assert (entry.actor, entry.address) == (alice.name, alice.address)


def test_a_workflow_with_actions_and_no_signer_cannot_be_enabled(make: Make, alice: Actor) -> None:
    with pytest.raises(Refused) as error:
        workflow_enable(actor=alice, workflow=make(), enabled_at_slot=5)
    assert error.value.code == "signer_missing"


def test_a_deleted_signer_does_not_count_as_one(make: Make, alice: Actor, signer: Signer) -> None:
    workflow = make(signer=signer)
    signer_delete(actor=alice, signer=signer)
    with pytest.raises(Refused):
        workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=5)


def test_a_workflow_without_actions_needs_no_signer(make: Make, alice: Actor) -> None:
    workflow = workflow_enable(actor=alice, workflow=make(paying(actions=[])), enabled_at_slot=5)
    assert (workflow.enabled, workflow.enabled_at_slot) == (True, 5)


@pytest.fixture
def nothing_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "SERVED_TRIGGERS", frozenset())


def test_an_unserved_trigger_is_refused_when_enabling_with_its_path(
    make: Make, alice: Actor, nothing_served: None
) -> None:
    with pytest.raises(Invalid) as error:
        workflow_enable(actor=alice, workflow=make({"trigger": {"type": "manual"}}), enabled_at_slot=5)
    assert problems(error) == {"definition.trigger.type": "not_served"}


def test_an_enabled_workflow_cannot_be_changed_into_one_that_could_not_be_enabled(
    make: Make, alice: Actor, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = workflow_enable(actor=alice, workflow=make(signer=signer), enabled_at_slot=5)
    with pytest.raises(Refused):
        workflow_update(actor=alice, workflow=workflow, changes={"signer": None})
    monkeypatch.setattr(served, "SERVED_TRIGGERS", frozenset({"balance_change"}))
    with pytest.raises(Invalid):
        workflow_update(actor=alice, workflow=workflow, changes={"definition": {"trigger": {"type": "manual"}}})
    workflow.refresh_from_db()
    assert (workflow.signer_id, workflow.version.number) == (signer.id, 1)


def test_enabling_again_keeps_the_slot_from_which_events_match(make: Make, alice: Actor, signer: Signer) -> None:
    workflow = workflow_enable(actor=alice, workflow=make(signer=signer), enabled_at_slot=5)
    assert workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=9).enabled_at_slot == 5
    assert actions_of(workflow) == ["workflow_created", "workflow_enabled"]


def test_enabling_refuses_a_channel_that_was_deleted_meanwhile(make: Make, alice: Actor, channel: Channel) -> None:
    workflow = make({**paying(actions=[]), "notifications": [{"channel": str(channel.id), "on": ["success"]}]})
    channel_delete(actor=alice, channel=channel)
    with pytest.raises(Invalid) as error:
        workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=5)
    assert problems(error) == {"definition.notifications[0].channel": "not_found"}


def test_a_workflow_whose_channel_was_deleted_can_still_be_renamed(make: Make, alice: Actor, channel: Channel) -> None:
    workflow = make({**paying(actions=[]), "notifications": [{"channel": str(channel.id), "on": ["success"]}]})
    channel_delete(actor=alice, channel=channel)
    assert workflow_update(actor=alice, workflow=workflow, changes={"name": "old"}).name == "old"


def test_a_deleted_workflow_is_gone_but_its_row_stays(make: Make, alice: Actor, signer: Signer) -> None:
    workflow = workflow_enable(actor=alice, workflow=make(signer=signer), enabled_at_slot=5)
    workflow_delete(actor=alice, workflow=workflow)
    row = Workflow.objects.get(pk=workflow.pk)
    assert (row.enabled, row.deleted_at is None) == (False, False)
    with pytest.raises(Missing):
        workflow_disable(actor=alice, workflow=workflow)
    assert actions_of(workflow)[-1] == "workflow_deleted"


def test_a_draft_may_be_unfinished_and_never_touches_the_definition(make: Make, alice: Actor) -> None:
    workflow = workflow_update(actor=alice, workflow=make(), changes={"draft": {"trigger": {"type": "bal"}}})
    assert (workflow.draft, workflow.version.number) == ({"trigger": {"type": "bal"}}, 1)


def test_the_audit_log_says_when_a_draft_is_begun_and_given_up_and_not_each_edit(make: Make, alice: Actor) -> None:
    workflow = make()
    for draft in ({}, {"trigger": {"type": "bal"}}, {"trigger": {"type": "bal"}}, None, None):
        workflow = workflow_update(actor=alice, workflow=workflow, changes={"draft": draft})
    assert actions_of(workflow) == ["workflow_created", "workflow_draft_begun", "workflow_draft_discarded"]


def test_publishing_is_one_update_in_the_audit_log(make: Make, alice: Actor) -> None:
    workflow = workflow_update(actor=alice, workflow=make(), changes={"draft": paying(actions=[])})
    workflow_publish(actor=alice, workflow=workflow)
    assert actions_of(workflow) == ["workflow_created", "workflow_draft_begun", "workflow_updated"]
    detail = AuditEntry.objects.latest("id").detail
    assert detail == {"changed": {"version": {"from": 1, "to": 2}}}


@pytest.mark.parametrize("name", ["nothing", "the same", "the same definition"])
def test_a_change_to_what_is_there_already_is_no_change(name: str, make: Make, signer: Signer, alice: Actor) -> None:
    workflow = make(signer=signer, allowed_recipients=[RECIPIENT], max_tokens_per_tx={WATCHED: 5})
    changes: dict[str, dict[str, Any]] = {
        "nothing": {},
        "the same": {
            "name": "pay",
            "allowed_recipients": [RECIPIENT],
            "max_tokens_per_tx": {WATCHED: 5},
            "draft": None,
        },
        "the same definition": {"definition": paying(), "signer": str(signer.id)},
    }
    updated = workflow_update(actor=alice, workflow=workflow, changes=changes[name])
    assert actions_of(workflow) == ["workflow_created"]
    assert (updated.version.number, updated.updated_at) == (1, Workflow.objects.get().updated_at)


def test_a_draft_with_a_secret_in_it_is_refused(make: Make, alice: Actor) -> None:
    with pytest.raises(Invalid) as error:
        workflow_update(actor=alice, workflow=make(), changes={"draft": {"notifications": [{"channel": DISCORD_URL}]}})
    assert problems(error) == {"draft.notifications[0].channel": "secret"}
    assert DISCORD_URL not in str(error.value)


def test_publishing_makes_the_draft_the_definition(make: Make, alice: Actor) -> None:
    workflow = workflow_update(actor=alice, workflow=make(), changes={"draft": paying(actions=[])})
    published = workflow_publish(actor=alice, workflow=workflow)
    assert (published.draft, published.version.number, published.version.definition["actions"]) == (None, 2, [])


def test_publishing_an_unfinished_draft_tells_its_problems_and_keeps_it(make: Make, alice: Actor) -> None:
    workflow = workflow_update(actor=alice, workflow=make(), changes={"draft": {}})
    with pytest.raises(Invalid) as error:
        workflow_publish(actor=alice, workflow=workflow)
    assert problems(error) == {"definition.trigger": "required"}
    workflow.refresh_from_db()
    assert workflow.draft == {}


def test_publishing_without_a_draft_is_refused(make: Make, alice: Actor) -> None:
    with pytest.raises(Refused):
        workflow_publish(actor=alice, workflow=make())


def test_publishing_a_draft_that_somebody_changed_meanwhile_is_refused(make: Make, alice: Actor) -> None:
    seen = workflow_update(actor=alice, workflow=make(), changes={"draft": paying(actions=[])})
    workflow_update(actor=alice, workflow=Workflow.objects.get(pk=seen.pk), changes={"draft": paying()})
    with pytest.raises(Refused) as error:
        workflow_publish(actor=alice, workflow=seen)
    assert error.value.code == "draft_changed"


def test_a_pause_keeps_its_first_time_and_its_newest_reason(make: Make, alice: Actor) -> None:
    first = workflow_pause(actor=alice, workflow=make(), reason="looks odd")
    again = workflow_pause(actor=alice, workflow=first, reason="is odd")
    assert (again.paused_at, again.paused_reason) == (first.paused_at, "is odd")
    assert workflow_resume(actor=alice, workflow=again).paused_reason is None
    assert actions_of(again)[-1] == "workflow_resumed"


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_of_a_change_when_it_commits_and_of_none_that_is_rolled_back(make: Make, alice: Actor) -> None:
    workflow = make()
    with psycopg.connect(settings.DATABASE_DIRECT_URL, autocommit=True) as listening:
        listening.execute("LISTEN solflow_workflows")
        workflow_update(actor=alice, workflow=workflow, changes={"name": "new"})
        with pytest.raises(RuntimeError), transaction.atomic():
            workflow_update(actor=alice, workflow=workflow, changes={"name": "newer"})
            raise RuntimeError
        heard = [note.payload for note in listening.notifies(timeout=1, stop_after=2)]
    assert heard == [str(workflow.id)]


@pytest.mark.django_db(transaction=True)
def test_listeners_are_not_woken_by_a_draft_or_by_no_change(make: Make, alice: Actor) -> None:
    workflow = make()
    with psycopg.connect(settings.DATABASE_DIRECT_URL, autocommit=True) as listening:
        listening.execute("LISTEN solflow_workflows")
        for changes in ({"draft": paying(actions=[])}, {"draft": None}, {"name": "pay"}, {}):
            workflow_update(actor=alice, workflow=workflow, changes=changes)
        other = make(name="the next that they hear of")
        heard = [note.payload for note in listening.notifies(timeout=1, stop_after=2)]
    assert heard == [str(other.id)]


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_make_two_versions_and_lose_none(make: Make, alice: Actor) -> None:
    workflow = make()
    failures: list[Exception] = []

    def change(changes: dict[str, Any]) -> None:
        try:
            workflow_update(actor=alice, workflow=workflow, changes=changes)
        except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)
        finally:
            connection.close()

    memo = [{"type": "memo", "text": "hi"}]
    changes = [{"definition": paying(actions=[])}, {"definition": paying(actions=memo)}, {"name": "new"}]
    threads = [threading.Thread(target=change, args=(one,)) for one in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = Workflow.objects.get(pk=workflow.pk)
    assert failures == []
    assert (row.name, row.version.number) == ("new", 3)
    assert sorted(row.versions.values_list("number", flat=True)) == [1, 2, 3]


def test_a_signer_of_the_workflow_can_be_changed(make: Make, alice: Actor, signer: Signer) -> None:
    other = signer_create(actor=alice, name="other")
    workflow = workflow_update(actor=alice, workflow=make(signer=signer), changes={"signer": str(other.id)})
    assert workflow.signer_id == other.id
    assert AuditEntry.objects.get(action="workflow_updated").detail["changed"]["signer_id"]["to"] == str(other.id)
