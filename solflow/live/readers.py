"""What the hub asks the database: a query or two for all open pages. Its threads keep no connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from accounts.models import Member, Session
from executions.models import Execution


def topics_by_team(execution_ids: Collection[int]) -> dict[Any, frozenset[str]]:
    """The topics that a change of these rows touches, by team; nothing where the database does not answer."""
    topics: dict[Any, set[str]] = defaultdict(set)
    try:
        rows = Execution.objects.filter(id__in=execution_ids).values_list("id", "team_id", "workflow_id")
        for row_id, team_id, workflow_id in rows:
            topics[team_id] |= {"executions", f"execution:{row_id}", f"workflow:{workflow_id}"}
    except (DatabaseError, InterfaceError):
        return {}
    finally:
        connections.close_all()
    return {team_id: frozenset(named) for team_id, named in topics.items()}


def still_allowed(readers: Sequence[tuple[str, int, Any]]) -> list[bool]:
    """For each (session, user, team), whether that session lives and the user is in the team. True for all where the
    database does not answer: what a page then fetches is refused by itself."""
    try:
        keys = {session for session, _, _ in readers}
        sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        alive = set(sessions.values_list("session_key", flat=True))
        members = Member.objects.filter(user_id__in={user for _, user, _ in readers}, user__is_active=True)
        pairs = set(members.values_list("user_id", "team_id"))
    except (DatabaseError, InterfaceError):
        return [True] * len(readers)
    finally:
        connections.close_all()
    return [session in alive and (user, team) in pairs for session, user, team in readers]
