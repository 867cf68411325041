"""Gap rows: stretches of slots that a subscription did not see live. Written before a checkpoint may pass them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from listener.models import Gap, Subscription
from listener.registry import Audience

NOBODY_WATCHES = "no workflow watches it any more"
NOT_FETCHED = "not fetched"
STATE_NOT_KNOWN = "its state before is not known"


@dataclass(frozen=True, slots=True)
class Blind:
    """A subscription that sees again from `to_slot` on, after somebody who wants to know what was after `since_slot`.

    With an empty `reason` the time before is no gap, unless one is open already.
    """

    subscription_id: int
    since_slot: int
    to_slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class OpenGap:
    """What is left of a gap: the slots from `from_slot` to `to_slot`, both included."""

    id: int
    from_slot: int
    to_slot: int


@transaction.atomic
def open_gaps(blind: Sequence[Blind]) -> dict[int, int]:
    """Record where each subscription was blind: open gaps reach up to its `to_slot`, and who has none gets one.

    Of an account whose state is not known, having come from a backup, nothing can be told apart from what was there
    before: its gap is lost. Returns the first slot that is unaccounted for, of those that have an open gap now.
    """
    given: list[Any] = [
        [seen.subscription_id for seen in blind],
        [seen.since_slot for seen in blind],
        [seen.to_slot for seen in blind],
        [seen.reason for seen in blind],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE listener_gap gap SET to_slot = GREATEST(gap.to_slot, g.to_slot)"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS g(subscription_id, to_slot)"
            " WHERE gap.subscription_id = g.subscription_id AND gap.status = 'open'",
            [given[0], given[2]],
        )
        cursor.execute(
            "INSERT INTO listener_gap (subscription_id, status, from_slot, to_slot, reason, note, created_at)"
            " SELECT g.id, 'open', GREATEST(s.checkpoint_slot, g.since_slot), g.to_slot, g.reason, '', now()"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) AS g(id, since_slot, to_slot, reason)"
            " JOIN listener_subscription s ON s.id = g.id"
            " WHERE g.reason <> '' AND GREATEST(s.checkpoint_slot, g.since_slot) < g.to_slot"
            " AND NOT EXISTS (SELECT 1 FROM listener_gap o WHERE o.subscription_id = g.id AND o.status = 'open')",
            given,
        )
        cursor.execute(
            "UPDATE listener_gap gap SET status = 'lost', note = %s, closed_at = now() FROM listener_subscription s"
            " WHERE gap.subscription_id = ANY(%s) AND gap.status = 'open' AND s.id = gap.subscription_id"
            " AND s.kind IN ('balance', 'account')"
            " AND NOT EXISTS (SELECT FROM listener_accountstate a WHERE a.subscription_id = s.id)",
            [STATE_NOT_KNOWN, given[0]],
        )
        cursor.execute(
            "SELECT subscription_id, min(GREATEST(from_slot, COALESCE(done_slot, 0))) FROM listener_gap"
            " WHERE status = 'open' AND subscription_id = ANY(%s) GROUP BY subscription_id",
            [given[0]],
        )
        return dict(cursor.fetchall())


def oldest_open(subscription_id: int) -> OpenGap | None:
    """The gap of this subscription to be read back next."""
    rows = Gap.objects.filter(subscription_id=subscription_id, status=Gap.Status.OPEN).order_by("from_slot", "id")
    found = rows.values_list("id", "from_slot", "done_slot", "to_slot").first()
    if found is None:
        return None
    gap_id, from_slot, done_slot, to_slot = found
    return OpenGap(gap_id, from_slot if done_slot is None else max(from_slot, done_slot), to_slot)


def extend(subscription_id: int, to_slot: int) -> None:
    """The subscription sees everything from `to_slot` on for everybody who wants it now."""
    Gap.objects.filter(subscription_id=subscription_id, status=Gap.Status.OPEN).update(
        to_slot=Greatest(F("to_slot"), to_slot)
    )


def open_around(subscription_id: int, slot: int, lag_slots: int) -> None:
    """What was told at `slot` is to be read back: a gap from `lag_slots` before it on, since that is the slot of
    whatever bank told it, unless one is open already that reaches as far back. `extend` moves its end to what is live.
    """
    from_slot = max(slot - lag_slots, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO listener_gap (subscription_id, status, from_slot, to_slot, reason, note, created_at)"
            " SELECT %(id)s, 'open', %(from_slot)s, %(from_slot)s, %(reason)s, '', now() WHERE NOT EXISTS"
            " (SELECT 1 FROM listener_gap o WHERE o.subscription_id = %(id)s AND o.status = 'open'"
            " AND o.reason = %(reason)s AND GREATEST(o.from_slot, COALESCE(o.done_slot, 0)) <= %(from_slot)s)",
            {"id": subscription_id, "from_slot": from_slot, "reason": NOT_FETCHED},
        )


def enabling_gap(*, subscription: Subscription, slot: int) -> None:
    """The slots from an enabling on are unseen until the listener says otherwise. In the enabling transaction."""
    Gap.objects.create(subscription=subscription, from_slot=slot, to_slot=slot, reason="enabled")


@transaction.atomic
def give_up_before(gap: OpenGap, slot: int, note: str) -> OpenGap:
    """What is older than the oldest transaction listed, of `slot`, is lost and shown as that; the rest comes back as a
    gap of its own. `slot` is in both: some of its transactions may be on either side."""
    whole = Gap.objects.select_for_update().get(pk=gap.id)
    rest = Gap.objects.create(
        subscription_id=whole.subscription_id, from_slot=slot, to_slot=whole.to_slot, reason=whole.reason
    )
    whole.status, whole.to_slot, whole.note = Gap.Status.LOST, slot, note
    whole.save(update_fields=["status", "to_slot", "note"])
    Gap.objects.filter(pk=whole.pk).update(closed_at=Now())
    return OpenGap(rest.id, rest.from_slot, rest.to_slot)


def close_unwanted(audiences: Collection[Audience]) -> None:
    """Nobody wants to know what happened there, unless somebody was enabled since these audiences were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE listener_gap gap SET status = 'filled', note = %s, closed_at = now()"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS g(id, generation)"
            " JOIN listener_subscription s ON s.id = g.id AND s.generation = g.generation"
            " WHERE gap.subscription_id = g.id AND gap.status = 'open'",
            [NOBODY_WATCHES, [a.subscription_id for a in audiences], [a.generation for a in audiences]],
        )
