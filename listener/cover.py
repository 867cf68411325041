"""One subscription as listener.coverage sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from listener.fetching import Fetching
from listener.observations import Sample
from listener.watches import Watch


@dataclass(slots=True)
class Cover:
    """`turn` grows with every acknowledgement and loss, and tells late answers from current ones."""

    watch: Watch
    reason: str
    turn: int = 0
    is_covered: bool = False
    count: int = 0
    held: list[Sample] = field(default_factory=list)
    # The first slot from which its history is to be read before it is covered (again).
    blind_from: int | None = None
    # A slot that the checkpoint may move to when everything fetched up to this number is done.
    next_checkpoint: tuple[int, int] | None = None
    # How often in a row a history was read again, because what was held did not fit into it.
    read_again: int = 0

    @property
    def is_balance(self) -> bool:
        return self.watch.kind == "balance"

    def passed(self, slot: int, fetching: Fetching, subscription_id: int) -> int:
        """Up to where everything that was told is in the mailbox: `slot`, or a slot noted before, or 0."""
        passed = 0
        if self.next_checkpoint is not None:
            noted, number = self.next_checkpoint
            if not fetching.is_done_up_to(subscription_id, number):
                return 0
            passed, self.next_checkpoint = noted, None
        newest = fetching.newest
        if fetching.is_done_up_to(subscription_id, newest):
            return slot
        self.next_checkpoint = (slot, newest)
        return passed

    def take_held(self, *, catch_up: bool, after_slot: int = -1) -> list[Sample]:
        """What was held, and is not any more, without what is not newer than `after_slot`; with `catch_up`, the first
        of each account marked, since nothing that says what was before comes before it."""
        held, self.held = self.held, []
        newer = [sample for sample in held if sample.sample.slot > after_slot]
        if not catch_up:
            return newer
        marked: set[str] = set()
        passed = []
        for sample in newer:
            passed.append(sample if sample.address in marked else replace(sample, catch_up=True))
            marked.add(sample.address)
        return passed
