"""Where a signer's key may be kept besides the sealed box: the services, and what each one's `config` must hold. Pure.

A service is one entry here, beside its name, and nothing elsewhere: executions.keychain hands the config on to
`solana-keychain`, whose names these are. Crossmint is not among them: it sends by itself what it signs, so no limit and
no pause would hold it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from workflows.specs.channels.config import Key, Keys
from workflows.specs.channels.urls import public_url
from workflows.specs.errors import SpecError, SpecErrors

LOCAL = "local"
NAMES: Mapping[str, str] = {
    LOCAL: "SolFlow",
    "vault": "Vault",
    "aws_kms": "AWS KMS",
    "gcp_kms": "Google Cloud KMS",
    "turnkey": "Turnkey",
    "privy": "Privy",
    "fireblocks": "Fireblocks",
    "fordefi": "Fordefi",
    "dfns": "Dfns",
    "para": "Para",
    "cdp": "Coinbase Developer Platform",
    "openfort": "Openfort",
    "utila": "Utila",
}
MASK = "…"
MAX_TEXT = 8192

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """`whole` goes into the signer's sealed box, `shown` beside it."""

    whole: dict[str, str] = field(repr=False)
    shown: dict[str, str]


def validate_backend(backend: str, config: Any, *, allowed_hosts: Sequence[str] = ()) -> BackendConfig:
    """The config of a signer whose key is with `backend`, and what is shown of it. It is always given whole.

    Raises:
        SpecErrors: with paths `backend`, `config` and below; no text repeats a value.
    """
    keys = _keys(allowed_hosts).get(backend)
    if keys is None:
        known = ", ".join((LOCAL, *BACKENDS))
        raise SpecErrors([SpecError("backend", "unknown_backend", f"backend must be one of: {known}.")])
    if not isinstance(config, Mapping):
        raise SpecErrors([SpecError("config", "wrong_type", "config must be an object.")])
    checked = keys.read(config, {})
    return BackendConfig({**checked.shown, **(checked.secret or {})}, checked.shown)


def _keys(allowed_hosts: Sequence[str]) -> dict[str, Keys]:
    url = partial(_url, allowed_hosts=allowed_hosts)
    own_url = Key("api_base_url", url, required=False, code="invalid_url")
    return {
        "vault": Keys((Key("api_base_url", url, code="invalid_url"), _secret("token"), _plain("key_name"))),
        "aws_kms": Keys(
            (_plain("key_id"), Key("region", _region), _plain("access_key_id"), _secret("secret_access_key"))
        ),
        "gcp_kms": Keys((_plain("key_name"), _plain("client_email"), _secret("private_key"))),
        "turnkey": Keys(
            (
                _plain("api_public_key"),
                _secret("api_private_key"),
                _plain("organization_id"),
                _plain("private_key_id"),
                own_url,
            )
        ),
        "privy": Keys((_plain("app_id"), _secret("app_secret"), _plain("wallet_id"), own_url)),
        "fireblocks": Keys(
            (
                _secret("api_key"),
                _secret("private_key_pem"),
                _plain("vault_account_id"),
                _plain("asset_id", required=False),
                own_url,
            )
        ),
        "fordefi": Keys((_secret("access_token"), _secret("private_key_pem"), _plain("vault_id"), own_url)),
        "dfns": Keys(
            (_secret("auth_token"), _plain("cred_id"), _secret("private_key_pem"), _plain("wallet_id"), own_url)
        ),
        "para": Keys((_secret("api_key"), _plain("wallet_id"), own_url)),
        "cdp": Keys((_plain("api_key_id"), _secret("api_key_secret"), _secret("wallet_secret"), own_url)),
        "openfort": Keys((_secret("secret_key"), _plain("account_id"), _secret("wallet_secret"), own_url)),
        "utila": Keys(
            (
                _plain("service_account_email"),
                _secret("service_account_private_key_pem"),
                _plain("vault_id"),
                _plain("wallet_id"),
                _plain("network"),
                own_url,
            )
        ),
    }


def _plain(name: str, *, required: bool = True) -> Key:
    return Key(name, _text, required=required)


def _secret(name: str) -> Key:
    return Key(name, _hidden, masked=lambda _: MASK)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text, and not empty")
    if len(value) > MAX_TEXT:
        raise ValueError(f"must have at most {MAX_TEXT} characters")
    return value.strip()


def _hidden(value: Any) -> str:
    text = _text(value)
    if text == MASK:
        raise ValueError(f"must be given anew: {MASK} is what is shown of it")
    return text


def _region(value: Any) -> str:
    # It becomes a part of the host's name.
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise ValueError("must be a region of AWS, such as eu-central-1")
    return value


def _url(value: Any, allowed_hosts: Sequence[str]) -> str:
    url = public_url(value, allowed_hosts)
    if url.scheme != "https":
        raise ValueError("must begin with https://")
    if url.query:
        raise ValueError("must have no query")
    return url.text.rstrip("/")


BACKENDS: tuple[str, ...] = tuple(_keys(()))
