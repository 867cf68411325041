"""The configs of signers whose keys are elsewhere: what they must hold, what is shown, and no secret in any text."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import pytest

from workflows.specs.errors import SpecErrors
from workflows.specs.signer_backends import BACKENDS, LOCAL, MASK, NAMES, validate_backend

VAULT = {"api_base_url": "https://vault.example.com:8200/", "token": "hvs.secret", "key_name": "treasury"}
# Given by SolFlow itself: the address, and how the service is reached.
OURS = {"public_key", "address", "http_client", "client"}
# How the clouds' SDKs get their credentials.
CLOUD_CREDENTIALS = {
    "aws_kms": {"access_key_id", "secret_access_key"},
    "gcp_kms": {"client_email", "private_key"},
}


def problems(backend: str, config: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(SpecErrors) as refused:
        validate_backend(backend, config, **more)
    assert "hvs.secret" not in str(refused.value)
    return {error.path: error.detail for error in refused.value.errors}


def test_a_config_is_sealed_whole_and_shown_without_its_secrets() -> None:
    checked = validate_backend("vault", VAULT)

    assert checked.whole == {**VAULT, "api_base_url": "https://vault.example.com:8200"}
    assert checked.shown == {**checked.whole, "token": MASK}
    assert "hvs.secret" not in repr(checked)


def test_an_unknown_backend_is_told_which_there_are() -> None:
    assert "vault, aws_kms, gcp_kms, turnkey" in problems("crossmint", {})["backend"]


def test_every_wrong_key_is_named() -> None:
    found = problems("vault", {"api_base_url": "https://vault.example.com", "token": " ", "mount": "x"})

    assert set(found) == {"config.token", "config.key_name", "config.mount"}


def test_the_mask_is_no_secret() -> None:
    assert "must be given anew" in problems("vault", {**VAULT, "token": MASK})["config.token"]


@pytest.mark.parametrize("url", ["https://10.0.0.5:8200", "https://vault.internal", "https://localhost:8200"])
def test_a_private_host_has_to_be_allowed(url: str) -> None:
    config = {**VAULT, "api_base_url": url}

    assert "OUTBOUND_ALLOWED_HOSTS" in problems("vault", config)["config.api_base_url"]
    assert validate_backend("vault", config, allowed_hosts=[url.removeprefix("https://")]).whole["api_base_url"] == url


def test_a_token_never_travels_without_tls() -> None:
    config = {**VAULT, "api_base_url": "http://vault.internal"}

    assert "https://" in problems("vault", config, allowed_hosts=["vault.internal"])["config.api_base_url"]


def test_a_region_cannot_name_another_host() -> None:
    config = {"key_id": "k", "region": "evil.example/", "access_key_id": "a", "secret_access_key": "s"}

    assert set(problems("aws_kms", config)) == {"config.region"}


def test_every_backend_has_a_name() -> None:
    assert tuple(NAMES) == (LOCAL, *BACKENDS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_library_takes_what_a_config_holds(backend: str) -> None:
    """Names are the library's; what it requires is required here, and nothing is asked for that it does not know."""
    module = importlib.import_module(f"solana_keychain.{backend}")
    described = getattr(module, "".join(word.title() for word in backend.split("_")) + "SignerConfig")
    fields = dataclasses.fields(described)
    required = {one.name for one in fields if one.default is dataclasses.MISSING} - OURS
    asked = problems(backend, {})
    wanted = {path.removeprefix("config.") for path in asked} - CLOUD_CREDENTIALS.get(backend, set())

    assert required <= wanted <= {one.name for one in fields}
