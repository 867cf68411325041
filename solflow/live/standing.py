"""How things stand that nobody tells of: one query for all open pages of a process, compared with the one before.

What has no moment of its own (a part that is not seen any more), or changes below where pages are told of it (a pause,
a channel switched off, a gap, a workflow enabled), is found by looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, connections

STANDING = "standing"
MEASURES = "measures"
# What belongs to no team: a change of it is told to all.
EVERYBODY = None

_STANDING = """
WITH said (team, what) AS (
    SELECT NULL::uuid, concat('paused ', paused_at) FROM accounts_installation
    UNION ALL
    SELECT DISTINCT NULL::uuid, concat('seen ', kind) FROM executions_heartbeat WHERE at > now() - interval '30 seconds'
    UNION ALL
    SELECT NULL, concat('gaps ', status, count(*)) FROM listener_gap WHERE status IN ('open', 'lost') GROUP BY status
    UNION ALL
    SELECT NULL, concat('events ', sum(events_seen)) FROM listener_subscription
    UNION ALL
    SELECT team_id, concat('workflows ', count(*), max(updated_at)) FROM workflows_workflow
    WHERE deleted_at IS NULL GROUP BY team_id
    UNION ALL
    SELECT team_id, concat('signers ', count(*), max(paused_at), count(paused_at)) FROM workflows_signer
    WHERE deleted_at IS NULL GROUP BY team_id
    UNION ALL
    SELECT team_id, concat('channels ', count(*), max(disabled_at), count(disabled_at)) FROM workflows_channel
    WHERE deleted_at IS NULL GROUP BY team_id
)
SELECT team, string_agg(what, ', ' ORDER BY what) FROM said GROUP BY team
"""


def standing() -> dict[Any, str]:
    """By team, and under EVERYBODY for all, a text that is another when something changed; nothing where the database
    does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_STANDING)
            return dict(cursor.fetchall())
    except (DatabaseError, InterfaceError):
        return {}
    finally:
        connections.close_all()


def changed(before: Mapping[Any, str], now: Mapping[Any, str]) -> list[Any]:
    """Whose things stand otherwise than before: EVERYBODY alone, or teams. Nobody's where one of both is not known."""
    if not before or not now:
        return []
    teams = [team for team in before.keys() | now.keys() if before.get(team) != now.get(team)]
    return [EVERYBODY] if EVERYBODY in teams else teams
