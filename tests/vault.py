"""A fake of Vault's transit engine: `POST /v1/transit/sign/<key>` over TLS, with an ed25519 key in memory.

Source: https://developer.hashicorp.com/vault/api-docs/secret/transit#sign-data
"""

from __future__ import annotations

import base64
from pathlib import Path

from solders.keypair import Keypair

from tests.certificates import self_signed, serving
from tests.http_stub import Answer, HttpStub, Request

TOKEN = "hvs.a-token-that-nobody-may-see"
KEY_NAME = "treasury"


class Vault(HttpStub):
    """`key` signs; `certificate` is the file of the authority that vouches for it."""

    def __init__(self, directory: Path) -> None:
        self.certificate, private = self_signed(directory)
        super().__init__(serving(self.certificate, private))
        self.key = Keypair()
        self.choose = self.sign

    @property
    def address(self) -> str:
        return f"localhost:{self._server.server_port}"

    @property
    def config(self) -> dict[str, str]:
        """What a signer's config says of it."""
        return {"api_base_url": f"https://{self.address}", "token": TOKEN, "key_name": KEY_NAME}

    def sign(self, request: Request) -> Answer:
        """As Vault answers: 403 to another token, 404 where there is no such key."""
        if request.headers.get("X-Vault-Token") != TOKEN:
            return Answer.of_json(403, {"errors": ["permission denied"]})
        if (request.method, request.path) != ("POST", f"/v1/transit/sign/{KEY_NAME}"):
            return Answer.of_json(404, {"errors": []})
        signature = self.key.sign_message(base64.b64decode(request.json["input"]))
        encoded = base64.b64encode(bytes(signature)).decode()
        return Answer.of_json(200, {"data": {"key_version": 1, "signature": f"vault:v1:{encoded}"}})
