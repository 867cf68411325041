"""A chain in memory, without its servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chain.local.ledger import Ledger
from chain.local.store import Store


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Store(None) as store:
        yield Ledger(store)
