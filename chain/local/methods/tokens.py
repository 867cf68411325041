"""Reading token accounts and mints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.blocks import Block
from chain.local.encoding.amounts import ui_token_amount
from chain.local.encoding.token_state import Mint, TokenAccount, read_mint, read_token_account
from chain.local.errors import invalid_params
from chain.local.methods.accounts import keyed_accounts
from chain.local.methods.call import Call, Method, parse_pubkey, with_context
from chain.local.programs import TOKEN_PROGRAMS
from chain.local.view import View

_LARGEST_ACCOUNTS = 20


def _mint_at(view: View, address: Pubkey, bank: Block) -> Mint:
    account = view.account(address, bank)
    if account is None:
        raise invalid_params("Invalid param: could not find mint")
    mint = read_mint(account)
    if mint is None:
        raise invalid_params("Invalid param: not a Token mint")
    return mint


def _get_token_account_balance(call: Call) -> Any:
    address, bank = call.pubkey(0), call.config(1).bank()
    account = call.view.account(address, bank)
    if account is None:
        raise invalid_params("Invalid param: could not find account")
    holding = read_token_account(account)
    if holding is None:
        raise invalid_params("Invalid param: not a Token account")
    decimals = _mint_at(call.view, holding.mint, bank).decimals
    return with_context(bank, ui_token_amount(holding.amount, decimals))


def _get_token_supply(call: Call) -> Any:
    address, bank = call.pubkey(0), call.config(1).bank()
    mint = _mint_at(call.view, address, bank)
    return with_context(bank, ui_token_amount(mint.supply, mint.decimals))


def _get_token_largest_accounts(call: Call) -> Any:
    address, bank = call.pubkey(0), call.config(1).bank()
    mint = _mint_at(call.view, address, bank)
    holders = _token_accounts(call, bank, TOKEN_PROGRAMS, lambda holding: holding.mint == address)
    amounts = sorted(
        ((holding.amount, str(key)) for key, _, holding in holders), key=lambda entry: (-entry[0], entry[1])
    )
    return with_context(
        bank,
        [{"address": key, **ui_token_amount(amount, mint.decimals)} for amount, key in amounts[:_LARGEST_ACCOUNTS]],
    )


def _token_accounts(
    call: Call, bank: Block, programs: frozenset[Pubkey], wanted: Callable[[TokenAccount], bool]
) -> list[tuple[Pubkey, Account, TokenAccount]]:
    found = []
    for program in programs:
        for key, account in call.ledger.accounts_owned_by(program, bank).items():
            holding = read_token_account(account)
            if holding is not None and wanted(holding):
                found.append((key, account, holding))
    return sorted(found, key=lambda entry: bytes(entry[0]))


def _by_mint_or_program(
    call: Call, bank: Block, belongs: Callable[[TokenAccount], bool]
) -> list[tuple[Pubkey, Account]]:
    """Token accounts under the second parameter, `{"mint"}` or `{"programId"}`."""
    chosen = call.optional(1)
    if not isinstance(chosen, dict) or len(chosen) != 1:
        raise invalid_params("Invalid params: expected a mint or a programId.")
    if "mint" in chosen:
        mint = parse_pubkey(chosen["mint"])
        _mint_at(call.view, mint, bank)
        found = _token_accounts(call, bank, TOKEN_PROGRAMS, lambda holding: holding.mint == mint and belongs(holding))
    else:
        program = parse_pubkey(chosen.get("programId"))
        if program not in TOKEN_PROGRAMS:
            raise invalid_params("Invalid param: unrecognized Token program id")
        found = _token_accounts(call, bank, frozenset({program}), belongs)
    return [(key, account) for key, account, _ in found]


def _get_token_accounts_by_owner(call: Call) -> Any:
    owner, config = call.pubkey(0), call.config(2)
    bank = config.bank()
    found = _by_mint_or_program(call, bank, lambda holding: holding.owner == owner)
    return with_context(bank, keyed_accounts(call.view, bank, found, config.account_encoding("binary")))


def _get_token_accounts_by_delegate(call: Call) -> Any:
    delegate, config = str(call.pubkey(0)), call.config(2)
    bank = config.bank()
    found = _by_mint_or_program(call, bank, lambda holding: holding.delegate == delegate)
    return with_context(bank, keyed_accounts(call.view, bank, found, config.account_encoding("binary")))


METHODS: dict[str, Method] = {
    "getTokenAccountBalance": _get_token_account_balance,
    "getTokenSupply": _get_token_supply,
    "getTokenLargestAccounts": _get_token_largest_accounts,
    "getTokenAccountsByOwner": _get_token_accounts_by_owner,
    "getTokenAccountsByDelegate": _get_token_accounts_by_delegate,
}
