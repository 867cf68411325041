"""websockets' client connection, read in batches: what a read of the socket has brought is handed on at once."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

from listener.frames import Frames

MOST_READ_AHEAD_BYTES = 1024 * 1024
_END_OF_HANDSHAKE = b"\r\n\r\n"


class BatchConnection(ClientConnection):
    """Handshake, control frames, pings and the closing are the library's; data frames do not pass through it.

    For `websockets.connect(create_connection=BatchConnection)`. Read it by `batch`, never by `recv`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handshake: bytearray | None = bytearray()
        self._frames: Frames | None = None
        self._messages: list[bytes] = []
        self._unread_bytes = 0
        self._reader: asyncio.Future[None] | None = None

    async def batch(self) -> list[bytes]:
        """The messages that have come since the last call, at least one.

        Raises:
            websockets.ConnectionClosed: there are no more.
        """
        while not self._messages:
            if self.protocol.state is State.CLOSED:
                raise self.protocol.close_exc
            self._reader = self.loop.create_future()
            await self._reader
        messages, self._messages = self._messages, []
        if self._unread_bytes > MOST_READ_AHEAD_BYTES and not self.transport.is_closing():
            self.transport.resume_reading()
        self._unread_bytes = 0
        return messages

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes from the server."""
        if self._handshake is not None:
            data = self._shake_hands(self._handshake, data)
        if self._frames is None:
            if data:
                super().data_received(data)
            return
        messages, rest = self._frames.feed(data)
        if rest:
            super().data_received(rest)
        if messages:
            self._add(messages, len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the socket is closed."""
        super().connection_lost(exc)
        self._wake_up()

    def _shake_hands(self, handshake: bytearray, data: bytes) -> bytes:
        """Give the library the answer to the handshake, and return what came behind it."""
        handshake += data
        end = handshake.find(_END_OF_HANDSHAKE)
        if end < 0:
            super().data_received(data)
            return b""
        behind = len(handshake) - end - len(_END_OF_HANDSHAKE)
        self._handshake = None
        super().data_received(data[: len(data) - behind])
        if self.protocol.state is State.OPEN:
            self._frames = Frames(self.protocol.max_message_size or MOST_READ_AHEAD_BYTES)
        return data[len(data) - behind :]

    def _add(self, messages: list[bytes], size: int) -> None:
        is_first_above = self._unread_bytes <= MOST_READ_AHEAD_BYTES < self._unread_bytes + size
        self._messages += messages
        self._unread_bytes += size
        if is_first_above and not self.transport.is_closing():
            self.transport.pause_reading()
        self._wake_up()

    def _wake_up(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
