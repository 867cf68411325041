"""Sends the messages that are due, and makes those that people ask for.

    claim (a lease) → write the message → a permit for the destination → send, outside any transaction → record

1. Every message arrives at least once or becomes a dead letter that says why; it may arrive twice only where an answer
   was lost or a sender died, and is then marked `maybe_repeated`.
2. No destination gets more in any minute than its channel allows, whatever number of processes send.
3. Only the calling thread touches the database; senders' threads only wait for the network, and have ended long before
   the leases of what they send run out.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor, system
from accounts.errors import Missing
from executions import counters, deliveries, dispatch, send_windows, timing
from executions.channels.base import ChannelError, Pace, RateLimited
from executions.crashpoints import reach
from executions.deliveries import Claimed
from executions.envelopes import TEST, Envelope, write
from executions.models import Delivery
from executions.retries import LADDER_S, next_attempt
from executions.send_windows import Permit
from executions.trail import EACH_TOLD
from workflows.models import Channel
from workflows.services.channel_health import (
    channel_delivered,
    channel_failed,
    channel_switch_off,
    channel_switch_on,
)

log = structlog.get_logger(__name__)

SENDERS = 8
# Three days without one message that arrived: a receiver that has been down over a weekend is not given up.
FAILING_S = 3 * 24 * 3600.0
SEND_S = 15.0
# Scaled tests still speak real HTTP. Half of executions.deliveries' shortest lease.
SHORTEST_SEND_S = 2.0


class Round(NamedTuple):
    """What one call did: rows handled, and the seconds until the next one is due (None: none waits)."""

    handled: int
    next_due_s: float | None


@dataclass(frozen=True, slots=True)
class _Sending:
    claimed: Claimed
    envelope: Envelope
    permit: Permit
    started_ns: int

    def tell(self, error: ChannelError | None = None) -> None:
        told = self.envelope.trails
        for trail in told:
            trail.passed(
                "notify",
                self.started_ns,
                error=type(error).__name__ if error else "",
                quiet=len(told) > EACH_TOLD,
                delivery=self.claimed.id,
                channel=self.envelope.channel.type,
                attempt=self.claimed.attempts + 1,
            )


def deliver_due(limit: int = 100, *, for_s: float = 10.0, still_at_it: Callable[[], None] = lambda: None) -> Round:
    """Send up to `limit` messages that are due, a few at a time; starts none after `for_s` seconds. `still_at_it` is
    called every second or so while it works.

    Safe to call at any time and in many processes at once: each message is claimed by one of them. A process that dies
    here leaves leases that run out.
    """
    stop_at, handled = time.monotonic() + for_s, 0
    sending: dict[Future[Pace], _Sending] = {}
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="sender") as pool:
        while True:
            still_at_it()
            room = min(SENDERS - len(sending), limit - handled) if time.monotonic() < stop_at else 0
            # Taken before the claim, so that a send is over before its lease, however slow this process is between.
            deadline = time.monotonic() + send_s()
            claimed = deliveries.claim(room) if room > 0 else []
            if claimed:
                reach("delivery_claimed")
            handled += len(claimed)
            for one in claimed:
                ready = _prepare(one)
                if ready is not None:
                    sending[pool.submit(_send, ready.envelope, deadline)] = ready
            if not sending and not claimed:
                break
            for future in wait(sending, timeout=1.0, return_when=FIRST_COMPLETED).done if sending else ():
                _record(sending.pop(future), future)
    return Round(handled, deliveries.next_due_s())


@transaction.atomic
def channel_test(*, actor: Actor, channel: Channel) -> int:
    """Send a test message to the channel; returns the id of its delivery, which says what came of it.

    Raises:
        Missing: the channel was deleted.
    """
    if not Channel.objects.filter(pk=channel.pk, deleted_at=None).exists():
        raise Missing("there is no such channel")
    delivery = Delivery.objects.create(
        team_id=channel.team_id, channel=channel, outcome=TEST, next_attempt_at=timezone.now()
    )
    audit.record(actor, "channel_tested", "channel", channel.id, target_name=channel.name)
    transaction.on_commit(dispatch.wake_notify)
    return delivery.pk


def _prepare(claimed: Claimed) -> _Sending | None:
    """The message with the permit to send it; None when it does not go out now, which is then recorded."""
    if claimed.attempts > len(LADDER_S):
        deliveries.dead(claimed, "given up: its sender died again and again", attempted=False)
        return None
    try:
        envelope = write(claimed)
        destination = envelope.kind.destination(envelope.config)
    except Exception as error:  # noqa: BLE001 - one row's trouble must not keep the others from being sent
        _failed(claimed, None, _as_channel_error(error))
        return None
    permit = send_windows.acquire(destination, envelope.kind.max_per_minute, longest_s=send_s())
    if isinstance(permit, float):
        deliveries.postpone(claimed, permit)
        return None
    return _Sending(claimed, envelope, permit, time.time_ns())


def _send(envelope: Envelope, deadline: float) -> Pace:
    reach("delivering")
    return envelope.send(deadline)


def _record(sending: _Sending, future: Future[Pace]) -> None:
    reach("delivered")
    claimed, channel, error = sending.claimed, sending.envelope.channel, future.exception()
    if error is None:
        with transaction.atomic():
            if not deliveries.delivered(claimed):
                log.warning("delivery_lease_lost", delivery=claimed.id)
            if claimed.outcome == TEST:
                channel_switch_on(actor=system(channel.team, "worker"), channel=channel)
            elif channel.failing_since is not None:
                channel_delivered(channel=channel)
        counters.DELIVERIES.labels(channel.type, "delivered").inc()
        sending.tell()
        send_windows.settle(sending.permit, future.result())
        return
    failure = _as_channel_error(error)
    _failed(claimed, channel, failure)
    sending.tell(failure)
    send_windows.settle(sending.permit, failure.pace, failure if isinstance(failure, RateLimited) else None)


def _failed(claimed: Claimed, channel: Channel | None, error: ChannelError) -> None:
    """Later, or never again."""
    delay_s = next_attempt(error, claimed.attempts + 1, scale=timing.scaled(1.0))
    log.warning("delivery_failed", delivery=claimed.id, error=error.detail, again_in_s=delay_s)
    result = "rate_limited" if isinstance(error, RateLimited) else "dead" if delay_s is None else "retry"
    counters.DELIVERIES.labels(channel.type if channel else "unknown", result).inc()
    if isinstance(error, RateLimited):
        deliveries.postpone(claimed, delay_s or 0.0, error=error.detail)
        return
    with transaction.atomic():
        if delay_s is not None:
            deliveries.retry(claimed, error.detail, delay_s, maybe_repeated=error.maybe_delivered)
        else:
            deliveries.dead(claimed, error.detail, maybe_repeated=error.maybe_delivered)
        if channel is not None:
            _blame(channel, error)


def _blame(channel: Channel, error: ChannelError) -> None:
    """What a failure says of the channel: it is gone, or it fails, for how long by now."""
    actor = system(channel.team, "worker")
    if error.gone:
        channel_switch_off(actor=actor, channel=channel, reason=error.detail)
    else:
        channel_failed(actor=actor, channel=channel, reason=error.detail, longest_s=timing.scaled(FAILING_S))


def _as_channel_error(error: BaseException) -> ChannelError:
    if isinstance(error, ChannelError):
        return error
    # Where it happened, without its text: that may hold what it was about, which may be a secret.
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("delivery_broke", error=type(error).__name__, where=where)
    return ChannelError(f"internal error ({type(error).__name__}); the log says where")


def send_s() -> float:
    """How long one send may take, in seconds; no more than half of what a claim holds."""
    return max(timing.scaled(SEND_S), SHORTEST_SEND_S)
