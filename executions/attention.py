"""What waits for a person: one query over everything that can."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from accounts.models import Team

SHOWN_OF_A_KIND = 5

# Each branch has its index: in work and pending, of a team, dead.
_ATTENTION = """
(SELECT 'execution', e.execution_id, w.name, e.waiting_for FROM executions_execution e
    JOIN workflows_workflow w ON w.id = e.workflow_id
    WHERE e.team_id = %(team)s AND e.status IN ('pending', 'processing') AND e.waiting_for IN ('person', 'approval')
    ORDER BY e.id LIMIT %(limit)s)
UNION ALL
(SELECT 'part', part, part, '' FROM unnest(ARRAY['listener', 'worker']) part
    WHERE NOT EXISTS (SELECT FROM executions_heartbeat
                      WHERE kind = part AND at > now() - interval '30 seconds'))
UNION ALL
(SELECT 'workflow', id::text, name, coalesce(paused_reason, '') FROM workflows_workflow
    WHERE team_id = %(team)s AND deleted_at IS NULL AND enabled AND paused_at IS NOT NULL
    ORDER BY paused_at DESC LIMIT %(limit)s)
UNION ALL
(SELECT 'signer', id::text, name, coalesce(paused_reason, '') FROM workflows_signer
    WHERE team_id = %(team)s AND deleted_at IS NULL AND paused_at IS NOT NULL
    ORDER BY paused_at DESC LIMIT %(limit)s)
UNION ALL
(SELECT 'channel', id::text, name, disabled_reason FROM workflows_channel
    WHERE team_id = %(team)s AND deleted_at IS NULL AND disabled_at IS NOT NULL
    ORDER BY disabled_at DESC LIMIT %(limit)s)
UNION ALL
(SELECT 'message', coalesce(e.execution_id, ''), c.name, d.error FROM executions_delivery d
    JOIN workflows_channel c ON c.id = d.channel_id LEFT JOIN executions_execution e ON e.id = d.execution_id
    WHERE d.team_id = %(team)s AND d.status = 'dead' AND d.created_at > now() - interval '24 hours'
    ORDER BY d.id DESC LIMIT %(limit)s)
"""


class Waiting(NamedTuple):
    """`kind` is execution, part, workflow, signer, channel or message; `id` is the row's, of a message its execution's.

    `detail` is what an execution waits for, the reason of a pause, or the error of a message.
    """

    kind: str
    id: str
    name: str
    detail: str


def waiting_for_people(*, team: Team) -> list[Waiting]:
    """Parked executions, parts that are not seen, paused things, channels switched off, messages given up (24 h)."""
    with connection.cursor() as cursor:
        cursor.execute(_ATTENTION, {"team": team.pk, "limit": SHOWN_OF_A_KIND})
        return [Waiting(*row) for row in cursor.fetchall()]
