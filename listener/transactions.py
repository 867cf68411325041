"""From signatures to whole transactions, the same way for what is seen live and for what is read back.

A notice tells logs, or only that something happened; receipts, statuses and self-called events need the transaction.
One `getTransaction` for each costs, so it is asked only for a transaction that somebody in the audience may want
(listener.needs), and `solflow_listener_transactions_fetched_total` counts them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from chain.decode.metadata import Collection, collection_of, metadata_address
from chain.decode.transaction import Transaction, read_transaction
from chain.errors import Unavailable
from chain.rpc.aio import AsyncRpcClient
from listener import metrics
from listener.histories import readable
from listener.observations import FetchedTransaction
from listener.receipts import nft_arrivals
from listener.registry import Audience
from listener.watches import TOKEN_PROGRAMS

Source = Literal["live", "read_back", "tried"]


class UnknownTransaction(Unavailable):
    """No endpoint that was asked knows the transaction, or none does yet."""


async def fetch(
    rpc: AsyncRpcClient, audience: Audience, signatures: Sequence[str], source: Source
) -> list[FetchedTransaction]:
    """The transactions, in the order asked, with what the audience's triggers need to know about them.

    A few at a time. Raises UnknownTransaction where a node does not know one of them, or not yet, at the watch's
    commitment (`confirmed` for what is watched as processed), Unavailable where its answer cannot be read.
    """
    commitment = readable(audience.watch.commitment)
    with_instructions = any(wanted.emitter is not None for wanted in audience.wanted)
    metrics.TRANSACTIONS_FETCHED.labels(source).inc(len(signatures))
    answers = await rpc.transactions(signatures, commitment)
    transactions = [
        _read(signature, answer, with_instructions) for signature, answer in zip(signatures, answers, strict=True)
    ]
    collections = await _collections(rpc, audience, transactions)
    now_s = time.time()
    return [
        FetchedTransaction(audience.subscription_id, transaction, collections, now_s) for transaction in transactions
    ]


def _read(signature: str, answer: dict[str, Any] | None, with_instructions: bool) -> Transaction:
    if answer is None:
        raise UnknownTransaction(f"{signature} is told of and not known")
    try:
        return read_transaction(answer, with_instructions=with_instructions)
    except ValueError as error:
        raise Unavailable(f"{signature} came in a shape that it cannot have") from error


async def _collections(
    rpc: AsyncRpcClient, audience: Audience, transactions: Sequence[Transaction]
) -> Mapping[str, Collection | None]:
    """What the metadata of the NFTs that arrived names, as it is now: it is not part of a transaction."""
    watch = audience.watch
    if watch.kind not in TOKEN_PROGRAMS:
        return {}
    arrived = {delta.mint for one in transactions if one.err is None for delta in nft_arrivals(one, watch.address)}
    mints = sorted(arrived)
    if not mints:
        return {}
    _, found = await rpc.accounts([metadata_address(mint) for mint in mints], commitment=readable(watch.commitment))
    return {
        mint: None if sample is None else collection_of(mint, sample.owner, sample.data or b"")
        for mint, sample in zip(mints, found, strict=True)
    }
