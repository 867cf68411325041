"""The SVM that executes: LiteSVM with Solana's genesis programs, without its one-blockhash rule and its own history.

LiteSVM accepts one blockhash at a time and remembers 32 transactions; Solana's 150-block window and the status cache
are the ledger's (`blocks.py`, `ledger.py`), so both checks are off here.
"""

from __future__ import annotations

from collections.abc import Sequence

from solders.account import Account
from solders.epoch_schedule import EpochSchedule
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from chain.local.blocks import Block
from chain.local.programs import NATIVE_MINT, NATIVE_MINT_2022, SYSTEM, TOKEN, TOKEN_2022

SLOTS_PER_EPOCH = 432_000
FAUCET_LAMPORTS = 500_000_000 * 10**9
_SLOT_HASHES = 512


def new_svm() -> LiteSVM:
    """An SVM at genesis: built-in programs, SPL programs and sysvars, no accounts of anybody."""
    svm = LiteSVM().with_transaction_history(0).with_blockhash_check(False)
    svm.set_epoch_schedule(EpochSchedule.without_warmup())
    return svm


def genesis_accounts(faucet: Pubkey) -> list[tuple[Pubkey, Account]]:
    """What a new chain holds beside programs: the faucet, and the wrapped SOL mints, which LiteSVM leaves out."""
    native_mint = bytes(36) + bytes(8) + bytes([9, 1]) + bytes(36)
    return [
        (faucet, Account(FAUCET_LAMPORTS, b"", SYSTEM)),
        (NATIVE_MINT, Account(10**9, native_mint, TOKEN)),
        (NATIVE_MINT_2022, Account(10**9, native_mint, TOKEN_2022)),
    ]


def load_accounts(svm: LiteSVM, accounts: Sequence[tuple[Pubkey, Account]]) -> None:
    """Put stored accounts back. Programs come last: LiteSVM compiles one as it is set, and needs its data by then."""
    for address, account in sorted(accounts, key=lambda entry: entry[1].executable):
        svm.set_account(address, account)


def enter_block(svm: LiteSVM, block: Block, recent: Sequence[Block]) -> None:
    """Set the sysvars that programs read: the clock, and the hashes of the blocks before (lookup tables need them)."""
    clock = svm.get_clock()
    clock.slot = block.slot
    clock.unix_timestamp = block.time_s
    clock.epoch = block.slot // SLOTS_PER_EPOCH
    clock.leader_schedule_epoch = clock.epoch + 1
    svm.set_clock(clock)
    newest_first = [
        (parent.slot, Hash.from_string(parent.blockhash))
        for parent in reversed(recent[-_SLOT_HASHES:])
        if parent is not block
    ]
    svm.set_slot_hashes(newest_first)
