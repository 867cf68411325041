"""Subscriptions: who wants to hear what.

What they hear, and when, is in `notifications.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import orjson

from chain.local.encoding.accounts import AccountEncoding
from chain.local.encoding.filters import AccountFilter, parse_filters
from chain.local.errors import METHOD_NOT_FOUND, RpcError, invalid_params
from chain.local.ledger import Ledger
from chain.local.methods.call import Call, parse_pubkey, parse_signature
from chain.local.view import View
from chain.types import Commitment


class Subscriber(Protocol):
    """A connection that can be told things."""

    def notify(self, name: str, frame: bytes) -> None:
        """Send a notification of this name; never waits."""


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription; what of the options applies depends on its kind."""

    subscription_id: int
    subscriber: Subscriber
    key: Hashable
    commitment: Commitment
    encoding: AccountEncoding | None = None
    filters: tuple[AccountFilter, ...] = ()
    options: dict[str, Any] | None = None


class PubSub:
    """All subscriptions of all connections."""

    def __init__(self, ledger: Ledger) -> None:
        self._view = View(ledger)
        self._ids = count(1)
        self._by_id: dict[int, Subscription] = {}
        self._by_key: dict[Hashable, dict[int, Subscription]] = {}
        self._first_notifications: list[tuple[Subscription, str, bytes]] = []

    def call(self, subscriber: Subscriber, method: str, params: list[Any]) -> Any:
        """Answer a PubSub method: an id for `…Subscribe`, true for `…Unsubscribe`. Raises RpcError."""
        call = Call(self._view, params)
        if method.endswith("Unsubscribe") and f"{method.removesuffix('Unsubscribe')}Subscribe" in _SUBSCRIBE:
            return self._unsubscribe(subscriber, call.integer(0))
        make = _SUBSCRIBE.get(method)
        if make is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        subscription = make(self, subscriber, call)
        self._by_id[subscription.subscription_id] = subscription
        self._by_key.setdefault(subscription.key, {})[subscription.subscription_id] = subscription
        return subscription.subscription_id

    def flush_first(self) -> None:
        """Send what a fresh subscription must hear at once. Called when its id has been answered."""
        waiting, self._first_notifications = self._first_notifications, []
        for subscription, name, result in waiting:
            self.send(subscription, name, result)
            self.forget(subscription)

    def _unsubscribe(self, subscriber: Subscriber, subscription_id: int) -> bool:
        subscription = self._by_id.get(subscription_id)
        if subscription is None or subscription.subscriber is not subscriber:
            raise invalid_params("Invalid subscription id.")
        self.forget(subscription)
        return True

    def forget_subscriber(self, subscriber: Subscriber) -> None:
        """Its connection is gone."""
        for subscription in [item for item in self._by_id.values() if item.subscriber is subscriber]:
            self.forget(subscription)

    def forget(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._by_id.pop(subscription.subscription_id, None)
        same_key = self._by_key.get(subscription.key)
        if same_key is not None:
            same_key.pop(subscription.subscription_id, None)
            if not same_key:
                del self._by_key[subscription.key]

    def listening(self, *key: Hashable) -> list[Subscription]:
        """The subscriptions to exactly this; the last part of a key is the commitment."""
        same_key = self._by_key.get(key)
        return list(same_key.values()) if same_key else []

    def send(self, subscription: Subscription, name: str, result: bytes) -> None:
        """Tell one subscription a result that is JSON already."""
        frame = b'{"jsonrpc":"2.0","method":"%b","params":{"result":%b,"subscription":%d}}' % (
            name.encode(),
            result,
            subscription.subscription_id,
        )
        subscription.subscriber.notify(name, frame)

    def _new(self, subscriber: Subscriber, commitment: Commitment, *key: Hashable, **options: Any) -> Subscription:
        return Subscription(next(self._ids), subscriber, (*key, commitment), commitment, **options)

    def _subscribe_account(self, subscriber: Subscriber, call: Call) -> Subscription:
        config = call.config(1)
        encoding = config.account_encoding("binary")
        return self._new(subscriber, config.commitment(), "account", call.pubkey(0), encoding=encoding)

    def _subscribe_program(self, subscriber: Subscriber, call: Call) -> Subscription:
        config = call.config(1)
        encoding, filters = config.account_encoding("binary"), parse_filters(config.get("filters"))
        return self._new(
            subscriber, config.commitment(), "program", call.pubkey(0), encoding=encoding, filters=tuple(filters)
        )

    def _subscribe_logs(self, subscriber: Subscriber, call: Call) -> Subscription:
        wanted, commitment = call.optional(0), call.config(1).commitment()
        if wanted in ("all", "allWithVotes"):
            return self._new(subscriber, commitment, "logs", wanted)
        if isinstance(wanted, dict) and isinstance(wanted.get("mentions"), list):
            if len(wanted["mentions"]) != 1:
                raise invalid_params("Invalid Request: Only 1 address supported")
            return self._new(subscriber, commitment, "logs", str(parse_pubkey(wanted["mentions"][0])))
        raise invalid_params("Invalid params: expected `all`, `allWithVotes` or `mentions`.")

    def _subscribe_signature(self, subscriber: Subscriber, call: Call) -> Subscription:
        signature, config = parse_signature(call.text(0)), call.config(1)
        commitment = config.commitment()
        subscription = self._new(subscriber, commitment, "signature", signature)
        if config.flag("enableReceivedNotification"):
            subscription.options = {"received": True}
        status = self._view.status(signature, search_history=False)
        if status is not None and status.slot <= self._view.bank(commitment).slot:
            result = context_result(self._view.bank(commitment).slot, {"err": status.error})
            self._first_notifications.append((subscription, "signatureNotification", result))
        return subscription

    def _subscribe_block(self, subscriber: Subscriber, call: Call) -> Subscription:
        wanted, config = call.optional(0), call.config(1)
        mentioned = None
        if isinstance(wanted, dict):
            mentioned = str(parse_pubkey(wanted.get("mentionsAccountOrProgram")))
        elif wanted != "all":
            raise invalid_params("Invalid params: expected `all` or `mentionsAccountOrProgram`.")
        options = {
            "mentioned": mentioned,
            "encoding": config.encoding("base64"),
            "details": config.get("transactionDetails") or "full",
            "rewards": config.flag("showRewards", default=True),
            "max_version": config.get("maxSupportedTransactionVersion"),
        }
        return self._new(subscriber, config.confirmed_at_least(), "block", options=options)

    def _subscribe_slot(self, subscriber: Subscriber, call: Call) -> Subscription:
        return self._new(subscriber, "processed", "slot")

    def _subscribe_root(self, subscriber: Subscriber, call: Call) -> Subscription:
        return self._new(subscriber, "finalized", "root")

    def _subscribe_slots_updates(self, subscriber: Subscriber, call: Call) -> Subscription:
        return self._new(subscriber, "processed", "slotsUpdates")

    def _subscribe_vote(self, subscriber: Subscriber, call: Call) -> Subscription:
        return self._new(subscriber, "processed", "vote")


_SUBSCRIBE: dict[str, Callable[[PubSub, Subscriber, Call], Subscription]] = {
    "accountSubscribe": PubSub._subscribe_account,
    "programSubscribe": PubSub._subscribe_program,
    "logsSubscribe": PubSub._subscribe_logs,
    "signatureSubscribe": PubSub._subscribe_signature,
    "blockSubscribe": PubSub._subscribe_block,
    "slotSubscribe": PubSub._subscribe_slot,
    "rootSubscribe": PubSub._subscribe_root,
    "slotsUpdatesSubscribe": PubSub._subscribe_slots_updates,
    "voteSubscribe": PubSub._subscribe_vote,
}


def context_result(slot: int, value: Any) -> bytes:
    """The JSON of a notification's result: the value and the slot of the bank that it comes from."""
    return orjson.dumps({"context": {"slot": slot}, "value": value})
