"""What must happen between a restore and the lift of the pause: whatever this database has paid and forgotten is found
on the chain and recorded.

1. Wait until nothing that was signed before can land any more: what was sent just before the restore may still be on
   its way, and would be missed.
2. The attempts that this database knows are asked about as usual (executions.reconcile).
3. Every signer's finalized history is read back to where it was last compared, and what is unknown is adopted
   (executions.recovery). A history that is not whole stops here: nothing is lifted on half an answer.
4. The mark is taken away. The pause stays until a person lifts it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.models import Installation
from executions import histories, recovery, timing
from executions.gateway import gateway
from executions.models import Execution, SignerHistory
from executions.recovery import Adoption, Landed
from executions.states import Status
from workflows.models import Signer

POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Recovered:
    """A transaction of ours that the ledger did not know, and what was done about it."""

    signer: Signer
    landed: Landed
    adoption: Adoption


@dataclass(frozen=True, slots=True)
class SignerRead:
    """One signer's history: how many rows are newer than what was known, and what was found among them."""

    signer: Signer
    rows: int
    recovered: list[Recovered]


def wait_until_nothing_can_land(tell: Callable[[int], None]) -> None:
    """Return when the finalized chain is past every blockhash that exists now; `tell` hears how many blocks are left.

    Raises ChainError where no endpoint answers.
    """
    rpc = gateway().rpc
    last_valid = rpc.latest_blockhash("processed").last_valid_block_height
    while (left := last_valid - rpc.block_height("finalized")) >= 0:
        tell(left + 1)
        time.sleep(timing.scaled(POLL_S))


def read_signer(signer: Signer) -> SignerRead:
    """Read one signer's history and adopt what is unknown, oldest first.

    Raises:
        Unavailable: the history is not whole. What was adopted before stays; reading again finds the rest.
    """
    rows = histories.whole_since(signer, histories.bound_of(signer))
    landed = recovery.look_up(signer, recovery.unknown_among(rows)[::-1])
    recovered = [Recovered(signer, one, recovery.adopt(one)) for one in landed]
    if rows:
        # Without it a signer that was never looked at would be read from its beginning again.
        SignerHistory.objects.update_or_create(
            signer=signer,
            defaults={"slot": rows[0].slot, "signature": rows[0].signature, "checked_at": timezone.now()},
        )
    return SignerRead(signer, len(rows), recovered)


def doubtful() -> list[str]:
    """Executions that wait, of events that caught up with an account's state: in a copy that was not put in place by
    `manage.py restore` they may sum up changes that were acted on before. A person has to look."""
    waiting = Execution.objects.filter(status=Status.PENDING, event__catch_up=True)
    return list(waiting.order_by("id").values_list("execution_id", flat=True))


@transaction.atomic
def clear(*, actor: Actor, recovered: int) -> None:
    """The chain was asked about every signer: the pause may be lifted. It is not lifted here."""
    Installation.objects.filter(pk=1).update(restored_at=None)
    audit.record(actor, "restore_reconciled", "installation", 1, recovered=recovered)
