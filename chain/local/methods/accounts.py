"""Reading accounts."""

from __future__ import annotations

from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.blocks import Block
from chain.local.encoding.accounts import AccountEncoding, encode_account, require_base58_fits
from chain.local.encoding.filters import parse_filters, passes
from chain.local.errors import invalid_params
from chain.local.execution import lamports_of
from chain.local.methods.call import Call, Method, parse_pubkey, with_context
from chain.local.programs import SYSTEM
from chain.local.svm import FAUCET_LAMPORTS
from chain.local.view import View

_MAX_MULTIPLE_ACCOUNTS = 100
_LARGEST_ACCOUNTS = 20


def encode_or_none(
    view: View, bank: Block, address: Pubkey, account: Account | None, encoding: AccountEncoding
) -> dict[str, Any] | None:
    """`UiAccount` as of the bank, null where there is none. RpcError where base58 cannot hold it."""
    if account is None:
        return None
    require_base58_fits(account, encoding)
    return encode_account(address, account, encoding, lambda mint: view.account(mint, bank))


def _get_account_info(call: Call) -> Any:
    address, config = call.pubkey(0), call.config(1)
    bank, encoding = config.bank(), config.account_encoding("binary")
    return with_context(bank, encode_or_none(call.view, bank, address, call.view.account(address, bank), encoding))


def _get_multiple_accounts(call: Call) -> Any:
    addresses = call.optional(0)
    if not isinstance(addresses, list):
        raise invalid_params("Invalid params: invalid type, expected a list of addresses.")
    if len(addresses) > _MAX_MULTIPLE_ACCOUNTS:
        raise invalid_params(f"Too many inputs provided; max {_MAX_MULTIPLE_ACCOUNTS}")
    config = call.config(1)
    bank, encoding = config.bank(), config.account_encoding("base64")
    keys = [parse_pubkey(address) for address in addresses]
    return with_context(
        bank, [encode_or_none(call.view, bank, key, call.view.account(key, bank), encoding) for key in keys]
    )


def _get_balance(call: Call) -> Any:
    address, bank = call.pubkey(0), call.config(1).bank()
    return with_context(bank, lamports_of(call.view.account(address, bank)))


def keyed_accounts(
    view: View, bank: Block, accounts: list[tuple[Pubkey, Account]], encoding: AccountEncoding
) -> list[dict[str, Any]]:
    """`RpcKeyedAccount` for each."""
    return [
        {"pubkey": str(address), "account": encode_or_none(view, bank, address, account, encoding)}
        for address, account in accounts
    ]


def _get_program_accounts(call: Call) -> Any:
    program, config = call.pubkey(0), call.config(1)
    bank, encoding = config.bank(), config.account_encoding("binary")
    filters = parse_filters(config.get("filters"))
    owned = call.ledger.accounts_owned_by(program, bank)
    found = [(address, account) for address, account in owned.items() if passes(account, filters)]
    if config.flag("sortResults", default=True):
        found.sort(key=lambda entry: bytes(entry[0]))
    answer = keyed_accounts(call.view, bank, found, encoding)
    return with_context(bank, answer) if config.flag("withContext") else answer


def _get_largest_accounts(call: Call) -> Any:
    bank = call.config(0).bank()
    owned = call.ledger.accounts_owned_by(SYSTEM, bank)
    largest = sorted(owned.items(), key=lambda entry: (-entry[1].lamports, str(entry[0])))[:_LARGEST_ACCOUNTS]
    return with_context(bank, [{"address": str(address), "lamports": account.lamports} for address, account in largest])


def _get_supply(call: Call) -> Any:
    config = call.config(0)
    bank = config.bank()
    faucet = call.ledger.faucet.pubkey()
    idle = lamports_of(call.view.account(faucet, bank))
    return with_context(
        bank,
        {
            "total": FAUCET_LAMPORTS,
            "circulating": FAUCET_LAMPORTS - idle,
            "nonCirculating": idle,
            "nonCirculatingAccounts": [] if config.flag("excludeNonCirculatingAccountsList") else [str(faucet)],
        },
    )


def _get_minimum_balance_for_rent_exemption(call: Call) -> Any:
    return call.ledger.svm.minimum_balance_for_rent_exemption(call.integer(0))


METHODS: dict[str, Method] = {
    "getAccountInfo": _get_account_info,
    "getMultipleAccounts": _get_multiple_accounts,
    "getBalance": _get_balance,
    "getProgramAccounts": _get_program_accounts,
    "getLargestAccounts": _get_largest_accounts,
    "getSupply": _get_supply,
    "getMinimumBalanceForRentExemption": _get_minimum_balance_for_rent_exemption,
}
