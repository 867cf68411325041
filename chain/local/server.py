"""The node: the ledger behind an HTTP and a WebSocket port, and the clock that ends its slots."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from chain.local import envelope
from chain.local.errors import METHOD_NOT_FOUND, RpcError
from chain.local.faults import FaultPlan
from chain.local.http_server import HttpAnswer, HttpConnection
from chain.local.ledger import Ledger
from chain.local.methods import METHODS, Call
from chain.local.methods.dev import DevMethods
from chain.local.notifications import Notifier
from chain.local.pubsub import PubSub
from chain.local.ticker import Ticker
from chain.local.view import View
from chain.local.ws_server import Session

HOST = "127.0.0.1"
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_BACKLOG = 1_024

# A client that leaves in the middle of a handshake is no news.
logging.getLogger("websockets.server").setLevel(logging.CRITICAL)


class Node:
    """One local validator, as its clients know it."""

    def __init__(self, ledger: Ledger, slot_ms: int) -> None:
        self._ledger = ledger
        self._faults = FaultPlan(self._faults_changed)
        self._pubsub = PubSub(ledger)
        self._notifier = Notifier(ledger, self._pubsub, self._faults)
        self._ticker = Ticker(slot_ms, self._end_slot)
        self._sessions: set[Session] = set()
        self._http_connections: set[HttpConnection] = set()
        self._drop_timer: asyncio.TimerHandle | None = None
        dev = DevMethods(ledger, self._faults, self._ticker, self._end_slot, self._drop_sockets)
        self._methods = METHODS | dev.table()

    async def run(self, rpc_port: int, ws_port: int, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled. OSError where a port is taken."""
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            http = await loop.create_server(self._new_http_connection, HOST, rpc_port, backlog=_BACKLOG)
            stack.callback(self._close_http, http)
            await stack.enter_async_context(
                serve(
                    self._serve_socket,
                    HOST,
                    ws_port,
                    compression=None,
                    max_size=_MAX_MESSAGE_BYTES,
                    ping_interval=None,
                    close_timeout=1,
                    backlog=_BACKLOG,
                )
            )
            stack.callback(self._drop_sockets)
            on_ready()
            await self._ticker.run()

    def _end_slot(self, skipped: int = 0) -> None:
        self._notifier.publish(self._ledger.advance(skipped))

    # HTTP

    def _new_http_connection(self) -> HttpConnection:
        return HttpConnection(self._answer_post, self._http_connections)

    def _close_http(self, server: asyncio.Server) -> None:
        server.close()
        for connection in list(self._http_connections):
            connection.close()

    def _answer_post(self, body: bytes, path: str) -> HttpAnswer:
        requests = envelope.parse(body)
        fate = self._faults.for_request(requests.methods, path)
        if fate.hang:
            return HttpAnswer(b"", hang=True)
        if fate.status != 200:
            return HttpAnswer(b"", fate.status, "text/plain", fate.retry_after_s, fate.delay_s)
        answer = envelope.answer(requests, partial(self._call, path))
        return HttpAnswer(answer, delay_s=fate.delay_s, lost=fate.lose_answer)

    def _call(self, path: str, name: str, params: list[Any]) -> Any:
        method = self._methods.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        self._faults.raise_for_call(name, path)
        view = View(self._ledger, self._faults.lag_blocks(name, path))
        result = method(Call(view, params, self._faults.never_lands(name, path)))
        if self._faults.forgets(name, path):
            return {**result, "value": [None] * len(result["value"])} if name == "getSignatureStatuses" else None
        if name == "sendTransaction":
            self._notifier.received(result)
        return result

    # WebSockets

    async def _serve_socket(self, socket: ServerConnection) -> None:
        session = Session(socket, self._faults)
        self._sessions.add(session)
        try:
            await session.serve(self._answer_message)
        finally:
            self._sessions.discard(session)
            self._pubsub.forget_subscriber(session)

    def _answer_message(self, session: Session, message: str | bytes) -> None:
        def call(name: str, params: list[Any]) -> Any:
            self._faults.raise_for_call(name)
            return self._pubsub.call(session, name, params)

        answer = envelope.answer(envelope.parse(message), call)
        if answer:
            session.send(answer)
        self._pubsub.flush_first()

    def _drop_sockets(self) -> int:
        sessions = list(self._sessions)
        for session in sessions:
            session.drop()
        return len(sessions)

    # Faults that need the clock

    def _faults_changed(self) -> None:
        for session in self._sessions:
            session.apply_stall()
        if self._drop_timer is not None:
            self._drop_timer.cancel()
            self._drop_timer = None
        self._schedule_drop()

    def _schedule_drop(self) -> None:
        delay_s = self._faults.next_drop_s()
        if delay_s is not None:
            self._drop_timer = asyncio.get_running_loop().call_later(delay_s, self._drop_on_time)

    def _drop_on_time(self) -> None:
        self._faults.count_drop()
        self._drop_sockets()
        self._schedule_drop()


async def run_until_stopped(node: Node, rpc_port: int, ws_port: int, on_ready: Callable[[], None]) -> None:
    """Run the node; a SIGTERM or SIGINT ends it in order."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(node.run(rpc_port, ws_port, on_ready))
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
