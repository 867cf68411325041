from __future__ import annotations

import pytest

from tests.local_chain import LocalChain


@pytest.fixture
def chain(local_gateway: LocalChain) -> LocalChain:
    """The local chain, which this process asks too when a test enables a workflow."""
    return local_gateway
