"""Reads what executions.ledger compares: a signer's rows here, and its finalized history there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chain.errors import Unavailable
from chain.types import SignatureInfo
from executions import histories
from executions.gateway import gateway
from executions.ledger import Booked, OnChain, Proof, prove
from executions.memos import of_transaction
from executions.models import Attempt, LandedMemo, Reservation
from executions.outflow import Balances, Granted
from executions.states import LANDED
from executions.threads import in_threads
from workflows.models import Signer

# The wallet may move while it is read; then it is read again.
TRIES = 5


def prove_signer(signer: Signer) -> Proof | None:
    """The proof for this signer's address since its first attempt that landed; None where none did.

    Raises:
        Unavailable: the history or the balance cannot be read as one; no word on whether they agree.
    """
    first = Attempt.objects.filter(signer__address=signer.address, slot__isnull=False).order_by("slot").first()
    if first is None or first.slot is None:
        return None
    listed, balance = _read(signer.address, first.slot)
    answers = in_threads(lambda row: gateway().rpc.transaction(row.signature, "finalized"), listed) if listed else []
    history = [_on_chain(signer.address, row, answer) for row, answer in zip(listed, answers, strict=True)]
    kept = LandedMemo.objects.filter(signer__address=signer.address).values_list("signature", flat=True)
    return prove(history, _booked(signer.address), frozenset(kept), signer=signer.address, balance_now=balance)


def _read(address: str, slot: int) -> tuple[list[SignatureInfo], int]:
    """The finalized history since `slot`, oldest first, and the balance right after it."""
    rpc = gateway().rpc
    for _ in range(TRIES):
        balance = rpc.balance(address, "finalized")
        listed = histories.back_to(address, slot)
        if rpc.balance(address, "finalized") == balance:
            return listed[::-1], balance
    raise Unavailable(f"the balance of {address} does not hold still; pause, and ask again")


def _on_chain(address: str, row: SignatureInfo, answer: dict[str, Any] | None) -> OnChain:
    meta = answer and answer.get("meta")
    if answer is None or not meta:
        raise Unavailable(f"{row.signature} is listed and not known")
    try:
        balances = Balances.of_landed(answer)
    except ValueError as error:
        raise Unavailable(f"{row.signature} is told in a shape that is none: {error}") from error
    place = balances.keys.index(address)
    memo = of_transaction(answer, address)
    return OnChain(
        row.signature, row.slot, balances.before[place], balances.after[place], memo, balances if memo else None
    )


def _booked(address: str) -> dict[str, Booked]:
    """By signature. An execution that failed on the chain and was retried has a settled reservation for each."""
    attempts = Attempt.objects.filter(signer__address=address, status__in=LANDED).order_by("slot", "number")
    rows = list(attempts.values_list("execution_id", "signature", "slot", "finalized_at"))
    settled: dict[int, list[Reservation]] = {}
    for one in Reservation.objects.filter(signer__address=address, status=Reservation.Status.SETTLED).order_by("id"):
        settled.setdefault(one.execution_id, []).append(one)
    booked = {}
    for execution_id, signature, slot, finalized_at in rows:
        charge = _next(settled.get(execution_id))
        granted = Granted.from_json(charge.granted) if charge else Granted()
        booked[signature] = Booked(
            signature, slot, finalized_at is not None, charge.lamports if charge else None, granted
        )
    return booked


def _next(charges: list[Reservation] | None) -> Reservation | None:
    return charges.pop(0) if charges else None


def signers(addresses: Sequence[str] = ()) -> list[Signer]:
    """Every signer, deleted ones too: their keys may have paid. Or those with these addresses.

    A key that was deleted and came back is two rows and one address, which is here once, as its newest row.
    """
    rows = Signer.objects.order_by("created_at", "id")
    chosen = rows.filter(address__in=addresses) if addresses else rows
    return list({signer.address: signer for signer in chosen}.values())
