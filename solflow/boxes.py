"""Every encrypted value in the database: where it is, and what opens it, closes it and tells its key.

Another column that holds one gets its line in BOXES; rotation and doctor then know of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from accounts import locking, sealing
from accounts.locking import LockError
from accounts.models import SecondFactor
from accounts.sealing import SealError
from accounts.second_factor.services import KIND as SECOND_FACTOR
from workflows.models import Channel, Signer, WebhookSecret
from workflows.services.webhook_secret import KIND as WEBHOOK_SECRET

SHUT = (SealError, LockError)


@dataclass(frozen=True, slots=True)
class Box:
    """A column of boxes. Each function takes kind, row id, and the box or the secret; opening raises SHUT."""

    kind: str
    model: type[Model]
    column: str
    open: Callable[[str, object, bytes], bytes]
    close: Callable[[str, object, bytes], bytes]
    under_newest: Callable[[str, object, bytes], bool]

    def rows(self, using: str = "default") -> QuerySet[Any]:
        """The rows that have such a box, deleted ones too."""
        rows = self.model._default_manager.using(using).filter(**{f"{self.column}__isnull": False})
        return rows.order_by("pk")

    def of(self, row: Model) -> bytes:
        """The box of a row."""
        return bytes(getattr(row, self.column))

    def named(self, row: Model) -> str:
        """The row as people know it."""
        words = self.kind.replace("_", " ")
        gone = " (deleted)" if getattr(row, "deleted_at", None) else ""
        return f"{words} {getattr(row, 'name', row)}{gone}"


# Sealed by web, opened by the worker; locked and opened by web.
_SEALED = (sealing.unseal, sealing.seal, sealing.under_newest)
_LOCKED = (locking.unlock, locking.lock, locking.under_newest)

BOXES = (
    Box("signer", Signer, "sealed", *_SEALED),
    Box("channel", Channel, "sealed", *_SEALED),
    Box("channel_key", Channel, "sealed_key", *_SEALED),
    Box(SECOND_FACTOR, SecondFactor, "box", *_LOCKED),
    Box(WEBHOOK_SECRET, WebhookSecret, "locked", *_LOCKED),
)
