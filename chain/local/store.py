"""The chain on disk: one SQLite file in the data directory, or in memory where there is none.

Every closed block is one SQLite transaction: its hash and time, its transactions and the accounts as it left them.
So the file is journal and snapshot at once: SQLite's write-ahead log is the journal, a torn end of it is dropped by
SQLite at the next start, and a long history costs nothing to open, because nothing is executed again.

After a crash of the process every closed block is there. After a crash of the machine every block with a transaction
is there (its commit waits for the disk); the last empty ones may be missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.blocks import Block
from chain.local.errors import ChainDataError
from chain.local.records import TransactionRecord, decode_record, encode_record
from chain.local.store_codec import decode_account, encode_account

FILE_NAME = "chain.sqlite3"
_SCHEMA_VERSION = 1
_POSITION_BITS = 20
_EMPTY_BLOCKS_KEPT = 432_000
_PRUNE_EVERY_SLOTS = 4_096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    slot INTEGER PRIMARY KEY, parent_slot INTEGER NOT NULL, height INTEGER NOT NULL,
    blockhash TEXT NOT NULL, previous_blockhash TEXT NOT NULL, time_s INTEGER NOT NULL, transactions INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS transactions (
    id INTEGER PRIMARY KEY, signature TEXT NOT NULL UNIQUE, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS address_history (
    address TEXT NOT NULL, transaction_id INTEGER NOT NULL, PRIMARY KEY (address, transaction_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (address BLOB PRIMARY KEY, account BLOB NOT NULL) WITHOUT ROWID;
"""
_LAST_BLOCKS = """SELECT slot, parent_slot, height, blockhash, previous_blockhash, time_s
FROM blocks ORDER BY slot DESC LIMIT ?"""
_BLOCK = """SELECT slot, parent_slot, height, blockhash, previous_blockhash, time_s
FROM blocks WHERE slot = ?"""


def transaction_id(slot: int, position: int) -> int:
    """Transactions ordered as they happened: by slot, then by position in the block."""
    return slot << _POSITION_BITS | position


class Store:
    """Closed blocks, their transactions, and the accounts after the last of them. One process per file."""

    def __init__(self, data_dir: Path | None) -> None:
        """Raises ChainDataError where the directory cannot be used or another chain runs on it."""
        self._data_dir = data_dir
        try:
            if data_dir is not None:
                data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = ":memory:" if data_dir is None else str(data_dir / FILE_NAME)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
            self._make_tables()
        except (OSError, sqlite3.Error) as error:
            raise ChainDataError(_explain(data_dir, error)) from error

    def _make_tables(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _SCHEMA_VERSION):
            raise ChainDataError(f"data directory {self._data_dir}: made by another version of the local chain")
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    # Identity: genesis hash, faucet key and node key, made once.

    def identity(self, name: str, made_now: bytes) -> bytes:
        """The stored value of this name; the first call for a name stores `made_now`."""
        self._db.execute("INSERT INTO identity VALUES (?, ?) ON CONFLICT DO NOTHING", (name, made_now))
        row: tuple[bytes] = self._db.execute("SELECT value FROM identity WHERE name = ?", (name,)).fetchone()
        return row[0]

    # Writing

    def write_block(self, block: Block, accounts: Iterable[tuple[Pubkey, Account | None]]) -> None:
        """Store a closed block and the accounts that it changed, as they are after it, in one commit.

        Returns when it is on disk; for a block without a change, when it is the operating system's. ChainDataError
        where that fails; nothing of the block is stored then.
        """
        changed = list(accounts)
        try:
            self._write_block(block, changed)
        except sqlite3.Error as error:
            raise ChainDataError(_explain(self._data_dir, error)) from error

    def _write_block(self, block: Block, changed: Sequence[tuple[Pubkey, Account | None]]) -> None:
        # An empty block every 400 ms is not worth a wait for the disk each: only its number would be lost.
        self._db.execute(f"PRAGMA synchronous={'FULL' if changed or block.transactions else 'NORMAL'}")
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    block.slot,
                    block.parent_slot,
                    block.height,
                    block.blockhash,
                    block.previous_blockhash,
                    block.time_s,
                    len(block.transactions),
                ),
            )
            self._write_transactions(block.transactions)
            self._write_accounts(changed)
            if block.slot % _PRUNE_EVERY_SLOTS == 0:
                self._db.execute(
                    "DELETE FROM blocks WHERE slot BETWEEN 1 AND ? AND transactions = 0",
                    (block.slot - _EMPTY_BLOCKS_KEPT,),
                )

    def _write_transactions(self, records: Sequence[TransactionRecord]) -> None:
        self._db.executemany(
            "INSERT INTO transactions VALUES (?, ?, ?)",
            [(transaction_id(r.slot, r.position), r.signature, encode_record(r)) for r in records],
        )
        self._db.executemany(
            "INSERT INTO address_history VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(address, transaction_id(r.slot, r.position)) for r in records for address in r.account_keys],
        )

    def _write_accounts(self, accounts: Iterable[tuple[Pubkey, Account | None]]) -> None:
        kept, gone = [], []
        for address, account in accounts:
            if account is None:
                gone.append((bytes(address),))
            else:
                kept.append((bytes(address), encode_account(account)))
        self._db.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?)", kept)
        self._db.executemany("DELETE FROM accounts WHERE address = ?", gone)

    def drop_blocks_after(self, slot: int, accounts: Iterable[tuple[Pubkey, Account | None]]) -> None:
        """Undo the blocks of a fork that lost, with their transactions; `accounts` are the ones they had changed."""
        first_gone = transaction_id(slot + 1, 0)
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM blocks WHERE slot > ?", (slot,))
            self._db.execute("DELETE FROM transactions WHERE id >= ?", (first_gone,))
            self._db.execute("DELETE FROM address_history WHERE transaction_id >= ?", (first_gone,))
            self._write_accounts(accounts)

    # Reading

    def last_blocks(self, count: int) -> list[Block]:
        """The newest `count` blocks with their transactions, oldest first."""
        rows = self._db.execute(_LAST_BLOCKS, (count,))
        blocks = [Block(*row) for row in rows][::-1]
        if blocks:
            by_slot = {block.slot: block for block in blocks}
            for record in self._records(blocks[0].slot, blocks[-1].slot):
                by_slot[record.slot].transactions.append(record)
                by_slot[record.slot].signatures.append(record.signature)
        return blocks

    def accounts(self) -> list[tuple[Pubkey, Account]]:
        """Every account as the last block left it."""
        rows = self._db.execute("SELECT address, account FROM accounts")
        return [(Pubkey(address), decode_account(account)) for address, account in rows]

    def transaction_count(self) -> int:
        """How many transactions have landed, ever."""
        row: tuple[int] = self._db.execute("SELECT count(*) FROM transactions").fetchone()
        return row[0]

    def block(self, slot: int) -> Block | None:
        """A stored block with its transactions; None where the slot was skipped, or its empty block was pruned."""
        row = self._db.execute(_BLOCK, (slot,)).fetchone()
        if row is None:
            return None
        block = Block(*row)
        block.transactions = self._records(slot, slot)
        block.signatures = [record.signature for record in block.transactions]
        return block

    def slots(self, first: int, last: int, limit: int) -> list[int]:
        """The slots with a block between two slots (both included), ascending, at most `limit`."""
        rows = self._db.execute(
            "SELECT slot FROM blocks WHERE slot BETWEEN ? AND ? ORDER BY slot LIMIT ?", (first, last, limit)
        )
        return [slot for (slot,) in rows]

    def transaction(self, signature: str) -> TransactionRecord | None:
        """A transaction in a closed block."""
        row = self._db.execute("SELECT record FROM transactions WHERE signature = ?", (signature,)).fetchone()
        return None if row is None else decode_record(row[0])

    def history(self, address: str, *, after_id: int, before_id: int, limit: int) -> list[TransactionRecord]:
        """Transactions that name the address, newest first, with ids strictly between the two."""
        rows = self._db.execute(
            "SELECT record FROM address_history JOIN transactions ON id = transaction_id "
            "WHERE address = ? AND transaction_id > ? AND transaction_id < ? ORDER BY transaction_id DESC LIMIT ?",
            (address, after_id, before_id, limit),
        )
        return [decode_record(record) for (record,) in rows]

    def _records(self, first_slot: int, last_slot: int) -> list[TransactionRecord]:
        rows = self._db.execute(
            "SELECT record FROM transactions WHERE id >= ? AND id < ? ORDER BY id",
            (transaction_id(first_slot, 0), transaction_id(last_slot + 1, 0)),
        )
        return [decode_record(record) for (record,) in rows]


def _explain(data_dir: Path | None, error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return f"data directory {data_dir}: another local chain is running on it"
    return f"data directory {data_dir}: {error}"
