"""A workflow definition in words: the cards of the pipeline and the conditions between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solflow.ui.text import grouped, plain, sol, words

TRIGGER_ICONS = {
    "balance_change": "wallet",
    "account_change": "radio-tower",
    "program_account_change": "radio-tower",
    "token_receipt": "arrow-down-left",
    "nft_receipt": "image",
    "program_log": "terminal",
    "transaction_status": "receipt-text",
    "schedule": "calendar-clock",
    "webhook": "webhook",
    "manual": "play",
}
ACTION_ICONS = {"transfer_sol": "send", "transfer_token": "hand-coins", "call_program": "zap", "memo": "pen-line"}
CHANNEL_ICONS = {
    "discord": "message-square",
    "telegram": "send",
    "slack": "message-square-text",
    "email": "mail",
    "webhook": "webhook",
}
TRIGGER_WORDS = {
    "balance_change": "Balance changes",
    "account_change": "Account changes",
    "program_account_change": "Program account changes",
    "token_receipt": "Token received",
    "nft_receipt": "NFT received",
    "program_log": "Program log",
    "transaction_status": "Transaction status",
    "schedule": "On a schedule",
    "webhook": "Webhook received",
    "manual": "Started by hand",
}
ACTION_WORDS = {
    "transfer_sol": "Transfer SOL",
    "transfer_token": "Transfer a token",
    "call_program": "Call a program",
    "memo": "Write a memo",
}
OPERATOR_WORDS = {
    "eq": "is",
    "ne": "is not",
    "gt": "more than",
    "gte": "at least",
    "lt": "less than",
    "lte": "at most",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "regex": "matches",
    "in": "is one of",
    "not_in": "is none of",
    "in_list": "in list",
    "not_in_list": "not in list",
    "exists": "exists",
    "changed": "changed",
}
GROUP_WORDS = {"all": "All of", "any": "Any of", "not": "Not"}
NEGATED_WORDS = {"any": "None of", "all": "Not all of"}
_ADDRESSES = {"address", "account", "program_id", "wallet", "token_account", "mint", "collection", "to", "owner"}
_LAMPORTS = {"min_change", "lamports", "keep"}
_LABELS = {
    "program_id": "Program",
    "to": "To",
    "mint": "Mint",
    "lamports": "Amount",
    "min_change": "At least",
    "keep": "Keeps",
    "owner": "Out of the account of",
    "idl": "IDL",
    "args": "Arguments",
}


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    is_address: bool = False


@dataclass(frozen=True)
class Card:
    kind: str
    icon: str
    label: str
    title: str
    facts: list[Fact] = field(default_factory=list)


@dataclass(frozen=True)
class Condition:
    """A group (`group` and `children`) or one comparison."""

    group: str = ""
    children: list[Condition] = field(default_factory=list)
    name: str = ""
    operator: str = ""
    value: str = ""
    whole_value: str = ""


@dataclass(frozen=True)
class Pipeline:
    trigger: Card
    filter: Condition | None
    actions: list[Card]
    notifications: list[Card]


def pipeline(definition: Mapping[str, Any], channels: Mapping[str, Any]) -> Pipeline:
    """The cards of a definition, top to bottom; `channels` gives `name` and `type` by channel id."""
    return Pipeline(
        trigger=trigger_card(definition["trigger"]),
        filter=condition(definition["filter"]) if definition.get("filter") else None,
        actions=[action_card(action) for action in definition.get("actions") or []],
        notifications=[notification_card(item, channels) for item in definition.get("notifications") or []],
    )


def trigger_card(trigger: Any) -> Card:
    """The card of a trigger; of a draft's too, which may be anything."""
    part = _mapping(trigger)
    kind = words(part.get("type") or "Not chosen yet")
    title = TRIGGER_WORDS.get(kind, kind)
    if kind == "balance_change" and part.get("direction") in ("increase", "decrease"):
        title = f"Balance {part['direction']}s"
    icon = TRIGGER_ICONS.get(kind, "radio-tower")
    return Card("trigger", icon, "Trigger", title, _facts(part, {"type", "direction"}))


def action_card(action: Any) -> Card:
    """The card of an action; of a draft's too."""
    part = _mapping(action)
    kind = words(part.get("type") or "Not chosen yet")
    title = ACTION_WORDS.get(kind, kind)
    if kind == "transfer_sol" and isinstance(part.get("lamports"), int):
        title = f"Transfer {sol(part['lamports'])} SOL"
    return Card("action", ACTION_ICONS.get(kind, "zap"), "Action", title, _facts(part, {"type"}))


def notification_card(notification: Any, channels: Mapping[str, Any]) -> Card:
    """The card of a notification; of a draft's too. `channels` as for `pipeline`."""
    part = _mapping(notification)
    channel_id = part.get("channel")
    channel = channels.get(str(channel_id))
    icon = CHANNEL_ICONS.get(channel.type, "bell") if channel else "bell"
    outcomes = words(part.get("on") or [])
    return Card(
        "notify",
        icon,
        f"On {outcomes}" if outcomes else "Notification",
        channel.name if channel else "Unknown channel" if channel_id else "Channel not chosen yet",
        _facts(part, {"channel", "on", "color"}),
    )


def _mapping(part: Any) -> Mapping[str, Any]:
    return part if isinstance(part, Mapping) else {}


def _facts(part: Mapping[str, Any], left_out: set[str]) -> list[Fact]:
    return [fact(plain(key), value) for key, value in part.items() if key not in left_out and not _is_unset(value)]


def _is_unset(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def fact(key: str, value: Any) -> Fact:
    """A key of a part with its value, as people read them."""
    label = _LABELS.get(key, key.replace("_", " ").capitalize())
    if key in _ADDRESSES and isinstance(value, str) and "{{" not in value:
        return Fact(label, plain(value), is_address=True)
    if key in _LAMPORTS and isinstance(value, int):
        return Fact(label, f"{sol(value)} SOL")
    return Fact(label, words(value))


def condition(part: Any) -> Condition:
    """A filter as a tree of groups and comparisons; what a draft holds that is neither, as it is."""
    if not isinstance(part, Mapping):
        return Condition(name=words(part))
    grouped = group_of(part)
    if grouped is not None:
        label, members = grouped
        return Condition(group=label, children=[condition(member) for member in members])
    name, op, value = plain(part.get("field") or ""), plain(part.get("op") or ""), part.get("value")
    return Condition(
        name=name or "a field",
        operator=OPERATOR_WORDS.get(op, op),
        value="" if op in {"exists", "changed"} else value_words(name, value),
        whole_value=plain(value) if isinstance(value, str) else "",
    )


def group_of(part: Mapping[str, Any]) -> tuple[str, list[Any]] | None:
    """A group in words with its members; `not` over a group is one group, as people say it. None for a condition."""
    for group, label in GROUP_WORDS.items():
        if group not in part:
            continue
        held = part[group]
        if group == "not" and isinstance(held, Mapping):
            for inner, negated in NEGATED_WORDS.items():
                if isinstance(held.get(inner), list):
                    return negated, held[inner]
        return label, held if isinstance(held, list) else [held]
    return None


def value_words(name: str, value: Any) -> str:
    """A compared or seen value, short; an amount of lamports also in SOL."""
    if isinstance(value, int) and not isinstance(value, bool) and "lamports" in name:
        return f"{grouped(value)} ({sol(value)} SOL)"
    return words(value)
