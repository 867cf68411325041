"""Tokens from the signer's associated account to somebody's, or from that of an owner who lets the signer take them."""

from __future__ import annotations

from chain.tx import instructions
from executions import delegation
from executions.actions.base import Built, Context, Wallet, address
from executions.errors import BuildFailed
from workflows.specs.actions import TransferToken
from workflows.specs.amounts import resolve_tokens
from workflows.templating import is_template, render_amount


def build(action: TransferToken, context: Context, wallet: Wallet, built: Built) -> None:
    """Adds the transfer, and before it the making of the recipient's account where that is wanted."""
    to, mint_address = address(action.to, context), address(action.mint, context)
    mint = wallet.mint(mint_address)
    if mint is None:
        raise BuildFailed(f"mint {mint_address} does not exist", code="mint_missing")
    source = instructions.associated_token_address(action.owner or wallet.address, mint_address, mint.token_program)
    destination = instructions.associated_token_address(to, mint_address, mint.token_program)
    if action.amount == "max":
        tokens = _rest(action, source, _tokens(action.keep or 0, mint.decimals, context), wallet)
    else:
        tokens = _tokens(action.amount, mint.decimals, context)
    if action.create_recipient_account:
        built.instructions.append(
            instructions.create_associated_token_account_idempotent(
                wallet.address, to, mint_address, mint.token_program
            )
        )
    built.instructions.append(
        instructions.transfer_token_checked(
            source, mint_address, destination, wallet.address, tokens, mint.decimals, mint.token_program
        )
    )
    built.recipients.append(to)


def _rest(action: TransferToken, source: str, keep: int, wallet: Wallet) -> int:
    if action.owner is None:
        tokens, why = wallet.token_balance(source) - keep, "no token is left to send above what is kept"
    else:
        tokens = delegation.most(wallet.token_account(source), wallet.address, keep)
        why = f"{action.owner} has no token above what is kept, or does not let the signer take it"
    if tokens <= 0:
        raise BuildFailed(why, code="nothing_to_send")
    return tokens


def _tokens(value: int | str, decimals: int, context: Context) -> int:
    """Base units: of an integer or a template as they are, of a literal text ("12.5") by the mint's decimals."""
    if isinstance(value, str) and is_template(value):
        return render_amount(value, context)
    return resolve_tokens(value, decimals)
