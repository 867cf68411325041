"""A chain process for the tests of this folder, and a client of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local_chain import LocalChain

SLOT_MS = 40


@pytest.fixture(scope="session")
def shared_chain() -> Iterator[LocalChain]:
    with LocalChain(slot_ms=SLOT_MS) as chain:
        yield chain


@pytest.fixture
def chain(shared_chain: LocalChain) -> Iterator[LocalChain]:
    """Shared by all tests: what a test changes for everybody is put back."""
    yield shared_chain
    shared_chain.clear_faults()
    shared_chain.resume()
