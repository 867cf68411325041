"""A text that the transaction carries."""

from __future__ import annotations

from chain.tx import instructions
from executions.actions.base import Built, Context, Wallet
from workflows.specs.actions import Memo
from workflows.templating import render_exact


def build(action: Memo, context: Context, wallet: Wallet, built: Built) -> None:
    """Adds the memo, which the signer vouches for."""
    built.instructions.append(instructions.memo(render_exact(action.text, context), wallet.address))
