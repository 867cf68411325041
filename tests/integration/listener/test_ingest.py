"""The commit point on a real database: what is told twice, late, out of order or by two at once happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from executions.models import Execution
from listener.gaps import Blind, open_gaps
from listener.ingest import record
from listener.loading import load, load_audience
from listener.models import AccountState, Gap, Subscription
from listener.observations import CaughtUp, GapProgress, Seen, TransactionLogs
from listener.registry import Audience, Registry
from listener.selectors import totals
from tests.integration.listener.ledger import ENABLED_AT, Ledger
from tests.watching import actor, deltas, events, new_address, workflow
from workflows.models import Workflow
from workflows.services.workflow import workflow_disable, workflow_enable, workflow_update

pytestmark = pytest.mark.django_db

PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SIGNATURE = "5" * 87


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_transition_is_an_execution_with_what_was_before(ledger: Ledger) -> None:
    recorded = ledger.record(ledger.sample(101, 1500))

    (event,) = events(ledger.workflow)
    assert len(recorded.execution_ids) == 1
    assert (event["previous_lamports"], event["lamports"], event["lamports_delta"]) == (1000, 1500, 500)
    assert (event["slot"], event["account"], event["signature"]) == (101, ledger.address, None)
    assert ledger.row == (101, 1500)


def test_the_same_notification_twice_is_one_execution(ledger: Ledger) -> None:
    ledger.record(ledger.sample(101, 1500))
    ledger.record(ledger.sample(101, 1500))
    ledger.record(ledger.sample(102, 1500), ledger.sample(102, 1500))

    assert deltas(ledger.workflow) == [500]


def test_each_change_within_a_batch_is_an_execution(ledger: Ledger) -> None:
    ledger.record(ledger.sample(101, 1500), ledger.sample(102, 1200), ledger.sample(103, 1300))

    assert sorted(deltas(ledger.workflow)) == [-300, 100, 500]
    assert ledger.row == (103, 1300)


def test_the_deltas_add_up_to_the_balance_in_whatever_order_samples_come(ledger: Ledger) -> None:
    for slot, lamports in [(103, 1300), (101, 1500), (102, 1200), (103, 1300), (105, 900), (104, 7)]:
        ledger.record(ledger.sample(slot, lamports))

    assert sum(deltas(ledger.workflow)) == 900 - 1000


def test_a_sample_refused_as_old_although_it_differs_is_doubtful(ledger: Ledger) -> None:
    ledger.record(ledger.sample(105, 1500))

    recorded = ledger.record(ledger.sample(104, 1400))

    assert recorded.doubtful == ((ledger.subscription.pk, ledger.address, 105),)
    assert ledger.row == (105, 1500)


def test_a_read_that_is_refused_as_old_causes_no_other(ledger: Ledger) -> None:
    ledger.record(ledger.sample(105, 1500))

    assert ledger.record(ledger.sample(104, 1400, live=False)).doubtful == ()


def test_a_check_that_differs_moves_nothing_and_puts_the_account_in_doubt(ledger: Ledger) -> None:
    recorded = ledger.record(ledger.sample(105, 1500, live=False, check=True))

    assert recorded.doubtful == ((ledger.subscription.pk, ledger.address, ENABLED_AT),)
    assert (deltas(ledger.workflow), ledger.row) == ([], (ENABLED_AT, 1000))
    assert ledger.record(ledger.sample(106, 1000, live=False, check=True)).doubtful == ()


def test_what_was_missed_before_the_recorded_slot_is_an_execution_each(ledger: Ledger) -> None:
    """The change of slot 101 was told under slot 103, so those of 102 and 103 were refused."""
    ledger.record(ledger.sample(103, 1500), ledger.sample(102, 1600))

    past = ledger.past((100, 1000), (101, 1500), (102, 1600), (103, 1700), (110, 1700))
    ledger.record(past)
    ledger.record(past)

    assert sorted(deltas(ledger.workflow)) == [100, 100, 500]
    assert not any(event["catch_up"] for event in events(ledger.workflow))


def test_what_was_told_under_a_slot_before_its_own_is_not_undone_and_told_again(ledger: Ledger) -> None:
    """The change of slot 103 was told as of 101, and the one before it not at all."""
    ledger.record(ledger.sample(101, 1700))

    ledger.record(ledger.past((100, 1000), (102, 1600), (103, 1700), (110, 1700)))

    assert deltas(ledger.workflow) == [700]


def test_what_is_told_behind_a_refused_sample_waits_for_the_history(ledger: Ledger) -> None:
    """1600 was told under a slot before the record's; 1900, told just behind it, must not jump over it."""
    refused = ledger.record(ledger.sample(103, 1500), ledger.sample(102, 1600), ledger.sample(104, 1900))
    waiting = ledger.record(ledger.sample(105, 2000), in_doubt=refused.in_doubt)
    assert deltas(ledger.workflow) == [500]

    past = ledger.past((100, 1000), (101, 1500), (102, 1600), (104, 1900), (105, 2000), (106, 2000))
    answered = ledger.record(past, ledger.sample(107, 2100), in_doubt=waiting.in_doubt)

    assert sorted(deltas(ledger.workflow)) == [100, 100, 100, 300, 500]
    assert not answered.in_doubt


def test_what_is_told_behind_a_check_that_differs_waits_too(ledger: Ledger) -> None:
    recorded = ledger.record(ledger.sample(105, 1500, live=False, check=True), ledger.sample(106, 1700))

    assert recorded.in_doubt == {(ledger.subscription.pk, ledger.address)}
    assert deltas(ledger.workflow) == []


def test_a_sample_that_changes_nothing_still_keeps_older_ones_from_moving_the_row(ledger: Ledger) -> None:
    ledger.record(ledger.sample(110, 1000))
    ledger.record(ledger.sample(105, 1400))

    assert deltas(ledger.workflow) == []
    assert ledger.row == (110, 1000)


def test_what_happened_up_to_the_enabling_never_matches_a_newcomer(ledger: Ledger) -> None:
    newcomer = ledger.add(enabled_at_slot=105)
    ledger.reload()

    ledger.record(ledger.sample(105, 1500), ledger.sample(106, 1600))

    assert deltas(newcomer) == [100]
    assert sorted(deltas(ledger.workflow)) == [100, 500]


def test_a_version_published_a_moment_ago_is_the_one_that_is_used(ledger: Ledger) -> None:
    definition = {**ledger.workflow.version.definition}
    definition["trigger"] = {**definition["trigger"], "min_change": 501}
    changed = workflow_update(actor=actor(), workflow=ledger.workflow, changes={"definition": definition})

    recorded = ledger.record(ledger.sample(101, 1500), ledger.sample(102, 2500))

    (execution,) = Execution.objects.filter(workflow=changed)
    assert (execution.event["lamports_delta"], execution.version_id) == (1000, changed.version_id)
    assert recorded.is_stale


def test_a_workflow_that_watches_something_else_now_gets_no_event_of_the_old_account(ledger: Ledger) -> None:
    definition = {**ledger.workflow.version.definition}
    definition["trigger"] = {**definition["trigger"], "address": new_address()}
    workflow_update(actor=actor(), workflow=ledger.workflow, changes={"definition": definition})

    ledger.record(ledger.sample(101, 1500))

    assert deltas(ledger.workflow) == []


def test_a_workflow_disabled_a_moment_ago_gets_no_event(ledger: Ledger) -> None:
    workflow_disable(actor=actor(), workflow=ledger.workflow)

    ledger.record(ledger.sample(101, 1500))

    assert deltas(ledger.workflow) == []
    assert ledger.row == (101, 1500)


def test_a_dry_run_switched_on_a_moment_ago_holds(ledger: Ledger) -> None:
    workflow_update(actor=actor(), workflow=ledger.workflow, changes={"dry_run": True})

    ledger.record(ledger.sample(101, 1500))

    assert Execution.objects.get(workflow=ledger.workflow).dry_run


def test_a_newcomer_that_the_registry_has_not_heard_of_gets_its_event(ledger: Ledger) -> None:
    newcomer = ledger.add()
    Subscription.objects.filter(pk=ledger.subscription.pk).update(generation=7)

    recorded = ledger.record(ledger.sample(101, 1500))

    assert deltas(newcomer) == [500]
    assert recorded.is_stale


def test_two_workflows_of_one_subscription_each_get_their_execution(ledger: Ledger) -> None:
    other = ledger.add(direction="increase")
    ledger.reload()

    ledger.record(ledger.sample(101, 1500), ledger.sample(102, 1400))

    assert sorted(deltas(ledger.workflow)) == [-100, 500]
    assert deltas(other) == [500]


def test_what_nobody_wants_is_left_out(ledger: Ledger) -> None:
    assert record([ledger.sample(101, 1500)], lambda _: None).execution_ids == []
    assert ledger.row == (100, 1000)


def test_an_account_without_a_row_gets_one_and_no_event(ledger: Ledger) -> None:
    AccountState.objects.all().delete()

    ledger.record(ledger.sample(101, 1500), ledger.sample(102, 1600))

    assert deltas(ledger.workflow) == [100]
    assert ledger.row == (102, 1600)


def test_a_catch_up_sample_that_moves_the_row_says_so_and_fills_the_gap(ledger: Ledger) -> None:
    Gap.objects.create(subscription=ledger.subscription, from_slot=100, to_slot=120, reason="reconnect")

    ledger.record(ledger.sample(121, 1500, catch_up=True, live=False), CaughtUp(ledger.subscription.pk, 121))

    gap = Gap.objects.get()
    assert (gap.status, gap.note, gap.done_slot) == ("filled", "coalesced", 120)
    assert Subscription.objects.get().checkpoint_slot == 121
    assert [event["catch_up"] for event in events(ledger.workflow)] == [True]


def test_a_gap_that_reaches_beyond_the_catch_up_sample_stays_open_from_there_on(ledger: Ledger) -> None:
    Gap.objects.create(subscription=ledger.subscription, from_slot=100, to_slot=120, reason="reconnect")

    ledger.record(ledger.sample(119, 1500, catch_up=True, live=False), CaughtUp(ledger.subscription.pk, 119))

    assert (Gap.objects.get().status, Gap.objects.get().done_slot) == ("open", 119)
    blind = Blind(ledger.subscription.pk, since_slot=ENABLED_AT, to_slot=130, reason="reconnect")
    assert open_gaps([blind]) == {ledger.subscription.pk: 119}


def test_what_is_only_processed_is_no_checkpoint(ledger: Ledger) -> None:
    Subscription.objects.update(commitment="processed")

    ledger.record(ledger.sample(119, 1500, catch_up=True, live=False), CaughtUp(ledger.subscription.pk, 119))

    assert Subscription.objects.get().checkpoint_slot is None


def test_checkpoints_only_grow_and_follow_what_was_seen(ledger: Ledger) -> None:
    def checkpoint() -> int | None:
        return Subscription.objects.get(pk=ledger.subscription.pk).checkpoint_slot

    def seen(count: int, slot: int) -> Seen:
        return Seen({ledger.subscription.pk: count}, slot)

    ledger.record(ledger.sample(101, 1500))
    assert checkpoint() is None
    ledger.record(seen(3, 109))
    ledger.record(seen(1, 90))
    assert checkpoint() == 109
    ledger.record(seen(0, 120), seen(2, 200))
    assert checkpoint() == 200
    assert totals().events_seen == 6


def test_a_read_back_closes_its_gap_when_it_has_reached_the_end(ledger: Ledger) -> None:
    gap = Gap.objects.create(subscription=ledger.subscription, from_slot=100, to_slot=120, reason="reconnect")

    ledger.record(GapProgress(ledger.subscription.pk, gap.pk, 110))
    gap.refresh_from_db()
    assert (gap.status, gap.done_slot, gap.closed_at) == ("open", 110, None)
    ledger.record(GapProgress(ledger.subscription.pk, gap.pk, 120, "3 transactions read back"))
    gap.refresh_from_db()
    assert (gap.status, gap.done_slot, gap.note) == ("filled", 120, "3 transactions read back")


def test_nothing_is_kept_of_a_transaction_that_fails_half_way(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        ledger.record(ledger.sample(101, 1500))
        raise RuntimeError("power cut")

    assert deltas(ledger.workflow) == []
    assert ledger.row == (100, 1000)
    ledger.record(ledger.sample(101, 1500))
    assert deltas(ledger.workflow) == [500]


def test_a_log_line_is_one_execution_however_often_and_at_whatever_slot_it_is_seen() -> None:
    made = workflow({"type": "program_log", "program_id": PROGRAM, "pattern": "paid"})
    watching = workflow_enable(actor=actor(), workflow=made, enabled_at_slot=ENABLED_AT)
    registry = Registry()
    loaded = load(registry.known)
    registry.apply(loaded.wanted, loaded.rows)
    (audience,) = registry.audiences()
    lines = (f"Program {PROGRAM} invoke [1]", "Program log: paid 7", "Program log: paid 8")

    for slot in (101, 103, 101):
        record([TransactionLogs(audience.subscription_id, slot, SIGNATURE, None, lines, 0.0)], registry.audience)

    assert sorted(event["line"] for event in events(watching)) == ["paid 7", "paid 8"]
    assert {event["signature"] for event in events(watching)} == {SIGNATURE}


@pytest.mark.django_db(transaction=True)
def test_two_listeners_with_the_same_samples_make_one_execution_of_each_change() -> None:
    ledger = Ledger()
    samples = [ledger.sample(101 + n, 1000 + n * n) for n in range(1, 40)]

    def listen(_: int) -> None:
        for sample in samples:
            ledger.record(sample, Seen({ledger.subscription.pk: 1}, sample.sample.slot))
        connection.close()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(listen, range(3)))

    assert sorted(deltas(ledger.workflow)) == [2 * n - 1 for n in range(1, 40)]


def enable_meanwhile(ledger: Ledger) -> Workflow:
    """What listener.services does, with a sample of its own: move the row, enable, announce."""
    with transaction.atomic():
        audience = load_audience(Audience(ledger.subscription.pk, 0, ledger.watch, ()))
        record([ledger.sample(103, 1300, live=False)], {ledger.subscription.pk: audience}.get)
        newcomer = ledger.add(enabled_at_slot=AccountState.objects.get(subscription=ledger.subscription).slot)
        Subscription.objects.filter(pk=ledger.subscription.pk).update(generation=1)
    connection.close()
    return newcomer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_an_enabling_between_two_samples_loses_and_doubles_nothing(attempt: int) -> None:
    """Whichever of ingest and enabling is first, the newcomer's deltas add up from its baseline on."""
    ledger = Ledger()
    with ThreadPoolExecutor(1) as thread:
        enabling = thread.submit(enable_meanwhile, ledger)
        for slot, lamports in [(101, 1100), (102, 1200), (103, 1300), (104, 1400), (105, 1500)]:
            ledger.record(ledger.sample(slot, lamports))
        newcomer = enabling.result()
    ledger.record(ledger.sample(106, 1600))

    assert newcomer.enabled_at_slot is not None
    baseline = 1000 + 100 * (newcomer.enabled_at_slot - ENABLED_AT)
    assert sum(deltas(newcomer)) == 1600 - baseline
    assert sum(deltas(ledger.workflow)) == 600
