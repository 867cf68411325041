"""No body is read beyond a bound, before Django sees it: its ASGI handler would spool all of it to disk first."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def limited(app: App, max_bytes: int) -> App:
    """`app`, answering 413 to larger bodies: at once where Content-Length tells, else as soon as they are."""

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if _announced(scope) > max_bytes:
            await _refuse(send, max_bytes)
            return
        body = _Body(receive, send, max_bytes)
        await app(scope, body.receive, body.send)
        if body.exceeded and not body.answered:
            await _refuse(send, max_bytes)

    return bounded


class _Body:
    """Counts what comes in. To the application a body that is too large is a client that went away."""

    def __init__(self, receive: Receive, send: Send, max_bytes: int) -> None:
        self._receive, self._send, self._left = receive, send, max_bytes
        self.answered = False

    @property
    def exceeded(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.exceeded else message

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send, max_bytes: int) -> None:
    """In the shape of the API's errors. The rest of the body is not waited for: the connection ends."""
    detail = f"the body is larger than {max_bytes} bytes"
    body = json.dumps({"type": "client_error", "code": "too_large", "detail": detail, "errors": []}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
