"""`manage.py up`: the whole of SolFlow on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from solflow.environment import Ports
from solflow.installation import NAMES, LocalInstallation, Wanted
from solflow.supervisor.console import Console
from solflow.supervisor.part import StartError
from solflow.supervisor.ports import PortError, check_ports

# One Ctrl-C may arrive twice, from the terminal and from `make`: only a later one is a second.
SAME_INTERRUPT_S = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Run all of SolFlow here: databases, local chain, web, worker, beat, listener, Flower. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="of the dashboard and the API (8000)")
        parser.add_argument("--rpc-port", type=port, default=8899, help="of the local chain; WebSocket on the next")
        parser.add_argument("--flower-port", type=port, default=5555, help="of Flower (5555)")
        parser.add_argument("--data-dir", help="where everything is kept (SOLFLOW_DATA_DIR, or .solflow)")
        parser.add_argument("--no-demo", action="store_true", help="do not make the demo workflow")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Wanted(
            data_dir=settings.DATA_DIR,
            ports=Ports(web=options["port"], rpc=options["rpc_port"], flower=options["flower_port"]),
            demo=settings.LOCAL and not options["no_demo"],
        )
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        console = Console(NAMES, wanted.data_dir / "logs", coloured=coloured)
        try:
            installation = LocalInstallation(wanted, os.environ, console)
            check_ports(installation.wanted_ports())
            asyncio.run(Run(installation, console).until_stopped())
        except (PortError, StartError) as error:
            raise CommandError(str(error)) from None


def port(text: str) -> int:
    """A port number; the local chain also needs the one after it."""
    if not text.isdecimal() or not 1 <= int(text) <= 65534:
        raise ArgumentTypeError("must be a port number from 1 to 65534")
    return int(text)


class Run:
    """Start, wait for a signal, stop."""

    def __init__(self, installation: LocalInstallation, console: Console) -> None:
        self.installation = installation
        self.console = console
        self._asked = asyncio.Event()
        self._asked_at = 0.0

    async def until_stopped(self) -> None:
        """Return when a signal has stopped everything; if it cannot start: stop what did, then raise StartError."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._on_signal)
        bringing_up = asyncio.create_task(self._bring_up(), name="bring up")
        asked = asyncio.create_task(self._asked.wait(), name="wait for a signal")
        try:
            await asyncio.wait([bringing_up, asked], return_when=asyncio.FIRST_COMPLETED)
            if bringing_up.done():
                bringing_up.result()
            await asked
        finally:
            self.console.say("up", "stopping")
            bringing_up.cancel()
            asked.cancel()
            await asyncio.wait([bringing_up])
            await self.installation.stop()
            self.console.say("up", "stopped")

    async def _bring_up(self) -> None:
        first = await self.installation.start()
        await self.installation.until_ready()
        self.console.show(banner(self.installation, first))
        if self.installation.wanted.demo:
            await self.installation.seed_demo()

    def _on_signal(self) -> None:
        now = time.monotonic()
        if not self._asked.is_set():
            self._asked_at = now
            self._asked.set()
        elif now - self._asked_at > SAME_INTERRUPT_S:
            self.installation.supervisor.force()


def banner(installation: LocalInstallation, first: bool) -> str:
    """The addresses, and the login: its password is shown once."""
    wanted, full = installation.wanted, installation.full
    address = f"http://127.0.0.1:{wanted.ports.web}"
    kept = shortened(wanted.data_dir / "secrets.json")
    password = installation.secrets.admin_password
    login = f"admin / {password}   (kept in {kept})" if first else "admin"
    if installation.postgres and not first:  # in another database the user may be of another directory's making
        login += f", the password is in {kept}"
    rows = [
        ("Dashboard", f"{address}/"),
        ("Login", login),
        ("API docs", f"{address}/api/docs/"),
        *([("Inbox", f"{address}/inbox/")] if full.get("SOLFLOW_INBOX") == "1" else []),
        ("Flower", f"{full['FLOWER_URL']}/   (same login)"),
        ("Logs", f"{shortened(wanted.data_dir / 'logs')}/"),
    ]
    lines = [f"  {name:<10} {text}" for name, text in rows]
    return "\n".join(["", "  SolFlow is running. Ctrl-C stops it.", "", *lines, ""])


def shortened(path: Path) -> str:
    """Relative to where we are, if that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
