"""Recent blocks: which of them are confirmed and finalized, and which blockhashes still live. Values only, no I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.records import TransactionRecord
from chain.types import Commitment

MAX_PROCESSING_AGE = 150
"""A blockhash lives for this many blocks after its own (Agave's constant of the same name)."""
RECENT_BLOCKS = 300
"""How many blocks the status cache remembers: twice the life of a blockhash, as in Agave."""


@dataclass(slots=True)
class Block:
    """A block, open (the tip) or closed.

    `preimages` holds every account that the block changed, as it was before the block; None where there was none.
    `transactions` is emptied some time after finalization (the store has them); `signatures` stays.
    """

    slot: int
    parent_slot: int
    height: int
    blockhash: str
    previous_blockhash: str
    time_s: int
    signatures: list[str] = field(default_factory=list)
    transactions: list[TransactionRecord] = field(default_factory=list)
    preimages: dict[Pubkey, Account | None] = field(default_factory=dict)

    @property
    def last_valid_block_height(self) -> int:
        """The height of the last block that can hold a transaction with this block's hash."""
        return self.height + MAX_PROCESSING_AGE


class BlockQueue:
    """The last blocks of the one fork there is, the open one at its end.

    `confirmed_depth` and `finalized_depth` say how many blocks lie between the open block and the newest one of that
    commitment. Blocks given at construction are all final: a chain that starts again roots what it finds on disk.
    """

    def __init__(self, blocks: Sequence[Block], confirmed_depth: int, finalized_depth: int) -> None:
        self._blocks = list(blocks)
        self._depth = {"processed": 0, "confirmed": confirmed_depth, "finalized": finalized_depth}
        self._rooted_at_start = blocks[-1].slot
        self._height_of_blockhash = {block.blockhash: block.height for block in blocks}

    @property
    def tip(self) -> Block:
        """The open block."""
        return self._blocks[-1]

    def append(self, block: Block) -> list[Block]:
        """Open a block on top; answers the blocks that are forgotten for it."""
        self._blocks.append(block)
        self._height_of_blockhash[block.blockhash] = block.height
        forgotten = self._blocks[:-RECENT_BLOCKS]
        if forgotten:
            del self._blocks[: len(forgotten)]
            for old in forgotten:
                del self._height_of_blockhash[old.blockhash]
        return forgotten

    def bank(self, commitment: Commitment, lag_blocks: int = 0) -> Block:
        """The newest block of a commitment, as a node sees it that is `lag_blocks` behind."""
        index = len(self._blocks) - 1 - self._depth[commitment] - lag_blocks
        rooted_index = bisect_right(self._blocks, self._rooted_at_start, key=lambda block: block.slot) - 1
        return self._blocks[max(index, rooted_index, 0)]

    def commitment_of(self, slot: int, lag_blocks: int = 0) -> Commitment | None:
        """The highest commitment that a slot has reached; None where that node has not seen it yet."""
        for commitment in ("finalized", "confirmed", "processed"):
            if slot <= self.bank(commitment, lag_blocks).slot:
                return commitment
        return None

    def confirmations(self, slot: int, lag_blocks: int = 0) -> int:
        """How many blocks lie on top of the slot's block."""
        return self.bank("processed", lag_blocks).height - self._blocks[self._index_at(slot)].height

    def newer_than(self, bank: Block) -> Iterator[Block]:
        """The blocks on top of `bank`, oldest first."""
        yield from self._blocks[self._index_at(bank.slot) + 1 :]

    def _index_at(self, slot: int) -> int:
        return max(0, bisect_right(self._blocks, slot, key=lambda block: block.slot) - 1)

    def by_slot(self, slot: int) -> Block | None:
        """The recent block of a slot; None where it was skipped or is forgotten."""
        block = self._blocks[self._index_at(slot)]
        return block if block.slot == slot else None

    def last(self, count: int) -> list[Block]:
        """Up to `count` of the newest blocks, oldest first."""
        return self._blocks[-count:]

    def is_blockhash_valid(self, blockhash: str, bank: Block) -> bool:
        """Whether a transaction with this blockhash may be processed in (or on top of) `bank`."""
        height = self._height_of_blockhash.get(blockhash)
        return height is not None and height <= bank.height <= height + MAX_PROCESSING_AGE

    def drop_newest(self, count: int) -> list[Block]:
        """Forget the newest `count` blocks (a fork that lost); answers them newest first."""
        dropped = [self._blocks.pop() for _ in range(count)]
        for block in dropped:
            del self._height_of_blockhash[block.blockhash]
        return dropped
