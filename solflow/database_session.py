"""The database for one command: whoever runs it, or the embedded server, started for as long as that takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections

from solflow import datadir, generated
from solflow.embedded.postgres import Postgres
from solflow.embedded.session import running


@contextmanager
def database_at_hand() -> Iterator[bool]:
    """The database can be asked while the block runs. True when it was started for that: then nobody else uses it.

    The data directory's lock is held then, so that no `up` begins meanwhile; one that is beginning ends this command
    with one line. Raises solflow.embedded.errors.EmbeddedError when the server does not start.
    """
    server = _embedded()
    if server is None or (server.cluster.exists() and server.is_ready()):
        yield False
        return
    datadir.take(settings.DATA_DIR)
    with running(server):
        try:
            yield True
        finally:
            connections.close_all()


def _embedded() -> Postgres | None:
    """The embedded server of the data directory, if that is what DATABASE_URL names."""
    kept = settings.DATA_DIR / "secrets.json"
    if not kept.exists():
        return None
    server = Postgres(settings.DATA_DIR, generated.load_or_generate(kept))
    return server if server.application_url == settings.DATABASE_URL else None
