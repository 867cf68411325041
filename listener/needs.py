"""Pure: what triggers ask of a transaction, so that no more is fetched than somebody may want."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from chain.decode.logs import invokes_itself
from listener.registry import Wanted
from workflows.matching import Mismatch
from workflows.matching.triggers import FAILED_NOT_INCLUDED, FAILED_NOT_WANTED, SUCCEEDED_NOT_WANTED

NOTHING_ARRIVES = Mismatch("transaction_failed", "the transaction failed, so nothing arrived by it")


def asks(wanted: Wanted, err: Any) -> bool:
    """Whether a transaction that ended so can be of interest. Anybody can make a failing one say anything, so failures
    are asked for by name."""
    return unasked(wanted, err) is None


def unasked(wanted: Wanted, err: Any) -> Mismatch | None:
    """Why a transaction that ended so cannot be of interest; None where it can."""
    trigger = wanted.trigger
    if trigger.type == "program_log":
        return None if err is None or trigger.include_failed else FAILED_NOT_INCLUDED
    if trigger.type != "transaction_status":
        return None if err is None else NOTHING_ARRIVES
    if trigger.status == "any" or (err is None) == (trigger.status == "success"):
        return None
    return SUCCEEDED_NOT_WANTED if err is None else FAILED_NOT_WANTED


@dataclass(frozen=True, slots=True)
class Needs:
    """What an audience needs beside a notice of logs. Asked of every notice, so it is worked out once for an audience.

    `lines`: somebody waits for what logs tell. The others are pairs, for transactions that succeeded and that failed:
    whether somebody `always` needs the whole transaction, and the `emitters`, programs of whose events somebody waits
    for. Those that a program emits by calling itself are in no log, but that it has called itself is.
    """

    lines: bool
    always: tuple[bool, bool]
    emitters: tuple[frozenset[str], frozenset[str]]

    @classmethod
    def of(cls, members: Collection[Wanted]) -> Needs:
        """The needs of all of them."""
        asking = [[wanted for wanted in members if asks(wanted, err)] for err in (None, "failed")]
        succeeded, failed = (any(one.trigger.type != "program_log" for one in group) for group in asking)
        emitters = (frozenset(one.emitter.idl.program_id for one in group if one.emitter) for group in asking)
        lines = any(wanted.trigger.type == "program_log" for wanted in members)
        return cls(lines, (succeeded, failed), (next(emitters), next(emitters)))

    def transaction(self, err: Any, logs: Sequence[str]) -> bool:
        """Whether somebody needs the whole of the transaction that ended so."""
        has_failed = err is not None
        return self.always[has_failed] or any(invokes_itself(logs, one) for one in self.emitters[has_failed])
