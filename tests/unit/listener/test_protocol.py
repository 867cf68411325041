"""The client's side of PubSub, byte for byte, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.protocol import (
    AccountNotice,
    Acknowledged,
    LogsNotice,
    Malformed,
    Protocol,
    Refused,
    SignatureNotice,
    SlotNotice,
)

OWNER = "11111111111111111111111111111111"
SIGNATURE = "5" * 87


def frame(**message: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode()


def notification(method: str, number: int, result: Any) -> bytes:
    return frame(method=method, params={"subscription": number, "result": result})


def account(number: int, lamports: int = 5, slot: int = 9, data: str = "AQI=", encoding: str = "base64") -> bytes:
    value = {"lamports": lamports, "owner": OWNER, "data": [data, encoding], "rentEpoch": 2**64 - 1, "space": 2}
    return notification("accountNotification", number, {"context": {"slot": slot}, "value": value})


def opened(key: str = "watch", number: int = 77) -> Protocol[str]:
    """A protocol with one open subscription."""
    protocol: Protocol[str] = Protocol()
    protocol.subscribe(key, "accountSubscribe", "accountUnsubscribe", ["address"])
    protocol.take_requests()
    assert protocol.receive(frame(id=1, result=number)) == Acknowledged(key)
    return protocol


def requests(protocol: Protocol[str]) -> list[tuple[str, Any]]:
    return [(request["method"], request["params"]) for request in map(json.loads, protocol.take_requests())]


def test_a_subscription_is_asked_for_and_acknowledged() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", ["address", {"encoding": "base64"}])

    assert requests(protocol) == [("accountSubscribe", ["address", {"encoding": "base64"}])]
    assert protocol.waiting == 1
    assert protocol.receive(frame(id=1, result=77)) == Acknowledged("watch")
    assert protocol.waiting == 0


def test_asking_twice_sends_one_request() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])

    assert len(protocol.take_requests()) == 1


def test_an_account_notification_becomes_a_notice_under_the_callers_key() -> None:
    assert opened().receive(account(77)) == AccountNotice("watch", 9, 5, OWNER, b"\x01\x02")


def test_a_notification_before_the_acknowledgement_is_dropped() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])

    assert protocol.receive(account(77)) is None


def test_a_logs_notification_becomes_a_notice() -> None:
    value = {"signature": SIGNATURE, "err": {"InstructionError": [0, "Custom"]}, "logs": ["a", "b"]}
    found = opened().receive(notification("logsNotification", 77, {"context": {"slot": 9}, "value": value}))

    assert found == LogsNotice("watch", 9, SIGNATURE, {"InstructionError": [0, "Custom"]}, ("a", "b"))


def test_slots_are_told_without_a_key() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe_slots()

    assert requests(protocol) == [("slotSubscribe", [])]
    assert protocol.receive(frame(id=1, result=0)) is None
    assert protocol.receive(notification("slotNotification", 0, {"slot": 76, "parent": 75, "root": 44})) == SlotNotice(
        76, 44, parent=75
    )
    assert protocol.receive(notification("slotNotification", 0, {"slot": 77, "root": 44})) == SlotNotice(77, 44)


def test_unsubscribing_names_the_servers_number_and_silences_at_once() -> None:
    protocol = opened(number=77)
    protocol.unsubscribe("watch")

    assert requests(protocol) == [("accountUnsubscribe", [77])]
    assert protocol.receive(account(77)) is None
    assert protocol.receive(frame(id=2, result=True)) is None


def test_unsubscribing_before_the_reply_unsubscribes_with_the_reply() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])
    protocol.unsubscribe("watch")
    protocol.take_requests()

    assert protocol.receive(frame(id=1, result=77)) is None
    assert requests(protocol) == [("accountUnsubscribe", [77])]
    assert protocol.receive(account(77)) is None


def test_a_watch_wanted_again_before_the_reply_stays() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])
    protocol.unsubscribe("watch")
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])

    assert protocol.receive(frame(id=1, result=77)) == Acknowledged("watch")


def test_a_refusal_tells_code_and_message() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])

    found = protocol.receive(frame(id=1, error={"code": -32602, "message": "Invalid param"}))

    assert found == Refused("watch", -32602, "Invalid param")
    assert protocol.waiting == 0


def test_a_reply_without_a_number_is_a_refusal() -> None:
    protocol: Protocol[str] = Protocol()
    protocol.subscribe("watch", "accountSubscribe", "accountUnsubscribe", [])

    assert protocol.receive(frame(id=1, result={"odd": True})) == Refused("watch", 0, "a reply without a number")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"jsonrpc":"2.0"}',
        account(77, lamports=-1),
        account(77, lamports=2**64),
        account(77, slot=-1),
        account(77, slot=2**63),
        account(77, data="*"),
        account(77, encoding="base58"),
        notification("accountNotification", 77, {"context": {"slot": 1}, "value": None}),
        notification("logsNotification", 77, {"context": {"slot": 1}, "value": {"signature": "short", "logs": []}}),
        notification("slotNotification", 0, {"slot": -1, "root": 0}),
    ],
)
def test_what_cannot_be_read_is_a_value(bad: bytes) -> None:
    assert isinstance(opened().receive(bad), Malformed)


@given(st.binary(max_size=200))
def test_no_bytes_raise(frame_bytes: bytes) -> None:
    opened().receive(frame_bytes)


@given(position=st.integers(0, 200), byte=st.integers(0, 255))
def test_no_mutation_of_a_real_frame_raises(position: int, byte: int) -> None:
    mutated = bytearray(account(77))
    mutated[position % len(mutated)] = byte

    opened().receive(bytes(mutated))


def test_surrogates_and_deep_nesting_are_values_too() -> None:
    protocol = opened()
    lone = b'{"method":"logsNotification","params":{"subscription":77,"result":{"context":{"slot":1},"value":'
    lone += b'{"signature":"' + b"5" * 87 + b'","err":null,"logs":["\\ud800"]}}}}'

    assert isinstance(protocol.receive(lone), Malformed)
    assert isinstance(protocol.receive(b"[" * 100_000), Malformed)
    assert isinstance(protocol.receive(b'{"method":"x","params":' + b"[" * 100_000), Malformed)


def program_account(number: int, pubkey: str = OWNER, lamports: int = 5) -> bytes:
    state = {"lamports": lamports, "owner": OWNER, "data": ["AQI=", "base64"], "rentEpoch": 0, "space": 2}
    value = {"pubkey": pubkey, "account": state}
    return notification("programNotification", number, {"context": {"slot": 9}, "value": value})


def test_a_programs_account_is_told_with_its_address() -> None:
    told = opened().receive(program_account(77, "So11111111111111111111111111111111111111112"))

    assert told == AccountNotice("watch", 9, 5, OWNER, b"\1\2", "So11111111111111111111111111111111111111112")


@pytest.mark.parametrize("broken", [{"pubkey": "short"}, {"lamports": -1}, {"lamports": 2**64}])
def test_a_programs_account_out_of_range_is_malformed(broken: dict[str, Any]) -> None:
    assert isinstance(opened().receive(program_account(77, **broken)), Malformed)


@pytest.mark.parametrize("err", [None, {"InstructionError": [0, {"Custom": 1}]}])
def test_the_outcome_of_a_signature_is_told(err: Any) -> None:
    result = {"context": {"slot": 9}, "value": {"err": err}}

    assert opened().receive(notification("signatureNotification", 77, result)) == SignatureNotice("watch", 9, err)


def test_a_signature_that_was_only_received_says_nothing_that_can_be_read() -> None:
    result = {"context": {"slot": 9}, "value": "receivedSignature"}

    assert isinstance(opened().receive(notification("signatureNotification", 77, result)), Malformed)
