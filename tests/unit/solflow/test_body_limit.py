"""Bodies are bounded before they are read, whether their size is announced or not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from solflow.body_limit import limited

LIMIT = 10


class Client:
    """What uvicorn does: gives the body in pieces, keeps what is answered and how many pieces were asked for."""

    def __init__(self, *pieces: bytes, announced: bytes | None = None, kind: str = "http") -> None:
        self.scope = {"type": kind, "headers": [] if announced is None else [(b"content-length", announced)]}
        self.pieces = list(pieces)
        self.asked = 0
        self.answers: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message: Any) -> None:
        self.answers.append(message)

    @property
    def status(self) -> int:
        (status,) = [message["status"] for message in self.answers if message["type"] == "http.response.start"]
        return int(status)


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """As Django's handler: all of the body, then an answer; nothing for a client that went away."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def answering_at_once(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await receive()
    await receive()


def served(client: Client, app: Any = reading) -> Client:
    asyncio.run(limited(app, LIMIT)(client.scope, client.receive, client.send))
    return client


@pytest.mark.parametrize("announced", [None, b"10", b"nonsense"])
def test_a_body_within_the_bound_is_read(announced: bytes | None) -> None:
    assert served(Client(b"12345", b"67890", announced=announced)).status == 200


def test_a_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    client = served(Client(b"x", announced=b"11"))
    assert (client.status, client.asked) == (413, 0)


def test_a_body_that_grows_too_large_is_not_read_on() -> None:
    client = served(Client(b"123456", b"78901", b"more", b"more"))
    assert (client.status, client.asked) == (413, 2)


def test_the_refusal_is_an_error_of_the_api_and_ends_the_connection() -> None:
    start, body = served(Client(announced=b"11")).answers
    assert b'"code": "too_large"' in body["body"]
    assert dict(start["headers"])[b"connection"] == b"close"


def test_what_was_answered_already_is_not_answered_again() -> None:
    assert served(Client(b"123456", b"78901"), answering_at_once).status == 404


def test_other_protocols_pass() -> None:
    assert served(Client(b"x" * 20, kind="websocket")).status == 200
