"""Whether the parts work, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.selectors import installation
from executions.models import Delivery, Execution, Heartbeat
from executions.states import DeliveryStatus, Status, WaitingFor
from listener.models import Gap
from solflow.doctor.findings import Check, Finding, fail, ok, warn
from workflows.models import Channel, Signer, Workflow

SEEN_WITHIN = timedelta(seconds=30)
LATE_S = 60
LATELY = timedelta(hours=24)


def parts() -> Iterator[Finding]:
    for kind in ("worker", "listener"):
        rows = Heartbeat.objects.filter(kind=kind).order_by("-at")
        newest, alive = rows.first(), rows.filter(at__gte=timezone.now() - SEEN_WITHIN).count()
        if alive:
            yield ok(kind, f"{alive} seen in the last {SEEN_WITHIN.seconds} s")
        else:
            seen = f"last seen {newest.at:%Y-%m-%d %H:%M:%S} UTC" if newest else "was never seen"
            what = "nothing is watched" if kind == "listener" else "nothing is filtered, paid or told"
            yield fail(kind, f"{seen}: {what}", f"start it (the line `{kind}` of Procfile), and read its log")
    yield from _pending()


def _pending() -> Iterator[Finding]:
    """Beat and the worker together: what is pending is taken within seconds unless both are away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float, count(*)"
            " FROM executions_execution WHERE status = 'pending' AND waiting_for IS NULL"
        )
        oldest_s, count = cursor.fetchone()
    if oldest_s > LATE_S:
        yield warn(
            "executions",
            f"{count} wait for a worker, the oldest for {oldest_s:.0f} s",
            "start more workers, and see that beat runs (the line `beat` of Procfile)",
        )
    else:
        yield ok("executions", f"{count} pending")


def pauses() -> Iterator[Finding]:
    whole = installation()
    if whole.restored_at is not None:
        yield fail(
            "pause",
            "this database was restored: nothing is signed until the chain was asked what it has forgotten",
            "manage.py reconcile --after-restore, then manage.py resume",
        )
    elif whole.paused_at is not None:
        yield warn("pause", f"all signing is paused: {whole.paused_reason or 'no reason given'}", "manage.py resume")
    for workflow in Workflow.objects.filter(deleted_at=None, enabled=True, paused_at__isnull=False)[:20]:
        yield warn(
            f"workflow {workflow.name}",
            f"is paused: {workflow.paused_reason or 'no reason given'}",
            f"mend the cause, then manage.py resume --workflow {workflow.id}",
        )
    for signer in Signer.objects.filter(deleted_at=None, paused_at__isnull=False)[:20]:
        yield warn(
            f"signer {signer.name}",
            f"is paused: {signer.paused_reason or 'no reason given'}",
            f"manage.py resume --signer {signer.address}",
        )


def gaps() -> Iterator[Finding]:
    opened, lost = (Gap.objects.filter(status=status).count() for status in (Gap.Status.OPEN, Gap.Status.LOST))
    oldest = Gap.objects.filter(status=Gap.Status.OPEN).order_by("created_at").first()
    if lost:
        yield warn(
            "gaps",
            f"{lost} stretches of slots could not be read back: events in them ran no workflow",
            "see them on the Endpoints page; raise READ_BACK_MAX_SIGNATURES, or choose an endpoint with history",
        )
    if oldest and oldest.created_at < timezone.now() - timedelta(minutes=10):
        yield warn(
            "gaps", f"{opened} open, the oldest since {oldest.created_at:%H:%M} UTC", "see the listener's log for why"
        )
    elif not lost:
        yield ok("gaps", f"{opened} being read back, none lost")


def people() -> Iterator[Finding]:
    waiting = Execution.objects.filter(status__in=[Status.PENDING, Status.PROCESSING])
    parked = waiting.filter(waiting_for=WaitingFor.PERSON).count()
    if parked:
        yield warn(
            "parked",
            f"{parked} executions of which nobody could say whether they landed",
            "manage.py reconcile asks the chain again; then decide on their pages",
        )
    approvals = waiting.filter(waiting_for=WaitingFor.APPROVAL).count()
    if approvals:
        yield warn("approvals", f"{approvals} wait for a person's approval", "open them in the dashboard")


def messages() -> Iterator[Finding]:
    for channel in Channel.objects.filter(deleted_at=None, disabled_at__isnull=False)[:20]:
        yield warn(
            f"channel {channel.name}",
            f"is switched off: {channel.disabled_reason}",
            "correct its config, or send it a test message from its page, which switches it on when it arrives",
        )
    for channel in Channel.objects.filter(deleted_at=None, disabled_at=None, failing_since__isnull=False)[:20]:
        yield warn(
            f"channel {channel.name}",
            f"has failed since {channel.failing_since:%Y-%m-%d %H:%M} UTC, {channel.failures_in_row} times in a row",
            "its page says why; after three days it is switched off",
        )
    if not settings.EMAIL_HOST and Channel.objects.filter(type=Channel.Type.EMAIL, deleted_at=None).exists():
        yield warn("email", "there are email channels, and no mail server here", "set EMAIL_URL for the worker")
    dead = Delivery.objects.filter(status=DeliveryStatus.DEAD, created_at__gte=timezone.now() - LATELY).count()
    if dead:
        yield warn("messages", f"{dead} were given up in the last 24 hours", "see Notifications; resend them there")
    else:
        yield ok("messages", "none given up in the last 24 hours")


CHECKS: tuple[Check, ...] = (parts, pauses, gaps, people, messages)
