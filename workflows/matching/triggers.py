"""Does an event match a trigger. Pure: values in, values out.

The subscription has already chosen roughly (this account, this program); this is the exact question, asked in the same
way of what came live and of what was read back. What the filter says comes later, in `workflows.matching.filters`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import base58

from chain.decode.idl.names import same_name
from chain.events import Event
from workflows.specs import triggers
from workflows.specs.amounts import AmountError, resolve_tokens
from workflows.specs.parts import Part
from workflows.specs.patterns import compile_pattern, found_in
from workflows.specs.triggers import Trigger


def matches(trigger: Trigger, event: Event) -> bool:
    """Whether the event is what the trigger asks for.

    Events of a schedule, a webhook or a manual run are made for one workflow; here only their type is compared. Logs
    that Solana has cut match by the lines that are left.
    """
    if event.type != trigger.type:
        return False
    ask = _TRIGGERS.get(type(trigger))
    return ask is None or ask(trigger, event)


def _balance_change(trigger: triggers.BalanceChange, event: Event) -> bool:
    delta = event.fields["lamports_delta"]
    if event.account != trigger.address or abs(delta) < trigger.min_change:
        return False
    return trigger.direction == "any" or (delta > 0) == (trigger.direction == "increase")


def _account_change(trigger: triggers.AccountChange, event: Event) -> bool:
    if event.account != trigger.address:
        return False
    if trigger.watch == "owner":
        return bool(event.fields["owner"] != event.fields["previous_owner"])
    return trigger.watch == "any" or bool(event.fields["data_changed"])


def _program_account_change(trigger: triggers.ProgramAccountChange, event: Event) -> bool:
    if event.fields["owner"] != trigger.program_id:
        return False
    if not trigger.memcmp and trigger.data_size is None:
        return True
    data = _data(event)
    if data is None or (trigger.data_size is not None and len(data) != trigger.data_size):
        return False
    return all(data.startswith(base58.b58decode(part.bytes), part.offset) for part in trigger.memcmp)


def _data(event: Event) -> bytes | None:
    try:
        return base64.b64decode(event.fields["data_base64"] or "", validate=True)
    except binascii.Error:
        return None


def _token_receipt(trigger: triggers.TokenReceipt, event: Event) -> bool:
    fields = event.fields
    if fields["mint"] != trigger.mint or not _at_place(trigger, fields):
        return False
    try:
        return bool(fields["amount_delta"] >= resolve_tokens(trigger.min_amount, fields["decimals"]))
    except AmountError:
        # "0.001" of a mint with two decimals: no amount of it is that, so none arrived.
        return False


def _at_place(trigger: triggers.TokenReceipt, fields: Mapping[str, Any]) -> bool:
    if trigger.wallet is not None:
        return bool(fields["wallet"] == trigger.wallet)
    return bool(fields["token_account"] == trigger.token_account)


def _nft_receipt(trigger: triggers.NftReceipt, event: Event) -> bool:
    if event.fields["wallet"] != trigger.wallet:
        return False
    if trigger.collection is None:
        return True
    verified = event.fields["collection_verified"] is True or not trigger.verified_only
    return verified and bool(event.fields["collection"] == trigger.collection)


def _program_log(trigger: triggers.ProgramLog, event: Event) -> bool:
    if event.account != trigger.program_id or (event.fields["error"] is not None and not trigger.include_failed):
        return False
    if trigger.pattern is None:
        name = event.fields["name"]
        return name is not None and same_name(name) == same_name(trigger.event or "")
    line = event.fields["line"]
    return line is not None and found_in(compile_pattern(trigger.pattern), line)


def _transaction_status(trigger: triggers.TransactionStatus, event: Event) -> bool:
    if trigger.signature is not None:
        concerned = event.signature == trigger.signature
    else:
        concerned = event.account == (trigger.account or trigger.program_id)
    return concerned and (trigger.status == "any" or event.fields["success"] is (trigger.status == "success"))


_TRIGGERS: Mapping[type[Part], Callable[[Any, Event], bool]] = {
    triggers.BalanceChange: _balance_change,
    triggers.AccountChange: _account_change,
    triggers.ProgramAccountChange: _program_account_change,
    triggers.TokenReceipt: _token_receipt,
    triggers.NftReceipt: _nft_receipt,
    triggers.ProgramLog: _program_log,
    triggers.TransactionStatus: _transaction_status,
}
