"""What a worker does before its first task: once for all its processes, and in each of them."""

from __future__ import annotations

import structlog
from django.db import connection, connections

from chain.errors import ChainError
from executions import memo_watch
from executions.gateway import WrongChain, gateway

log = structlog.get_logger(__name__)

# A chain that does not answer lets nothing be signed either; the look is repeated every minute.
LOOK_BACK_S = 20.0


def look_back() -> None:
    """Before the worker takes anything on: has this database forgotten payments (executions.memo_watch)? Once, in the
    parent of the worker's processes, which inherit neither the connections nor the RPC client."""
    try:
        gateway().genesis_hash()
        memo_watch.watch(for_at_most_s=LOOK_BACK_S)
    except (ChainError, WrongChain) as error:
        log.warning("memos_not_compared_at_start", error=str(error))
    finally:
        gateway().rpc.close()
        connections.close_all()


def warm_up() -> None:
    """Open the database connection and the RPC client, and fetch a blockhash, so that no execution pays for it. A chain
    that is away is no reason to stay away too: the first execution that needs it will say so."""
    connection.ensure_connection()
    try:
        gateway().genesis_hash()
        gateway().blockhash()
    except ChainError as error:
        log.warning("chain_away_at_start", error=str(error))
