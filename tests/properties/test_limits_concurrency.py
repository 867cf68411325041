"""Limits and pauses with several workers at once, each on a connection of its own: whatever the interleaving, nothing
is reserved above the limit that held, nothing after a pause has returned, and nobody waits for ever.

TEST_LIMIT_RUNS=500 tries so many scenarios (30 without it).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from accounts.actors import Actor, system
from accounts.services import default_team
from executions import limits, pauses, reservations, settlement
from executions.build import Prepared
from executions.errors import LimitExceeded, Paused
from executions.models import RateUnit, Reservation
from executions.outflow import Outflow
from executions.reservations import Reserving
from tests.executing import new_address
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create, signer_pause, signer_resume
from workflows.services.workflow import workflow_create, workflow_enable, workflow_pause, workflow_resume

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = int(os.environ.get("TEST_LIMIT_RUNS", "30"))
WORKERS = 4
PER_TRANSACTION = 100
MINT = str(Keypair().pubkey())
# Which signer each of the three workflows uses: two share one.
SIGNERS_OF = (0, 0, 1)


@dataclass(frozen=True)
class Job:
    """One execution: what it would take, and what becomes of it once it is reserved."""

    workflow: int
    lamports: int
    tokens: int
    fate: str


@dataclass(frozen=True)
class Scenario:
    per_hour: int
    workflow_day: int
    signer_day: int
    tokens_day: int
    jobs: list[Job]


amounts = st.one_of(st.integers(1, PER_TRANSACTION), st.just(PER_TRANSACTION), st.just(PER_TRANSACTION + 1))
jobs = st.builds(
    Job,
    st.integers(0, 2),
    amounts,
    st.sampled_from([0, 0, 1, 7, 20]),
    st.sampled_from(["kept", "settled lower", "released"]),
)


def scenarios(**more: Any) -> st.SearchStrategy[Scenario]:
    return st.builds(
        Scenario,
        per_hour=st.integers(0, 8),
        workflow_day=st.integers(0, 500),
        signer_day=st.integers(0, 600),
        tokens_day=st.integers(0, 60),
        **{"jobs": st.lists(jobs, min_size=4, max_size=16), **more},
    )


@dataclass
class Done:
    """What one job saw; `signing_at` is the moment inside the transaction at which it would sign (monotonic, s)."""

    job: Job
    began_at: float
    outcome: str = ""
    signing_at: float = 0.0
    day_limit: int | None = None


class World:
    """Three workflows on two signers, and workers that run jobs on them."""

    def __init__(self) -> None:
        self.actor: Actor = system(default_team(), "test")
        self.signers = [signer_create(actor=self.actor, name=f"signer {number}") for number in range(2)]
        self.workflows = [self._workflow(self.signers[number]) for number in SIGNERS_OF]
        self._ids = iter(range(1, 1_000_000_000))

    def _workflow(self, signer: Signer) -> Workflow:
        definition = {
            "trigger": {"type": "balance_change", "address": new_address()},
            "actions": [{"type": "transfer_sol", "to": new_address(), "lamports": 1}],
        }
        made = workflow_create(
            actor=self.actor, definition=definition, settings={"name": "shared"}, signer_id=signer.id
        )
        return workflow_enable(actor=self.actor, workflow=made, enabled_at_slot=0)

    def begin(self, scenario: Scenario) -> None:
        Reservation.objects.all().delete()
        RateUnit.objects.all().delete()
        Workflow.objects.update(
            max_lamports_per_tx=PER_TRANSACTION,
            max_lamports_per_day=scenario.workflow_day,
            max_executions_per_hour=scenario.per_hour,
            max_tokens_per_tx={MINT: 20},
            max_tokens_per_day={MINT: scenario.tokens_day},
        )
        Signer.objects.update(max_lamports_per_day=scenario.signer_day)

    def run(self, scenario: Scenario, others: Callable[[], None] = lambda: None) -> list[Done]:
        """All jobs by several workers at once, and `others` beside them. Raises whatever any of them raised."""
        self.begin(scenario)
        barrier = Barrier(WORKERS + 1)

        def worker(mine: Sequence[Job]) -> list[Done]:
            try:
                barrier.wait(10)
                return [self.one(job) for job in mine]
            finally:
                connection.close()

        def beside() -> list[Done]:
            try:
                barrier.wait(10)
                others()
                return []
            finally:
                connection.close()

        with ThreadPoolExecutor(WORKERS + 1) as pool:
            futures = [pool.submit(worker, scenario.jobs[number::WORKERS]) for number in range(WORKERS)]
            futures.append(pool.submit(beside))
            return [done for future in futures for done in future.result(timeout=30)]

    def one(self, job: Job) -> Done:
        """What pipeline and submit do with an execution, as far as limits are concerned."""
        done, workflow_id, row_id = Done(job, time.monotonic()), self.workflows[job.workflow].id, next(self._ids)
        with transaction.atomic():
            workflow = limits.lock_workflows([workflow_id])[workflow_id].workflow
            if not limits.take_rate({row_id: workflow}, timezone.now()):
                done.outcome = "throttled"
                return done
            assert RateUnit.objects.filter(workflow=workflow).count() <= workflow.max_executions_per_hour
        try:
            with transaction.atomic():
                self._reserve(done, workflow_id, row_id)
        except Paused:
            done.outcome = "paused"
        except LimitExceeded as refusal:
            done.outcome = refusal.code
        else:
            done.outcome = "reserved"
            self._end(row_id, job)
        return done

    def _reserve(self, done: Done, workflow_id: Any, row_id: int) -> None:
        installation, now = limits.lock_installation(), timezone.now()
        workflow = limits.lock_workflows([workflow_id])[workflow_id].workflow
        assert workflow.signer_id is not None
        signer = limits.lock_signers([workflow.signer_id])[workflow.signer_id]
        limits.refuse_if_paused(installation, workflow, signer)
        done.day_limit = workflow.max_lamports_per_day
        paid = prepared(done.job)
        reservations.spent([workflow], [signer], now, replaced=[row_id]).admit(workflow, signer, paid)
        reservations.store([Reserving(row_id, workflow.id, signer.id, paid.outflow)], now)
        done.signing_at = time.monotonic()
        assert spent(workflow=workflow) <= workflow.max_lamports_per_day
        assert spent(signer=signer) <= signer.max_lamports_per_day

    @staticmethod
    def _end(row_id: int, job: Job) -> None:
        if job.fate == "released":
            settlement.release(row_id)
        elif job.fate == "settled lower":
            Reservation.objects.filter(execution_id=row_id).update(
                status="settled", lamports=job.lamports // 2, tokens={}
            )


def prepared(job: Job) -> Prepared:
    outflow = Outflow(job.lamports, {MINT: job.tokens} if job.tokens else {})
    return Prepared(None, 0, outflow, [], [], {})  # type: ignore[arg-type]


def spent(**of: Any) -> int:
    total: int | None = (
        Reservation.objects.exclude(status="released").filter(**of).aggregate(sum=Sum("lamports"))["sum"]
    )
    return total or 0


def tokens_spent(workflow: Workflow) -> int:
    kept = Reservation.objects.exclude(status="released").filter(workflow=workflow)
    return sum(int(one.tokens.get(MINT, 0)) for one in kept)


house = settings(
    max_examples=RUNS,
    derandomize="TEST_LIMIT_RUNS" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_interleaving_of_workers_exceeds_a_limit_or_refuses_what_fits() -> None:
    """Workflows that share a signer, amounts at random; some settle lower, some are released."""
    world = World()

    @house
    @given(scenarios())
    def check(scenario: Scenario) -> None:
        ended = world.run(scenario)
        assert len(ended) == len(scenario.jobs)
        for workflow in world.workflows:
            assert spent(workflow=workflow) <= scenario.workflow_day
            assert tokens_spent(workflow) <= scenario.tokens_day
            assert RateUnit.objects.filter(workflow=workflow).count() <= scenario.per_hour
        for signer in world.signers:
            assert spent(signer=signer) <= scenario.signer_day
        for done in ended:
            too_much = done.job.lamports > PER_TRANSACTION
            assert (done.outcome == "limit_exceeded") == (too_much and done.outcome != "throttled")

    check()


def test_what_is_refused_would_not_have_fitted() -> None:
    """Where nothing is given back, every refusal holds at the end too; and the rate is used up to the last unit."""
    world = World()
    kept = st.builds(Job, st.integers(0, 2), st.integers(1, PER_TRANSACTION), st.just(0), st.just("kept"))

    @house
    @given(scenarios(jobs=st.lists(kept, min_size=4, max_size=16)))
    def check(scenario: Scenario) -> None:
        ended = world.run(scenario)
        for done in ended:
            if done.outcome == "daily_limit_exceeded":
                workflow = world.workflows[done.job.workflow]
                over_workflow = spent(workflow=workflow) + done.job.lamports > scenario.workflow_day
                over_signer = spent(signer=workflow.signer) + done.job.lamports > scenario.signer_day
                assert over_workflow or over_signer
        for number, workflow in enumerate(world.workflows):
            asked = sum(job.workflow == number for job in scenario.jobs)
            assert RateUnit.objects.filter(workflow=workflow).count() == min(asked, scenario.per_hour)

    check()


def test_a_limit_that_was_changed_holds_for_everything_that_begins_afterwards() -> None:
    """Who begins after the change has returned sees it; and nothing is reserved above what held."""
    world = World()
    days = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 500)), min_size=1, max_size=4)

    @house
    @given(scenarios(), days)
    def check(scenario: Scenario, new_days: list[tuple[int, int]]) -> None:
        returned: list[tuple[float, int, int]] = []

        def change() -> None:
            for which, value in new_days:
                Workflow.objects.filter(pk=world.workflows[which].pk).update(max_lamports_per_day=value)
                returned.append((time.monotonic(), which, value))

        for done in world.run(scenario, change):
            known = [value for at, which, value in returned if at < done.began_at and which == done.job.workflow]
            later = {value for at, which, value in returned if at >= done.began_at and which == done.job.workflow}
            if done.day_limit is not None:
                assert done.day_limit in {known[-1] if known else scenario.workflow_day, *later}

    check()


def test_when_a_pause_has_returned_nothing_more_is_reserved_until_it_is_lifted() -> None:
    """Pauses of everything, of a workflow and of a signer, in the middle of the work of several workers."""
    world = World()
    paused_things = st.lists(st.tuples(st.sampled_from(["all", "workflow", "signer"]), st.integers(0, 2)), max_size=3)

    @house
    @given(scenarios(), paused_things)
    def check(scenario: Scenario, things: list[tuple[str, int]]) -> None:
        spans: list[tuple[float, float, str, int]] = []

        def pause_and_lift() -> None:
            for what, which in things:
                pause(world, what, which)
                began = time.monotonic()
                before = reserved(world, what, which)
                # As long as the others' work takes, or thereabouts.
                while time.monotonic() < began + 0.01:
                    assert reserved(world, what, which) == before
                spans.append((began, time.monotonic(), what, which))
                lift(world, what, which)

        for done in world.run(scenario, pause_and_lift):
            for began, ended, what, which in spans:
                inside = done.outcome == "reserved" and began < done.signing_at < ended
                assert not (inside and concerns(what, which, done.job))

    check()


def concerns(what: str, which: int, job: Job) -> bool:
    """Whether pausing that holds up this job."""
    if what == "signer":
        return SIGNERS_OF[which] == SIGNERS_OF[job.workflow]
    return what == "all" or which == job.workflow


def reserved(world: World, what: str, which: int) -> int:
    of = Reservation.objects.all()
    if what == "workflow":
        of = of.filter(workflow=world.workflows[which])
    elif what == "signer":
        of = of.filter(signer=world.workflows[which].signer)
    return of.count()


def pause(world: World, what: str, which: int) -> None:
    if what == "all":
        pauses.installation_pause(actor=world.actor, reason="drill")
    elif what == "workflow":
        workflow_pause(actor=world.actor, workflow=world.workflows[which], reason="drill")
    else:
        signer_pause(actor=world.actor, signer=world.workflows[which].signer, reason="drill")


def lift(world: World, what: str, which: int) -> None:
    if what == "all":
        pauses.installation_resume(actor=world.actor)
    elif what == "workflow":
        workflow_resume(actor=world.actor, workflow=world.workflows[which])
    else:
        signer_resume(actor=world.actor, signer=world.workflows[which].signer)
