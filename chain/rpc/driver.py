"""Asks the endpoints in the pool's order and tells the pool how it went. Both clients are this with methods on top."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from solders.signature import Signature

from chain.errors import Ambiguous, ChainError, NoBatches, NodeBehind, Rejected
from chain.metrics import RPC_REQUESTS, RPC_SECONDS
from chain.rpc import answers, calls, pool
from chain.rpc.calls import Batch, Call
from chain.rpc.transport import Endpoint
from chain.types import AccountSample, Commitment

T = TypeVar("T")

# Requests of one question at a time, to one endpoint: public ones allow few more.
AT_ONCE = 8


class Driver:
    """RPC over several endpoints. Belongs to the event loop in which it was made."""

    def __init__(self, urls: Sequence[str], *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not urls:
            raise ValueError("at least one RPC endpoint is needed")
        self._endpoints = [Endpoint(url, timeout_s) for url in urls]
        self._timeout_s = timeout_s
        self._clock = clock
        self.pool = pool.Pool([endpoint.host for endpoint in self._endpoints], clock)

    async def ask(self, call: Call[T], *, endpoint: int | None = None) -> T:
        """The value of the first endpoint that answers, or of the one named. Raises Rejected or Unavailable."""
        return (await self.ask_whom(call, endpoint=endpoint))[1]

    async def ask_whom(self, call: Call[T], *, endpoint: int | None = None) -> tuple[int, T]:
        """Like `ask`, with the index of the endpoint that answered."""
        order = self.pool.order(call.family) if endpoint is None else [endpoint]
        errors: list[ChainError] = []
        for index in order:
            try:
                return index, await self._attempt(index, call, others=index != order[-1])
            except ChainError as error:
                errors.append(error)
                if not pool.asks_next(call.family, error):
                    break
        raise pool.verdict(call.family, errors)

    async def ask_many(self, many: Sequence[Call[T]]) -> list[T | ChainError]:
        """`ask` for each of these calls of one family, together: the value, or what `ask` would raise."""
        if not many:
            return []
        family = many[0].family
        errors: list[list[ChainError]] = [[] for _ in many]
        found: dict[int, T] = {}
        left = list(range(len(many)))
        order = self.pool.order(family)
        for index in order:
            outcomes = await self._attempt_many(index, [many[i] for i in left], others=index != order[-1])
            for i, outcome in zip(left, outcomes, strict=True):
                if isinstance(outcome, ChainError):
                    errors[i].append(outcome)
                else:
                    found[i] = outcome
            left = [i for i in left if i not in found and pool.asks_next(family, errors[i][-1])]
            if not left:
                break
        return [found[i] if i in found else pool.verdict(family, errors[i]) for i in range(len(many))]

    async def send_many(self, raws: Sequence[bytes], *, everywhere: bool) -> list[ChainError | None]:
        """Hands signed bytes to the preferred endpoint, to the next what it refuses or is slow with, or to all at once.

        For each None when one endpoint took them or has had them before; Ambiguous when one may have.
        """
        if not raws:
            return []
        order = self.pool.order("send")
        together = len(order) if everywhere else 1
        errors: list[list[ChainError]] = [[] for _ in raws]
        left = list(range(len(raws)))
        for start in range(0, len(order), together):
            batch = order[start : start + together]
            others = len(order) > 1 and (everywhere or batch[-1] != order[-1])
            handed = (self._hand_over(index, [raws[i] for i in left], others=others) for index in batch)
            taken: set[int] = set()
            for outcomes in await asyncio.gather(*handed):
                taken.update(i for i, error in zip(left, outcomes, strict=True) if error is None)
                for i, error in zip(left, outcomes, strict=True):
                    errors[i] += [error] if error is not None else []
            left = [i for i in left if i not in taken]
            if not left:
                break
        return [pool.verdict("send", errors[i]) if i in left else None for i in range(len(raws))]

    async def _hand_over(self, index: int, raws: Sequence[bytes], *, others: bool) -> list[ChainError | None]:
        """None for what the endpoint has, else why it may not."""
        answers = await self._attempt_many(index, [calls.send(raw) for raw in raws], others=others)
        return [self._taken(index, raw, answer) for raw, answer in zip(raws, answers, strict=True)]

    def _taken(self, index: int, raw: bytes, answer: str | ChainError) -> ChainError | None:
        if isinstance(answer, ChainError):
            return None if isinstance(answer, Rejected) and answer.already_processed else answer
        if answer == signature_of(raw):
            return None
        return Ambiguous(f"{self._endpoints[index].host} answered another signature")

    async def accounts(
        self, addresses: Sequence[str], commitment: Commitment, min_context_slot: int | None
    ) -> tuple[int, list[AccountSample | None]]:
        """The accounts in the order asked, and the oldest slot among the answers."""
        size = calls.ACCOUNTS_PER_CALL
        chunks = [addresses[start : start + size] for start in range(0, len(addresses), size)] or [addresses]
        parts = await asyncio.gather(
            *(self.ask(calls.accounts(chunk, commitment, min_context_slot)) for chunk in chunks)
        )
        return min(slot for slot, _ in parts), [sample for _, samples in parts for sample in samples]

    async def accounts_and(
        self, call: Call[T], addresses: Sequence[str], commitment: Commitment
    ) -> tuple[list[AccountSample | None], T]:
        """The accounts, and the answer to `call`, asked at the same time."""
        (_, samples), answer = await asyncio.gather(self.accounts(addresses, commitment, None), self.ask(call))
        return samples, answer

    async def probe(self) -> None:
        """Asks every endpoint for its slot, so that lag is known of those that are not in use; failures are scored."""
        count = len(self._endpoints)
        asked = (self.ask(calls.slot("confirmed"), endpoint=index) for index in range(count))
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, ChainError):
                raise outcome

    async def _attempt(self, index: int, call: Call[T], *, others: bool) -> T:
        (outcome,) = await self._attempt_many(index, [call], others=others)
        if isinstance(outcome, ChainError):
            raise outcome
        return outcome

    async def _attempt_many(self, index: int, many: Sequence[Call[T]], *, others: bool) -> list[T | ChainError]:
        """The endpoint's answers to calls of one family, in their order: in batches where it takes them."""
        size = calls.CALLS_PER_BATCH[many[0].family] if self._endpoints[index].takes_batches else 1
        gate = asyncio.Semaphore(AT_ONCE)

        async def chunk(start: int) -> list[T | ChainError]:
            async with gate:
                try:
                    return await self._exchange(index, many[start : start + size], others=others)
                except NoBatches:
                    self._endpoints[index].takes_batches = False
                    return await self._attempt_many(index, many[start : start + size], others=others)

        chunks = await asyncio.gather(*(chunk(start) for start in range(0, len(many), size)))
        return [outcome for part in chunks for outcome in part]

    async def _exchange(self, index: int, many: Sequence[Call[T]], *, others: bool) -> list[T | ChainError]:
        """One request. What it costs the endpoint's breaker is one success or failure, however many calls it has."""
        family = many[0].family
        self.pool.began(index, family)
        started_s = self._clock()
        limit_s = pool.attempt_timeout_s(family, self._timeout_s, others=others)
        try:
            outcomes = await self._answers(index, many, limit_s)
        except NoBatches:
            self.pool.served(index, family, self._clock() - started_s)
            raise
        except ChainError as error:
            outcomes = [error] * len(many)
        seconds = self._clock() - started_s
        failures = [one for one in outcomes if isinstance(one, ChainError) and not isinstance(one, Rejected)]
        if len(failures) == len(many):
            self.pool.failed(index, family, failures[0])
        else:
            self.pool.served(index, family, seconds)
        host = self._endpoints[index].host
        for call, outcome in zip(many, outcomes, strict=True):
            RPC_REQUESTS.labels(host, call.method, _result_label(outcome)).inc()
            RPC_SECONDS.labels(host, call.method).observe(seconds)
        return outcomes

    async def _answers(self, index: int, many: Sequence[Call[T]], limit_s: float) -> list[T | ChainError]:
        endpoint = self._endpoints[index]
        try:
            async with asyncio.timeout(limit_s):
                body = await endpoint.post(Batch(many) if len(many) > 1 else many[0])
        except TimeoutError:
            raise Ambiguous(f"{endpoint.host} did not answer in {limit_s:g} s", timed_out=True) from None
        if len(many) == 1:
            results = [answers.result_of(body, endpoint.host)]
        else:
            results = answers.results_of(body, endpoint.host, len(many))
        read: list[T | ChainError] = []
        for call, result in zip(many, results, strict=True):
            value = self._value(index, call, result)
            read.append(value)
        return read

    def _value(self, index: int, call: Call[T], result: Any) -> T | ChainError:
        if isinstance(result, ChainError):
            return result
        try:
            value = call.read(result, self._endpoints[index].host)
        except Ambiguous as error:
            return error
        slot = call.observed_slot(result)
        if slot is not None and call.commitment is not None:
            self.pool.saw_slot(index, call.commitment, slot)
        return value

    async def close(self) -> None:
        """Closes all connections."""
        for endpoint in self._endpoints:
            await endpoint.close()


def signature_of(raw: bytes) -> str:
    """The name of a signed transaction: its first signature, after the byte that counts them."""
    return str(Signature.from_bytes(raw[1:65]))


def _result_label(outcome: object) -> str:
    if isinstance(outcome, NodeBehind):
        return "behind"
    if isinstance(outcome, Ambiguous):
        return "ambiguous"
    return type(outcome).__name__.lower() if isinstance(outcome, ChainError) else "ok"
