"""A notification as it would read in its channel, while somebody is still writing it. Nothing is sent or stored.

It is written by the code that writes real ones, about the workflow's newest execution that ended so, or, before there
was one, about a sample of its trigger's event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.errors import Invalid
from executions.channels.base import Message
from executions.channels.registry import CHANNELS
from executions.explorer import Explorer
from executions.messages import RECOVERED, build
from executions.models import Execution
from executions.selectors import execution_detail
from executions.states import Status
from workflows.errors import invalid
from workflows.models import Workflow
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.event_fields import EVENT_FIELDS, EventField
from workflows.specs.sample_events import sample_event
from workflows.specs.workflow import parse
from workflows.templating import TemplateError

OUTCOMES = (Status.SUCCESS.value, Status.FAILED.value, Status.FILTERED.value, Status.THROTTLED.value, RECOVERED)
NOBODY = "00000000-0000-4000-8000-000000000000"
# Before there is a workflow: the commonest trigger, on an address that everybody knows.
SAMPLE_TRIGGER = {"type": "balance_change", "address": "1" * 32}
SAMPLE_SIGNATURE = "5" * 88


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """`source` says what it is about: a past execution, or a sample. `fields` are what its texts may name."""

    message: Message
    payload: Mapping[str, Any] | None
    source: str
    event: Mapping[str, Any]
    fields: tuple[EventField, ...]


def preview_message(
    *,
    kind: str,
    notification: Mapping[str, Any],
    outcome: str,
    workflow: Workflow | None = None,
    draft_trigger: Any = None,
) -> MessagePreview:
    """The message of a notification (`template`, `title`, `message`, `color`) in a channel of `kind`. With the trigger
    of a draft it is about a sample of that trigger's event, whatever ran before.

    Raises:
        Invalid: a text, the template or the colour is wrong; paths as in a notification.
    """
    if outcome not in OUTCOMES:
        raise Invalid.field("outcome", "not_allowed", f"must be one of: {', '.join(OUTCOMES)}")
    live = workflow.version.definition["trigger"] if workflow and workflow.version else SAMPLE_TRIGGER
    trigger = live if draft_trigger is None else draft_trigger
    checked, sample = _checked(trigger, notification)
    execution, source = _execution(workflow, outcome, sample, may_be_past=draft_trigger is None)
    about = {"id": str(workflow.pk), "name": workflow.name} if workflow else {"id": NOBODY, "name": "Your workflow"}
    channel = CHANNELS[kind]
    told = {**checked, "failures": 3} if outcome == RECOVERED else checked
    try:
        message = build(outcome, told, execution, about, explorer=_explorer(), escape=channel.escape)
    except TemplateError as error:
        raise Invalid.field("message", "bad_template", str(error)) from error
    event: Mapping[str, Any] = execution.get("event") or {}
    return MessagePreview(message, channel.preview(message), source, event, EVENT_FIELDS[trigger["type"]])


def _checked(trigger: Mapping[str, Any], notification: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The notification as a definition would hold it, and the trigger's sample event."""
    whole = {"channel": NOBODY, "on": ["success"], **notification}
    try:
        spec = parse({"trigger": trigger, "notifications": [whole]})
    except SpecErrors as error:
        raise invalid(map(_within, error.errors)) from error
    return spec.notifications[0].model_dump(mode="json"), sample_event(spec.trigger).as_json()


def _within(problem: SpecError) -> SpecError:
    """The problem as seen from the notification alone."""
    here = "notifications[0]."
    return SpecError(problem.path.removeprefix(here), problem.code, problem.detail.replace(here, "", 1))


def _execution(
    workflow: Workflow | None, outcome: str, event: dict[str, Any], *, may_be_past: bool
) -> tuple[dict[str, Any], str]:
    status = Status.SUCCESS.value if outcome == RECOVERED else outcome
    past = None
    if workflow is not None and may_be_past:
        past = Execution.objects.filter(workflow=workflow, status=status).select_related("version")
    newest = past.order_by("-created_at", "-id").first() if past is not None else None
    if newest is not None:
        return execution_detail(newest), "past"
    at = timezone.now().isoformat().replace("+00:00", "Z")
    return {
        "execution_id": "0" * 64,
        "workflow_version": workflow.version.number if workflow and workflow.version else 1,
        "status": status,
        "dry_run": bool(workflow and workflow.dry_run),
        "trigger": event["type"],
        "event": event,
        "steps": [{"name": "detected", "at": at, "detail": None}],
        "transaction": _transaction(event, status),
        "error": {"code": "simulation_failed", "detail": "what went wrong stands here"} if status == "failed" else None,
        "created_at": at,
        "completed_at": at,
    }, "sample"


def _transaction(event: Mapping[str, Any], status: str) -> dict[str, Any] | None:
    if status != Status.SUCCESS:
        return None
    return {
        "signature": SAMPLE_SIGNATURE,
        "status": "confirmed",
        "slot": event.get("slot") or 1,
        "fee_lamports": 5000,
        "compute_units": 450,
        "logs": ["Program 11111111111111111111111111111111 success"],
        "attempts": 1,
    }


def _explorer() -> Explorer:
    return Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0])
