"""Who signs. A key is made of opened bytes, never of a file or the environment, and shows itself nowhere."""

from __future__ import annotations

from typing import NoReturn, Protocol

import base58
import orjson
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain.errors import InvalidSecretKey, InvalidTransaction
from chain.types import SignedTransaction

SECRET_KEY_BYTES = 64


class Signer(Protocol):
    """Signs messages whose only required signature is its own."""

    @property
    def address(self) -> str:
        """The public key in base58."""
        ...

    def sign(self, message: MessageV0, last_valid_block_height: int) -> SignedTransaction:
        """The signed bytes; the height is that of the message's blockhash, kept with them since they expire by it.

        Raises InvalidTransaction where somebody else would have to sign.
        """
        ...


class KeypairSigner:
    """A signer that holds its secret key in this process's memory."""

    __slots__ = ("_keypair", "address")

    def __init__(self, keypair: Keypair) -> None:
        self._keypair = keypair
        self.address = str(keypair.pubkey())

    @classmethod
    def from_secret(cls, secret: bytes) -> KeypairSigner:
        """From the 64 bytes of `parse_secret_key`. Raises InvalidSecretKey."""
        return cls(_keypair(secret))

    def sign(self, message: MessageV0, last_valid_block_height: int) -> SignedTransaction:
        """See Signer."""
        only_signer(message, self.address)
        return _signed(VersionedTransaction(message, [self._keypair]), last_valid_block_height)

    def __repr__(self) -> str:
        return f"KeypairSigner({self.address})"

    def __reduce__(self) -> NoReturn:
        # Pickles end in brokers and caches.
        raise TypeError("a signer does not leave its process")


def only_signer(message: MessageV0, address: str) -> None:
    """Raises InvalidTransaction where the message needs another signature than that of `address` alone."""
    needed = [str(key) for key in message.account_keys[: message.header.num_required_signatures]]
    if needed != [address]:
        others = ", ".join(other for other in needed if other != address)
        raise InvalidTransaction(f"the transaction needs the signature of {others or 'nobody'}, not of {address}")


def with_signature(
    message: MessageV0, address: str, signature: Signature, last_valid_block_height: int
) -> SignedTransaction:
    """The signed bytes, with a signature that was made elsewhere.

    Raises InvalidTransaction where somebody else would have to sign, or where it is not the signature of `address` over
    exactly this message.
    """
    only_signer(message, address)
    if not signature.verify(Pubkey.from_string(address), to_bytes_versioned(message)):
        raise InvalidTransaction(f"the signature is not that of {address} over this transaction")
    return _signed(VersionedTransaction.populate(message, [signature]), last_valid_block_height)


def generate() -> bytes:
    """A new secret key: 64 bytes, as `KeypairSigner.from_secret` takes them."""
    return bytes(Keypair())


def parse_secret_key(text: str) -> bytes:
    """The 64 bytes of a secret key written as base58 or as a JSON array of numbers (the format of keypair files).

    Raises InvalidSecretKey, in words that do not repeat what was given, also where the public half is not the seed's.
    """
    stripped = text.strip()
    secret = _from_json(stripped) if stripped.startswith("[") else _from_base58(stripped)
    return bytes(_keypair(secret))


def _signed(transaction: VersionedTransaction, last_valid_block_height: int) -> SignedTransaction:
    return SignedTransaction(
        raw=bytes(transaction),
        signature=str(transaction.signatures[0]),
        blockhash=str(transaction.message.recent_blockhash),
        last_valid_block_height=last_valid_block_height,
    )


def _keypair(secret: bytes) -> Keypair:
    if len(secret) != SECRET_KEY_BYTES:
        raise InvalidSecretKey(f"a secret key has {SECRET_KEY_BYTES} bytes, not {len(secret)}")
    try:
        return Keypair.from_bytes(secret)
    except ValueError:
        raise InvalidSecretKey("the public half of the secret key does not belong to its seed") from None


def _from_json(text: str) -> bytes:
    # Raised outside the handler: the parser's error holds the whole text, and error trackers follow the context.
    try:
        numbers = orjson.loads(text)
    except orjson.JSONDecodeError:
        numbers = None
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n <= 255 for n in numbers):
        raise InvalidSecretKey("the secret key is no JSON array of numbers between 0 and 255")
    return bytes(numbers)


def _from_base58(text: str) -> bytes:
    try:
        secret = base58.b58decode(text)
    except ValueError:
        secret = None
    if secret is None:
        raise InvalidSecretKey("the secret key is neither base58 nor a JSON array of 64 numbers")
    return secret
