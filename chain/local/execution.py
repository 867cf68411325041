"""Running one transaction in the SVM and writing down what it did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from solders.transaction_status import TransactionErrorType, TransactionStatus

from chain.local.blocks import Block
from chain.local.encoding.token_state import read_mint, read_token_account
from chain.local.records import InnerInstruction, TokenBalance, TransactionRecord
from chain.local.transactions import AccountKeys, ReadAccount, memo_of

_FIRST_INNER_HEIGHT = 2


@dataclass(frozen=True, slots=True)
class Execution:
    """What one execution did. `record` is None where the transaction did not land: no fee was taken."""

    record: TransactionRecord | None
    error: Any
    logs: list[str]
    changes: list[tuple[Pubkey, Account | None]]
    """The accounts written, with their state from before."""


def error_json(error: TransactionErrorType | None) -> Any:
    """A transaction error as RPC answers show it; None for success."""
    if error is None:
        return None
    return orjson.loads(TransactionStatus(slot=0, err=error).to_json())["err"]


def execute(svm: LiteSVM, transaction: VersionedTransaction, keys: AccountKeys, block: Block) -> Execution:
    """Execute against the SVM's present state and record it at the next position of the open block."""
    read = svm.get_account
    before = [read(key) for key in keys.keys]
    outcome = svm.send_transaction(transaction)
    if isinstance(outcome, FailedTransactionMetadata):
        meta, error = outcome.meta(), error_json(outcome.err())
    else:
        meta, error = outcome, None
    after = [
        read(key) if writable else account
        for key, writable, account in zip(keys.keys, keys.writable, before, strict=True)
    ]
    if error is not None and lamports_of(before[0]) == lamports_of(after[0]):
        return Execution(None, error, meta.logs(), [])
    record = _record(transaction, keys, block, meta, error)
    record.pre_balances = [lamports_of(account) for account in before]
    record.post_balances = [lamports_of(account) for account in after]
    record.pre_token_balances = token_balances(before, read)
    record.post_token_balances = token_balances(after, read)
    # As on Solana, an account that a successful transaction may write counts as written, also with an equal value.
    changes = [
        (key, old)
        for key, writable, old, new in zip(keys.keys, keys.writable, before, after, strict=True)
        if writable and (old != new if error is not None else (old or new) is not None)
    ]
    return Execution(record, error, record.logs, changes)


def _record(
    transaction: VersionedTransaction, keys: AccountKeys, block: Block, meta: TransactionMetadata, error: Any
) -> TransactionRecord:
    returned = meta.return_data()
    return TransactionRecord(
        signature=str(transaction.signatures[0]),
        slot=block.slot,
        position=len(block.transactions),
        block_time_s=block.time_s,
        transaction=bytes(transaction),
        account_keys=[str(key) for key in keys.keys],
        writable=list(keys.writable),
        loaded_writable=keys.loaded_writable,
        loaded_readonly=keys.loaded_readonly,
        error=error,
        fee_lamports=meta.fee(),
        compute_units=meta.compute_units_consumed(),
        logs=meta.logs(),
        inner_instructions=inner_instructions(meta),
        pre_balances=[],
        post_balances=[],
        pre_token_balances=[],
        post_token_balances=[],
        return_data=(str(returned.program_id), bytes(returned.data)) if returned.data else None,
        memo=memo_of(transaction.message),
    )


def inner_instructions(meta: TransactionMetadata) -> list[list[InnerInstruction]]:
    """The calls that programs made, by top-level instruction."""
    return [
        [
            InnerInstruction(
                call.instruction().program_id_index,
                bytes(call.instruction().accounts),
                bytes(call.instruction().data),
                call.stack_height() or _FIRST_INNER_HEIGHT,
            )
            for call in calls
        ]
        for calls in meta.inner_instructions()
    ]


def lamports_of(account: Account | None) -> int:
    """An account that does not exist has none."""
    return 0 if account is None else account.lamports


def token_balances(accounts: Iterable[Account | None], read: ReadAccount) -> list[TokenBalance]:
    """The balances of those of a transaction's accounts that hold tokens of a mint that exists."""
    balances = []
    for index, account in enumerate(accounts):
        holding = read_token_account(account)
        if account is None or holding is None:
            continue
        mint = read_mint(read(holding.mint))
        if mint is not None:
            balances.append(
                TokenBalance(
                    index, str(holding.mint), str(holding.owner), str(account.owner), holding.amount, mint.decimals
                )
            )
    return balances
