"""The web process as it is served: a head that does not end is cut off, and what is usual passes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from solflow.head_limit import MAX_HEAD_BYTES
from tests.http_stub import HttpStub
from tests.local_chain import LocalChain
from tests.stack import Stack


@pytest.fixture
def web(
    transactional_db: None, services: object, local_chain: LocalChain, http_stub: HttpStub, tmp_path: Path
) -> Iterator[Stack]:
    stack = Stack(local_chain, http_stub, tmp_path)
    yield stack.start("web")
    stack.kill_all()


def answer_to(stack: Stack, *pieces: bytes) -> bytes:
    """What comes back when these are sent one after the other; nothing more is sent once it is closed."""
    with socket.create_connection(("127.0.0.1", stack.web_port), timeout=10) as wire:
        with suppress(OSError):
            for piece in pieces:
                wire.sendall(piece)
        answer = b""
        with suppress(OSError):
            while piece := wire.recv(65_536):
                answer += piece
        return answer


HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"


def test_a_head_that_does_not_end_is_cut_off(web: Stack) -> None:
    for begin, more in ((HEAD + b"X-A: ", b"a" * 100_000), (HEAD, b"X-A: b\r\n" * 10_000), (b"GET /", b"a" * 100_000)):
        answer = answer_to(web, begin, *[more] * 50)
        assert not answer or answer.startswith(b"HTTP/1.1 431 ")
    assert answer_to(web, HEAD + b"\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_usual_head_passes_in_however_many_pieces(web: Stack) -> None:
    long = HEAD + b"Cookie: a=" + b"b" * (MAX_HEAD_BYTES // 2) + b"\r\n\r\n"
    assert answer_to(web, *[long[at : at + 1000] for at in range(0, len(long), 1000)]).startswith(b"HTTP/1.1 200 ")


def test_a_body_is_not_part_of_the_head(web: Stack) -> None:
    head = b"POST /api/v1/workflows/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 500000\r\n\r\n"
    assert answer_to(web, head, *[b"x" * 50_000] * 10).startswith(b"HTTP/1.1 401 ")
