"""Readers of what the listener knows. Subscriptions are shared by teams: each sees those that its workflows want."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple, cast

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Team
from chain.types import Commitment
from executions.models import Heartbeat
from listener.heartbeat import KIND
from listener.models import Gap, Subscription
from listener.watches import CHAIN_TRIGGERS, watches_of
from workflows.models import Workflow
from workflows.specs.triggers import TRIGGER_TYPES

ALIVE_S = 30
_TOTALS = """
SELECT (SELECT coalesce(sum(events_seen), 0) FROM listener_subscription),
    count(*) FILTER (WHERE status = 'open'), count(*) FILTER (WHERE status = 'lost') FROM listener_gap
"""


def subscription_list(*, team: Team) -> QuerySet[Subscription]:
    """What the team's enabled workflows watch."""
    return Subscription.objects.filter(digest__in=_digests(team)).order_by("-created_at", "-id")


def gap_list(*, team: Team) -> QuerySet[Gap]:
    """What those subscriptions did not see live, newest first."""
    gaps = Gap.objects.filter(subscription__digest__in=_digests(team))
    return gaps.select_related("subscription").order_by("-created_at", "-id")


class Totals(NamedTuple):
    """`events_seen`: samples and transactions taken in, ever; gaps: stretches of slots not read back yet, or never."""

    events_seen: int
    open_gaps: int
    lost_gaps: int


def totals() -> Totals:
    """Figures of the whole installation, by one query."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        return Totals(*map(int, cursor.fetchone()))


def listeners() -> list[Heartbeat]:
    """The listeners that were alive in the last half minute."""
    since = timezone.now() - timedelta(seconds=ALIVE_S)
    return list(Heartbeat.objects.filter(kind=KIND, at__gt=since).order_by("name"))


def endpoints() -> list[dict[str, Any]]:
    """Each endpoint as each live listener has last experienced it; of WebSockets each connection."""
    alive = listeners()
    return [
        *({"protocol": "http", **endpoint} for endpoint in told_endpoints(alive)),
        *({"protocol": "ws", **socket} for socket in told_sockets(alive)),
    ]


def told_endpoints(alive: Sequence[Heartbeat]) -> list[dict[str, Any]]:
    """The HTTP endpoints in their configured order, each as each of these listeners has last experienced it."""
    return _told(alive, "endpoints")


def told_sockets(alive: Sequence[Heartbeat]) -> list[dict[str, Any]]:
    """The WebSocket connections of these listeners."""
    return _told(alive, "connections")


def _told(alive: Sequence[Heartbeat], kind: str) -> list[dict[str, Any]]:
    return [
        {"listener": listener.name, "seen_at": listener.at, **one}
        for listener in alive
        for one in listener.detail.get(kind, ())
    ]


def _digests(team: Team) -> list[str]:
    workflows = Workflow.objects.filter(team=team, enabled=True, trigger_type__in=CHAIN_TRIGGERS)
    rows = workflows.values_list("commitment", "version__definition__trigger")
    return [
        watch.digest
        for commitment, trigger in rows
        for watch in watches_of(_parsed(trigger), cast(Commitment, commitment))
    ]


def _parsed(trigger: dict[str, Any]) -> Any:
    # It was checked when it was saved, all of it; here its keys are what matters.
    return TRIGGER_TYPES[trigger["type"]].model_validate(trigger)
