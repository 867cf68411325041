"""A real HTTP server for tests that stands in for Discord and the like: it records requests and answers as told."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import wait_for


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`close` takes the request and hangs up without a word: the sender cannot know whether it arrived."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    close: bool = False

    @classmethod
    def of_json(cls, status: int, document: Any, **headers: str) -> Answer:
        return cls(status, {"Content-Type": "application/json", **headers}, json.dumps(document).encode())


class HttpStub:
    """`requests` in order of arrival. Answers queued with `answer_next` are given once each, then what `choose` says of
    the request, or `default`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.default = Answer()
        self.choose: Callable[[Request], Answer] | None = None
        self._queued: list[Answer] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """host:port, as OUTBOUND_ALLOWED_HOSTS names it."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def discord_url(self, webhook_id: int = 1, token: str = "stub-token") -> str:
        return f"{self.url}/api/webhooks/{webhook_id}/{token}"

    def answer_next(self, *answers: Answer) -> None:
        """Give these to the next requests, in this order."""
        with self._lock:
            self._queued.extend(answers)

    def wait_for_requests(self, count: int, timeout_s: float = 10.0) -> list[Request]:
        """The requests so far, once there are at least `count`."""
        wait_for(lambda: len(self.requests) >= count, timeout_s, f"{count} requests")
        return list(self.requests)

    def reset(self) -> None:
        with self._lock:
            self.requests.clear()
            self._queued.clear()
            self.default = Answer()
            self.choose = None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            if self._queued:
                return self._queued.pop(0)
            return self.choose(request) if self.choose else self.default

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Any:
                # The base class calls do_<METHOD>; here every method is answered alike.
                if name.startswith("do_"):
                    return self.respond
                raise AttributeError(name)

            def respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = stub._take(Request(self.command, self.path, dict(self.headers), body, time.monotonic()))
                if answer.delay_s:
                    time.sleep(answer.delay_s)
                if answer.close:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                """Requests are recorded, not printed."""

        return Handler
