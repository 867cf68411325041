"""What a workflow would do with an event, without doing it: nothing is signed, sent, reserved or stored.

The same code as for a real event asks the trigger and the filter, builds and simulates the transaction, judges it by
the limits and writes the messages. Each stage answers as a value: a transaction that cannot be built still leaves the
filter's trace and the message that would tell of it. No key is needed, so the web process can do all of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.errors import Invalid, Missing
from chain.errors import ChainError
from chain.events import Event, EventKey
from executions import limits
from executions.build import Prepared, prepare
from executions.channels.registry import CHANNELS
from executions.definitions import load_lists
from executions.errors import ExecutionError, LimitExceeded
from executions.explorer import Explorer
from executions.gateway import WrongChain, gateway
from executions.messages import build
from executions.models import Execution
from executions.states import Status
from workflows.checks import check, settings_of
from workflows.errors import invalid
from workflows.matching import FilterResult, compile_filter, matches
from workflows.models import Workflow
from workflows.selectors import channels_by_id
from workflows.specs.given_events import event_problems
from workflows.specs.limits import check_limits
from workflows.specs.notifications import Notification
from workflows.specs.references import address_lists_named
from workflows.specs.sample_events import sample_event
from workflows.specs.workflow import WorkflowSpec, parse
from workflows.templating import TemplateError

ALWAYS = ("type", "slot", "signature", "account")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something would not happen: a stable code and a sentence with the figures."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class PreviewedTransaction:
    """The simulated transaction. `outflow_*` is what would leave the signer, fee and rent included."""

    slot: int | None
    fee_lamports: int | None
    compute_units: int | None
    logs: list[str]
    outflow_lamports: int | None
    outflow_tokens: dict[str, int]
    recipients: list[str]
    programs: list[str]
    status: str = "simulated"


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


@dataclass(frozen=True, slots=True)
class Preview:
    """`status` is how the execution would end; null when the trigger does not match, so that there would be none.

    `limits` are all that would refuse it, `needs_approval` whether a person would be asked first.
    """

    event: dict[str, Any]
    source: str
    version: int | None
    matches: bool
    status: str | None
    filter_met: bool
    filter_trace: dict[str, Any]
    transaction: PreviewedTransaction | None
    limits: tuple[Problem, ...]
    needs_approval: bool
    error: Problem | None
    notifications: tuple[PreviewedMessage, ...]


def preview(
    *,
    workflow: Workflow,
    definition: Any = None,
    use_draft: bool = False,
    event: Mapping[str, Any] | None = None,
    execution_id: str | None = None,
) -> Preview:
    """Try the workflow's definition, its draft or another `definition` on an event: one of its past ones, or a sample
    of its trigger with the given fields in place of the sample's.

    Raises:
        Invalid: the definition or the event is wrong; each problem is named.
        Missing: there is no such execution of this workflow.
    """
    spec = _spec(workflow, definition, use_draft=use_draft)
    seen, source = _event(workflow, spec, event, execution_id)
    is_wanted = _matches(spec, seen)
    verdict = _filtered(spec, seen)
    now = timezone.now()
    tried = _Tried()
    if is_wanted and verdict.met:
        tried = _try(workflow, spec, seen, now)
    status = None if not is_wanted else tried.status if verdict.met else Status.FILTERED.value
    changed = definition is not None or use_draft
    version = workflow.version.number if workflow.version and not changed else None
    shown = _shown(workflow, version, spec, seen, verdict, tried, status or Status.SUCCESS.value, now)
    return Preview(
        event=seen.as_json(),
        source=source,
        version=version,
        matches=is_wanted,
        status=status,
        filter_met=verdict.met,
        filter_trace=verdict.trace,
        transaction=tried.transaction,
        limits=tried.limits,
        needs_approval=tried.needs_approval,
        error=tried.error,
        notifications=_messages(workflow, spec, shown, is_wanted=is_wanted),
    )


@dataclass(frozen=True, slots=True)
class _Tried:
    """What building and judging came to."""

    status: str = Status.SUCCESS.value
    transaction: PreviewedTransaction | None = None
    limits: tuple[Problem, ...] = ()
    needs_approval: bool = False
    error: Problem | None = None


def _spec(workflow: Workflow, definition: Any, *, use_draft: bool) -> WorkflowSpec:
    if use_draft:
        if workflow.draft is None:
            raise Invalid.field("draft", "not_found", "this workflow has no draft")
        definition = workflow.draft
    if definition is None:
        if workflow.version is None:
            raise Missing("the workflow has no definition")
        return parse(workflow.version.definition)
    checked = check(
        team=workflow.team, definition=definition, settings={}, signer_id=workflow.signer_id, known=workflow
    )
    return checked.spec


def _event(
    workflow: Workflow, spec: WorkflowSpec, given: Mapping[str, Any] | None, execution_id: str | None
) -> tuple[Event, str]:
    if execution_id is not None:
        if given is not None:
            raise Invalid.field("event", "conflict", "give an event or an execution_id, not both")
        past = Execution.objects.filter(workflow=workflow, execution_id=execution_id).only("event", "trigger").first()
        if past is None:
            raise Missing("there is no such execution of this workflow")
        return _of_json(past.trigger, past.event), "past"
    sample = sample_event(spec.trigger)
    if given is None:
        return sample, "sample"
    if given.get("type", spec.trigger.type) != spec.trigger.type:
        raise Invalid.field("event.type", "invalid", f"must be {spec.trigger.type}, the type of the trigger")
    problems = event_problems(spec.trigger.type, given)
    if problems:
        raise invalid(problems)
    return _of_json(spec.trigger.type, {**sample.as_json(), **given}), "given"


def _of_json(trigger_type: str, stored: Mapping[str, Any]) -> Event:
    fields = {name: value for name, value in stored.items() if name not in ALWAYS}
    key = EventKey("", "preview", "0")
    return Event(trigger_type, key, stored.get("slot"), stored.get("signature"), stored.get("account"), fields)


def _matches(spec: WorkflowSpec, event: Event) -> bool:
    try:
        return matches(spec.trigger, event)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        # An event that somebody wrote by hand need not have the types of a real one.
        raise Invalid.field("event", "invalid", f"has not the fields of a {spec.trigger.type} event") from error


def _filtered(spec: WorkflowSpec, event: Event) -> FilterResult:
    return compile_filter(spec.filter).evaluate(event.as_json(), load_lists(set(address_lists_named(spec))))


def _try(workflow: Workflow, spec: WorkflowSpec, event: Event, now: datetime) -> _Tried:
    """What a worker would find, in its order: the rate, what is written out, then the simulation."""
    if limits.rate_used(workflow, now) >= workflow.max_executions_per_hour:
        detail = f"{workflow.max_executions_per_hour} executions in the last hour are the limit"
        return _Tried(Status.THROTTLED.value, error=Problem("rate_limited", detail))
    if not spec.actions:
        return _Tried()
    written_out = tuple(Problem("limit_exceeded", one.detail) for one in check_limits(spec, settings_of(workflow)))
    signer = workflow.signer
    if signer is None:
        missing = Problem("signer_missing", "the workflow has no signer")
        return _Tried(Status.FAILED.value, limits=written_out, error=missing)
    try:
        prepared = _prepared(workflow, signer.address, spec, event, now)
    except (ExecutionError, WrongChain, ChainError) as error:
        return _unbuilt(error, written_out)
    refusals = limits.refusals(workflow=workflow, signer=signer, prepared=prepared, now=now)
    asks = workflow.approval_above_lamports is not None and (
        prepared.outflow.lamports > workflow.approval_above_lamports
    )
    tripped = tuple(Problem(one.code, one.detail) for one in refusals)
    tripped = written_out + tripped
    return _Tried(
        Status.FAILED.value if tripped else Status.SUCCESS.value,
        _transaction(prepared),
        tripped,
        asks,
        tripped[0] if tripped else None,
    )


def _prepared(workflow: Workflow, payer: str, spec: WorkflowSpec, event: Event, now: datetime) -> Prepared:
    made_up = secrets.token_hex(32)
    return prepare(
        gateway=gateway(),
        signer_address=payer,
        spec_actions=spec.actions,
        context={
            "event": event.as_json(),
            "workflow": {"id": str(workflow.id), "name": workflow.name},
            "execution": {"id": made_up, "created_at": now.isoformat()},
        },
        execution_id=made_up,
        attempt=1,
    )


def _unbuilt(error: Exception, written_out: tuple[Problem, ...]) -> _Tried:
    """The simulation of one that failed is shown as far as it went."""
    problem = Problem(getattr(error, "code", "unavailable"), str(error))
    simulation = getattr(error, "simulation", None)
    transaction = None
    if simulation is not None:
        transaction = PreviewedTransaction(
            slot=None,
            fee_lamports=None,
            compute_units=simulation.get("compute_units"),
            logs=list(simulation.get("logs") or ()),
            outflow_lamports=None,
            outflow_tokens={},
            recipients=[],
            programs=[],
            status="failed",
        )
    found = (*written_out, problem) if isinstance(error, LimitExceeded) else written_out
    return _Tried(Status.FAILED.value, transaction, found, error=problem)


def _transaction(prepared: Prepared) -> PreviewedTransaction:
    simulation = prepared.simulation
    return PreviewedTransaction(
        slot=simulation.get("slot"),
        fee_lamports=simulation.get("fee_lamports"),
        compute_units=simulation.get("compute_units"),
        logs=list(simulation.get("logs") or ()),
        outflow_lamports=prepared.outflow.lamports,
        outflow_tokens=dict(prepared.outflow.tokens),
        recipients=sorted(set(prepared.recipients)),
        programs=sorted(set(prepared.programs)),
    )


def _shown(
    workflow: Workflow,
    version: int | None,
    spec: WorkflowSpec,
    event: Event,
    verdict: FilterResult,
    tried: _Tried,
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


def _messages(
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
