"""Whether a channel works. What is known of it comes from the messages that are sent to it, and from people.

    works ──a failure──► failing ──for days──► off          a message that arrives brings it back to "works"
      └────────the receiver says that it is gone──► off ──a person, another config, a test that arrives──► works

Nothing is sent to a channel that is off; what was due becomes dead letters, for a person to send again.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from workflows.models import Channel

# One message that cannot be sent is not a channel that does not work: its ladder has fewer attempts.
LEAST_FAILURES = 10
BY_HAND = "switched off by hand"
HEALTHY = {"disabled_at": None, "disabled_reason": "", "failing_since": None, "failures_in_row": 0}


@transaction.atomic
def channel_switch_off(*, actor: Actor, channel: Channel, reason: str = BY_HAND) -> None:
    """Nothing more is sent to it. Nothing happens to a channel that is off already."""
    now = timezone.now()
    if Channel.objects.filter(pk=channel.pk, disabled_at=None).update(disabled_at=now, disabled_reason=reason):
        audit.record(actor, "channel_disabled", "channel", channel.id, target_name=channel.name, reason=reason)


@transaction.atomic
def channel_switch_on(*, actor: Actor, channel: Channel) -> None:
    """Messages are sent to it again, and it is held to be well until one fails."""
    if Channel.objects.filter(pk=channel.pk, disabled_at__isnull=False).update(**HEALTHY):
        audit.record(actor, "channel_enabled", "channel", channel.id, target_name=channel.name)
    else:
        channel_delivered(channel=channel)


def channel_delivered(*, channel: Channel) -> None:
    """A message has arrived."""
    Channel.objects.filter(pk=channel.pk, disabled_at=None).update(failing_since=None, failures_in_row=0)


@transaction.atomic
def channel_failed(*, actor: Actor, channel: Channel, reason: str, longest_s: float) -> None:
    """An attempt failed. A channel that has failed for `longest_s`, and more often than one message is tried, is
    switched off."""
    now = timezone.now()
    locked = Channel.objects.select_for_update(no_key=True).filter(pk=channel.pk, disabled_at=None).first()
    if locked is None:
        return
    since, failures = locked.failing_since or now, locked.failures_in_row + 1
    Channel.objects.filter(pk=locked.pk).update(failing_since=since, failures_in_row=failures)
    if failures >= LEAST_FAILURES and now - since >= timedelta(seconds=longest_s):
        why = f"nothing has arrived since {since:%Y-%m-%d %H:%M} UTC, in {failures} attempts; the last: {reason}"
        channel_switch_off(actor=actor, channel=channel, reason=why)
