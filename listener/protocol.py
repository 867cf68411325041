"""Sans-I/O: the client's side of Solana PubSub on one connection. Bytes in, values and requests out; no clock.

What comes in is never trusted: whatever cannot be read is a `Malformed` value. A subscription lives through

    subscribe() ──► asked ──reply──► open ──unsubscribe()──► gone
                      └──unsubscribe()──► unwanted ──reply──► unsubscribed at once

and is known to the caller by its own key, never by the server's number, which is another one on each connection.
Notifications of numbers that are not open are dropped: before the acknowledgement the read-back covers them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from chain.decode.logs import told_logs

K = TypeVar("K")

U64_MAX = 2**64 - 1
SLOT_MAX = 2**63 - 1  # what a bigint column holds


@dataclass(frozen=True, slots=True)
class Acknowledged(Generic[K]):
    """The server has opened the subscription: from here on it tells."""

    key: K


@dataclass(frozen=True, slots=True)
class Refused(Generic[K]):
    """The server will not open the subscription."""

    key: K
    code: int
    message: str


class AccountNotice(msgspec.Struct, Generic[K], frozen=True, gc=False):
    """The state of an account in the bank of `slot`, which is the notifying bank and not the one of the change.

    `address` says which, where the subscription is to all accounts of a program, and is None where it is to one.
    """

    key: K
    slot: int
    lamports: int
    owner: str
    data: bytes
    address: str | None = None


class LogsNotice(msgspec.Struct, Generic[K], frozen=True):
    """The logs of one transaction; `err` is the runtime's error as JSON, None for success."""

    key: K
    slot: int
    signature: str
    err: Any
    logs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignatureNotice(Generic[K]):
    """The transaction that the subscription is about has reached its commitment; the server tells it once. `err` is the
    runtime's error as JSON, None for success."""

    key: K
    slot: int
    err: Any


@dataclass(frozen=True, slots=True)
class SlotNotice:
    """A node works on a slot, whose block will follow that of `parent` (None where the feed does not say); `root` is
    the newest slot that this node will never leave."""

    slot: int
    root: int
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is no message of this protocol; `reason` holds nothing of its content."""

    reason: str


Notice = AccountNotice[K] | LogsNotice[K] | SignatureNotice[K]
Message = Acknowledged[K] | Refused[K] | Notice[K] | SlotNotice | Malformed | None


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Envelope(msgspec.Struct):
    """A reply, or whatever else there is. Raw parts are empty where they are absent."""

    id: int | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Error | None = None
    method: str | None = None


class _Context(msgspec.Struct):
    slot: int


class _Account(msgspec.Struct):
    lamports: int
    owner: str
    data: tuple[str, str]


class _AccountResult(msgspec.Struct):
    context: _Context
    value: _Account


class _AccountParams(msgspec.Struct):
    subscription: int
    result: _AccountResult


class _KeyedAccount(msgspec.Struct):
    pubkey: str
    account: _Account


class _KeyedAccountResult(msgspec.Struct):
    context: _Context
    value: _KeyedAccount


class _KeyedAccountParams(msgspec.Struct):
    subscription: int
    result: _KeyedAccountResult


class _Outcome(msgspec.Struct):
    err: Any


class _SignatureResult(msgspec.Struct):
    context: _Context
    value: _Outcome


class _SignatureParams(msgspec.Struct):
    subscription: int
    result: _SignatureResult


class _Logs(msgspec.Struct):
    signature: str
    logs: tuple[str, ...] | None = None
    err: Any = None


class _LogsResult(msgspec.Struct):
    context: _Context
    value: _Logs


class _LogsParams(msgspec.Struct):
    subscription: int
    result: _LogsResult


class _SlotResult(msgspec.Struct):
    slot: int
    root: int
    parent: int | None = None


class _SlotParams(msgspec.Struct):
    subscription: int
    result: _SlotResult


class _OfAccount(msgspec.Struct, tag_field="method", tag="accountNotification"):
    params: _AccountParams


class _OfProgram(msgspec.Struct, tag_field="method", tag="programNotification"):
    params: _KeyedAccountParams


class _OfLogs(msgspec.Struct, tag_field="method", tag="logsNotification"):
    params: _LogsParams


class _OfSignature(msgspec.Struct, tag_field="method", tag="signatureNotification"):
    params: _SignatureParams


class _OfSlot(msgspec.Struct, tag_field="method", tag="slotNotification"):
    params: _SlotParams


_Notification = _OfAccount | _OfProgram | _OfLogs | _OfSignature | _OfSlot
NOTIFICATIONS = {
    "accountNotification",
    "programNotification",
    "logsNotification",
    "signatureNotification",
    "slotNotification",
}

_envelope = msgspec.json.Decoder(_Envelope).decode
_notification = msgspec.json.Decoder(_Notification).decode
_number = msgspec.json.Decoder(int).decode
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Request(Generic[K]):
    """A subscription that was asked for; `key` is None for the slots that serve as heartbeat."""

    key: K | None
    unsubscribe_method: str
    wanted: bool = True


class Protocol(Generic[K]):
    """The state of one connection. Requests gather in an outbox that the driver empties after each call."""

    def __init__(self) -> None:
        self._next_id = 1
        self._asked: dict[int, _Request[K]] = {}
        self._asked_by_key: dict[K, int] = {}
        self._open: dict[int, _Request[K]] = {}
        self._number_of: dict[K, int] = {}
        self._outbox: list[bytes] = []

    @property
    def waiting(self) -> int:
        """How many subscriptions were asked for and not answered yet."""
        return len(self._asked)

    def subscribe_slots(self) -> None:
        """Ask for every slot: the sign of life of a connection on which nothing else may happen for hours."""
        self._ask("slotSubscribe", [], _Request(None, "slotUnsubscribe"))

    def subscribe(self, key: K, method: str, unsubscribe_method: str, params: Sequence[Any]) -> None:
        """Ask for a subscription under the caller's `key`. Asking again for one that is asked or open does nothing."""
        if key in self._number_of:
            return
        if key in self._asked_by_key:
            self._asked[self._asked_by_key[key]].wanted = True
            return
        self._asked_by_key[key] = self._ask(method, params, _Request(key, unsubscribe_method))

    def unsubscribe(self, key: K) -> None:
        """Stop telling about `key`, at once; the server hears of it as soon as there is a number to name."""
        if key in self._number_of:
            number = self._number_of.pop(key)
            self._send(self._open.pop(number).unsubscribe_method, [number])
        elif key in self._asked_by_key:
            self._asked[self._asked_by_key[key]].wanted = False

    def take_requests(self) -> list[bytes]:
        """What has to be sent, in order; the outbox is empty afterwards."""
        requests, self._outbox = self._outbox, []
        return requests

    def receive(self, frame: bytes) -> Message[K]:
        """The meaning of one frame; None for what needs no attention (an unsubscribe's reply, an unknown number)."""
        try:
            return self._told(_notification(frame))
        except msgspec.ValidationError:
            return self._other(frame)
        except (msgspec.MsgspecError, binascii.Error, UnicodeError, RecursionError) as error:
            return Malformed(type(error).__name__)

    def _other(self, frame: bytes) -> Message[K]:
        try:
            envelope = _envelope(frame)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return Malformed(type(error).__name__)
        if envelope.method is not None:
            return Malformed("a notification of another shape") if envelope.method in NOTIFICATIONS else None
        if envelope.id is not None:
            return self._reply(envelope.id, envelope)
        return Malformed("neither a reply nor a notification")

    def _told(self, notification: _Notification) -> Message[K]:
        params = notification.params
        if isinstance(params, _AccountParams):
            return self._account(params.subscription, params.result.context.slot, params.result.value, None)
        if isinstance(params, _LogsParams):
            return self._logs(params)
        if isinstance(params, _KeyedAccountParams):
            value = params.result.value
            return self._account(params.subscription, params.result.context.slot, value.account, value.pubkey)
        if isinstance(params, _SignatureParams):
            return self._signature(params)
        told = params.result
        if not _is_slot(told.slot) or not _is_slot(told.root):
            return _out_of_range()
        return SlotNotice(told.slot, told.root, told.parent)

    def _account(self, number: int, slot: int, account: _Account, address: str | None) -> Message[K]:
        key = self._key_of(number)
        if key is None:
            return None
        if not _is_slot(slot) or not 0 <= account.lamports <= U64_MAX or not _is_address(account.owner):
            return _out_of_range()
        if address is not None and not _is_address(address):
            return _out_of_range()
        if account.data[1] != "base64":
            return Malformed("another encoding than asked for")
        data = base64.b64decode(account.data[0], validate=True) if account.data[0] else b""
        return AccountNotice(key, slot, account.lamports, account.owner, data, address)

    def _logs(self, params: _LogsParams) -> Message[K]:
        key = self._key_of(params.subscription)
        if key is None:
            return None
        slot, value = params.result.context.slot, params.result.value
        if not _is_slot(slot) or not 64 <= len(value.signature) <= 88:
            return _out_of_range()
        return LogsNotice(key, slot, value.signature, value.err, told_logs(value.logs, value.err))

    def _signature(self, params: _SignatureParams) -> Message[K]:
        key, slot = self._key_of(params.subscription), params.result.context.slot
        if key is None:
            return None
        return SignatureNotice(key, slot, params.result.value.err) if _is_slot(slot) else _out_of_range()

    def _key_of(self, number: int) -> K | None:
        request = self._open.get(number)
        return None if request is None else request.key

    def _reply(self, request_id: int, envelope: _Envelope) -> Message[K]:
        request = self._asked.pop(request_id, None)
        if request is None:
            return None
        if request.key is not None:
            del self._asked_by_key[request.key]
        if envelope.error is not None:
            return self._refused(request, envelope.error)
        try:
            number = _number(envelope.result)
        except msgspec.MsgspecError:
            return self._refused(request, _Error(0, "a reply without a number"))
        if not request.wanted:
            self._send(request.unsubscribe_method, [number])
            return None
        self._open[number] = request
        if request.key is None:
            return None
        self._number_of[request.key] = number
        return Acknowledged(request.key)

    def _refused(self, request: _Request[K], error: _Error) -> Message[K]:
        if request.key is None:
            return Malformed("slots were refused")
        return Refused(request.key, error.code, error.message) if request.wanted else None

    def _ask(self, method: str, params: Sequence[Any], request: _Request[K]) -> int:
        request_id = self._send(method, params)
        self._asked[request_id] = request
        return request_id

    def _send(self, method: str, params: Sequence[Any]) -> int:
        request_id = self._next_id
        self._next_id += 1
        self._outbox.append(_encode({"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}))
        return request_id


def _is_slot(number: int) -> bool:
    return 0 <= number <= SLOT_MAX


def _is_address(text: str) -> bool:
    return 32 <= len(text) <= 44


def _out_of_range() -> Malformed:
    return Malformed("a value out of range")
