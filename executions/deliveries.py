"""The rows of messages: claimed under a lease, and moved by what came of the sending. Each move is one transaction.

    pending ──► delivered          the receiver said so
       │  └──► pending             later: it failed, or the receiver has had enough for now
       └─────► dead ──resend──► pending

Messages of one `digest` (executions.gathering) are one message: the first of them is claimed, and where it ends the
others end with it.

A claim is a lease. A sender that dies lets it run out; the next claim counts that as an attempt and marks the message
`maybe_repeated`, because nobody knows how far the sender got. Every move asks for the lease that it was claimed under:
a sender that was thought dead changes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils import timezone

from executions import live, steps, timing
from executions.models import Delivery
from executions.states import DeliveryStatus, Step

LEASE_S = 30.0
# Below this a lease could not be told from a busy machine's pause; only scaled tests come here.
SHORTEST_LEASE_S = 4.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to send now. `attempts` are those that came to an end; `lease` proves the claim in every later move."""

    id: int
    execution_id: int | None
    channel_id: UUID
    outcome: str
    template: dict[str, Any]
    attempts: int
    maybe_repeated: bool
    lease: datetime
    digest: str | None = None


# Of a digest only the first is claimed. A leased row whose lease is over was in a sender's hands when that died.
_CLAIM = """
WITH due AS (
    SELECT id FROM executions_delivery r
    WHERE status = 'pending' AND next_attempt_at <= statement_timestamp()
      AND (lease_until IS NULL OR lease_until < statement_timestamp()) AND (digest IS NULL OR NOT EXISTS (
        SELECT FROM executions_delivery o WHERE o.digest = r.digest AND o.status = 'pending' AND o.id < r.id))
    ORDER BY next_attempt_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE executions_delivery d SET lease_until = clock_timestamp() + make_interval(secs => %s),
    attempts = attempts + (lease_until IS NOT NULL)::int, maybe_repeated = maybe_repeated OR lease_until IS NOT NULL
FROM due WHERE d.id = due.id
RETURNING d.id, execution_id, channel_id, outcome, template, attempts, maybe_repeated, lease_until, digest
"""
_NEXT_DUE = """
SELECT extract(epoch FROM next_attempt_at - statement_timestamp())::float8 FROM executions_delivery r
WHERE status = 'pending' AND lease_until IS NULL AND (digest IS NULL OR NOT EXISTS (
    SELECT FROM executions_delivery o WHERE o.digest = r.digest AND o.status = 'pending' AND o.id < r.id))
ORDER BY next_attempt_at LIMIT 1
"""
# Named by its first message, so that what comes later is a digest of its own: a receiver that has this one and is sent
# it once more must find the same in it.
_CLOSE = """
UPDATE executions_delivery SET digest = digest || '#' || %s WHERE id IN (
    SELECT id FROM executions_delivery WHERE digest = %s AND status = 'pending' ORDER BY id LIMIT %s)
"""
MOST_IN_A_DIGEST = 10_000


def lease_s() -> float:
    """How long a claim holds, in seconds."""
    return max(timing.scaled(LEASE_S), SHORTEST_LEASE_S)


def claim(limit: int) -> list[Claimed]:
    """Lease up to `limit` messages that are due, oldest first; what others hold is passed over."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [limit, lease_s()])
        rows = cursor.fetchall()
    return sorted((_claimed(row) for row in rows), key=lambda claimed: claimed.id)


def delivered(claimed: Claimed) -> bool:
    """The receiver has it. False when the lease had been lost: then whoever has it sends it once more, marked."""
    now = timezone.now()
    return _end(claimed, DeliveryStatus.DELIVERED, now, attempts=claimed.attempts + 1, delivered_at=now, error="")


def dead(claimed: Claimed, error: str, *, maybe_repeated: bool = False, attempted: bool = True) -> bool:
    """Nobody tries again by himself; `error` says why."""
    marks = {"maybe_repeated": True} if maybe_repeated else {}
    return _end(
        claimed, DeliveryStatus.DEAD, timezone.now(), attempts=claimed.attempts + attempted, error=error, **marks
    )


def retry(claimed: Claimed, error: str, delay_s: float, *, maybe_repeated: bool) -> bool:
    """It failed and is tried again after `delay_s`."""
    marks = {"maybe_repeated": True} if maybe_repeated else {}
    return _move(claimed, attempts=claimed.attempts + 1, next_attempt_at=_after(delay_s), error=error, **marks)


def postpone(claimed: Claimed, delay_s: float, *, error: str = "") -> bool:
    """It is not its turn before `delay_s`: no attempt. The channel's other messages that are due wait with it, so that
    they are not claimed one by one to learn the same."""
    at = _after(delay_s)
    with transaction.atomic():
        if not _move(claimed, next_attempt_at=at, **({"error": error} if error else {})):
            return False
        # Rows that somebody holds are not waited for: they learn it by themselves.
        waiting = Delivery.objects.select_for_update(skip_locked=True).filter(
            channel_id=claimed.channel_id, status=DeliveryStatus.PENDING, lease_until=None, next_attempt_at__lt=at
        )
        Delivery.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).update(next_attempt_at=at)
    return True


def next_due_s() -> float | None:
    """Seconds until a message that nobody holds is due, 0 when one is; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE)
        row = cursor.fetchone()
    return None if row is None else max(0.0, row[0])


def gathered(claimed: Claimed) -> list[int]:
    """The messages that go with a claimed one, itself included: their executions' rows, in order. The first call closes
    the digest; whatever it is tried again for later, it has the same messages."""
    if claimed.digest is None:
        return []
    if "#" not in claimed.digest:
        with connection.cursor() as cursor:
            cursor.execute(_CLOSE, [str(claimed.id), claimed.digest, MOST_IN_A_DIGEST])
    rows = Delivery.objects.filter(digest=_closed(claimed), status=DeliveryStatus.PENDING).order_by("id")
    return [row_id for row_id in rows.values_list("execution_id", flat=True) if row_id is not None]


def _claimed(row: tuple[Any, ...]) -> Claimed:
    row_id, execution_id, channel_id, outcome, template, *rest = row
    return Claimed(row_id, execution_id, channel_id, outcome, orjson.loads(template), *rest)


def _end(claimed: Claimed, status: DeliveryStatus, now: datetime, **values: Any) -> bool:
    with transaction.atomic():
        if not _move(claimed, status=status.value, **values):
            return False
        told = [] if claimed.execution_id is None else [claimed.execution_id]
        if claimed.digest is not None:
            told += _end_gathered(claimed, {"maybe_repeated": claimed.maybe_repeated, **values, "status": status.value})
        detail = {"channel": str(claimed.channel_id), "status": status.value, "attempts": values["attempts"]}
        if told:
            steps.append(told, Step.NOTIFIED, now, detail)
    return True


def _end_gathered(claimed: Claimed, values: dict[str, Any]) -> list[int]:
    """What went with it ends with it; returns the executions' rows."""
    others = Delivery.objects.filter(digest=_closed(claimed), status=DeliveryStatus.PENDING).exclude(pk=claimed.id)
    told = [row_id for row_id in others.values_list("execution_id", flat=True) if row_id is not None]
    others.update(lease_until=None, **values)
    return told


def _closed(claimed: Claimed) -> str:
    digest = claimed.digest or ""
    return digest if "#" in digest else f"{digest}#{claimed.id}"


def _move(claimed: Claimed, **values: Any) -> bool:
    held = Delivery.objects.filter(pk=claimed.id, status=DeliveryStatus.PENDING, lease_until=claimed.lease)
    live.announce(f"channel:{claimed.channel_id}")
    return held.update(lease_until=None, **values) == 1


def _after(delay_s: float) -> datetime:
    return timezone.now() + timedelta(seconds=delay_s)
