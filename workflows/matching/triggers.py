"""Does an event match a trigger, and if not, why. Pure: values in, values out.

The subscription has already chosen roughly (this account, this program); this is the exact question, asked in the same
way of what came live and of what was read back. What the filter says comes later, in `workflows.matching.filters`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import base58

from chain.decode.idl.names import same_name
from chain.events import Event
from workflows.specs import triggers
from workflows.specs.amounts import AmountError, resolve_tokens
from workflows.specs.parts import Part
from workflows.specs.patterns import compile_line_pattern, found_in
from workflows.specs.triggers import Trigger


class Mismatch(NamedTuple):
    """Why an event is not what a trigger asks for: a stable code, and half a sentence with the figures."""

    code: str
    detail: str


def matches(trigger: Trigger, event: Event) -> bool:
    """Whether the event is what the trigger asks for.

    Events of a schedule, a webhook or a manual run are made for one workflow; here only their type is compared. Logs
    that Solana has cut match by the lines that are left.
    """
    return mismatch(trigger, event) is None


def mismatch(trigger: Trigger, event: Event) -> Mismatch | None:
    """The first reason for which the event is not what the trigger asks for; None where it is."""
    if event.type != trigger.type:
        return Mismatch("other_type", f"it is a {event.type} event, and the trigger is {trigger.type}")
    ask = _TRIGGERS.get(type(trigger))
    return None if ask is None else ask(trigger, event)


def _balance_change(trigger: triggers.BalanceChange, event: Event) -> Mismatch | None:
    delta = event.fields["lamports_delta"]
    if event.account != trigger.address:
        return _elsewhere(event.account, trigger.address)
    if abs(delta) < trigger.min_change:
        return Mismatch("below_min_change", f"the change is {delta:+} lamports, and min_change is {trigger.min_change}")
    if trigger.direction == "any" or (delta > 0) == (trigger.direction == "increase"):
        return None
    return Mismatch("other_direction", f"the change is {delta:+} lamports, and direction is {trigger.direction}")


def _account_change(trigger: triggers.AccountChange, event: Event) -> Mismatch | None:
    if event.account != trigger.address:
        return _elsewhere(event.account, trigger.address)
    if trigger.watch == "owner":
        is_changed = event.fields["owner"] != event.fields["previous_owner"]
    else:
        is_changed = trigger.watch == "any" or bool(event.fields["data_changed"])
    return None if is_changed else Mismatch("not_changed", f"the {trigger.watch} did not change, and watch asks for it")


def _program_account_change(trigger: triggers.ProgramAccountChange, event: Event) -> Mismatch | None:
    if event.fields["owner"] != trigger.program_id:
        return Mismatch("other_owner", f"the account belongs to {event.fields['owner']}")
    if not trigger.memcmp and trigger.data_size is None:
        return None
    data = _data(event)
    if data is None:
        return Mismatch("unreadable_data", "the account's data cannot be read")
    if trigger.data_size is not None and len(data) != trigger.data_size:
        return Mismatch("other_size", f"the data has {len(data)} bytes, and data_size is {trigger.data_size}")
    for index, part in enumerate(trigger.memcmp):
        if not data.startswith(base58.b58decode(part.bytes), part.offset):
            return Mismatch("other_bytes", f"the data at {part.offset} is not what memcmp[{index}] asks for")
    return None


def _data(event: Event) -> bytes | None:
    try:
        return base64.b64decode(event.fields["data_base64"] or "", validate=True)
    except binascii.Error:
        return None


def _token_receipt(trigger: triggers.TokenReceipt, event: Event) -> Mismatch | None:
    fields = event.fields
    if fields["mint"] != trigger.mint:
        return Mismatch("other_mint", f"tokens of {fields['mint']} arrived, and mint is {trigger.mint}")
    place, wanted = (
        ("wallet", trigger.wallet) if trigger.wallet is not None else ("token_account", trigger.token_account)
    )
    if fields[place] != wanted:
        return _elsewhere(fields[place], wanted)
    try:
        is_enough = fields["amount_delta"] >= resolve_tokens(trigger.min_amount, fields["decimals"])
    except AmountError:
        # "0.001" of a mint with two decimals: no amount of it is that, so none arrived.
        detail = f"min_amount is {trigger.min_amount}, which a mint of {fields['decimals']} decimals cannot have"
        return Mismatch("below_min_amount", detail)
    if is_enough:
        return None
    amount = fields["amount_delta"]
    return Mismatch("below_min_amount", f"{amount} base units arrived, and min_amount is {trigger.min_amount}")


def _nft_receipt(trigger: triggers.NftReceipt, event: Event) -> Mismatch | None:
    fields = event.fields
    if fields["wallet"] != trigger.wallet:
        return _elsewhere(fields["wallet"], trigger.wallet)
    if trigger.collection is None:
        return None
    if fields["collection"] != trigger.collection:
        return Mismatch("other_collection", f"the collection is {fields['collection']}, and not {trigger.collection}")
    if trigger.verified_only and fields["collection_verified"] is not True:
        return Mismatch("unverified_collection", "the collection has not verified it, and verified_only is true")
    return None


def _program_log(trigger: triggers.ProgramLog, event: Event) -> Mismatch | None:
    if event.account != trigger.program_id:
        return _elsewhere(event.account, trigger.program_id)
    if event.fields["error"] is not None and not trigger.include_failed:
        return FAILED_NOT_INCLUDED
    if trigger.pattern is None:
        name = event.fields["name"]
        if name is not None and same_name(name) == same_name(trigger.event or ""):
            return None
        return Mismatch("other_event", f"the event is {name}, and not {trigger.event}")
    line = event.fields["line"]
    if line is not None and found_in(compile_line_pattern(trigger.pattern), line):
        return None
    return Mismatch("other_line", "pattern does not fit this line")


def _transaction_status(trigger: triggers.TransactionStatus, event: Event) -> Mismatch | None:
    if trigger.signature is not None:
        if event.signature != trigger.signature:
            return Mismatch("other_signature", f"it is the transaction {event.signature}, and not {trigger.signature}")
    elif event.account != (trigger.account or trigger.program_id):
        return _elsewhere(event.account, trigger.account or trigger.program_id)
    if trigger.status == "any" or event.fields["success"] is (trigger.status == "success"):
        return None
    return FAILED_NOT_WANTED if trigger.status == "success" else SUCCEEDED_NOT_WANTED


def _elsewhere(seen: str | None, wanted: str | None) -> Mismatch:
    return Mismatch("other_account", f"it happened to {seen}, and not to {wanted}")


# Asked of whole transactions too, before anything is made of them.
FAILED_NOT_INCLUDED = Mismatch("transaction_failed", "the transaction failed, and include_failed is false")
FAILED_NOT_WANTED = Mismatch("transaction_failed", "the transaction failed, and status asks for success")
SUCCEEDED_NOT_WANTED = Mismatch("transaction_succeeded", "the transaction succeeded, and status asks for failed ones")

_TRIGGERS: Mapping[type[Part], Callable[[Any, Event], Mismatch | None]] = {
    triggers.BalanceChange: _balance_change,
    triggers.AccountChange: _account_change,
    triggers.ProgramAccountChange: _program_account_change,
    triggers.TokenReceipt: _token_receipt,
    triggers.NftReceipt: _nft_receipt,
    triggers.ProgramLog: _program_log,
    triggers.TransactionStatus: _transaction_status,
}
