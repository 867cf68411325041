"""WebSocket frames cut out of what reads bring: the library's own parser is the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from listener.frames import Frames

MAX_SIZE = 70_000


def wire(opcode: Opcode, payload: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


def library() -> ClientProtocol:
    return ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=MAX_SIZE)


payloads = st.one_of(st.binary(max_size=300), st.integers(0, 69_000).map(lambda size: b"x" * size))
messages = st.lists(
    st.one_of(
        st.tuples(st.just("whole"), payloads),
        st.tuples(st.just("fragments"), st.lists(st.binary(max_size=200), min_size=2, max_size=4)),
        st.tuples(st.just("ping"), st.binary(max_size=125)),
    ),
    max_size=12,
)


def stream_of(parts: list) -> tuple[bytes, list[bytes], int]:
    """The bytes, the messages that they hold, and the number of pings."""
    raw, whole, pings = b"", [], 0
    for kind, content in parts:
        if kind == "ping":
            raw += wire(Opcode.PING, content)
            pings += 1
        elif kind == "whole":
            raw += wire(Opcode.TEXT, content)
            whole.append(content)
        else:
            first, *between, last = content
            raw += wire(Opcode.TEXT, first, fin=False)
            for one in between:
                # Control frames may stand between the fragments of a message.
                raw += wire(Opcode.CONT, one, fin=False) + wire(Opcode.PING, b"")
                pings += 1
            raw += wire(Opcode.CONT, last)
            whole.append(b"".join(content))
    return raw, whole, pings


@given(messages, st.lists(st.integers(1, 5_000), max_size=30))
def test_messages_come_whole_and_in_order_however_the_reads_cut_them(parts: list, cuts: list[int]) -> None:
    raw, expected, pings = stream_of(parts)
    frames, protocol, found, at = Frames(MAX_SIZE), library(), [], 0
    for cut in [*cuts, len(raw) or 1]:
        got, rest = frames.feed(raw[at : at + cut])
        found += got
        protocol.receive_data(rest)
        at += cut

    assert found == expected
    assert protocol.state is State.OPEN
    assert sum(event.opcode is Opcode.PING for event in protocol.events_received()) == pings


def test_a_close_is_the_librarys() -> None:
    frames, protocol = Frames(MAX_SIZE), library()
    got, rest = frames.feed(wire(Opcode.TEXT, b"last") + wire(Opcode.CLOSE, b"\x03\xe8"))
    protocol.receive_data(rest)

    assert got == [b"last"]
    assert protocol.state is State.CLOSING


BROKEN = {
    "masked": Frame(Opcode.TEXT, b"text").serialize(mask=True),
    "a reserved bit": b"\xc1\x00",
    "an unknown opcode": b"\x83\x00",
    "too large": wire(Opcode.TEXT, b"x" * (MAX_SIZE + 1)),
    "a continuation of nothing": wire(Opcode.CONT, b"text"),
    "text inside of a fragmented message": wire(Opcode.TEXT, b"a", fin=False) + wire(Opcode.TEXT, b"b"),
    "too large in sum": wire(Opcode.TEXT, b"x" * 60_000, fin=False) + wire(Opcode.CONT, b"x" * 60_000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_protocol_closes_the_connection(name: str) -> None:
    """By the library, which says why to the server; what came before it counts, what comes after does not."""
    frames, protocol = Frames(MAX_SIZE), library()
    got, rest = frames.feed(wire(Opcode.TEXT, b"before") + BROKEN[name])
    protocol.receive_data(rest)
    after, rest = frames.feed(wire(Opcode.TEXT, b"after"))
    protocol.receive_data(rest)

    assert (got, after) == ([b"before"], [])
    assert protocol.state in (State.CLOSING, State.CLOSED)
    assert isinstance(protocol.parser_exc, ProtocolError) or name == "too large"


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes) -> None:
    frames, protocol = Frames(MAX_SIZE), library()
    _, rest = frames.feed(raw)
    protocol.receive_data(rest)
    assert protocol.state in State
