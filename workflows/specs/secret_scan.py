"""Finds what must not stand in a definition: webhook URLs, tokens, private keys. Pure.

A definition is exported, versioned and shown to everyone who may look; where messages go is a channel, what signs is a
signer, and both are stored encrypted. The scan is for accidents: it names what it found and never quotes it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence

import base58
import re2
from solders.keypair import Keypair

_CHANNEL = "make a channel with it and put the channel's id here"
_SIGNER = "import it as a signer; a definition names no key"
_NOWHERE = "a definition holds no secret"

# (what it is, what to do, RE2 expression). One expression of all of them is asked first: nearly every text has none.
_TEXT_SECRETS: Sequence[tuple[str, str, str]] = (
    ("a webhook URL", _CHANNEL, r"(?i)/api/(?:v[0-9]+/)?webhooks/[0-9]+/[\w-]|discord(?:app)?\.com/api/[\w/]*webhooks"),
    ("a Slack webhook URL", _CHANNEL, r"(?i)hooks\.slack(?:-gov)?\.com/"),
    ("a Telegram bot token", _CHANNEL, r"\b[0-9]{6,12}:[A-Za-z0-9_-]{30,}"),
    ("a Slack token", _CHANNEL, r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a webhook secret", _CHANNEL, r"\bwhsec_[A-Za-z0-9+/=]{16,}"),
    ("a bearer token", _CHANNEL, r"(?i)\bbearer\s+[a-z0-9._~+/-]{20,}"),
    ("an authorization header", _CHANNEL, r"(?i)\bauthorization\s*[:=]\s*(?:(?:basic|bearer|token)\s+)?\S{6,}"),
    ("a token (JWT)", _NOWHERE, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."),
    ("an access token", _NOWHERE, r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16})"),
    ("a URL with a password", _CHANNEL, r"(?i)[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@"),
    ("a URL with a key", _CHANNEL, r"(?i)[?&](?:api[-_]?key|access[-_]?token|token|secret|key)=[\w.-]{8,}"),
    ("a private key", _SIGNER, r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    ("a private key", _SIGNER, r"\[\s*[0-9]{1,3}(?:\s*,\s*[0-9]{1,3}){63}\s*\]"),
)


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return options


_SEARCHES = tuple((what, hint, re2.compile(pattern, _options()).search) for what, hint, pattern in _TEXT_SECRETS)
_ANY: Callable[[str], object | None] = re2.compile(
    "|".join(f"(?:{pattern})" for _, _, pattern in _TEXT_SECRETS), _options()
).search

_MIN_LENGTH = 12
_KEY_BYTES = 64
_ENCODED_KEY = re.compile(r"[0-9A-Za-z+/_=-]{85,128}")


def secret_in_text(text: str) -> tuple[str, str] | None:
    """What the text seems to hold and what to do instead, or None."""
    if len(text) < _MIN_LENGTH:
        return None
    if _ANY(text) is not None:
        for what, hint, search in _SEARCHES:
            if search(text) is not None:
                return what, hint
    if any(_is_keypair(raw) for word in _ENCODED_KEY.findall(text) for raw in _decodings(word)):
        return "a private key", _SIGNER
    return None


def secret_in_numbers(items: Sequence[object]) -> tuple[str, str] | None:
    """The same for a JSON list: the 64 numbers that Solana's tools write as a key file."""
    if len(items) != _KEY_BYTES or not all(type(item) is int and 0 <= item <= 255 for item in items):
        return None
    raw = bytes(item for item in items if isinstance(item, int))
    return ("a private key", _SIGNER) if _is_keypair(raw) else None


def _is_keypair(raw: bytes) -> bool:
    """A signature has 64 bytes too; a keypair is told from it by its second half, the public key of the first."""
    if len(raw) != _KEY_BYTES:
        return False
    return bytes(Keypair.from_seed(raw[:32]).pubkey()) == raw[32:]


def _from_base64(word: str) -> bytes:
    return base64.b64decode(word.replace("-", "+").replace("_", "/"))


def _decodings(word: str) -> Iterator[bytes]:
    readers: Sequence[Callable[[str], bytes]] = (base58.b58decode, bytes.fromhex, _from_base64)
    for read in readers:
        try:
            yield read(word)
        except (ValueError, binascii.Error):
            continue  # not this encoding: that is the answer, not a failure
