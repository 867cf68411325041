"""A fake of Vault's transit engine: `POST /v1/transit/sign/<key>` over TLS, with an ed25519 key in memory.

Source: https://developer.hashicorp.com/vault/api-docs/secret/transit#sign-data
"""

from __future__ import annotations

import base64
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from solders.keypair import Keypair

from tests.http_stub import Answer, HttpStub, Request

TOKEN = "hvs.a-token-that-nobody-may-see"
KEY_NAME = "treasury"


class Vault(HttpStub):
    """`key` signs; `certificate` is the file of the authority that vouches for it."""

    def __init__(self, directory: Path) -> None:
        self.certificate, private = _self_signed(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, private)
        super().__init__(context)
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


def _self_signed(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a fake Vault")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = directory / "vault.crt", directory / "vault.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
