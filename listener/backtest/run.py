"""Deciding on what has happened as a run over that time would have: filter, rate, payment, limits."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.errors import Invalid, NotNow, Refused
from chain.errors import ChainError
from chain.events import Event
from executions.gateway import WrongChain, gateway
from executions.limit_checks import cut_log_refusal
from executions.preview import Subject
from listener.backtest.past import due_past, read_past
from listener.backtest.payments import Payments
from listener.backtest.reading import Tell
from listener.backtest.results import Backtest, Candidate, Decided, Past, Refusal
from listener.backtest.timeline import Bounds, Timeline
from listener.loading import wanted_for
from listener.past_transactions import ask_once
from listener.reasons import NO_PAST
from workflows.checks import settings_of
from workflows.models import Workflow
from workflows.specs.limits import check_limits
from workflows.specs.triggers import Schedule


def backtest(*, subject: Subject, slots: int, tell: Tell = lambda line: None) -> Backtest:
    """What the workflow would have done in the newest `slots` slots, as if it had been enabled before them.

    Raises:
        Invalid: the chain keeps no past for such a trigger.
        NotNow: no endpoint answers.
        Refused: the endpoints belong to another chain.
    """
    workflow, trigger = subject.workflow, subject.spec.trigger
    past = _past(subject, slots, tell)
    run = _Run(subject)
    decided = tuple(run.decide(candidate) for candidate in past.candidates)
    dry = ("dry_run is on: the figures are what would be paid without it",) if workflow.dry_run else ()
    notes = (*dry, *run.payments.notes)
    return Backtest(workflow.name, str(workflow.id), subject.version, trigger.type, slots, past, decided, notes)


def _past(subject: Subject, slots: int, tell: Tell) -> Past:
    trigger, most = subject.spec.trigger, settings.READ_BACK_MAX_SIGNATURES
    if isinstance(trigger, Schedule):
        return due_past(trigger, slots, most=most)
    if trigger.type in NO_PAST:
        raise Invalid(NO_PAST[trigger.type], code="no_past")
    wanted = wanted_for(subject.workflow, trigger)
    try:
        gateway().genesis_hash()
        return ask_once(lambda rpc: read_past(rpc, wanted, slots, most=most, tell=tell))
    except ChainError as error:
        raise NotNow(f"the Solana endpoint does not tell the past: {error}") from error
    except WrongChain as error:
        raise Refused(str(error), code="wrong_chain") from error


class _Run:
    """One run over the past, candidate by candidate in the order of time."""

    def __init__(self, subject: Subject) -> None:
        self.payments = Payments(subject)
        self._workflow, self._spec = subject.workflow, subject.spec
        self._ask = subject.asker()
        self._timeline = Timeline(_bounds(subject.workflow))
        # As for a real event: what the definition writes out, against limits that may be narrower since it was saved.
        problems = check_limits(subject.spec, settings_of(subject.workflow))
        self._written_out_problems = " ".join(problem.detail for problem in problems)

    def decide(self, candidate: Candidate) -> Decided:
        """What would have become of it."""
        event = candidate.event
        if event is None:
            return Decided(candidate, "no_match")
        verdict = self._ask(event)
        if not verdict.met:
            return Decided(candidate, "filtered", verdict.trace)
        if (refusals := self._refused_early(event)) is not None:
            return Decided(candidate, "failed", verdict.trace, refusals=refusals)
        refused = self._timeline.take_rate(candidate.at)
        if refused is not None:
            return Decided(candidate, "throttled", verdict.trace, refusals=(refused,))
        if not self._spec.actions:
            return Decided(candidate, "success", verdict.trace)
        return self._pay(candidate, event, verdict.trace)

    def _refused_early(self, event: Event) -> tuple[Refusal, ...] | None:
        """What would end it before it takes a unit of the rate; None where nothing would."""
        if not self._spec.actions:
            return None
        if (cut := cut_log_refusal(event.as_json())) is not None:
            return (Refusal(cut.code, cut.detail),)
        if not self._written_out_problems:
            return None
        # The simulation says the same and names the limit, unless there is none to ask.
        return self.payments.of(event).refusals or (Refusal("limit_exceeded", self._written_out_problems),)

    def _pay(self, candidate: Candidate, event: Event, trace: Any) -> Decided:
        payment, threshold = self.payments.of(event), self._workflow.approval_above_lamports
        spending, refusals = payment.spending, list(payment.refusals)
        if spending is not None:
            refusals += self._timeline.day_refusals(candidate.at, spending.lamports, spending.tokens)
        asks = spending is not None and threshold is not None and spending.lamports > threshold
        if refusals:
            self._timeline.return_rate()
            return Decided(candidate, "failed", trace, spending, tuple(refusals), asks)
        if spending is not None:
            self._timeline.spend(candidate.at, spending.lamports, spending.tokens)
        return Decided(candidate, "success", trace, spending, (), asks)


def _bounds(workflow: Workflow) -> Bounds:
    return Bounds(
        max_executions_per_hour=workflow.max_executions_per_hour,
        max_lamports_per_day=workflow.max_lamports_per_day,
        max_tokens_per_day=workflow.max_tokens_per_day,
        signer_max_lamports_per_day=None if workflow.signer is None else workflow.signer.max_lamports_per_day,
    )
