"""Pure: which endpoint is asked, which one next, and what a series of failures amounts to. The caller brings the clock.

1. Endpoints are asked in the order of configuration: the first is preferred, not one of a rotation.
2. A breaker for each endpoint and family of methods, fed by the calls that we make: a health method may be fine while
   the calls that we need fail.
3. Endpoints that lag behind the best of them go to the end of the line.
4. Breakers choose between endpoints, they never forbid: when all of them rest, the one that rested longest is asked.
5. A read goes on to the next endpoint until one answers; a refusal of the request itself ends it.
6. A send goes on past refusals too (a lagging node does not know our blockhash), and is Ambiguous as soon as one
   endpoint may have taken it: the same bytes are harmless twice, other bytes are not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chain.errors import Ambiguous, ChainError, NodeBehind, Rejected, Unavailable
from chain.rpc.breaker import Breaker, State
from chain.rpc.calls import FAMILIES, Family
from chain.types import Commitment

# How long an endpoint may keep a call to itself while another one could be asked.
HURRY_S: dict[Family, float] = {"read": 2.5, "simulate": 2.5, "history": 5.0, "send": 1.0}
# More than the slots that a node needs to replay a burst; below it, order would flap between good endpoints.
LAGGING_SLOTS = 50
# Slots of two endpoints are compared only when seen this close together, and the time between them is allowed for.
COMPARABLE_S = 2.0
SLOT_S = 0.4
_LATENCY_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One endpoint as this process has experienced it; `state` is that of its worst family."""

    index: int
    host: str
    state: State
    families: dict[Family, State]
    latency_s: float | None
    calls: int
    errors: int
    last_error: str | None
    slot: int | None
    slot_lag: int | None


@dataclass(slots=True)
class _Endpoint:
    host: str
    breakers: dict[Family, Breaker] = field(default_factory=lambda: {family: Breaker() for family in FAMILIES})
    slots: dict[Commitment, tuple[int, float]] = field(default_factory=dict)
    latency_s: float | None = None
    calls: int = 0
    errors: int = 0
    last_error: str | None = None


class Pool:
    """What is known about the endpoints. One owner: not thread-safe. `clock` is monotonic, in seconds."""

    def __init__(self, hosts: Sequence[str], clock: Callable[[], float]) -> None:
        self._endpoints = [_Endpoint(host) for host in hosts]
        self._clock = clock

    def order(self, family: Family) -> list[int]:
        """The endpoints to ask, one after the other; never empty."""
        now_s = self._clock()
        admitted = [i for i, e in enumerate(self._endpoints) if e.breakers[family].admits(now_s)]
        if not admitted:
            return [min(range(len(self._endpoints)), key=lambda i: self._endpoints[i].breakers[family].rests_until_s())]
        return sorted(admitted, key=lambda i: (self._slot_lag(i) or 0) > LAGGING_SLOTS)

    def began(self, index: int, family: Family) -> None:
        """A call goes out to an endpoint."""
        endpoint = self._endpoints[index]
        endpoint.calls += 1
        endpoint.breakers[family].begin(self._clock())

    def served(self, index: int, family: Family, latency_s: float) -> None:
        """The endpoint answered, be it with a refusal of the request."""
        endpoint = self._endpoints[index]
        endpoint.breakers[family].succeeded()
        known_s = endpoint.latency_s
        endpoint.latency_s = latency_s if known_s is None else known_s + _LATENCY_WEIGHT * (latency_s - known_s)

    def failed(self, index: int, family: Family, error: ChainError) -> None:
        """The endpoint gave no answer. One that is merely behind is late, not broken: its breaker stays as it is."""
        endpoint = self._endpoints[index]
        endpoint.errors += 1
        endpoint.last_error = str(error)
        if not isinstance(error, NodeBehind):
            retry_after_s = error.retry_after_s if isinstance(error, Unavailable) else None
            endpoint.breakers[family].failed(self._clock(), retry_after_s)

    def saw_slot(self, index: int, commitment: Commitment, slot: int) -> None:
        """An answer told the endpoint's slot."""
        self._endpoints[index].slots[commitment] = (slot, self._clock())

    def statuses(self) -> list[EndpointStatus]:
        """All endpoints in their configured order."""
        return [self._status(index) for index in range(len(self._endpoints))]

    def _status(self, index: int) -> EndpointStatus:
        endpoint, now_s = self._endpoints[index], self._clock()
        families = {family: breaker.state(now_s) for family, breaker in endpoint.breakers.items()}
        badness: tuple[State, ...] = ("closed", "half_open", "open")
        return EndpointStatus(
            index=index,
            host=endpoint.host,
            state=max(families.values(), key=badness.index),
            families=families,
            latency_s=endpoint.latency_s,
            calls=endpoint.calls,
            errors=endpoint.errors,
            last_error=endpoint.last_error,
            slot=max((slot for slot, _ in endpoint.slots.values()), default=None),
            slot_lag=self._slot_lag(index),
        )

    def _slot_lag(self, index: int) -> int | None:
        lags = []
        for commitment, (slot, seen_s) in self._endpoints[index].slots.items():
            for other in self._endpoints:
                best, best_seen_s = other.slots.get(commitment, (0, float("-inf")))
                if abs(best_seen_s - seen_s) <= COMPARABLE_S:
                    lags.append(best - slot - int(max(0.0, best_seen_s - seen_s) / SLOT_S))
        return max(0, *lags) if lags else None


def attempt_timeout_s(family: Family, timeout_s: float, *, others: bool) -> float:
    """How long one endpoint is waited for: the whole time for the last one, less while others could be asked."""
    return min(timeout_s, HURRY_S[family]) if others else timeout_s


def asks_next(family: Family, error: ChainError) -> bool:
    """Whether another endpoint could do better after this error."""
    return family == "send" or not isinstance(error, Rejected)


def verdict(family: Family, errors: Sequence[ChainError]) -> ChainError:
    """What the failures of all endpoints asked (at least one) mean for the caller.

    Only a send can be Ambiguous: a read changes nothing, so a lost answer to it is an answer not had.
    """
    story = "; ".join(dict.fromkeys(str(error) for error in errors))
    if family == "send" and any(isinstance(error, Ambiguous) for error in errors):
        return Ambiguous(story, timed_out=any(isinstance(e, Ambiguous) and e.timed_out for e in errors))
    for error in errors:
        if isinstance(error, Rejected):
            return error
    if all(isinstance(error, NodeBehind) for error in errors):
        return NodeBehind(story)
    waits_s = [e.retry_after_s for e in errors if isinstance(e, Unavailable) and e.retry_after_s is not None]
    return Unavailable(story, retry_after_s=min(waits_s, default=None))


def backoff(
    first_s: float = 0.2, longest_s: float = 5.0, jitter: Callable[[], float] = random.random
) -> Iterator[float]:
    """Endless waits in seconds, each twice the last, taken by half to whole so that clients do not march in step."""
    wait_s = first_s
    while True:
        yield wait_s * (0.5 + jitter() / 2)
        wait_s = min(wait_s * 2, longest_s)
