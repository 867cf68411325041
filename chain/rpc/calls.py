"""Pure: one function for each RPC method that we use -> the request and the way to read its answer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import orjson

from chain.errors import Ambiguous
from chain.rpc import answers
from chain.types import AccountSample, Blockhash, ChainPosition, Commitment, SignatureInfo, SignatureStatus, Simulation

T = TypeVar("T")

# Health is scored by family: an endpoint may serve accounts well while its history or its sending fails.
Family = Literal["read", "history", "simulate", "send"]
FAMILIES: tuple[Family, ...] = ("read", "history", "simulate", "send")

# Calls in one JSON-RPC batch: providers take 100 or more, and each of these may be answered with a whole transaction.
CALLS_PER_BATCH: dict[Family, int] = {"read": 50, "history": 20, "simulate": 50, "send": 50}
ACCOUNTS_PER_CALL = 100
STATUSES_PER_CALL = 256
FEE_ADDRESSES_PER_CALL = 128


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request. `commitment` is that of the slot in the answer's context, None where the answer has none."""

    method: str
    params: list[Any]
    family: Family
    parse: Callable[[Any], T]
    commitment: Commitment | None = None

    def to_json(self) -> str:
        """The request body; the name is the one that solana-py's transport calls."""
        return orjson.dumps(self.request(1)).decode()

    def request(self, number: int) -> dict[str, Any]:
        """As an object whose answer will bear this number."""
        return {"jsonrpc": "2.0", "id": number, "method": self.method, "params": self.params}

    def read(self, result: Any, host: str) -> T:
        """The value of an answer's `result`; Ambiguous where it has not the shape that the method promises."""
        try:
            return self.parse(result)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Ambiguous(f"{host} answered {self.method} with something unreadable") from error

    def observed_slot(self, result: Any) -> int | None:
        """The endpoint's slot at `commitment`, where the answer tells it."""
        if self.commitment is None:
            return None
        slot = result if self.method == "getSlot" else result.get("context", {}).get("slot")
        return slot if isinstance(slot, int) else None


@dataclass(frozen=True, slots=True)
class Batch:
    """Calls of one family in one request; their answers bear their places, from 0, and come in any order."""

    calls: Sequence[Call[Any]]

    @property
    def family(self) -> Family:
        return self.calls[0].family

    def to_json(self) -> str:
        """The request body, as of a `Call`."""
        return orjson.dumps([call.request(place) for place, call in enumerate(self.calls)]).decode()


def latest_blockhash(commitment: Commitment) -> Call[Blockhash]:
    return Call("getLatestBlockhash", [{"commitment": commitment}], "read", answers.blockhash, commitment)


def block_height(commitment: Commitment) -> Call[int]:
    return Call("getBlockHeight", [{"commitment": commitment}], "read", int)


def position(commitment: Commitment) -> Call[ChainPosition]:
    return Call("getEpochInfo", [{"commitment": commitment}], "read", answers.position)


def slot(commitment: Commitment) -> Call[int]:
    return Call("getSlot", [{"commitment": commitment}], "read", int, commitment)


def genesis_hash() -> Call[str]:
    return Call("getGenesisHash", [], "read", str)


def balance(address: str, commitment: Commitment) -> Call[int]:
    return Call("getBalance", [address, {"commitment": commitment}], "read", lambda r: int(r["value"]), commitment)


def account(address: str, commitment: Commitment, min_context_slot: int | None) -> Call[AccountSample]:
    config = _account_config(commitment, min_context_slot)
    return Call("getAccountInfo", [address, config], "read", answers.account, commitment)


def accounts(
    addresses: Sequence[str], commitment: Commitment, min_context_slot: int | None
) -> Call[tuple[int, list[AccountSample | None]]]:
    config = _account_config(commitment, min_context_slot)
    return Call("getMultipleAccounts", [list(addresses), config], "read", answers.accounts, commitment)


def program_accounts(
    program_id: str,
    filters: Sequence[Mapping[str, Any]],
    commitment: Commitment,
    min_context_slot: int | None,
    *,
    with_data: bool,
) -> Call[tuple[int, dict[str, AccountSample]]]:
    """Without data the samples hold none, which is how to count them: the data of a program may be gigabytes."""
    config: dict[str, Any] = {**_account_config(commitment, min_context_slot), "withContext": True}
    if filters:
        config["filters"] = list(filters)
    if not with_data:
        config["dataSlice"] = {"offset": 0, "length": 0}
    return Call("getProgramAccounts", [program_id, config], "read", answers.keyed_accounts, commitment)


def token_accounts(
    wallet: str, token_program: str, commitment: Commitment, min_context_slot: int | None
) -> Call[list[str]]:
    """The addresses of a wallet's token accounts of one token program."""
    config = {**_account_config(commitment, min_context_slot), "dataSlice": {"offset": 0, "length": 0}}
    return Call(
        "getTokenAccountsByOwner",
        [wallet, {"programId": token_program}, config],
        "read",
        lambda result: [str(row["pubkey"]) for row in result["value"]],
        commitment,
    )


def _account_config(commitment: Commitment, min_context_slot: int | None) -> dict[str, Any]:
    config: dict[str, Any] = {"encoding": "base64", "commitment": commitment}
    if min_context_slot is not None:
        config["minContextSlot"] = min_context_slot
    return config


def simulate(
    raw: bytes, commitment: Commitment, addresses: Sequence[str], *, replace_blockhash: bool, sig_verify: bool
) -> Call[Simulation]:
    """Raises ValueError where both options are set: a replaced blockhash breaks every signature."""
    if replace_blockhash and sig_verify:
        raise ValueError("replace_blockhash and sig_verify exclude each other")
    config: dict[str, Any] = {
        "encoding": "base64",
        "commitment": commitment,
        "replaceRecentBlockhash": replace_blockhash,
        "sigVerify": sig_verify,
    }
    if addresses:
        config["accounts"] = {"encoding": "base64", "addresses": list(addresses)}
    return Call("simulateTransaction", [_base64(raw), config], "simulate", answers.simulation, commitment)


def send(raw: bytes) -> Call[str]:
    """Preflight is skipped, since we simulate ourselves, and the node does not retry, since we do, with these bytes."""
    config = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
    return Call("sendTransaction", [_base64(raw), config], "send", str)


def signature_statuses(
    signatures: Sequence[str], *, search_history: bool
) -> Call[tuple[int, tuple[SignatureStatus | None, ...]]]:
    config = {"searchTransactionHistory": search_history}
    family: Family = "history" if search_history else "read"
    return Call("getSignatureStatuses", [list(signatures), config], family, answers.statuses, "processed")


def recent_prioritization_fees(addresses: Sequence[str]) -> Call[list[int]]:
    return Call(
        "getRecentPrioritizationFees",
        [list(addresses)],
        "read",
        lambda result: [int(row["prioritizationFee"]) for row in result],
    )


def blocks(first_slot: int, last_slot: int, commitment: Commitment) -> Call[list[int]]:
    return Call("getBlocks", [first_slot, last_slot, {"commitment": commitment}], "history", list)


def request_airdrop(address: str, lamports: int) -> Call[str]:
    return Call("requestAirdrop", [address, lamports], "send", str)


def rent_exempt_minimum(size: int) -> Call[int]:
    return Call("getMinimumBalanceForRentExemption", [size], "read", int)


def transaction(signature: str, commitment: Commitment) -> Call[dict[str, Any] | None]:
    config = {"encoding": "json", "commitment": commitment, "maxSupportedTransactionVersion": 0}
    return Call("getTransaction", [signature, config], "history", _optional_object)


def signatures_for_address(
    address: str,
    commitment: Commitment,
    *,
    before: str | None,
    until: str | None,
    limit: int,
    min_context_slot: int | None,
) -> Call[list[SignatureInfo]]:
    options = {"before": before, "until": until, "minContextSlot": min_context_slot}
    config = {"commitment": commitment, "limit": limit, **{k: v for k, v in options.items() if v is not None}}
    return Call("getSignaturesForAddress", [address, config], "history", answers.history)


def _optional_object(result: Any) -> dict[str, Any] | None:
    if result is not None and not isinstance(result, dict):
        raise TypeError("neither an object nor null")
    return result


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
