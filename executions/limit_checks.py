"""Limits as questions about figures. Pure.

Who asks knows the figures: `executions.limits` sums them up in the database, under its locks; a backtest on its own
time line. A check raises LimitExceeded with the figures, and names the `limit` that said no.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from executions.errors import LimitExceeded
from executions.outflow import Outflow

# What SolFlow adds itself, and what every transfer needs; definitions name the others.
OWN_PROGRAMS = frozenset(
    {
        "11111111111111111111111111111111",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "ComputeBudget111111111111111111111111111111",
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
    }
)


class Bounds(Protocol):
    """The limits of a workflow on one transaction."""

    max_lamports_per_tx: int
    max_tokens_per_tx: Any
    allowed_recipients: Any
    allowed_programs: Any


def cut_log_refusal(event: Mapping[str, Any]) -> LimitExceeded | None:
    """No payment on an event that says only that a log was cut (`on_truncated: notify`): it asks for a person."""
    if not event.get("logs_truncated") or event.get("line") is not None or event.get("name") is not None:
        return None
    detail = "Solana cut the log, which anyone can bring about: nothing is paid on what may have been in it"
    return LimitExceeded(detail, code="logs_truncated")


def check_amounts(bounds: Bounds, outflow: Outflow) -> None:
    """What leaves in one transaction."""
    if outflow.lamports > bounds.max_lamports_per_tx:
        over = outflow.lamports - bounds.max_lamports_per_tx
        raise LimitExceeded(
            f"{outflow.lamports} lamports would leave (fee and rent included), {over} above max_lamports_per_tx "
            f"({bounds.max_lamports_per_tx})",
            limit="max_lamports_per_tx",
        )
    for mint, amount in outflow.tokens.items():
        allowed = bounds.max_tokens_per_tx.get(mint)
        if allowed is None:
            detail = f"{amount} base units of {mint} would leave; max_tokens_per_tx does not name that mint"
            raise LimitExceeded(detail, limit="max_tokens_per_tx")
        if amount > int(allowed):
            over = amount - int(allowed)
            detail = f"{amount} base units of {mint} would leave, {over} above max_tokens_per_tx ({allowed})"
            raise LimitExceeded(detail, limit="max_tokens_per_tx")


def check_parties(bounds: Bounds, recipients: Collection[str], programs: Collection[str]) -> None:
    """Whom it pays and which programs it calls."""
    if bounds.allowed_recipients is not None:
        strangers = sorted(set(recipients) - set(bounds.allowed_recipients))
        if strangers:
            detail = f"{strangers[0]} is not among allowed_recipients"
            raise LimitExceeded(detail, code="recipient_not_allowed", limit="allowed_recipients")
    if bounds.allowed_programs is not None:
        others = sorted(set(programs) - set(bounds.allowed_programs) - OWN_PROGRAMS)
        if others:
            detail = f"{others[0]} is not among allowed_programs"
            raise LimitExceeded(detail, code="program_not_allowed", limit="allowed_programs")


def check_day(whose: str, *, lamports: int, spent: int, allowed: int) -> None:
    """What leaves, with what did in the 24 hours before; `whose` is "workflow" or "signer"."""
    over = spent + lamports - allowed
    if over > 0:
        raise LimitExceeded(
            f"{lamports} lamports would leave, and {spent} did in the last 24 hours: together {over} above the "
            f"{whose}'s max_lamports_per_day ({allowed})",
            code="daily_limit_exceeded",
            limit="max_lamports_per_day" if whose == "workflow" else "max_lamports_per_day of the signer",
        )


def check_tokens_per_day(tokens: Mapping[str, int], spent: Mapping[str, int], allowed: Mapping[str, Any]) -> None:
    """The same by mint, in base units; a mint that is not named has no daily limit."""
    for mint, amount in tokens.items():
        most = allowed.get(mint)
        over = spent.get(mint, 0) + amount - int(most) if most is not None else 0
        if over > 0:
            raise LimitExceeded(
                f"{amount} base units of {mint} would leave, and {spent.get(mint, 0)} did in the last 24 hours: "
                f"together {over} above max_tokens_per_day ({most})",
                code="daily_limit_exceeded",
                limit="max_tokens_per_day",
            )
