"""Payments that a database has forgotten: signed with the memo of an attempt, and written down nowhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chain.tx import builder, instructions
from executions.gateway import gateway
from executions.keys import open_signer
from tests.local_chain import LocalChain
from workflows.models import Signer

SLOTS_UNTIL_FINAL = 40


def forgotten_payment(
    chain: LocalChain, signer: Signer, execution_id: str, to: str, lamports: int, *, number: int = 1
) -> str:
    """Pay as the lost copy of the database did; returns the signature, which is confirmed."""
    body = [
        instructions.transfer_sol(signer.address, to, lamports),
        instructions.memo(builder.attempt_memo(execution_id, number), signer.address),
    ]
    fresh = gateway().rpc.latest_blockhash("confirmed")
    message = builder.compile_message(body, signer.address, fresh.blockhash)
    signed = open_signer(signer).sign(message, fresh.last_valid_block_height)
    gateway().rpc.send(signed.raw)
    chain.wait_for_status(signed.signature, "confirmed")
    return signed.signature


def finalized(chain: LocalChain, signature: str) -> str:
    """The same signature, once no fork can take it back."""
    chain.warp(SLOTS_UNTIL_FINAL)
    chain.wait_for_status(signature, "finalized")
    return signature


@contextmanager
def slots_passing(chain: LocalChain) -> Iterator[None]:
    """Time runs on the chain until the block ends."""
    done = threading.Event()

    def warp() -> None:
        while not done.wait(0.2):
            chain.warp(SLOTS_UNTIL_FINAL)

    thread = threading.Thread(target=warp)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
