"""The past of what a trigger watches, read as the listener's read-back reads it, and matched by the same code."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from chain.events import schedule_event
from chain.rpc.aio import AsyncRpcClient
from chain.types import AccountSample, SignatureInfo
from listener import metrics
from listener.backtest.reading import Tell, in_pieces, patiently
from listener.backtest.results import Candidate, Past
from listener.balance_history import balances_around, sample_of
from listener.event_words import summary
from listener.histories import History, history_of, readable
from listener.needs import unasked
from listener.observations import FetchedTransaction
from listener.reasons import Findings, alone, judge_balance, judge_transaction, merged
from listener.registry import Wanted
from listener.transactions import UnknownTransaction, fetch
from listener.watches import Watch
from workflows.matching import Mismatch
from workflows.specs.due_times import next_due
from workflows.specs.triggers import Schedule

# What Solana aims at; measured, it is a little more.
SLOT = timedelta(milliseconds=400)
FORGOTTEN = Findings((), Mismatch("not_known", "the endpoint lists this transaction and does not know it any more"))


async def read_past(rpc: AsyncRpcClient, wanted: Wanted, slots: int, *, most: int, tell: Tell) -> Past:
    """What happened in the newest `slots` confirmed slots to what the trigger watches; of more than `most`
    transactions of an account the newest. `tell` hears how far it is. Raises chain.errors.ChainError.
    """
    until, last_slot = datetime.now(UTC), await rpc.slot(readable(wanted.commitment))
    window = _Window(max(0, last_slot - slots + 1), last_slot, until, most, tell)
    if wanted.trigger.type == "balance_change":
        candidates, histories = await _balance_candidates(rpc, wanted, window)
    else:
        candidates, histories = await _transaction_candidates(rpc, wanted, window)
    forgotten = sum(one.reason is not None and one.reason.code == "not_known" for one in candidates)
    cut = (
        f"{history.note}: nothing before slot {history.lost_before} was looked at"
        for history in histories
        if history.lost_before is not None
    )
    missing = (f"{forgotten} transactions are listed and not known any more",) if forgotten else ()
    since = window.reckoned(window.first_slot)
    transactions = len({info.signature for history in histories for info in history.infos})
    return Past(since, until, tuple(candidates), window.first_slot, last_slot, transactions, (*cut, *missing))


def due_past(trigger: Schedule, slots: int, *, most: int) -> Past:
    """The due times of a schedule in as much time as so many slots take; of more than `most` the newest."""
    until = datetime.now(UTC)
    since = until - slots * SLOT
    due_times: deque[datetime] = deque(maxlen=most)
    count, due = 0, next_due(trigger.cron, trigger.timezone, since)
    while due is not None and due <= until:
        due_times.append(due)
        count, due = count + 1, next_due(trigger.cron, trigger.timezone, due)
    events = ((due, schedule_event(due, missed=0)) for due in due_times)
    candidates = tuple(Candidate(due, summary(event), event=event) for due, event in events)
    notes = (f"more than {most} due times: only the newest were looked at",) if count > most else ()
    return Past(since, until, candidates, notes=notes)


@dataclass(frozen=True, slots=True)
class _Window:
    first_slot: int
    last_slot: int
    until: datetime
    most: int
    tell: Tell

    def reckoned(self, slot: int) -> datetime:
        """When the slot was, as far as its number says."""
        return self.until - (self.last_slot - slot) * SLOT

    def at(self, info: SignatureInfo) -> datetime:
        return self.reckoned(info.slot) if info.block_time is None else datetime.fromtimestamp(info.block_time, UTC)

    async def history(self, rpc: AsyncRpcClient, watch: Watch) -> History:
        self.tell(f"Listing transactions of {watch.address} in slots {self.first_slot} to {self.last_slot}")
        return await patiently(
            lambda: history_of(rpc, watch, self.first_slot, self.last_slot, most=self.most), self.tell
        )


async def _transaction_candidates(
    rpc: AsyncRpcClient, wanted: Wanted, window: _Window
) -> tuple[list[Candidate], list[History]]:
    found: defaultdict[str, list[tuple[Watch, Findings]]] = defaultdict(list)
    listed: dict[str, SignatureInfo] = {}
    histories = [await window.history(rpc, watch) for watch in wanted.watches]
    for watch, history in zip(wanted.watches, histories, strict=True):
        listed |= {info.signature: info for info in history.infos}
        async for signature, findings in _judged(rpc, wanted, watch, history.infos, window.tell):
            found[signature].append((watch, findings))
    ordered = sorted(listed.values(), key=lambda info: info.slot)
    return [
        candidate for info in ordered for candidate in _candidates(info, window.at(info), merged(found[info.signature]))
    ], histories


async def _judged(
    rpc: AsyncRpcClient, wanted: Wanted, watch: Watch, infos: Sequence[SignatureInfo], tell: Tell
) -> AsyncIterator[tuple[str, Findings]]:
    """Each transaction's signature with its findings. One that cannot be of interest is not fetched."""
    audience, asked = alone(wanted, watch), []
    for info in infos:
        refused = unasked(wanted, info.err)
        if refused is None:
            asked.append(info.signature)
        else:
            yield info.signature, Findings((), refused)

    async def read(piece: Sequence[str]) -> Sequence[FetchedTransaction]:
        return await fetch(rpc, audience, piece, "tried")

    async for signature, fetched in in_pieces(asked, read, tell):
        yield signature, FORGOTTEN if fetched is None else judge_transaction(fetched, audience)


async def _balance_candidates(
    rpc: AsyncRpcClient, wanted: Wanted, window: _Window
) -> tuple[list[Candidate], list[History]]:
    """By slot, as a subscription tells balances: what the slot's last transaction left, failed ones included."""
    (watch,) = wanted.watches
    history = await window.history(rpc, watch)
    if not history.infos:
        return [], [history]
    commitment = readable(watch.commitment)
    owner = (await patiently(lambda: rpc.account(watch.address, commitment=commitment), window.tell)).owner
    last_of_slot = {info.slot: info for info in history.infos}

    async def read(piece: Sequence[str]) -> Sequence[tuple[int, int]]:
        return await _balances(rpc, watch, piece)

    # The first tells where the balance begins, whether it is the last of its slot or not.
    asked = list(dict.fromkeys([history.infos[0].signature, *(info.signature for info in last_of_slot.values())]))
    infos = {info.signature: info for info in history.infos}
    before: AccountSample | None = None
    candidates: list[Candidate] = []
    async for signature, around in in_pieces(asked, read, window.tell):
        info = infos[signature]
        if around is None:
            candidates += _candidates(info, window.at(info), FORGOTTEN)
            continue
        before = before or sample_of(info.slot - 1, around[0], owner)
        if last_of_slot[info.slot] is info:
            after = sample_of(info.slot, around[1], owner)
            candidates += _candidates(info, window.at(info), judge_balance(wanted, watch, before, after))
            before = after
    return candidates, [history]


async def _balances(rpc: AsyncRpcClient, watch: Watch, signatures: Sequence[str]) -> list[tuple[int, int]]:
    metrics.TRANSACTIONS_FETCHED.labels("tried").inc(len(signatures))
    answers = await rpc.transactions(signatures, readable(watch.commitment))
    found = [None if answer is None else balances_around(answer, watch.address) for answer in answers]
    known = [around for around in found if around is not None]
    if len(known) < len(signatures):
        raise UnknownTransaction(f"a transaction of {watch.address} is listed and not known")
    return known


def _candidates(info: SignatureInfo, at: datetime, findings: Findings) -> Iterator[Candidate]:
    """One for each event that matches; where none does, one for the transaction."""
    found_at = partial(Candidate, at=at, slot=info.slot, signature=info.signature)
    if findings.reason is None:
        yield from (found_at(summary=summary(event), event=event) for event in findings.matched)
        return
    seen = findings.judged
    words = summary(seen[0].event) if len(seen) == 1 else "failed" if info.err is not None else "succeeded"
    yield found_at(summary=words, reason=findings.reason)
