"""The windows of executions.pacing in PostgreSQL: one row a destination, moved under its lock, by every process.

One clock (the database's, read after the lock was got), so that workers on several machines agree.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from django.db import connection, transaction

from executions import timing
from executions.channels.base import Destination, Pace, RateLimited
from executions.models import SendWindow
from executions.pacing import Window

PERIOD_S = 60.0


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one message to a destination, once."""

    bucket: str
    family: str | None
    slot: str


def acquire(destination: Destination, limit: int, *, longest_s: float) -> Permit | float:
    """A permit, or the seconds after which to ask again. The message has to be over `longest_s` from now.

    A process that dies with a permit costs its slot until a period after `longest_s`, and no more.
    """
    permit = Permit(_hash(destination.identity), _family(destination), uuid.uuid4().hex[:12])
    with transaction.atomic():
        window = _locked(permit.bucket)
        now = _now()
        wait_s = max(window.wait_s(now, limit), _held_s(permit.family, now))
        if wait_s > 0:
            return wait_s
        taken = window.taken(now, permit.slot, period_s=timing.scaled(PERIOD_S), longest_s=longest_s)
        SendWindow.objects.filter(pk=permit.bucket).update(state=taken.as_json())
    return permit


def settle(permit: Permit, pace: Pace, limited: RateLimited | None = None) -> None:
    """What came of a permit: the receiver's figures, or its word to wait, which then holds for every process."""
    hold_s = 0.0 if limited is None else limited.retry_after_s or 0.0
    held_family = permit.family if limited is not None and limited.whole_family else None
    with transaction.atomic():
        # A family's row is locked before a destination's, always: two that settle at once cannot wait for each other.
        if held_family is not None:
            family = _locked(held_family).held(_now() + hold_s)
            SendWindow.objects.filter(pk=held_family).update(state=family.as_json())
        window = _locked(permit.bucket)
        now = _now()
        window = window.settled(now, permit.slot, pace, period_s=timing.scaled(PERIOD_S))
        if held_family is None:
            window = window.held(now + hold_s)
        SendWindow.objects.filter(pk=permit.bucket).update(state=window.as_json())


def _locked(bucket: str) -> Window:
    SendWindow.objects.bulk_create([SendWindow(bucket=bucket)], ignore_conflicts=True)
    return Window.from_json(SendWindow.objects.select_for_update().get(pk=bucket).state)


def _held_s(family: str | None, now: float) -> float:
    state = None if family is None else SendWindow.objects.filter(pk=family).values_list("state", flat=True).first()
    return 0.0 if state is None else Window.from_json(state).held_until - now


def _now() -> float:
    # In a statement of its own: one that takes the lock may read the clock before it has waited.
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(cursor.fetchone()[0])


def _family(destination: Destination) -> str | None:
    return None if destination.family is None else _hash(f"family:{destination.family}")


def _hash(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()
