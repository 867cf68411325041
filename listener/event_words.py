"""Pure: an event of the chain in a few words, for reports and answers that list many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chain.events import Event
from executions.figures import signed, sol

_LONGEST_LINE = 120


def summary(event: Event) -> str:
    """`+0.5 SOL`, the log line, the event's name, what arrived, or how the transaction ended."""
    return _WORDS[event.type](event.fields) if event.type in _WORDS else event.type


def _log(fields: Mapping[str, Any]) -> str:
    if fields["line"] is not None:
        # Strangers write lines; a terminal obeys what is not printable.
        line = "".join(character for character in fields["line"] if character.isprintable())
        return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
    return str(fields["name"] or "the log was cut by Solana")


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "balance_change": lambda fields: signed(sol(fields["lamports_delta"])),
    "program_log": _log,
    "token_receipt": lambda fields: f"{fields['amount_delta']:+} base units of {fields['mint']}",
    "nft_receipt": lambda fields: f"NFT {fields['mint']}",
    "transaction_status": lambda fields: "succeeded" if fields["success"] else "failed",
    "schedule": lambda fields: f"due {fields['due_at']}",
}
