"""Pure: an observation and its audience -> the events that somebody's trigger asks for.

On logs that Solana has cut ("Log truncated"): lines before the cut match as always. Where none does and the trigger
says `on_truncated: notify`, there is one event with the index `log.truncated`, without a line, since the line may have
been cut away; its `logs_truncated` lets a filter decide. `ignore` means that only lines that are there count.
"""

from __future__ import annotations

from collections.abc import Iterator

from chain.decode.logs import Attribution, LogLine, attribute
from chain.events import Event, log_event, state_event
from listener.observations import TransactionLogs
from listener.registry import Audience, Wanted
from listener.transitions import Transition
from workflows.matching import matches
from workflows.specs.patterns import compile_pattern, found_in

TRUNCATED_INDEX = "log.truncated"


def of_transition(transition: Transition, audience: Audience) -> Iterator[tuple[Wanted, Event]]:
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


def of_logs(seen: TransactionLogs, audience: Audience) -> Iterator[tuple[Wanted, Event]]:
    """Each workflow that wants lines of this transaction, with an event for each line."""
    interested = [
        wanted
        for wanted in audience.wanted
        if seen.slot > wanted.enabled_at_slot and (seen.err is None or wanted.trigger.include_failed)
    ]
    if not interested:
        return
    attribution = attribute(seen.logs)
    address = audience.watch.address
    lines = [line for line in attribution if line.program_id == address]
    for wanted in interested:
        found = False
        for line in lines:
            # Asked here first, because making an event costs more than searching a line.
            if found_in(compile_pattern(wanted.trigger.pattern), line.text):
                event = _line_event(seen, address, attribution, line)
                if matches(wanted.trigger, event):
                    found = True
                    yield wanted, event
        if attribution.truncated and not found and wanted.trigger.on_truncated == "notify":
            yield wanted, _truncated_event(seen, address)


def _line_event(seen: TransactionLogs, address: str, attribution: Attribution, line: LogLine) -> Event:
    return log_event(
        address,
        seen.signature,
        seen.slot,
        f"log.{line.n}",
        logs=seen.logs,
        logs_truncated=attribution.truncated,
        line=line.text,
        error=seen.err,
    )


def _truncated_event(seen: TransactionLogs, address: str) -> Event:
    return log_event(
        address, seen.signature, seen.slot, TRUNCATED_INDEX, logs=seen.logs, logs_truncated=True, error=seen.err
    )
