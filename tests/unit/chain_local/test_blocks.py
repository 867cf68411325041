from __future__ import annotations

from chain.local.blocks import MAX_PROCESSING_AGE, RECENT_BLOCKS, Block, BlockQueue


def block(slot: int, height: int | None = None) -> Block:
    return Block(slot, max(0, slot - 1), slot if height is None else height, f"hash{slot}", f"hash{slot - 1}", 1_000)


def queue_of(count: int) -> BlockQueue:
    queue = BlockQueue([block(0)], confirmed_depth=2, finalized_depth=32)
    for slot in range(1, count):
        queue.append(block(slot))
    return queue


def test_commitments_lag_behind_the_open_block() -> None:
    queue = queue_of(100)
    assert [queue.bank(name).slot for name in ("processed", "confirmed", "finalized")] == [99, 97, 67]


def test_a_young_chain_has_nothing_but_its_first_block_confirmed_and_finalized() -> None:
    queue = queue_of(2)
    assert [queue.bank(name).slot for name in ("confirmed", "finalized")] == [0, 0]


def test_blocks_found_at_the_start_are_all_final() -> None:
    queue = BlockQueue([block(slot) for slot in range(50)], confirmed_depth=2, finalized_depth=32)
    queue.append(block(60, height=50))
    assert queue.bank("finalized").slot == 49
    assert queue.commitment_of(49) == "finalized"


def test_a_lagging_node_sees_older_banks_and_does_not_know_newer_slots() -> None:
    queue = queue_of(100)
    assert queue.bank("processed", lag_blocks=40).slot == 59
    assert queue.commitment_of(60, lag_blocks=40) is None
    assert queue.commitment_of(59, lag_blocks=40) == "processed"


def test_a_skipped_slot_takes_the_commitment_of_the_blocks_around_it() -> None:
    queue = queue_of(10)
    queue.append(block(20, height=10))
    assert queue.by_slot(15) is None
    assert queue.commitment_of(15) == "processed"
    assert queue.commitment_of(9) == "processed"
    assert queue.commitment_of(8) == "confirmed"


def test_a_blockhash_lives_for_150_blocks_after_its_own() -> None:
    queue = queue_of(11)
    tip = queue.tip
    assert tip.last_valid_block_height == 10 + MAX_PROCESSING_AGE
    for slot in range(11, 11 + MAX_PROCESSING_AGE):
        queue.append(block(slot))
    assert queue.is_blockhash_valid("hash10", queue.tip)
    queue.append(block(11 + MAX_PROCESSING_AGE))
    assert not queue.is_blockhash_valid("hash10", queue.tip)


def test_a_blockhash_expires_by_block_height_not_by_slot() -> None:
    queue = queue_of(11)
    queue.append(block(1_000, height=11))
    assert queue.is_blockhash_valid("hash10", queue.tip)


def test_a_bank_does_not_know_the_blockhash_of_a_later_block() -> None:
    queue = queue_of(100)
    assert not queue.is_blockhash_valid("hash99", queue.bank("finalized"))


def test_confirmations_count_the_blocks_on_top() -> None:
    assert queue_of(100).confirmations(90) == 9


def test_forgotten_blocks_take_their_hashes_along() -> None:
    queue = queue_of(RECENT_BLOCKS)
    forgotten = queue.append(block(RECENT_BLOCKS))
    assert [old.slot for old in forgotten] == [0]
    assert queue.by_slot(0) is None
    assert queue.by_slot(1) is not None


def test_blocks_of_a_lost_fork_are_dropped_newest_first() -> None:
    queue = queue_of(10)
    assert [lost.slot for lost in queue.drop_newest(3)] == [9, 8, 7]
    assert queue.tip.slot == 6
    assert not queue.is_blockhash_valid("hash9", queue.tip)
