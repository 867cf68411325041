"""The parts that SolFlow consists of, as command lines. `up` runs all of them, the Procfiles and tests some."""

from __future__ import annotations

import sys
from pathlib import Path

# Root is warned by Celery at every start; whoever runs all of this as root has decided that already.
CELERY = (sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "-A", "solflow", "--quiet")
ROOT = Path(__file__).resolve().parent.parent
# Served in this order: what is in flight on the chain comes before what is new.
QUEUES = "confirmations,executions,notifications,maintenance"


def chain(rpc_port: int, folder: Path | None) -> list[str]:
    where = ["--data-dir", str(folder)] if folder else []
    return [sys.executable, "-m", "chain.local", "--rpc-port", str(rpc_port), *where]


def web(port: int) -> list[str]:
    # Live pages hold their connections for ever: after 3 s a stopping server cuts them.
    return [
        *(sys.executable, "-m", "uvicorn", "solflow.asgi:application", "--host", "127.0.0.1", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--timeout-graceful-shutdown", "3"),
        *("--log-level", "warning", "--no-access-log", "--no-server-header"),
    ]


def worker(name: str = "worker", queues: str = QUEUES) -> list[str]:
    return [
        *(*CELERY, "worker", "-Q", queues, "-n", f"{name}@%h"),
        *("--without-mingle", "--without-gossip"),
    ]


def beat(schedule: Path) -> list[str]:
    return [
        *(*CELERY, "beat", "--schedule", str(schedule), "--pidfile="),
    ]


def listener() -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "listen"]


def flower(port: int) -> list[str]:
    return [
        *(*CELERY, "flower", "--address=127.0.0.1", f"--port={port}"),
        *("--persistent=False", "--logging=WARNING"),
    ]


def manage(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *words]
