"""What the chain's history says happened to what a watch is about: signatures, for transactions to be fetched.

A wallet's own history leaves out transactions that touch nothing but its token accounts, so those are listed one by
one: the accounts that it has now, and those that its own transactions name, which finds the ones that it has closed
since. An account that was opened, emptied and closed without the wallet in any of these transactions is not found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chain.decode.answer import read_answer
from chain.errors import NodeBehind, Unavailable
from chain.rpc.aio import AsyncRpcClient
from chain.types import COMMITMENTS, Commitment, SignatureInfo
from listener.watches import TOKEN_PROGRAMS, Watch

SIGNATURES_PER_PAGE = 1000
ACCOUNTS_AT_ONCE = 8
MOST_TOKEN_ACCOUNTS = 5000


@dataclass(frozen=True, slots=True)
class History:
    """Transactions, oldest first. Where they are not all of them, `lost_before` is the slot from which on they are (of
    that slot some may be missing), and `note` says why."""

    infos: tuple[SignatureInfo, ...]
    lost_before: int | None = None
    note: str = ""


def readable(commitment: Commitment) -> Commitment:
    """History begins where transactions are confirmed."""
    return "finalized" if commitment == "finalized" else "confirmed"


async def history_of(rpc: AsyncRpcClient, watch: Watch, first_slot: int, last_slot: int, *, most: int) -> History:
    """What happened in these slots (both included), the newest `most` of it.

    Raises Unavailable where no node has reached `last_slot`, and Rejected.
    """
    commitment = readable(watch.commitment)
    if watch.kind == "signature":
        return await _of_signature(rpc, watch.address, commitment, first_slot, last_slot)
    if watch.kind in TOKEN_PROGRAMS:
        return await _of_wallet(rpc, watch, first_slot, last_slot, most=most)
    infos, is_whole = await signatures_between(rpc, watch.address, commitment, first_slot, last_slot, most=most)
    return History(tuple(infos)) if is_whole else _cut(infos, most)


async def signatures_between(
    rpc: AsyncRpcClient, address: str, commitment: Commitment, first_slot: int, last_slot: int, *, most: int
) -> tuple[list[SignatureInfo], bool]:
    """The address's transactions in these slots (both included), oldest first, and whether that is all of them.

    Of more than `most` it gives the newest. Raises chain.errors.Unavailable where no node has reached `last_slot`.
    By slot, never by signature: with an `until` that it has forgotten, a node answers its newest page and no error.
    """
    found: list[SignatureInfo] = []
    before: str | None = None
    while True:
        page = await rpc.signatures_for_address(
            address, before=before, limit=SIGNATURES_PER_PAGE, commitment=commitment, min_context_slot=last_slot
        )
        found += [info for info in page if first_slot <= info.slot <= last_slot]
        if len(found) > most:
            return found[:most][::-1], False
        if len(page) < SIGNATURES_PER_PAGE or page[-1].slot < first_slot:
            return found[::-1], True
        before = page[-1].signature


async def account_signatures(
    rpc: AsyncRpcClient, address: str, commitment: Commitment, slot: int, *, lag_slots: int, is_patient: bool
) -> list[SignatureInfo]:
    """The transactions of an account that a notification of `slot` may be about: those since `lag_slots` before it,
    because the slot is that of the notifying bank. A node lists a transaction a little after it tells of the account:
    as long as the caller `is_patient`, nothing in `slot` itself means that the list is not complete yet.

    Raises Unavailable where the node may not have listed it yet.
    """
    page = await rpc.signatures_for_address(
        address, limit=SIGNATURES_PER_PAGE, commitment=commitment, min_context_slot=slot
    )
    recent = [info for info in page if info.slot >= slot - lag_slots]
    if not recent or (is_patient and recent[0].slot < slot):
        raise Unavailable(f"nothing that happened to {address} in slot {slot} is listed yet")
    return recent[::-1]


async def _of_signature(
    rpc: AsyncRpcClient, signature: str, commitment: Commitment, first_slot: int, last_slot: int
) -> History:
    slot, status = await rpc.signature_status(signature)
    if status is None:
        if slot < last_slot:
            raise NodeBehind(f"the node is at slot {slot}, before {last_slot}")
        return History(())
    if COMMITMENTS.index(status.confirmation_status) < COMMITMENTS.index(commitment) or status.slot < first_slot:
        return History(())  # the subscription tells when it gets there
    return History((SignatureInfo(signature, status.slot, status.err, None, None, status.confirmation_status),))


async def _of_wallet(rpc: AsyncRpcClient, watch: Watch, first_slot: int, last_slot: int, *, most: int) -> History:
    commitment = readable(watch.commitment)
    wallet, program = watch.address, TOKEN_PROGRAMS[watch.kind]
    own, own_is_whole = await signatures_between(rpc, wallet, commitment, first_slot, last_slot, most=most)
    accounts = set(
        await rpc.token_accounts(wallet, program, commitment=commitment, min_context_slot=last_slot)
    ) | await _named_accounts(rpc, wallet, program, own, commitment)
    if len(accounts) > MOST_TOKEN_ACCOUNTS:
        return History(tuple(own), last_slot, f"more than {MOST_TOKEN_ACCOUNTS} token accounts")
    gate = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

    async def one(account: str) -> tuple[list[SignatureInfo], bool]:
        async with gate:
            return await signatures_between(rpc, account, commitment, first_slot, last_slot, most=most)

    found = [(own, own_is_whole), *await asyncio.gather(*(one(account) for account in sorted(accounts)))]
    return _merged(found, most)


def _merged(found: Collection[tuple[list[SignatureInfo], bool]], most: int) -> History:
    by_signature = {info.signature: info for infos, _ in found for info in infos}
    infos = sorted(by_signature.values(), key=lambda info: info.slot)
    lost = max((infos[0].slot for infos, is_whole in found if not is_whole), default=None)
    if len(infos) > most:
        infos = infos[-most:]
        lost = max(lost or 0, infos[0].slot)
    if lost is None:
        return History(tuple(infos))
    return History(tuple(info for info in infos if info.slot >= lost), lost, _too_many(most))


async def _named_accounts(
    rpc: AsyncRpcClient, wallet: str, program: str, own: Iterable[SignatureInfo], commitment: Commitment
) -> set[str]:
    """The wallet's token accounts that its own transactions name."""
    succeeded = [info.signature for info in own if info.err is None]
    answers = await rpc.transactions(succeeded, commitment)
    return {account for answer in answers if answer is not None for account in _owned_accounts(answer, wallet, program)}


def _owned_accounts(answer: Mapping[str, Any], wallet: str, program: str) -> set[str]:
    try:
        read = read_answer(answer)
    except ValueError as error:
        raise Unavailable("a transaction came in a shape that it cannot have") from error
    return {
        read.keys[one.account_index]
        for side in read.tokens
        for one in side
        if one.owner == wallet and one.program_id in (program, None)
    }


def _cut(infos: list[SignatureInfo], most: int) -> History:
    return History(tuple(infos), infos[0].slot, _too_many(most))


def _too_many(most: int) -> str:
    return f"more than {most} transactions"
