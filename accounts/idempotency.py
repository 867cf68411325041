"""`Idempotency-Key`: a request that is repeated gets the first answer, and its work is done once.

The key's row is inserted in the transaction of the work. So a key exists exactly when the work is done; two requests
at once with one key meet in the unique index, where the second waits for the first; and a request that was refused
leaves no key and is judged anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.errors import Invalid, Refused
from accounts.models import IdempotencyKey, Team

REMEMBERED = timedelta(hours=24)
MAX_KEY_LENGTH = 255
MAX_ROUTE_LENGTH = 200
# Each new key takes some old ones with it, so that the table needs no job of its own.
FORGOTTEN_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What the request is answered with; `replayed` when the work had been done before."""

    status: int
    body: Any
    replayed: bool = False


def once(*, team: Team, user_id: int, path: str, key: str, body: Any, work: Callable[[], Answer]) -> Answer:
    """Do `work` and remember its answer for 24 hours, or give the remembered one.

    A key is its user's own, in one team and at one path: two people who both choose "1" never get each other's answers,
    while all tokens of one person are that person.

    `work` runs in this function's transaction and must not wait for the network. Nothing is remembered if it raises.

    Raises:
        Invalid: the key is empty, too long or not printable ASCII.
        Refused: the key was used with another body.
    """
    if not key or len(key) > MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise Invalid.field("Idempotency-Key", "invalid", f"must be 1 to {MAX_KEY_LENGTH} printable ASCII characters")
    digest, route = _digest(body), f"{user_id} {path}"[:MAX_ROUTE_LENGTH]
    with transaction.atomic():
        now = timezone.now()
        _forget(now)
        row_id = _insert(team, route, key, digest, now)
        if row_id is None:
            return _remembered(team, route, key, digest)
        answer = work()
        IdempotencyKey.objects.filter(pk=row_id).update(status=answer.status, answer=answer.body)
    return answer


def _insert(team: Team, route: str, key: str, digest: str, now: datetime) -> int | None:
    """The new row's id; None if the key is taken. An expired row of the same key is taken over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_idempotencykey (team_id, route, key, body_hash, status, answer, created_at)"
            " VALUES (%(team)s, %(route)s, %(key)s, %(digest)s, 0, 'null', %(now)s)"
            " ON CONFLICT (team_id, route, key) DO UPDATE SET body_hash = excluded.body_hash, created_at = %(now)s"
            " WHERE accounts_idempotencykey.created_at < %(oldest)s RETURNING id",
            {"team": team.pk, "route": route, "key": key, "digest": digest, "now": now, "oldest": now - REMEMBERED},
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _remembered(team: Team, route: str, key: str, digest: str) -> Answer:
    row = IdempotencyKey.objects.get(team=team, route=route, key=key)
    if row.body_hash != digest:
        raise Refused("this Idempotency-Key was used with another body", code="idempotency_key_reused")
    return Answer(row.status, row.answer, replayed=True)


def _forget(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM accounts_idempotencykey WHERE id IN (SELECT id FROM accounts_idempotencykey"
            " WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)",
            [now - REMEMBERED, FORGOTTEN_AT_ONCE],
        )


def _digest(body: Any) -> str:
    """Keyed, because a body may hold a secret that could be guessed."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return salted_hmac("accounts.idempotency", canonical, algorithm="sha256").hexdigest()
