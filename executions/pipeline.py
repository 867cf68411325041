"""What happens to executions, top to bottom. Read this to know the system.

    advance(ids)
      1. hold        one transaction locks what nobody works on (executions.claims); what the chain has already, from
                     before a restore, is recorded as done (executions.recovery)
      2. judge       does the event meet the filter? pure, for the whole batch
      3. decide      pause, age, literal limits, the hourly rate; whatever ends here is completed here, with its
                     messages; the rest is leased. Commit
      4. act         what remains, together: build, simulate, limits, sign, write ahead, send (executions.submit)

What is signed is confirmed by executions.confirm, and told by executions.notify. Whatever dies in between: the lease
runs out, the sweeper wakes another worker, and it goes on from what was committed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from executions import approvals, claims, dispatch, limits, live, recovery, settlement, submit, timing
from executions.claims import Claimed
from executions.completion import Outcome, complete
from executions.crashpoints import reach
from executions.definitions import judged, literal_problems, spec_of
from executions.errors import ApprovalNeeded, ExecutionError, LeaseLost, LimitExceeded, NotNow, Paused
from executions.limit_checks import cut_log_refusal
from executions.models import Execution
from executions.states import Status, Step, WaitingFor
from executions.steps import step
from executions.submit import Payment
from executions.trail import EACH_TOLD
from workflows.matching import FilterResult
from workflows.models import Workflow
from workflows.specs.workflow import WorkflowSpec

log = structlog.get_logger(__name__)

# So many act at once: enough to share what their steps cost, few enough that the first need not wait for the last.
TOGETHER = 50


@dataclass(frozen=True, slots=True)
class Work:
    """An execution in hand, with what its version says and what the filter saw."""

    claimed: Claimed
    spec: WorkflowSpec
    verdict: FilterResult

    @property
    def acts(self) -> bool:
        return bool(self.spec.actions)

    @property
    def signs(self) -> bool:
        return self.acts and not self.claimed.dry_run

    def ends(self, status: Status, *steps: dict[str, Any], **more: Any) -> Outcome:
        """This execution ends so."""
        return Outcome(
            self.claimed.id,
            self.claimed.token,
            status,
            list(steps),
            notifications=self.spec.notifications,
            # A unit of the rate may have been taken before an earlier worker died, or before a pause.
            returns_rate=status is Status.FAILED and self.signs and self.claimed.attempts == 0,
            **more,
        )


class Acting(NamedTuple):
    """An execution that goes on to act, leased, with its workflow and the steps that are not written yet."""

    work: Work
    workflow: Workflow
    steps: list[dict[str, Any]]


def advance(ids: Sequence[int]) -> int:
    """Bring these executions as far as they go now; returns how many were there to be claimed.

    Any of them may be somebody else's, done, or unknown: then nothing happens. Safe to call again, at any time.
    """
    started_ns = time.time_ns()
    with transaction.atomic():
        held = claims.hold(ids)
        if not held:
            return 0
        reach("claimed")
        recovery.adopt_known([one for one in held if one.has_landed])
        fresh = judged([one for one in held if not one.has_landed])
        going = decide([Work(one, spec_of(one.version_id), verdict) for one, verdict in fresh])
    reach("decided")
    for one, verdict in fresh:
        # That a filter said no is what most events come to: the row holds why.
        one.trail.passed("judge", started_ns, quiet=not verdict.met or len(fresh) > EACH_TOLD, met=verdict.met)
    if going:
        with claims.renewed([one.work.claimed for one in going]):
            for start in range(0, len(going), TOGETHER):
                act(going[start : start + TOGETHER])
    return len(held)


def decide(batch: Sequence[Work]) -> list[Acting]:
    """Step 3, in the caller's transaction, which holds the rows. Returns those that go on to act."""
    now = timezone.now()
    filtered = [
        work.ends(Status.FILTERED, step(Step.FILTERED, now), filter_trace=work.verdict.trace)
        for work in batch
        if not work.verdict.met
    ]
    going, ended = _admit([work for work in batch if work.verdict.met], now)
    finished = [
        work.ends(Status.SUCCESS, *steps, filter_trace=work.verdict.trace, starts=True)
        for work, _, steps in going
        if not work.acts
    ]
    complete([*filtered, *ended, *finished], now=now, held=True)
    refused = [one.id for one in ended if one.status is Status.FAILED]
    if refused:
        # A worker may have died between reserving and storing what a service elsewhere had signed.
        settlement.release(*refused)
    acting = [one for one in going if one[0].acts]
    if not acting:
        return []
    prefetch_related_objects([workflow for _, workflow, _ in acting], "signer")
    leased = claims.lease([work.claimed for work, _, _ in acting])
    return [
        Acting(replace(work, claimed=claimed), workflow, steps)
        for (work, workflow, steps), claimed in zip(acting, leased, strict=True)
    ]


def _admit(
    passed: Sequence[Work], now: datetime
) -> tuple[list[tuple[Work, Workflow, list[dict[str, Any]]]], list[Outcome]]:
    """First half of the limits, under the workflows' locks: who goes on, and who ends here."""
    if not passed:
        return [], []
    locked = limits.lock_workflows({work.claimed.workflow_id for work in passed})
    ended: list[Outcome] = []
    candidates: list[Work] = []
    for work in passed:
        workflow = locked[work.claimed.workflow_id].workflow
        met = step(Step.PASSED, now)
        if _must_wait(work, locked[workflow.id]):
            _give_back(work.claimed, WaitingFor.PAUSE)
        elif refusal := _refusal(work, workflow, now):
            ended.append(
                work.ends(
                    Status.FAILED,
                    met,
                    filter_trace=work.verdict.trace,
                    error_code=refusal.code,
                    error_detail=refusal.detail,
                )
            )
        else:
            candidates.append(work)
    granted = limits.take_rate({work.claimed.id: locked[work.claimed.workflow_id].workflow for work in candidates}, now)
    going = []
    for work in candidates:
        workflow = locked[work.claimed.workflow_id].workflow
        steps = [step(Step.PASSED, now), step(Step.LIMITS, now)]
        if work.claimed.id in granted:
            going.append((work, workflow, steps))
        else:
            ended.append(_throttled(work, workflow, steps[0], now))
    return going, ended


def _must_wait(work: Work, locked: limits.Locked) -> bool:
    """A pause of the workflow holds everything of it; the other two hold what would sign."""
    if locked.workflow.paused_at is not None:
        return True
    return work.signs and (locked.all_paused_at is not None or locked.signer_paused_at is not None)


def _refusal(work: Work, workflow: Workflow, now: datetime) -> LimitExceeded | None:
    if workflow.deleted_at is not None:
        return LimitExceeded("the workflow was deleted before this ran", code="workflow_deleted")
    age_s = (now - work.claimed.created_at).total_seconds()
    if workflow.max_event_age_s is not None and age_s > timing.scaled(workflow.max_event_age_s):
        return LimitExceeded(
            f"the event is {age_s:.0f} s old, above max_event_age_s ({workflow.max_event_age_s})", code="event_too_old"
        )
    if work.acts and (refusal := cut_log_refusal(work.claimed.event)):
        return refusal
    problem = literal_problems(work.claimed.version_id, workflow)
    return LimitExceeded(problem) if problem else None


def _throttled(work: Work, workflow: Workflow, met: dict[str, Any], now: datetime) -> Outcome:
    """Final, a person may retry; told once an hour, or the limit on payments becomes a storm of messages."""
    told = workflow.throttle_told_at
    tell = told is None or now - told > timing.delta(limits.HOUR.total_seconds())
    if tell:
        workflow.throttle_told_at = now
        workflow.save(update_fields=["throttle_told_at"])
    return Outcome(
        work.claimed.id,
        work.claimed.token,
        Status.THROTTLED,
        [met],
        filter_trace=work.verdict.trace,
        error_code="rate_limited",
        error_detail=f"{workflow.max_executions_per_hour} executions in the last hour are the limit",
        notifications=work.spec.notifications if tell else (),
    )


def act(going: Sequence[Acting]) -> None:
    """Step 4. Every way out of here is a commit: signed, ended, or given back."""
    prepared = submit.simulate([(one.work.claimed, one.workflow, one.work.spec) for one in going])
    now = timezone.now()
    rehearsed: list[Outcome] = []
    payments: list[Payment] = []
    stopped: list[_Stopped] = []
    paying: list[Acting] = []
    for one, found in zip(going, prepared, strict=True):
        if isinstance(found, Exception):
            stopped.append(_Stopped(one.work, one.steps, found, getattr(found, "simulation", None)))
            continue
        steps = [*one.steps, step(Step.SIMULATED, now, found.simulation["compute_units"])]
        if one.work.claimed.dry_run:
            rehearsed.append(_outcome(one.work, Status.SUCCESS, steps, simulation=found.simulation))
        else:
            paying.append(one)
            payments.append(Payment(one.work.claimed, one.workflow, found, steps, one.work.verdict.trace))
    for one, payment, error in zip(paying, payments, submit.pay(payments), strict=True):
        if error is not None:
            stopped.append(_Stopped(one.work, payment.steps, error, payment.prepared.simulation))
    _end(rehearsed + [ended for one in stopped if (ended := _after(one)) is not None])


@dataclass(frozen=True, slots=True)
class _Stopped:
    """What was not signed, and why; `steps` are those that are not written yet."""

    work: Work
    steps: list[dict[str, Any]]
    error: Exception
    simulation: dict[str, Any] | None


def _after(one: _Stopped) -> Outcome | None:
    """What the error means for the execution: its end, or None where it waits, or is not this worker's to end."""
    claimed, error = one.work.claimed, one.error
    try:
        if isinstance(error, ApprovalNeeded):
            approvals.ask(claimed, error, one.steps, one.work.verdict.trace, one.simulation)
        elif isinstance(error, Paused):
            _give_back(claimed, WaitingFor.PAUSE)
        elif isinstance(error, NotNow):
            log.info("execution_postponed", execution=claimed.execution_id, why=error.detail)
            _give_back(claimed, None)
            if error.retry_after_s is not None:
                dispatch.wake([claimed.id], after_s=error.retry_after_s)
        elif isinstance(error, LeaseLost):
            log.info("lease_lost", execution=claimed.execution_id, why=error.detail)
        elif isinstance(error, (OperationalError, InterfaceError)):
            raise error
        else:
            return _failed(one)
    except (OperationalError, InterfaceError) as gone:
        # The database is away, or ended a deadlock with this one. The lease runs out, and the next try finds the truth.
        log.warning("database_unreachable", execution=claimed.execution_id, error=type(gone).__name__)
    return None


def _failed(one: _Stopped) -> Outcome:
    error = one.error
    if not isinstance(error, ExecutionError):
        # Ours to mend. Nothing was signed (what is signed is not this block's any more), so failing is the truth, and
        # a person may retry.
        log.error("execution_broke", execution=one.work.claimed.execution_id, exc_info=error)
        error = ExecutionError(f"{type(error).__name__}; the worker's log has more", code="internal_error")
    return _outcome(
        one.work,
        Status.FAILED,
        one.steps,
        simulation=one.simulation,
        error_code=error.code,
        error_detail=error.detail,
    )


def _outcome(work: Work, status: Status, steps: list[dict[str, Any]], **more: Any) -> Outcome:
    return work.ends(status, *steps, filter_trace=work.verdict.trace, **more)


def _end(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    with transaction.atomic():
        # Whatever was signed for these before and may not have landed has expired, or they would not have been claimed.
        settlement.release(*complete(outcomes))
        reach("ending")


def _give_back(claimed: Claimed, waiting_for: WaitingFor | None) -> None:
    """Back to pending: the pause's lift or the sweeper brings it in again. Nothing that was signed for it can land, so
    meanwhile it reserves nothing."""
    with transaction.atomic(savepoint=False):
        mine = Execution.objects.filter(
            id=claimed.id, status__in=[Status.PENDING, Status.PROCESSING], lease_token=claimed.token
        )
        if mine.update(status=Status.PENDING, waiting_for=waiting_for, lease_token=None, lease_until=None):
            settlement.release(claimed.id)
    live.tell([claimed.id])
