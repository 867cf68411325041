"""SolFlow's real processes on a benchmark's servers, and what they use of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.processes import ManagedProcess

ALL = ("web", "worker", "beat", "listener")
ENGINE = ("worker", "beat", "listener")


@contextmanager
def running(*names: str) -> Iterator[dict[str, ManagedProcess]]:
    """The named ones, ready. Use it within `benchmarks.servers.servers`, whose settings they get."""
    from solflow import parts
    from solflow.probes import answers_ok
    from tests.stack import free_port, listener_beats

    port = free_port()
    with TemporaryDirectory(prefix="solflow-bench-") as name:
        folder = Path(name)
        worker, beat = [*parts.worker(), "-I", "benchmarks.noop"], parts.beat(folder / "schedule")
        environment = dict(os.environ)
        known = {
            # A worker says that it is ready at the level INFO.
            "worker": ManagedProcess(
                "worker", lambda: worker, environment | {"LOG_LEVEL": "INFO"}, folder / "worker.log", says_ready
            ),
            "beat": ManagedProcess("beat", lambda: beat, environment, folder / "beat.log", lambda _: True),
            "listener": ManagedProcess(
                "listener", parts.listener, environment, folder / "listener.log", listener_beats
            ),
            "web": ManagedProcess(
                *("web", lambda: parts.web(port), environment, folder / "web.log"),
                lambda _: answers_ok(f"http://127.0.0.1:{port}/healthz"),
            ),
        }
        chosen = {name: known[name] for name in names}
        try:
            for process in chosen.values():
                process.start()
            yield chosen
        finally:
            for process in chosen.values():
                process.kill()


def says_ready(worker: ManagedProcess) -> bool:
    return " ready." in worker.output()


def cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far, of each process and those below it."""
    return {name: sum(_cpu_s(process) for process in _tree(pid)) for name, pid in pids.items()}


def memory_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """Memory of each process and those below it; what several share counts once among them."""
    return {name: sum(_pss(process) for process in _tree(pid)) / 2**20 for name, pid in pids.items()}


def _tree(pid: int) -> Sequence[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _pss(process: psutil.Process) -> float:
    info = process.memory_full_info()
    return float(getattr(info, "pss", info.uss))


def database_connections() -> int:
    """How many the database has, without this one."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
    return int(count)
