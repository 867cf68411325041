"""This very process's gateway on a local chain, for tests that call services instead of the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from executions.gateway import gateway
from tests.local_chain import LocalChain


@contextmanager
def gateway_on(chain: LocalChain, settings: Any) -> Iterator[LocalChain]:
    """Inside the block `executions.gateway.gateway()` asks `chain`."""
    settings.SOLANA_RPC_URLS = [chain.rpc_url]
    gateway.cache_clear()
    yield chain
    gateway().rpc.close()
    gateway.cache_clear()
