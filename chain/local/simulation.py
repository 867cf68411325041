"""Running a transaction without landing it, for `simulateTransaction` and for the preflight of `sendTransaction`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from chain.local.encoding.transactions import inner_instructions_json, return_data_json, token_balances_json
from chain.local.execution import error_json, inner_instructions, lamports_of, token_balances
from chain.local.transactions import AccountKeys

# Agave counts this much for every loaded account beside its data.
_ACCOUNT_OVERHEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Simulation:
    """`value`: the answer's fields but for `accounts` and `replacementBlockhash`. `after`: accounts it would leave."""

    value: dict[str, Any]
    after: dict[Pubkey, Account | None]


def simulate(
    svm: LiteSVM, transaction: VersionedTransaction, keys: AccountKeys, *, verify_signatures: bool
) -> Simulation:
    """Simulate against the SVM's present state. Lamports and token base units throughout."""
    before = [svm.get_account(key) for key in keys.keys]
    outcome, meta, error = _run(svm, transaction, verify_signatures)
    after = list(before)
    if error is None and not isinstance(outcome, FailedTransactionMetadata):
        changed = dict(outcome.post_accounts())
        after = [changed.get(key, account) for key, account in zip(keys.keys, before, strict=True)]
    # Errors with detail come from execution, and then the fee is charged; the others stop a transaction before it.
    fee = meta.fee() if error is None or isinstance(error, dict) else 0
    returned = meta.return_data()
    value = {
        "err": error,
        "fee": meta.fee() or None,
        "innerInstructions": inner_instructions_json(inner_instructions(meta), None),
        "loadedAccountsDataSize": _loaded_size(before),
        "loadedAddresses": _loaded_addresses(keys),
        "logs": meta.logs(),
        "preBalances": [lamports_of(account) for account in before],
        "postBalances": _post_balances(before, after, fee if error is not None else 0),
        "preTokenBalances": token_balances_json(token_balances(before, svm.get_account)),
        "postTokenBalances": token_balances_json(token_balances(after, _read_through(svm, keys, after))),
        "returnData": return_data_json(str(returned.program_id), bytes(returned.data)) if returned.data else None,
        "unitsConsumed": meta.compute_units_consumed(),
    }
    return Simulation(value, dict(zip(keys.keys, after, strict=True)))


def refused(error: str) -> dict[str, Any]:
    """The same fields where the transaction was not run at all, for `BlockhashNotFound` or `AlreadyProcessed`."""
    return {
        "err": error,
        "fee": None,
        "innerInstructions": None,
        "loadedAccountsDataSize": 0,
        "loadedAddresses": None,
        "logs": [],
        "preBalances": None,
        "postBalances": None,
        "preTokenBalances": None,
        "postTokenBalances": None,
        "returnData": None,
        "unitsConsumed": 0,
    }


def _run(
    svm: LiteSVM, transaction: VersionedTransaction, verify_signatures: bool
) -> tuple[Any, TransactionMetadata, Any]:
    if verify_signatures:
        outcome = svm.simulate_transaction(transaction)
    else:
        svm.with_sigverify(False)
        try:
            outcome = svm.simulate_transaction(transaction)
        finally:
            svm.with_sigverify(True)
    if isinstance(outcome, FailedTransactionMetadata):
        return outcome, outcome.meta(), error_json(outcome.err())
    return outcome, outcome.meta(), None


def _post_balances(
    before: Sequence[Account | None], after: Sequence[Account | None], charged_lamports: int
) -> list[int]:
    balances = [lamports_of(account) for account in after]
    if charged_lamports:
        balances[0] = lamports_of(before[0]) - charged_lamports
    return balances


def _read_through(svm: LiteSVM, keys: AccountKeys, after: Sequence[Account | None]) -> Any:
    changed = dict(zip(keys.keys, after, strict=True))
    return lambda address: changed[address] if address in changed else svm.get_account(address)


def _loaded_size(accounts: Sequence[Account | None]) -> int:
    return sum(len(account.data) + _ACCOUNT_OVERHEAD_BYTES for account in accounts if account is not None)


def _loaded_addresses(keys: AccountKeys) -> dict[str, list[str]]:
    static = len(keys.keys) - keys.loaded_writable - keys.loaded_readonly
    loaded = [str(key) for key in keys.keys[static:]]
    return {"writable": loaded[: keys.loaded_writable], "readonly": loaded[keys.loaded_writable :]}
