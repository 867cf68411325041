"""A cursor for the statements that every event passes through: PostgreSQL parses and plans them once a connection.

Django sends text with the values written into it, and planning such a statement costs as much as running it. Everything
else goes through Django's own cursor.

1. Values are bound by the server, so a type that cannot be told is written in the statement (`%s::bigint[]`).
2. A plan that was made for small tables would live on while they grow, until the next ANALYZE: plans are thrown away
   now and then.
3. Behind a transaction pooler (`DATABASE_DIRECT_URL` is set) nothing is prepared, and this is a cursor like others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

PLANS_LIVE_S = 30.0

_planned_at: WeakKeyDictionary[psycopg.Connection[Any], float] = WeakKeyDictionary()


@contextmanager
def prepared_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor on this thread's connection, in its transaction if there is one. Raises Django's database errors."""
    # Opens or replaces the connection as Django would, and refuses a thread or a transaction that may not use it.
    with connection.cursor(), connection.wrap_database_errors:
        connection.validate_no_broken_transaction()
        raw: psycopg.Connection[Any] = connection.connection
        with psycopg.Cursor(raw) as cursor:
            if time.monotonic() - _planned_at.setdefault(raw, time.monotonic()) > PLANS_LIVE_S:
                _planned_at[raw] = time.monotonic()
                cursor.execute("DISCARD PLANS")
            yield cursor
