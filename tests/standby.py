"""A real streaming replica of the tests' PostgreSQL, which tests can hold back and stop."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from solflow import env
from solflow.embedded.account import account_for, make_folder, run_as
from solflow.embedded.postgres import NEWEST_VERSION, Postgres, binaries
from tests.environment import FOLDER, POSTGRES, SECRETS
from tests.processes import ManagedProcess


class Standby:
    """Follows the primary from `start` on; `read_on` and `hold` begin and stop the replay of what arrives."""

    def __init__(self) -> None:
        folder = FOLDER / "standby"
        folder.mkdir(exist_ok=True)
        self._server = Postgres(folder, SECRETS, settings={"fsync": "off", "hot_standby": "on"})
        self._process = ManagedProcess(
            name="standby",
            command=self._server.command,
            environment={"PATH": os.environ["PATH"]},
            log=folder / "standby.log",
            is_ready=lambda _: self._server.is_ready(),
            stop_signal=self._server.stop_signal,
            prepare=self._server.prepare,
        )

    def start(self) -> None:
        if not self._server.cluster.exists():
            copy = [str(binaries(NEWEST_VERSION) / "pg_basebackup"), "-D", str(self._server.cluster)]
            copy += ["-R", "-X", "stream", "-c", "fast", "-d", POSTGRES.superuser_url]
            account = account_for(POSTGRES.cluster)
            make_folder(self._server.cluster, account)
            subprocess.run(run_as(account, copy), check=True, capture_output=True)
        self._process.start()

    def stop(self) -> None:
        self._process.stop()

    def hold(self) -> None:
        self._tell("SELECT pg_wal_replay_pause()")

    def read_on(self) -> None:
        self._tell("SELECT pg_wal_replay_resume()")

    @contextmanager
    def as_replica(self) -> Iterator[None]:
        """This process's DATABASE_REPLICA_URL."""
        os.environ["DATABASE_REPLICA_URL"] = self._server.application_url
        told: dict[str, Any] = {**connections.settings["default"], **env.database("DATABASE_REPLICA_URL")}
        connections.settings["replica"] = told
        try:
            yield
        finally:
            connections["replica"].close()
            del connections["replica"], connections.settings["replica"], os.environ["DATABASE_REPLICA_URL"]

    def _tell(self, statement: str) -> None:
        with psycopg.connect(self._server.superuser_url, autocommit=True) as connection:
            connection.execute(statement)
