"""The errors that Solana's RPC answers with: codes and texts as Agave gives them."""

from __future__ import annotations

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
PREFLIGHT_FAILURE = -32002
SIGNATURE_VERIFICATION_FAILURE = -32003
BLOCK_NOT_AVAILABLE = -32004
NODE_UNHEALTHY = -32005
SLOT_SKIPPED = -32007
UNSUPPORTED_TRANSACTION_VERSION = -32015
MIN_CONTEXT_SLOT_NOT_REACHED = -32016


class ChainDataError(Exception):
    """The data directory cannot be used. The text is one line for the person who started the chain."""


class RpcError(Exception):
    """A JSON-RPC error: goes to the client as it is."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """The `error` member of a JSON-RPC answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def invalid_params(reason: str) -> RpcError:
    """-32602, for parameters that are missing, malformed or contradictory."""
    return RpcError(INVALID_PARAMS, reason)


def block_not_available(slot: int) -> RpcError:
    """-32004, for a slot past the asked commitment."""
    return RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")


def slot_skipped(slot: int) -> RpcError:
    """-32007, for a slot without a block."""
    return RpcError(SLOT_SKIPPED, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")


def min_context_slot_not_reached(context_slot: int) -> RpcError:
    """-32016, for a bank older than the client's `minContextSlot`."""
    return RpcError(
        MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached", {"contextSlot": context_slot}
    )


def signature_verification_failure() -> RpcError:
    """-32003, for a signature that does not verify."""
    return RpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")


def unsupported_version(version: int) -> RpcError:
    """-32015, for a versioned transaction where the client did not say that it can read one."""
    return RpcError(
        UNSUPPORTED_TRANSACTION_VERSION,
        f"Transaction version ({version}) is not supported by the requesting client. Please try the request again "
        f'with the following configuration parameter: "maxSupportedTransactionVersion": {version}',
    )
