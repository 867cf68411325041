"""The one POST: where it goes, how long it takes, what it says when it fails. Servers here are real sockets."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from executions.channels.answers import Answer as HttpAnswer
from executions.channels.base import ChannelError, Outbound
from executions.channels.http import MAX_BODY_BYTES, Exchange, post
from tests.http_stub import Answer, HttpStub

SECRET = "s3cr3t-t0k3n-of-a-webhook"


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    server = HttpStub()
    yield server
    server.close()


def outbound(*allowed: str, seconds: float = 5.0) -> Outbound:
    return Outbound(allowed, time.monotonic() + seconds)


def send(host: str, *, seconds: float = 5.0, allowed: bool = True) -> HttpAnswer:
    to = outbound(*([host] if allowed else []), seconds=seconds)
    return post(f"http://{host}/api/webhooks/1/{SECRET}", b"{}", {"Content-Type": "application/json"}, to)


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks whatever `serve` writes; gives its host:port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            try:
                serve(connection)
            except OSError:
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()
        thread.join(5)


def drip(connection: socket.socket, first: bytes, piece: bytes) -> None:
    connection.recv(65536)
    connection.sendall(first)
    while True:
        connection.sendall(piece)
        time.sleep(0.05)


def test_an_answer_of_any_status_is_given_back_with_its_headers(stub: HttpStub) -> None:
    stub.default = Answer(418, {"X-RateLimit-Remaining": "3"}, b"short and stout")
    answer = send(stub.host)
    assert (answer.status, answer.headers["x-ratelimit-remaining"], answer.body) == (418, "3", b"short and stout")
    assert stub.requests[0].body == b"{}"


def test_the_host_header_keeps_the_name_while_the_address_is_the_one_that_was_checked(stub: HttpStub) -> None:
    port = int(stub.host.rpartition(":")[2])
    answer = post(f"http://localhost:{port}/", b"", {}, outbound("localhost"))
    assert answer.status == 204
    assert stub.requests[0].headers["Host"] == f"localhost:{port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"])
def test_no_writing_of_loopback_is_connected_to(stub: HttpStub, host: str) -> None:
    port = stub.host.rpartition(":")[2]
    with pytest.raises(ChannelError) as failed:
        post(f"http://{host}:{port}/{SECRET}", b"", {}, outbound())
    assert failed.value.permanent or "resolve" in failed.value.detail or "connect" in failed.value.detail
    assert not failed.value.maybe_delivered
    assert stub.requests == []


def test_an_allowed_host_is_allowed_on_its_port_only(stub: HttpStub) -> None:
    with pytest.raises(ChannelError) as failed:
        post(f"http://{stub.host}/", b"", {}, outbound("127.0.0.1:1"))
    assert failed.value.permanent
    assert "OUTBOUND_ALLOWED_HOSTS" in failed.value.detail


def test_a_resolver_that_changes_its_mind_is_asked_once_and_its_answer_judged() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, *_: int) -> list[object]:
        asked.append(host)
        address = "93.184.215.14" if len(asked) > 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with pytest.raises(Exception, match="refused"):
        Exchange(outbound(), rebinding).connect("rebind.example", 80, 1.0)
    assert asked == ["rebind.example"]


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    def mixed(host: str, port: int, *_: int) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("93.184.215.14", "10.0.0.1")]

    with pytest.raises(Exception, match="private"):
        Exchange(outbound(), mixed).connect("mixed.example", 80, 1.0)


def test_the_connection_goes_to_the_address_that_was_looked_up(stub: HttpStub) -> None:
    port = int(stub.host.rpartition(":")[2])
    exchange = Exchange(
        outbound("named.example"),
        lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))],
    )
    with exchange.connect("named.example", 80, 1.0) as connection:
        assert connection.getpeername() == ("127.0.0.1", port)


def test_a_redirect_is_an_answer_and_not_followed(stub: HttpStub) -> None:
    stub.default = Answer(302, {"Location": f"{stub.url}/elsewhere"})
    assert send(stub.host).status == 302
    assert len(stub.requests) == 1


def test_a_name_that_does_not_resolve_was_not_delivered() -> None:
    with pytest.raises(ChannelError, match="does not resolve") as failed:
        send("no-such-host.invalid", allowed=False)
    assert not failed.value.permanent
    assert not failed.value.maybe_delivered


def test_a_refused_connection_was_not_delivered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ChannelError, match="could not connect") as failed:
        send(host)
    assert not failed.value.maybe_delivered


def test_a_server_that_does_not_speak_tls_was_not_delivered_to(stub: HttpStub) -> None:
    with pytest.raises(ChannelError, match="TLS failed") as failed:
        post(f"https://{stub.host}/{SECRET}", b"", {}, outbound(stub.host))
    assert not failed.value.maybe_delivered
    assert stub.requests == []


@pytest.mark.parametrize(
    "serve",
    [
        lambda connection: None,
        lambda connection: connection.recv(65536),
        lambda connection: (connection.recv(65536), connection.sendall(b"HTTP/1.1 2")),
        lambda connection: (connection.recv(65536), connection.sendall(b"\x16\x03\x01 not http at all\r\n\r\n")),
        lambda connection: (connection.recv(65536), connection.sendall(b"220 smtp.example ESMTP\r\n")),
    ],
    ids=["closes at once", "closes after reading", "breaks off", "garbage", "another protocol"],
)
def test_a_request_whose_answer_was_lost_may_have_been_delivered(serve: Callable[[socket.socket], None]) -> None:
    with raw_server(serve) as host, pytest.raises(ChannelError) as failed:
        send(host)
    assert failed.value.maybe_delivered
    assert not failed.value.permanent


@pytest.mark.parametrize(
    "serve",
    [
        lambda connection: time.sleep(3),
        lambda connection: drip(connection, b"HTTP/1.1 ", b" "),
        lambda connection: drip(connection, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["says nothing", "drips its status line", "drips interim answers"],
)
def test_the_whole_exchange_is_over_by_its_deadline(serve: Callable[[socket.socket], None]) -> None:
    started = time.monotonic()
    with raw_server(serve) as host:
        with pytest.raises(ChannelError, match="no answer in time") as failed:
            send(host, seconds=0.4)
        assert time.monotonic() - started < 1.5
    assert failed.value.maybe_delivered


def test_headers_that_never_end_are_cut_and_the_status_stands() -> None:
    with raw_server(lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: ", b"a")) as host:
        assert send(host, seconds=0.4).status == 200


def test_a_body_that_never_ends_is_cut_and_the_status_stands() -> None:
    head = b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server(lambda connection: drip(connection, head, b"4\r\naaaa\r\n")) as host:
        answer = send(host, seconds=0.4)
    assert answer.status == 500


def test_of_a_large_body_no_more_than_the_bound_is_read(stub: HttpStub) -> None:
    stub.default = Answer(500, {}, b"x" * (MAX_BODY_BYTES * 10))
    assert len(send(stub.host).body) == MAX_BODY_BYTES


def test_a_compressed_body_is_not_inflated(stub: HttpStub) -> None:
    stub.default = Answer(500, {"Content-Encoding": "gzip"}, b"\x1f\x8b not really")
    assert send(stub.host).body.startswith(b"\x1f\x8b")


def test_an_answer_that_counts_as_delivered_needs_no_body() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\npartial"
    with raw_server(lambda connection: (connection.recv(65536), connection.sendall(head))) as host:
        assert send(host).status == 200


def test_no_proxy_of_the_environment_is_used(stub: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert send(stub.host).status == 204


@pytest.mark.parametrize(
    "serve",
    [
        lambda connection: None,
        lambda connection: (connection.recv(65536), connection.sendall(b"HTTP/1.1 500 Oops\r\nbroken header\r\n\r\n")),
        lambda connection: (connection.recv(65536), connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")),
    ],
)
def test_nothing_of_the_url_but_its_host_is_told_or_logged(
    serve: Callable[[socket.socket], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    with raw_server(serve) as host:
        try:
            send(host)
        except ChannelError as error:
            told = f"{error} {error.__cause__} {error.__context__}"
    assert SECRET not in told
    assert SECRET not in caplog.text
