"""Wanted workflows -> shared subscriptions, and what changes when the wishes do."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.types import Commitment
from listener.registry import Diff, Registry, Row, Wanted
from listener.shards import shard_of
from listener.watches import Watch, watches_of

TEAM = uuid4()


def watch(address: str = "A", commitment: Commitment = "confirmed") -> Watch:
    return Watch("balance", address, commitment)


def wanted(watching: Watch, workflow_id: UUID | None = None, version_id: int = 1, slot: int = 0) -> Wanted:
    return Wanted(workflow_id or uuid4(), TEAM, version_id, slot, False, "confirmed", (watching,), SimpleNamespace())


def rows(*watches: Watch, generation: int = 0) -> dict[str, Row]:
    return {watching.digest: Row(number, generation) for number, watching in enumerate(watches, 1)}


def members(registry: Registry, subscription_id: int) -> set[UUID]:
    audience = registry.audience(subscription_id)
    return set() if audience is None else {member.workflow_id for member in audience.wanted}


def test_workflows_with_equal_watches_share_a_subscription() -> None:
    registry = Registry()
    first, second = wanted(watch()), wanted(watch())

    assert registry.apply([first, second], rows(watch())) == Diff(added=(1,))
    assert members(registry, 1) == {first.workflow_id, second.workflow_id}


def test_commitment_and_kind_make_another_watch() -> None:
    digests = {
        watch("A").digest,
        watch("A", "finalized").digest,
        Watch("account", "A", "confirmed").digest,
        Watch("logs", "A", "confirmed").digest,
    }
    assert len(digests) == 4


def test_a_newcomer_joins_without_anything_being_opened_or_closed() -> None:
    registry = Registry()
    registry.apply([wanted(watch())], rows(watch()))
    newcomer = wanted(watch())

    assert registry.apply([newcomer], rows(watch(), generation=1), {newcomer.workflow_id}) == Diff(joined=(1,))
    audience = registry.audience(1)
    assert audience is not None and audience.generation == 1


def test_a_changed_workflow_leaves_the_others_alone() -> None:
    registry = Registry()
    both = rows(watch("A"), watch("B"))
    staying, moving = wanted(watch("A")), wanted(watch("A"))
    registry.apply([staying, moving], both)

    moved = replace(moving, version_id=2, watches=(watch("B"),))
    assert registry.apply([moved], both, {moving.workflow_id}) == Diff(added=(2,))
    assert members(registry, 1) == {staying.workflow_id}
    assert members(registry, 2) == {moving.workflow_id}


def test_the_last_one_out_closes_the_subscription() -> None:
    registry = Registry()
    only = wanted(watch())
    registry.apply([only], rows(watch()))

    assert registry.apply([], rows(watch()), {only.workflow_id}) == Diff(removed=(1,))
    assert registry.audience(1) is None


def test_one_of_two_leaving_changes_no_subscription() -> None:
    registry = Registry()
    first, second = wanted(watch()), wanted(watch())
    registry.apply([first, second], rows(watch()))

    assert registry.apply([], rows(watch()), {first.workflow_id}) == Diff()
    assert members(registry, 1) == {second.workflow_id}


def test_a_full_look_removes_what_is_gone() -> None:
    registry = Registry()
    staying, leaving = wanted(watch("A")), wanted(watch("B"))
    both = rows(watch("A"), watch("B"))
    registry.apply([staying, leaving], both)

    assert registry.apply([staying], both) == Diff(removed=(2,))


def test_a_grown_generation_is_taken_over_although_nobody_changed() -> None:
    registry = Registry()
    only = wanted(watch())
    registry.apply([only], rows(watch()))

    assert registry.apply([only], rows(watch(), generation=3)) == Diff()
    audience = registry.audience(1)
    assert audience is not None and audience.generation == 3


def test_an_older_generation_never_replaces_a_newer_one() -> None:
    registry = Registry()
    registry.apply([wanted(watch())], rows(watch(), generation=3))
    late = wanted(watch())
    registry.apply([late], rows(watch(), generation=2), {late.workflow_id})

    audience = registry.audience(1)
    assert audience is not None and audience.generation == 3


def test_somebody_wants_to_know_from_the_first_enabling_on() -> None:
    registry = Registry()
    registry.apply([wanted(watch(), slot=70), wanted(watch(), slot=50)], rows(watch()))

    audience = registry.audience(1)
    assert audience is not None and audience.since_slot == 50


def test_a_watch_of_another_shard_is_not_wanted() -> None:
    registry = Registry(lambda digest: digest == watch("A").digest)

    assert registry.apply([wanted(watch("A")), wanted(watch("B"))], rows(watch("A"), watch("B"))) == Diff(added=(1,))


def test_a_watch_without_a_row_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Registry().apply([wanted(watch())], {})


def test_triggers_that_no_chain_sets_off_have_no_watch() -> None:
    assert watches_of(SimpleNamespace(type="manual"), "confirmed") == ()


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ABC"), st.booleans()), max_size=30))
def test_step_by_step_ends_where_all_at_once_does(steps: list[tuple[int, str, bool]]) -> None:
    """Whatever is enabled, moved and disabled in whatever order, the sockets carry what is wanted in the end."""
    table = rows(watch("A"), watch("B"), watch("C"))
    ids = [UUID(int=number) for number in range(6)]
    registry, now, carried = Registry(), {}, set()
    for number, address, is_on in steps:
        if is_on:
            now[ids[number]] = wanted(watch(address), ids[number])
        else:
            now.pop(ids[number], None)
        diff = registry.apply([w for w in now.values() if w.workflow_id == ids[number]], table, {ids[number]})
        carried = (carried | set(diff.added)) - set(diff.removed)

    assert carried == {table[watching.digest].subscription_id for w in now.values() for watching in w.watches}
    assert registry.apply(now.values(), table) == Diff()


@given(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64), st.integers(1, 8))
def test_one_shard_more_moves_a_watch_to_the_new_one_or_nowhere(digest: str, shards: int) -> None:
    assert shard_of(digest, shards + 1) in (shard_of(digest, shards), shards)


def test_a_workflow_with_two_watches_opens_both_and_closes_both() -> None:
    registry = Registry()
    both = rows(watch("A"), watch("B"))
    one = replace(wanted(watch("A")), watches=(watch("A"), watch("B")))

    assert set(registry.apply([one], both).added) == {1, 2}
    assert members(registry, 1) == members(registry, 2) == {one.workflow_id}
    assert set(registry.apply([], both, {one.workflow_id}).removed) == {1, 2}


def test_of_a_workflow_with_watches_of_two_shards_each_takes_its_own() -> None:
    registry = Registry(lambda digest: digest == watch("B").digest)
    one = replace(wanted(watch("A")), watches=(watch("A"), watch("B")))

    assert registry.apply([one], rows(watch("A"), watch("B"))) == Diff(added=(2,))
    assert registry.apply([replace(one, version_id=2)], rows(watch("A"), watch("B")), {one.workflow_id}).joined == (2,)
