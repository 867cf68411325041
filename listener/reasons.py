"""Pure: what a past transaction is to one workflow's trigger, and why it is not more.

What matches is asked of `listener.matches`, the way of every real event; only what is left over is given a reason here.
So a reason may be worded badly, but nothing is ever said to match that would not, or the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chain.decode.transaction import Transaction
from chain.events import Event, state_event
from chain.types import AccountSample
from listener.matches import candidates, of_transaction, of_transition
from listener.needs import unasked
from listener.observations import FetchedTransaction
from listener.registry import Audience, Wanted
from listener.transitions import Transition
from listener.watches import TOKEN_PROGRAMS, Watch
from workflows.matching import Mismatch, mismatch

_NO_TRANSACTION = "it is not set off by transactions"
# Triggers of which the chain keeps no past that could be read back, each with the sentence that says so.
NO_PAST = {
    "account_change": "the chain keeps transactions, not what accounts held: account_change has no past to read",
    "program_account_change": "the chain keeps transactions, not what accounts held: "
    "program_account_change has no past to read",
    "schedule": f"a schedule comes due by the clock: {_NO_TRANSACTION}",
    "webhook": f"a webhook's messages are on no chain: {_NO_TRANSACTION}",
    "manual": f"a manual run is asked for by somebody: {_NO_TRANSACTION}",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """An event that the transaction could be; `mismatch` is None where the trigger asks for it."""

    event: Event
    mismatch: Mismatch | None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the transaction could be, and the one reason for which none of it matches; None where some does."""

    judged: tuple[Judged, ...]
    reason: Mismatch | None

    @property
    def matched(self) -> list[Event]:
        """The events that would become executions."""
        return [one.event for one in self.judged if one.mismatch is None]


def alone(wanted: Wanted, watch: Watch) -> Audience:
    """The audience of one workflow; there need be no subscription."""
    return Audience(0, 0, watch, (wanted,))


def judge_transaction(fetched: FetchedTransaction, audience: Audience) -> Findings:
    """What a transaction is to the only member of the audience."""
    (wanted,) = audience.wanted
    if not _concerns(audience.watch, fetched.transaction):
        return Findings((), _not_here([audience.watch]))
    if (refused := unasked(wanted, fetched.transaction.err)) is not None:
        return Findings((), refused)
    matched = [event for _, event in of_transaction(fetched, audience)]
    found = _judged(wanted, matched, candidates(fetched, audience))
    return Findings(found, None if matched else _why_none(wanted, audience.watch, found))


def judge_balance(wanted: Wanted, watch: Watch, before: AccountSample, after: AccountSample) -> Findings:
    """What it is to a balance_change that the watched account went from one sample to the other."""
    if before.lamports == after.lamports:
        return Findings((), Mismatch("not_changed", f"the balance of {watch.address} stays the same"))
    transition = Transition(0, watch.address, before, after, False, 0.0)
    matched = [event for _, event in of_transition(transition, alone(wanted, watch))]
    event = state_event(wanted.trigger.type, watch.address, before, after)
    found = _judged(wanted, matched, [event])
    return Findings(found, None if matched else _why_none(wanted, watch, found))


def not_in(watch: Watch) -> Findings:
    """The watched account has no part in the transaction."""
    return Findings((), _not_here([watch]))


def merged(parts: Sequence[tuple[Watch, Findings]]) -> Findings:
    """The findings of all watches of one trigger as one: an event that two of them tell is told once."""
    by_key = {one.event.key: one for _, findings in parts for one in findings.judged}
    reasons = [findings.reason for _, findings in parts]
    if any(reason is None for reason in reasons):
        return Findings(tuple(by_key.values()), None)
    told = next((reason for reason in reasons if reason is not None and reason.code != "not_in_transaction"), None)
    return Findings(tuple(by_key.values()), told or _not_here([watch for watch, _ in parts]))


def _judged(wanted: Wanted, matched: Sequence[Event], possible: Iterable[Event]) -> tuple[Judged, ...]:
    known = {event.key for event in matched}
    others = ((event, mismatch(wanted.trigger, event)) for event in possible if event.key not in known)
    return (*(Judged(event, None) for event in matched), *(Judged(event, why) for event, why in others if why))


def _concerns(watch: Watch, transaction: Transaction) -> bool:
    if watch.kind == "signature":
        return transaction.signature == watch.address
    # Of what a wallet owns only its token accounts need be named.
    return watch.kind in TOKEN_PROGRAMS or watch.address in transaction.accounts


def _not_here(watches: Sequence[Watch]) -> Mismatch:
    if watches[0].kind == "signature":
        return Mismatch("other_signature", f"the trigger waits for the transaction {watches[0].address}")
    addresses = list(dict.fromkeys(watch.address for watch in watches))
    which = f"account {addresses[0]} is" if len(addresses) == 1 else f"accounts {' and '.join(addresses)} are"
    return Mismatch("not_in_transaction", f"the watched {which} not in this transaction")


def _why_none(wanted: Wanted, watch: Watch, found: Sequence[Judged]) -> Mismatch:
    trigger, address = wanted.trigger, watch.address
    if trigger.type == "program_log":
        return _why_no_line(wanted, address, found) if trigger.pattern is not None else _why_no_event(wanted, found)
    told = next((one.mismatch for one in found if one.mismatch is not None), None)
    return told or Mismatch("nothing_arrived", f"nothing that the trigger asks for arrived at {address}")


def _why_no_line(wanted: Wanted, address: str, found: Sequence[Judged]) -> Mismatch:
    if not found:
        return Mismatch("no_line", f"{address} wrote no line in this transaction")
    lines = "the only line" if len(found) == 1 else f"any of the {len(found)} lines"
    return Mismatch("other_line", f"pattern {wanted.trigger.pattern} does not fit {lines} of that program")


def _why_no_event(wanted: Wanted, found: Sequence[Judged]) -> Mismatch:
    if wanted.emitter is None:
        return Mismatch("idl_unusable", "the IDL cannot be read, or is the IDL of another program")
    names = sorted({str(one.event.fields["name"]) for one in found})
    if not names:
        return Mismatch("no_event", "the program emitted no event of its IDL in this transaction")
    return Mismatch("other_event", f"the program emitted {', '.join(names)}, and not {wanted.trigger.event}")
