"""The RPC client for threads. solana-py has only an asyncio transport, so one background loop serves all threads.

That costs a hand-over between threads (about 0.1 ms) and saves a second transport with failure habits of its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import uvloop
from solders.address_lookup_table_account import AddressLookupTableAccount

from chain.errors import ChainError
from chain.rpc import answers, calls
from chain.rpc.calls import Call
from chain.rpc.driver import Driver, signature_of
from chain.rpc.pool import EndpointStatus
from chain.rpc.transport import host_of
from chain.types import (
    AccountSample,
    Blockhash,
    ChainPosition,
    Commitment,
    SignatureInfo,
    Simulation,
    StatusAnswer,
)

T = TypeVar("T")


class _Loop:
    """An event loop in a daemon thread, and the driver that lives in it."""

    def __init__(self, urls: Sequence[str], timeout_s: float) -> None:
        self.pid = os.getpid()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="solana-rpc", daemon=True)
        self._thread.start()
        self.driver = self.run(self._make(urls, timeout_s))

    @staticmethod
    async def _make(urls: Sequence[str], timeout_s: float) -> Driver:
        return Driver(urls, timeout_s=timeout_s)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            # A caller that is interrupted (a task's time limit) leaves no request behind; a finished one is unharmed.
            future.cancel()

    def stop(self) -> None:
        self.run(self.driver.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class RpcClient:
    """JSON-RPC over `urls`, the first preferred. Any thread may call it; after a fork the child starts afresh.

    Every method raises Rejected or Unavailable; `send` also Ambiguous (chain.errors). No call outlasts `timeout_s` by
    more than the shorter waits for the endpoints asked before the last.
    """

    def __init__(self, urls: Sequence[str], *, timeout_s: float = 10.0) -> None:
        if not urls:
            raise ValueError("at least one RPC endpoint is needed")
        self._urls = tuple(urls)
        self.hosts = tuple(host_of(url) for url in urls)
        self._timeout_s = timeout_s
        self._starting = threading.Lock()
        self._running: _Loop | None = None

    def __repr__(self) -> str:
        return f"RpcClient({', '.join(self.hosts)})"

    def latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        """The newest blockhash at the commitment, with the last block height at which it is accepted."""
        return self._ask(calls.latest_blockhash(commitment))

    def block_height(self, commitment: Commitment = "confirmed") -> int:
        """The newest block height at the commitment: what blockhashes expire by."""
        return self._ask(calls.block_height(commitment))

    def position(self, commitment: Commitment = "confirmed") -> ChainPosition:
        """Slot and block height at the commitment, both of the node that answers."""
        return self._ask(calls.position(commitment))

    def slot(self, commitment: Commitment = "confirmed") -> int:
        """The newest slot at the commitment."""
        return self._ask(calls.slot(commitment))

    def genesis_hash(self, *, endpoint: int | None = None) -> str:
        """What tells one chain from another, by the endpoint named or the first that answers."""
        loop = self._loop()
        return loop.run(loop.driver.ask(calls.genesis_hash(), endpoint=endpoint))

    def balance(self, address: str, commitment: Commitment = "confirmed") -> int:
        """Lamports."""
        return self._ask(calls.balance(address, commitment))

    def account(
        self, address: str, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> AccountSample:
        """The account's state; 0 lamports where it does not exist."""
        return self._ask(calls.account(address, commitment, min_context_slot))

    def accounts(
        self, addresses: Sequence[str], *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> tuple[int, list[AccountSample | None]]:
        """The oldest slot among the answers, and the accounts in the order asked, None for one that does not exist."""
        loop = self._loop()
        return loop.run(loop.driver.accounts(addresses, commitment, min_context_slot))

    def program_accounts(
        self,
        program_id: str,
        filters: Sequence[Mapping[str, Any]] = (),
        *,
        commitment: Commitment = "confirmed",
        with_data: bool = True,
    ) -> tuple[int, dict[str, AccountSample]]:
        """The slot of the answer, and the program's accounts that pass the filters, by address."""
        return self._ask(calls.program_accounts(program_id, filters, commitment, None, with_data=with_data))

    def lookup_table(self, address: str, *, commitment: Commitment = "confirmed") -> AddressLookupTableAccount:
        """The table's addresses. Raises Rejected where the account is no lookup table."""
        return answers.lookup_table(address, self.account(address, commitment=commitment))

    def simulate(
        self,
        raw: bytes,
        *,
        commitment: Commitment = "confirmed",
        addresses: Sequence[str] = (),
        replace_blockhash: bool = False,
        sig_verify: bool = False,
    ) -> Simulation:
        """What the transaction would do now; `addresses` (at most its own accounts) are those to see afterwards.

        That it would fail is the answer's `err`, not an exception. Rejected is what could not be simulated at all.
        """
        return self._ask(
            calls.simulate(raw, commitment, addresses, replace_blockhash=replace_blockhash, sig_verify=sig_verify)
        )

    def simulate_many(self, raws: Sequence[bytes]) -> list[Simulation | ChainError]:
        """`simulate` for each, together: what it would return or raise."""
        options = {"replace_blockhash": False, "sig_verify": False}
        return self._ask_many([calls.simulate(raw, "confirmed", (), **options) for raw in raws])

    def simulate_and_look(
        self, raw: bytes, addresses: Sequence[str], *, commitment: Commitment = "confirmed"
    ) -> tuple[list[AccountSample | None], Simulation]:
        """Accounts as they are, and what the transaction would do with them (in the answer's `accounts`); asked at the
        same time. Somebody else may change an account in between: figures belong to the simulation."""
        loop = self._loop()
        simulation = calls.simulate(raw, commitment, addresses, replace_blockhash=False, sig_verify=False)
        return loop.run(loop.driver.accounts_and(simulation, addresses, commitment))

    def send(self, raw: bytes, *, everywhere: bool = False) -> str:
        """Hands signed bytes over, without preflight and without the node's own retries; returns their signature.

        That a node took them says nothing about their landing. Sending again is harmless: "already processed" is
        success. Raises Ambiguous when an endpoint may have taken them, Rejected or Unavailable when none did.
        """
        (error,) = self.send_many([raw], everywhere=everywhere)
        if error is not None:
            raise error
        return signature_of(raw)

    def send_many(self, raws: Sequence[bytes], *, everywhere: bool = False) -> list[ChainError | None]:
        """`send` for each, together: None where it would return, else what it would raise."""
        loop = self._loop()
        return loop.run(loop.driver.send_many(raws, everywhere=everywhere))

    def signature_statuses(
        self, signatures: Sequence[str], *, search_history: bool, endpoint: int | None = None
    ) -> StatusAnswer:
        """Where up to 256 transactions stand, by one endpoint: the one named, or the first that answers."""
        if len(signatures) > calls.STATUSES_PER_CALL:
            raise ValueError(f"at most {calls.STATUSES_PER_CALL} signatures at once")
        loop = self._loop()
        call = calls.signature_statuses(signatures, search_history=search_history)
        index, (slot, statuses) = loop.run(loop.driver.ask_whom(call, endpoint=endpoint))
        return StatusAnswer(index, slot, statuses)

    def recent_prioritization_fees(self, addresses: Sequence[str] = ()) -> list[int]:
        """Micro-lamports per compute unit, the least that landed in each recent slot while locking the addresses."""
        if len(addresses) > calls.FEE_ADDRESSES_PER_CALL:
            raise ValueError(f"at most {calls.FEE_ADDRESSES_PER_CALL} addresses at once")
        return self._ask(calls.recent_prioritization_fees(addresses))

    def recent_prioritization_fees_of(self, groups: Sequence[Sequence[str]]) -> list[list[int] | ChainError]:
        """`recent_prioritization_fees` for each group of addresses, together: what it would return or raise."""
        return self._ask_many([calls.recent_prioritization_fees(addresses) for addresses in groups])

    def rent_exempt_minimum(self, size: int) -> int:
        """Lamports that an account of `size` bytes of data must hold."""
        return self._ask(calls.rent_exempt_minimum(size))

    def transaction(self, signature: str, commitment: Commitment = "confirmed") -> dict[str, Any] | None:
        """`getTransaction` as JSON (encoding `json`, versions up to 0); None is "not known here", not "never was"."""
        return self._ask(calls.transaction(signature, commitment))

    def transactions(
        self, signatures: Sequence[str], commitment: Commitment = "confirmed"
    ) -> list[dict[str, Any] | ChainError | None]:
        """`transaction` for each, together: what it would return or raise."""
        return self._ask_many([calls.transaction(signature, commitment) for signature in signatures])

    def signatures_for_address(
        self,
        address: str,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1000,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
    ) -> list[SignatureInfo]:
        """Transactions that name the address, newest first. With an `until` that the node has forgotten it answers the
        newest page and no error: stop by slot, not by signature."""
        return self._ask(
            calls.signatures_for_address(
                address, commitment, before=before, until=until, limit=limit, min_context_slot=min_context_slot
            )
        )

    def has_block(self, slot: int, commitment: Commitment = "confirmed") -> bool:
        """Whether the chain at the commitment has a block in this slot: false while the slot is newer, and for ever
        where it was skipped or lost to a fork."""
        return slot in self._ask(calls.blocks(slot, slot, commitment))

    def request_airdrop(self, address: str, lamports: int) -> str:
        """Lamports from the faucet of a test network, where there is one; returns the transaction's signature."""
        return self._ask(calls.request_airdrop(address, lamports))

    def health(self) -> list[EndpointStatus]:
        """Asks every endpoint for its slot, then tells how each of them does. Never raises for a sick endpoint."""
        loop = self._loop()
        loop.run(loop.driver.probe())
        return self.endpoints()

    def endpoints(self) -> list[EndpointStatus]:
        """How each endpoint does as this process has experienced it, without asking."""
        loop = self._loop()
        return loop.run(_statuses(loop.driver))

    def close(self) -> None:
        """Closes the connections and ends the thread; a later call starts both again."""
        with self._starting:
            running, self._running = self._running, None
        if running is not None and running.pid == os.getpid():
            running.stop()

    def __enter__(self) -> RpcClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, call: Call[T]) -> T:
        loop = self._loop()
        return loop.run(loop.driver.ask(call))

    def _ask_many(self, many: Sequence[Call[T]]) -> list[T | ChainError]:
        if not many:
            return []
        loop = self._loop()
        return loop.run(loop.driver.ask_many(many))

    def _loop(self) -> _Loop:
        with self._starting:
            # A forked child has neither the thread nor a right to the parent's connections.
            if self._running is None or self._running.pid != os.getpid():
                self._running = _Loop(self._urls, self._timeout_s)
            return self._running


async def _statuses(driver: Driver) -> list[EndpointStatus]:
    # In the loop's thread, which is the pool's only owner.
    return driver.pool.statuses()
