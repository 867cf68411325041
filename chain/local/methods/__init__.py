"""The JSON-RPC methods of a Solana node, by family."""

from __future__ import annotations

from chain.local.methods import accounts, cluster, history, sending, tokens
from chain.local.methods.call import Call, Method

METHODS: dict[str, Method] = {
    **cluster.METHODS,
    **accounts.METHODS,
    **tokens.METHODS,
    **sending.METHODS,
    **history.METHODS,
}

__all__ = ["METHODS", "Call", "Method"]
