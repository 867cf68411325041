"""The row that says that this listener lives, with what it knows about itself and nobody else can: its sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from chain.rpc.pool import EndpointStatus
from executions.models import Heartbeat
from listener.connection import Health

KIND = "listener"
# A listener that died leaves its row; nobody needs it for longer.
FORGOTTEN_AFTER = timedelta(hours=1)


def name(shard: int) -> str:
    """This process's row."""
    return f"listener-{shard}@{socket.gethostname()[:60]}:{os.getpid()}"


def detail(
    *, shard: int, shards: int, connections: Sequence[Health], endpoints: Sequence[EndpointStatus], **counts: Any
) -> dict[str, Any]:
    """What the heartbeat shows. Endpoints by host only."""
    return {
        "shard": shard,
        "shards": shards,
        "slot": max((connection.slot for connection in connections), default=0),
        "connections": [asdict(connection) for connection in connections],
        "endpoints": [asdict(endpoint) for endpoint in endpoints],
        **counts,
    }


def beat(row_name: str, shown: dict[str, Any]) -> None:
    """Write the row."""
    Heartbeat.objects.update_or_create(name=row_name, defaults={"kind": KIND, "at": timezone.now(), "detail": shown})


def stop(row_name: str) -> None:
    """This listener ended in order; rows of those that did not are cleared away."""
    rows = Heartbeat.objects.filter(kind=KIND)
    rows.filter(name=row_name).delete()
    rows.filter(at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
