"""Asks the endpoints in the pool's order and tells the pool how it went. Both clients are this with methods on top."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from solders.signature import Signature

from chain.errors import Ambiguous, ChainError, NodeBehind, Rejected
from chain.metrics import RPC_REQUESTS, RPC_SECONDS
from chain.rpc import answers, calls, pool
from chain.rpc.calls import Call
from chain.rpc.transport import Endpoint
from chain.types import AccountSample, Commitment

T = TypeVar("T")


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

    async def send(self, raw: bytes, *, everywhere: bool) -> str:
        """Hands signed bytes to the preferred endpoint, to the next when it refuses or is slow, or to all at once.

        Returns their signature when one endpoint took them or has had them before. Raises Ambiguous when one may have.
        """
        # One byte counts the signatures (up to 127, far more than fit), the first of them names the transaction.
        signature = str(Signature.from_bytes(raw[1:65]))
        order = self.pool.order("send")
        together = len(order) if everywhere else 1
        errors: list[ChainError] = []
        for start in range(0, len(order), together):
            batch = order[start : start + together]
            others = len(order) > 1 and (everywhere or batch[-1] != order[-1])
            outcomes = await asyncio.gather(*(self._hand_over(i, raw, signature, others=others) for i in batch))
            errors += [outcome for outcome in outcomes if outcome is not None]
            if None in outcomes:
                return signature
        raise pool.verdict("send", errors)

    async def _hand_over(self, index: int, raw: bytes, signature: str, *, others: bool) -> ChainError | None:
        """None when the endpoint has the bytes, else why it may not."""
        try:
            answer = await self._attempt(index, calls.send(raw), others=others)
        except Rejected as error:
            return None if error.already_processed else error
        except ChainError as error:
            return error
        return None if answer == signature else Ambiguous(f"{self._endpoints[index].host} answered another signature")

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
        limit_s = pool.attempt_timeout_s(call.family, self._timeout_s, others=others)
        self.pool.began(index, call.family)
        started_s = self._clock()
        try:
            value = await self._exchange(index, call, limit_s)
        except ChainError as error:
            self._score(index, call, self._clock() - started_s, error)
            raise
        self._score(index, call, self._clock() - started_s, None)
        return value

    async def _exchange(self, index: int, call: Call[T], limit_s: float) -> T:
        endpoint = self._endpoints[index]
        try:
            async with asyncio.timeout(limit_s):
                body = await endpoint.post(call)
        except TimeoutError:
            raise Ambiguous(f"{endpoint.host} did not answer in {limit_s:g} s", timed_out=True) from None
        result = answers.result_of(body, endpoint.host)
        value = call.read(result, endpoint.host)
        slot = call.observed_slot(result)
        if slot is not None and call.commitment is not None:
            self.pool.saw_slot(index, call.commitment, slot)
        return value

    def _score(self, index: int, call: Call[Any], seconds: float, error: ChainError | None) -> None:
        if error is None or isinstance(error, Rejected):
            self.pool.served(index, call.family, seconds)
        else:
            self.pool.failed(index, call.family, error)
        host = self._endpoints[index].host
        RPC_REQUESTS.labels(host, call.method, _result_label(error)).inc()
        RPC_SECONDS.labels(host, call.method).observe(seconds)

    async def close(self) -> None:
        """Closes all connections."""
        for endpoint in self._endpoints:
            await endpoint.close()


def _result_label(error: ChainError | None) -> str:
    if isinstance(error, NodeBehind):
        return "behind"
    if isinstance(error, Ambiguous):
        return "ambiguous"
    return "ok" if error is None else type(error).__name__.lower()
