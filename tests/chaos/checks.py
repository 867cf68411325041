"""The sums that must agree after a run: the chain's own history on one side, SolFlow's tables on the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from executions.models import Attempt, Delivery, Execution, Reservation
from executions.states import LANDED, MAY_LAND
from listener.models import Gap
from tests.chaos.history import History
from tests.chaos.receiver import Receiver
from tests.chaos.scenario import (
    ANY_MEMO,
    DAILY_LAMPORTS,
    HOURLY_RATE,
    LARGE_DEPOSIT,
    NOTIFIED_ON,
    PAYING_MEMO,
    Role,
    Scenario,
    Watched,
)
from tests.local_chain import LocalChain


@dataclass(frozen=True, slots=True)
class Sum:
    """One row of the table: two figures that must be the same, and what differs where they are not."""

    name: str
    left: int
    right: int
    differing: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return self.left == self.right and not self.differing


class Facts:
    """Both sides, read once."""

    def __init__(
        self,
        *,
        chain: LocalChain,
        scenario: Scenario,
        history: History,
        receiver: Receiver,
        answered: dict[str, str],
        pauses: Sequence[tuple[datetime, datetime]],
        ended: Sequence[str],
    ) -> None:
        self.chain = chain
        self.scenario = scenario
        self.history = history
        self.taken = dict(receiver.taken)
        self.answered = answered
        self.pauses = pauses
        self.ended = list(ended)
        self.executions = list(Execution.objects.order_by("id").defer("steps", "filter_trace", "simulation"))
        self.attempts = list(Attempt.objects.defer("raw", "logs"))
        self.deliveries = list(Delivery.objects.all())
        self.reservations = list(Reservation.objects.all())
        self.of_workflow: dict[Any, list[Execution]] = defaultdict(list)
        for one in self.executions:
            self.of_workflow[one.workflow_id].append(one)
        paying = {workflow.id for workflow in scenario.paying}
        self.paying = [one for one in self.executions if one.workflow_id in paying]
        self.landed = {
            prefix: found for address in scenario.signers for prefix, found in history.by_memo(address).items()
        }


def all_sums(facts: Facts) -> list[Sum]:
    """Every row of the table."""
    return [check(facts) for check in CHECKS]


def state_changes(facts: Facts) -> Sum:
    """(account, slot) changes on the chain; executions and the changes that a catch-up stands for beside its own."""
    changes = covered = 0
    differing: list[str] = []
    for watched in facts.scenario.watched:
        places = _places(facts, watched)
        executions = facts.of_workflow[watched.workflow.id]
        merged, trouble = _cover(places, executions)
        changes += len(places) - 1
        covered += len(executions) + merged
        differing += [f"{watched.address}: {what}" for what in trouble]
    return Sum("state changes on chain = executions + merged in them", changes, covered, differing)


def unmarked_merges(facts: Facts) -> Sum:
    """Changes that went into a later one although no time was missed: the socket told them in a wrong order or slot."""
    unmarked = []
    for watched in facts.scenario.watched:
        places = _places(facts, watched)
        for execution in facts.of_workflow[watched.workflow.id]:
            start, end = _stretch(places, execution)
            if not execution.event["catch_up"] and start is not None and end is not None and end - start > 1:
                unmarked.append(execution.execution_id)
    return Sum("merged without being marked as catch-up", len(unmarked), 0, unmarked)


def _places(facts: Facts, watched: Watched) -> dict[int, int]:
    """The balances that the account has had, numbered from 0. It only ever grows, so each is there once."""
    changes = facts.history.changes(watched.address, watched.balance_at_enabling)
    balances = [watched.balance_at_enabling, *(change.after for change in changes)]
    return {balance: place for place, balance in enumerate(balances)}


def _stretch(places: dict[int, int], execution: Execution) -> tuple[int | None, int | None]:
    """From which place to which an execution goes; None for a balance that the account never had."""
    return places.get(execution.event["previous_lamports"]), places.get(execution.event["lamports"])


def _cover(places: dict[int, int], executions: Iterable[Execution]) -> tuple[int, list[str]]:
    """How many changes went into another's execution, and where the executions are no chain from first to last."""
    merged, reached, trouble = 0, 0, []
    for one in sorted(executions, key=lambda one: int(one.event["lamports"])):
        start, end = _stretch(places, one)
        if start is None or end is None or start != reached or end <= start:
            trouble.append(f"execution {one.execution_id} goes from change {start} to {end}, expected from {reached}")
        else:
            merged, reached = merged + end - start - 1, end
    if reached != len(places) - 1:
        trouble.append(f"{len(places) - 1 - reached} changes after change {reached} have no execution")
    return merged, trouble


def log_events(facts: Facts) -> Sum:
    """Memos on the chain that match; executions. Never merged, whatever was missed."""
    return _logs(facts, "memos on chain = executions on logs", ANY_MEMO, facts.scenario.on_memo.id)


def paying_log_events(facts: Facts) -> Sum:
    return _logs(
        facts, "paying memos on chain = executions that pay on logs", PAYING_MEMO, facts.scenario.on_paying_memo.id
    )


def _logs(facts: Facts, name: str, text: str, workflow_id: Any) -> Sum:
    told = {one.signature for one in facts.history.transactions if any(memo.startswith(text) for memo in one.memos)}
    seen = [one.event["signature"] for one in facts.of_workflow[workflow_id]]
    return Sum(name, len(told), len(seen), sorted(told.symmetric_difference(seen)))


def calls(facts: Facts) -> Sum:
    """Keys that the API answered; executions by hand."""
    made = {one.execution_id for one in facts.of_workflow[facts.scenario.by_hand.id]}
    answered = set(facts.answered.values())
    return Sum("calls of the API = executions by hand", len(facts.answered), len(made), sorted(answered ^ made))


def landed_once(facts: Facts) -> Sum:
    """Payments found on the chain by the memo of the signer; executions that say they paid."""
    paid = Counter({one.execution_id[:16]: 1 for one in facts.paying if one.status == "success"})
    landed = Counter({prefix: sum(not one.failed for one in found) for prefix, found in facts.landed.items()})
    differing = [
        f"{prefix}: landed {landed[prefix]}, says {paid[prefix]}"
        for prefix in {*paid, *landed}
        if paid[prefix] != landed[prefix]
    ]
    return Sum("payments on chain = successful paying executions", landed.total(), paid.total(), differing)


def landed_twice(facts: Facts) -> Sum:
    twice = [prefix for prefix, found in facts.landed.items() if len(found) > 1]
    return Sum("executions that landed more than once", len(twice), 0, twice)


def all_paid(facts: Facts) -> Sum:
    """Nothing that was to be paid is lost: only limits keep an execution from paying."""
    limited = {"rate_limited", "daily_limit_exceeded"}
    due = [one for one in facts.paying if one.error_code not in limited]
    lost = [
        f"{one.execution_id}: {one.status} {one.error_code} {one.error_detail}"
        for one in due
        if one.status != "success"
    ]
    return Sum("executions to be paid = paid", len(due), len(due) - len(lost), lost)


def signatures(facts: Facts) -> Sum:
    """What the signers' addresses paid for; attempts that are recorded as landed."""
    told = {one.signature for address in facts.scenario.signers for one in facts.history.of_payer(address)}
    known = {one.signature for one in facts.attempts if one.status in LANDED}
    return Sum("transactions of the signers on chain = landed attempts", len(told), len(known), sorted(told ^ known))


def signer_balances(facts: Facts) -> Sum:
    spent = sum(
        before - facts.chain.balance(address, "finalized") for address, before in facts.scenario.signers.items()
    )
    settled = sum(one.lamports for one in facts.reservations if one.status == Reservation.Status.SETTLED)
    return Sum("lamports that left the signers = settled charges", spent, settled)


def account_deltas(facts: Facts) -> Sum:
    left = right = 0
    differing = []
    for watched in facts.scenario.watched:
        changed = facts.chain.balance(watched.address, "finalized") - watched.balance_at_enabling
        told = sum(one.event["lamports_delta"] for one in facts.of_workflow[watched.workflow.id])
        left, right = left + changed, right + told
        if changed != told:
            differing.append(f"{watched.address}: {changed} on chain, {told} in events")
    return Sum("balances now - at enabling = sum of deltas", left, right, differing)


def filtered_rightly(facts: Facts) -> Sum:
    watched = {one.workflow.id for one in facts.scenario.watched if one.role is Role.FILTERS}
    filtering = [one for one in facts.executions if one.workflow_id in watched]
    small = [one for one in filtering if one.event["lamports_delta"] < LARGE_DEPOSIT]
    wrong = [
        one.execution_id
        for one in filtering
        if (one.status == "filtered") != (one.event["lamports_delta"] < LARGE_DEPOSIT)
    ]
    return Sum(
        "events below the filter = filtered", len(small), sum(one.status == "filtered" for one in filtering), wrong
    )


def limits_held(facts: Facts) -> Sum:
    """Payments and lamports of the narrow workflows, from the chain; 0 of them above."""
    above = []
    for watched in facts.scenario.watched:
        landed = [
            one.execution_id for one in facts.of_workflow[watched.workflow.id] if one.execution_id[:16] in facts.landed
        ]
        spent = sum(one.lamports for one in facts.reservations if one.workflow_id == watched.workflow.id)
        if watched.role is Role.PAYS_AT_A_RATE and len(landed) > HOURLY_RATE:
            above.append(f"{watched.workflow.name}: {len(landed)} payments")
        if watched.role is Role.PAYS_A_DAY and spent > DAILY_LAMPORTS:
            above.append(f"{watched.workflow.name}: {spent} lamports")
    return Sum("workflows above their limits", len(above), 0, above)


def pauses_held(facts: Facts) -> Sum:
    broken = [
        one.signature
        for one in facts.attempts
        for paused_at, resumed_at in facts.pauses
        if paused_at < one.signed_at < resumed_at or (one.sending_at and paused_at < one.sending_at < resumed_at)
    ]
    return Sum(f"signed or first sent during {len(facts.pauses)} pauses", len(broken), 0, broken)


def nothing_stuck(facts: Facts) -> Sum:
    stuck = [
        f"execution {one.execution_id}: {one.status} {one.waiting_for}"
        for one in facts.executions
        if one.status in ("pending", "processing")
    ]
    stuck += [
        f"attempt {one.signature}: {one.status}"
        for one in facts.attempts
        if one.status in MAY_LAND or (one.status in LANDED and one.finalized_at is None)
    ]
    stuck += [
        f"reservation of execution {one.execution_id}"
        for one in facts.reservations
        if one.status == Reservation.Status.RESERVED
    ]
    stuck += [
        f"delivery {one.id}: {one.attempts} attempts, {one.error}"
        for one in facts.deliveries
        if one.status == "pending"
    ]
    return Sum("rows that are stuck", len(stuck), 0, stuck)


def gaps_filled(facts: Facts) -> Sum:
    rows = Gap.objects.all()
    open_or_lost = [
        f"gap {one.id}: {one.status} {one.from_slot} to {one.to_slot}" for one in rows if one.status != "filled"
    ]
    return Sum("gaps = filled", len(rows), len(rows) - len(open_or_lost), open_or_lost)


def told(facts: Facts) -> Sum:
    """Outcomes that a notification asks for; deliveries."""
    on = {one.workflow.id: NOTIFIED_ON[one.role] for one in facts.scenario.watched}
    due = {one.id for one in facts.executions if one.status in on.get(one.workflow_id, ())}
    made = [one.execution_id for one in facts.deliveries if one.outcome != "reverted"]
    return Sum(
        "outcomes to be told = messages", len(due), len(made), [str(one) for one in due.symmetric_difference(made)]
    )


def received(facts: Facts) -> Sum:
    """Delivered messages; those that the receiver took. Twice only where the message says so."""
    paths = {one.workflow.id: one.hook_path for one in facts.scenario.watched}
    by_id = {one.id: one for one in facts.executions}
    differing, arrived, unknown = [], 0, dict(facts.taken)
    for one in facts.deliveries:
        execution = by_id[one.execution_id]
        times = unknown.pop((execution.execution_id, paths[execution.workflow_id]), 0)
        arrived += times > 0 and one.status == "delivered"
        if (one.status == "delivered" and times == 0) or (times > 1 and not one.maybe_repeated):
            differing.append(
                f"delivery {one.id}: {one.status}, taken {times} times, maybe_repeated {one.maybe_repeated}"
            )
    differing += [f"message that nobody sent: {key}" for key in unknown]
    return Sum(
        "messages delivered = taken by the receiver",
        sum(one.status == "delivered" for one in facts.deliveries),
        arrived,
        differing,
    )


def none_dead(facts: Facts) -> Sum:
    """Troubles that pass kill no message."""
    dead = [f"delivery {one.id}: {one.error}" for one in facts.deliveries if one.status == "dead"]
    return Sum("dead letters", len(dead), 0, dead)


def none_ended(facts: Facts) -> Sum:
    """A process ends when it is told to, or killed. What it cannot do for a while is no reason."""
    return Sum("processes that ended by themselves", len(facts.ended), 0, facts.ended)


CHECKS: list[Callable[[Facts], Sum]] = [
    state_changes,
    unmarked_merges,
    account_deltas,
    log_events,
    paying_log_events,
    calls,
    landed_once,
    landed_twice,
    all_paid,
    signatures,
    signer_balances,
    limits_held,
    pauses_held,
    filtered_rightly,
    told,
    received,
    none_dead,
    gaps_filled,
    nothing_stuck,
    none_ended,
]
