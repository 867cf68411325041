"""The RPC client for asyncio: what the listener asks. Every method raises Rejected or Unavailable (chain.errors)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from chain.rpc import calls
from chain.rpc.driver import Driver
from chain.rpc.gathering import Gathering
from chain.rpc.pool import EndpointStatus
from chain.types import AccountSample, Commitment, SignatureInfo, SignatureStatus


class AsyncRpcClient:
    """JSON-RPC over `urls`, the first preferred. Make it inside the event loop that uses it, and close it there.

    What many want of the history at the same time goes out in batches, where the endpoint takes them.
    """

    def __init__(self, urls: Sequence[str], *, timeout_s: float = 10.0) -> None:
        self._driver = Driver(urls, timeout_s=timeout_s)
        self._history = Gathering(self._driver, "history")

    async def account(
        self, address: str, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> AccountSample:
        """The account's state; 0 lamports where it does not exist."""
        return await self._driver.ask(calls.account(address, commitment, min_context_slot))

    async def accounts(
        self, addresses: Sequence[str], *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> tuple[int, list[AccountSample | None]]:
        """The oldest slot among the answers, and the accounts in the order asked, None for one that does not exist."""
        return await self._driver.accounts(addresses, commitment, min_context_slot)

    async def program_accounts(
        self,
        program_id: str,
        filters: Sequence[Mapping[str, Any]] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        with_data: bool = True,
    ) -> tuple[int, dict[str, AccountSample]]:
        """The slot of the answer, and the program's accounts that pass the filters, by address."""
        call = calls.program_accounts(program_id, filters, commitment, min_context_slot, with_data=with_data)
        return await self._driver.ask(call)

    async def token_accounts(
        self,
        wallet: str,
        token_program: str,
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
    ) -> list[str]:
        """The addresses of the wallet's token accounts of one token program."""
        return await self._driver.ask(calls.token_accounts(wallet, token_program, commitment, min_context_slot))

    async def signature_status(self, signature: str) -> tuple[int, SignatureStatus | None]:
        """The answering slot (`processed`) and where the transaction stands, history searched; None is "not known
        here", which proves something only for slots up to the answering one."""
        slot, (status,) = await self._driver.ask(calls.signature_statuses([signature], search_history=True))
        return slot, status

    async def slot(self, commitment: Commitment = "confirmed") -> int:
        """The newest slot at the commitment."""
        return await self._driver.ask(calls.slot(commitment))

    async def block_height(self, commitment: Commitment = "confirmed") -> int:
        """The newest block height at the commitment: what blockhashes expire by."""
        return await self._driver.ask(calls.block_height(commitment))

    async def genesis_hash(self) -> str:
        """What tells one chain from another."""
        return await self._driver.ask(calls.genesis_hash())

    async def signatures_for_address(
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
        return await self._history.ask(
            calls.signatures_for_address(
                address, commitment, before=before, until=until, limit=limit, min_context_slot=min_context_slot
            )
        )

    async def transaction(self, signature: str, commitment: Commitment = "confirmed") -> dict[str, Any] | None:
        """`getTransaction` as JSON (encoding `json`, versions up to 0); None is "not known here", not "never was"."""
        return await self._history.ask(calls.transaction(signature, commitment))

    async def transactions(
        self, signatures: Sequence[str], commitment: Commitment = "confirmed"
    ) -> list[dict[str, Any] | None]:
        """Like `transaction` for many, in their order."""
        return await asyncio.gather(*(self.transaction(signature, commitment) for signature in signatures))

    async def health(self) -> list[EndpointStatus]:
        """Asks every endpoint for its slot, then tells how each of them does."""
        await self._driver.probe()
        return self._driver.pool.statuses()

    def endpoints(self) -> list[EndpointStatus]:
        """How each endpoint does, without asking."""
        return self._driver.pool.statuses()

    async def close(self) -> None:
        """Closes the connections."""
        await self._driver.close()
