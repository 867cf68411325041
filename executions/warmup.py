"""What a fresh worker process does before its first task, so that no execution pays for it."""

from __future__ import annotations

import structlog
from django.db import connection

from chain.errors import ChainError
from executions.gateway import gateway

log = structlog.get_logger(__name__)


def warm_up() -> None:
    """Open the database connection and the RPC client, and fetch a blockhash. A chain that is away is no reason to
    stay away too: the first execution that needs it will say so."""
    connection.ensure_connection()
    try:
        gateway().genesis_hash()
        gateway().blockhash()
    except ChainError as error:
        log.warning("chain_away_at_start", error=str(error))
