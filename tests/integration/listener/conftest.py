from __future__ import annotations

import pytest
from solders.keypair import Keypair

from tests.local_chain import LocalChain


@pytest.fixture
def chain(local_gateway: LocalChain) -> LocalChain:
    """The local chain, which this process asks too when a test enables a workflow."""
    return local_gateway


@pytest.fixture
def funded(chain: LocalChain) -> Keypair:
    """Somebody with SOL, who pays for transactions."""
    payer = Keypair()
    chain.wait_for_status(chain.airdrop(payer.pubkey(), 10**9))
    return payer
