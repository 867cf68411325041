"""No head of a request is read beyond a bound.

uvicorn's httptools protocol keeps names, values and addresses of any length until the head ends, which it need not:
a few connections could take all memory before any code of ours is asked.
https://github.com/Kludex/uvicorn/blob/0.54.0/uvicorn/protocols/http/httptools_impl.py
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# As h11, uvicorn's other protocol, by default; and what is read at once beyond it.
MAX_HEAD_BYTES = 65_536
REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 24\r\n"
    b"connection: close\r\n\r\nthe headers are too long"
)

_data_received = HttpToolsProtocol.data_received
_on_message_begin = HttpToolsProtocol.on_message_begin
_on_headers_complete = HttpToolsProtocol.on_headers_complete


def _begin(self: Any) -> None:
    self.head_bytes = 0
    _on_message_begin(self)


def _complete(self: Any) -> None:
    self.head_bytes = None
    _on_headers_complete(self)


def _receive(self: Any, data: bytes) -> None:
    _data_received(self, data)
    # None once the head is complete, absent before its first byte.
    read = self.__dict__.get("head_bytes")
    if read is None or self.transport.is_closing():
        return
    self.head_bytes = read + len(data)
    if self.head_bytes > MAX_HEAD_BYTES:
        self.transport.write(REFUSAL)
        self.transport.close()


def keep() -> None:
    """Make uvicorn do so; again, it changes nothing."""
    HttpToolsProtocol.data_received = _receive  # type: ignore[method-assign]
    HttpToolsProtocol.on_message_begin = _begin  # type: ignore[method-assign]
    HttpToolsProtocol.on_headers_complete = _complete  # type: ignore[method-assign]
