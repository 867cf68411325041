"""The life of transactions as a walk through random answers, silences, forks, crashes and people, against a model.

The model (tests.fake_chain) knows what SolFlow cannot: which bytes may still land. Whatever happens, nothing is signed
while something signed before may pay, and once the trouble is over every execution has ended and the sums agree.

TEST_LIFECYCLES=500 walks so many times (18 without it).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.actors import Actor, system
from accounts.errors import Refused
from accounts.services import default_team
from executions import claims, confirm, dispatch, gateway, pauses, threads
from executions.crashpoints import WORKER_POINTS
from executions.models import Attempt, Delivery, Execution, ExecutionKey, RateUnit, Reservation
from executions.pipeline import advance
from executions.services import execution_retry
from tests.dying import killed_at
from tests.executing import balance_event, execution, new_address, take_events
from tests.fake_chain import FakeChain
from tests.fake_rpc import FATES, Asked, FakeEndpoint, FakeRpc, Fate
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create, signer_pause, signer_resume
from workflows.services.workflow import workflow_create, workflow_enable, workflow_pause, workflow_resume

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(0)]

WALKS = int(os.environ.get("TEST_LIFECYCLES", "18"))
STEPS = 50
PAYMENT = 900_000
COST = PAYMENT + 5_000
FUNDS = 10_000_000_000
EVENTS_MAX = 6
PAYMENTS_A_DAY = 5
SLOT_S = 0.4
HEALING_ROUNDS = 120

crashes = st.one_of(st.none(), st.sampled_from([point for point in WORKER_POINTS if "deliver" not in point]))
# What the nodes answer that are behind, in a provider's pool of them.
BEHIND: list[tuple[Asked, ...]] = [("statuses",), ("slot", "statuses"), ("height",), ("height", "slot", "statuses")]
TROUBLES: dict[str, Callable[[FakeEndpoint], None]] = {
    "down": lambda node: setattr(node, "down", True),
    "frozen": lambda node: node.freeze(),
    "forgetful": lambda node: setattr(node, "forgetful", True),
    "nothing": lambda node: node.heal(),
}


class Lab:
    """What all walks share: a workflow that pays, its signer, and the patched seams."""

    def __init__(self, patch: pytest.MonkeyPatch, django_settings: Any) -> None:
        self.actor: Actor = system(default_team(), "test")
        self.signer: Signer = signer_create(actor=self.actor, name="treasury")
        self.to = new_address()
        self.watched = new_address()
        definition = {
            "trigger": {"type": "balance_change", "address": self.watched},
            "actions": [{"type": "transfer_sol", "to": self.to, "lamports": PAYMENT}],
        }
        made = workflow_create(
            actor=self.actor,
            definition=definition,
            settings={
                "name": "pays",
                "max_executions_per_hour": 1000,
                "max_lamports_per_day": PAYMENTS_A_DAY * COST,
                "pause_after_failures": None,
            },
            signer_id=self.signer.id,
        )
        self.workflow: Workflow = workflow_enable(actor=self.actor, workflow=made, enabled_at_slot=0)
        self._settings = django_settings
        self._patch = patch
        patch.setattr(threads, "in_threads", one_after_the_other)
        # The broker loses everything; the sweep is all there is.
        patch.setattr(dispatch, "_send", lambda *_: None)

    def begin(self, endpoints: int, monotonic: Callable[[], float]) -> FakeRpc:
        """An empty ledger, a new chain, and the gateway on it."""
        for model in (Delivery, RateUnit, Reservation, Attempt, Execution, ExecutionKey):
            model.objects.all().delete()
        rpc = FakeRpc(FakeChain({self.signer.address: FUNDS}), endpoints)
        self._settings.SOLANA_RPC_URLS = [f"http://{host}" for host in rpc.hosts]
        self._patch.setattr(gateway, "RpcClient", lambda *_, **__: rpc)
        self._patch.setattr(gateway, "time", SimpleNamespace(monotonic=monotonic))
        gateway.gateway.cache_clear()
        return rpc


def one_after_the_other(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """executions.threads.in_threads without threads: the same walk twice must be the same."""
    return [work(item) for item in items]


class Lifecycle(RuleBasedStateMachine):
    lab: Lab

    def __init__(self) -> None:
        super().__init__()
        self._travel = time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False)
        self._clock = self._travel.start()
        self.rows: list[int] = []
        self.paused: set[str] = set()
        self.rpc: FakeRpc

    @initialize(endpoints=st.integers(1, 3), crashes=st.lists(crashes, min_size=1, max_size=3))
    def begin(self, endpoints: int, crashes: list[str | None]) -> None:
        self.rpc = self.lab.begin(endpoints, lambda: datetime.now(UTC).timestamp())
        self.chain = self.rpc.chain
        self.lift_all()
        for crash in crashes:
            self.an_event_comes(crash)

    # What SolFlow does, dying anywhere

    @precondition(lambda self: len(self.rows) < EVENTS_MAX)
    @rule(crash=crashes)
    def an_event_comes(self, crash: str | None) -> None:
        event = balance_event(self.lab.watched, 10 + len(self.rows))
        (row_id,) = take_events(self.lab.workflow, [event])
        assert take_events(self.lab.workflow, [event]) == []
        self.rows.append(row_id)
        with killed_at(crash):
            advance([row_id])

    @rule(crash=crashes, rounds=st.integers(1, 4), slots=st.sampled_from([0, 1, 12]), again=st.booleans())
    def solflow_works(self, crash: str | None, rounds: int, slots: int, again: bool) -> None:
        """The sweep, some rounds of questions with slots between them; broken off where it dies. Messages that come
        again find nothing to do."""
        with killed_at(crash):
            self.sweep()
            for _ in range(rounds):
                confirm.confirm_round()
                self.slots_pass(slots)
            confirm.finalize_round()
            if again:
                for row_id in self.rows:
                    advance([row_id])

    def sweep(self) -> None:
        pauses.release_waiting()
        for row_id in claims.due(100):
            advance([row_id])

    # What the world does

    @rule(slots=st.sampled_from([1, 3, 40, 200]), seconds=st.sampled_from([0.0, 16.0, 16.0, 700.0]))
    def time_passes(self, slots: int, seconds: float) -> None:
        self.slots_pass(slots)
        self.wait(seconds)

    def slots_pass(self, slots: int) -> None:
        self.chain.pass_slots(slots)
        self.wait(slots * SLOT_S)

    def wait(self, seconds: float) -> None:
        self._clock.shift(timedelta(seconds=seconds))

    @precondition(lambda self: self.chain.waiting())
    @rule(
        which=st.integers(0, 9), fails=st.sampled_from([False, False, False, True]), slots=st.sampled_from([0, 3, 200])
    )
    def something_lands(self, which: int, fails: bool, slots: int) -> None:
        waiting = self.chain.waiting()
        self.chain.land(waiting[which % len(waiting)], fails=fails)
        self.slots_pass(slots)

    @precondition(lambda self: self.chain.waiting())
    @rule(asked=st.sampled_from(BEHIND), rounds=st.integers(1, 12))
    def something_lands_behind_our_back(self, asked: Sequence[Asked], rounds: int) -> None:
        """And grows old there, while the nodes that are asked for these things have not got so far yet."""
        self.chain.land(self.chain.waiting()[0])
        self.slots_pass(200)
        for node in self.rpc.endpoints_:
            node.behind = dict.fromkeys(asked, 300)
        for _ in range(rounds):
            confirm.confirm_round()
            self.slots_pass(3)

    @rule(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=3))
    def sends_will_go(self, fates: list[Fate]) -> None:
        self.rpc.fates = deque(fates)

    @rule(which=st.integers(0, 2), trouble=st.sampled_from(sorted(TROUBLES)))
    def an_endpoint_has(self, which: int, trouble: str) -> None:
        nodes = self.rpc.endpoints_
        if trouble == "forgetful" and (len(nodes) == 1 or any(one.forgetful for one in nodes)):
            return  # the same node twice, or two independent ones, that forgot are a proof of anything
        TROUBLES[trouble](nodes[which % len(nodes)])

    @rule(which=st.integers(0, 2), lags=st.lists(st.sampled_from([0, 60, 300]), min_size=1, max_size=4))
    def an_endpoint_lags(self, which: int, lags: list[int]) -> None:
        """More than one: a load balancer in front of several nodes."""
        self.rpc.endpoints_[which % len(self.rpc.endpoints_)].lags = deque(lags)

    @rule(blocks=st.sampled_from([1, 3, 5, 30]))
    def a_fork_wins(self, blocks: int) -> None:
        self.chain.rollback(blocks)

    # What people do

    @rule(what=st.sampled_from(["retry", "retry", "all", "workflow", "signer", "figures"]))
    def somebody_interferes(self, what: str) -> None:
        """A retry of everything that may be retried; a pause, or nodes that hide what a transaction cost, which the
        next time is lifted."""
        if what == "retry":
            for row_id in self.rows:
                self.retry(row_id)
        elif what == "figures":
            self.rpc.hides_transactions = not self.rpc.hides_transactions
        elif self.paused:
            self.lift_all()
        else:
            self.pause(what)

    def retry(self, row_id: int) -> None:
        try:
            execution_retry(actor=self.lab.actor, execution=execution(row_id))
        except Refused as refusal:
            assert refusal.code in ("not_retryable", "may_still_land", "not_final")

    def pause(self, what: str) -> None:
        if what == "all":
            pauses.installation_pause(actor=self.lab.actor, reason="drill")
        elif what == "workflow":
            workflow_pause(actor=self.lab.actor, workflow=self.lab.workflow, reason="drill")
        else:
            signer_pause(actor=self.lab.actor, signer=self.lab.signer, reason="drill")
        self.paused.add(what)
        self.signed_at_pause = Attempt.objects.count()
        self.sent_at_pause = len(self.rpc.sent)

    def lift_all(self) -> None:
        pauses.installation_resume(actor=self.lab.actor)
        workflow_resume(actor=self.lab.actor, workflow=self.lab.workflow)
        signer_resume(actor=self.lab.actor, signer=self.lab.signer)
        self.paused.clear()

    # What is true after every step

    @invariant()
    def nothing_can_pay_twice(self) -> None:
        for row in self.executions():
            able = [one.number for one in self.attempts(row) if self.chain.may_take_effect(bytes(one.raw))]
            assert len(able) <= 1, f"attempts {able} of execution {row.id} may all pay"

    @invariant()
    def what_has_expired_never_pays(self) -> None:
        for one in Attempt.objects.filter(status="expired"):
            assert not self.chain.may_take_effect(bytes(one.raw)), f"attempt {one.number} expired and may pay"

    @invariant()
    def what_was_sent_was_written_before(self) -> None:
        stored = {one.signature: bytes(one.raw) for one in Attempt.objects.all()}
        assert all(stored.get(signature) == raw for signature, raw in self.rpc.sent)

    @invariant()
    def success_means_landed(self) -> None:
        for row in self.executions():
            if row.status == "success":
                signatures = {one.signature for one in self.attempts(row)}
                assert signatures & self.chain.ever_confirmed, f"execution {row.id} succeeded without landing"

    @invariant()
    def whatever_may_pay_is_reserved(self) -> None:
        for row in self.executions():
            if any(self.chain.may_take_effect(bytes(one.raw)) for one in self.attempts(row)):
                kept = Reservation.objects.filter(execution_id=row.id).exclude(status="released")
                assert kept.exists(), f"nothing is reserved for execution {row.id}, which may still pay"

    @invariant()
    def the_day_has_its_limit(self) -> None:
        since = datetime.now(UTC) - timedelta(hours=24)
        counted = Reservation.objects.exclude(status="released").filter(at__gt=since)
        assert (counted.aggregate(sum=Sum("lamports"))["sum"] or 0) <= PAYMENTS_A_DAY * COST

    @invariant()
    def a_pause_holds(self) -> None:
        if self.paused:
            assert Attempt.objects.count() == self.signed_at_pause
            assert len(self.rpc.sent) == self.sent_at_pause

    @invariant()
    def nothing_broke(self) -> None:
        broken = [row.id for row in self.executions() if row.error_code == "internal_error"]
        assert not broken, f"executions {broken} met a bug"

    # The end: no more trouble, and everything comes right

    def teardown(self) -> None:
        try:
            self.heal()
            self.the_sums_agree()
        finally:
            self._travel.stop()

    def heal(self) -> None:
        for node in self.rpc.endpoints_:
            node.heal()
        self.rpc.fates.clear()
        self.rpc.hides_transactions = False
        self.rpc.lands_at_once = True
        self.lift_all()
        for _ in range(HEALING_ROUNDS):
            self.slots_pass(40)
            self.sweep()
            confirm.confirm_round()
            confirm.finalize_round()
            self.nothing_can_pay_twice()
            if self.is_quiet():
                return
        stuck = [(row.status, row.waiting_for, [one.status for one in self.attempts(row)]) for row in self.executions()]
        raise AssertionError(f"not everything has ended: {stuck}")

    def is_quiet(self) -> bool:
        moving = Execution.objects.filter(status__in=["pending", "processing"])
        return not moving.exists() and not Attempt.objects.filter(finalized_at=None).exclude(status="expired").exists()

    def the_sums_agree(self) -> None:
        for row in self.executions():
            attempts = self.attempts(row)
            paid = [one.number for one in attempts if self.chain.has_paid(one.signature)]
            assert len(paid) == (row.status == "success"), f"{row.status}, but attempts {paid} paid"
            landed = [one for one in attempts if one.signature in self.chain.landed]
            if any(one.fee_lamports is None for one in landed):
                continue  # no node told what it cost for so long that SolFlow stopped asking: the ledger keeps more
            booked = Reservation.objects.filter(execution_id=row.id)
            assert not booked.filter(status="reserved").exists()
            settled = booked.filter(status="settled").aggregate(sum=Sum("lamports"))["sum"] or 0
            assert settled == sum(self.chain.charge(one.signature) for one in landed)
        successes = Execution.objects.filter(status="success").count()
        assert self.chain.balances([self.lab.to]) == [successes * PAYMENT]

    def executions(self) -> list[Execution]:
        return list(Execution.objects.filter(id__in=self.rows).order_by("id"))

    def attempts(self, row: Execution) -> list[Attempt]:
        return list(Attempt.objects.filter(execution_id=row.id).order_by("number"))


def test_no_sequence_of_answers_forks_and_crashes_pays_twice_or_loses_a_payment(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Random walks over the whole money path; each ends healed, with sums that agree to the lamport."""
    Lifecycle.lab = Lab(monkeypatch, settings)
    run_state_machine_as_test(Lifecycle, settings=house(max_examples=WALKS))
    gateway.gateway.cache_clear()


def house(**more: Any) -> settings:
    return settings(
        stateful_step_count=STEPS,
        derandomize="TEST_LIFECYCLES" not in os.environ,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
        **more,
    )
