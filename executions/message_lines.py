"""The facts of an execution as lines of a message: what happened, what landed, what went wrong. Pure.

Lines hold plain text; the channel that sends them knows how to write and cut them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from executions.channels.base import Line
from executions.explorer import Explorer
from executions.figures import decimal, milliseconds, short, signed, sol_exact

MAX_LOG_LINES = 12
MAX_EVENT_LINES = 12

# Told in words of their own, or too long to be told.
_NOT_LISTED = frozenset(
    {"type", "account", "slot", "signature", "logs", "data_base64", "lamports", "lamports_delta", "previous_lamports"}
)
Execution = Mapping[str, Any]


def event_lines(event: Mapping[str, Any], explorer: Explorer) -> Iterator[Line]:
    """What was seen: where, how much, in which slot."""
    account = event.get("account")
    if isinstance(account, str) and account:
        yield Line("Account", account, "code", url=explorer.address(account))
    if isinstance(event.get("lamports_delta"), int):
        yield Line("Change", signed(sol_exact(event["lamports_delta"])), short=True)
    if isinstance(event.get("lamports"), int):
        yield Line("Balance", sol_exact(event["lamports"]), short=True)
    if event.get("mint"):
        yield from _token_lines(event)
    if event.get("line"):
        yield Line("Log line", str(event["line"]), "block")
    if event.get("signature"):
        yield _signature("Seen in", str(event["signature"]), explorer)


def all_event_lines(event: Mapping[str, Any], explorer: Explorer) -> Iterator[Line]:
    """As `event_lines`, then whatever else the event says in a word."""
    yield from event_lines(event, explorer)
    if event.get("slot") is not None:
        yield Line("Slot", f"{event['slot']:,}", short=True)
    rest = [(name, value) for name, value in event.items() if name not in _NOT_LISTED and _is_scalar(value)]
    for name, value in rest[:MAX_EVENT_LINES]:
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        yield Line(name.replace("_", " ").capitalize(), shown, "code", short=True)


def transaction_lines(transaction: Mapping[str, Any] | None, explorer: Explorer) -> Iterator[Line]:
    """What was signed, and where it stands."""
    if not transaction:
        return
    if transaction.get("signature"):
        yield _signature("Transaction", str(transaction["signature"]), explorer)
    if transaction.get("status"):
        yield Line("Status", str(transaction["status"]), short=True)
    if isinstance(transaction.get("fee_lamports"), int):
        yield Line("Fee", sol_exact(transaction["fee_lamports"]), short=True)


def all_transaction_lines(transaction: Mapping[str, Any] | None, explorer: Explorer) -> Iterator[Line]:
    """As `transaction_lines`, with slot and compute units."""
    yield from transaction_lines(transaction, explorer)
    for name, key in (("Landed in slot", "slot"), ("Compute units", "compute_units")):
        if transaction and isinstance(transaction.get(key), int):
            yield Line(name, f"{transaction[key]:,}", short=True)


def error_lines(execution: Execution) -> Iterator[Line]:
    """Why it did not work; nothing when it did."""
    error = execution.get("error")
    if error:
        yield Line("Error", str(error.get("code") or "error"), "code")
        if error.get("detail"):
            yield Line("Detail", str(error["detail"]))


def log_lines(transaction: Mapping[str, Any] | None) -> Iterator[Line]:
    """The end of the program's logs, which is where it says why."""
    logs: Sequence[Any] = (transaction or {}).get("logs") or ()
    if logs:
        left_out = len(logs) - MAX_LOG_LINES
        text = "\n".join(str(line) for line in logs[-MAX_LOG_LINES:])
        yield Line("Logs" if left_out <= 0 else f"Logs, last {MAX_LOG_LINES} of {len(logs)}", text, "block")


def record_lines(execution: Execution) -> Iterator[Line]:
    """Which execution this was, and how long each step took."""
    steps = execution.get("steps") or ()
    if steps:
        start = steps[0]["at"]
        yield Line("Steps", " · ".join(f"{step['name']} {milliseconds(start, step['at']):,} ms" for step in steps))
    yield Line("Execution", str(execution.get("execution_id") or ""), "code")


def _token_lines(event: Mapping[str, Any]) -> Iterator[Line]:
    yield Line("Token", str(event["mint"]), "code")
    decimals = event.get("decimals")
    for name, key in (("Received", "amount_delta"), ("Token balance", "amount")):
        amount = event.get(key)
        if isinstance(amount, int) and isinstance(decimals, int):
            yield Line(name, f"{decimal(amount, decimals)} ({amount:,} base units)", short=True)


def _signature(name: str, signature: str, explorer: Explorer) -> Line:
    return Line(name, short(signature), "code", url=explorer.transaction(signature))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | bool) and value != ""
