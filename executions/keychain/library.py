"""What `solana-keychain` is asked for: a signature over one transaction, by the names that its configs have.

The two clouds' SDKs bring their own transport, to hosts that no config names. They are given credentials from the
config and never find the worker's own: a team's signer must not sign with what the machine may do.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from solana_keychain import SignerError, SignerErrorCode, create_keychain_signer
from solana_keychain.core import TransactionSigner
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from executions.keychain.transport import CONNECT_TIMEOUT_S, client

__all__ = ["SignerError", "is_passing", "signature"]

ANSWER_TIMEOUT_S = 10
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloudkms"

_PASSING_CODES = (SignerErrorCode.HTTP_ERROR, SignerErrorCode.NOT_AVAILABLE, SignerErrorCode.REMOTE_API_ERROR)
_PASSING_STATUSES = (408, 425, 429)


def is_passing(error: SignerError) -> bool:
    """Whether the same request may succeed later: no answer, or one that the service gives when it is not well."""
    if error.code not in _PASSING_CODES:
        return False
    status = error.status_code
    return status is None or status >= 500 or status in _PASSING_STATUSES


async def signature(
    backend: str,
    config: Mapping[str, str],
    address: str,
    unsigned: VersionedTransaction,
    *,
    timeout_s: float,
    allowed_hosts: Sequence[str],
) -> Signature:
    """The backend's signature over exactly this message; the package has verified it for `address`.

    Raises:
        SignerError, TimeoutError, AddressRefused, ImportError, or what an SDK says of a malformed config.
    """
    module = importlib.import_module(f"solana_keychain.{backend}")
    described = getattr(module, "".join(word.title() for word in backend.split("_")) + "SignerConfig")
    names = {one.name for one in dataclasses.fields(described)}
    own_address = {name: address for name in ("public_key", "address") if name in names}
    async with asyncio.timeout(timeout_s), client(allowed_hosts) as http_client:
        reached_by = _CLOUDS[backend](config) if backend in _CLOUDS else {**config, "http_client": http_client}
        signer = await create_keychain_signer(backend.replace("_", "-"), described(**reached_by, **own_address))
        if not isinstance(signer, TransactionSigner):
            # Others change the transaction or send it by themselves, past every limit.
            raise SignerError(SignerErrorCode.EXPECTED_SOLANA_SIGNER)
        return (await signer.sign_transaction(unsigned)).signature


def _aws_kms(config: Mapping[str, str]) -> dict[str, Any]:
    session = importlib.import_module("boto3.session").Session(
        aws_access_key_id=config["access_key_id"],
        aws_secret_access_key=config["secret_access_key"],
        region_name=config["region"],
    )
    bounds = importlib.import_module("botocore.config").Config(
        connect_timeout=CONNECT_TIMEOUT_S, read_timeout=ANSWER_TIMEOUT_S, retries={"total_max_attempts": 1}
    )
    return {"key_id": config["key_id"], "client": session.client("kms", config=bounds)}


def _gcp_kms(config: Mapping[str, str]) -> dict[str, Any]:
    account = importlib.import_module("google.oauth2.service_account").Credentials.from_service_account_info(
        {"client_email": config["client_email"], "private_key": config["private_key"], "token_uri": GOOGLE_TOKENS},
        scopes=[GOOGLE_SCOPE],
    )
    kms = importlib.import_module("google.cloud.kms_v1")
    return {"key_name": config["key_name"], "client": kms.KeyManagementServiceAsyncClient(credentials=account)}


_CLOUDS = {"aws_kms": _aws_kms, "gcp_kms": _gcp_kms}
