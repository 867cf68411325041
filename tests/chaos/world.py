"""The processes of a chaos run: kept alive by one thread, taken down by others.

Whatever dies is started again, as a supervisor does. Only `tend` starts processes: they are tied to the thread that
started them, and a fault's thread may end before the run does.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, Signals

from tests.chaos.receiver import Receiver
from tests.environment import FOLDER
from tests.local_chain import LocalChain
from tests.processes import ManagedProcess
from tests.services import Services
from tests.stack import Stack

# Faults are limited to these paths of the chain's one HTTP port: SolFlow sees two endpoints with troubles of their own,
# while the load and the final sums ask the chain itself.
PREFERRED, SECOND = "/preferred", "/second"
RESTART_S = 0.5
LOG_BYTES = 16 * 1024 * 1024
STORES = ("postgres", "redis")
PARTS = ("web", "worker", "beat", "listener")


@dataclass(slots=True)
class _Kept:
    """A process that ought to run, from `due_s` (monotonic) on, told `environment` at its next start. `may_end`: this
    life of it was told to."""

    process: ManagedProcess
    due_s: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], None] | None = None
    starts: int = 0
    may_end: bool = False


class World:
    """A chain, a receiver of messages, PostgreSQL, Redis and all parts of SolFlow, in one folder."""

    def __init__(self, *, slot_ms: int, time_scale: float) -> None:
        self.services = Services()
        self.chain = LocalChain(slot_ms=slot_ms)
        self.receiver = Receiver()
        self.folder = FOLDER / "chaos"
        self.folder.mkdir()
        self.quiet = threading.Event()
        self.time_scale = time_scale
        # Processes that ended although nobody had told them to, with the code that they ended with.
        self.ended: list[str] = []
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.RLock()

    def open(self) -> Stack:
        """Start the chain, PostgreSQL and Redis; returns SolFlow's processes, none started yet."""
        self.chain.start()
        self.services.start()
        endpoints = ",".join(self.chain.rpc_url + path for path in (PREFERRED, SECOND))
        sockets = ",".join([self.chain.ws_url] * 2)
        self.stack = Stack(
            self.chain,
            self.receiver,
            self.folder,
            time_scale=self.time_scale,
            SOLANA_RPC_URLS=endpoints,
            SOLANA_WS_URLS=sockets,
            SOLANA_RPC_TIMEOUT_S="3",
            WORKER_CONCURRENCY="4",
        )
        for process in (self.services.postgres, self.services.redis):
            self._kept[process.name] = _Kept(process, starts=1)
        return self.stack

    def start_parts(self) -> None:
        """Start web, worker, beat and listener, and wait until they are ready."""
        self.stack.start()
        for process in self.stack.processes:
            self._kept[process.name] = _Kept(process, starts=1)

    def close(self) -> None:
        """Stop everything."""
        self.stack.kill_all()
        self.services.postgres.kill()
        self.services.redis.kill()
        self.chain.stop()
        self.receiver.close()

    # What faults do

    def take_down(
        self,
        name: str,
        signal: Signals = SIGKILL,
        *,
        down_s: float = RESTART_S,
        meanwhile: Callable[[], None] | None = None,
        **environment: str,
    ) -> None:
        """End a process by `signal`; after `down_s` it is started again, told `environment` for this one life.

        `meanwhile` runs just before the start, when the process is surely gone.
        """
        with self._lock:
            kept = self._kept[name]
            if kept.process.running:
                kept.process.send(signal)
            kept.due_s, kept.may_end = time.monotonic() + down_s, True
            kept.environment, kept.meanwhile = environment, meanwhile

    def add(self, process: ManagedProcess) -> None:
        """Keep one more process from now on."""
        with self._lock:
            self._kept[process.name] = _Kept(process)

    def remove(self, process: ManagedProcess) -> None:
        """kill -9 for a process that was added, and no more of it."""
        with self._lock:
            del self._kept[process.name]
            if process.running:
                process.kill()

    # What the run does

    def tend(self) -> None:
        """Start again what has died. Called again and again by the thread that lives longest."""
        with self._lock:
            for kept in self._kept.values():
                self._tend(kept)

    def _tend(self, kept: _Kept) -> None:
        if kept.process.running:
            _bound(kept.process.log)
            return
        now_s = time.monotonic()
        if kept.due_s <= 0:
            kept.due_s = now_s + (RESTART_S if kept.starts else 0)
            if kept.starts and not kept.may_end:
                self.ended.append(f"{kept.process.name}: code {kept.process.wait_until_dead()}")
        if now_s < kept.due_s:
            return
        if kept.starts:
            kept.process.kill()  # what it left in its group
        if kept.meanwhile is not None:
            kept.meanwhile()
        kept.process.launch(**kept.environment)
        kept.may_end = bool(kept.environment)
        kept.environment, kept.meanwhile, kept.due_s = {}, None, 0.0
        kept.starts += 1

    def restarts(self) -> dict[str, int]:
        """How often each process was started again."""
        return {name: kept.starts - 1 for name, kept in self._kept.items()}

    def calm(self) -> None:
        """End what is still armed to crash, so that it starts again unarmed."""
        for name in ("worker", "listener"):
            self.take_down(name)

    def keep_logs(self, folder: Path) -> None:
        """Copy what every process wrote."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in [*self.folder.glob("*.log*"), *FOLDER.glob("*.log*")]:
            shutil.copy(log, folder / log.name)


def _bound(log: Path) -> None:
    """A log keeps its last one to two times LOG_BYTES. The writer appends, so cutting to nothing is safe."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        shutil.copy(log, log.with_suffix(".log.1"))
        with log.open("r+b") as written:
            written.truncate(0)
