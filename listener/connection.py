"""One WebSocket, kept open: connects, subscribes, reads, notices silence, goes to the next endpoint.

The driver of listener.protocol. What the socket says goes to `Events`; a connection knows nothing of what it means.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from chain.rpc.pool import backoff
from executions import timing
from listener import metrics
from listener.errors import SocketDead
from listener.lineage import Lineage
from listener.protocol import (
    AccountNotice,
    Acknowledged,
    LogsNotice,
    Malformed,
    Message,
    Protocol,
    Refused,
    SignatureNotice,
    SlotNotice,
)
from listener.socket import BatchConnection
from listener.watches import METHODS, Watch

log = structlog.get_logger(__name__)

# A slot takes 0.4 s. Five seconds without one is a stalled socket, however open TCP says it is.
SILENCE_S = 5.0
LEAST_SILENCE_S = 2.0  # slots do not get faster in tests that shrink time
ACKNOWLEDGEMENT_S = 15.0
CHECK_S = 0.25
OPEN_S = 10.0
# An account of 10 MiB in base64, with something around it.
MAX_FRAME_BYTES = 16 * 1024 * 1024
HEALTHY_AFTER_S = 10.0
REFUSED_AGAIN_S = 5.0
# No code is agreed on for "no more subscriptions on this socket"; providers say it in words.
_LIMIT = re.compile(r"limit|too many|maximum|exceed", re.IGNORECASE)
MOST_ASKED_S = 60.0


class Events(Interface):
    """What a connection tells, on the event loop. While `room` or `connected` wait, nothing is read."""

    def acknowledged(self, connection: Connection, subscription_id: int) -> None: ...

    def account(self, notice: AccountNotice[int]) -> None: ...

    def logs(self, notice: LogsNotice[int]) -> None: ...

    def signature(self, notice: SignatureNotice[int]) -> None: ...

    def lost(self, connection: Connection, subscription_ids: Sequence[int]) -> None: ...

    async def connected(self, connection: Connection) -> None: ...

    @property
    def has_room(self) -> bool: ...

    async def room(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Health:
    """A connection as the heartbeat shows it."""

    host: str
    is_open: bool
    slot: int
    subscriptions: int
    acknowledged: int
    reconnects: int
    last_error: str


class Connection:
    """One socket at a time to one of `urls`, the first preferred. `run` never returns; cancel it to end it.

    `on_full` is told a subscription that the endpoint will not have beside those that the socket carries already; it
    is no longer wanted here then.
    """

    def __init__(
        self, urls: Sequence[str], events: Events, on_full: Callable[[Connection, int, Watch], None] | None = None
    ) -> None:
        self._urls = tuple(urls)
        self._events = events
        self._on_full = on_full
        self._wants: dict[int, Watch] = {}
        self._acknowledged: set[int] = set()
        self._protocol: Protocol[int] | None = None
        self._has_requests = asyncio.Event()
        self._at = 0
        self._lineages = [Lineage() for _ in self._urls]
        self._is_reading = True
        self._slot_at_s = self._answered_at_s = 0.0
        self._leaving = ""
        self._reconnects = 0
        self._last_error = ""
        self.slot = 0
        self.root = 0

    def __len__(self) -> int:
        return len(self._wants)

    @property
    def acknowledged(self) -> int:
        """How many subscriptions the socket carries."""
        return len(self._acknowledged)

    @property
    def host(self) -> str:
        """The endpoint in use, by host and port only."""
        return urlsplit(self._urls[self._at]).netloc.rpartition("@")[2]

    def health(self) -> Health:
        """How it does."""
        return Health(
            self.host,
            self._protocol is not None,
            self.slot,
            len(self._wants),
            self.acknowledged,
            self._reconnects,
            self._last_error,
        )

    def open(self, wants: Mapping[int, Watch]) -> None:
        """Watch these too, on this socket and every later one."""
        self._wants.update(wants)
        self._ask(wants)

    def close(self, subscription_id: int) -> None:
        """Watch it no more."""
        self._wants.pop(subscription_id, None)
        self._acknowledged.discard(subscription_id)
        if self._protocol is not None:
            self._protocol.unsubscribe(subscription_id)
            self._has_requests.set()

    async def run(self) -> None:
        """Open, serve, and when that ends open again, at the next endpoint and after a little longer each time."""
        waits = backoff()
        while True:
            opened_at_s, asked_s = time.monotonic(), 0.0
            try:
                await self._serve(self._urls[self._at])
            except* (OSError, WebSocketException, SocketDead, TimeoutError) as group:
                asked_s = self._give_up(group)
            if time.monotonic() - opened_at_s > HEALTHY_AFTER_S:
                waits = backoff()
            self._at = (self._at + 1) % len(self._urls)
            # With one endpoint there is nobody else to go to meanwhile.
            await asyncio.sleep(max(timing.scaled(next(waits)), asked_s if len(self._urls) == 1 else 0.0))

    def leave(self, reason: str) -> None:
        """Go to the next endpoint: this one is open and no good."""
        self._leaving = reason

    def _give_up(self, group: BaseExceptionGroup[Exception]) -> float:
        """Note why the socket was lost; for how long the endpoint asked not to be asked, in seconds."""
        error = next(_leaves(group))
        # Library errors may hold the URL, with a provider's key in it; ours do not.
        self._last_error = str(error) if isinstance(error, SocketDead) else type(error).__name__
        self._reconnects += 1
        metrics.RECONNECTS.labels(self.host).inc()
        log.warning("socket_lost", endpoint=self.host, reason=self._last_error, subscriptions=len(self._wants))
        return _asked_s(error)

    async def _serve(self, url: str) -> None:
        async with connect(
            url,
            create_connection=BatchConnection,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=OPEN_S,
            close_timeout=1.0,
            # Pings keep proxies from closing an idle connection; whether it is alive is for the slots to say.
            ping_timeout=None,
        ) as socket:
            assert isinstance(socket, BatchConnection)
            protocol: Protocol[int] = Protocol()
            now_s = time.monotonic()
            self._slot_at_s = self._answered_at_s = now_s
            self._is_reading, self._leaving = True, ""
            self.slot = 0
            self._lineages[self._at].begin()
            protocol.subscribe_slots()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._watch_silence(), name=f"silence {self.host}")
                    tasks.create_task(self._send(socket, protocol), name=f"send {self.host}")
                    await self._read(socket, protocol)
            finally:
                self._protocol = None
                lost, self._acknowledged = self._acknowledged, set()
                self._events.lost(self, tuple(lost))

    async def _read(self, socket: BatchConnection, protocol: Protocol[int]) -> None:
        while True:
            frames = await socket.batch()
            self._is_reading = False
            for frame in frames:
                message = protocol.receive(frame)
                if isinstance(message, SlotNotice) and self.slot == 0:
                    await self._begin(protocol, message)
                self._tell(message)
            if not self._events.has_room:
                # Full: this socket is not read until there is room, and the silence that follows is ours.
                await self._events.room()
                self._slot_at_s = self._answered_at_s = time.monotonic()
            self._is_reading = True

    async def _begin(self, protocol: Protocol[int], first: SlotNotice) -> None:
        """The endpoint lives and we know where it stands: now ask for everything."""
        await self._events.connected(self)
        self.slot, self.root = first.slot, first.root
        self._protocol = protocol
        self._ask(self._wants)

    def _ask(self, wants: Mapping[int, Watch]) -> None:
        if self._protocol is None:
            return
        if not self._protocol.waiting:
            self._answered_at_s = time.monotonic()
        for subscription_id, watch in wants.items():
            self._protocol.subscribe(subscription_id, watch.method, METHODS[watch.kind].unsubscribe, watch.params)
        self._has_requests.set()

    def _tell(self, message: Message[int]) -> None:
        match message:
            case AccountNotice():
                self._events.account(message)
            case LogsNotice():
                self._events.logs(message)
            case SignatureNotice():
                self._events.signature(message)
            case SlotNotice():
                self._slot_at_s = time.monotonic()
                self._link(message)
                self.slot, self.root = max(self.slot, message.slot), max(self.root, message.root)
            case Acknowledged():
                self._answered_at_s = time.monotonic()
                self._acknowledged.add(message.key)
                self._events.acknowledged(self, message.key)
            case Refused():
                self._refused(message)
            case Malformed():
                # Nobody knows what it would have told: the time until the next connection is read back.
                metrics.MALFORMED.labels(self.host).inc()
                raise SocketDead(f"an unreadable message ({message.reason})")

    def _link(self, slot: SlotNotice) -> None:
        lineage = self._lineages[self._at]
        was_believed = lineage.is_believed
        if lineage.is_broken_by(slot.slot, slot.parent):
            # As with an unreadable message: the time until the next connection is read back.
            raise SocketDead(f"slots were swallowed after {self.slot}")
        if was_believed and not lineage.is_believed:
            log.warning("slots_do_not_hang_together", endpoint=self.host)

    def _refused(self, refused: Refused[int]) -> None:
        self._answered_at_s = time.monotonic()
        self._last_error = f"subscription refused (code {refused.code})"
        log.error("subscription_refused", endpoint=self.host, code=refused.code, text=refused.message[:200])
        watch = self._wants.get(refused.key)
        if watch is None:
            return
        if self._on_full is not None and self._acknowledged and _LIMIT.search(refused.message):
            del self._wants[refused.key]
            self._on_full(self, refused.key, watch)
            return
        again = {refused.key: watch}
        asyncio.get_running_loop().call_later(timing.scaled(REFUSED_AGAIN_S), self._ask_if_wanted, again)

    def _ask_if_wanted(self, wants: Mapping[int, Watch]) -> None:
        self._ask({key: watch for key, watch in wants.items() if key in self._wants})

    async def _send(self, socket: BatchConnection, protocol: Protocol[int]) -> None:
        while True:
            for request in protocol.take_requests():
                await socket.send(request, text=True)
            await self._has_requests.wait()
            self._has_requests.clear()

    async def _watch_silence(self) -> None:
        silence_s = max(timing.scaled(SILENCE_S), LEAST_SILENCE_S)
        while True:
            await asyncio.sleep(CHECK_S)
            now_s = time.monotonic()
            if self._leaving:
                raise SocketDead(self._leaving)
            if not self._is_reading:
                continue
            if now_s - self._slot_at_s > silence_s:
                raise SocketDead(f"no slot for {silence_s:g} s")
            waiting = self._protocol is not None and self._protocol.waiting
            if waiting and now_s - self._answered_at_s > ACKNOWLEDGEMENT_S:
                raise SocketDead(f"a subscription was not answered for {ACKNOWLEDGEMENT_S:g} s")


def _asked_s(error: Exception) -> float:
    """`Retry-After` of an answer that was no WebSocket, in seconds."""
    if not isinstance(error, InvalidStatus):
        return 0.0
    text = error.response.headers.get("Retry-After", "")
    return min(float(text), MOST_ASKED_S) if text.isdecimal() else 0.0


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
