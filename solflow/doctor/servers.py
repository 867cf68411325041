"""Settings, PostgreSQL, Redis, broker, disk and clocks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from executions import history
from solflow import parts
from solflow.doctor.findings import Check, Finding, fail, ok, warn

TIMEOUT_S = 3.0
DRIVER_ERRORS = (DatabaseError, InterfaceError, RedisError, OperationalError, OSError)
OLDEST_POSTGRES = 140000
CLOCK_SKEW_S = 2.0
MEBIBYTE = 1024 * 1024
LOW_DISK_MIB = 2048
LONG_QUEUE = 1000


class Unreachable(Exception):
    """Something that everything else needs does not answer; the text says which, without its address."""


def environment() -> Iterator[Finding]:
    """The settings were readable, or this would not run; what is left are those that are allowed and unwise."""
    local = settings.SOLFLOW_ENV == "local"
    yield ok("settings", f"SOLFLOW_ENV is {settings.SOLFLOW_ENV}, the network is {settings.SOLANA_NETWORK}")
    if not local and settings.SOLANA_NETWORK == "localnet":
        yield warn(
            "settings",
            "production on localnet: links to explorers lead nowhere",
            "set SOLANA_NETWORK to devnet, testnet or mainnet-beta",
        )
    if not local and len(settings.SOLANA_RPC_URLS) < 2:
        yield warn(
            "settings",
            "one RPC endpoint: when it is away, nothing is seen and nothing lands",
            "name a second, independent one in SOLANA_RPC_URLS (and SOLANA_WS_URLS)",
        )
    if not local and set(settings.ALLOWED_HOSTS) <= {"127.0.0.1", "localhost", "[::1]"}:
        yield warn(
            "settings",
            "the dashboard answers to loopback names only",
            "put its public name into ALLOWED_HOSTS, and its https:// origin into CSRF_TRUSTED_ORIGINS",
        )


def database() -> Iterator[Finding]:
    started_s = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('server_version_num')::int, pg_is_in_recovery()")
            role, version, is_replica = cursor.fetchone()
    except (DatabaseError, InterfaceError, OSError) as error:
        advice = "start PostgreSQL, or correct DATABASE_URL"
        if settings.SOLFLOW_ENV == "local":
            advice = "start SolFlow (`make run`), which brings PostgreSQL along, or correct DATABASE_URL"
        yield fail("database", f"does not answer ({type(error).__name__})", advice)
        return
    milliseconds = (time.monotonic() - started_s) * 1000
    yield ok("database", f"PostgreSQL {version // 10000}.{version % 10000} answers in {milliseconds:.0f} ms")
    if version < OLDEST_POSTGRES:
        yield fail("database", "is older than PostgreSQL 14", "upgrade it")
    if is_replica:
        yield fail("database", "is a read-only replica", "point DATABASE_URL at the primary")
    yield from _roles(role)
    yield from _migrations()


def _roles(role: str) -> Iterator[Finding]:
    """The audit log is append-only for the application's role because that role does not own the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableowner = current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
            " FROM pg_tables WHERE tablename = 'accounts_auditentry'"
        )
        row = cursor.fetchone()
    if row is None:
        return  # no tables yet: the migrations say so
    owns, is_superuser = row
    if owns or is_superuser:
        yield warn(
            "database role",
            f"{role} {'is a superuser' if is_superuser else 'owns the tables'}: whoever takes the application can "
            "switch off the triggers that keep the audit log and the ledger true",
            "give migrations a role of their own in DATABASE_OWNER_URL, and the application one that owns nothing",
        )
    else:
        yield ok("database role", f"{role} does not own the tables")


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{one.app_label}.{one.name}" for one, _ in missing[:3])
        more = ", …" if len(missing) > 3 else ""
        yield fail("migrations", f"{len(missing)} not applied ({names}{more})", "manage.py migrate")
    else:
        yield ok("migrations", "all applied")


def replica() -> Iterator[Finding]:
    """Only where one is set: history pages read it."""
    if "replica" not in connections:
        return
    try:
        behind_s = history.behind_s()
    except (DatabaseError, InterfaceError, OSError) as error:
        yield warn(
            "replica",
            f"does not answer ({type(error).__name__})",
            "start it, or unset DATABASE_REPLICA_URL; until then history is read from the primary",
        )
        return
    if behind_s < history.MOST_BEHIND_S:
        yield ok("replica", f"answers; its newest sign of life is {behind_s:.0f} s old")
    else:
        found = "has no sign of life of a worker or listener"
        if behind_s != float("inf"):
            found = f"its newest sign of life of a worker or listener is {behind_s:.0f} s old"
        yield warn(
            "replica", found, "look at its replication, if those run; until then history is read from the primary"
        )


def redis() -> Iterator[Finding]:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as client:
            started_s = time.monotonic()
            client.ping()
            policy = client.config_get("maxmemory-policy") if settings.REDIS_URL == settings.CELERY_BROKER_URL else {}
    except (RedisError, OSError) as error:
        yield fail("redis", f"does not answer ({type(error).__name__})", "start it, or correct REDIS_URL")
        return
    yield ok("redis", f"answers in {(time.monotonic() - started_s) * 1000:.0f} ms")
    if policy.get("maxmemory-policy", "noeviction") != "noeviction":
        yield warn(
            "redis",
            "evicts keys when memory runs out, and the broker's queues are keys",
            "set maxmemory-policy to noeviction, or give the broker a Redis of its own (CELERY_BROKER_URL)",
        )


def broker() -> Iterator[Finding]:
    try:
        with current_app.connection_for_write(connect_timeout=TIMEOUT_S) as link:
            link.ensure_connection(max_retries=1, timeout=TIMEOUT_S)
            waiting = {name: _length(link, name) for name in parts.QUEUES.split(",")}
    except (OperationalError, RedisError, OSError) as error:
        yield fail("broker", f"does not answer ({type(error).__name__})", "start it, or correct CELERY_BROKER_URL")
        return
    yield ok("broker", "answers; waiting: " + ", ".join(f"{name} {count}" for name, count in waiting.items()))
    if full := [name for name, count in waiting.items() if count > LONG_QUEUE]:
        found = f"long queues: {', '.join(full)}"
        yield warn("broker", found, "start more workers, or look why the ones there are stuck")


# What does not happen while nobody serves a queue.
UNSERVED = {
    "confirmations": "nothing is swept, confirmed or started on schedule",
    "executions": "nothing is filtered or paid",
    "notifications": "nobody is told",
    "maintenance": "the audit log is not sealed, and payments that this database has forgotten are not looked for",
}


def queues() -> Iterator[Finding]:
    """Workers may serve some queues each (docs/operating.md); together they have to serve all."""
    try:
        workers = current_app.control.inspect(timeout=TIMEOUT_S).active_queues()
    except (OperationalError, RedisError, OSError):
        return  # the check of the broker has said so
    if not workers:
        return  # and whether workers are there at all is told by their signs of life
    served = {queue["name"] for one in workers.values() for queue in one}
    for name in parts.QUEUES.split(","):
        if name not in served:
            yield fail(f"queue {name}", f"no worker serves it: {UNSERVED[name]}", f"start one with -Q {name}")


def _length(link: object, queue: str) -> int:
    channel = link.default_channel  # type: ignore[attr-defined]
    return int(channel.queue_declare(queue, passive=False, durable=True).message_count)


def disk() -> Iterator[Finding]:
    folder = Path(settings.DATA_DIR) if Path(settings.DATA_DIR).exists() else Path.cwd()
    free_mib = shutil.disk_usage(folder).free // MEBIBYTE
    if free_mib < LOW_DISK_MIB:
        yield warn("disk", f"{free_mib} MiB left for {folder.name}", "make room: a full disk stops the database")
    else:
        yield ok("disk", f"{free_mib // 1024} GiB free")


def clocks() -> Iterator[Finding]:
    """Leases, windows and signatures of webhooks compare times of several machines."""
    before_s = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float")
        (theirs_s,) = cursor.fetchone()
    ours_s = (before_s + time.time()) / 2
    skew_s = theirs_s - ours_s
    if abs(skew_s) > CLOCK_SKEW_S:
        yield warn("clock", f"the database's clock is {skew_s:+.1f} s from this machine's", "run NTP on both")
    else:
        yield ok("clock", f"within {abs(skew_s) * 1000:.0f} ms of the database's")


CHECKS: tuple[Check, ...] = (environment, database, replica, redis, broker, queues, disk, clocks)
