"""One past transaction against a trigger: fetched and matched as the listener's read-back does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings

from accounts.errors import Invalid, Missing, NotNow, Refused
from chain.decode.transaction import Transaction, read_transaction
from chain.errors import ChainError, Rejected, Unavailable
from chain.rpc.aio import AsyncRpcClient
from executions.gateway import WrongChain, gateway
from listener import metrics
from listener.balance_history import balances_around, sample_of
from listener.histories import readable
from listener.loading import wanted_for
from listener.reasons import NO_PAST, Findings, alone, judge_balance, judge_transaction, merged, not_in
from listener.registry import Wanted
from listener.transactions import UnknownTransaction, fetch
from listener.watches import Watch
from workflows.models import Workflow

T = TypeVar("T")

# Somebody waits for the answer; each call has its own, shorter limit.
PATIENCE_S = 25.0


@dataclass(frozen=True, slots=True)
class PastTransaction:
    """A transaction that has happened, and what it is to the trigger. `error` is the runtime's, None for success."""

    signature: str
    slot: int
    error: Any
    findings: Findings


def past_transaction(*, workflow: Workflow, trigger: Any, signature: str) -> PastTransaction:
    """Ask the chain for the transaction and judge it. Nothing is stored.

    Raises:
        Invalid: the trigger is none that a transaction sets off, or the transaction is of a kind that we cannot read.
        Missing: no endpoint that was asked knows it (at the workflow's commitment, `confirmed` at least).
        NotNow: no endpoint answers.
        Refused: the endpoints belong to another chain.
    """
    if trigger.type in NO_PAST:
        raise Invalid.field("signature", "no_past", NO_PAST[trigger.type])
    wanted = wanted_for(workflow, trigger)
    try:
        gateway().genesis_hash()
        return ask_once(lambda rpc: _look_up(rpc, wanted, signature), patience_s=PATIENCE_S)
    except UnknownTransaction as error:
        known_as = readable(wanted.commitment)
        detail = f"no transaction {signature} is known as {known_as} to the Solana endpoint"
        raise Missing(detail, code="transaction_not_found") from error
    except Rejected as error:
        raise Invalid.field(
            "signature", "unreadable", f"the endpoint does not give this transaction: {error}"
        ) from error
    except (ChainError, TimeoutError) as error:
        why = str(error) or f"nothing came within {PATIENCE_S:.0f} s"
        raise NotNow(f"no Solana endpoint answers, so the transaction cannot be read: {why}") from error
    except WrongChain as error:
        raise Refused(str(error), code="wrong_chain") from error


def ask_once(work: Callable[[AsyncRpcClient], Awaitable[T]], *, patience_s: float | None = None) -> T:
    """Do asyncio work with a client of its own, from a thread without an event loop. Raises what the work raises, and
    TimeoutError where it takes longer than `patience_s`."""

    async def run() -> T:
        rpc = AsyncRpcClient(settings.SOLANA_RPC_URLS, timeout_s=settings.SOLANA_RPC_TIMEOUT_S)
        try:
            async with asyncio.timeout(patience_s):
                return await work(rpc)
        finally:
            await rpc.close()

    return asyncio.run(run())


async def _look_up(rpc: AsyncRpcClient, wanted: Wanted, signature: str) -> PastTransaction:
    if wanted.trigger.type == "balance_change":
        return await _balance(rpc, wanted, wanted.watches[0], signature)
    parts: list[tuple[Watch, Findings]] = []
    for watch in wanted.watches:
        audience = alone(wanted, watch)
        (fetched,) = await fetch(rpc, audience, [signature], "tried")
        parts.append((watch, judge_transaction(fetched, audience)))
    transaction = fetched.transaction
    return PastTransaction(signature, transaction.slot, transaction.err, merged(parts))


async def _balance(rpc: AsyncRpcClient, wanted: Wanted, watch: Watch, signature: str) -> PastTransaction:
    commitment = readable(watch.commitment)
    metrics.TRANSACTIONS_FETCHED.labels("tried").inc()
    answer = await rpc.transaction(signature, commitment)
    if answer is None:
        raise UnknownTransaction(f"{signature} is not known")
    transaction, around = _read(answer), balances_around(answer, watch.address)
    findings = not_in(watch)
    if around is not None:
        owner = (await rpc.account(watch.address, commitment=commitment)).owner
        before, after = sample_of(transaction.slot - 1, around[0], owner), sample_of(transaction.slot, around[1], owner)
        findings = judge_balance(wanted, watch, before, after)
    return PastTransaction(signature, transaction.slot, transaction.err, findings)


def _read(answer: dict[str, Any]) -> Transaction:
    try:
        return read_transaction(answer, with_instructions=False)
    except ValueError as error:
        raise Unavailable("the transaction came in a shape that it cannot have") from error
