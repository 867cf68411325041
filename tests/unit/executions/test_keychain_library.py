"""What services other than Vault are asked, by fakes of their protocols: this transaction, with the config's keys.

Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html and https://docs.turnkey.com/api-reference
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from executions.keychain import library
from tests.certificates import self_signed, serving
from tests.http_stub import Answer, HttpStub, Request

KEY = Keypair.from_seed(bytes([7] * 32))
ADDRESS = str(KEY.pubkey())
MESSAGE = MessageV0.try_compile(
    KEY.pubkey(),
    [transfer(TransferParams(from_pubkey=KEY.pubkey(), to_pubkey=Keypair().pubkey(), lamports=1))],
    [],
    Hash.default(),
)
SIGNED = to_bytes_versioned(MESSAGE)
AWS = {"key_id": "alias/treasury", "region": "eu-central-1", "access_key_id": "AKIAFAKE", "secret_access_key": "hidden"}


def signature(backend: str, config: Mapping[str, str]) -> Signature:
    unsigned = VersionedTransaction.populate(MESSAGE, [Signature.default()])
    asked = library.signature(backend, config, ADDRESS, unsigned, timeout_s=10, allowed_hosts=["localhost"])
    return asyncio.run(asked)


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStub]:
    """AWS KMS, where the SDK looks for it by this variable."""
    stub = HttpStub()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", stub.url)
    # The machine's own role, which must not sign for a team.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMACHINE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-machine")
    yield stub
    stub.close()


def kms_answer(key: Keypair) -> Answer:
    made = base64.b64encode(bytes(key.sign_message(SIGNED))).decode()
    return Answer.of_json(200, {"KeyId": "k", "Signature": made, "SigningAlgorithm": "ED25519_SHA_512"})


def test_aws_kms_signs_the_raw_message_with_the_credentials_of_the_config(kms: HttpStub) -> None:
    kms.default = kms_answer(KEY)

    assert signature("aws_kms", AWS) == KEY.sign_message(SIGNED)

    (asked,) = kms.requests
    assert base64.b64decode(asked.json["Message"]) == SIGNED
    assert (asked.json["KeyId"], asked.json["MessageType"]) == ("alias/treasury", "RAW")
    assert "Credential=AKIAFAKE/" in asked.headers["Authorization"]
    assert "/eu-central-1/kms/" in asked.headers["Authorization"]


def test_aws_kms_with_another_key_is_final_and_a_refusal_is_not(kms: HttpStub) -> None:
    kms.answer_next(kms_answer(Keypair()), Answer.of_json(400, {"__type": "AccessDeniedException"}))

    with pytest.raises(library.SignerError) as other_key:
        signature("aws_kms", AWS)
    with pytest.raises(library.SignerError) as refused:
        signature("aws_kms", AWS)

    assert [library.is_passing(one.value) for one in (other_key, refused)] == [False, True]
    assert len(kms.requests) == 2


@pytest.fixture
def turnkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStub]:
    certificate, private = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    stub = HttpStub(serving(certificate, private))
    yield stub
    stub.close()


def test_turnkey_signs_the_transaction_of_a_stamped_request(turnkey: HttpStub) -> None:
    api_key = ec.generate_private_key(ec.SECP256R1())
    public = api_key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)

    def sign(request: Request) -> Answer:
        stamp = json.loads(base64.urlsafe_b64decode(request.headers["X-Stamp"] + "=="))
        api_key.public_key().verify(bytes.fromhex(stamp["signature"]), request.body, ec.ECDSA(hashes.SHA256()))
        given = VersionedTransaction.from_bytes(bytes.fromhex(request.json["parameters"]["unsignedTransaction"]))
        signed = VersionedTransaction(given.message, [KEY])
        result = {"signTransactionResult": {"signedTransaction": bytes(signed).hex()}}
        return Answer.of_json(200, {"activity": {"status": "ACTIVITY_STATUS_COMPLETED", "result": result}})

    turnkey.choose = sign
    config = {
        "api_public_key": public.hex(),
        "api_private_key": f"{api_key.private_numbers().private_value:064x}",
        "organization_id": "org",
        "private_key_id": "key",
        "api_base_url": turnkey.url.replace("http://127.0.0.1", "https://localhost"),
    }

    assert signature("turnkey", config) == KEY.sign_message(SIGNED)
    (asked,) = turnkey.requests
    assert (asked.json["organizationId"], asked.json["parameters"]["signWith"]) == ("org", "key")
