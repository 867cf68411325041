"""PostgreSQL and Redis for the tests: the same embedded servers as `up` uses, one pair for each test process."""

from __future__ import annotations

import os
import shutil

import psycopg
import redis
from psycopg import sql

from solflow.embedded.postgres import DATABASE, SUPERUSER
from tests.environment import FOLDER, POSTGRES, REDIS, SECRETS
from tests.processes import ManagedProcess


class Services:
    """Both servers, which tests may stop and start, and the way back to a database as migrations left it."""

    def __init__(self) -> None:
        self.postgres = _managed(POSTGRES)
        self.redis = _managed(REDIS)
        self._first_rows: dict[str, bytes] = {}

    def start(self) -> None:
        self.postgres.launch()
        self.redis.launch()
        self.postgres.wait_until_ready()
        self.redis.wait_until_ready()
        POSTGRES.provision()

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()
        shutil.rmtree(FOLDER, ignore_errors=True)

    def remember_first_rows(self) -> None:
        """Note what migrations put into tables: content types, the first team, the row about the installation."""
        with _as_superuser() as connection:
            for table in _tables(connection):
                with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
                    rows = b"".join(bytes(block) for block in copy)
                if rows:
                    self._first_rows[table] = rows

    def restore_first_rows(self) -> None:
        """Empty every table and put the first rows back. Sequences go on: an id is never given twice in a test run.

        The superuser does it with triggers off: the application's role may not truncate, the audit table forbids it.
        """
        with _as_superuser() as connection:
            connection.execute("SET lock_timeout = '15s'")
            connection.execute("SET session_replication_role = replica")
            names = sql.SQL(", ").join(map(sql.Identifier, _tables(connection)))
            connection.execute(sql.SQL("TRUNCATE {}").format(names))
            for table, rows in self._first_rows.items():
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(rows)

    def forget_redis(self) -> None:
        """Remove all that a Redis which is not running has on disk: the next start is that of an empty one."""
        assert not self.redis.running
        for path in REDIS.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "redis.conf":
                path.unlink()

    def flush_redis(self) -> None:
        with redis.Redis.from_url(REDIS.url) as client:
            client.flushall()


def _managed(server: type(POSTGRES) | type(REDIS)) -> ManagedProcess:
    return ManagedProcess(
        name=server.name,
        command=server.command,
        environment={"PATH": os.environ["PATH"]},
        log=FOLDER / f"{server.name}.log",
        is_ready=lambda _: server.is_ready(),
        stop_signal=server.stop_signal,
        prepare=server.prepare,
    )


def _as_superuser() -> psycopg.Connection:
    return psycopg.connect(POSTGRES.url(SUPERUSER, SECRETS.postgres_superuser_password, DATABASE))


def _tables(connection: psycopg.Connection) -> list[str]:
    """Every table but the record of migrations; partitions come with their parents."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname <> 'django_migrations' ORDER BY relname"
    )
    return [name for (name,) in rows]
