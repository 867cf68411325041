"""An event in one line: what happened, where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from solflow.ui.definition import TRIGGER_WORDS
from solflow.ui.text import plain, short, sol

_LONGEST_LINE = 80


def event_words(event: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> str:
    """`+1 SOL to 4sGj…tNfx`, the matching log line, or what kind of event it was and where.

    An address that is in `labels` is called so.
    """
    account = event.get("account")
    where = plain((labels or {}).get(account, "")) or short(account) if account else ""
    delta = event.get("lamports_delta")
    if event.get("type") == "balance_change" and isinstance(delta, int):
        return f"{'+' if delta > 0 else ''}{sol(delta)} SOL {'to' if delta > 0 else 'from'} {where}"
    if isinstance(event.get("line"), str):
        return plain(event["line"])[:_LONGEST_LINE]
    kind = str(event.get("type", ""))
    words = TRIGGER_WORDS.get(kind, plain(kind))
    return f"{words}: {where}" if where and kind != "manual" else words
