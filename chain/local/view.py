"""The chain as one node shows it: at the tip, or some blocks behind (a scripted fault).

A node that lags does not know newer blocks: their transactions are unknown to it, their accounts unchanged.
"""

from __future__ import annotations

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.blocks import Block
from chain.local.ledger import Ledger, Status
from chain.local.records import TransactionRecord
from chain.local.store import transaction_id
from chain.types import Commitment


class View:
    """Reads of the ledger for one request."""

    def __init__(self, ledger: Ledger, lag_blocks: int = 0) -> None:
        self.ledger = ledger
        self._lag_blocks = lag_blocks

    def bank(self, commitment: Commitment) -> Block:
        """The newest block of this commitment that the node knows."""
        return self.ledger.blocks.bank(commitment, self._lag_blocks)

    def account(self, address: Pubkey, bank: Block) -> Account | None:
        """The account as `bank` left it."""
        return self.ledger.account_at(address, bank)

    def commitment_of(self, slot: int) -> Commitment | None:
        """The commitment of a slot; None where this node has not seen it yet."""
        return self.ledger.blocks.commitment_of(slot, self._lag_blocks)

    def confirmations(self, slot: int) -> int | None:
        """Blocks on top of the slot; None (rooted) once it is finalized."""
        if self.commitment_of(slot) == "finalized":
            return None
        return self.ledger.blocks.confirmations(slot, self._lag_blocks)

    def status(self, signature: str, *, search_history: bool) -> Status | None:
        """Where a transaction landed: of the last 300 blocks, or ever where the history is searched too."""
        status = self.ledger.status(signature)
        if status is None and search_history:
            record = self.ledger.store.transaction(signature)
            status = None if record is None else Status(record.slot, record.error)
        return None if status is None or self.commitment_of(status.slot) is None else status

    def transaction(self, signature: str, bank: Block) -> TransactionRecord | None:
        """A landed transaction at or below `bank` (which is confirmed at least, so its block is stored)."""
        record = self.ledger.store.transaction(signature)
        return None if record is None or record.slot > bank.slot else record

    def block(self, slot: int) -> Block | None:
        """A closed block with its transactions; None where the slot was skipped."""
        return self.ledger.store.block(slot)

    def history(
        self, address: str, bank: Block, *, before: str | None, until: str | None, limit: int
    ) -> list[TransactionRecord]:
        """Transactions that name an address, newest first, from `bank` down.

        An unknown `before` gives none, an unknown `until` is ignored: both as Solana's nodes do.
        """
        before_id = transaction_id(bank.slot + 1, 0)
        if before is not None:
            newest = self.ledger.store.transaction(before)
            if newest is None:
                return []
            before_id = min(before_id, transaction_id(newest.slot, newest.position))
        oldest = None if until is None else self.ledger.store.transaction(until)
        after_id = -1 if oldest is None else transaction_id(oldest.slot, oldest.position)
        return self.ledger.store.history(address, after_id=after_id, before_id=before_id, limit=limit)
