"""The only writers of workflows. Each locks the row, writes the audit entry and tells the listeners, in one go.

What reaches out to the chain is not here: enabling, and moving a live trigger to another account, read a baseline first
(listener.services) and then call these with the slot that was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor, system
from accounts.errors import Missing, Refused
from workflows.checks import check, check_draft
from workflows.errors import invalid
from workflows.models import Signer, Workflow, WorkflowVersion
from workflows.services.changes import announce, differences, lock_workflow, write
from workflows.services.schedule import schedule_follow
from workflows.specs.errors import SpecErrors
from workflows.specs.served import unserved
from workflows.specs.workflow import WorkflowSpec, dump


@transaction.atomic
def workflow_create(
    *,
    actor: Actor,
    definition: Any,
    settings: Mapping[str, Any],
    signer_id: UUID | str | None = None,
    draft: Mapping[str, Any] | None = None,
) -> Workflow:
    """A new workflow, not enabled, with version 1 of its definition.

    Raises:
        Invalid: every problem of the definition, the settings and what they name, each with its path in the request.
    """
    checked = check(team=actor.team, definition=definition, settings=settings, signer_id=signer_id)
    workflow = Workflow.objects.create(
        team=actor.team,
        trigger_type=checked.spec.trigger.type,
        signer=checked.signer,
        draft=check_draft(draft),
        **checked.columns(),
    )
    _new_version(actor, workflow, checked.spec)
    workflow.save(update_fields=["version"])
    audit.record(actor, "workflow_created", "workflow", workflow.id, target_name=workflow.name)
    announce(workflow.id)
    return workflow


@transaction.atomic
def workflow_update(
    *, actor: Actor, workflow: Workflow, changes: Mapping[str, Any], enabled_at_slot: int | None = None
) -> Workflow:
    """Change what `changes` names: `definition` (a new version, live at once), `draft`, `signer`, settings.

    `enabled_at_slot` is given when the trigger of an enabled workflow now watches something else: events at or before
    it never match. The row that comes back has been read again under the lock.

    Raises:
        Invalid: as for workflow_create; a trigger that nobody serves yet, if the workflow is enabled.
        Refused: the workflow is enabled and would have actions without a signer.
        Missing: it was deleted meanwhile.
    """
    workflow = lock_workflow(workflow)
    rest = {name: value for name, value in changes.items() if name not in ("definition", "draft", "signer")}
    checked = check(
        team=actor.team,
        definition=changes["definition"] if "definition" in changes else _definition(workflow),
        settings=rest,
        signer_id=changes.get("signer", workflow.signer_id),
        known=workflow,
        references="definition" in changes,
    )
    if workflow.enabled:
        _check_runnable(checked.spec, checked.signer)
    values: dict[str, Any] = {**checked.columns(), "signer_id": checked.signer.pk if checked.signer else None}
    changed = differences(workflow, values)
    if dump(checked.spec) != _definition(workflow):
        changed["version"] = _next_version(actor, workflow, checked.spec)
        # What failed before was another definition's doing.
        values["failures_in_row"] = 0
    if enabled_at_slot is not None:
        values["enabled_at_slot"] = enabled_at_slot
    if changed or enabled_at_slot is not None:
        write(workflow, values, also=["version", "trigger_type", "updated_at"])
        schedule_follow(workflow=workflow, trigger=checked.spec.trigger if workflow.enabled else None)
        audit.record(
            actor, "workflow_updated", "workflow", workflow.id, target_name=workflow.name, changed=_plain(changed)
        )
        announce(workflow.id)
    if "draft" in changes:
        _replace_draft(actor, workflow, check_draft(changes["draft"]), published="version" in changed)
    return workflow


@transaction.atomic
def workflow_enable(*, actor: Actor, workflow: Workflow, enabled_at_slot: int) -> Workflow:
    """From now on events after `enabled_at_slot` run it. Enabling what is enabled changes nothing.

    Raises:
        Invalid: the definition names a trigger or an action that nobody serves yet, or something that was deleted.
        Refused: it has actions and no signer.
    """
    workflow = lock_workflow(workflow)
    if workflow.enabled:
        return workflow
    spec = workflow_check_enabling(workflow=workflow)
    write(workflow, {"enabled": True, "enabled_at_slot": enabled_at_slot}, also=["updated_at"])
    schedule_follow(workflow=workflow, trigger=spec.trigger)
    audit.record(
        actor,
        "workflow_enabled",
        "workflow",
        workflow.id,
        target_name=workflow.name,
        enabled_at_slot=enabled_at_slot,
    )
    announce(workflow.id)
    return workflow


def workflow_check_enabling(*, workflow: Workflow) -> WorkflowSpec:
    """The workflow's definition, if it could be enabled now; raises what workflow_enable raises. Reads only."""
    checked = check(
        team=workflow.team,
        definition=_definition(workflow),
        settings={},
        signer_id=workflow.signer_id,
        known=workflow,
    )
    _check_runnable(checked.spec, checked.signer)
    return checked.spec


@transaction.atomic
def workflow_disable(*, actor: Actor, workflow: Workflow) -> Workflow:
    """No event runs it any more; what runs already ends as it would have."""
    workflow = lock_workflow(workflow)
    if workflow.enabled:
        write(workflow, {"enabled": False, "enabled_at_slot": None}, also=["updated_at"])
        schedule_follow(workflow=workflow, trigger=None)
        audit.record(actor, "workflow_disabled", "workflow", workflow.id, target_name=workflow.name)
        announce(workflow.id)
    return workflow


@transaction.atomic
def workflow_publish(*, actor: Actor, workflow: Workflow, enabled_at_slot: int | None = None) -> Workflow:
    """Make the draft the definition, as an update would, and the draft empty.

    Raises:
        Refused: there is no draft, or not the one that `workflow` was read with: publish what you have seen.
        Invalid: as for workflow_update.
    """
    seen, workflow = workflow.draft, lock_workflow(workflow)
    if workflow.draft is None:
        raise Refused("there is no draft to publish", code="no_draft")
    if workflow.draft != seen:
        raise Refused("the draft was changed meanwhile", code="draft_changed")
    changes = {"definition": workflow.draft, "draft": None}
    return workflow_update(actor=actor, workflow=workflow, changes=changes, enabled_at_slot=enabled_at_slot)


@transaction.atomic
def workflow_delete(*, actor: Actor, workflow: Workflow) -> None:
    """It disappears from everywhere but its executions and the audit log; what runs already ends as it would have."""
    workflow = lock_workflow(workflow)
    write(workflow, {"enabled": False, "enabled_at_slot": None, "deleted_at": timezone.now()}, also=["updated_at"])
    schedule_follow(workflow=workflow, trigger=None)
    audit.record(actor, "workflow_deleted", "workflow", workflow.id, target_name=workflow.name)
    announce(workflow.id)


@transaction.atomic
def workflow_pause(*, actor: Actor, workflow: Workflow, reason: str) -> Workflow:
    """When this has committed, nothing more is signed for the workflow: signing locks its row (executions.limits)."""
    workflow = lock_workflow(workflow)
    # Said again without a reason, the one that was given stays.
    reason = reason or workflow.paused_reason or ""
    write(workflow, {"paused_at": workflow.paused_at or timezone.now(), "paused_reason": reason}, also=["updated_at"])
    audit.record(actor, "workflow_paused", "workflow", workflow.id, target_name=workflow.name, reason=reason)
    announce(workflow.id)
    return workflow


@transaction.atomic
def workflow_pause_itself(*, workflow_id: UUID, reason: str) -> Workflow | None:
    """SolFlow's own pause, in the worker's name. None where it is paused already, whose reason stays, or deleted."""
    now = timezone.now()
    running = Workflow.objects.filter(pk=workflow_id, paused_at=None, deleted_at=None)
    if not running.update(paused_at=now, paused_reason=reason, updated_at=now):
        return None
    workflow = Workflow.objects.select_related("team").get(pk=workflow_id)
    actor = system(workflow.team, "worker")
    audit.record(actor, "workflow_paused", "workflow", workflow.id, target_name=workflow.name, reason=reason)
    announce(workflow.id)
    return workflow


@transaction.atomic
def workflow_resume(*, actor: Actor, workflow: Workflow) -> Workflow:
    """What waited runs, unless it is older than the workflow's `max_event_age_s`; failures are counted from 0 again."""
    workflow = lock_workflow(workflow)
    if workflow.paused_at is not None:
        write(workflow, {"paused_at": None, "paused_reason": None, "failures_in_row": 0}, also=["updated_at"])
        audit.record(actor, "workflow_resumed", "workflow", workflow.id, target_name=workflow.name)
        announce(workflow.id)
    return workflow


def _replace_draft(actor: Actor, workflow: Workflow, draft: Any, *, published: bool) -> None:
    """As the builder does (workflows.services.draft): listeners need not hear of it, and the audit log says when it is
    begun or given up, not each edit."""
    before = workflow.draft
    if draft == before:
        return
    write(workflow, {"draft": draft})
    if before is None:
        audit.record(actor, "workflow_draft_begun", "workflow", workflow.id, target_name=workflow.name)
    elif draft is None and not published:
        audit.record(actor, "workflow_draft_discarded", "workflow", workflow.id, target_name=workflow.name)


def _definition(workflow: Workflow) -> dict[str, Any]:
    if workflow.version is None:
        raise Missing("the workflow has no definition")
    return workflow.version.definition


def _check_runnable(spec: WorkflowSpec, signer: Signer | None) -> None:
    problems = unserved(spec)
    if problems:
        raise invalid(SpecErrors(problems).under("definition").errors)
    if spec.actions and (signer is None or signer.deleted_at is not None):
        raise Refused("the workflow has actions and no signer to sign them", code="signer_missing")


def _next_version(actor: Actor, workflow: Workflow, spec: WorkflowSpec) -> dict[str, int]:
    before = workflow.version.number if workflow.version else 0
    _new_version(actor, workflow, spec)
    return {"from": before, "to": before + 1}


def _new_version(actor: Actor, workflow: Workflow, spec: WorkflowSpec) -> None:
    number = workflow.version.number + 1 if workflow.version else 1
    workflow.version = WorkflowVersion.objects.create(
        workflow=workflow, number=number, definition=dump(spec), created_by=actor.name
    )
    workflow.trigger_type = spec.trigger.type


def _plain(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Ids as text: the audit log holds JSON."""
    return {
        name: {side: str(value) if isinstance(value, UUID) else value for side, value in pair.items()}
        for name, pair in changed.items()
    }
