"""What landed: statuses, transactions, the history of an address, blocks."""

from __future__ import annotations

from typing import Any

from chain.local.encoding.transactions import encode_block, encode_transaction, status_json
from chain.local.errors import block_not_available, invalid_params, slot_skipped
from chain.local.methods.call import Call, Config, Method, checked_u64, parse_pubkey, parse_signature, with_context

_MAX_STATUSES = 256
_MAX_HISTORY = 1_000
_MAX_BLOCKS = 500_000


def _get_signature_statuses(call: Call) -> Any:
    signatures = call.optional(0)
    if not isinstance(signatures, list):
        raise invalid_params("Invalid params: invalid type, expected a list of signatures.")
    if len(signatures) > _MAX_STATUSES:
        raise invalid_params(f"Too many inputs provided; max {_MAX_STATUSES}")
    search = call.config(1).flag("searchTransactionHistory")
    return with_context(
        call.view.bank("processed"), [_status(call, parse_signature(text), search) for text in signatures]
    )


def _status(call: Call, signature: str, search_history: bool) -> dict[str, Any] | None:
    status = call.view.status(signature, search_history=search_history)
    if status is None:
        return None
    return {
        "slot": status.slot,
        "confirmations": call.view.confirmations(status.slot),
        "err": status.error,
        "status": status_json(status.error),
        "confirmationStatus": call.view.commitment_of(status.slot),
    }


def _max_version(config: Config) -> int | None:
    version = config.get("maxSupportedTransactionVersion")
    return None if version is None else checked_u64(version)


def _get_transaction(call: Call) -> Any:
    signature, config = parse_signature(call.text(0)), call.config(1)
    bank = call.view.bank(config.confirmed_at_least())
    record = call.view.transaction(signature, bank)
    if record is None:
        return None
    encoded = encode_transaction(record, config.encoding("json"), _max_version(config))
    return {"slot": record.slot, "blockTime": record.block_time_s, **encoded}


def _get_signatures_for_address(call: Call) -> Any:
    address, config = call.pubkey(0), call.config(1)
    config.confirmed_at_least()
    limit = checked_u64(config.get("limit")) if config.get("limit") is not None else _MAX_HISTORY
    if not 1 <= limit <= _MAX_HISTORY:
        raise invalid_params(f"Invalid limit; max {_MAX_HISTORY}")
    before, until = (
        None if config.get(name) is None else parse_signature(config.get(name)) for name in ("before", "until")
    )
    found = call.view.history(str(address), config.bank(), before=before, until=until, limit=limit)
    return [
        {
            "signature": record.signature,
            "slot": record.slot,
            "err": record.error,
            "memo": record.memo,
            "blockTime": record.block_time_s,
            "confirmationStatus": call.view.commitment_of(record.slot),
        }
        for record in found
    ]


def _get_block(call: Call) -> Any:
    slot, config = call.integer(0), call.config(1)
    if slot > call.view.bank(config.confirmed_at_least()).slot:
        raise block_not_available(slot)
    block = call.view.block(slot)
    if block is None:
        raise slot_skipped(slot)
    return encode_block(
        block,
        config.encoding("json"),
        config.get("transactionDetails") or "full",
        _max_version(config),
        config.flag("rewards", default=True),
    )


def _get_block_time(call: Call) -> Any:
    slot = call.integer(0)
    if slot > call.view.bank("confirmed").slot:
        raise block_not_available(slot)
    block = call.view.block(slot)
    if block is None:
        raise slot_skipped(slot)
    return block.time_s


def _get_blocks(call: Call) -> Any:
    first = call.integer(0)
    has_end = isinstance(call.optional(1), int)
    config = call.config(2 if has_end or call.optional(1) is None else 1)
    newest = call.view.bank(config.confirmed_at_least()).slot
    last = min(call.integer(1), newest) if has_end else newest
    if last - first > _MAX_BLOCKS:
        raise invalid_params(f"Slot range too large; max {_MAX_BLOCKS}")
    return call.ledger.store.slots(first, last, _MAX_BLOCKS)


def _get_blocks_with_limit(call: Call) -> Any:
    first, limit, config = call.integer(0), call.integer(1), call.config(2)
    if limit > _MAX_BLOCKS:
        raise invalid_params(f"Limit too large; max {_MAX_BLOCKS}")
    return call.ledger.store.slots(first, call.view.bank(config.confirmed_at_least()).slot, limit)


def _get_first_available_block(call: Call) -> Any:
    return 0


def _get_block_production(call: Call) -> Any:
    config = call.config(0)
    bank = config.bank()
    wanted = config.get("identity")
    slots = {"firstSlot": 0, "lastSlot": bank.slot}
    chosen = config.get("range")
    if isinstance(chosen, dict):
        slots["firstSlot"] = checked_u64(chosen.get("firstSlot"))
        slots["lastSlot"] = min(checked_u64(chosen.get("lastSlot", bank.slot)), bank.slot)
    count = slots["lastSlot"] - slots["firstSlot"] + 1
    node = call.ledger.node
    mine = wanted is None or parse_pubkey(wanted) == node
    return with_context(bank, {"byIdentity": {str(node): [count, count]} if mine else {}, "range": slots})


METHODS: dict[str, Method] = {
    "getSignatureStatuses": _get_signature_statuses,
    "getTransaction": _get_transaction,
    "getSignaturesForAddress": _get_signatures_for_address,
    "getBlock": _get_block,
    "getBlockTime": _get_block_time,
    "getBlocks": _get_blocks,
    "getBlocksWithLimit": _get_blocks_with_limit,
    "getFirstAvailableBlock": _get_first_available_block,
    "minimumLedgerSlot": _get_first_available_block,
    "getBlockProduction": _get_block_production,
}
