"""Lamports from the signer to somebody."""

from __future__ import annotations

from chain.tx import instructions
from executions.actions.base import Built, Context, Wallet, address, amount
from executions.errors import BuildFailed
from workflows.specs.actions import TransferSol


def build(action: TransferSol, context: Context, wallet: Wallet, built: Built) -> None:
    """Adds the transfer; `"max"` is all but what is kept and the fee."""
    to = address(action.to, context)
    if action.lamports == "max":
        lamports = wallet.balance_lamports() - wallet.fee_lamports - (action.keep or 0)
        if lamports <= 0:
            raise BuildFailed("nothing is left to send above what is kept and the fee", code="nothing_to_send")
    else:
        lamports = amount(action.lamports, context)
    built.instructions.append(instructions.transfer_sol(wallet.address, to, lamports))
    built.recipients.append(to)
