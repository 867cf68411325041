"""Where the messages of a run go: an HTTP server that knows what it has taken and how often."""

from __future__ import annotations

import re
from collections import Counter

from tests.http_stub import Answer, HttpStub, Request

EXECUTION_ID = re.compile(rb"[0-9a-f]{64}")


class Receiver(HttpStub):
    """`taken` counts messages by (execution id, path): those that were answered well, and those after which it hung up,
    of which the sender cannot know. Requests themselves are forgotten, there are many."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        super().__init__()
        # Senders that are killed reset their connections; that is no news here.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    def _take(self, request: Request) -> Answer:
        answer = super()._take(request)
        with self._lock:
            self.requests.clear()
            if answer.close or answer.status < 300:
                found = EXECUTION_ID.search(request.body)
                self.taken[(found[0].decode() if found else "?", request.path.partition("?")[0])] += 1
        return answer
