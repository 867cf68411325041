"""A right definition to start from, for tests that break one thing."""

from __future__ import annotations

import copy
from typing import Any

ALICE = "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"
BOB = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"
MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SIGNATURE = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
ID = "7d3c1f60-5f0a-4d6e-9f27-1a2b3c4d5e6f"

RIGHT: dict[str, Any] = {
    "schema": 1,
    "trigger": {"type": "balance_change", "address": ALICE, "direction": "increase", "min_change": "0.5 SOL"},
    "filter": {
        "all": [
            {"field": "event.lamports_delta", "op": "gte", "value": 500_000_000},
            {
                "any": [
                    {"field": "event.slot", "op": "gt", "value": 0},
                    {"not": {"field": "event.owner", "op": "eq", "value": BOB}},
                ]
            },
        ]
    },
    "actions": [{"type": "transfer_sol", "to": BOB, "lamports": 1000}],
    "notifications": [{"channel": ID, "template": "default", "on": ["success", "failed"]}],
}


def with_part(**parts: Any) -> dict[str, Any]:
    """The right definition with whole parts replaced."""
    return {**copy.deepcopy(RIGHT), **parts}


def with_trigger(**trigger: Any) -> dict[str, Any]:
    return with_part(trigger=trigger, filter=None)


def with_action(**action: Any) -> dict[str, Any]:
    return with_part(actions=[action])


def with_condition(field: Any = "event.slot", op: Any = "eq", **value: Any) -> dict[str, Any]:
    return with_part(filter={"field": field, "op": op, **value})


def with_notification(**changes: Any) -> dict[str, Any]:
    return with_part(notifications=[{"channel": ID, "on": ["success"], **changes}])
