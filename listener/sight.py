"""Which sockets see a subscription. With several at once it is lost only when none of them sees it any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from listener.connection import Connection
from listener.watches import Watch

# A slot is safe to pass when it is this old: nothing of it can be on its way any more.
CHECKPOINT_LAG_SLOTS = 32


class Sight:
    """The socket that has seen a subscription for longest speaks for it: everything since then was told by it, or by
    one that was lost later than that."""

    def __init__(self) -> None:
        self._seeing: dict[int, list[Connection]] = {}

    def __iter__(self) -> Iterator[tuple[int, Connection]]:
        return iter([(subscription_id, connections[0]) for subscription_id, connections in self._seeing.items()])

    def of(self, subscription_id: int) -> Connection | None:
        """The socket that speaks for it, None where nobody sees it."""
        connections = self._seeing.get(subscription_id)
        return connections[0] if connections else None

    def begin(self, subscription_id: int, connection: Connection) -> bool:
        """This socket sees it from now on. True where it was not seen until now."""
        connections = self._seeing.setdefault(subscription_id, [])
        if connection not in connections:
            connections.append(connection)
        return len(connections) == 1

    def end(self, connection: Connection, subscription_ids: Iterable[int]) -> Sequence[int]:
        """This socket is lost. Returns what nobody sees any more."""
        blind = []
        for subscription_id in subscription_ids:
            connections = self._seeing.get(subscription_id, [])
            if connection in connections:
                connections.remove(connection)
                if not connections:
                    self.forget(subscription_id)
                    blind.append(subscription_id)
        return blind

    def forget(self, subscription_id: int) -> None:
        """Nobody wants it any more."""
        self._seeing.pop(subscription_id, None)


def old_slot(connection: Connection, watch: Watch) -> int:
    """A slot of which every notification at this commitment has come. The root is what the node never leaves; what it
    calls finalized lags behind."""
    if watch.commitment == "finalized":
        return connection.root - CHECKPOINT_LAG_SLOTS
    return min(connection.root, connection.slot - CHECKPOINT_LAG_SLOTS)


def live_after(connection: Connection, watch: Watch) -> int:
    """What is notified at this commitment from now on is after this slot."""
    return connection.root if watch.commitment == "finalized" else connection.slot
