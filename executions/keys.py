"""Opens a local signer's sealed key, in the worker only, for the moment of signing."""

from __future__ import annotations

from accounts.sealing import unseal
from chain.tx.signers import KeypairSigner
from workflows.models import Signer


def open_signer(signer: Signer) -> KeypairSigner:
    """The key of `signer`, in an object whose repr hides it.

    Raises:
        SealError: this process has no key that opens the box, or the box belongs to another row.
    """
    return KeypairSigner.from_secret(unseal("signer", signer.id, bytes(signer.sealed)))
