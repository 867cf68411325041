"""The two ceremonies of WebAuthn, registering and signing in, without a database.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations. No attestation is asked for: which make of key somebody trusts is
theirs to say, and names of models would only tell people apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fido2.cose import ES256, RS256, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

T = TypeVar("T")

# What every authenticator has one of; each offered algorithm is one more that has to be right.
ALGORITHMS = (ES256.ALGORITHM, EdDSA.ALGORITHM, RS256.ALGORITHM)
# With the attestation that some send unasked it is about 5 KB.
LONGEST_ANSWER = 16_384
# What authenticators may make of it: 1023 bytes, and then some.
LONGEST_CREDENTIAL = 4096


class CeremonyError(Exception):
    """An answer that proves nothing. The text is for logs, and says what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Site:
    """The address at which somebody has the dashboard open: `https://solflow.example.com`."""

    origin: str

    @property
    def rp_id(self) -> str:
        """The host name, to which browsers bind each passkey."""
        return urlsplit(self.origin).hostname or ""

    @property
    def has_passkeys(self) -> bool:
        """Whether browsers know passkeys there: at a name, not an IP address, and by https unless it is localhost."""
        try:
            ip_address(self.rp_id)
        except ValueError:
            local = self.rp_id == "localhost" or self.rp_id.endswith(".localhost")
            return local or self.origin.startswith("https://")
        return False


@dataclass(frozen=True, slots=True)
class Made:
    """What an authenticator has made."""

    credential_id: bytes
    credential: bytes
    sign_count: int


def ask_to_register(site: Site, challenge: bytes, *, handle: bytes, name: str, known: Sequence[bytes]) -> str:
    """The options of `navigator.credentials.create`, as JSON. `known` are the person's: no authenticator makes two."""
    options, _ = _server(site).register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=name, display_name=name),
        credentials=[AttestedCredentialData(one) for one in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
        challenge=challenge,
    )
    return json.dumps(dict(options)["publicKey"])


def registered(site: Site, challenge: bytes, answer: str) -> Made:
    """What was made in answer to `ask_to_register`.

    Raises:
        CeremonyError: another challenge, another site, not what was asked for, or no answer at all.
    """
    data = _checked(lambda: _server(site).register_complete(_state(challenge), _registration(answer)))
    credential = data.credential_data
    if credential is None:
        raise CeremonyError("no credential in the answer")
    if credential.public_key.get(3) not in ALGORITHMS:
        raise CeremonyError(f"a public key of the algorithm {credential.public_key.get(3)}, which was not offered")
    if len(credential) > LONGEST_CREDENTIAL:
        raise CeremonyError(f"a credential of {len(credential)} bytes; {LONGEST_CREDENTIAL} are allowed")
    return Made(credential.credential_id, bytes(credential), data.counter)


def ask_to_sign_in(site: Site, challenge: bytes, *, known: Sequence[bytes]) -> str:
    """The options of `navigator.credentials.get`, as JSON."""
    options, _ = _server(site).authenticate_begin(
        [AttestedCredentialData(one) for one in known],
        user_verification=UserVerificationRequirement.PREFERRED,
        challenge=challenge,
    )
    return json.dumps(dict(options)["publicKey"])


def credential_id_of(answer: str) -> bytes:
    """Which passkey an answer to `ask_to_sign_in` says it is of.

    Raises:
        CeremonyError: not an answer.
    """
    return _authentication(answer).raw_id


def signed_in(site: Site, challenge: bytes, answer: str, credential: bytes) -> int:
    """The authenticator's new count of signatures, when it has signed the challenge for this site.

    Whether that count may follow the former is for the caller to judge: by now the signature is known to be right.

    Raises:
        CeremonyError: another challenge, site or passkey, a wrong signature, nobody present, or no answer at all.
    """
    response = _authentication(answer)
    known = [AttestedCredentialData(credential)]
    _checked(lambda: _server(site).authenticate_complete(_state(challenge), known, response))
    _same_window(response.response.client_data)
    return response.response.authenticator_data.counter


def _server(site: Site) -> Fido2Server:
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=site.rp_id, name="SolFlow"),
        attestation=AttestationConveyancePreference.NONE,
        # Not just a name that ends alike, which is the library's own rule.
        verify_origin=lambda origin: origin == site.origin,
    )
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=alg) for alg in ALGORITHMS
    ]
    return server


def _state(challenge: bytes) -> dict[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": UserVerificationRequirement.PREFERRED}


def _registration(answer: str) -> RegistrationResponse:
    response = _checked(lambda: RegistrationResponse.from_dict(_parsed(answer)))
    _same_window(response.response.client_data)
    return response


def _authentication(answer: str) -> AuthenticationResponse:
    return _checked(lambda: AuthenticationResponse.from_dict(_parsed(answer)))


def _same_window(client_data: Any) -> None:
    # No page of ours is ever in somebody else's frame.
    if client_data.cross_origin is not False:
        raise CeremonyError("answered within a frame of another site")


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise CeremonyError(f"an answer of {len(answer)} characters; {LONGEST_ANSWER} are allowed")
    parsed = json.loads(answer)
    if not isinstance(parsed, dict) or parsed.get("type") != PublicKeyCredentialType.PUBLIC_KEY.value:
        raise CeremonyError("not a public-key credential")
    # What extensions report is not asked for, and of any shape.
    return {name: parsed.get(name) for name in ("id", "rawId", "type", "response")}


def _checked(work: Callable[[], T]) -> T:
    try:
        return work()
    except CeremonyError:
        raise
    except Exception as error:  # bytes of strangers in a parser whose errors are of every kind
        raise CeremonyError(f"{type(error).__name__}: {error}"[:200]) from error
