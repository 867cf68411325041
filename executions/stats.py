"""Figures about executions, for `stats/` and the overview: counted from rows, never from a process's memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection

from accounts.models import Team
from executions.states import Status

FRESH_S = 1

FOLDED_AT_ONCE = 100_000

# Ever: a million rows are too many to count each second, so triggers have added up what every statement changed.
# Lately: an index-only scan of executions_of_a_team, which holds the status beside its keys for this.
_COUNT = """
SELECT 'ever', status, sum(change) FROM executions_statuscount WHERE team_id = %(team)s GROUP BY status
UNION ALL
SELECT 'lately', status, count(*) FROM executions_execution
WHERE team_id = %(team)s AND created_at > now() - interval '24 hours' GROUP BY status
UNION ALL
SELECT 'figure', 'lamports_spent_24h', coalesce(sum(r.lamports), 0)
FROM executions_reservation r JOIN workflows_workflow w ON w.id = r.workflow_id
WHERE w.team_id = %(team)s AND r.status = 'settled' AND r.at > now() - interval '24 hours'
UNION ALL
SELECT 'figure', 'oldest_pending_s', coalesce(extract(epoch FROM now() - min(created_at)), 0)
FROM executions_execution WHERE team_id = %(team)s AND status = 'pending'
UNION ALL
SELECT 'figure', 'parked', count(*) FROM executions_execution
WHERE team_id = %(team)s AND status = 'processing' AND waiting_for = 'person'
"""
_FOLD = """
WITH many AS (
    DELETE FROM executions_statuscount WHERE id IN (
        SELECT id FROM executions_statuscount ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING team_id, status, change
)
INSERT INTO executions_statuscount (team_id, status, change)
SELECT team_id, status, sum(change) FROM many GROUP BY team_id, status HAVING sum(change) <> 0
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """`executions` of all time and of the last 24 hours by status; `oldest_pending_s` is 0 when none is pending."""

    executions: dict[str, int]
    executions_24h: dict[str, int]
    lamports_spent_24h: int
    oldest_pending_s: int
    parked: int


def figures(*, team: Team) -> Figures:
    """The team's figures, at most FRESH_S old however often they are asked for."""
    key = f"stats:{team.pk}"
    known: dict[str, Any] | None = cache.get(key)
    if known is None:
        known = asdict(_count(team))
        cache.set(key, known, FRESH_S)
    return Figures(**known)


def _count(team: Team) -> Figures:
    none = {status.value: 0 for status in Status}
    counted: dict[str, dict[str, int]] = {"ever": dict(none), "lately": dict(none), "figure": {}}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"team": team.pk})
        for kind, name, value in cursor.fetchall():
            counted[kind][name] = int(value)
    return Figures(counted["ever"], counted["lately"], **counted["figure"])


def fold() -> None:
    """Make one row of the many of each team and status; no sum changes. The sweeper does it every few seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, [FOLDED_AT_ONCE])
