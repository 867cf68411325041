"""Checkpoints: up to where a subscription has seen everything. They only grow, in the ingest transaction.

They follow the chain at a distance (listener.coverage), not the slots that notifications carry: those may be of another
bank. What lies between is read back twice and happens once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from accounts.prepared import prepared_cursor
from executions.crashpoints import reach
from listener.observations import CaughtUp, GapProgress, Seen


def advance(seen: Iterable[Seen], caught_up: Iterable[CaughtUp] = ()) -> None:
    """Move the checkpoints of covered subscriptions, and count what they got. The slot of a catch-up sample is that of
    the state, unlike a notification's, and only a fork can take it back: it is a checkpoint unless it is `processed`.

    Rows are locked in the order of their ids, since two listeners of one shard do this at once.
    """
    slots: dict[int, int] = {}
    counts: Counter[int] = Counter()
    for stretch in seen:
        for subscription_id, count in stretch.counts.items():
            slots[subscription_id] = max(slots.get(subscription_id, 0), stretch.slot)
            counts[subscription_id] += count
    states: dict[int, int] = {}
    for done in caught_up:
        if not done.lost_because:
            states[done.subscription_id] = max(states.get(done.subscription_id, 0), done.slot)
    ids = list(slots | states)
    if not ids:
        return
    with prepared_cursor() as cursor:
        cursor.execute(
            "WITH locked AS ("
            "SELECT id FROM listener_subscription WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)"
            " UPDATE listener_subscription s SET checkpoint_slot = GREATEST(s.checkpoint_slot, g.slot,"
            " CASE WHEN s.commitment <> 'processed' THEN g.state_slot END),"
            " events_seen = s.events_seen + g.seen, updated_at = now()"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS g(id, slot, state_slot, seen)"
            " JOIN locked USING (id) WHERE s.id = g.id",
            [ids, ids, *([column.get(key) for key in ids] for column in (slots, states)), [counts[key] for key in ids]],
        )
    reach("ingest.checkpoint_moved")


def close_state_gaps(caught_up: Sequence[CaughtUp]) -> None:
    """Catch-up samples account for the gaps of their subscription. Of balances the history says what was in between; of
    other states no method does. A gap that has grown meanwhile is done up to there."""
    if not caught_up:
        return
    given: list[Any] = [
        [done.subscription_id for done in caught_up],
        [done.slot for done in caught_up],
        [done.lost_because for done in caught_up],
        [done.note for done in caught_up],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE listener_gap gap SET"
            " status = CASE WHEN g.lost_because = '' THEN 'filled' ELSE 'lost' END,"
            " note = CASE WHEN g.lost_because = '' THEN g.note ELSE g.lost_because END,"
            " done_slot = CASE WHEN g.lost_because = '' THEN gap.to_slot END, closed_at = now()"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[])"
            " AS g(subscription_id, slot, lost_because, note)"
            " WHERE gap.subscription_id = g.subscription_id AND gap.status = 'open' AND gap.to_slot <= g.slot",
            given,
        )
        cursor.execute(
            "UPDATE listener_gap gap SET done_slot = GREATEST(gap.done_slot, g.slot)"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS g(subscription_id, slot, lost_because)"
            " WHERE gap.subscription_id = g.subscription_id AND gap.status = 'open' AND g.lost_because = ''",
            given[:3],
        )


def record_progress(progress: Sequence[GapProgress]) -> None:
    """What read-backs have passed on. A gap is filled when that reaches its end, which may have moved meanwhile."""
    if not progress:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE listener_gap SET done_slot = GREATEST(done_slot, %(slot)s), note = %(note)s,"
            " status = CASE WHEN to_slot <= %(slot)s THEN 'filled' ELSE status END,"
            " closed_at = CASE WHEN to_slot <= %(slot)s THEN now() END"
            " WHERE id = %(gap)s AND status = 'open'",
            [{"gap": done.gap_id, "slot": done.done_slot, "note": done.note} for done in progress],
        )
