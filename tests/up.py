"""`manage.py up` as a person runs it: in a terminal of its own, with nothing set, stopped with Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import requests

from solflow.parts import ROOT
from solflow.supervisor.ports import is_free
from tests.environment import DEVELOPERS_OWN
from tests.stack import free_port
from tests.waiting import wait_for

TELLING_WORDS = {
    "postgres": "postgres",
    "redis-server": "redis",
    "chain.local": "chain",
    "uvicorn": "web",
    "worker": "worker",
    "beat": "beat",
    "flower": "flower",
    "listen": "listener",
}


def persons_environment(data_dir: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing but the data directory."""
    unset = {name: value for name, value in os.environ.items() if not name.startswith(DEVELOPERS_OWN)}
    return {**unset, "SOLFLOW_DATA_DIR": str(data_dir)}


class Up:
    """One `up` and what it started."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self.options = options
        self.port, self.rpc_port, self.flower_port = free_port(), free_rpc_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = data_dir.parent / f"{data_dir.name}.out"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def command(self) -> list[str]:
        ports = zip(
            ("--port", "--rpc-port", "--flower-port"), (self.port, self.rpc_port, self.flower_port), strict=True
        )
        return [sys.executable, "manage.py", "up", *(str(word) for pair in ports for word in pair), *self.options]

    def launch(self) -> Up:
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=persons_environment(self.data_dir),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def start(self, timeout_s: float = 90.0) -> Up:
        """When this returns, the banner with the address has been printed."""
        self.launch()
        assert self._process is not None
        wait_for(
            lambda: "SolFlow is running" in self.text() or self._process.poll() is not None, timeout_s, "the banner"
        )
        assert self._process.poll() is None, self.text()
        return self

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def children(self) -> dict[str, psutil.Process]:
        """The running parts by name, without what they started themselves."""
        found = {}
        for process in psutil.Process(self.pid).children():
            try:
                words = {Path(word).name for word in process.cmdline()}
            except psutil.NoSuchProcess:  # it ended while we looked
                continue
            found.update({name: process for word, name in TELLING_WORDS.items() if word in words})
        return found

    def everything(self) -> list[psutil.Process]:
        """All processes below `up`."""
        return psutil.Process(self.pid).children(recursive=True)

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends it to the whole group."""
        os.killpg(self.pid, signal.SIGINT)

    def wait(self, timeout_s: float = 40.0) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """kill -9 for `up` alone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """For the end of a test: whatever state it is in, nothing remains."""
        if not self.running:
            return
        below = self.everything()
        self.kill()
        for process in below:
            if process.is_running():
                process.kill()

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another `manage.py` command, told nothing but the data directory."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=persons_environment(self.data_dir),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def free_rpc_port() -> int:
    """A free port whose neighbour is free too."""
    while True:
        port = free_port()
        if is_free(port + 1):
            return port


def still_running(processes: Sequence[psutil.Process], timeout_s: float = 10.0) -> list[psutil.Process]:
    """Those that still run after `timeout_s`. A zombie whose parent died with it counts as gone."""
    deadline = time.monotonic() + timeout_s
    while left := [process for process in processes if runs(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
