"""One run of a whole SolFlow on this machine: which parts, in which order up, in which order down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from signal import SIGQUIT

from django.core.management import call_command
from django.db import DatabaseError, connections

from accounts import selectors as accounts
from accounts.services import user_ensure
from executions.models import Heartbeat
from solflow import environment, epoch, generated, parts
from solflow.datadir import named, remember
from solflow.embedded.postgres import Postgres
from solflow.embedded.redis import Redis
from solflow.embedded.sockets import remove_socket_folder
from solflow.environment import Ports
from solflow.probes import answers_ok, chain_is_healthy
from solflow.supervisor.console import Console
from solflow.supervisor.part import PartSpec
from solflow.supervisor.supervisor import Supervisor

NAMES = ("up", "postgres", "redis", "chain", "web", "worker", "beat", "listener", "flower", "demo")
# Who makes work stops before who does it, who does it before who keeps it.
STOP_ORDER = (("demo",), ("listener", "beat", "web", "flower"), ("worker",), ("chain",), ("redis",), ("postgres",))
SERVER_START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Wanted:
    """What `up` was asked for."""

    data_dir: Path
    ports: Ports
    demo: bool


class LocalInstallation:
    """The parts of one `up`, in one event loop."""

    def __init__(self, wanted: Wanted, environ: Mapping[str, str], console: Console) -> None:
        self.wanted = wanted
        self.console = console
        self.secrets = generated.load_or_generate(wanted.data_dir / "secrets.json")
        self.full = environment.complete(environ, wanted.ports)
        self.runs_chain = not named(environ, "SOLANA_RPC_URLS")
        self.postgres = self._embedded_postgres(environ)
        self.redis = self._embedded_redis(environ)
        self.supervisor = Supervisor(console)
        self.started_at = datetime.now(UTC)

    def _embedded_postgres(self, environ: Mapping[str, str]) -> Postgres | None:
        server = Postgres(self.wanted.data_dir, self.secrets)
        return server if environ.get("DATABASE_URL") == server.application_url else None

    def _embedded_redis(self, environ: Mapping[str, str]) -> Redis | None:
        server = Redis(self.wanted.data_dir, self.secrets)
        return server if environ.get("REDIS_URL") == server.url else None

    def wanted_ports(self) -> dict[str, int]:
        """Every port that will be listened on, by what it is for."""
        ports = self.wanted.ports
        chain = {"--rpc-port": ports.rpc, "the WebSocket, --rpc-port + 1": ports.websocket} if self.runs_chain else {}
        return {"--port": ports.web, **chain, "--flower-port": ports.flower}

    async def start(self) -> bool:
        """Start everything; True when this was the first start, which made the user `admin`."""
        remember(self.wanted.data_dir, environment.to_remember(self.full))
        (self.wanted.data_dir / "static").mkdir(exist_ok=True)  # whitenoise warns where it is missing
        await self.supervisor.start_and_wait(self._servers(), SERVER_START_TIMEOUT_S)
        if self.postgres:
            await asyncio.to_thread(self.postgres.provision)
        first = await asyncio.to_thread(self._prepare_database)
        for spec in self._processes():
            self.supervisor.start(spec)
        return first

    async def stop(self) -> None:
        """Stop everything that was started, in order."""
        await self.supervisor.stop(STOP_ORDER)
        remove_socket_folder(self.wanted.data_dir)

    async def until_ready(self) -> None:
        """Return when worker and listener have given a sign of life since the start and /readyz answers 200."""
        url = f"http://127.0.0.1:{self.wanted.ports.web}/readyz"
        # Nobody tells us, we have to ask. /readyz last: it logs every time that it has to say no.
        while not await asyncio.to_thread(self._all_seen):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        while not await asyncio.to_thread(answers_ok, url):  # noqa: ASYNC110
            await asyncio.sleep(0.5)

    async def seed_demo(self) -> None:
        """Run `manage.py seed_demo`, whose output appears as the part `demo`; the same again adds nothing."""
        told = environment.for_others(self.full)
        seeding = PartSpec("demo", partial(parts.manage, "seed_demo"), told, parts.ROOT, restarts=False)
        await self.supervisor.start(seeding).until_over()

    def _all_seen(self) -> bool:
        try:
            seen = Heartbeat.objects.filter(at__gte=self.started_at).values_list("kind", flat=True)
            return {"worker", "listener"} <= set(seen)
        except DatabaseError:
            return False  # it is being started again
        finally:
            connections.close_all()

    def _prepare_database(self) -> bool:
        try:
            # --skip-checks: `up` has loaded the settings, and the web process checks them again.
            call_command("migrate", database="owner", interactive=False, verbosity=0, skip_checks=True)
            epoch.check(self.wanted.data_dir)
            row = accounts.installation()
            if row.paused_at is not None:
                self.console.say("up", f"everything is paused: {row.paused_reason or 'no reason given'}")
            return user_ensure(username="admin", password=self.secrets.admin_password)
        finally:
            connections.close_all()

    def _servers(self) -> list[PartSpec]:
        bare, folder = environment.for_servers(self.full), self.wanted.data_dir
        specs = [
            PartSpec(
                name=server.name,
                command=server.command,
                environment=bare,
                folder=folder,
                prepare=server.prepare,
                is_ready=server.is_ready,
                stop_signal=server.stop_signal,
                force_signal=server.force_signal,
                stop_timeout_s=server.stop_timeout_s,
            )
            for server in (self.postgres, self.redis)
            if server
        ]
        if self.runs_chain:
            port = self.wanted.ports.rpc
            command = partial(parts.chain, port, folder / "chain")
            specs.append(PartSpec("chain", command, bare, parts.ROOT, is_ready=partial(chain_is_healthy, port)))
        return specs

    def _processes(self) -> list[PartSpec]:
        ports, folder = self.wanted.ports, self.wanted.data_dir
        worker, others = environment.for_worker(self.full), environment.for_others(self.full)
        flower = environment.for_flower(self.full, self.secrets.admin_password)
        return [
            PartSpec("web", partial(parts.web, ports.web), others, parts.ROOT),
            # SIGQUIT begins Celery's soft shutdown: running tasks get 10 s, then their messages go back.
            PartSpec("worker", parts.worker, worker, parts.ROOT, stop_signal=SIGQUIT, stop_timeout_s=12.0),
            PartSpec("beat", partial(parts.beat, folder / "beat-schedule"), others, parts.ROOT),
            PartSpec("listener", parts.listener, others, parts.ROOT),
            PartSpec("flower", partial(parts.flower, ports.flower), flower, parts.ROOT),
        ]
