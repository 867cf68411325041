"""What a workflow would do with a past transaction: all that it could be, and a preview of what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chain.events import Event
from executions.preview import Preview, Subject, preview_event
from executions.trial import Problem
from listener.event_words import summary
from listener.past_transactions import PastTransaction, past_transaction
from listener.reasons import Judged


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event that the transaction could be; `reason` says why the trigger does not ask for it."""

    index: str
    account: str | None
    summary: str
    matches: bool
    reason: Problem | None
    filter_met: bool | None


@dataclass(frozen=True, slots=True)
class ToldTransaction:
    """The transaction; `reason` says why none of its events matches."""

    signature: str
    slot: int
    success: bool
    error: Any
    reason: Problem | None
    events: tuple[PastEvent, ...]


@dataclass(frozen=True, slots=True)
class PastPreview:
    """`preview` is that of the first event that matches and passes the filter; where none does, of the first that
    matches; else of the first, or of nothing."""

    transaction: ToldTransaction
    preview: Preview


def preview_past(*, subject: Subject, signature: str) -> PastPreview:
    """Try it on a transaction that has happened; raises what listener.past_transactions.past_transaction raises."""
    found = past_transaction(workflow=subject.workflow, trigger=subject.spec.trigger, signature=signature)
    judged = found.findings.judged
    ask = subject.asker()
    passed = [ask(one.event).met if one.mismatch is None else None for one in judged]
    told = _told(found, passed)
    chosen = _chosen(judged, passed)
    event: Event | None = None if chosen is None else chosen.event
    is_wanted = chosen is not None and chosen.mismatch is None
    return PastPreview(told, preview_event(subject=subject, event=event, source="transaction", is_wanted=is_wanted))


def _chosen(judged: tuple[Judged, ...], passed: list[bool | None]) -> Judged | None:
    for wanted in (True, False, None):
        if wanted in passed:
            return judged[passed.index(wanted)]
    return None


def _told(found: PastTransaction, passed: list[bool | None]) -> ToldTransaction:
    findings = found.findings
    events = tuple(
        PastEvent(
            index=one.event.key.index,
            account=one.event.account,
            summary=summary(one.event),
            matches=one.mismatch is None,
            reason=None if one.mismatch is None else Problem(*one.mismatch),
            filter_met=met,
        )
        for one, met in zip(findings.judged, passed, strict=True)
    )
    reason = None if findings.reason is None else Problem(*findings.reason)
    return ToldTransaction(found.signature, found.slot, found.error is None, found.error, reason, events)
