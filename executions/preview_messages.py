"""The messages of an execution that is only tried, as they would read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from chain.events import Event
from executions.channels.registry import CHANNELS
from executions.explorer import Explorer
from executions.messages import build
from executions.trial import Problem, Tried
from workflows.matching import FilterResult
from workflows.models import Workflow
from workflows.selectors import channels_by_id
from workflows.specs.notifications import Notification
from workflows.specs.workflow import WorkflowSpec
from workflows.templating import TemplateError


@dataclass(frozen=True, slots=True)
class PreviewedMessage:
    """One notification as it would read. `sent`: whether this outcome is among its `on`."""

    channel: str
    channel_name: str
    channel_type: str
    outcome: str
    sent: bool
    title: str = ""
    text: str = ""
    color: int = 0
    lines: tuple[dict[str, Any], ...] = ()
    payload: Mapping[str, Any] | None = None
    error: Problem | None = None


def shown_as(
    workflow: Workflow,
    version: int | None,
    spec: WorkflowSpec,
    event: Event,
    verdict: FilterResult,
    tried: Tried,
    status: str,
    now: datetime,
) -> dict[str, Any]:
    """The execution that would be, in the API's shape: what messages are written from."""
    at, transaction = now.isoformat().replace("+00:00", "Z"), tried.transaction
    return {
        "execution_id": "0" * 64,
        "workflow": str(workflow.id),
        "workflow_version": version or (workflow.version.number + 1 if workflow.version else 1),
        "status": status,
        "waiting_for": None,
        "dry_run": workflow.dry_run,
        "trigger": spec.trigger.type,
        "event": event.as_json(),
        "steps": [{"name": "detected", "at": at, "detail": None}],
        "filter_trace": verdict.trace,
        "transaction": None
        if transaction is None
        else {
            "signature": None,
            "status": "simulated",
            "slot": transaction.slot,
            "fee_lamports": transaction.fee_lamports,
            "compute_units": transaction.compute_units,
            "logs": transaction.logs,
            "attempts": 0,
        },
        "notifications": [],
        "error": {"code": tried.error.code, "detail": tried.error.detail} if tried.error else None,
        "replay_of": None,
        "created_at": at,
        "completed_at": at,
    }


def messages(
    workflow: Workflow, spec: WorkflowSpec, shown: dict[str, Any], *, is_wanted: bool
) -> tuple[PreviewedMessage, ...]:
    if not spec.notifications:
        return ()
    channels = channels_by_id(team=workflow.team)
    explorer = Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0])
    return tuple(
        _message(workflow, one, channels.get(one.channel), shown, explorer, is_wanted=is_wanted)
        for one in spec.notifications
    )


def _message(
    workflow: Workflow,
    notification: Notification,
    channel: Any,
    shown: dict[str, Any],
    explorer: Explorer,
    *,
    is_wanted: bool,
) -> PreviewedMessage:
    outcome, on = shown["status"], notification.on
    name, kind = (channel.name, channel.type) if channel is not None else ("", "")
    sent = is_wanted and outcome in on
    sender = CHANNELS.get(kind)
    about = (notification.channel, name, kind, outcome, sent)
    try:
        message = build(
            outcome,
            notification.model_dump(mode="json"),
            shown,
            {"id": str(workflow.id), "name": workflow.name},
            explorer=explorer,
            escape=sender.escape if sender else str,
        )
    except TemplateError as error:
        return PreviewedMessage(*about, error=Problem("template_invalid", str(error)))
    lines = tuple({"name": line.name, "value": line.value, "kind": line.kind} for line in message.lines)
    body = sender.preview(message) if sender else None
    return PreviewedMessage(*about, message.title, message.text, message.color, lines, body)
