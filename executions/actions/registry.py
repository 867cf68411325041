"""Which module builds which action. A new one is its module and its line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chain.errors import InvalidTransaction
from executions.actions import call_program, memo, transfer_sol, transfer_token
from executions.actions.base import Built, Context, Wallet
from executions.errors import BuildFailed
from workflows.specs.actions import Action, TransferSol
from workflows.specs.amounts import AmountError
from workflows.templating import TemplateError

_BUILDERS: dict[str, Callable[[Any, Context, Wallet, Built], None]] = {
    "transfer_sol": transfer_sol.build,
    "transfer_token": transfer_token.build,
    "call_program": call_program.build,
    "memo": memo.build,
}

PLAIN = frozenset({"transfer_sol", "memo"})


def build(actions: Sequence[Action], context: Context, wallet: Wallet) -> Built:
    """Instructions for all actions.

    Raises:
        BuildFailed: a template has no value or one that is not allowed, a mint or an IDL does not exist, nothing is
            left to send, a program's arguments or accounts do not fit.
    """
    built = Built(
        [],
        [],
        spends_rest=any(isinstance(action, TransferSol) and transfer_sol.spends_rest(action) for action in actions),
        is_plain=all(action.type in PLAIN and getattr(action, "owner", None) is None for action in actions),
    )
    for position, action in enumerate(actions):
        try:
            _BUILDERS[action.type](action, context, wallet, built)
        except (TemplateError, AmountError) as error:
            raise BuildFailed(f"actions[{position}]: {error}", code="template_failed") from error
        except InvalidTransaction as error:
            raise BuildFailed(f"actions[{position}]: {error}") from error
        except BuildFailed as error:
            raise BuildFailed(f"actions[{position}]: {error.detail}", code=error.code) from error
    return built
