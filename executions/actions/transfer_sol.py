"""Lamports to somebody: the signer's own, or those that an owner has wrapped and lets the signer take."""

from __future__ import annotations

from chain.tx import instructions
from chain.types import WRAPPED_SOL
from executions import delegation
from executions.actions.base import Built, Context, Wallet, address, amount
from executions.errors import BuildFailed
from workflows.specs.actions import TransferSol

WRAPPED_DECIMALS = 9
# The system program's limit; the rest tells apart the actions of one transaction.
_SEED_CHARACTERS = 28


def build(action: TransferSol, context: Context, wallet: Wallet, built: Built) -> None:
    """Adds the transfer; `"max"` is all but what is kept and, where the signer pays it itself, the fee."""
    to = address(action.to, context)
    if action.owner is None:
        lamports = amount(action.lamports, context) if action.lamports != "max" else _rest(action, wallet)
    else:
        lamports = _unwrap(action, action.owner, context, wallet, built)
    built.instructions.append(instructions.transfer_sol(wallet.address, to, lamports))
    built.recipients.append(to)


def spends_rest(action: TransferSol) -> bool:
    """Whether the amount depends on the fee."""
    return action.lamports == "max" and action.owner is None


def _rest(action: TransferSol, wallet: Wallet) -> int:
    lamports = wallet.balance_lamports() - wallet.fee_lamports - (action.keep or 0)
    if lamports <= 0:
        raise BuildFailed("nothing is left to send above what is kept and the fee", code="nothing_to_send")
    return lamports


def _unwrap(action: TransferSol, owner: str, context: Context, wallet: Wallet, built: Built) -> int:
    """Adds what takes wrapped SOL out of the owner's account and gives it to the signer as lamports; returns how many.

    It goes through an account that begins and ends here: closing an account of wrapped SOL unwraps all that is in it,
    and the signer's own may hold some.
    """
    source = instructions.associated_token_address(owner, WRAPPED_SOL)
    if action.lamports == "max":
        lamports = delegation.most(wallet.token_account(source), wallet.address, action.keep or 0)
        if lamports <= 0:
            raise BuildFailed(
                f"{owner} has no wrapped SOL above what is kept, or does not let the signer take it",
                code="nothing_to_send",
            )
    else:
        lamports = amount(action.lamports, context)
    seed = f"{context['execution']['id'][:_SEED_CHARACTERS]}{len(built.instructions)}"
    between, opened = instructions.open_token_account(wallet.address, seed, WRAPPED_SOL, wallet.token_account_rent())
    built.instructions.extend(
        [
            *opened,
            instructions.transfer_token_checked(
                source, WRAPPED_SOL, between, wallet.address, lamports, WRAPPED_DECIMALS
            ),
            instructions.close_token_account(between, wallet.address, wallet.address),
        ]
    )
    return lamports
