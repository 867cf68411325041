"""Dead letters, sent again because a person says so: each is due at once, with the whole ladder before it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Refused
from executions import dispatch
from executions.models import Delivery
from executions.states import DeliveryStatus
from workflows.models import Channel

# Of one call; the receiver's limit makes more than that wait for long anyway.
MOST_AT_ONCE = 1000


@transaction.atomic
def delivery_resend(*, actor: Actor, delivery: Delivery) -> None:
    """A dead letter is due again.

    Raises:
        Refused: it is not dead, or its channel takes nothing.
    """
    _refuse_without(delivery.channel)
    if not _revive([delivery.pk]):
        raise Refused("only a message that is dead is sent again by hand", code="not_dead")
    audit.record(actor, "delivery_resent", "delivery", delivery.pk, channel=str(delivery.channel_id))
    transaction.on_commit(dispatch.wake_notify)


@transaction.atomic
def deliveries_resend(*, actor: Actor, channel: Channel | None = None) -> int:
    """All dead letters of the team, or of one channel, are due again, the oldest first and up to MOST_AT_ONCE; those of
    channels that take nothing stay. Returns how many.

    Raises:
        Refused: the channel takes nothing.
    """
    dead = Delivery.objects.filter(team=actor.team, status=DeliveryStatus.DEAD, channel__deleted_at=None)
    if channel is not None:
        _refuse_without(channel)
        dead = dead.filter(channel=channel)
    ids = list(dead.filter(channel__disabled_at=None).order_by("id").values_list("pk", flat=True)[:MOST_AT_ONCE])
    resent = _revive(ids)
    if resent:
        target = ("channel", channel.pk, channel.name) if channel else ("team", actor.team.pk, actor.team.name)
        audit.record(actor, "deliveries_resent", target[0], target[1], target_name=target[2], count=resent)
        transaction.on_commit(dispatch.wake_notify)
    return resent


def _revive(ids: Sequence[int]) -> int:
    dead = Delivery.objects.filter(pk__in=ids, status=DeliveryStatus.DEAD)
    return dead.update(
        status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=timezone.now(), lease_until=None, error=""
    )


def _refuse_without(channel: Channel) -> None:
    if channel.deleted_at is not None:
        raise Refused("its channel was deleted", code="channel_deleted")
    if channel.disabled_at is not None:
        raise Refused(f"its channel is switched off: {channel.disabled_reason}", code="channel_disabled")
