"""What the frame around every page shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.actors import Actor
from accounts.models import Role
from solflow import __version__

_FRAME = """
SELECT i.paused_at, i.paused_reason,
    (SELECT count(*) FROM workflows_workflow WHERE team_id = %(team)s AND deleted_at IS NULL),
    (SELECT count(*) FROM executions_execution WHERE team_id = %(team)s AND status = 'processing'),
    (SELECT max((detail->>'slot')::bigint) FROM executions_heartbeat
     WHERE kind = 'listener' AND at > now() - interval '30 seconds')
FROM accounts_installation i WHERE i.id = 1
"""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, asked for with one query by the pages that show it, and by no other."""
    return {"shell": SimpleLazyObject(lambda: _frame(getattr(request, "actor", None)))}


def _frame(actor: Actor | None) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "version": __version__,
        "network": settings.SOLANA_NETWORK,
        "inbox_enabled": settings.SOLFLOW_INBOX,
        "flower_url": settings.FLOWER_URL,
    }
    if not actor:
        return frame
    with connection.cursor() as cursor:
        cursor.execute(_FRAME, {"team": actor.team.pk})
        paused_at, paused_reason, workflow_count, running_count, slot = cursor.fetchone()
    return {
        **frame,
        "team": actor.team.name,
        "role": actor.role.label,
        "may_run": actor.may(Role.OPERATOR),
        "may_edit": actor.may(Role.ADMIN),
        "paused_at": paused_at,
        "paused_reason": paused_reason,
        "workflow_count": workflow_count,
        "running_count": running_count,
        "slot": slot,
    }
