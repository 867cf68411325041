"""What reads as a secret, and what only looks like one."""

from __future__ import annotations

import base64
import json

import pytest
from solders.keypair import Keypair

from tests.unit.workflows.definitions import ALICE, SIGNATURE
from workflows.specs.secret_scan import secret_in_numbers, secret_in_text

KEY = Keypair.from_seed(bytes(range(32)))
RAW = bytes(KEY)


@pytest.mark.parametrize(
    "text",
    [
        str(KEY),
        f"key: {KEY}, keep it",
        RAW.hex(),
        RAW.hex().upper(),
        base64.b64encode(RAW).decode(),
        base64.urlsafe_b64encode(RAW).decode().rstrip("=") + "==",
        json.dumps(list(RAW)),
        json.dumps(list(RAW), indent=2),
        "[" + ",".join(["7"] * 64) + "]",
    ],
)
def test_a_private_key_is_known_in_any_encoding(text: str) -> None:
    found = secret_in_text(text)
    assert found is not None
    assert found[0] == "a private key"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ALICE,
        SIGNATURE,
        f"{SIGNATURE} {SIGNATURE}",
        str(KEY.pubkey()),
        "0" * 128,
        "a bearer of responsibilities",
        "see https://discord.com/channels/1/2",
        "https://solscan.io/tx/" + SIGNATURE,
        "Authorization was given",
        "{{ event.data.token }} sold for {{ event.data.key }}",
        "[1, 2, 3]",
        "ratio 12345678:9",
    ],
)
def test_addresses_signatures_links_and_prose_are_no_secrets(text: str) -> None:
    assert secret_in_text(text) is None


def test_the_numbers_of_a_key_file_are_known_and_other_bytes_are_not() -> None:
    assert secret_in_numbers(list(RAW)) is not None
    assert secret_in_numbers([7] * 64) is None
    assert secret_in_numbers([*RAW[:-1], 256]) is None
    assert secret_in_numbers(list(RAW[:32])) is None
