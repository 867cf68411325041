"""Messages that wait for others and are then sent as one: a notification's `digest_s` and `cooldown_s`.

A digest's windows are cut from the clock, so that nothing has to be looked up and nobody waits for anybody. A cooldown
begins with a message, so there is a row that says until when it lasts; it is moved under its lock, in the transaction
that writes the message. At the end of a cooldown in which something waited, the message that tells it begins another.

Whatever way, a row of its own is written for each message, so each execution says what became of it. Rows of one
`digest` are claimed together, by the first of them (executions.deliveries).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from executions import timing
from executions.messages import RECOVERED
from executions.models import Delivery, Quiet
from workflows.specs.notifications import LONGEST_QUIET_S, Notification

Told = tuple[Delivery, Notification, UUID]


class Calm(NamedTuple):
    """A cooldown: until when, and whether something waits for its end."""

    until: datetime
    gathers: bool


def place(told: Sequence[Told], now: datetime) -> None:
    """Say of each new message when it is due and with what it goes, in the transaction that writes it."""
    cooling: dict[str, list[Told]] = {}
    for delivery, notification, workflow_id in told:
        if delivery.outcome == RECOVERED:
            continue
        if notification.digest_s is not None:
            _gather(delivery, _key(notification, workflow_id), window_end(now, notification.digest_s))
        elif notification.cooldown_s is not None:
            cooling.setdefault(_key(notification, workflow_id), []).append((delivery, notification, workflow_id))
    # Sorted: two transactions that need the same rows wait for each other in one order.
    for key in sorted(cooling):
        _cool(key, cooling[key], now)


def window_end(now: datetime, seconds: int) -> datetime:
    """The end of the window of so many seconds that `now` is in."""
    length = timing.scaled(seconds)
    return datetime.fromtimestamp((now.timestamp() // length + 1) * length, UTC)


def cooled(calm: Calm | None, now: datetime, length: timedelta) -> tuple[Calm, bool]:
    """The cooldown after one more message, and whether that is told at once."""
    if calm is not None and now < calm.until:
        return Calm(calm.until, gathers=True), False
    # What was gathered is told at the end of its cooldown, and that message is followed by a cooldown too.
    if calm is not None and calm.gathers and now < calm.until + length:
        return Calm(calm.until + length, gathers=True), False
    return Calm(now + length, gathers=False), True


def forget() -> None:
    """Cooldowns that say nothing any more are deleted."""
    Quiet.objects.filter(until__lt=timezone.now() - timedelta(seconds=2 * LONGEST_QUIET_S)).delete()


def _cool(key: str, told: Sequence[Told], now: datetime) -> None:
    length = timing.delta(told[0][1].cooldown_s or 0)
    row, is_new = Quiet.objects.select_for_update().get_or_create(key=key, defaults={"until": now})
    calm = None if is_new else Calm(row.until, row.gathers)
    for delivery, _, _ in told:
        calm, at_once = cooled(calm, now, length)
        if not at_once:
            _gather(delivery, key, calm.until)
    if calm is not None:
        Quiet.objects.filter(key=key).update(until=calm.until, gathers=calm.gathers)


def _gather(delivery: Delivery, key: str, due_at: datetime) -> None:
    delivery.digest = f"{key}:{due_at.timestamp():.3f}"
    delivery.next_attempt_at = due_at


def _key(notification: Notification, workflow_id: UUID) -> str:
    """One notification of one workflow, as long as nobody changes whom it tells of what, or how."""
    quiet = f"{notification.digest_s}:{notification.cooldown_s}"
    identity = f"{workflow_id}:{notification.channel}:{','.join(notification.on)}:{quiet}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]
