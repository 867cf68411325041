"""Transactions for the tests of the local chain."""

from __future__ import annotations

from collections.abc import Sequence

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.local.execution import Execution
from chain.local.ledger import Ledger

SOL = 10**9


def transfer_of(payer: Keypair, recipient: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=recipient, lamports=lamports))


def signed(
    instructions: Sequence[Instruction], signers: Sequence[Keypair], blockhash: str | Hash
) -> VersionedTransaction:
    """A v0 transaction that the first signer pays for."""
    recent = Hash.from_string(blockhash) if isinstance(blockhash, str) else blockhash
    return VersionedTransaction(MessageV0.try_compile(signers[0].pubkey(), instructions, [], recent), signers)


def payment(ledger: Ledger, payer: Keypair, recipient: Pubkey, lamports: int) -> VersionedTransaction:
    """A transfer under the open block's hash."""
    return signed([transfer_of(payer, recipient, lamports)], [payer], ledger.tip.blockhash)


def funded(ledger: Ledger, lamports: int = 10 * SOL) -> Keypair:
    """A new account with money."""
    keypair = Keypair()
    ledger.airdrop(keypair.pubkey(), lamports)
    return keypair


def pay(ledger: Ledger, payer: Keypair, recipient: Pubkey, lamports: int) -> Execution:
    return ledger.submit(payment(ledger, payer, recipient, lamports))


def advance(ledger: Ledger, slots: int) -> None:
    for _ in range(slots):
        ledger.advance()


def balance(ledger: Ledger, address: Pubkey, commitment: str = "processed") -> int:
    account = ledger.account_at(address, ledger.blocks.bank(commitment))
    return account.lamports if account else 0
