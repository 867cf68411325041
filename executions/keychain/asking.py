"""Asks the backend of one signer for one signature. Network; so never inside a transaction."""

from __future__ import annotations

import asyncio
import json

from django.conf import settings
from solders.message import MessageV0
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from accounts.sealing import unseal
from chain.errors import InvalidTransaction
from chain.tx.signers import only_signer, with_signature
from chain.types import SignedTransaction
from executions.errors import ExecutionError, NotNow, SigningFailed
from executions.outbound import AddressRefused
from workflows.models import Signer

# A blockhash lives about a minute; what comes later is of no use.
TIMEOUT_S = 20.0
INSTALL = "pip install -r requirements-keychain.txt"


def sign(signer: Signer, message: MessageV0, last_valid_block_height: int) -> SignedTransaction:
    """The bytes with the signature that the backend gave over exactly `message`, verified for the signer's address.

    Nothing of it is stored or sent here. No text repeats anything of the config, nor what the backend answered.

    Raises:
        NotNow: the backend does not answer, or not now.
        SigningFailed: it refuses, its signature is not the address's, or the package is missing.
        SealError: this process has no key that opens the box.
    """
    only_signer(message, signer.address)
    config = json.loads(unseal("signer", signer.id, bytes(signer.sealed)))
    unsigned = VersionedTransaction.populate(message, [Signature.default()])
    found = _asked(signer, config, unsigned)
    if isinstance(found, ExecutionError):
        # Raised out here: the library's exceptions hold what the backend answered, and frames that hold the config.
        raise found
    try:
        return with_signature(message, signer.address, found, last_valid_block_height)
    except InvalidTransaction as error:
        raise SigningFailed(f"{signer.backend}: {error}") from error


def _asked(signer: Signer, config: dict[str, str], unsigned: VersionedTransaction) -> Signature | ExecutionError:
    try:
        from executions.keychain import library
    except ImportError:
        return _missing(signer.backend)
    try:
        return asyncio.run(
            library.signature(
                signer.backend,
                config,
                signer.address,
                unsigned,
                timeout_s=TIMEOUT_S,
                allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS,
            )
        )
    except library.SignerError as error:
        status = f" (HTTP {error.status_code})" if error.status_code else ""
        problem = f"{signer.backend} did not sign for {signer.address}: {error}{status}"
        return NotNow(problem) if library.is_passing(error) else SigningFailed(problem)
    except TimeoutError:
        return NotNow(f"{signer.backend} did not sign for {signer.address} within {TIMEOUT_S:.0f} s")
    except AddressRefused as error:
        return SigningFailed(f"{signer.backend}: {error}")
    except ImportError:
        return _missing(signer.backend)
    except Exception as error:  # noqa: BLE001 - what the services' SDKs say of a malformed key is their own
        return SigningFailed(f"{signer.backend} cannot be asked with this config: {type(error).__name__}")


def _missing(backend: str) -> SigningFailed:
    return SigningFailed(f"the worker has not what {backend} needs: {INSTALL}", code="signer_package_missing")
