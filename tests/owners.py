"""An owner who approves delegates on the local chain with real transactions, as `spl-token approve` would."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from spl.token import instructions as spl_token
from spl.token.models import ApproveParams, RevokeParams, SyncNativeParams

from chain.tx.instructions import (
    TOKEN_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
)
from chain.types import WRAPPED_SOL
from tests.local_chain import LocalChain
from tests.tokens import give_tokens, new_mint
from tests.watching import send

FUNDS = 10_000_000_000


class Owner:
    """A wallet with SOL. What its methods do is confirmed when they return."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain, self.keypair = chain, Keypair()
        self.address = str(self.keypair.pubkey())
        chain.airdrop(self.address, FUNDS)

    def with_tokens(self, amount: int, program: str = TOKEN_PROGRAM) -> str:
        """A new mint of which this wallet has so many base units; answers its address."""
        mint = new_mint(self.chain, program=program)
        give_tokens(self.chain, self.address, mint, amount, program=program)
        return mint

    def wrap(self, lamports: int, wallet: str | None = None) -> str:
        """Wrap SOL, for another wallet if one is named; answers the account."""
        wallet = wallet or self.address
        account = associated_token_address(wallet, WRAPPED_SOL)
        self._send(
            create_associated_token_account_idempotent(self.address, wallet, WRAPPED_SOL),
            transfer(
                TransferParams(
                    from_pubkey=self.keypair.pubkey(), to_pubkey=Pubkey.from_string(account), lamports=lamports
                )
            ),
            spl_token.sync_native(
                SyncNativeParams(program_id=Pubkey.from_string(TOKEN_PROGRAM), account=Pubkey.from_string(account))
            ),
        )
        return account

    def approve(self, delegate: str, mint: str, amount: int, program: str = TOKEN_PROGRAM) -> None:
        """Let the delegate take so many base units out of the associated account."""
        params = ApproveParams(
            program_id=Pubkey.from_string(program),
            source=Pubkey.from_string(associated_token_address(self.address, mint, program)),
            delegate=Pubkey.from_string(delegate),
            owner=self.keypair.pubkey(),
            amount=amount,
        )
        self._send(spl_token.approve(params))

    def revoke(self, mint: str, program: str = TOKEN_PROGRAM) -> None:
        """Let nobody take anything out of it any more."""
        account = Pubkey.from_string(associated_token_address(self.address, mint, program))
        params = RevokeParams(program_id=Pubkey.from_string(program), account=account, owner=self.keypair.pubkey())
        self._send(spl_token.revoke(params))

    def _send(self, *instructions: Instruction) -> None:
        self.chain.wait_for_status(send(self.chain, self.keypair, *instructions))
