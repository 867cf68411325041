"""Pure: a backtest as lines for a person at a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from executions.figures import sol
from executions.tables import aligned
from listener.backtest.filter_words import why_not
from listener.backtest.results import Backtest, Decided, Past, Refusal, Spending

# Of a long list the end is shown, and the totals count all of it.
SHOWN = 20


def lines(shown: Backtest, *, everything: bool = False) -> Iterator[str]:
    """The report: what was looked at, what would have become of it, totals."""
    version = "another version than the live one" if shown.version is None else f"version {shown.version}"
    yield f"Backtest of {shown.name} ({shown.trigger}, {version})"
    yield f"  {_window(shown.slots, shown.past)}"
    yield from (f"  Note: {note}" for note in (*shown.past.notes, *shown.notes))
    matched = [one for one in shown.decided if one.outcome != "no_match"]
    others = [one for one in shown.decided if one.outcome == "no_match"]
    yield from _listed("Matches", matched, everything=everything)
    yield from _listed("No match", others, everything=everything)
    yield ""
    yield "Totals"
    yield from (f"  {line}" for line in _totals(shown))


def document(shown: Backtest) -> dict[str, Any]:
    """The whole of it as JSON: integers in base units, times in ISO 8601."""
    past = shown.past
    return {
        "workflow": {"id": shown.workflow_id, "name": shown.name, "version": shown.version},
        "trigger": shown.trigger,
        "slots": shown.slots,
        "first_slot": past.first_slot,
        "last_slot": past.last_slot,
        "since": _iso(past.since),
        "until": _iso(past.until),
        "transactions": past.transactions,
        "is_whole": not past.notes,
        "notes": [*past.notes, *shown.notes],
        "candidates": [_candidate(one) for one in shown.decided],
        "totals": asdict(shown.totals),
    }


def _window(slots: int, past: Past) -> str:
    if past.first_slot is None:
        length = timedelta(seconds=round((past.until - past.since).total_seconds()))
        return f"{slots} slots take about {length}, {_times(past)}: {len(past.candidates)} due times"
    read = f"{past.transactions} transaction{'' if past.transactions == 1 else 's'} of what it watches"
    return f"Slots {past.first_slot} to {past.last_slot}, about {_times(past)}: {read}"


def _times(past: Past) -> str:
    return f"{past.since:%Y-%m-%d %H:%M:%S} to {past.until:%Y-%m-%d %H:%M:%S} UTC"


def _listed(title: str, found: Sequence[Decided], *, everything: bool) -> Iterator[str]:
    if not found:
        return
    shown = found if everything else found[-SHOWN:]
    left_out = len(found) - len(shown)
    yield ""
    yield f"{title}: {len(found)}" + (f" (the last {SHOWN}; --all shows every one)" if left_out else "")
    for one in shown:
        yield f"  {_where(one)}"
        yield f"      {one.candidate.summary}: {_became(one)}"


def _where(one: Decided) -> str:
    candidate = one.candidate
    slot = "" if candidate.slot is None else f"slot {candidate.slot}  "
    return f"{slot}{candidate.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}  {candidate.signature or ''}".rstrip()


def _became(one: Decided) -> str:
    if one.outcome == "no_match":
        return one.candidate.reason.detail if one.candidate.reason else "no match"
    if one.outcome == "filtered":
        return f"filtered, {why_not(one.filter_trace or {})}"
    if one.outcome == "success":
        asks = ", after a person's approval" if one.needs_approval else ""
        return f"would run{asks}" + (f" and spend {_spent(one.spending)}" if one.spending else "")
    return f"{one.outcome}, {'; '.join(_refused(why) for why in one.refusals)}"


def _refused(why: Refusal) -> str:
    return why.detail if not why.limit or why.limit in why.detail else f"{why.detail} ({why.limit})"


def _spent(spending: Spending) -> str:
    tokens = [f"{amount} base units of {mint}" for mint, amount in spending.tokens.items()]
    return " and ".join([sol(spending.lamports), *tokens])


def _totals(shown: Backtest) -> Iterator[str]:
    totals = shown.totals
    rows = [
        ["looked at", str(totals.candidates), ""],
        ["matched the trigger", str(totals.matched), _why_others(totals.mismatches)],
        ["passed the filter", str(totals.passed_filter), ""],
        ["throttled", str(totals.throttled), "the hourly rate was used up" if totals.throttled else ""],
        ["failed", str(totals.failed), "a limit or the chain would have refused it" if totals.failed else ""],
        ["would have run", str(totals.would_run), _asked(totals.need_approval)],
    ]
    rows += [["spent", f"{totals.spent_lamports:,}", f"lamports = {sol(totals.spent_lamports)}, fees included"]]
    rows += [["spent", f"{amount:,}", f"base units of {mint}"] for mint, amount in totals.spent_tokens.items()]
    yield from aligned(rows, right=[1])
    if not totals.limits:
        yield "no limit would have tripped"
    for limit, times in sorted(totals.limits.items()):
        yield f"{limit} would have tripped {times} time{'' if times == 1 else 's'}"


def _why_others(mismatches: Mapping[str, int]) -> str:
    """The codes of the reasons, the most frequent first."""
    ordered = sorted(mismatches.items(), key=lambda item: -item[1])
    return f"the others: {', '.join(f'{times} {code}' for code, times in ordered)}" if ordered else ""


def _asked(need_approval: int) -> str:
    return f"{need_approval} of them after a person's approval" if need_approval else ""


def _candidate(one: Decided) -> dict[str, Any]:
    candidate, spending = one.candidate, one.spending
    return {
        "slot": candidate.slot,
        "signature": candidate.signature,
        "at": _iso(candidate.at),
        "summary": candidate.summary,
        "event": None if candidate.event is None else candidate.event.as_json(),
        "outcome": one.outcome,
        "reason": None if candidate.reason is None else candidate.reason._asdict(),
        "filter_trace": one.filter_trace,
        "spending": None if spending is None else {**asdict(spending), "tokens": dict(spending.tokens)},
        "refusals": [asdict(why) for why in one.refusals],
        "needs_approval": one.needs_approval,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
