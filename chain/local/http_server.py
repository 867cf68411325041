"""HTTP/1.1 for JSON-RPC: keep-alive, pipelining, and answers that may be late or lost when a fault says so."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import httptools

MAX_BODY_BYTES = 4 * 1024 * 1024
_MAX_PIPELINED = 64


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What to do with one request. `lost`: close the connection instead; `hang`: never answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    retry_after_s: int | None = None
    delay_s: float = 0.0
    lost: bool = False
    hang: bool = False


# The request's body, and its path without the query.
AnswerPost = Callable[[bytes, str], HttpAnswer]


class HttpConnection(asyncio.Protocol):
    """One client connection. Requests are answered in their order, one at a time."""

    def __init__(self, answer_post: AnswerPost, connections: set[HttpConnection]) -> None:
        self._answer_post = answer_post
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body: list[bytes] = []
        self._body_size = 0
        self._waiting: deque[tuple[bytes, bytes, bytes, bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it.
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._write(HttpAnswer(b"WebSockets are on the next port", 426, "text/plain"), keep_alive=False)
        except httptools.HttpParserError:
            self._write(HttpAnswer(b"", HTTPStatus.BAD_REQUEST), keep_alive=False)

    # Called by httptools.

    def on_message_begin(self) -> None:
        self._path = b""
        self._body = []
        self._body_size = 0

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size <= MAX_BODY_BYTES:
            self._body.append(body)

    def on_message_complete(self) -> None:
        method = b"TOO LARGE" if self._body_size > MAX_BODY_BYTES else self._parser.get_method()
        self._waiting.append((method, self._path, b"".join(self._body), self._parser.should_keep_alive()))
        if not self._busy:
            self._answer_next()
        elif len(self._waiting) > _MAX_PIPELINED and self._transport is not None:
            self._transport.pause_reading()

    # Answering.

    def _answer_next(self) -> None:
        while self._waiting and not self._busy and self._transport is not None:
            method, path, body, keep_alive = self._waiting.popleft()
            answer = self._answer(method, path, body)
            if answer.hang:
                self._busy = True
            elif answer.delay_s > 0:
                self._busy = True
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(answer.delay_s, self._finish_late, answer, keep_alive)
            else:
                self._finish(answer, keep_alive)

    def _answer(self, method: bytes, path: bytes, body: bytes) -> HttpAnswer:
        if method == b"POST":
            return self._answer_post(body, path.partition(b"?")[0].decode(errors="replace"))
        if method == b"GET" and path.partition(b"?")[0] == b"/health":
            return HttpAnswer(b"ok", content_type="text/plain")
        if method == b"OPTIONS":
            return HttpAnswer(b"", HTTPStatus.NO_CONTENT)
        if method == b"TOO LARGE":
            return HttpAnswer(b"", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return HttpAnswer(b"Used HTTP Method is not allowed. POST or OPTIONS is required", 405, "text/plain")

    def _finish_late(self, answer: HttpAnswer, keep_alive: bool) -> None:
        self._busy = False
        self._finish(answer, keep_alive)
        if self._transport is not None:
            self._transport.resume_reading()
        self._answer_next()

    def _finish(self, answer: HttpAnswer, keep_alive: bool) -> None:
        if answer.lost:
            self.close()
        else:
            self._write(answer, keep_alive)

    def _write(self, answer: HttpAnswer, keep_alive: bool) -> None:
        if self._transport is None:
            return
        status = HTTPStatus(answer.status)
        head = (
            f"HTTP/1.1 {answer.status} {status.phrase}\r\n"
            f"content-type: {answer.content_type}\r\ncontent-length: {len(answer.body)}\r\n"
            "access-control-allow-origin: *\r\naccess-control-allow-headers: *\r\n"
        )
        if answer.retry_after_s is not None:
            head += f"retry-after: {answer.retry_after_s}\r\n"
        if not keep_alive:
            head += "connection: close\r\n"
        self._transport.write(head.encode() + b"\r\n" + answer.body)
        if not keep_alive:
            self._transport.close()

    def close(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.close()
