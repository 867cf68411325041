"""One POST to a URL that a user gave: bounded in time and size, to a checked address, nothing followed.

The address is resolved, checked and connected to in one place, inside the connection: there is no second look-up that
could answer differently, and Host and TLS keep the name. No proxy from the environment is used, because a proxy would
resolve the name again.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from executions.channels.answers import Answer
from executions.channels.base import ChannelError, Outbound
from executions.outbound import AddressRefused, refuse_any
from workflows.specs.hosts import is_allowed

CONNECT_TIMEOUT_S = 5.0
MAX_BODY_BYTES = 64 * 1024
USER_AGENT = "SolFlow/1.0"

# urllib3 logs paths: each request's at DEBUG, at WARNING that of an answer with odd headers. A webhook's path is its
# password.
logging.getLogger("urllib3").setLevel(logging.ERROR)


def post(url: str, body: bytes, headers: Mapping[str, str], outbound_to: Outbound) -> Answer:
    """POST once. Any HTTP status is an answer; headers' names are lower case.

    Raises:
        ChannelError: no answer. `maybe_delivered` once a byte of the request was written; `permanent` when the address
            is refused. The text names the host only.
    """
    exchange = Exchange(outbound_to)
    host = host_of(url)
    try:
        return exchange.run(url, host, body, headers)
    except AddressRefused as error:
        failure = ChannelError(f"{host}: {error}", permanent=True)
    except (requests.RequestException, HTTPError, OSError, UnicodeError):
        failure = exchange.failure(host)
    # Raised out here so that the library's exception, whose text holds the URL, is not chained to it.
    raise failure


def host_of(url: str) -> str:
    """`host[:port]` of a URL: as much of it as may be told."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or "?"


class Exchange:
    """One request: where it may go, when it ends, and whether anything of it has left."""

    def __init__(self, outbound_to: Outbound, resolve: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        self._outbound = outbound_to
        self._resolve = resolve
        self._handle: socket.socket | None = None
        self._failing = "could not connect"
        self.written = False

    @property
    def left_s(self) -> float:
        return self._outbound.deadline - time.monotonic()

    def run(self, url: str, host: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send and read, cut off at the deadline."""
        request = requests.Request(
            "POST", url, data=body, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        ).prepare()
        # Timeouts of sockets count from byte to byte, so a receiver that drips would never meet them.
        watchdog = threading.Timer(max(self.left_s, 0.0), self._cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            with contextlib.closing(_PinnedAdapter(self)) as adapter:
                bound = max(self.left_s, 0.001)
                timeout = (min(CONNECT_TIMEOUT_S, bound), bound)
                response = adapter.send(request, stream=True, timeout=timeout, verify=True, proxies=None)
                with contextlib.closing(response):
                    return Answer(host, response.status_code, _lowered(response.headers), _body(response))
        finally:
            watchdog.cancel()
            if self._handle is not None:
                self._handle.close()

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connection to an address that was checked, the first that answers.

        Raises:
            AddressRefused: one of the name's addresses is not allowed.
            OSError: no address, or none that answers.
        """
        self._failing = "the name does not resolve"
        found = self._resolve(host, port, 0, socket.SOCK_STREAM)
        self._failing = "could not connect"
        if not is_allowed(host, port, self._outbound.allowed_hosts):
            refuse_any(str(sockaddr[0]) for *_, sockaddr in found)
        failure = OSError("the name has no address")
        for family, kind, protocol, _, sockaddr in found:
            if self.left_s <= 0:
                raise TimeoutError("no time left to connect")
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(min(timeout_s, self.left_s))
                connection.connect(sockaddr)
            except OSError as error:
                failure = error
                connection.close()
                continue
            return self._connected(connection)
        raise failure

    def failure(self, host: str) -> ChannelError:
        """What to say about a request without an answer. Library texts hold the URL, so none is repeated."""
        if self.written:
            what = "no answer in time" if self.left_s <= 0 else "the connection ended before an answer"
        else:
            what = f"{self._failing} in time" if self.left_s <= 0 else self._failing
        return ChannelError(f"{host}: {what}", maybe_delivered=self.written)

    def _connected(self, connection: socket.socket) -> socket.socket:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A duplicate survives the wrapping into TLS, which detaches the original; shutting down either ends both.
        self._handle = connection.dup()
        self._failing = "TLS failed: its certificate or protocol was not accepted"
        if self.left_s <= 0:
            # The watchdog has been here, and found nothing to cut.
            connection.close()
            raise TimeoutError("connected too late")
        return connection

    def _cut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):  # it ended by itself in this moment
                self._handle.shutdown(socket.SHUT_RDWR)


class _PinnedAdapter(HTTPAdapter):
    """requests' own transport, with connections that go where the exchange lets them."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._exchange = exchange

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _PinnedHttps if pool.scheme == "https" else _PinnedHttp
        pool.ConnectionCls = partial(kind, exchange=self._exchange)  # type: ignore[attr-defined]
        return pool


class _PinnedHttp(HTTPConnection):
    """urllib3's connection, which makes its socket by the exchange and says when the first byte goes."""

    def __init__(self, *args: Any, exchange: Exchange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._exchange = exchange

    def _new_conn(self) -> socket.socket:
        return self._exchange.connect(self._dns_host, self.port, self.timeout or CONNECT_TIMEOUT_S)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._exchange.written = True
        super().send(data)


class _PinnedHttps(_PinnedHttp, HTTPSConnection):
    """The same with TLS around it."""


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _body(response: requests.Response) -> bytes:
    """An explanation, of a failure. What was delivered needs none, and a body that breaks off undoes no status."""
    if response.ok:
        return b""
    try:
        return response.raw.read(MAX_BODY_BYTES, decode_content=False)
    except (HTTPError, OSError):
        return b""
