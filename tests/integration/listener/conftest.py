from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from executions.gateway import gateway
from tests.local_chain import LocalChain


@pytest.fixture
def chain(local_chain: LocalChain, settings: Any) -> Iterator[LocalChain]:
    """The local chain, which this process asks too when a test enables a workflow."""
    settings.SOLANA_RPC_URLS = [local_chain.rpc_url]
    gateway.cache_clear()
    yield local_chain
    gateway().rpc.close()
    gateway.cache_clear()
