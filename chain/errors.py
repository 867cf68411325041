"""What can go wrong between us and the chain, and what each answer permits.

ChainError
├── Rejected            a node read the request and refused it; that node executed nothing. Do not repeat it as is.
├── Unavailable         nobody took the request: no connection, 429, a node that is behind. Repeat it later, unchanged.
├── Ambiguous           the request left us and no answer came back. It may have been executed. "Don't know": change no
│                       state, pay nobody; the same signed bytes may be sent again, other bytes may not.
├── Expired             the blockhash is too old for these bytes. A new signature needs proof that they never landed.
├── InvalidTransaction  we could not build it (too large, another signature needed). Nothing was sent.
└── InvalidSecretKey    a text or bytes that are no ed25519 secret key. The message never repeats them.

`permanent` says whether the same request could ever succeed. Endpoints are named by host and port only, never by URL:
paths and queries carry providers' keys.
"""

from __future__ import annotations

from typing import Any, ClassVar

PREFLIGHT_FAILURE = -32002


class ChainError(Exception):
    """Base of everything that chain/ raises on purpose."""

    permanent: ClassVar[bool] = False


class Rejected(ChainError):
    """A definite refusal by the node: `code`, `message` and `data` are those of its JSON-RPC error."""

    permanent = True

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data

    @property
    def transaction_error(self) -> Any:
        """The runtime's error, as JSON (`"BlockhashNotFound"`, `{"InstructionError": [0, …]}`), or None."""
        return self.data.get("err") if isinstance(self.data, dict) else None

    @property
    def logs(self) -> list[str]:
        """The logs of the failed preflight or simulation, empty where the node sent none."""
        logs = self.data.get("logs") if isinstance(self.data, dict) else None
        return [str(line) for line in logs] if isinstance(logs, list) else []

    @property
    def is_blockhash_not_found(self) -> bool:
        """The node does not know the blockhash: too old for it, or too new for a node that lags."""
        return self._names("BlockhashNotFound", "blockhash not found")

    @property
    def already_processed(self) -> bool:
        """The node has executed these bytes before: good news for whoever sends them again."""
        return self._names("AlreadyProcessed", "already been processed")

    def _names(self, transaction_error: str, phrase: str) -> bool:
        # Proxies in front of nodes drop `data` and keep the sentence.
        if self.transaction_error is not None:
            return bool(self.transaction_error == transaction_error)
        return self.code == PREFLIGHT_FAILURE and phrase in self.message.lower()


class Unavailable(ChainError):
    """Nothing was accepted. `retry_after_s` is what the endpoint asked for, None where it did not say."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NodeBehind(Unavailable):
    """The node works but has not reached the slot that was asked for; another one may have."""


class NoBatches(Unavailable):
    """The endpoint takes no JSON-RPC batches. Whoever sent one sends its calls alone."""


class Ambiguous(ChainError):
    """The request was written and its answer is missing or unreadable. `timed_out`: nothing came within the time."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Expired(ChainError):
    """The last valid block height has passed: these bytes can no longer be accepted."""

    permanent = True

    def __init__(self, signature: str, last_valid_block_height: int) -> None:
        super().__init__(f"{signature} was valid until block height {last_valid_block_height}")
        self.signature = signature
        self.last_valid_block_height = last_valid_block_height


class InvalidTransaction(ChainError):
    """The instructions do not make a transaction that the chain could accept."""

    permanent = True


class InvalidSecretKey(ChainError):
    """Not an ed25519 secret key of 64 bytes whose second half is the public key of the first."""

    permanent = True
