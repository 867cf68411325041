"""What a workflow would do with an event, without doing it: nothing is signed, sent, reserved or stored.

The same code as for a real event asks the trigger and the filter, builds and simulates the transaction, judges it by
the limits (executions.trial) and writes the messages (executions.preview_messages). Each stage answers as a value: a
transaction that cannot be built still leaves the filter's trace and the message that would tell of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.errors import Invalid, Missing
from chain.events import Event, EventKey
from executions.definitions import load_lists
from executions.models import Execution
from executions.preview_messages import PreviewedMessage, messages, shown_as
from executions.states import Status
from executions.trial import PreviewedTransaction, Problem, Tried, attempt, paused
from workflows.checks import check
from workflows.errors import invalid
from workflows.matching import FilterResult, compile_filter, matches
from workflows.models import Workflow
from workflows.specs.given_events import event_problems
from workflows.specs.references import address_lists_named
from workflows.specs.sample_events import sample_event
from workflows.specs.workflow import WorkflowSpec, parse

ALWAYS = ("type", "slot", "signature", "account")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tried: a workflow with its definition, its draft or another one. `version` is None for these two."""

    workflow: Workflow
    spec: WorkflowSpec
    version: int | None

    def asker(self) -> Callable[[Event], FilterResult]:
        """Its filter, prepared once for any number of events, with the address lists as they are now."""
        lists = load_lists(set(address_lists_named(self.spec)))
        compiled = compile_filter(self.spec.filter)
        return lambda event: compiled.evaluate(event.as_json(), lists)


@dataclass(frozen=True, slots=True)
class Preview:
    """`status` is how the execution would end; null when the trigger does not match, so that there would be none.

    `paused` are the pauses for whose end it would wait before that, `limits` all that would refuse it, `needs_approval`
    whether a person would be asked first. Without an event
    (a transaction that is nothing to the trigger) nothing else is told.
    """

    event: dict[str, Any] | None
    source: str
    version: int | None
    matches: bool
    status: str | None
    paused: tuple[Problem, ...]
    filter_met: bool | None
    filter_trace: dict[str, Any] | None
    transaction: PreviewedTransaction | None
    limits: tuple[Problem, ...]
    needs_approval: bool
    error: Problem | None
    notifications: tuple[PreviewedMessage, ...]


def subject(*, workflow: Workflow, definition: Any = None, use_draft: bool = False) -> Subject:
    """What to try: the workflow's definition, its draft, or another `definition` with its signer and limits.

    Raises:
        Invalid: the definition is wrong, each problem is named; there is no draft.
        Missing: the workflow has no definition.
    """
    if use_draft:
        if workflow.draft is None:
            raise Invalid.field("draft", "not_found", "this workflow has no draft")
        definition = workflow.draft
    if definition is None:
        if workflow.version is None:
            raise Missing("the workflow has no definition")
        return Subject(workflow, parse(workflow.version.definition), workflow.version.number)
    checked = check(
        team=workflow.team, definition=definition, settings={}, signer_id=workflow.signer_id, known=workflow
    )
    return Subject(workflow, checked.spec, None)


def preview(*, subject: Subject, event: Mapping[str, Any] | None = None, execution_id: str | None = None) -> Preview:
    """Try it on an event: one of the workflow's past executions, or a sample of its trigger with the given fields in
    place of the sample's.

    Raises:
        Invalid: the event is wrong; each problem is named.
        Missing: there is no such execution of this workflow.
    """
    seen, source = _event(subject, event, execution_id)
    return preview_event(subject=subject, event=seen, source=source, is_wanted=_matches(subject.spec, seen))


def preview_event(*, subject: Subject, event: Event | None, source: str, is_wanted: bool) -> Preview:
    """Try it on this event, of which it is known whether the trigger asks for it; None where there is no event."""
    waits_for = paused(subject.workflow, subject.spec)
    if event is None:
        return Preview(None, source, subject.version, False, None, waits_for, None, None, None, (), False, None, ())
    verdict, now = subject.asker()(event), timezone.now()
    tried = Tried()
    if is_wanted and verdict.met:
        tried = attempt(subject.workflow, subject.spec, event, now)
    status = None if not is_wanted else tried.status if verdict.met else Status.FILTERED.value
    shown = shown_as(
        subject.workflow, subject.version, subject.spec, event, verdict, tried, status or Status.SUCCESS.value, now
    )
    return Preview(
        event=event.as_json(),
        source=source,
        version=subject.version,
        matches=is_wanted,
        status=status,
        paused=waits_for,
        filter_met=verdict.met,
        filter_trace=verdict.trace,
        transaction=tried.transaction,
        limits=tried.limits,
        needs_approval=tried.needs_approval,
        error=tried.error,
        notifications=messages(subject.workflow, subject.spec, shown, is_wanted=is_wanted),
    )


def _event(subject: Subject, given: Mapping[str, Any] | None, execution_id: str | None) -> tuple[Event, str]:
    trigger = subject.spec.trigger
    if execution_id is not None:
        past = Execution.objects.filter(workflow=subject.workflow, execution_id=execution_id)
        found = past.only("event", "trigger").first()
        if found is None:
            raise Missing("there is no such execution of this workflow")
        return _of_json(found.trigger, found.event), "past"
    sample = sample_event(trigger)
    if given is None:
        return sample, "sample"
    if given.get("type", trigger.type) != trigger.type:
        raise Invalid.field("event.type", "invalid", f"must be {trigger.type}, the type of the trigger")
    problems = event_problems(trigger.type, given)
    if problems:
        raise invalid(problems)
    return _of_json(trigger.type, {**sample.as_json(), **given}), "given"


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
