"""What all actions have in common: what they may ask, what they add to, and how their values are rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from solders.instruction import Instruction

from chain.decode.authorities import TokenAccount
from chain.decode.idl import Idl
from workflows.templating import is_template, render_amount, render_exact

Context = Mapping[str, Any]


class MintFacts(Protocol):
    @property
    def token_program(self) -> str: ...
    @property
    def decimals(self) -> int: ...


class Wallet(Protocol):
    """What the paying signer has, and what the chain and the team's IDLs say, as far as an action asks."""

    address: str
    # What the transaction itself will cost: `"max"` leaves it behind.
    fee_lamports: int

    def balance_lamports(self) -> int: ...
    def token_balance(self, token_account: str) -> int: ...
    def token_account(self, address: str) -> TokenAccount | None:
        """A token account's fields as they are now; None where there is none."""
        ...

    def token_account_rent(self) -> int: ...
    def mint(self, address: str) -> MintFacts | None: ...
    def account_data(self, address: str) -> bytes | None:
        """The data of any account; None where there is no such account."""
        ...

    def idl(self, idl_id: str) -> Idl | None:
        """The IDL as it is stored now; None where there is none of that id. Raises InvalidIdl."""
        ...


@dataclass(frozen=True, slots=True)
class Built:
    """The instructions of all actions in their order, and who they are meant to pay.

    `spends_rest`: an action sends all lamports that are left, so the amount depends on the fee. `is_plain`: nothing but
    SOL transfers and memos, which cannot touch an account that they do not name. `lookup_tables`: the tables that
    actions name, each once.
    """

    instructions: list[Instruction]
    recipients: list[str]
    spends_rest: bool
    is_plain: bool
    lookup_tables: list[str] = field(default_factory=list)


def address(text: str, context: Context) -> str:
    """An address, rendered where it is a template; whether it is one is asked where it is used."""
    return render_exact(text, context).strip() if is_template(text) else text


def amount(value: int | str, context: Context) -> int:
    """Base units from an integer or a template."""
    return value if isinstance(value, int) else render_amount(value, context)
