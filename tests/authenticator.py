"""An authenticator in software: passkeys for tests, and answers that are wrong in one way each."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

PRESENT = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Authenticator:
    """One credential. `count` is what it counted last; `told` replaces parts of what it says."""

    def __init__(self, origin: str = "http://localhost") -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0

    @property
    def credential(self) -> AttestedCredentialData:
        return AttestedCredentialData.create(bytes(16), self.id, ES256.from_cryptography_key(self.key.public_key()))

    def make(self, options: str, **told: Any) -> str:
        """The answer to `navigator.credentials.create`."""
        asked = json.loads(options)
        client_data = self._client_data("webauthn.create", asked["challenge"], told)
        flags = told.get("flags", PRESENT) | AuthenticatorData.FLAG.AT
        rp_hash = sha256(told.get("rp_id", asked["rp"]["id"]).encode()).digest()
        credential = told.get("credential", self.credential)
        data = AuthenticatorData.create(rp_hash, flags, self.count, credential)
        attestation = AttestationObject.create("none", data, {})
        return self._answer(clientDataJSON=client_data, attestationObject=attestation)

    def sign_in(self, options: str, **told: Any) -> str:
        """The answer to `navigator.credentials.get`."""
        asked = json.loads(options)
        self.count = told.get("count", self.count + 1)
        client_data = self._client_data("webauthn.get", asked["challenge"], told)
        rp_hash = sha256(told.get("rp_id", asked["rpId"]).encode()).digest()
        data = AuthenticatorData.create(rp_hash, told.get("flags", PRESENT), self.count)
        signature = self.key.sign(data + client_data.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client_data, authenticatorData=data, signature=told.get("signature", signature)
        )

    def _client_data(self, type_: str, challenge: str, told: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(
            told.get("type", type_),
            told.get("challenge", websafe_decode(challenge)),
            told.get("origin", self.origin),
            told.get("cross_origin", False),
        )

    def _answer(self, **response: bytes) -> str:
        own = websafe_encode(self.id)
        told = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": told})
