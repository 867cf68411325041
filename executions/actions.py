"""Actions of a definition, with their templates rendered for one event, as instructions. A registry: one function each.

What an action needs to know of the chain comes through `Wallet`; nothing here asks by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from solders.instruction import Instruction

from chain.errors import InvalidTransaction
from chain.tx import instructions
from executions.errors import BuildFailed
from workflows.specs.actions import Action, Memo, TransferSol, TransferToken
from workflows.specs.amounts import AmountError, resolve_tokens
from workflows.templating import TemplateError, is_template, render_amount, render_exact


class MintFacts(Protocol):
    @property
    def token_program(self) -> str: ...
    @property
    def decimals(self) -> int: ...


class Wallet(Protocol):
    """What the paying signer has, as far as an action asks."""

    address: str
    # What the transaction itself will cost: `"max"` leaves it behind.
    fee_lamports: int

    def balance_lamports(self) -> int: ...
    def token_balance(self, token_account: str) -> int: ...
    def mint(self, address: str) -> MintFacts | None: ...


@dataclass(frozen=True, slots=True)
class Built:
    """The instructions of all actions in their order, and who they are meant to pay.

    `spends_rest`: an action sends all lamports that are left, so the amount depends on the fee.
    """

    instructions: list[Instruction]
    recipients: list[str]
    spends_rest: bool


def build(actions: Sequence[Action], context: Mapping[str, Any], wallet: Wallet) -> Built:
    """Instructions for all actions.

    Raises:
        BuildFailed: a template has no value or one that is not allowed, a mint does not exist, nothing is left to send.
    """
    built = Built([], [], spends_rest=any(getattr(action, "lamports", None) == "max" for action in actions))
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


def _transfer_sol(action: TransferSol, context: Mapping[str, Any], wallet: Wallet, built: Built) -> None:
    to = _address(action.to, context)
    if action.lamports == "max":
        lamports = wallet.balance_lamports() - wallet.fee_lamports - (action.keep or 0)
        if lamports <= 0:
            raise BuildFailed("nothing is left to send above what is kept and the fee", code="nothing_to_send")
    else:
        lamports = _amount(action.lamports, context)
    built.instructions.append(instructions.transfer_sol(wallet.address, to, lamports))
    built.recipients.append(to)


def _transfer_token(action: TransferToken, context: Mapping[str, Any], wallet: Wallet, built: Built) -> None:
    to, mint_address = _address(action.to, context), _address(action.mint, context)
    mint = wallet.mint(mint_address)
    if mint is None:
        raise BuildFailed(f"mint {mint_address} does not exist", code="mint_missing")
    source = instructions.associated_token_address(wallet.address, mint_address, mint.token_program)
    destination = instructions.associated_token_address(to, mint_address, mint.token_program)
    if action.amount == "max":
        amount = wallet.token_balance(source) - _tokens(action.keep or 0, mint.decimals, context)
        if amount <= 0:
            raise BuildFailed("no token is left to send above what is kept", code="nothing_to_send")
    else:
        amount = _tokens(action.amount, mint.decimals, context)
    if action.create_recipient_account:
        built.instructions.append(
            instructions.create_associated_token_account_idempotent(
                wallet.address, to, mint_address, mint.token_program
            )
        )
    built.instructions.append(
        instructions.transfer_token_checked(
            source, mint_address, destination, wallet.address, amount, mint.decimals, mint.token_program
        )
    )
    built.recipients.append(to)


def _memo(action: Memo, context: Mapping[str, Any], wallet: Wallet, built: Built) -> None:
    built.instructions.append(instructions.memo(render_exact(action.text, context), wallet.address))


_BUILDERS: dict[str, Callable[[Any, Mapping[str, Any], Wallet, Built], None]] = {
    "transfer_sol": _transfer_sol,
    "transfer_token": _transfer_token,
    "memo": _memo,
}


def _address(text: str, context: Mapping[str, Any]) -> str:
    return render_exact(text, context).strip() if is_template(text) else text


def _amount(value: int | str, context: Mapping[str, Any]) -> int:
    return value if isinstance(value, int) else render_amount(value, context)


def _tokens(value: int | str, decimals: int, context: Mapping[str, Any]) -> int:
    """Base units: of an integer or a template as they are, of a literal text ("12.5") by the mint's decimals."""
    if isinstance(value, str) and is_template(value):
        return render_amount(value, context)
    return resolve_tokens(value, decimals)
