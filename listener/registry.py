"""Pure: wanted workflows -> shared subscriptions, and what has to be opened or closed when the wishes change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from chain.types import Commitment
from listener.program_events import Emitter
from listener.watches import Watch


@dataclass(frozen=True, slots=True)
class Wanted:
    """An enabled workflow at one version, as far as the listener needs to know it.

    `trigger` is the parsed trigger of that version; `emitter` the program by the IDL that it names, None where it
    names none or that cannot be read. Events at or before `enabled_at_slot` are not its business.
    """

    workflow_id: UUID
    team_id: UUID
    version_id: int
    enabled_at_slot: int
    dry_run: bool
    commitment: Commitment
    watches: tuple[Watch, ...]
    trigger: Any
    emitter: Emitter | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The stored identity of a watch. `generation` grows with every workflow that begins to want it."""

    subscription_id: int
    generation: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who wants one subscription. Immutable: the ingest thread reads it while the registry makes the next."""

    subscription_id: int
    generation: int
    watch: Watch
    wanted: tuple[Wanted, ...]

    @property
    def since_slot(self) -> int:
        """The slot after which somebody wants to know."""
        return min(wanted.enabled_at_slot for wanted in self.wanted)


@dataclass(frozen=True, slots=True)
class Diff:
    """What a change of wishes asks of the sockets: subscription ids. `joined` are open already and got a new listener,
    who has to be told what happened between its enabling and now."""

    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    joined: tuple[int, ...] = ()


class Registry:
    """Who wants what. One writer; `audience` may be called from any thread.

    `is_mine` says by a watch's digest whether it belongs to this listener's shard.
    """

    def __init__(self, is_mine: Callable[[str], bool] = lambda digest: True) -> None:
        # Asked of every watch at every change.
        self._is_mine = lru_cache(maxsize=None)(is_mine)
        self._wanted: dict[UUID, Wanted] = {}
        self._audiences: dict[int, Audience] = {}

    def __len__(self) -> int:
        return len(self._audiences)

    def audience(self, subscription_id: int) -> Audience | None:
        """Who wants this subscription now; None when nobody does."""
        return self._audiences.get(subscription_id)

    def audiences(self) -> list[Audience]:
        """All of them."""
        return list(self._audiences.values())

    def known(self, workflow_id: UUID) -> Wanted | None:
        """The workflow as it was last applied."""
        return self._wanted.get(workflow_id)

    def apply(self, wanted: Iterable[Wanted], rows: Mapping[str, Row], scope: Collection[UUID] | None = None) -> Diff:
        """Take over a new state of affairs and tell what changes.

        `wanted` are all enabled workflows, or of those in `scope` the ones that are enabled; `rows` are those of their
        watches by digest. Subscriptions that others want stay as they are.
        """
        mine = {w.workflow_id: w for w in wanted if self._watches(w)}
        changed = [
            workflow_id
            for workflow_id in (self._wanted.keys() | mine.keys() if scope is None else scope)
            if self._wanted.get(workflow_id) != mine.get(workflow_id)
        ]
        both = [w for i in changed for w in (self._wanted.get(i), mine.get(i)) if w is not None]
        touched = {watch for w in both for watch in self._watches(w)}
        arrived = {watch for i in changed if i in mine for watch in self._watches(mine[i])}
        for workflow_id in changed:
            if workflow_id in mine:
                self._wanted[workflow_id] = mine[workflow_id]
            else:
                self._wanted.pop(workflow_id, None)
        return self._rebuild(touched, arrived, rows)

    def _watches(self, wanted: Wanted) -> list[Watch]:
        """Those of this shard: a workflow with several may be of several shards."""
        return [watch for watch in wanted.watches if self._is_mine(watch.digest)]

    def _rebuild(self, touched: set[Watch], arrived: set[Watch], rows: Mapping[str, Row]) -> Diff:
        members: dict[Watch, list[Wanted]] = defaultdict(list)
        for wanted in self._wanted.values():
            for watch in self._watches(wanted):
                members[watch].append(wanted)
        before = {audience.watch: audience for audience in self._audiences.values()}
        newer = {watch for watch, old in before.items() if _is_newer(rows.get(watch.digest), old)}
        added, removed, joined = [], [], []
        for watch in touched | newer:
            old = before.get(watch)
            if watch not in members:
                if old is not None:
                    del self._audiences[old.subscription_id]
                    removed.append(old.subscription_id)
                continue
            row = _row(watch, rows.get(watch.digest), old)
            audience = Audience(row.subscription_id, row.generation, watch, tuple(members[watch]))
            self._audiences[row.subscription_id] = audience
            if old is None:
                added.append(row.subscription_id)
            elif watch in arrived:
                joined.append(row.subscription_id)
        return Diff(tuple(added), tuple(removed), tuple(joined))


def _row(watch: Watch, row: Row | None, old: Audience | None) -> Row:
    if row is not None and (old is None or row.generation >= old.generation):
        return row
    if old is None:
        raise KeyError(f"no row for {watch.kind} {watch.address}")
    return Row(old.subscription_id, old.generation)


def _is_newer(row: Row | None, old: Audience) -> bool:
    return row is not None and row.generation > old.generation
