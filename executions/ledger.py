"""A signer's ledger against its chain, transaction by transaction, to the lamport. Pure.

What is compared for each of our transactions is the charge: what executions.outflow makes of the chain's own balances,
against the reservation that was settled with it. Apart from that the wallet's balance must follow from its history:
balance at the start + ours + others = balance now, and every transaction begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from executions.memos import Memo
from executions.outflow import Balances, Granted, outflow

NOTHING_GRANTED = Granted()


@dataclass(frozen=True, slots=True)
class OnChain:
    """A finalized transaction with the signer: its wallet's lamports before and after.

    `memo` is there where it is one of ours, with the balances of all its accounts.
    """

    signature: str
    slot: int
    before: int
    after: int
    memo: Memo | None = None
    balances: Balances | None = None

    @property
    def change(self) -> int:
        """Lamports that the wallet gained, or lost."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Booked:
    """What the ledger says of an attempt that landed: `lamports` as settled, None while its figures are not known."""

    signature: str
    slot: int | None
    is_final: bool
    lamports: int | None
    granted: Granted = NOTHING_GRANTED


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction: what the ledger and what the chain say that it took (None: nothing), and what is wrong."""

    slot: int
    signature: str
    memo: Memo | None
    ledger_lamports: int | None
    chain_lamports: int | None
    change: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """`lines` oldest first. It agrees when nobody has a problem with it."""

    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    balance_at_start: int
    balance_now: int

    @property
    def ours(self) -> int:
        """Lamports by which our own transactions changed the wallet."""
        return sum(line.change for line in self.lines if line.memo)

    @property
    def deposits(self) -> int:
        return sum(line.change for line in self.lines if not line.memo and line.change > 0)

    @property
    def withdrawals(self) -> int:
        """What others than SolFlow took out, who must have the key. Not positive."""
        return sum(line.change for line in self.lines if not line.memo and line.change < 0)

    @property
    def ledger_lamports(self) -> int:
        return sum(line.ledger_lamports or 0 for line in self.lines)

    @property
    def chain_lamports(self) -> int:
        return sum(line.chain_lamports or 0 for line in self.lines)

    @property
    def unexplained(self) -> int:
        """Lamports of the balance that the history does not account for; 0 is the proof."""
        return self.balance_now - self.balance_at_start - self.ours - self.deposits - self.withdrawals

    @property
    def problems(self) -> list[str]:
        """Everything that does not agree, a sentence each."""
        found = [f"{line.signature}: {line.problem}" for line in self.lines if line.problem]
        found += self.missing
        if self.unexplained:
            found.append(f"the balance is off by {self.unexplained:+} lamports that no transaction explains")
        return found


def prove(
    history: Sequence[OnChain],
    booked: Mapping[str, Booked],
    kept: frozenset[str],
    *,
    signer: str,
    balance_now: int,
) -> Proof:
    """Compare. `history` is oldest first, `booked` by signature; `kept` are signatures whose executions are not here
    yet (LandedMemo): no ledger can have those."""
    lines = []
    ends_at = history[0].before if history else balance_now
    for one in history:
        lines.append(_line(one, booked.get(one.signature), one.signature in kept, signer, one.before - ends_at))
        ends_at = one.after
    seen = {one.signature for one in history}
    return Proof(
        lines=tuple(lines),
        missing=tuple(
            f"{entry.signature}: the ledger has it landed in slot {entry.slot}, and the chain does not list it"
            for entry in booked.values()
            if entry.is_final and entry.signature not in seen
        ),
        balance_at_start=history[0].before if history else balance_now,
        balance_now=balance_now,
    )


def _line(one: OnChain, entry: Booked | None, is_kept: bool, signer: str, jump: int) -> Line:
    problem = f"{jump:+} lamports came between this and the transaction before it" if jump else ""
    if one.memo is None or one.balances is None:
        return Line(one.slot, one.signature, None, None, None, one.change, problem)
    charged = outflow(one.balances, signer, entry.granted if entry else NOTHING_GRANTED).lamports
    ledger = entry.lamports if entry else None
    if entry is None and not is_kept:
        problem = f"the chain has it as {one.memo}, and the ledger does not"
    elif ledger is not None and ledger != charged:
        problem = f"the ledger says {ledger} lamports, the chain took {charged}: {charged - ledger:+}"
    return Line(one.slot, one.signature, one.memo, ledger, charged, one.change, problem)
