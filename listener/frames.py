"""Sans-I/O: WebSocket frames of a server (RFC 6455, section 5.2) -> whole messages, as many as a read has brought.

The library parses each frame in a generator and hands it on through a queue and a coroutine: a third of what a
notification costs. Here data frames are cut out in one loop; everything else, control frames and whatever breaks the
protocol, is left for the library, which answers as the RFC says.
"""

from __future__ import annotations

CONTINUATION, BINARY = 0x0, 0x2
FIN = 0x80
# A continuation of nothing: the library fails the connection at it.
BROKEN = b"\x80\x00"


class Frames:
    """One connection's stream after its handshake. Messages above `max_size` bytes break it."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._buffer = bytearray()
        self._fragments: list[bytes] = []
        self._is_broken = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The messages that are whole with `data`, and the bytes that are the library's: whole frames, in order."""
        if self._is_broken:
            return [], data
        self._buffer += data
        buffer, size = self._buffer, len(self._buffer)
        messages: list[bytes] = []
        rest = bytearray()
        at = 0
        while size - at >= 2:
            first, length = buffer[at], buffer[at + 1]
            start = at + 2
            if length == 126:
                start += 2
                length = int.from_bytes(buffer[at + 2 : start])
            elif length == 127:
                start += 8
                length = int.from_bytes(buffer[at + 2 : start])
            elif length > 127:  # masked, which a server's frames never are
                return self._give_up(messages, rest, at)
            end = start + length
            if start > size:
                break
            if (first & 0x7F > BINARY and first & 0x0F < 0x8) or length > self._max_size:  # reserved bits or opcodes
                return self._give_up(messages, rest, at)
            if end > size:
                break
            if first & 0x0F >= 0x8:
                rest += buffer[at:end]
            elif not self._take(first, bytes(buffer[start:end]), messages):
                self._is_broken = True
                return messages, bytes(rest) + BROKEN
            at = end
        del buffer[:at]
        return messages, bytes(rest)

    def _take(self, first: int, payload: bytes, messages: list[bytes]) -> bool:
        """Add a data frame; False where it does not continue what came before or makes it too large."""
        if (first & 0x0F == CONTINUATION) != bool(self._fragments):
            return False
        if first & FIN and not self._fragments:
            messages.append(payload)
            return True
        self._fragments.append(payload)
        if first & FIN:
            messages.append(b"".join(self._fragments))
            self._fragments = []
            return len(messages[-1]) <= self._max_size or messages.pop() is None
        return sum(map(len, self._fragments)) <= self._max_size

    def _give_up(self, messages: list[bytes], rest: bytearray, at: int) -> tuple[list[bytes], bytes]:
        self._is_broken = True
        rest += self._buffer[at:]
        self._buffer.clear()
        return messages, bytes(rest)
