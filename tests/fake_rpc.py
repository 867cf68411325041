"""`chain.rpc.sync.RpcClient` on a model of the chain: endpoints that lag, forget, freeze and fail, as scripted.

Behind the gateway's seam, for tests that walk through thousands of states in memory; whatever speaks HTTP is tested on
the local chain. Threads may use it, but only one at a time gives a repeatable walk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from chain.errors import Ambiguous, ChainError, Rejected, Unavailable
from chain.types import (
    AccountSample,
    Blockhash,
    ChainPosition,
    Commitment,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    StatusAnswer,
)
from tests.fake_chain import (
    BLOCKHASH_LIFE,
    FEE_LAMPORTS,
    FIRST_HEIGHT,
    INSUFFICIENT_FUNDS,
    FakeChain,
    Landed,
    Parsed,
    View,
)

T = TypeVar("T")
R = TypeVar("R")

# Solana's status cache; what is older is found only by searching the history.
REMEMBERED_SLOTS = 300

# What becomes of one send: taken and said so; taken and the answer lost; lost on its way; refused; "too many requests";
# accepted and thrown away.
Fate = Literal["taken", "answer_lost", "lost", "refused", "rate_limited", "swallowed"]
Asked = Literal["height", "slot", "statuses", "other"]
FATES: tuple[Fate, ...] = ("taken", "answer_lost", "lost", "refused", "rate_limited", "swallowed")


@dataclass
class FakeEndpoint:
    """One URL. `lags` are how many blocks behind each answer is, in turn: more than one is a load balancer. `behind`
    adds to it by what is asked for: providers have nodes of their own for some methods.

    `down` answers nothing; `forgetful` knows no transaction at all, as a node that was set up a moment ago; `frozen` is
    what it saw last before it lost its peers.
    """

    chain: FakeChain
    lags: deque[int] = field(default_factory=lambda: deque([0]))
    behind: dict[Asked, int] = field(default_factory=dict)
    down: bool = False
    forgetful: bool = False
    frozen: View | None = None

    def view(self, asked: Asked = "other") -> View:
        """What the next answer is about; raises Unavailable where there is none."""
        if self.down:
            raise Unavailable("HTTP 503")
        if self.frozen is not None:
            return self.frozen
        lag = self.lags[0] + self.behind.get(asked, 0)
        self.lags.rotate(-1)
        slots = self.chain.slots
        return View(slots[: max(1, len(slots) - lag)], self.chain.landed)

    def freeze(self) -> None:
        self.frozen = View(list(self.chain.slots), dict(self.chain.landed))

    def heal(self) -> None:
        self.lags, self.behind, self.down, self.forgetful, self.frozen = deque([0]), {}, False, False, None

    def status(self, view: View, signature: str, *, search_history: bool) -> SignatureStatus | None:
        found = None if self.forgetful else view.find(signature)
        if found is None:
            return None
        landed, commitment = found
        slot = view.slots[landed.index]
        if not search_history and view.slot("processed") - slot > REMEMBERED_SLOTS:
            return None
        return SignatureStatus(slot, landed.err, commitment)


class FakeRpc:
    """The client over so many endpoints, the first that is up preferred. `fates` decide on the next sends, then all are
    taken.

    `sent` is what was handed over, in order, whatever became of it. `lands_at_once` spares a test the landing.
    """

    def __init__(self, chain: FakeChain, endpoints: int = 1, *, genesis_hash: str = "fake-genesis") -> None:
        self.chain = chain
        self.endpoints_ = [FakeEndpoint(chain) for _ in range(endpoints)]
        self.hosts = tuple(f"node{index}" for index in range(endpoints))
        self.fates: deque[Fate] = deque()
        self.sent: list[tuple[str, bytes]] = []
        self.lands_at_once = False
        self.hides_transactions = False
        self._genesis_hash = genesis_hash

    def close(self) -> None:
        """Nothing is open."""

    # The state of the chain

    def genesis_hash(self, *, endpoint: int | None = None) -> str:
        self._view()
        return self._genesis_hash

    def slot(self, commitment: Commitment = "confirmed") -> int:
        return self._view("slot").slot(commitment)

    def block_height(self, commitment: Commitment = "confirmed") -> int:
        return self._view("height").height(commitment)

    def position(self, commitment: Commitment = "confirmed") -> ChainPosition:
        view = self._view("height")
        return ChainPosition(view.slot(commitment), view.height(commitment))

    def latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        view = self._view()
        index = view.index(commitment)
        return Blockhash(view.blockhash(index), FIRST_HEIGHT + index + BLOCKHASH_LIFE, view.slot(commitment))

    def has_block(self, slot: int, commitment: Commitment = "confirmed") -> bool:
        view = self._view()
        return slot in view.slots and slot <= view.slot(commitment)

    def recent_prioritization_fees(self, addresses: Sequence[str] = ()) -> list[int]:
        self._view()
        return []

    def recent_prioritization_fees_of(self, groups: Sequence[Sequence[str]]) -> list[list[int] | ChainError]:
        return each(self.recent_prioritization_fees, groups)

    # Accounts

    def balance(self, address: str, commitment: Commitment = "confirmed") -> int:
        self._view()
        return self.chain.balances([address])[0]

    def account(
        self, address: str, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> AccountSample:
        return AccountSample.of(self._view().slot(commitment), self.balance(address), "1" * 32, b"")

    # Transactions

    def simulate(self, raw: bytes, **_: Any) -> Simulation:
        view, parsed = self._view(), Parsed.of(raw)
        made = self.chain.blockhash_index(parsed.blockhash)
        if made is None or made >= len(view.slots):
            return _simulation(view, "BlockhashNotFound", (), ())
        before = self.chain.balances(parsed.keys)
        after = self.chain.after(parsed, before)
        if after is None:
            return _simulation(view, INSUFFICIENT_FUNDS, (), ())
        return _simulation(view, None, tuple(before), tuple(after))

    def simulate_many(self, raws: Sequence[bytes]) -> list[Simulation | ChainError]:
        return each(self.simulate, raws)

    def send_many(self, raws: Sequence[bytes], *, everywhere: bool = False) -> list[ChainError | None]:
        return [one if isinstance(one, ChainError) else None for one in each(self.send, raws)]

    def send(self, raw: bytes, *, everywhere: bool = False) -> str:
        signature = Parsed.of(raw).signature
        self.sent.append((signature, raw))
        fate = self.fates.popleft() if self.fates else "taken"
        if fate == "refused":
            raise Rejected(-32002, "Transaction simulation failed: Blockhash not found", {"err": "BlockhashNotFound"})
        if fate == "rate_limited" or all(one.down for one in self.endpoints_):
            raise Unavailable("HTTP 429", retry_after_s=1)
        if fate in ("taken", "answer_lost"):
            self.chain.receive(raw)
            if self.lands_at_once and signature in self.chain.waiting():
                self.chain.land(signature)
        if fate in ("answer_lost", "lost"):
            raise Ambiguous("no answer in 10 s", timed_out=True)
        return signature

    def signature_statuses(
        self, signatures: Sequence[str], *, search_history: bool, endpoint: int | None = None
    ) -> StatusAnswer:
        index = self._first_up() if endpoint is None else endpoint
        node = self.endpoints_[index]
        view = node.view("statuses")
        statuses = tuple(node.status(view, one, search_history=search_history) for one in signatures)
        return StatusAnswer(index, view.slot("processed"), statuses)

    def transaction(self, signature: str, commitment: Commitment = "confirmed") -> dict[str, Any] | None:
        node = self.endpoints_[self._first_up()]
        found = None if node.forgetful or self.hides_transactions else node.view().find(signature)
        return None if found is None or found[1] == "processed" else _transaction(found[0])

    def transactions(
        self, signatures: Sequence[str], commitment: Commitment = "confirmed"
    ) -> list[dict[str, Any] | ChainError | None]:
        return each(self.transaction, signatures)

    def signatures_for_address(self, address: str, **_: Any) -> list[SignatureInfo]:
        view = self._view()
        found = [
            (one, view.find(signature)) for signature, one in self.chain.landed.items() if address in one.parsed.keys
        ]
        return [
            SignatureInfo(one.parsed.signature, view.slots[one.index], one.err, None, None, seen[1])
            for one, seen in reversed(found)
            if seen is not None
        ]

    def _first_up(self) -> int:
        up = next((index for index, one in enumerate(self.endpoints_) if not one.down), None)
        if up is None:
            raise Unavailable("HTTP 503")
        return up

    def _view(self, asked: Asked = "other") -> View:
        return self.endpoints_[self._first_up()].view(asked)


def each(ask: Callable[[T], R], items: Sequence[T]) -> list[R | ChainError]:
    """What the client makes of many: the answer to each, or why there is none."""
    found: list[R | ChainError] = []
    for item in items:
        try:
            found.append(ask(item))
        except ChainError as error:
            found.append(error)
    return found


def _simulation(view: View, err: Any, before: tuple[int, ...], after: tuple[int, ...]) -> Simulation:
    return Simulation(view.slot("confirmed"), err, (), 450, FEE_LAMPORTS, before, after, (), (), (), None)


def _transaction(landed: Landed) -> dict[str, Any]:
    return {
        "transaction": {"message": {"accountKeys": list(landed.parsed.keys)}},
        "meta": {
            "err": landed.err,
            "fee": FEE_LAMPORTS,
            "computeUnitsConsumed": 450,
            "logMessages": [],
            "preBalances": list(landed.before),
            "postBalances": list(landed.after),
            "preTokenBalances": [],
            "postTokenBalances": [],
        },
    }
