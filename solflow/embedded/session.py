"""The embedded PostgreSQL for the time of one command, when no `up` runs it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from solflow.embedded.errors import EmbeddedError
from solflow.embedded.postgres import Postgres
from solflow.embedded.sockets import remove_socket_folder
from solflow.environment import for_servers
from solflow.supervisor.lifeline import tied_to_us

START_TIMEOUT_S = 60.0
LOG = "postgres.log"


@contextmanager
def running(server: Postgres) -> Iterator[None]:
    """The server answers while the block runs; it is started and stopped here unless somebody else runs it.

    The caller holds the data directory's lock, or leaves the starting to whoever does.

    Raises:
        EmbeddedError: it does not start; the text says where its log is.
    """
    if server.cluster.exists() and server.is_ready():
        yield
        return
    server.prepare()
    logs = server.data_dir / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    with (logs / LOG).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603
            tied_to_us(server.command(), server.force_signal),
            cwd=server.data_dir,
            env=for_servers(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the command, which then stops the server.
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, process, logs / LOG)
        server.provision()
        yield
    finally:
        _stop(server, process)
        remove_socket_folder(server.data_dir)


def _wait_until_ready(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + START_TIMEOUT_S
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > ends_at:
            raise EmbeddedError(f"the embedded PostgreSQL does not start; its log is {log}")
        time.sleep(0.1)


def _stop(server: Postgres, process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(server.stop_signal)
    try:
        process.wait(server.stop_timeout_s)
    except subprocess.TimeoutExpired:
        process.send_signal(server.force_signal)
        process.wait()
