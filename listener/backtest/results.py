"""Pure: what a backtest finds, from the reading of the past to its totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chain.events import Event
from workflows.matching import Mismatch

Outcome = Literal["no_match", "filtered", "throttled", "failed", "success"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that happened: an event that the trigger asks for, or a transaction that is none and why.

    `at` is the block's time, or reckoned from the slot where the node does not tell it. Due times have no slot.
    """

    at: datetime
    summary: str
    slot: int | None = None
    signature: str | None = None
    event: Event | None = None
    reason: Mismatch | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What there was to look at, oldest first. `notes` say what was left out and why."""

    since: datetime
    until: datetime
    candidates: tuple[Candidate, ...]
    first_slot: int | None = None
    last_slot: int | None = None
    transactions: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spending:
    """What would have left the signer: by simulation on the chain as it is now (fee and rent included), or as the
    definition writes it out, with the least fee."""

    lamports: int
    tokens: Mapping[str, int]
    by: Literal["simulation", "definition"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that would have said no. `limit` is the setting's name, empty where it is none."""

    code: str
    detail: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A candidate and what would have become of it. `spending` is what it would have spent, had nothing refused."""

    candidate: Candidate
    outcome: Outcome
    filter_trace: Mapping[str, Any] | None = None
    spending: Spending | None = None
    refusals: tuple[Refusal, ...] = ()
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a backtest; `spent_*` are those of what would have run, `limits` how often each would have tripped,
    `mismatches` how often each reason kept something from matching."""

    candidates: int
    matched: int
    passed_filter: int
    throttled: int
    failed: int
    would_run: int
    need_approval: int
    spent_lamports: int
    spent_tokens: Mapping[str, int]
    limits: Mapping[str, int]
    mismatches: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Backtest:
    """All of it, `decided` oldest first."""

    name: str
    workflow_id: str
    version: int | None
    trigger: str
    slots: int
    past: Past
    decided: tuple[Decided, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def totals(self) -> Totals:
        """The sums."""
        outcomes = Counter(one.outcome for one in self.decided)
        ran = [one for one in self.decided if one.outcome == "success"]
        tokens: Counter[str] = Counter()
        for one in ran:
            tokens.update(one.spending.tokens if one.spending else {})
        return Totals(
            candidates=len(self.decided),
            matched=len(self.decided) - outcomes["no_match"],
            passed_filter=len(self.decided) - outcomes["no_match"] - outcomes["filtered"],
            throttled=outcomes["throttled"],
            failed=outcomes["failed"],
            would_run=len(ran),
            need_approval=sum(one.needs_approval for one in ran),
            spent_lamports=sum(one.spending.lamports for one in ran if one.spending),
            spent_tokens=dict(tokens),
            limits=dict(Counter(why.limit for one in self.decided for why in one.refusals if why.limit)),
            mismatches=dict(Counter(one.candidate.reason.code for one in self.decided if one.candidate.reason)),
        )
