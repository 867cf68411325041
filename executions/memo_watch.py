"""Does the chain know payments of ours that this database does not? Then it was restored, and everything is paused.

Every attempt is committed before it is sent, so a finalized transaction of one of our signers with the memo of an
attempt is in the ledger, unless this is an older copy of it. Looked at before a worker takes its first task, and every
minute: one request for each signer while nothing strange is found.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.utils import timezone

from accounts.actors import system
from accounts.models import Installation
from accounts.services import default_team
from chain.errors import ChainError
from chain.types import SignatureInfo
from executions import histories, recovery
from executions.models import SignerHistory
from executions.pauses import installation_restored
from executions.recovery import Landed
from workflows.models import Signer

log = structlog.get_logger(__name__)

# Anybody can send transactions that look like ours and have to be fetched: a few at a time, the others next minute.
LOOKS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a signer found, and up to where it has compared: None where nothing has landed since."""

    stranger: Landed | None
    up_to: tuple[int, str] | None


def watch(*, for_at_most_s: float = 45.0) -> Landed | None:
    """Compare every signer's finalized transactions with the ledger; returns the first that the ledger does not know,
    with which everything was paused.

    What no endpoint answers is compared next time; nothing is done while a restore is being dealt with.
    """
    if Installation.objects.filter(pk=1, restored_at__isnull=False).exists():
        return None
    ends_at = time.monotonic() + for_at_most_s
    # Those that have waited longest come first, in case the time does not reach all.
    history = SignerHistory.objects.values("signer_id", "checked_at")
    checked = {row["signer_id"]: row["checked_at"].timestamp() for row in history}
    signers = sorted(Signer.objects.filter(deleted_at=None), key=lambda signer: checked.get(signer.id, 0.0))
    for signer in signers:
        if time.monotonic() > ends_at:
            log.warning("memo_watch_cut_short", signers=len(signers))
            return None
        try:
            found = look(signer)
        except ChainError as error:
            log.warning("memo_watch_postponed", signer=signer.address, error=str(error))
            continue
        if found.stranger is not None:
            _pause(signer, found.stranger)
            return found.stranger
        _remember(signer, found.up_to)
    return None


def look(signer: Signer) -> Look:
    """Compare what was finalized with this signer since the last look. Writes nothing. Raises ChainError."""
    news = histories.new_since(signer, histories.bound_of(signer))
    unknown = recovery.unknown_among(news.rows)[::-1]
    landed = recovery.look_up(signer, unknown[:LOOKS_AT_ONCE])
    return Look(landed[0] if landed else None, _up_to(news.newest, unknown[LOOKS_AT_ONCE:]))


def _up_to(newest: SignatureInfo | None, left: Sequence[SignatureInfo]) -> tuple[int, str] | None:
    if left:
        return left[0].slot - 1, ""
    return (newest.slot, newest.signature) if newest else None


def _remember(signer: Signer, up_to: tuple[int, str] | None) -> None:
    now = timezone.now()
    slot, signature = up_to or (0, "")
    SignerHistory.objects.bulk_create(
        [SignerHistory(signer=signer, slot=slot, signature=signature, checked_at=now)], ignore_conflicts=True
    )
    looked_at = SignerHistory.objects.filter(signer=signer)
    looked_at.update(checked_at=now)
    # Two workers may look at once, and endpoints differ: only forward.
    looked_at.filter(slot__lt=slot).update(slot=slot, signature=signature)


def _pause(signer: Signer, stranger: Landed) -> None:
    reason = (
        f"The chain has a payment that this database does not know: {stranger.signature} of the signer {signer.name}, "
        f"memo {stranger.memo}. It looks as if an older copy of the database was restored."
    )
    installation_restored(actor=system(default_team(), "worker"), reason=reason)
    log.error("unknown_payment", signer=signer.address, signature=stranger.signature, memo=str(stranger.memo))
