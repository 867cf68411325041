"""Sessions in the database, by the SHA-256 of their keys, so that whoever reads the table can use none of them.

Beside its data each row says whose it is, whence and with what, which is what people see of their sessions.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import addresses
from accounts.models import Session

SEEN = "seen"
# Once a minute is enough, and keeps reading pages from writing each time.
RESOLUTION_S = 60
LONGEST_DEVICE = 200


def digest_of(session_key: str) -> str:
    """What is kept of a session's key, as long as Django's column."""
    return sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(DatabaseSessions):
    """Django's, with digests for keys. Named in SESSION_ENGINE."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.session_key = digest_of(row.session_key)
        seen = data.get(SEEN, {})
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.address, row.device = seen.get("address"), seen.get("device", "")
        row.seen_at = datetime.fromtimestamp(seen["at"], UTC) if seen else None
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        await self._aget_or_create_session_key()  # type: ignore[attr-defined]
        return self.create_model_instance(data)

    def _get_session_from_db(self) -> Session | None:
        return self._known(self._rows().first())

    async def _aget_session_from_db(self) -> Session | None:
        return self._known(await self._rows().afirst())

    def _rows(self) -> QuerySet[Session]:
        return Session.objects.filter(session_key=digest_of(self.session_key or ""), expire_date__gt=timezone.now())

    def _known(self, row: Session | None) -> Session | None:
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str | None = None) -> bool:
        return super().exists(digest_of(session_key or ""))

    async def aexists(self, session_key: str | None = None) -> bool:
        return await super().aexists(digest_of(session_key or ""))

    def delete(self, session_key: str | None = None) -> None:
        Session.objects.filter(session_key=digest_of(session_key or self.session_key or "")).delete()

    async def adelete(self, session_key: str | None = None) -> None:
        await Session.objects.filter(session_key=digest_of(session_key or self.session_key or "")).adelete()


def note(request: HttpRequest) -> None:
    """Write into the session whence and with what it is used, unless that was said within the last minute."""
    if SESSION_KEY not in request.session or time.time() - request.session.get(SEEN, {}).get("at", 0) < RESOLUTION_S:
        return
    device = request.headers.get("User-Agent", "").replace("\x00", "")[:LONGEST_DEVICE]
    request.session[SEEN] = {"at": int(time.time()), "address": addresses.of(request), "device": device}


def sessions_of(user: User) -> QuerySet[Session]:
    """Those that are valid, the one used last first."""
    return Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at")


def current(request: HttpRequest) -> str:
    """The digest of the session that asks."""
    return digest_of(request.session.session_key or "")
