"""What came of a test run, as the builder's panel shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from executions.balance_changes import BalanceChange
from executions.preview import Preview
from listener.past_previews import PastPreview
from solflow.ui.statuses import Look
from solflow.ui.text import grouped, sol

_LOOKS = {
    "filtered": Look("s-idle", "circle-slash", "Would be filtered out"),
    "failed": Look("s-fail", "octagon-x", "Would fail"),
    "throttled": Look("s-wait", "gauge", "Would be throttled"),
}
_NOT_WANTED = Look("s-idle", "circle-slash", "No event for this trigger")
_ACTS = Look("s-ok", "circle-check", "Would act")
_TELLS = Look("s-ok", "circle-check", "Would only tell")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A balance with how it changes, signed, with its unit."""

    address: str
    label: str
    amount: str
    mint: str
    falls: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """A test run that came to an end; `about` is its outcome in a few figures."""

    look: Look
    about: str
    preview: Preview
    changes: tuple[ChangeRow, ...]
    past: PastPreview | None = None


def trial_of(preview: Preview, *, signer: str, past: PastPreview | None = None) -> Trial:
    """The panel's view of a preview; `signer` is the address that would pay, "" without one."""
    changes = preview.transaction.changes if preview.transaction is not None else ()
    return Trial(_look(preview), _about(preview), preview, tuple(_rows(changes, signer)), past)


def _look(preview: Preview) -> Look:
    if not preview.matches or preview.status is None:
        return _NOT_WANTED
    if preview.status in _LOOKS:
        return _LOOKS[preview.status]
    return _TELLS if preview.transaction is None else _ACTS


def _about(preview: Preview) -> str:
    if preview.transaction is None:
        return "nothing was signed"
    units = preview.transaction.compute_units
    simulated = "" if units is None else f"simulated {grouped(units)} compute units, "
    return f"{simulated}nothing was signed"


def _rows(changes: Sequence[BalanceChange], signer: str) -> list[ChangeRow]:
    return [
        ChangeRow(one.address, "signer" if one.address == signer else "", _amount(one), one.mint or "", one.amount < 0)
        for one in changes
    ]


def _amount(change: BalanceChange) -> str:
    sign = "−" if change.amount < 0 else "+"
    if change.mint is None:
        return f"{sign}{sol(abs(change.amount))} SOL"
    whole, rest = divmod(abs(change.amount), 10**change.decimals)
    fraction = f"{rest:0{change.decimals}d}".rstrip("0") if rest else ""
    return f"{sign}{whole:,}{f'.{fraction}' if fraction else ''}"
