"""The chain itself: the one owner of the SVM. Blocks open and close, transactions land, accounts have a past.

Everything here is synchronous and belongs to one thread. A block is on disk before anything about it is `confirmed`.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.local.blocks import RECENT_BLOCKS, Block, BlockQueue
from chain.local.execution import Execution, execute
from chain.local.store import Store
from chain.local.svm import enter_block, genesis_accounts, load_accounts, new_svm
from chain.local.transactions import AddressLookupError, nonce_account_of, resolve_keys, stored_nonce
from chain.types import Commitment

CONFIRMED_DEPTH = 2
FINALIZED_DEPTH = 32
_SLOTS_SKIPPED_BY_RESTART = 8
_AIRDROP_UNITS = 1_000


@dataclass(frozen=True, slots=True)
class Status:
    """Where a recent transaction landed, and its error (None: success)."""

    slot: int
    error: Any


@dataclass(frozen=True, slots=True)
class Advance:
    """What the end of a slot changed. The blocks are the newest of their commitment; None where it did not move."""

    opened: Block
    closed: Block
    confirmed: Block | None
    rooted: Block | None


class Ledger:
    """The chain. Reads at a commitment go through `View`."""

    def __init__(self, store: Store, *, now_s: Callable[[], float] = time.time) -> None:
        """Goes on from what the store holds; an empty store becomes a new chain with its own genesis hash."""
        self._store = store
        self._now_s = now_s
        self.svm = new_svm()
        self.genesis_hash = str(Hash(store.identity("genesis_hash", os.urandom(32))))
        self.faucet = Keypair.from_bytes(store.identity("faucet", bytes(Keypair())))
        self.node = Keypair.from_bytes(store.identity("node", bytes(Keypair()))).pubkey()
        self.transaction_count = store.transaction_count()
        self._airdrops = 0
        past = store.last_blocks(RECENT_BLOCKS)
        self._statuses: dict[str, Status] = {}
        for block in past:
            self._statuses.update(
                (record.signature, Status(record.slot, record.error)) for record in block.transactions
            )
            block.transactions.clear()
        self.blocks = BlockQueue(past or [self._genesis_block()], CONFIRMED_DEPTH, FINALIZED_DEPTH)
        if past:
            load_accounts(self.svm, store.accounts())
        self._announced_slot: dict[Commitment, int] = {}
        # Slots that were open when the process died were seen by somebody: no number is used twice.
        self._open_block(skipped=_SLOTS_SKIPPED_BY_RESTART if past else 0)

    @property
    def store(self) -> Store:
        """Closed blocks and the transactions in them."""
        return self._store

    @property
    def tip(self) -> Block:
        """The open block."""
        return self.blocks.tip

    def _genesis_block(self) -> Block:
        block = Block(0, 0, 0, self.genesis_hash, str(Hash.default()), int(self._now_s()))
        for address, account in genesis_accounts(self.faucet.pubkey()):
            block.preimages[address] = None
            self.svm.set_account(address, account)
        self._store.write_block(block, self._changed_in(block))
        return block

    # Slots

    def advance(self, skipped: int = 0) -> Advance:
        """Close the open block, put it on disk and open the next, `skipped` slots further than the next one."""
        closed = self.tip
        self._store.write_block(closed, self._changed_in(closed))
        self.blocks.bank("finalized").transactions.clear()
        opened = self._open_block(skipped)
        return Advance(opened, closed, self._newly("confirmed"), self._newly("finalized"))

    def _newly(self, commitment: Commitment) -> Block | None:
        """The newest block of a commitment; None where it was the newest before (after a rollback, too)."""
        block = self.blocks.bank(commitment)
        if block.slot <= self._announced_slot.get(commitment, -1):
            return None
        self._announced_slot[commitment] = block.slot
        return block

    def _open_block(self, skipped: int) -> Block:
        parent = self.blocks.tip
        block = Block(
            slot=parent.slot + 1 + skipped,
            parent_slot=parent.slot,
            height=parent.height + 1,
            blockhash=str(Hash(os.urandom(32))),
            previous_blockhash=parent.blockhash,
            time_s=max(int(self._now_s()), parent.time_s),
        )
        for forgotten in self.blocks.append(block):
            for signature in forgotten.signatures:
                self._statuses.pop(signature, None)
        enter_block(self.svm, block, self.blocks.last(RECENT_BLOCKS))
        return block

    def _changed_in(self, block: Block) -> list[tuple[Pubkey, Account | None]]:
        return [(address, self.svm.get_account(address)) for address in block.preimages]

    def rollback(self, blocks: int) -> Block:
        """Lose a fork: the newest `blocks` blocks (the open one among them) vanish with all that they did.

        Their slots are skipped ones from now on; answers the block that is open then. ValueError where one of them is
        finalized.
        """
        if not 1 <= blocks <= self.tip.height - self.blocks.bank("finalized").height:
            raise ValueError("only blocks that are not finalized can be rolled back")
        lost_slot = self.tip.slot
        lost = self.blocks.drop_newest(blocks)
        reverted: dict[Pubkey, Account | None] = {}
        for block in lost:
            reverted.update(block.preimages)
            for signature in block.signatures:
                del self._statuses[signature]
            self.transaction_count -= len(block.signatures)
        before = {address: self.svm.get_account(address) for address in reverted}
        for address, account in reverted.items():
            self._put(address, account)
        self._store.drop_blocks_after(self.blocks.tip.slot, reverted.items())
        opened = self._open_block(skipped=lost_slot - self.blocks.tip.slot)
        # A subscriber saw the lost states, so the next block tells the old ones again.
        opened.preimages = {address: reverted[address] for address in before if before[address] != reverted[address]}
        return opened

    # Accounts

    def account_at(self, address: Pubkey, bank: Block) -> Account | None:
        """The account as `bank` left it."""
        for block in self.blocks.newer_than(bank):
            if address in block.preimages:
                return block.preimages[address]
        return self.svm.get_account(address)

    def accounts_owned_by(self, program: Pubkey, bank: Block) -> dict[Pubkey, Account]:
        """Every account that the program owned as `bank` left it."""
        owned = dict(self.svm.get_program_accounts(program))
        changed = {address for block in self.blocks.newer_than(bank) for address in block.preimages}
        for address in changed:
            account = self.account_at(address, bank)
            if account is not None and account.owner == program:
                owned[address] = account
            else:
                owned.pop(address, None)
        return owned

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Overwrite an account in the open block, past all rules; 0 lamports remove it."""
        self._note_change(address, self.svm.get_account(address))
        self._put(address, account if account.lamports else None)

    def _put(self, address: Pubkey, account: Account | None) -> None:
        self.svm.set_account(address, Account(0, b"", Pubkey.default()) if account is None else account)

    def _note_change(self, address: Pubkey, before: Account | None) -> None:
        self.tip.preimages.setdefault(address, before)

    # Transactions

    def status(self, signature: str) -> Status | None:
        """The status of a transaction of the last 300 blocks, the open one among them (Agave's status cache)."""
        return self._statuses.get(signature)

    def refusal(self, transaction: VersionedTransaction, bank: Block) -> str | None:
        """Why a transaction cannot be processed on top of `bank`: `BlockhashNotFound`, `AlreadyProcessed`, or None."""
        message = transaction.message
        if not self.blocks.is_blockhash_valid(str(message.recent_blockhash), bank):
            nonce_account = nonce_account_of(message)
            if nonce_account is None:
                return "BlockhashNotFound"
            if stored_nonce(self.svm.get_account(nonce_account)) != bytes(message.recent_blockhash):
                return "BlockhashNotFound"
        return "AlreadyProcessed" if str(transaction.signatures[0]) in self._statuses else None

    def submit(self, transaction: VersionedTransaction) -> Execution:
        """Process a transaction in the open block. What Solana would drop leaves no trace and answers why."""
        refused = self.refusal(transaction, self.tip)
        if refused is not None:
            return Execution(None, refused, [], [])
        try:
            keys = resolve_keys(transaction.message, self.svm.get_account)
        except AddressLookupError as error:
            return Execution(None, str(error), [], [])
        block = self.tip
        execution = execute(self.svm, transaction, keys, block)
        for address, before in execution.changes:
            self._note_change(address, before)
        record = execution.record
        if record is not None:
            if record.error is not None:
                self._advance_nonce_of_failed(transaction)
            block.transactions.append(record)
            block.signatures.append(record.signature)
            self._statuses[record.signature] = Status(record.slot, record.error)
            self.transaction_count += 1
        return execution

    def _advance_nonce_of_failed(self, transaction: VersionedTransaction) -> None:
        """A failed durable transaction uses its nonce up all the same; LiteSVM rolls that back, Solana does not."""
        address = nonce_account_of(transaction.message)
        account = None if address is None else self.svm.get_account(address)
        if address is None or account is None or stored_nonce(account) != bytes(transaction.message.recent_blockhash):
            return
        # As LiteSVM derives it, so that the nonces of one account are one chain of hashes and never come again.
        next_nonce = hashlib.sha256(b"DURABLE_NONCE" + bytes(transaction.message.recent_blockhash)).digest()
        self._note_change(address, account)
        data = account.data[:40] + next_nonce + account.data[72:]
        self.svm.set_account(
            address, Account(account.lamports, data, account.owner, account.executable, account.rent_epoch)
        )

    def airdrop(self, recipient: Pubkey, lamports: int) -> Execution:
        """Pay from the faucet, at once. Equal airdrops in one slot have signatures of their own."""
        # Equal transfers under one blockhash would be one transaction: a compute limit tells them apart at no cost.
        self._airdrops = (self._airdrops + 1) % 1_000_000
        instructions = [
            transfer(TransferParams(from_pubkey=self.faucet.pubkey(), to_pubkey=recipient, lamports=lamports)),
            set_compute_unit_limit(_AIRDROP_UNITS + self._airdrops),
        ]
        blockhash = Hash.from_string(self.tip.blockhash)
        message = Message.new_with_blockhash(instructions, self.faucet.pubkey(), blockhash)
        return self.submit(VersionedTransaction(message, [self.faucet]))
