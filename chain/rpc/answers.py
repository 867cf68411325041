"""Pure: the body of a JSON-RPC answer -> a value, or the error of chain.errors that it means."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount
from solders.pubkey import Pubkey

from chain.decode.answer import token_balance
from chain.errors import Ambiguous, ChainError, NoBatches, NodeBehind, Rejected, Unavailable
from chain.types import (
    SYSTEM_PROGRAM,
    AccountSample,
    Blockhash,
    ChainPosition,
    Commitment,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenBalance,
)

# Health, "status of this block not yet known", minContextSlot: the node is well and late.
_BEHIND = frozenset({-32005, -32014, -32016})
# What one node or provider cannot do although another could: unknown method, pruned or missing history, no index.
_NOT_HERE = frozenset({-32001, -32004, -32007, -32008, -32009, -32010, -32011, -32012, -32019, -32021, -32601})
_RATE_LIMITED = frozenset({429, -32429, -32097})
# The request itself is wrong or its transaction failed: every node would say so. Providers put codes of their own for
# quotas and outages beside these, so anything that is not known to be a refusal is none.
_REFUSED = frozenset({-32002, -32003, -32006, -32013, -32015, -32600, -32602, -32700})


def result_of(body: str | bytes, host: str) -> Any:
    """The `result` of a JSON-RPC answer; raises what its `error` means, Ambiguous for anything that is no answer."""
    result = _result(_parsed(body), host)
    if isinstance(result, ChainError):
        raise result
    return result


def results_of(body: str | bytes, host: str, count: int) -> list[Any]:
    """The answers to a batch of `count` calls in the calls' order: the `result` of each, or the error that it means.
    One that is missing is Ambiguous. Raises NoBatches where the endpoint answered to the batch as a whole."""
    answer = _parsed(body)
    if isinstance(answer, dict):
        error = answer.get("error")
        meaning = refusal(error, host) if isinstance(error, dict) else Ambiguous(f"{host} answered a batch with one")
        raise meaning if isinstance(error, dict) and error.get("code") in _RATE_LIMITED else NoBatches(str(meaning))
    if not isinstance(answer, list):
        raise Ambiguous(f"{host} answered with something that is no JSON-RPC")
    by_place = {one.get("id"): one for one in answer if isinstance(one, dict) and isinstance(one.get("id"), int)}
    return [_result(by_place.get(place), host) for place in range(count)]


def _parsed(body: str | bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _result(answer: Any, host: str) -> Any:
    if not isinstance(answer, dict) or ("result" not in answer and not isinstance(answer.get("error"), dict)):
        return Ambiguous(f"{host} answered with something that is no JSON-RPC")
    if isinstance(answer.get("error"), dict):
        return refusal(answer["error"], host)
    return answer["result"]


def refusal(error: Mapping[str, Any], host: str) -> ChainError:
    """The error class for a JSON-RPC error object."""
    code = error.get("code")
    message = str(error.get("message", ""))
    if not isinstance(code, int):
        return Ambiguous(f"{host} answered with an error without a code")
    if code in _BEHIND:
        return NodeBehind(f"{host} is behind: {message} (code {code})")
    if code in _NOT_HERE or code in _RATE_LIMITED:
        return Unavailable(f"{host} cannot answer this: {message} (code {code})")
    if code in _REFUSED:
        return Rejected(code, message, error.get("data"))
    # An internal error, or a provider's own: no word on how far the request got.
    return Ambiguous(f"{host} failed: {message} (code {code})")


def context_slot(result: Any) -> int:
    """The slot for which the node answered."""
    return cast(int, result["context"]["slot"])


def blockhash(result: Any) -> Blockhash:
    """Of `getLatestBlockhash`."""
    value = result["value"]
    return Blockhash(value["blockhash"], value["lastValidBlockHeight"], context_slot(result))


def position(result: Any) -> ChainPosition:
    """Of `getEpochInfo`, which tells slot and block height of the same bank."""
    return ChainPosition(int(result["absoluteSlot"]), int(result["blockHeight"]))


def account_state(slot: int, value: Mapping[str, Any] | None) -> AccountSample | None:
    """An account encoded as base64, None where it does not exist."""
    if value is None:
        return None
    return AccountSample.of(slot, value["lamports"], value["owner"], base64.b64decode(value["data"][0]))


def account(result: Any) -> AccountSample:
    """Of `getAccountInfo`; an account that does not exist has 0 lamports."""
    slot = context_slot(result)
    return account_state(slot, result["value"]) or AccountSample.of(slot, 0, SYSTEM_PROGRAM, b"")


def accounts(result: Any) -> tuple[int, list[AccountSample | None]]:
    """Of `getMultipleAccounts`."""
    slot = context_slot(result)
    return slot, [account_state(slot, value) for value in result["value"]]


def keyed_accounts(result: Any) -> tuple[int, dict[str, AccountSample]]:
    """Of `getProgramAccounts` with context: the answering slot, and the accounts by address."""
    slot = context_slot(result)
    states = {str(row["pubkey"]): account_state(slot, row["account"]) for row in result["value"]}
    return slot, {address: state for address, state in states.items() if state is not None}


def lookup_table(address: str, sample: AccountSample) -> AddressLookupTableAccount:
    """The addresses of a lookup table account. Raises Rejected where the account holds none."""
    try:
        table = AddressLookupTable.deserialize(sample.data or b"")
    except ValueError as error:
        raise Rejected(0, f"{address} is no address lookup table") from error
    return AddressLookupTableAccount(Pubkey.from_string(address), table.addresses)


def statuses(result: Any) -> tuple[int, tuple[SignatureStatus | None, ...]]:
    """Of `getSignatureStatuses`: the answering slot and the statuses."""
    return context_slot(result), tuple(_status(value) for value in result["value"])


def _status(value: Mapping[str, Any] | None) -> SignatureStatus | None:
    if value is None:
        return None
    level = value.get("confirmationStatus") or ("finalized" if value.get("confirmations") is None else "processed")
    return SignatureStatus(value["slot"], value["err"], cast(Commitment, level))


def history(result: Any) -> list[SignatureInfo]:
    """Of `getSignaturesForAddress`."""
    return [
        SignatureInfo(
            signature=row["signature"],
            slot=row["slot"],
            err=row["err"],
            memo=row.get("memo"),
            block_time=row.get("blockTime"),
            confirmation_status=row.get("confirmationStatus"),
        )
        for row in result
    ]


def simulation(result: Any) -> Simulation:
    """Of `simulateTransaction`."""
    slot, value = context_slot(result), result["value"]
    loaded = value.get("loadedAddresses")
    return Simulation(
        slot=slot,
        err=value["err"],
        logs=tuple(value.get("logs") or ()),
        units_consumed=value.get("unitsConsumed") or 0,
        fee_lamports=value.get("fee"),
        pre_balances=_optional_tuple(value.get("preBalances")),
        post_balances=_optional_tuple(value.get("postBalances")),
        pre_token_balances=_token_balances(value.get("preTokenBalances")),
        post_token_balances=_token_balances(value.get("postTokenBalances")),
        accounts=tuple(account_state(slot, state) for state in value.get("accounts") or ()),
        loaded_addresses=None if loaded is None else (tuple(loaded["writable"]), tuple(loaded["readonly"])),
    )


def _optional_tuple(values: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if values is None else tuple(values)


def _token_balances(entries: Sequence[Mapping[str, Any]] | None) -> tuple[TokenBalance, ...] | None:
    return None if entries is None else tuple(token_balance(entry) for entry in entries)
