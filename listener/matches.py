"""Pure: an observation and its audience -> the events that somebody's trigger asks for.

A notice of logs serves what log lines tell; whoever asks more of a transaction (listener.needs) gets his events
from the whole one, which is fetched. What is read back comes as the whole one for everybody. An event found on both
ways has one key.

On logs that Solana has cut ("Log truncated"): lines and events before the cut match as always, and so do events by
self-call, which no cut touches. Where none does and the trigger says `on_truncated: notify`, there is one event with
the index `log.truncated`, without line, name and data, since what was waited for may have been cut away; its
`logs_truncated` lets a filter decide. `ignore` means that only what is there counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from chain.decode.logs import TRUNCATED, Attribution, LogLine, attribute, text_of
from chain.decode.transaction import Transaction
from chain.events import Event, log_event, receipt_event, state_event, status_event
from listener.needs import asks
from listener.observations import FetchedTransaction, TransactionLogs
from listener.program_events import Emitted, Emitter, emitted_by_call, emitted_by_log
from listener.receipts import nft_arrivals, token_arrivals
from listener.registry import Audience, Wanted
from listener.transitions import Transition
from workflows.matching import matches
from workflows.specs.patterns import compile_line_pattern, found_in

TRUNCATED_INDEX = "log.truncated"

Matches = Iterator[tuple[Wanted, Event]]


def of_transition(transition: Transition, audience: Audience) -> Matches:
    """Each workflow that wants this transition of a state row, with its event."""
    events: dict[str, Event] = {}
    for wanted in audience.wanted:
        if transition.current.slot <= wanted.enabled_at_slot:
            continue
        trigger_type = wanted.trigger.type
        if trigger_type not in events:
            events[trigger_type] = state_event(
                trigger_type,
                transition.address,
                transition.previous,
                transition.current,
                catch_up=transition.catch_up,
            )
        if matches(wanted.trigger, events[trigger_type]):
            yield wanted, events[trigger_type]


def of_logs(seen: TransactionLogs, audience: Audience) -> Matches:
    """Each workflow that wants lines or logged events of this transaction, with an event for each."""
    interested = [
        wanted
        for wanted in audience.wanted
        if wanted.trigger.type == "program_log" and seen.slot > wanted.enabled_at_slot and asks(wanted, seen.err)
    ]
    if not any(_may_say(wanted, seen.logs) for wanted in interested):
        return
    attribution = attribute(seen.logs)
    told = _Logs(audience.watch.address, seen.signature, seen.slot, seen.err, seen.logs, attribution)
    for wanted in interested:
        if wanted.trigger.pattern is not None:
            yield from _of_pattern(wanted, told)
        elif wanted.emitter is not None:
            emitted = emitted_by_log(wanted.emitter, wanted.trigger.event, attribution)
            yield from ((wanted, told.event(one.index, emitted=one)) for one in emitted)


def of_transaction(fetched: FetchedTransaction, audience: Audience) -> Matches:
    """Each workflow that wants something of this transaction, with its events."""
    transaction = fetched.transaction
    told: _Logs | None = None
    for wanted in audience.wanted:
        if transaction.slot <= wanted.enabled_at_slot or not asks(wanted, transaction.err):
            continue
        if wanted.trigger.type == "program_log":
            told = told or _logs_of(audience.watch.address, transaction)
            by_pattern = wanted.trigger.pattern is not None
            yield from _of_pattern(wanted, told) if by_pattern else _of_event(wanted, told, transaction)
        else:
            events = _EVENTS[wanted.trigger.type](fetched, audience)
            yield from ((wanted, event) for event in events if matches(wanted.trigger, event))


def candidates(fetched: FetchedTransaction, audience: Audience) -> Iterator[Event]:
    """Every event that this transaction could be to the audience's triggers, whatever else they ask for: what
    `of_transaction` chooses from. It costs more than choosing."""
    for wanted in audience.wanted:
        if wanted.trigger.type != "program_log":
            yield from _EVENTS[wanted.trigger.type](fetched, audience)
            continue
        told = _logs_of(audience.watch.address, fetched.transaction)
        if wanted.trigger.pattern is not None:
            yield from (told.event(f"log.{line.n}", line=line) for line in told.lines)
        elif wanted.emitter is not None:
            for layout in wanted.emitter.idl.events:
                emitted = _emitted(wanted.emitter, layout.name, told, fetched.transaction)
                yield from (told.event(index, emitted=one) for index, one in emitted.items())


def _may_say(wanted: Wanted, logs: Sequence[str]) -> bool:
    """Whether any line, whoever wrote it, is one that is waited for; most transactions of a busy program have none."""
    if TRUNCATED in logs:
        return True
    pattern = wanted.trigger.pattern
    if pattern is None:
        return any(line.startswith("Program data:") for line in logs)
    return any(_fits(pattern, line) if len(line) < LONG_LINE else _is_in(pattern, line) for line in logs)


def _is_in(pattern: str, line: str) -> bool:
    return found_in(compile_line_pattern(pattern), text_of(line))


# Programs say the same few lines again and again ("Instruction: Transfer"). Long ones are not kept: they differ, and a
# thousand of them are megabytes.
LONG_LINE = 200
_fits = lru_cache(maxsize=8_192)(_is_in)


class _Logs:
    """What the events of one transaction's logs have in common. `lines` are those of the program."""

    def __init__(
        self, program_id: str, signature: str, slot: int, err: Any, logs: Sequence[str], attribution: Attribution
    ) -> None:
        self.program_id = program_id
        self.lines = [line for line in attribution if line.program_id == program_id]
        self.signature = signature
        self.slot = slot
        self.err = err
        self.logs = logs
        self.attribution = attribution

    def event(self, index: str, *, line: LogLine | None = None, emitted: Emitted | None = None) -> Event:
        return log_event(
            self.program_id,
            self.signature,
            self.slot,
            index,
            logs=self.logs,
            logs_truncated=self.attribution.truncated,
            line=None if line is None else line.text,
            name=None if emitted is None else emitted.name,
            data=None if emitted is None else emitted.data,
            error=self.err,
        )

    def cut(self, wanted: Wanted) -> Matches:
        """The event that says that something may have been cut away."""
        if self.attribution.truncated and wanted.trigger.on_truncated == "notify":
            yield wanted, self.event(TRUNCATED_INDEX)


def _logs_of(program_id: str, transaction: Transaction) -> _Logs:
    attribution = attribute(transaction.logs)
    return _Logs(program_id, transaction.signature, transaction.slot, transaction.err, transaction.logs, attribution)


def _of_pattern(wanted: Wanted, told: _Logs) -> Matches:
    pattern = compile_line_pattern(wanted.trigger.pattern)
    found = False
    for line in told.lines:
        if found_in(pattern, line.text):
            found = True
            yield wanted, told.event(f"log.{line.n}", line=line)
    if not found:
        yield from told.cut(wanted)


def _of_event(wanted: Wanted, told: _Logs, transaction: Transaction) -> Matches:
    if wanted.emitter is None:
        return
    by_index = _emitted(wanted.emitter, wanted.trigger.event, told, transaction)
    yield from ((wanted, told.event(one.index, emitted=one)) for one in by_index.values())
    if not by_index:
        yield from told.cut(wanted)


def _emitted(emitter: Emitter, name: str, told: _Logs, transaction: Transaction) -> dict[str, Emitted]:
    """The events of this name by index, each once, however it was emitted."""
    logged = emitted_by_log(emitter, name, told.attribution)
    called = emitted_by_call(emitter, name, transaction.instructions)
    return {one.index: one for one in (*logged, *called)}


def _token_receipts(fetched: FetchedTransaction, audience: Audience) -> Iterator[Event]:
    transaction = fetched.transaction
    for arrived in token_arrivals(transaction, audience.watch.address):
        yield receipt_event("token_receipt", transaction.signature, transaction.slot, arrived)


def _nft_receipts(fetched: FetchedTransaction, audience: Audience) -> Iterator[Event]:
    transaction = fetched.transaction
    for arrived in nft_arrivals(transaction, audience.watch.address):
        collection = fetched.collections.get(arrived.mint)
        yield receipt_event("nft_receipt", transaction.signature, transaction.slot, arrived, collection)


def _statuses(fetched: FetchedTransaction, audience: Audience) -> Iterator[Event]:
    transaction, watch = fetched.transaction, audience.watch
    yield status_event(
        None if watch.kind == "signature" else watch.address,
        transaction.signature,
        transaction.slot,
        error=transaction.err,
        fee_lamports=transaction.fee_lamports,
        accounts=transaction.accounts,
    )


_EVENTS: Mapping[str, Callable[[FetchedTransaction, Audience], Iterable[Event]]] = {
    "token_receipt": _token_receipts,
    "nft_receipt": _nft_receipts,
    "transaction_status": _statuses,
}
