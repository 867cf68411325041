"""PostgreSQL, Redis and the local chain for a benchmark: throw-away, with PostgreSQL's default durability.

Use it before anything of Django is imported: it sets the environment that the settings are read from.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from solflow import datadir, generated
from solflow.embedded.postgres import Postgres
from solflow.embedded.redis import Redis
from tests.local_chain import LocalChain
from tests.processes import ManagedProcess

OURS = ("SOLFLOW", "DATABASE", "REDIS", "CELERY", "SOLANA", "FIELD_ENCRYPTION", "SECRET_KEY")


@contextmanager
def servers(*, ws_url: str | None = None, **postgres_settings: str) -> Iterator[LocalChain]:
    """Start them and set up Django on them; `ws_url` is a PubSub server other than the chain's own."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="solflow-bench-"))
    secrets = generated.load_or_generate(folder / "secrets.json")
    postgres, redis = Postgres(folder, secrets, settings=postgres_settings), Redis(folder, secrets)
    processes = [_process(postgres, folder), _process(redis, folder)]
    try:
        for process in processes:
            process.start()
        postgres.provision()
        with LocalChain() as chain:
            _set_up(folder, secrets, postgres, redis, chain, ws_url or chain.ws_url)
            yield chain
    finally:
        for process in reversed(processes):
            process.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _process(server: Postgres | Redis, folder: Path) -> ManagedProcess:
    return ManagedProcess(
        name=server.name,
        command=server.command,
        environment={"PATH": os.environ["PATH"]},
        log=folder / f"{server.name}.log",
        is_ready=lambda _: server.is_ready(),
        stop_signal=signal.Signals(server.stop_signal),
        prepare=server.prepare,
    )


def _set_up(
    folder: Path, secrets: generated.Secrets, postgres: Postgres, redis: Redis, chain: LocalChain, ws_url: str
) -> None:
    os.environ.update(
        {
            datadir.SUPERVISED: "1",
            "DJANGO_SETTINGS_MODULE": "solflow.settings",
            "SOLFLOW_ENV": "local",
            "SOLFLOW_DATA_DIR": str(folder),
            "SECRET_KEY": secrets.secret_key,
            "FIELD_ENCRYPTION_KEYS": secrets.field_encryption_key,
            "FIELD_ENCRYPTION_PUBLIC_KEY": secrets.field_encryption_public_key,
            "DATABASE_URL": postgres.application_url,
            "DATABASE_OWNER_URL": postgres.owner_url,
            "REDIS_URL": redis.url,
            "CELERY_BROKER_URL": redis.broker_url,
            "SOLANA_RPC_URLS": chain.rpc_url,
            "SOLANA_WS_URLS": ws_url,
            "LOG_LEVEL": "WARNING",
        }
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", database="owner", interactive=False, verbosity=0, skip_checks=True)
