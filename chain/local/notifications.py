"""What the end of a slot tells the subscribers.

As on Solana an account is told once per block, with its last state in it; a notification carries the slot of the bank
that it was made from; and it comes when the block reaches the subscription's commitment, never in the middle of one.
"""

from __future__ import annotations

import time
from typing import Any

import orjson
from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.local.blocks import Block
from chain.local.encoding.accounts import AccountEncoding, encode_account
from chain.local.encoding.filters import passes
from chain.local.encoding.transactions import encode_block
from chain.local.errors import RpcError
from chain.local.faults import FaultPlan
from chain.local.ledger import Advance, Ledger
from chain.local.programs import SYSTEM, VOTE
from chain.local.pubsub import PubSub, Subscription, context_result
from chain.local.records import TransactionRecord
from chain.types import Commitment

_NO_ACCOUNT = Account(0, b"", SYSTEM)
_VOTE_LOGS = [f"Program {VOTE} invoke [1]", f"Program {VOTE} success"]


class Notifier:
    """Turns the end of a slot into notifications."""

    def __init__(self, ledger: Ledger, pubsub: PubSub, faults: FaultPlan) -> None:
        self._ledger = ledger
        self._pubsub = pubsub
        self._faults = faults

    def publish(self, advance: Advance) -> None:
        """Tell everybody what this end of a slot changed."""
        self._slots(advance)
        self._bank(advance.closed, "processed")
        if advance.confirmed is not None:
            self._bank(advance.confirmed, "confirmed")
        if advance.rooted is not None:
            self._bank(advance.rooted, "finalized")

    def received(self, signature: str) -> None:
        """Tell those who asked for it that the node has got this transaction."""
        for commitment in ("processed", "confirmed", "finalized"):
            for subscription in self._pubsub.listening("signature", signature, commitment):
                if subscription.options:
                    result = context_result(self._ledger.tip.slot, "receivedSignature")
                    self._pubsub.send(subscription, "signatureNotification", result)

    # Slots

    def _slots(self, advance: Advance) -> None:
        opened, closed = advance.opened, advance.closed
        root = self._ledger.blocks.bank("finalized").slot
        slot = {"slot": opened.slot, "parent": opened.parent_slot, "root": root}
        self._tell(self._pubsub.listening("slot", "processed"), "slotNotification", orjson.dumps(slot))
        if advance.rooted is not None:
            self._tell(self._pubsub.listening("root", "finalized"), "rootNotification", b"%d" % advance.rooted.slot)
        self._slots_updates(advance)
        self._vote(closed)

    def _tell(self, subscriptions: list[Subscription], name: str, result: bytes) -> None:
        for subscription in subscriptions:
            self._pubsub.send(subscription, name, result)

    def _slots_updates(self, advance: Advance) -> None:
        listening = self._pubsub.listening("slotsUpdates", "processed")
        if not listening:
            return
        opened, closed = advance.opened, advance.closed
        count = len(closed.transactions)
        failed = sum(record.error is not None for record in closed.transactions)
        stats = {
            "numTransactionEntries": count,
            "numSuccessfulTransactions": count - failed,
            "numFailedTransactions": failed,
            "maxTransactionsPerEntry": count,
        }
        updates: list[dict[str, Any]] = [
            {"type": "completed", "slot": closed.slot},
            {"type": "frozen", "slot": closed.slot, "stats": stats},
            {"type": "firstShredReceived", "slot": opened.slot},
            {"type": "createdBank", "slot": opened.slot, "parent": opened.parent_slot},
        ]
        if advance.confirmed is not None:
            updates.append({"type": "optimisticConfirmation", "slot": advance.confirmed.slot})
        if advance.rooted is not None:
            updates.append({"type": "root", "slot": advance.rooted.slot})
        timestamp_ms = int(time.time() * 1_000)
        for update in updates:
            self._tell(listening, "slotsUpdatesNotification", orjson.dumps({**update, "timestamp": timestamp_ms}))

    def _vote(self, closed: Block) -> None:
        """The one validator votes for every block. Its votes are told, not executed: they would be all there is."""
        signature = str(Signature(closed.slot.to_bytes(64, "little")))
        vote = {
            "votePubkey": str(self._ledger.node),
            "slots": [closed.slot],
            "hash": closed.blockhash,
            "timestamp": closed.time_s,
            "signature": signature,
        }
        self._tell(self._pubsub.listening("vote", "processed"), "voteNotification", orjson.dumps(vote))
        value = {"signature": signature, "err": None, "logs": _VOTE_LOGS}
        for commitment in ("processed", "confirmed", "finalized"):
            listening = self._pubsub.listening("logs", "allWithVotes", commitment)
            self._tell(listening, "logsNotification", context_result(closed.slot, value))

    # Blocks that reached a commitment

    def _bank(self, block: Block, commitment: Commitment) -> None:
        account_slot = block.slot + self._faults.slot_offset("accountNotification")
        program_slot = block.slot + self._faults.slot_offset("programNotification")
        for address in block.preimages:
            account = self._ledger.account_at(address, block)
            self._account(address, account or _NO_ACCOUNT, block, account_slot, commitment)
            if account is not None:
                self._program_account(address, account, block, program_slot, commitment)
        for record in block.transactions:
            self._transaction(record, block, commitment)
        for subscription in self._pubsub.listening("block", commitment):
            self._block(subscription, block)

    def _account(self, address: Pubkey, account: Account, block: Block, slot: int, commitment: Commitment) -> None:
        results: dict[AccountEncoding, bytes] = {}
        for subscription in self._pubsub.listening("account", address, commitment):
            encoding = subscription.encoding
            assert encoding is not None
            if encoding not in results:
                results[encoding] = context_result(slot, self._encode(address, account, encoding, block))
            self._pubsub.send(subscription, "accountNotification", results[encoding])

    def _encode(self, address: Pubkey, account: Account, encoding: AccountEncoding, block: Block) -> dict[str, Any]:
        return encode_account(address, account, encoding, lambda mint: self._ledger.account_at(mint, block))

    def _program_account(
        self, address: Pubkey, account: Account, block: Block, slot: int, commitment: Commitment
    ) -> None:
        for subscription in self._pubsub.listening("program", account.owner, commitment):
            encoding = subscription.encoding
            assert encoding is not None
            if passes(account, subscription.filters):
                value = {"pubkey": str(address), "account": self._encode(address, account, encoding, block)}
                self._pubsub.send(subscription, "programNotification", context_result(slot, value))

    def _transaction(self, record: TransactionRecord, block: Block, commitment: Commitment) -> None:
        for subscription in self._pubsub.listening("signature", record.signature, commitment):
            self._pubsub.send(subscription, "signatureNotification", context_result(block.slot, {"err": record.error}))
            self._pubsub.forget(subscription)
        listening = [
            subscription
            for wanted in ("all", "allWithVotes", *record.account_keys)
            for subscription in self._pubsub.listening("logs", wanted, commitment)
        ]
        if listening:
            slot = block.slot + self._faults.slot_offset("logsNotification")
            value = {"signature": record.signature, "err": record.error, "logs": record.logs}
            self._tell(listening, "logsNotification", context_result(slot, value))

    def _block(self, subscription: Subscription, block: Block) -> None:
        options = subscription.options or {}
        mentioned = options["mentioned"]
        shown = Block(
            block.slot,
            block.parent_slot,
            block.height,
            block.blockhash,
            block.previous_blockhash,
            block.time_s,
            transactions=[r for r in block.transactions if mentioned is None or mentioned in r.account_keys],
        )
        shown.signatures = [record.signature for record in shown.transactions]
        if mentioned is not None and not shown.transactions:
            return
        try:
            body, error = self._encode_block(shown, options), None
        except RpcError:
            body, error = None, {"UnsupportedTransactionVersion": 0}
        value = {"slot": block.slot, "block": body, "err": error}
        self._pubsub.send(subscription, "blockNotification", context_result(block.slot, value))

    @staticmethod
    def _encode_block(block: Block, options: dict[str, Any]) -> dict[str, Any]:
        return encode_block(block, options["encoding"], options["details"], options["max_version"], options["rewards"])
