"""A node that misbehaves on demand (a real HTTP server whose next answers are scripted), and a local chain."""

import json
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.waiting import wait_for

ROOT = Path(__file__).parents[3]
Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Twenty threads may connect at once; a full queue would cost them a second each.
    request_queue_size = 64


class ScriptedNode:
    """Answers each request with the next scripted answer, then with the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.connections: set[int] = set()
        self.released = threading.Event()
        self._answers: deque[Answer] = deque()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/rpc/PATH-KEY?api-key=QUERY-KEY"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def will(self, *answers: Answer) -> "ScriptedNode":
        self._answers = deque(answers)
        return self

    @property
    def methods(self) -> list[str]:
        return [request["method"] for request in self.requests]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def result(self, value: Any) -> Answer:
        return self.body(json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}))

    def error(self, code: int, message: str = "no", data: Any = None, *, status: int = 200) -> Answer:
        error = {"code": code, "message": message, "data": data}
        return self.body(json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}), status=status)

    def body(self, text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
        def answer(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
            data = text.encode()
            handler.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)

        return answer

    def drop(self) -> Answer:
        """Takes the request and closes the connection."""

        def answer(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
            handler.close_connection = True

        return answer

    def silence(self) -> Answer:
        """Takes the request and says nothing while the test runs."""

        def answer(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
            self.released.wait(30)
            handler.close_connection = True

        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                node.requests.append(request)
                node.connections.add(id(self.connection))
                answer = node._answers.popleft() if len(node._answers) > 1 else node._answers[0]
                answer(self, request)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name in the base class)
                """The test reads `requests` instead."""

        return Handler


@pytest.fixture
def make_node() -> Iterator[Callable[[], ScriptedNode]]:
    nodes: list[ScriptedNode] = []

    def make() -> ScriptedNode:
        nodes.append(ScriptedNode())
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def node(make_node: Callable[[], ScriptedNode]) -> ScriptedNode:
    return make_node()


@pytest.fixture
def second(make_node: Callable[[], ScriptedNode]) -> ScriptedNode:
    return make_node()


@pytest.fixture(scope="session")
def chain_url() -> Iterator[str]:
    """A local chain of its own, in memory, with quick slots."""
    port = _free_port_pair()
    command = [sys.executable, "-m", "chain.local", "--rpc-port", str(port), "--slot-ms", "100"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture
def airdrop(chain_url: str) -> Callable[[str, int], None]:
    """Gives lamports to an address; they are confirmed when it returns."""

    def ask(method: str, *params: Any) -> Any:
        return requests.post(chain_url, json={"id": 1, "jsonrpc": "2.0", "method": method, "params": params}, timeout=5)

    def give(address: str, lamports: int) -> None:
        ask("requestAirdrop", address, lamports).raise_for_status()
        confirmed = {"commitment": "confirmed"}
        wait_for(lambda: ask("getBalance", address, confirmed).json()["result"]["value"] == lamports)

    return give


def _free_port_pair() -> int:
    """A port whose successor is free too: that one is the WebSocket's."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
