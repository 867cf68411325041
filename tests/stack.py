"""A whole SolFlow for acceptance tests: its real processes on free ports, which tests kill, stop and start."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGQUIT
from typing import Any

import requests
from django.contrib.auth import get_user_model

from accounts.actors import system
from accounts.services import default_team, token_create, user_ensure
from executions.models import Heartbeat
from solflow import environment, parts
from solflow.probes import answers_ok
from tests.http_stub import HttpStub
from tests.local_chain import LocalChain
from tests.processes import ManagedProcess

PASSWORD = "correct horse battery staple"
EVERYTHING = ("web", "worker", "beat", "listener")


class Stack:
    """Web, worker, beat and listener on this test's database, Redis, chain and receiver of messages.

    `stack.start()` starts all four; `stack.start("worker", SOLFLOW_CRASH_AT="signed")` one, told something more.
    `stack.worker.kill()` is kill -9. `time_scale` shortens windows, ladders and leases; every process is told
    `more_environment` too.
    """

    def __init__(
        self, chain: LocalChain, receiver: HttpStub, folder: Path, time_scale: float = 0.1, **more_environment: str
    ) -> None:
        self.chain = chain
        self.receiver = receiver
        self.folder = folder
        self.web_port = free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self._numbers = itertools.count(2)
        told = {
            **os.environ,
            "SOLANA_RPC_URLS": chain.rpc_url,
            "SOLANA_WS_URLS": chain.ws_url,
            "SOLFLOW_TEST_TIME_SCALE": str(time_scale),
            "OUTBOUND_ALLOWED_HOSTS": f"{receiver.host},127.0.0.1:{self.web_port}",
            "PYTHONUNBUFFERED": "1",
            **more_environment,
        }
        self._worker_environment = environment.for_worker(told)
        self._others_environment = environment.for_others(told)
        self.processes: list[ManagedProcess] = []
        self.web = self._process("web", parts.web(self.web_port), lambda _: answers_ok(f"{self.url}/healthz"))
        self.worker = self.another_worker("worker")
        self.beat = self.another_beat("beat")
        self.listener = self.another_listener("listener")

    def start(self, *names: str, **more_environment: str) -> Stack:
        """Start the named processes side by side, all without a name; when this returns they are ready."""
        chosen = [process for process in self.processes if process.name in (names or EVERYTHING)]
        for process in chosen:
            process.launch(**more_environment)
        for process in chosen:
            process.wait_until_ready()
        return self

    def another_worker(self, name: str = "", queues: str = parts.QUEUES) -> ManagedProcess:
        """One more worker, not started yet."""
        name = name or f"worker{next(self._numbers)}"
        process = self._process(name, parts.worker(name, queues), lambda worker: " ready." in worker.output())
        process.environment = self._worker_environment
        process.stop_signal = SIGQUIT
        return process

    def another_listener(self, name: str = "") -> ManagedProcess:
        """One more listener for the same shard, not started yet."""
        return self._process(name or f"listener{next(self._numbers)}", parts.listener(), listener_beats)

    def another_beat(self, name: str = "") -> ManagedProcess:
        """One more beat, not started yet."""
        name = name or f"beat{next(self._numbers)}"
        return self._process(name, parts.beat(self.folder / f"{name}-schedule"), lambda _: True)

    def kill_all(self) -> None:
        """kill -9 for every process. The design has no other way to end: what a clean stop saves is only time."""
        for process in self.processes:
            if process.running:
                process.kill()

    def logs(self) -> str:
        """The end of what every process wrote, for a test that failed."""
        return "\n".join(f"--- {process.name}\n{process.tail()}" for process in self.processes if process.log.exists())

    def api(self) -> ApiClient:
        """A client of the API with a new token of the user `admin`, who is made if need be."""
        user_ensure(username="admin", password=PASSWORD)
        user = get_user_model().objects.get(username="admin")
        _, token = token_create(actor=system(default_team(), "test"), user=user, name="test")
        return ApiClient(self.url, token)

    def _process(self, name: str, command: list[str], is_ready: Callable[[ManagedProcess], bool]) -> ManagedProcess:
        log = self.folder / f"{name}.log"
        process = ManagedProcess(name, lambda: command, self._others_environment, log, is_ready)
        self.processes.append(process)
        return process


class ApiClient:
    """The REST API as a program uses it: `api.post("workflows/", {...})` answers the parsed body."""

    def __init__(self, url: str, token: str) -> None:
        self.base = f"{url}/api/v1/"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"

    def call(self, method: str, path: str, body: Any = None, expect: int | None = None, **headers: str) -> Any:
        """The answer's JSON, None where there is none. AssertionError unless it is `expect`, or any 2xx."""
        response = self.session.request(method, self.base + path, json=body, headers=headers, timeout=30)
        right = response.status_code == expect if expect else response.ok
        assert right, f"{method} {path} answered {response.status_code}: {response.text[:2000]}"
        return response.json() if response.content else None

    def get(self, path: str, expect: int | None = None) -> Any:
        return self.call("GET", path, expect=expect)

    def post(self, path: str, body: Any = None, expect: int | None = None, **headers: str) -> Any:
        return self.call("POST", path, body, expect, **headers)

    def patch(self, path: str, body: Any, expect: int | None = None) -> Any:
        return self.call("PATCH", path, body, expect)

    def delete(self, path: str, expect: int | None = None) -> Any:
        return self.call("DELETE", path, expect=expect)


def listener_beats(process: ManagedProcess) -> bool:
    """Whether a listener has written a sign of life since this process was launched."""
    started = datetime.fromtimestamp(process.started_at, UTC)
    return Heartbeat.objects.filter(kind="listener", at__gt=started).exists()


def free_port() -> int:
    """A port that is free now, outside the range from which the system gives ports to outgoing connections."""
    for _ in range(100):
        port = int.from_bytes(os.urandom(2)) % 15_000 + 10_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port found")
