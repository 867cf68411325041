"""A model of Solana for tests that need to know the truth: slots, block heights, blockhashes, forks, and what landed.

Only what the money path relies on is modelled: a blockhash lives for 150 blocks, a fork takes back any block that is
not final, a transaction lands once in a chain, and whatever was received may land for as long as its blockhash lives.
Transactions are v0, made of transfers of SOL and instructions without an effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from solders.hash import Hash
from solders.transaction import VersionedTransaction

from chain.types import SYSTEM_PROGRAM, Commitment

FIRST_SLOT = 5_000
# Heights and slots are different numbers, on purpose far apart.
FIRST_HEIGHT = 1_000
BLOCKHASH_LIFE = 150
CONFIRMED_DEPTH = 2
FINALIZED_DEPTH = 31
FEE_LAMPORTS = 5_000
INSUFFICIENT_FUNDS: dict[str, Any] = {"InstructionError": [0, {"Custom": 1}]}

DEPTHS: dict[Commitment, int] = {"processed": 0, "confirmed": CONFIRMED_DEPTH, "finalized": FINALIZED_DEPTH}
_TRANSFER = (2).to_bytes(4, "little")


@cache
def _blockhash_of(slot: int) -> str:
    return str(Hash.hash(slot.to_bytes(8, "little")))


@dataclass(frozen=True, slots=True)
class Parsed:
    """Signed (or, for a simulation, unsigned) bytes as the chain reads them; transfers are (to, lamports)."""

    signature: str
    payer: str
    keys: tuple[str, ...]
    blockhash: str
    transfers: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, raw: bytes) -> Parsed:
        transaction = VersionedTransaction.from_bytes(raw)
        message = transaction.message
        keys = tuple(str(key) for key in message.account_keys)
        transfers = tuple(
            (keys[one.accounts[1]], int.from_bytes(one.data[4:12], "little"))
            for one in message.instructions
            if keys[one.program_id_index] == SYSTEM_PROGRAM and one.data[:4] == _TRANSFER
        )
        return cls(str(transaction.signatures[0]), keys[0], keys, str(message.recent_blockhash), transfers)


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction in the block at `index`, with the balances of its keys before and after it."""

    parsed: Parsed
    index: int
    err: Any
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The chain as one node has it: its blocks by slot, and what is in them."""

    slots: Sequence[int]
    landed: dict[str, Landed]

    def index(self, commitment: Commitment) -> int:
        return max(0, len(self.slots) - 1 - DEPTHS[commitment])

    def slot(self, commitment: Commitment) -> int:
        return self.slots[self.index(commitment)]

    def blockhash(self, index: int) -> str:
        return _blockhash_of(self.slots[index])

    def height(self, commitment: Commitment) -> int:
        return FIRST_HEIGHT + self.index(commitment)

    def find(self, signature: str) -> tuple[Landed, Commitment] | None:
        """The transaction and how sure this node is of it."""
        landed = self.landed.get(signature)
        if landed is None or landed.index >= len(self.slots):
            return None
        sure: Commitment = "processed"
        for commitment in ("confirmed", "finalized"):
            if len(self.slots) - 1 - landed.index >= DEPTHS[commitment]:
                sure = commitment
        return landed, sure


@dataclass
class FakeChain:
    """The truth. `funds` are lamports at the beginning; nothing is created later."""

    funds: dict[str, int] = field(default_factory=dict)
    slots: list[int] = field(default_factory=lambda: list(range(FIRST_SLOT, FIRST_SLOT + 400)))
    landed: dict[str, Landed] = field(default_factory=dict)
    received: dict[str, Parsed] = field(default_factory=dict)
    # Every signature that any node could once have called confirmed, also those that a fork took back.
    ever_confirmed: set[str] = field(default_factory=set)
    root: int = 0
    _next_slot: int = FIRST_SLOT + 400

    def __post_init__(self) -> None:
        self._advance_root()

    # Time

    def pass_slots(self, count: int) -> None:
        """So many blocks are made, each in the next slot."""
        for _ in range(count):
            self.slots.append(self._next_slot)
            self._next_slot += 1
        self._advance_root()

    def rollback(self, blocks: int) -> int:
        """A fork without the newest blocks wins; what is final stays. Returns how many blocks went.

        Their slots are gone: the other fork goes on in later ones.
        """
        going = min(blocks, len(self.slots) - 1 - self.root)
        if going:
            del self.slots[-going:]
        self.landed = {sig: one for sig, one in self.landed.items() if one.index < len(self.slots)}
        self.pass_slots(1)
        return going

    def _advance_root(self) -> None:
        self.root = max(self.root, len(self.slots) - 1 - FINALIZED_DEPTH)
        sure = len(self.slots) - 1 - CONFIRMED_DEPTH
        self.ever_confirmed |= {sig for sig, one in self.landed.items() if one.index <= sure}

    # Transactions

    def blockhash(self, index: int) -> str:
        return _blockhash_of(self.slots[index])

    def blockhash_index(self, blockhash: str) -> int | None:
        """Where in the present chain a blockhash comes from; None for one that is no part of it."""
        first = max(0, len(self.slots) - 1 - BLOCKHASH_LIFE)
        return next((i for i in range(len(self.slots) - 1, first - 1, -1) if self.blockhash(i) == blockhash), None)

    def receive(self, raw: bytes) -> str:
        """A node has the bytes: from now on they may land at any time. Answers their signature."""
        parsed = Parsed.of(raw)
        self.received[parsed.signature] = parsed
        return parsed.signature

    def waiting(self) -> list[str]:
        """What was received and could land in the newest block, oldest first."""
        return [sig for sig, one in self.received.items() if sig not in self.landed and self._is_alive(one)]

    def land(self, signature: str, *, fails: bool = False) -> None:
        """Put a received transaction into the newest block; it fails (and pays its fee) if told so or without funds."""
        parsed = self.received[signature]
        assert signature in self.waiting()
        before = self.balances(parsed.keys)
        after = self.after(parsed, before) if not fails else None
        err = None if after is not None else INSUFFICIENT_FUNDS
        if after is None:
            after = [before[0] - FEE_LAMPORTS, *before[1:]]
        self.landed[signature] = Landed(parsed, len(self.slots) - 1, err, tuple(before), tuple(after))

    def _is_alive(self, parsed: Parsed) -> bool:
        return self.blockhash_index(parsed.blockhash) is not None

    def after(self, parsed: Parsed, before: Sequence[int]) -> list[int] | None:
        """The balances once its transfers are made and the fee is paid; None where the funds do not suffice."""
        balances = dict(zip(parsed.keys, before, strict=True))
        balances[parsed.payer] -= FEE_LAMPORTS
        for to, lamports in parsed.transfers:
            balances[parsed.payer] -= lamports
            balances[to] += lamports
        return list(balances.values()) if balances[parsed.payer] >= 0 else None

    def balances(self, addresses: Sequence[str]) -> list[int]:
        found = {address: self.funds.get(address, 0) for address in addresses}
        for one in self.landed.values():
            for key, before, after in zip(one.parsed.keys, one.before, one.after, strict=True):
                if key in found:
                    found[key] += after - before
        return [found[address] for address in addresses]

    # The truth that only the model knows

    def has_paid(self, signature: str) -> bool:
        """It is in the present chain, and did what it says."""
        landed = self.landed.get(signature)
        return landed is not None and landed.err is None

    def charge(self, signature: str) -> int:
        """Lamports that a landed transaction took from its payer, fee included."""
        landed = self.landed[signature]
        return landed.before[0] - landed.after[0]

    def is_final(self, signature: str) -> bool:
        landed = self.landed.get(signature)
        return landed is not None and landed.index <= self.root

    def may_take_effect(self, raw: bytes) -> bool:
        """Whether these bytes have paid, or could still do so in some future, forks included.

        A fork can at worst go back to the newest final block: the one after that is the lowest that can still be made.
        """
        parsed = Parsed.of(raw)
        if self.is_final(parsed.signature):
            return self.has_paid(parsed.signature)
        made = self.blockhash_index_ever(parsed.blockhash)
        return made is not None and self.root + 1 - made <= BLOCKHASH_LIFE

    def blockhash_index_ever(self, blockhash: str) -> int | None:
        """Like `blockhash_index`, for blockhashes of any age."""
        return next((i for i in range(len(self.slots) - 1, -1, -1) if self.blockhash(i) == blockhash), None)
