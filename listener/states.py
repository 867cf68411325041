"""State rows, moved by compare-and-set under their locks.

The rows of a batch are locked in the order of their ids, read once, moved in memory through all samples of the batch,
and written once: so many changes of a busy account cost one row write, and each is still a transition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from accounts.prepared import prepared_cursor
from chain.types import SYSTEM_PROGRAM, AccountSample
from listener.models import AccountState
from listener.observations import Past, Sample
from listener.transitions import Transition, Verdict, judge, unseen
from listener.watches import Kind

Place = tuple[int, str]  # subscription id, address

NEVER_SEEN = AccountSample.of(0, 0, SYSTEM_PROGRAM, b"")


@dataclass(frozen=True, slots=True)
class Moved:
    """The outcome of a batch. `doubtful` are accounts of which a live sample was refused as old although it differs, or
    a check did not find what is recorded: subscription, address and the slot that the row has. `in_doubt` are the
    balances whose history has not answered yet, to be given with the next batch."""

    transitions: tuple[Transition, ...]
    doubtful: tuple[tuple[int, str, int], ...]
    in_doubt: frozenset[Place] = frozenset()


@dataclass(slots=True)
class _Row:
    id: int
    state: AccountSample
    is_changed: bool = False

    def move(self, state: AccountSample) -> None:
        self.state, self.is_changed = state, True


def apply(
    samples: Sequence[Sample | Past], kind_of: Callable[[int], Kind], in_doubt: frozenset[Place] = frozenset()
) -> Moved:
    """Lock the rows of `samples`, move them in the order given, write them. Inside the caller's transaction.

    A balance in doubt waits for its history: what is told live behind the sample that was refused would jump over it.

    The first sample of an account without a row becomes its row and is no event: there is nothing that it differs from.
    A program's accounts are otherwise: all that there were had rows from the enabling on, so one without a row is new.
    """
    rows = _locked_rows(samples, kind_of)
    transitions: list[Transition] = []
    doubtful: set[Place] = set()
    waiting = set(in_doubt)
    for seen in samples:
        place = (seen.subscription_id, seen.address)
        row, is_balance = rows[place], kind_of(seen.subscription_id) == "balance"
        if place in waiting:
            if isinstance(seen, Sample) and (seen.live or seen.check):
                continue
            waiting.discard(place)
        for sample in unseen(row.state, seen.samples) if isinstance(seen, Past) else (seen,):
            verdict = judge(is_balance, row.state, sample.sample)
            if (verdict is Verdict.MOVED and sample.check) or (verdict is Verdict.OLD and sample.live):
                doubtful.add(place)
                if is_balance:
                    waiting.add(place)
            elif verdict is Verdict.MOVED:
                transitions.append(Transition(*place, row.state, sample.sample, sample.catch_up, sample.seen_at_s))
                row.move(sample.sample)
            elif verdict is Verdict.SAME and sample.sample.slot > row.state.slot:
                # Nothing happened up to here, so a later sample from before this slot must not move the row back.
                row.move(replace(row.state, slot=sample.sample.slot))
    _write([row for row in rows.values() if row.is_changed])
    found = tuple((*place, rows[place].state.slot) for place in sorted(doubtful))
    return Moved(tuple(transitions), found, frozenset(waiting))


def addresses_of(subscription_id: int) -> list[str]:
    """The accounts of a program that exist as far as its subscription knows."""
    rows = AccountState.objects.filter(subscription_id=subscription_id, lamports__gt=0)
    return list(rows.values_list("address", flat=True))


def _locked_rows(samples: Sequence[Sample | Past], kind_of: Callable[[int], Kind]) -> dict[Place, _Row]:
    first = {
        (sample.subscription_id, sample.address): NEVER_SEEN
        if kind_of(sample.subscription_id) == "program"
        else (sample.samples[1] if isinstance(sample, Past) else sample).sample
        for sample in reversed(samples)
    }
    rows = _lock(first)
    missing = first.keys() - rows.keys()
    if missing:
        _insert({place: first[place] for place in missing})
        rows |= _lock(missing)
    return rows


def _lock(places: Collection[Place]) -> dict[Place, _Row]:
    with prepared_cursor() as cursor:
        cursor.execute(
            "SELECT s.id, s.subscription_id, s.address, s.slot, s.lamports, s.owner, s.data_hash"
            " FROM listener_accountstate s JOIN unnest(%b::bigint[], %b::text[]) AS g(subscription_id, address)"
            " ON s.subscription_id = g.subscription_id AND s.address = g.address"
            " ORDER BY s.id FOR NO KEY UPDATE OF s",
            [[subscription_id for subscription_id, _ in places], [address for _, address in places]],
        )
        return {(row[1], row[2]): _Row(row[0], _state(*row[3:])) for row in cursor.fetchall()}


def _state(slot: int, lamports: object, owner: str, data_hash: bytes | memoryview | None) -> AccountSample:
    return AccountSample(slot, int(str(lamports)), owner, None, None if data_hash is None else bytes(data_hash))


def _write(rows: Sequence[_Row]) -> None:
    if not rows:
        return
    with prepared_cursor() as cursor:
        cursor.execute(
            "UPDATE listener_accountstate s"
            " SET slot = g.slot, lamports = g.lamports, owner = g.owner, data_hash = g.data_hash"
            " FROM unnest(%b::bigint[], %b::bigint[], %b::numeric[], %b::text[], %b::bytea[])"
            " AS g(id, slot, lamports, owner, data_hash) WHERE s.id = g.id",
            [[row.id for row in rows], *_columns(row.state for row in rows)],
        )


def _insert(states: dict[Place, AccountSample]) -> None:
    with prepared_cursor() as cursor:
        cursor.execute(
            "INSERT INTO listener_accountstate (subscription_id, address, slot, lamports, owner, data_hash)"
            " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::numeric[], %s::text[], %s::bytea[])"
            " ON CONFLICT DO NOTHING",
            [
                [subscription_id for subscription_id, _ in states],
                [address for _, address in states],
                *_columns(states.values()),
            ],
        )


def _columns(states: Iterable[AccountSample]) -> list[list[object]]:
    """Slots, lamports, owners and data hashes, as arrays."""
    found = list(states)
    return [
        [state.slot for state in found],
        [state.lamports for state in found],
        [state.owner for state in found],
        [state.data_hash for state in found],
    ]
