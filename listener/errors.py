"""What ends or hinders a listener.

ListenerError
├── WrongChain     the endpoint's genesis hash is not the one that this database belongs to: the process ends
└── SocketDead     a WebSocket closed, stalled or refused us: it is opened again, at the next endpoint
"""

from __future__ import annotations


class ListenerError(Exception):
    """Base of everything that listener/ raises on purpose."""


class WrongChain(ListenerError):
    """Checkpoints, state rows and attempts belong to another chain than the endpoint's."""

    def __init__(self, host: str, found: str, stored: str) -> None:
        super().__init__(
            f"{host} is on the chain with genesis hash {found}, this database belongs to {stored}: "
            "set SOLANA_RPC_URLS to an endpoint of that chain, or use another database"
        )


class SocketDead(ListenerError):
    """The connection is of no use any more; the text says why, naming the host only."""
