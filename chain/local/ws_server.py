"""WebSocket connections: requests in, notifications out, and scripted trouble in between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from chain.local.faults import FaultPlan

_MAX_QUEUED_FRAMES = 100_000
"""A client that reads slower than this is cut off, as Solana's node does."""


class Session:
    """One connection. Everything it sends goes through one queue, so that order is kept and nobody waits."""

    def __init__(self, socket: ServerConnection, faults: FaultPlan) -> None:
        self._socket = socket
        self._faults = faults
        self._frames: deque[bytes] = deque()
        self._held: bytes | None = None
        self._wake = asyncio.Event()

    def notify(self, name: str, frame: bytes) -> None:
        """Queue a notification, with what the faults make of it."""
        fate = self._faults.for_frame(name)
        if fate.swallow:
            return
        if fate.malformed:
            frame = frame[: len(frame) // 2]
        if fate.reorder and self._held is None:
            self._held = frame
            return
        self.send(frame)
        if fate.duplicate:
            self.send(frame)
        if self._held is not None:
            held, self._held = self._held, None
            self.send(held)

    def send(self, frame: bytes) -> None:
        """Queue a frame."""
        if len(self._frames) >= _MAX_QUEUED_FRAMES:
            self.drop()
            return
        self._frames.append(frame)
        self._wake.set()

    def drop(self) -> None:
        """Cut the connection without a closing handshake."""
        if not self._socket.transport.is_closing():
            self._socket.transport.abort()

    def apply_stall(self) -> None:
        """Follow the stall fault: neither read nor write while it is in force, so that not even a pong goes out."""
        transport = self._socket.transport
        if transport.is_closing():
            return
        if self._faults.sockets_stalled:
            transport.pause_reading()
        else:
            transport.resume_reading()
            self._wake.set()

    async def write_frames(self) -> None:
        """Send what is queued until the connection is gone."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames and not self._faults.sockets_stalled:
                await self._socket.send(self._frames.popleft(), text=True)

    async def serve(self, answer: Callable[[Session, str | bytes], None]) -> None:
        """Answer requests until the client is gone."""
        if self._faults.sockets_stalled:
            self.apply_stall()
        writer = asyncio.create_task(self.write_frames())
        try:
            async for message in self._socket:
                answer(self, message)
        except ConnectionClosed:
            pass  # The client left, or a fault cut it off: both are the end of this session and nothing more.
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
