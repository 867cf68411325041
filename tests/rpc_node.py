"""A node of its own between SolFlow and the local chain: it passes on what it is asked, and lags, forgets or fails as
told. Two of them in front of one chain are two endpoints that disagree.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from tests.local_chain import LocalChain, RpcFailureError

# Asked with its parameters and the way to the chain; answers the result or raises RpcFailureError.
Answer = Callable[[list[Any], Callable[[], Any]], Any]


class RpcNode:
    """`node.answers["getSlot"] = …` replaces a method; `asked` are (method, params) in order of arrival.

    `node.lag(0, 200)` makes it a load balancer: every other answer is that of a node 200 slots behind.
    """

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, list[Any]]] = []
        self.lags: dict[str, Iterator[int]] = {}
        self.released = Event()
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def lag(self, *slots: int, methods: Collection[str] = ()) -> None:
        """From now on, for these methods (all that tell of slots where none is named)."""
        self.lags = {method: itertools.cycle(slots) for method in methods or _LAGGING}

    def fail(self, *methods: str) -> None:
        """Errors for ever: an internal error says nothing about anything."""
        for method in methods:
            self.answers[method] = _broken

    def forget(self) -> None:
        """Knows the newest slots and no transaction, as a node that was set up a moment ago."""
        self.answers["getSignatureStatuses"] = lambda params, pass_on: {
            **pass_on(),
            "value": [None] * len(params[0]),
        }

    def hang(self, *methods: str) -> None:
        """No answer until the test is over."""
        for method in methods:
            self.answers[method] = lambda _, pass_on: self.released.wait(30) and pass_on()

    def well(self) -> None:
        self.answers.clear()
        self.lags = {}

    def calls(self, method: str) -> list[list[Any]]:
        return [params for name, params in self.asked if name == method]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        with self._lock:
            self.asked.append((method, params))
            behind = next(self.lags[method]) if method in self.lags else 0
        try:
            replaced = self.answers.get(method)
            if replaced is not None:
                return {"result": replaced(params, lambda: self.chain.call(method, params))}
            result = self.chain.call(method, params)
            return {"result": _LAGGING[method](result, behind) if behind else result}
        except RpcFailureError as error:
            return {"error": {"code": error.code, "message": error.message, "data": error.data}}

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = node._answer(request["method"], request.get("params") or [])
                body = json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Requests are recorded, not printed."""

        return Handler


def _broken(*_: Any) -> Any:
    raise RpcFailureError({"code": -32603, "message": "Internal error"})


def _older_position(result: dict[str, Any], slots: int) -> dict[str, Any]:
    return {**result, "absoluteSlot": result["absoluteSlot"] - slots, "blockHeight": result["blockHeight"] - slots}


def _older_statuses(result: dict[str, Any], slots: int) -> dict[str, Any]:
    slot = result["context"]["slot"] - slots
    known = [one if one is not None and one["slot"] <= slot else None for one in result["value"]]
    return {"context": {**result["context"], "slot": slot}, "value": known}


_LAGGING: dict[str, Callable[[Any, int], Any]] = {
    "getSlot": lambda slot, slots: slot - slots,
    "getBlockHeight": lambda height, slots: height - slots,
    "getEpochInfo": _older_position,
    "getSignatureStatuses": _older_statuses,
}
